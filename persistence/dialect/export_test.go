package dialect

// Quiet is what tells whether an idle connection has ended.
var Quiet = quiet

// Older is the least version, if the first is older.
func Older(version, least string) string {
	s := Server{Version: version}
	s.wantVersion(least)
	return s.Least
}
