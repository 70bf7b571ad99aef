package probe

// NewStartCheck and Next let tests see what is said of a set-up while it serves.
var (
	NewStartCheck = newFindings
	Next          = (*unsaid).next
)
