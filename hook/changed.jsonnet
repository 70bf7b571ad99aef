// What Holdline is told after a flow has made or changed an identity: which one.
// It reads the rest from Kratos.
function(ctx) { identity_id: ctx.identity.id }
