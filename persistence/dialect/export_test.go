package dialect

// Quiet is what tells whether an idle connection has ended.
var Quiet = quiet
