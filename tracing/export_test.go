package tracing

// URL lets tests see where spans go.
var URL = Options.url
