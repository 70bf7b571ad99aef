package claimtest

import (
	"errors"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/otp"
)

func drawPerson(t *rapid.T) string { return rapid.SampledFrom(people).Draw(t, "who") }

func drawNumber(t *rapid.T) string { return rapid.SampledFrom(numbers).Draw(t, "number") }

// drawTexted draws somebody who has had a text, if anybody has by then: others
// have little to confirm or to cancel.
func (m *machine) drawTexted(t *rapid.T) func() string {
	first := rapid.IntRange(0, len(people)-1).Draw(t, "who, if texted")
	return func() string {
		for i := range people {
			if id := people[(first+i)%len(people)]; len(m.phone[id]) > 0 {
				return id
			}
		}
		return people[first]
	}
}

// commands are all that can happen. What leads on is there twice.
func (m *machine) commands() map[string]command {
	return map[string]command{
		"form":        func(t *rapid.T) func() { return m.drawForm(t, drawNumber(t)) },
		"form again":  func(t *rapid.T) func() { return m.drawForm(t, drawNumber(t)) },
		"form blank":  func(t *rapid.T) func() { return m.drawForm(t, "") },
		"scim":        func(t *rapid.T) func() { return m.drawSCIM(t, drawNumber(t)) },
		"scim blank":  func(t *rapid.T) func() { return m.drawSCIM(t, "") },
		"right code":  m.drawRightCode,
		"right again": m.drawRightCode,
		"some code":   m.drawSomeCode,
		"wrong code": func(t *rapid.T) func() {
			who, times := m.drawTexted(t), rapid.IntRange(1, 4).Draw(t, "times")
			return func() {
				for range times {
					m.confirm(who(), "0000000000", false)
				}
			}
		},
		"resend": func(t *rapid.T) func() {
			who := m.drawTexted(t)
			return func() { _ = m.service.Resend(m.ctx, m.caller(who())) }
		},
		"cancel": func(t *rapid.T) func() {
			who := m.drawTexted(t)
			return func() { _ = m.service.Cancel(m.ctx, m.caller(who())) }
		},
		"kratos stores": func(t *rapid.T) func() { id := drawPerson(t); return func() { m.kratosStores(id) } },
		"elsewhere": func(t *rapid.T) func() {
			id, number := drawPerson(t), rapid.SampledFrom(append(slices.Clone(numbers), "")).Draw(t, "number")
			return func() {
				i := m.identity(id)
				i.Mobile, i.Verified = number, false
				m.put(i)
			}
		},
		"time": func(t *rapid.T) func() {
			d := rapid.SampledFrom([]time.Duration{
				2 * time.Second, 10 * time.Second, 31 * time.Second, 2 * time.Minute, 5 * time.Minute, time.Hour, 24 * time.Hour,
			}).Draw(t, "passes")
			return func() { m.now = m.now.Add(d) }
		},
		"switch": func(t *rapid.T) func() {
			of := rapid.SampledFrom([]*bool{&m.policy.Enabled, &m.policy.VerifyPrivileged, &m.policy.VerifyAlways}).Draw(t, "which")
			return func() { *of = !*of }
		},
		"chores": func(*rapid.T) func() { return m.chores },
		"directory away or back": func(*rapid.T) func() {
			return func() { m.away = !m.away }
		},
		"fault": func(t *rapid.T) func() {
			in := rapid.IntRange(0, 5).Draw(t, "after calls")
			late, crash := rapid.Bool().Draw(t, "too late"), rapid.Bool().Draw(t, "crash")
			return func() {
				f := &m.faults
				f.armed, f.in, f.late, f.crash = true, in, late, crash
			}
		},
		"worker busy or free": func(*rapid.T) func() { return func() { m.busy = !m.busy } },
		"worker polls":        func(*rapid.T) func() { return m.poll },
	}
}

func (m *machine) caller(id string) claim.Caller {
	return claim.Caller{IdentityID: id, AuthenticatedAt: m.now}
}

// drawRightCode types what arrived last.
func (m *machine) drawRightCode(t *rapid.T) func() {
	who, shown := m.drawTexted(t), rapid.Bool().Draw(t, "whoami")
	return func() {
		id := who()
		if texts := m.phone[id]; len(texts) > 0 {
			m.confirm(id, m.code(texts[len(texts)-1].Code), shown)
		}
	}
}

// drawSomeCode types one of all codes that ever arrived, also somebody else's, or
// a wrong one.
func (m *machine) drawSomeCode(t *rapid.T) func() {
	who, whose, back := m.drawTexted(t), m.drawTexted(t), rapid.IntRange(0, 4).Draw(t, "back")
	return func() {
		id, owner := who(), whose()
		code := "0000000000"
		if texts := m.phone[owner]; back < len(texts) {
			code = m.code(texts[len(texts)-1-back].Code)
		}
		m.confirm(id, code, false)
	}
}

func (m *machine) code(ref otp.CodeRef) string {
	code, err := m.codes.Code(ref)
	if err != nil {
		m.fail("derive code: %v", err)
	}
	return code
}

// confirm types a code. It is right if it came to the person's phone; whether it
// still is, Holdline has to know.
func (m *machine) confirm(id, code string, shown bool) {
	who := m.caller(id)
	if seen := m.identity(id); shown && !m.away {
		who.Seen = &seen
	}
	for _, text := range m.phone[id] {
		if m.code(text.Code) == code && m.now.Before(text.Expires) {
			m.typed[text.Code] = text.To
		}
	}
	good := m.mustBeTaken(id, code)
	open := m.open(id)
	err := m.service.Confirm(m.ctx, who, code)
	if open != nil && errors.Is(err, claim.ErrWrongCode) {
		m.guessed[open.ID]++
	}
	m.confirmed(id, code, good, err)
}

// chores runs until nothing is due.
func (m *machine) chores() {
	for range 60 {
		if n, err := m.service.RunDue(m.ctx); n == 0 || err != nil {
			return
		}
	}
}

// poll is what the worker does with texts that nobody sent.
func (m *machine) poll() {
	due, err := m.store.DueTexts(m.ctx, m.now, 99)
	if err != nil {
		m.fail("due texts: %v", err)
	}
	for _, text := range due {
		if !text.Current || !text.Expires.IsZero() && !m.now.Before(text.Expires) {
			_ = m.store.DropTexts(m.ctx, []string{text.ID}, m.now, "over")
			continue
		}
		m.send(text.Text)
	}
}

// send brings a text to its phone.
func (m *machine) send(text message.Text) {
	if text.Kind == message.TextCode {
		m.mayBeSent(text)
		m.phone[text.IdentityID] = append(m.phone[text.IdentityID], text)
	}
	_ = m.store.Done(m.ctx, message.TextResult{TextID: text.ID, State: message.TextSent, Gateway: "g", At: m.now})
}

// identity is what stands in the directory, whether or not it answers.
func (m *machine) identity(id string) claim.Identity {
	i, err := m.dir.Identity(m.ctx, id)
	if err != nil {
		m.fail("identity: %v", err)
	}
	return i
}

// put writes an identity past Holdline, unless another one has the number.
func (m *machine) put(i claim.Identity) bool {
	if m.away || m.taken(i.ID, i.Mobile) {
		return false
	}
	m.interfered[i.ID] = true
	m.dir.Put(i)
	m.written(i)
	return true
}

func (m *machine) taken(id, number string) bool {
	return number != "" && slices.ContainsFunc(people, func(other string) bool {
		return other != id && m.identity(other).Mobile == number
	})
}
