// Plivo, https://www.plivo.com/docs/messaging/api/message/send-a-message: the URL
// names the account, https://api.plivo.com/v1/Account/AUTH_ID/Message/. A number
// that it cannot text comes back in a 202 without a message_uuid.
{
  headers: { 'Content-Type': 'application/json' },
  auth: 'basic_auth',
  data: ['from'],
  body(ctx):: {
    src: ctx.data.from,
    dst: ctx.recipient,
    text: ctx.body,
    [if ctx.template_id != '' then 'dlt_template_id']: ctx.template_id,
    [if std.objectHas(ctx.data, 'entity_id') then 'dlt_entity_id']: ctx.data.entity_id,
    [if std.objectHas(ctx.data, 'template_category') then 'dlt_template_category']: ctx.data.template_category,
  },
  response(ctx)::
    local ids = std.get(ctx.body, 'message_uuid', []);
    local fault = std.get(ctx.body, 'error', '');
    if std.length(ids) > 0 then { sent: true, id: ids[0] }
    else if std.length(std.get(ctx.body, 'invalid_number', [])) > 0 then
      { sent: false, permanent: true, reason: 'invalid_number' }
    else if fault != '' then {
      sent: false,
      [if ctx.status == 404 || std.length(std.findSubstr('nsufficient credit', std.toString(fault))) > 0 then 'account']: true,
      reason: fault,
    } else {},
}
