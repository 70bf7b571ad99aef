package provider

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/smsgateway"
)

// To evaluate jsonnet for each text would be the most expensive part of sending it.
// Nearly all templates only hand on what differs between texts: number, text, code,
// link and ids. Such a template is evaluated once for each shape of message, with marks
// in place of these values; of each text the values are put in place of the marks.
// [traced] finds out, for a shape, whether a template is of that kind.

// mostShapes bounds what is kept of a template: three kinds of texts in any language.
const mostShapes = 512

// shape is all that a template may decide by without being evaluated for each text. The
// operator's values are the same for all texts of a template.
type shape struct {
	kind                message.TextKind
	minutes             int
	written, templateID string
	plus                bool // the number has one plus, at its beginning
}

// values are what differs between texts of the same shape.
type values [6]string

// taken takes a message apart. What is not in shape or values is not data of templates.
func taken(m filled) (shape, values) {
	to := m.To.Unmasked()
	rest, plus := strings.CutPrefix(to, "+")
	if plus = plus && !strings.HasPrefix(rest, "+"); !plus {
		rest = to
	}
	return shape{m.Kind, smsgateway.Minutes(m.Validity), m.Written, m.TemplateID, plus},
		values{rest, m.Body, m.Code, m.Link, m.ID, m.IdentityID}
}

// marked is a message with marks for values.
func (s shape) marked(m filled, marks values) filled {
	to := marks[0]
	if s.plus {
		to = "+" + to
	}
	m.To, m.Body, m.Code, m.Link, m.ID, m.IdentityID = phone.FromStore(to), marks[1], marks[2], marks[3], marks[4], marks[5]
	return m
}

// prepared is what a template makes of a shape: text before, between and after values.
type prepared struct {
	texts  []string
	values []int // by their place in [values]; one less than texts
}

// fill puts values in their places.
func (p *prepared) fill(of values) []byte {
	size := 0
	for _, text := range p.texts {
		size += len(text)
	}
	for _, which := range p.values {
		size += len(of[which]) + len(of[which])/8
	}
	out := make([]byte, 0, size)
	for i, text := range p.texts {
		out = append(out, text...)
		if i < len(p.values) {
			out = appendEscaped(out, strings.ToValidUTF8(of[p.values[i]], "\uFFFD"))
		}
	}
	return out
}

// appendEscaped writes what stands between quotes as jsonnet writes it, which differs from
// encoding/json.
func appendEscaped(out []byte, text string) []byte {
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r >= ' ' && r < 0x7f || r > 0x9f:
			out = utf8.AppendRune(out, r)
		case r == '\b':
			out = append(out, `\b`...)
		case r == '\f':
			out = append(out, `\f`...)
		case r == '\n':
			out = append(out, `\n`...)
		case r == '\r':
			out = append(out, `\r`...)
		case r == '\t':
			out = append(out, `\t`...)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// preparations are what was made of a template for the shapes met so far; nil for those
// whose texts have to be evaluated one by one.
type preparations struct {
	mu  sync.RWMutex
	all map[shape]*prepared
}

// of is a template's preparation for a shape, made when it is first met.
func (t *bodyTemplate) of(ctx context.Context, s shape, m filled) *prepared {
	t.preparations.mu.RLock()
	p, ok := t.preparations.all[s]
	full := len(t.preparations.all) >= mostShapes
	t.preparations.mu.RUnlock()
	if ok || full {
		return p
	}
	p, err := t.prepare(ctx, s, m)
	if err != nil && !errors.Is(err, errOneByOne) {
		return nil // this time
	}
	t.preparations.mu.Lock()
	defer t.preparations.mu.Unlock()
	if t.preparations.all == nil {
		t.preparations.all = map[shape]*prepared{}
	}
	t.preparations.all[s] = p
	return p
}

// errOneByOne means that a template must be evaluated for each text, be it to fail.
var errOneByOne = errors.New("must be evaluated for each text")

// prepare evaluates a template for a shape. The error is errOneByOne, or that of
// [snippet.run] if nothing is known yet.
func (t *bodyTemplate) prepare(ctx context.Context, s shape, m filled) (*prepared, error) {
	// Letters and digits are the same in any kind of text, and as many random ones
	// stand nowhere else.
	prefix := rand.Text()
	var marks values
	for i := range marks {
		marks[i] = prefix + strconv.Itoa(i)
	}
	data := textData(s.marked(m, marks))
	if !handsOn(t.node, data, prefix, s.plus) {
		return nil, errOneByOne
	}
	tree, err := literal(data)
	if err != nil {
		return nil, err
	}
	out, err := t.run(ctx, tree)
	switch fault := new(snippetError); {
	case errors.As(err, &fault):
		return nil, errOneByOne
	case err != nil:
		return nil, err
	}
	texts := strings.Split(out, prefix)
	p := &prepared{texts: texts}
	for i, text := range texts[1:] {
		which := strings.IndexByte("012345", text[0])
		texts[i+1], p.values = text[1:], append(p.values, which)
	}
	return p, nil
}
