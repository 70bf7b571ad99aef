package settings

import (
	"github.com/holdline/holdline/internal/problem"
)

var ErrBadSetting = problem.New(problem.Invalid, "HLD-40005", "", "claim: not a value for this setting")
