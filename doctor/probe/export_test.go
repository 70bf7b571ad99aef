package probe

// NewReport and Next let tests see what is said of a set-up while it serves.
var (
	NewReport = newReport
	Next      = (*report).next
)
