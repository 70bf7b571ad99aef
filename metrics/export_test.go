package metrics

// CodeOutcome lets tests see what errors count as.
var CodeOutcome = codeOutcome
