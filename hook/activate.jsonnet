// What Holdline is told after Kratos has stored a settings flow. ctx.identity is
// the identity as stored now.
local trait = @TRAIT@;
local key = @KEY@;
local locale = @LOCALE@;
local address = @ADDRESS@;
function(ctx)
  local before = ctx.flow.identity;
  local after = ctx.identity;
  local opt(o, k, d) = if std.objectHas(o, k) && o[k] != null then o[k] else d;
  local pending = opt(opt(after, 'metadata_public', {}), key, null);
  local old = opt(before.traits, trait, null);
  local new = opt(after.traits, trait, null);
  local header(name) = opt(opt(ctx, 'request_headers', {}), name, [''])[0];
  // Where the header says nothing: where the session was last signed in (v26 and later).
  local devices = opt(opt(ctx, 'session', {}), 'devices', []);
  local device = if std.length(devices) > 0 then opt(devices[std.length(devices) - 1], 'ip_address', '') else '';
  // No number is pending and none was changed: nothing to tell.
  if old == new && pending == null then
    error 'cancel'
  else {
    identity_id: after.id,
    flow_id: ctx.flow.id,
    flow_issued_at: opt(ctx.flow, 'issued_at', null),
    new_mobile: new,
    pending_mobile: pending,
    locale: opt(after.traits, locale, null),
    language: header('Accept-Language'),
    client_address: if header(address) != '' then header(address) else device,
  }
