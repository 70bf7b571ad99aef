// Fast2SMS, DLT SMS, https://docs.fast2sms.com/reference/dlt-sms, and its codes,
// https://docs.fast2sms.com/reference/error-code-list: template_ids name the
// messages that are registered there, and data.variables says what their
// variables are, in order: code, minutes or link, with | between them.
{
  url: 'https://www.fast2sms.com/dev/bulkV2',
  headers: { 'Content-Type': 'application/json' },
  auth: 'api_key',
  data: ['from'],
  templates: true,
  body(ctx)::
    local t = ctx.template_data;
    local values = {
      code: std.get(t, 'verification_code', ''),
      minutes: std.toString(std.get(t, 'expires_in_minutes', '')),
      link: std.get(t, 'link', ''),
    };
    local usual = if std.objectHas(t, 'link') then 'link' else std.get(ctx.data, 'variables', 'code');
    {
      route: std.get(ctx.data, 'route', 'dlt'),
      sender_id: ctx.data.from,
      message: ctx.template_id,
      variables_values: std.join('|', [values[v] for v in std.split(usual, '|')]),
      // Others than Indian numbers are refused before anybody is asked.
      numbers: if std.startsWith(ctx.recipient, '+91') then std.substr(ctx.recipient, 3, 15) else error 'not in India',
      flash: 0,
    },
  response(ctx)::
    local code = std.toString(std.get(ctx.body, 'status_code', ''));
    if std.get(ctx.body, 'return') == true then { sent: true, id: std.get(ctx.body, 'request_id') }
    else if std.get(ctx.body, 'return') == false then {
      sent: false,
      permanent: true,
      account: ctx.status == 401 || std.member([
        '401', '406', '408', '409', '412', '413', '414', '415', '416', '424', '425', '500', '990', '996', '998', '999',
      ], code),
      reason: 'status_code ' + code,
    } else {},
}
