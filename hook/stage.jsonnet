// What Holdline is told before Kratos stores a settings flow. ctx.flow.identity
// is the identity as stored, ctx.identity as proposed. Nothing that is not
// needed leaves Kratos: no cookies, no credentials.
local trait = @TRAIT@;
local key = @KEY@;
local locale = @LOCALE@;
local address = @ADDRESS@;
function(ctx)
  local before = ctx.flow.identity;
  local after = ctx.identity;
  local opt(o, k, d) = if std.objectHas(o, k) && o[k] != null then o[k] else d;
  local old = opt(before.traits, trait, null);
  local new = opt(after.traits, trait, null);
  local header(name) = opt(opt(ctx, 'request_headers', {}), name, [''])[0];
  // Where the header says nothing: where the session was last signed in (v26 and later).
  local devices = opt(opt(ctx, 'session', {}), 'devices', []);
  local device = if std.length(devices) > 0 then opt(devices[std.length(devices) - 1], 'ip_address', '') else '';
  // The number is left alone: the call is skipped, and Holdline may be down. A null
  // where there was nothing is not: Kratos would make an address of it.
  local has(o) = std.objectHas(o, trait);
  if old == new && has(before.traits) == has(after.traits) then
    error 'cancel'
  else {
    identity_id: after.id,
    flow_id: ctx.flow.id,
    flow_issued_at: opt(ctx.flow, 'issued_at', null),
    schema_id: after.schema_id,
    old_mobile: old,
    new_mobile: new,
    pending_mobile: opt(opt(before, 'metadata_public', {}), key, null),
    traits: after.traits,
    metadata_public: opt(after, 'metadata_public', {}),
    verifiable_addresses: opt(before, 'verifiable_addresses', []),
    aal: opt(opt(ctx, 'session', {}), 'authenticator_assurance_level', null),
    authenticated_at: opt(opt(ctx, 'session', {}), 'authenticated_at', null),
    locale: opt(after.traits, locale, null),
    language: header('Accept-Language'),
    client_address: if header(address) != '' then header(address) else device,
  }
