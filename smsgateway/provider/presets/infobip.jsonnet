// Infobip, https://www.infobip.com/docs/api/channels/sms/outbound-sms/send-sms-messages:
// the URL is the account's own. A no comes with 200 and a group of statuses:
// https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes.
{
  headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
  auth: 'api_key',
  data: ['from'],
  body(ctx):: {
    messages: [{
      sender: ctx.data.from,
      destinations: [{ to: std.lstripChars(ctx.recipient, '+'), messageId: ctx.id }],
      content: { text: ctx.body },
      [if ctx.template_id != '' then 'options']: {
        regional: { indiaDlt: { contentTemplateId: ctx.template_id, principalEntityId: ctx.data.entity_id } },
      },
    }],
  },
  response(ctx)::
    local message = std.get(ctx.body, 'messages', [{}])[0];
    local status = std.get(message, 'status', {});
    local group = std.get(status, 'groupName', '');
    local name = std.get(status, 'name', '');
    // REJECTED_DUPLICATE_MESSAGE_ID: the first of two requests was taken.
    if std.member(['PENDING', 'DELIVERED'], group) || name == 'REJECTED_DUPLICATE_MESSAGE_ID' then
      { sent: true, id: message.messageId }
    else if std.member(['REJECTED', 'UNDELIVERABLE', 'EXPIRED'], group) then {
      sent: false,
      permanent: !std.member(['REJECTED_FLOODING_FILTER', 'REJECTED_SYSTEM_ERROR'], name),
      account: std.member([
        'REJECTED_NOT_ENOUGH_CREDITS',
        'REJECTED_SOURCE',
        'REJECTED_SENDER',
        'REJECTED_PREPAID_PACKAGE_EXPIRED',
        'REJECTED_ROUTE_NOT_AVAILABLE',
      ], name),
      reason: if name == '' then group else name,
    } else if ctx.status >= 400 then {
      sent: false,
      reason: std.get(ctx.body, 'errorCode', std.get(std.get(std.get(ctx.body, 'requestError', {}), 'serviceException', {}), 'messageId', '')),
    } else {},
}
