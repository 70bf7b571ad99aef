// Africa's Talking, https://developers.africastalking.com/docs/sms/sending/bulk. It
// answers 201 to texts that it refuses, with a statusCode for each number.
{
  url: 'https://api.africastalking.com/version1/messaging',
  headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' },
  auth: 'api_key',
  data: ['username'],
  body(ctx):: {
    username: ctx.data.username,
    to: ctx.recipient,
    message: ctx.body,
    [if std.objectHas(ctx.data, 'from') then 'from']: ctx.data.from,
  },
  response(ctx)::
    local data = std.get(ctx.body, 'SMSMessageData', {});
    local recipients = std.get(data, 'Recipients', []);
    local first = if recipients == [] then {} else recipients[0];
    local code = std.get(first, 'statusCode');
    if std.member([100, 101, 102], code) then { sent: true, id: first.messageId }
    // Older answers have a status in words alone.
    else if code == null && recipients != [] then {
      [if std.objectHas(first, 'status') then 'sent']: first.status == 'Success',
      [if std.get(first, 'messageId', 'None') != 'None' then 'id']: first.messageId,
      permanent: true,
      reason: first.status,
    }
    else if recipients != [] then {
      sent: false,
      permanent: !std.member([500, 501], code),
      account: std.member([402, 405], code),
      reason: 'statusCode ' + code,
    }
    // Without a recipient the message says why, in a word: InvalidSenderId.
    else if std.objectHas(data, 'Message') then {
      sent: false,
      permanent: true,
      account: std.member(['InvalidSenderId', 'InsufficientBalance'], data.Message),
      reason: data.Message,
    }
    else if ctx.status >= 400 then { sent: false }
    else {},
}
