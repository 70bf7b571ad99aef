// Never do this in earnest: it shows all that a template can use.
function(ctx) ctx
