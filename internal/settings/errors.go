package settings

import (
	"github.com/holdline/holdline/internal/problem"
)

// ErrBadSetting says that a value does not go with a setting.
var ErrBadSetting = problem.New(problem.Invalid, "HLD-40005", "", "settings: not a value for this setting")
