package settings

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
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
)

// Key is a part of the policy that administrators may change while the
// program runs. It is named as in the configuration, which says how it starts.
type Key string

// The settings.
const (
	Verify           Key = "identity_mgt.user_claim_update.mobile.enable_verification"
	VerifyPrivileged Key = "identity_mgt.user_claim_update.mobile.enable_verification_by_privileged_user"
	Validity         Key = otp.ValiditySetting
	UseVerifyClaim   Key = "identity_mgt.user_claim_update.use_verify_claim"
	AllowedCodes     Key = "mobile.allowed_calling_codes"
	DeniedCodes      Key = "mobile.denied_calling_codes"
)

// How lists of calling codes say that they are empty: [AllowedCodes] then allows all.
const (
	AllCodes = "all"
	NoCodes  = "none"
)

// Keys lists all settings.
func Keys() []Key {
	return []Key{Verify, VerifyPrivileged, Validity, UseVerifyClaim, AllowedCodes, DeniedCodes}
}

// ParseKey reads a setting's name, or only the end of it, as in
// enable_verification; dashes are as good as underscores, as in flags.
func ParseKey(name string) (Key, error) {
	name = strings.ReplaceAll(name, "-", "_")
	for _, s := range Keys() {
		if full := string(s); name == full || name != "" && strings.HasSuffix(full, "."+name) {
			return s, nil
		}
	}
	return "", &Error{Why: "there is no such setting"}
}

// MaxValidity is how long a code may be good at most.
const MaxValidity = 24 * time.Hour

// Error is [ErrBadSetting] with its reason, which may be shown.
type Error struct {
	Key Key // blank if there is none
	Why string
}

func (e *Error) Error() string {
	if e.Key == "" {
		return e.Why
	}
	return string(e.Key) + ": " + e.Why
}

// Unwrap returns ErrBadSetting.
func (e *Error) Unwrap() error { return ErrBadSetting }

// put changes a policy; the value is as valueOf writes it, or as people
// do: a bare number of a duration means minutes.
func (s Key) put(p *claim.Policy, text string) error {
	text = strings.TrimSpace(text)
	if s.IsList() {
		return s.putCodes(&p.Coverage, text)
	}
	if s == Validity {
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			text += "m"
		}
		validity, err := time.ParseDuration(text)
		switch {
		case err != nil:
			return &Error{s, "must be a duration, such as 5m, or a number of minutes"}
		case validity < time.Second || validity > MaxValidity:
			return &Error{s, "must be from 1s to 24h"}
		case p.Possible > 0 && p.Possible < otp.EnoughCodes && validity > otp.FewCodesValidity:
			return &Error{s, fmt.Sprintf("must not be longer than %s while otp.length makes fewer than %d codes", otp.FewCodesValidity, otp.EnoughCodes)}
		case validity > p.Lifetime:
			return &Error{s, fmt.Sprintf("must not be longer than a claim lives, which is %s", p.Lifetime)}
		}
		p.Validity = validity
		return nil
	}
	on, err := strconv.ParseBool(strings.ToLower(text))
	if err != nil {
		return &Error{s, "must be true or false"}
	}
	switch s {
	case Verify:
		p.Enabled = on
	case VerifyPrivileged:
		p.VerifyPrivileged = on
	case UseVerifyClaim:
		p.VerifyAlways = !on
	case Validity, AllowedCodes, DeniedCodes: // above
	}
	return nil
}

// IsList reports whether a setting's value is a list, which is written with commas.
func (s Key) IsList() bool { return s == AllowedCodes || s == DeniedCodes }

// none is how a list of codes says that it is empty.
func (s Key) none() string {
	if s == AllowedCodes {
		return AllCodes
	}
	return NoCodes
}

// longestList is what a store keeps of a value.
const longestList = 1000

func (s Key) putCodes(c *phone.Restrictions, text string) error {
	if strings.EqualFold(text, s.none()) {
		text = ""
	}
	codes, err := phone.ParseBeginnings(text)
	wants := "must be calling codes, or longer beginnings of numbers, as in 49, 1876, or " + s.none()
	switch {
	case err != nil:
		return &Error{s, wants + ": " + strings.ReplaceAll(err.Error(), "\n", ", ")}
	case len(codes) == 0 && text != "": // commas alone are a slip, and would lift what is restricted
		return &Error{s, wants}
	case len(codes) > 0 && c.Raw:
		return &Error{s, "needs mobile.format e164: raw numbers have no calling code"}
	case len(strings.Join(codes, ",")) > longestList:
		return &Error{s, fmt.Sprintf("must not be longer than %d characters", longestList)}
	}
	if s == AllowedCodes {
		c.Allowed = codes
	} else {
		c.Denied = codes
	}
	return nil
}

// codesValue writes a list of codes as it is kept.
func (s Key) codesValue(codes []string) string {
	if len(codes) == 0 {
		return s.none()
	}
	return strings.Join(slices.Sorted(slices.Values(codes)), ",")
}

// Codes reads the value of a list.
func (s Key) Codes(value string) []string {
	if value == s.none() {
		return []string{}
	}
	return strings.Split(value, ",")
}

// valueOf is a setting's value in a policy.
func valueOf(p claim.Policy, s Key) string {
	switch s {
	case Verify:
		return strconv.FormatBool(p.Enabled)
	case VerifyPrivileged:
		return strconv.FormatBool(p.VerifyPrivileged)
	case UseVerifyClaim:
		return strconv.FormatBool(!p.VerifyAlways)
	case Validity:
		return p.Validity.String()
	case AllowedCodes:
		return s.codesValue(p.Coverage.Allowed)
	case DeniedCodes:
		return s.codesValue(p.Coverage.Denied)
	}
	return ""
}

// Setting is what an administrator has set.
type Setting struct {
	Key   Key
	Value string
	By    string // who: the name of a token, or an identity
	At    time.Time
}

// Change is one step of a setting, from what was kept. A blank text is
// nothing kept: the value that the program starts with.
type Change struct {
	Key      Key
	From, To string
	Event    audit.Event
}

// Store keeps what administrators set. An implementer must hold to this:
// changes are made all or none, each with its event; one whose From is not what
// is kept fails them with ErrConcurrentUpdate. Other errors wrap problem.ErrStoreUnavailable.
type Store interface {
	Settings(ctx context.Context) ([]Setting, error)
	ChangeSettings(ctx context.Context, changes []Change, by audit.Actor, at time.Time) error
}

// What the audit trail says of settings.
const (
	Changed  = "setting_changed"
	Returned = "setting_returned" // to the value that the program starts with
)

// Step is what a line of the audit trail says of a setting: its values before and after.
type Step struct {
	Key           Key
	Before, After string
}

func (s Step) String() string { return fmt.Sprintf("%s: %s -> %s", s.Key, s.Before, s.After) }

// ParseStep reads the reason of a [Changed] or [Returned] line; not ok for a setting that is none
// today.
func ParseStep(reason string) (step Step, ok bool) {
	name, values, found := strings.Cut(reason, ": ")
	before, after, both := strings.Cut(values, " -> ")
	step = Step{Key(name), before, after}
	return step, found && both && slices.Contains(Keys(), step.Key)
}

// Service knows the policy in force: the one that the program starts with,
// and what administrators have set since. Each replica has its own, and looks
// again every few seconds.
type Service struct {
	settings Store
	start    claim.Policy
	now      func() time.Time
	log      *slog.Logger

	mu   sync.RWMutex
	kept map[Key]Setting // all that is stored
	set  map[Key]Setting // what of it is in force
	live claim.Policy
}

// New returns a service on which nothing is set yet. Call
// [Service.Once] at the start and every few seconds.
func New(settings Store, start claim.Policy, now func() time.Time, log *slog.Logger) *Service {
	return &Service{settings: settings, start: start, live: start, now: now, log: log}
}

// Policy returns the policy in force.
func (b *Service) Policy() claim.Policy {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.live
}

// Once looks at what is kept. If the store does not answer, what is in force
// stays.
func (b *Service) Once(ctx context.Context) error {
	settings, err := b.settings.Settings(ctx)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	live, kept, set := b.start, map[Key]Setting{}, map[Key]Setting{}
	for _, s := range settings {
		kept[s.Key] = s
		// What a newer release has set, or what no longer goes with the configuration,
		// means nothing here, and must not stop this one.
		if err := s.Key.put(&live, s.Value); err == nil && slices.Contains(Keys(), s.Key) {
			set[s.Key] = s
		}
	}
	b.mu.Lock()
	before := b.live
	b.live, b.kept, b.set = live, kept, set
	b.mu.Unlock()
	for _, s := range Keys() {
		if from, to := valueOf(before, s), valueOf(live, s); from != to {
			b.log.InfoContext(ctx, "setting in force", "setting", s, "from", from, "to", to, "by", set[s].By)
		}
	}
	return nil
}

// State is a setting with its value, and where that comes from.
type State struct {
	Key   Key
	Value string
	Start string // the value that the program starts with
	// Set tells who set it and when; nil while it is as it starts.
	Set *Setting
}

// States returns all settings.
func (b *Service) States() []State {
	b.mu.RLock()
	defer b.mu.RUnlock()
	states := make([]State, len(Keys()))
	for i, s := range Keys() {
		states[i] = State{Key: s, Value: valueOf(b.live, s), Start: valueOf(b.start, s)}
		if set, ok := b.set[s]; ok {
			states[i].Set = &set
		}
	}
	return states
}

// With returns the policy as values would make it, without setting any. Errors: ErrBadSetting.
func (b *Service) With(values map[Key]*string) (claim.Policy, error) {
	if _, err := b.wanted(values); err != nil {
		return claim.Policy{}, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	p := b.start
	for _, s := range Keys() {
		value, named := values[s]
		if set, kept := b.set[s]; kept && !named {
			value = &set.Value
		}
		if value != nil {
			if err := s.put(&p, *value); err != nil {
				return claim.Policy{}, err
			}
		}
	}
	return p, nil
}

// Set changes settings, all or none; a nil value returns one to what it starts
// with. They are in force here at once, and on other replicas when these look.
// Errors: ErrBadSetting.
func (b *Service) Set(ctx context.Context, values map[Key]*string, who audit.Actor) error {
	wanted, err := b.wanted(values)
	if err != nil {
		return err
	}
	return claim.RetryConcurrent(ctx, func() error {
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
func (b *Service) wanted(values map[Key]*string) (map[Key]string, error) {
	wanted, scratch := map[Key]string{}, b.start
	var faults []error
	for _, s := range slices.Sorted(maps.Keys(values)) {
		wanted[s] = ""
		if value := values[s]; value != nil {
			err := s.put(&scratch, *value)
			if err == nil && s == AllowedCodes {
				if c := scratch.Coverage.Contradiction(); c != nil {
					err = &Error{s, "must not contradict what is denied: " + strings.ReplaceAll(c.Error(), "\n", ", ")}
				}
			}
			if err != nil {
				faults = append(faults, err)
			}
			wanted[s] = valueOf(scratch, s)
		}
	}
	return wanted, errors.Join(faults...)
}

// changes are the steps from what is kept to what is wanted.
func (b *Service) changes(wanted map[Key]string, who audit.Actor, now time.Time) []Change {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var changes []Change
	for _, s := range slices.Sorted(maps.Keys(wanted)) {
		from, to := b.kept[s].Value, wanted[s]
		if from == to {
			continue
		}
		kind, after := Changed, to
		if to == "" {
			kind, after = Returned, valueOf(b.start, s)
		}
		changes = append(changes, Change{Key: s, From: from, To: to, Event: audit.Event{
			Kind: kind, Actor: who, At: now, Reason: Step{s, valueOf(b.live, s), after}.String(),
		}})
	}
	return changes
}
