package claim_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/claim/claimtest"
	"github.com/holdline/holdline/internal/problem"
)

// board is a switchboard on working settings. Its policy starts with a validity
// of five minutes, verification on and the two other switches off.
type board struct {
	*claim.Switchboard
	t        *testing.T
	settings *claimtest.Settings
	said     *strings.Builder
}

var keeper = audit.Actor{Kind: audit.Administrator, ID: "keeper", Address: home}

func newBoard(t *testing.T) *board {
	t.Helper()
	return (&board{t: t, settings: &claimtest.Settings{}}).replica()
}

// replica is another process on the same settings.
func (b *board) replica() *board {
	said := &strings.Builder{}
	start := claim.Policy{Enabled: true, VerifyAlways: true, Validity: 5 * time.Minute, Lifetime: 2 * time.Hour}
	now := func() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }
	return &board{claim.NewSwitchboard(b.settings, start, now, slog.New(slog.NewTextHandler(said, nil))), b.t, b.settings, said}
}

func (b *board) set(values map[claim.Switch]*string, want error) {
	b.t.Helper()
	wantErr(b.t, b.Set(b.t.Context(), values, keeper), want)
}

// look reads what is kept, as a replica does every few seconds.
func (b *board) look(want error) {
	b.t.Helper()
	wantErr(b.t, b.Once(b.t.Context()), want)
}

// wantValues compares all switches, in the order of claim.Switches, with a star
// behind those that somebody has set.
func (b *board) wantValues(want ...string) {
	b.t.Helper()
	var got []string
	for _, state := range b.States() {
		value := state.Value
		if state.Set != nil {
			value += "*"
		}
		got = append(got, value)
	}
	if !slices.Equal(got, want) {
		b.t.Errorf("got %v, want %v", got, want)
	}
}

// reasons are what the audit trail says of the changes.
func (b *board) reasons() []string {
	var reasons []string
	for _, e := range b.settings.Events() {
		reasons = append(reasons, e.Kind+" "+e.Actor.ID+" "+e.Reason)
	}
	return reasons
}

func one(s claim.Switch, value string) map[claim.Switch]*string {
	return map[claim.Switch]*string{s: &value}
}

func TestASwitchThatIsSetIsInForceEverywhere(t *testing.T) {
	b := newBoard(t)
	other := b.replica()
	b.wantValues("true", "false", "5m0s", "false")
	b.set(one(claim.SwitchVerify, "false"), nil)
	if b.Policy().Enabled {
		t.Error("the switch is not in force where it was set")
	}
	if !other.Policy().Enabled {
		t.Error("another replica cannot know yet")
	}
	other.look(nil)
	if other.Policy().Enabled {
		t.Error("the switch is not in force where it was looked up")
	}
	other.wantValues("false*", "false", "5m0s", "false")
	if got := other.said.String(); !strings.Contains(got, "by=keeper") || !strings.Contains(got, string(claim.SwitchVerify)) {
		t.Errorf("said %q", got)
	}
	b.set(map[claim.Switch]*string{claim.SwitchVerify: nil}, nil)
	b.wantValues("true", "false", "5m0s", "false")
	other.look(nil)
	other.wantValues("true", "false", "5m0s", "false")
	want := []string{
		"setting_changed keeper " + string(claim.SwitchVerify) + ": true -> false",
		"setting_returned keeper " + string(claim.SwitchVerify) + ": false -> true",
	}
	if got := b.reasons(); !slices.Equal(got, want) {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

func TestASwitchChangesItsPartOfThePolicy(t *testing.T) {
	for s, part := range map[claim.Switch]func(claim.Policy) bool{
		claim.SwitchVerify:           func(p claim.Policy) bool { return p.Enabled },
		claim.SwitchVerifyPrivileged: func(p claim.Policy) bool { return p.VerifyPrivileged },
		claim.SwitchUseVerifyClaim:   func(p claim.Policy) bool { return !p.VerifyAlways },
	} {
		for value, want := range map[string]bool{"true": true, " FALSE ": false, "1": true, "0": false} {
			b := newBoard(t)
			b.set(one(s, value), nil)
			if got := part(b.Policy()); got != want {
				t.Errorf("%s %q: got %t", s, value, got)
			}
		}
	}
}

func TestAValidityIsWrittenAsPeopleDo(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10": 10 * time.Minute, "10m": 10 * time.Minute, " 90s ": 90 * time.Second, "1s": time.Second,
		"120": 2 * time.Hour, "2h": 2 * time.Hour, "1m30s": 90 * time.Second,
		// A code must not outlive its claim, which here lives two hours.
		"121": 0, "2h1s": 0, "24h": 0,
		"0": 0, "-5": 0, "999ms": 0, "25h": 0, "": 0, "soon": 0, "5 m": 0, "99999999999999999999": 0, "inf": 0,
	} {
		b, failed := newBoard(t), error(nil)
		if want == 0 {
			failed = claim.ErrBadSetting
			want = 5 * time.Minute
		}
		b.set(one(claim.SwitchValidity, text), failed)
		if got := b.Policy().Validity; got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestSwitchesAreSetAllOrNone(t *testing.T) {
	yes, bad := "true", "maybe"
	for name, values := range map[string]map[claim.Switch]*string{
		"one value is bad":      {claim.SwitchVerifyPrivileged: &yes, claim.SwitchValidity: &bad},
		"one switch is unknown": {claim.SwitchVerifyPrivileged: &yes, "password": &bad},
		"a word is no flag":     {claim.SwitchVerifyPrivileged: &yes, claim.SwitchVerify: &bad},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBoard(t)
			b.set(values, claim.ErrBadSetting)
			b.wantValues("true", "false", "5m0s", "false")
			if got := b.reasons(); got != nil {
				t.Errorf("wrote %q", got)
			}
		})
	}
	b := newBoard(t)
	minutes := "7"
	b.set(map[claim.Switch]*string{claim.SwitchVerifyPrivileged: &yes, claim.SwitchValidity: &minutes}, nil)
	b.wantValues("true", "true*", "7m0s*", "false")
	b.set(map[claim.Switch]*string{claim.SwitchVerifyPrivileged: nil, claim.SwitchVerify: &yes}, nil)
	b.wantValues("true*", "false", "7m0s*", "false")
}

func TestEveryFaultOfSettingsIsNamed(t *testing.T) {
	b, bad := newBoard(t), "maybe"
	err := b.Set(t.Context(), map[claim.Switch]*string{claim.SwitchVerify: &bad, claim.SwitchValidity: &bad}, keeper)
	for _, s := range []claim.Switch{claim.SwitchVerify, claim.SwitchValidity} {
		if err == nil || !strings.Contains(err.Error(), string(s)) {
			t.Errorf("got %v, which does not name %s", err, s)
		}
	}
	if setting := (*claim.SettingError)(nil); !errors.As(err, &setting) {
		t.Errorf("got %v", err)
	}
}

func TestSwitchesHaveShortNames(t *testing.T) {
	for name, want := range map[string]claim.Switch{
		string(claim.SwitchValidity):                      claim.SwitchValidity,
		"verification_sms_otp_validity":                   claim.SwitchValidity,
		"verification-sms-otp-validity":                   claim.SwitchValidity,
		"enable_verification":                             claim.SwitchVerify,
		"enable-verification-by-privileged-user":          claim.SwitchVerifyPrivileged,
		"use_verify_claim":                                claim.SwitchUseVerifyClaim,
		"identity-mgt.user-claim-update.use-verify-claim": claim.SwitchUseVerifyClaim,
		"":                    "",
		"verification":        "",
		"Enable_Verification": "",
		"identity_mgt.user_claim_update.mobile.enable_verification.something": "",
	} {
		got, err := claim.ParseSwitch(name)
		if got != want || (want == "") != errors.Is(err, claim.ErrBadSetting) {
			t.Errorf("%q: got %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestWhatIsSetAgainWritesNothing(t *testing.T) {
	b := newBoard(t)
	for _, minutes := range []string{"10", "10m", "600s"} {
		b.set(one(claim.SwitchValidity, minutes), nil)
	}
	b.set(map[claim.Switch]*string{claim.SwitchVerify: nil}, nil)
	b.set(nil, nil)
	if got := b.reasons(); len(got) != 1 {
		t.Errorf("wrote %q", got)
	}
}

// put keeps a setting behind the switchboard's back.
func (b *board) put(s claim.Switch, value string) {
	b.t.Helper()
	err := b.settings.ChangeSettings(b.t.Context(), []claim.SettingChange{{Switch: s, To: value}}, keeper, time.Time{})
	wantErr(b.t, err, nil)
}

func TestWhatANewerReleaseHasSetIsIgnored(t *testing.T) {
	b := newBoard(t)
	b.put("identity_mgt.user_claim_update.email.enable_verification", "true")
	b.put(claim.SwitchVerify, "only on Sundays")
	b.put(claim.SwitchVerifyPrivileged, "true")
	b.look(nil)
	b.wantValues("true", "true*", "5m0s", "false")
	b.set(one(claim.SwitchUseVerifyClaim, "true"), nil)
	b.wantValues("true", "true*", "5m0s", "true*")
	kept, err := b.settings.Settings(t.Context())
	if err != nil || len(kept) != 4 {
		t.Errorf("got %v, %v", kept, err)
	}
}

func TestAValueThatNoLongerGoesWithTheConfigurationCanBeReplaced(t *testing.T) {
	for name, value := range map[string]*string{"by another": new(string), "by what it starts with": nil} {
		t.Run(name, func(t *testing.T) {
			b := newBoard(t)
			b.put(claim.SwitchValidity, "20h0m0s") // claims lived longer then
			b.look(nil)
			b.wantValues("true", "false", "5m0s", "false")
			want := "5m0s"
			if value != nil {
				*value, want = "6", "6m0s*"
			}
			b.set(map[claim.Switch]*string{claim.SwitchValidity: value}, nil)
			b.wantValues("true", "false", want, "false")
		})
	}
}

func TestWhileTheStoreIsAwayWhatIsInForceStays(t *testing.T) {
	b := newBoard(t)
	b.set(one(claim.SwitchVerify, "false"), nil)
	b.settings.Fail(problem.ErrStoreUnavailable)
	b.look(problem.ErrStoreUnavailable)
	b.set(one(claim.SwitchVerify, "true"), problem.ErrStoreUnavailable)
	b.wantValues("false*", "false", "5m0s", "false")
	if b.Policy().Enabled {
		t.Error("the switch fell back")
	}
	b.settings.Fail(nil)
	b.look(nil)
	b.wantValues("false*", "false", "5m0s", "false")
}

func TestTwoWhoSetAtOnceAreBothHeard(t *testing.T) {
	b := newBoard(t)
	other := b.replica()
	b.set(one(claim.SwitchValidity, "6"), nil)
	other.set(one(claim.SwitchValidity, "7"), nil) // it had not looked since
	b.look(nil)
	b.wantValues("true", "false", "7m0s*", "false")
	want := []string{
		"setting_changed keeper " + string(claim.SwitchValidity) + ": 5m0s -> 6m0s",
		"setting_changed keeper " + string(claim.SwitchValidity) + ": 6m0s -> 7m0s",
	}
	if got := b.reasons(); !slices.Equal(got, want) {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

// What is set while the program runs must not get around what is refused at its
// start, also where an earlier release, or longer codes, allowed it.
func TestFewCodesStayShortLived(t *testing.T) {
	settings, log := &claimtest.Settings{}, slog.New(slog.DiscardHandler)
	start := claim.Policy{Validity: 5 * time.Minute, Lifetime: 24 * time.Hour, Possible: 1_000_000}
	long := claim.NewSwitchboard(settings, start, time.Now, log)
	wantErr(t, long.Set(t.Context(), one(claim.SwitchValidity, "24h"), keeper), nil)
	start.Possible--
	short := claim.NewSwitchboard(settings, start, time.Now, log)
	wantErr(t, short.Once(t.Context()), nil)
	if got := short.Policy().Validity; got != 5*time.Minute {
		t.Errorf("codes that are few are good for %s, as was set for many", got)
	}
	wantErr(t, short.Set(t.Context(), one(claim.SwitchValidity, "10m1s"), keeper), claim.ErrBadSetting)
	wantErr(t, short.Set(t.Context(), one(claim.SwitchValidity, "10"), keeper), nil)
	if got := short.Policy().Validity; got != 10*time.Minute {
		t.Errorf("got %s", got)
	}
}
