package app

// Serve and Repeat let tests end one listener or one job.
var (
	Serve  = serve
	Repeat = repeat
)
