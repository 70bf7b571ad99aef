package provider

// SignACS3 is for the published example of a signature.
var SignACS3 = signACS3
