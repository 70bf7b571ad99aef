package template

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdline/holdline/smsgateway/segment"
)

// excess says that a text does not fit, by how much, and what would help.
type excess struct {
	text string
	segment.Measured
	most int    // messages that it may take
	line string // its last one, which is no part of the template; may be blank
}

// over returns by how many characters the text is too long, at least 1: a pair
// that may not be torn can leave a message short of full.
func (e excess) over() int { return max(1, e.Units-e.Encoding.Capacity(e.most)) }

// culprits is how many characters outside GSM-7 are worth naming. A text with
// more of them is not meant to be GSM-7.
const culprits = 3

func (e excess) Error() string {
	capacity := e.Encoding.Capacity(e.most)
	fault := fmt.Sprintf("is too long by %d: %d characters in %s, where %d fit", e.over(), e.Units, e.Encoding, capacity)
	if e.line != "" {
		fault += fmt.Sprintf(" and the last line takes %d", len(e.line))
	}
	var wide []string
	for _, r := range e.text {
		if name := fmt.Sprintf("%#U", r); !segment.IsGSM7(r) && !slices.Contains(wide, name) {
			wide = append(wide, name)
		}
	}
	if len(wide) == 0 || len(wide) > culprits {
		return fault
	}
	return fmt.Sprintf("%s; without %s it would be %s, where %d fit", fault, strings.Join(wide, ", "), segment.GSM7, segment.GSM7.Capacity(e.most))
}
