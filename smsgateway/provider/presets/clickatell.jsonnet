// Clickatell, One API, https://docs.clickatell.com/channels/one-api/; its codes:
// https://www.clickatell.com/developers/api-documentation/one-api-error-messages/.
// The older /messages of the same platform answers with errorCode; both are read.
{
  url: 'https://platform.clickatell.com/v1/message',
  headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
  auth: 'api_key',
  body(ctx):: {
    messages: [{
      channel: 'sms',
      to: std.lstripChars(ctx.recipient, '+'),
      content: ctx.body,
      clientMessageId: ctx.id,
      [if std.objectHas(ctx.data, 'from') then 'from']: ctx.data.from,
    }],
  },
  response(ctx)::
    local first(o) = if std.length(std.get(o, 'messages', [])) > 0 then o.messages[0] else {};
    local message = first(ctx.body);
    local faultOf(o) =
      local e = std.get(o, 'error');
      if std.isObject(e) then std.toString(std.get(e, 'code', ''))
      else if std.get(o, 'errorCode') != null then std.toString(o.errorCode)
      else '';
    local code = if faultOf(message) != '' then faultOf(message) else faultOf(ctx.body);
    if std.get(message, 'accepted') == true then { sent: true, id: message.apiMessageId }
    else if code != '' || std.get(message, 'accepted') == false then {
      sent: false,
      permanent: !std.member(['18', '19', '43'], code),
      account: std.member(['1', '2', '3', '7', '20', '38', '39', '44', '45', '607'], code),
      reason: if code == '' then 'not accepted' else 'error ' + code,
    } else {},
}
