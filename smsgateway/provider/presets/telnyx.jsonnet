// Telnyx, https://developers.telnyx.com/api-reference/messages/send-a-message, and
// its codes, https://developers.telnyx.com/docs/messaging/messages/error-codes.
{
  url: 'https://api.telnyx.com/v2/messages',
  headers: { 'Content-Type': 'application/json' },
  auth: 'api_key',
  data: ['from'],
  body(ctx):: {
    from: ctx.data.from,
    to: ctx.recipient,
    text: ctx.body,
    [if std.objectHas(ctx.data, 'messaging_profile_id') then 'messaging_profile_id']: ctx.data.messaging_profile_id,
  },
  response(ctx)::
    local data = std.get(ctx.body, 'data', {});
    local errors = std.get(ctx.body, 'errors', []) + std.get(data, 'errors', []);
    local codes = [std.toString(e.code) for e in errors];
    local any(list) = std.length([c for c in codes if std.member(list, c)]) > 0;
    local status = std.get(std.get(data, 'to', [{}])[0], 'status', '');
    if codes != [] then {
      sent: false,
      permanent: !any(['10007', '10008', '10011', '40002', '40006', '40011', '40018', '40318']),
      account: ctx.status == 401 || any([
        '10009', '10010', '20002', '20006', '20012', '20013', '20014', '20015', '20016', '20017', '20100',
        '40013', '40305', '40306', '40311', '40312', '40313', '40321', '40322', '40333',
      ]),
      reason: 'code ' + std.join(', ', codes),
    } else if std.member(['sending_failed', 'delivery_failed'], status) then
      { sent: false, permanent: true, reason: status }
    else if std.objectHas(data, 'id') then { sent: true, id: data.id }
    else {},
}
