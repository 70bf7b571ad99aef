package claim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/otp"
)

// Switch is a part of the policy that administrators may change while the
// program runs. It is named as in the configuration, which says how it starts.
type Switch string

// The switches.
const (
	SwitchVerify           Switch = "identity_mgt.user_claim_update.mobile.enable_verification"
	SwitchVerifyPrivileged Switch = "identity_mgt.user_claim_update.mobile.enable_verification_by_privileged_user"
	SwitchValidity         Switch = otp.ValiditySetting
	SwitchUseVerifyClaim   Switch = "identity_mgt.user_claim_update.use_verify_claim"
)

// Switches lists all switches.
func Switches() []Switch {
	return []Switch{SwitchVerify, SwitchVerifyPrivileged, SwitchValidity, SwitchUseVerifyClaim}
}

// ParseSwitch reads a switch's name, or only the end of it, as in
// enable_verification; dashes are as good as underscores, as in flags.
func ParseSwitch(name string) (Switch, error) {
	name = strings.ReplaceAll(name, "-", "_")
	for _, s := range Switches() {
		if full := string(s); name == full || name != "" && strings.HasSuffix(full, "."+name) {
			return s, nil
		}
	}
	return "", &SettingError{Why: "there is no such setting"}
}

// MaxValidity is how long a code may be good at most.
const MaxValidity = 24 * time.Hour

// SettingError is [ErrBadSetting] with its reason, which may be shown.
type SettingError struct {
	Switch Switch // blank if there is none
	Why    string
}

func (e *SettingError) Error() string {
	if e.Switch == "" {
		return e.Why
	}
	return string(e.Switch) + ": " + e.Why
}

// Unwrap returns ErrBadSetting.
func (e *SettingError) Unwrap() error { return ErrBadSetting }

// put changes a policy; the value is as valueOf writes it, or as people
// do: a bare number of a duration means minutes.
func (s Switch) put(p *Policy, text string) error {
	text = strings.TrimSpace(text)
	if s == SwitchValidity {
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			text += "m"
		}
		validity, err := time.ParseDuration(text)
		switch {
		case err != nil:
			return &SettingError{s, "must be a duration, such as 5m, or a number of minutes"}
		case validity < time.Second || validity > MaxValidity:
			return &SettingError{s, "must be from 1s to 24h"}
		case p.Possible > 0 && p.Possible < otp.EnoughCodes && validity > otp.FewCodesValidity:
			return &SettingError{s, fmt.Sprintf("must not be longer than %s while otp.length makes fewer than %d codes", otp.FewCodesValidity, otp.EnoughCodes)}
		case validity > p.Lifetime:
			return &SettingError{s, fmt.Sprintf("must not be longer than a claim lives, which is %s", p.Lifetime)}
		}
		p.Validity = validity
		return nil
	}
	on, err := strconv.ParseBool(strings.ToLower(text))
	if err != nil {
		return &SettingError{s, "must be true or false"}
	}
	switch s {
	case SwitchVerify:
		p.Enabled = on
	case SwitchVerifyPrivileged:
		p.VerifyPrivileged = on
	case SwitchUseVerifyClaim:
		p.VerifyAlways = !on
	case SwitchValidity: // above
	}
	return nil
}

// valueOf is a switch's value in a policy.
func valueOf(p Policy, s Switch) string {
	switch s {
	case SwitchVerify:
		return strconv.FormatBool(p.Enabled)
	case SwitchVerifyPrivileged:
		return strconv.FormatBool(p.VerifyPrivileged)
	case SwitchUseVerifyClaim:
		return strconv.FormatBool(!p.VerifyAlways)
	case SwitchValidity:
		return p.Validity.String()
	}
	return ""
}

// Setting is what an administrator has set.
type Setting struct {
	Switch Switch
	Value  string
	By     string // who: the name of a token, or an identity
	At     time.Time
}

// SettingChange is one step of a setting, from what was kept. A blank text is
// nothing kept: the value that the program starts with.
type SettingChange struct {
	Switch   Switch
	From, To string
	Event    audit.Event
}

// Settings keeps what administrators set. An implementer must hold to this:
// changes are made all or none, each with its event; one whose From is not what
// is kept fails them with ErrRaced. Other errors wrap problem.ErrStoreUnavailable.
type Settings interface {
	Settings(ctx context.Context) ([]Setting, error)
	ChangeSettings(ctx context.Context, changes []SettingChange, by audit.Actor, at time.Time) error
}

// What the audit trail says of settings.
const (
	SettingChanged  = "setting_changed"
	SettingReturned = "setting_returned" // to the value that the program starts with
)

// Switchboard knows the policy in force: the one that the program starts with,
// and what administrators have set since. Each replica has its own, and looks
// again every few seconds.
type Switchboard struct {
	settings Settings
	start    Policy
	now      func() time.Time
	log      *slog.Logger

	mu   sync.RWMutex
	kept map[Switch]Setting // all that is stored
	set  map[Switch]Setting // what of it is in force
	live Policy
}

// NewSwitchboard returns a switchboard on which nothing is set yet. Call
// [Switchboard.Once] at the start and every few seconds.
func NewSwitchboard(settings Settings, start Policy, now func() time.Time, log *slog.Logger) *Switchboard {
	return &Switchboard{settings: settings, start: start, live: start, now: now, log: log}
}

// Policy returns the policy in force.
func (b *Switchboard) Policy() Policy {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.live
}

// Once looks at what is kept. If the store does not answer, what is in force
// stays.
func (b *Switchboard) Once(ctx context.Context) error {
	settings, err := b.settings.Settings(ctx)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	live, kept, set := b.start, map[Switch]Setting{}, map[Switch]Setting{}
	for _, s := range settings {
		kept[s.Switch] = s
		// What a newer release has set, or what no longer goes with the configuration,
		// means nothing here, and must not stop this one.
		if err := s.Switch.put(&live, s.Value); err == nil && slices.Contains(Switches(), s.Switch) {
			set[s.Switch] = s
		}
	}
	b.mu.Lock()
	before := b.live
	b.live, b.kept, b.set = live, kept, set
	b.mu.Unlock()
	for _, s := range Switches() {
		if from, to := valueOf(before, s), valueOf(live, s); from != to {
			b.log.InfoContext(ctx, "setting in force", "setting", s, "from", from, "to", to, "by", set[s].By)
		}
	}
	return nil
}

// SwitchState is a switch with its value, and where that comes from.
type SwitchState struct {
	Switch Switch
	Value  string
	Start  string // the value that the program starts with
	// Set tells who set it and when; nil while it is as it starts.
	Set *Setting
}

// States returns all switches.
func (b *Switchboard) States() []SwitchState {
	b.mu.RLock()
	defer b.mu.RUnlock()
	states := make([]SwitchState, len(Switches()))
	for i, s := range Switches() {
		states[i] = SwitchState{Switch: s, Value: valueOf(b.live, s), Start: valueOf(b.start, s)}
		if set, ok := b.set[s]; ok {
			states[i].Set = &set
		}
	}
	return states
}

// Set changes switches, all or none; a nil value returns one to what it starts
// with. They are in force here at once, and on other replicas when these look.
// Errors: ErrBadSetting.
func (b *Switchboard) Set(ctx context.Context, values map[Switch]*string, who audit.Actor) error {
	wanted, err := b.wanted(values)
	if err != nil {
		return err
	}
	return again(ctx, func() error {
		if err := b.Once(ctx); err != nil {
			return err
		}
		now := b.now()
		if changes := b.changes(wanted, who, now); len(changes) > 0 {
			if err := b.settings.ChangeSettings(ctx, changes, who, now); err != nil {
				return err
			}
		}
		return b.Once(ctx)
	})
}

// wanted checks the values and writes each in one way; blank is none.
func (b *Switchboard) wanted(values map[Switch]*string) (map[Switch]string, error) {
	wanted, scratch := map[Switch]string{}, b.start
	var faults []error
	for _, s := range slices.Sorted(maps.Keys(values)) {
		wanted[s] = ""
		if value := values[s]; value != nil {
			if err := s.put(&scratch, *value); err != nil {
				faults = append(faults, err)
			}
			wanted[s] = valueOf(scratch, s)
		}
	}
	return wanted, errors.Join(faults...)
}

// changes are the steps from what is kept to what is wanted.
func (b *Switchboard) changes(wanted map[Switch]string, who audit.Actor, now time.Time) []SettingChange {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var changes []SettingChange
	for _, s := range slices.Sorted(maps.Keys(wanted)) {
		from, to := b.kept[s].Value, wanted[s]
		if from == to {
			continue
		}
		kind, after := SettingChanged, to
		if to == "" {
			kind, after = SettingReturned, valueOf(b.start, s)
		}
		changes = append(changes, SettingChange{Switch: s, From: from, To: to, Event: audit.Event{
			Kind: kind, Actor: who, At: now, Reason: fmt.Sprintf("%s: %s -> %s", s, valueOf(b.live, s), after),
		}})
	}
	return changes
}
