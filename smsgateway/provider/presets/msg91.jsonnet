// MSG91, flows, https://docs.msg91.com/sms/send-sms: the text is the one of the
// flow (template) that template_ids names, and gets the code by the name of its
// variable. It says no with 200 and type error.
{
  url: 'https://control.msg91.com/api/v5/flow',
  headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
  auth: 'api_key',
  templates: true,
  body(ctx)::
    local t = ctx.template_data;
    local name(key, standard) = std.get(ctx.data, key + '_variable', standard);
    {
      template_id: ctx.template_id,
      [if std.objectHas(ctx.data, 'from') then 'sender']: ctx.data.from,
      short_url: '0',
      recipients: [{
        mobiles: std.lstripChars(ctx.recipient, '+'),
        [if std.objectHas(t, 'verification_code') then name('code', 'VAR1')]: t.verification_code,
        [if std.objectHas(t, 'expires_in_minutes') then name('minutes', 'VAR2')]: std.toString(t.expires_in_minutes),
        [if std.objectHas(t, 'link') then name('link', 'VAR1')]: t.link,
      }],
    },
  response(ctx)::
    local type = std.get(ctx.body, 'type', std.get(ctx.body, 'status', ''));
    local message = std.toString(std.get(ctx.body, 'message', ''));
    local has(words) = std.length([w for w in words if std.length(std.findSubstr(w, std.asciiLower(message))) > 0]) > 0;
    if type == 'success' then { sent: true, id: std.get(ctx.body, 'request_id', message) }
    else if std.member(['error', 'fail'], type) then {
      sent: false,
      permanent: !has(['too many', 'try again', 'rate limit']),
      account: ctx.status == 401 || has(['balance', 'credit', 'auth', 'ip ', 'blocked', 'template', 'flow', 'sender']),
      reason: message,
    } else {},
}
