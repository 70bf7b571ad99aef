// Alibaba Cloud, Short Message Service in mainland China,
// https://www.alibabacloud.com/help/en/sms/developer-reference/api-dysmsapi-2017-05-25-sendsms:
// template_ids name the templates (SMS_…), which get the code, the minutes or the
// link as ${code}, ${minutes} and ${link}. It says no with 200 and a Code.
{
  url: 'https://dysmsapi.aliyuncs.com/',
  headers: { 'X-Acs-Action': 'SendSms', 'X-Acs-Version': '2017-05-25', Accept: 'application/json' },
  query: true,
  auth: 'acs3',
  data: ['sign_name'],
  templates: true,
  body(ctx)::
    local t = ctx.template_data;
    {
      PhoneNumbers: std.lstripChars(ctx.recipient, '+'),
      SignName: ctx.data.sign_name,
      TemplateCode: ctx.template_id,
      TemplateParam: std.manifestJsonMinified({
        [if std.objectHas(t, 'verification_code') then 'code']: t.verification_code,
        [if std.objectHas(t, 'expires_in_minutes') then 'minutes']: std.toString(t.expires_in_minutes),
        [if std.objectHas(t, 'link') then 'link']: t.link,
      }),
      OutId: ctx.id,
    },
  response(ctx)::
    local code = std.get(ctx.body, 'Code', '');
    if code == 'OK' then { sent: true, id: ctx.body.BizId }
    else if code != '' then {
      sent: false,
      permanent: !(std.startsWith(code, 'isp.SYSTEM_ERROR') || std.startsWith(code, 'Throttling') ||
                   std.member(['isp.GATEWAY_ERROR', 'isp.UNKNOWN', 'ServiceUnavailable', 'InternalError'], code)),
      account: std.member([
        'isv.OUT_OF_SERVICE', 'isv.AMOUNT_NOT_ENOUGH', 'isv.ACCOUNT_NOT_EXISTS', 'isv.ACCOUNT_ABNORMAL',
        'isv.PRODUCT_UN_SUBSCRIPT', 'isv.PRODUCT_UNSUBSCRIBE', 'isv.SMS_SIGNATURE_ILLEGAL', 'isv.SMS_TEMPLATE_ILLEGAL',
        'isv.SMS_SIGN_ILLEGAL', 'isv.DENY_IP_RANGE', 'isv.DAY_LIMIT_CONTROL', 'isv.MONTH_LIMIT_CONTROL', 'isp.RAM_PERMISSION_DENY',
        'isv.BILLING_DEDUCTION_ERROR', 'SignatureDoesNotMatch', 'SignatureNonceUsed', 'Forbidden.RAM', 'InvalidTimeStamp.Expired',
      ], code) || std.startsWith(code, 'InvalidAccessKeyId'),
      reason: code,
    } else {},
}
