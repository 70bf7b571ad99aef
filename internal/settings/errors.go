package settings

import (
	"github.com/holdline/holdline/internal/problem"
)

// ErrBadSetting says that a value does not go with a setting.
var ErrBadSetting = problem.New(problem.Invalid, "HLD-40005", "", "claim: not a value for this setting")
