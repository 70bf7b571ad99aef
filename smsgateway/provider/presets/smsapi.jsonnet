// SMSAPI, https://www.smsapi.com/docs/. It says no with 200, in JSON as
// {"error": code}, or as ERROR:code to a request without format=json. The text's
// id is its idx, so that a repeat of what was taken comes back as error 53.
{
  url: 'https://api.smsapi.com/sms.do',
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  auth: 'api_key',
  data: ['from'],
  body(ctx):: {
    from: ctx.data.from,
    to: std.lstripChars(ctx.recipient, '+'),
    message: ctx.body,
    encoding: 'utf-8',
    format: 'json',
    idx: ctx.id,
    check_idx: '1',
  },
  response(ctx)::
    local text = if std.isString(ctx.body) then ctx.body else '';
    local code =
      if std.startsWith(text, 'ERROR:') then std.split(std.stripChars(text, ' \r\n'), ':')[1]
      else if std.isObject(ctx.body) && std.get(ctx.body, 'error') != null then std.toString(ctx.body['error'])
      else '';
    local item = if std.isObject(ctx.body) then std.get(ctx.body, 'list', [{}])[0] else {};
    if code == '53' then { sent: true }
    else if code != '' then {
      sent: false,
      permanent: !std.member(['200', '201', '202', '203', '999'], code),
      account: std.member(['14', '98', '101', '102', '103', '105', '110', '1000', '1001'], code),
      reason: 'error ' + code,
    }
    else if std.startsWith(text, 'OK:') then { sent: true, id: std.split(text, ':')[1] }
    else if std.get(item, 'error') != null then { sent: false, permanent: true, reason: 'error ' + item['error'] }
    else if std.member(['QUEUE', 'SENT', 'DELIVERED', 'ACCEPTED', 'RENEWAL'], std.get(item, 'status', '')) then { sent: true, id: item.id }
    else if std.objectHas(item, 'status') then { sent: false, permanent: true, reason: item.status }
    else {},
}
