package settings_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/settings"
	"github.com/holdline/holdline/internal/storetest"
)

// board is a switchboard on working settings. Its policy starts with a validity
// of five minutes, verification on and the two other switches off.
type board struct {
	*settings.Service
	t        *testing.T
	settings *storetest.Settings
	said     *strings.Builder
	start    claim.Policy
}

var keeper = audit.Actor{Kind: audit.Administrator, ID: "keeper", ClientIP: home}

func newBoard(t *testing.T) *board {
	t.Helper()
	start := claim.Policy{Enabled: true, VerifyAlways: true, Validity: 5 * time.Minute, Lifetime: 2 * time.Hour}
	return (&board{t: t, settings: &storetest.Settings{}, start: start}).replica()
}

// replica is another process on the same settings.
func (b *board) replica() *board {
	said := &strings.Builder{}
	now := func() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }
	return &board{settings.New(b.settings, b.start, now, slog.New(slog.NewTextHandler(said, nil))), b.t, b.settings, said, b.start}
}

func (b *board) set(values map[settings.Key]*string, want error) {
	b.t.Helper()
	wantErr(b.t, b.Set(b.t.Context(), values, keeper), want)
}

// look reads what is kept, as a replica does every few seconds.
func (b *board) look(want error) {
	b.t.Helper()
	wantErr(b.t, b.Once(b.t.Context()), want)
}

// wantValues compares the settings, in the order of settings.Keys and as many as are given, with a
// star behind those that somebody has set.
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
	if got = got[:len(want)]; !slices.Equal(got, want) {
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

func one(s settings.Key, value string) map[settings.Key]*string {
	return map[settings.Key]*string{s: &value}
}

func TestASwitchThatIsSetIsInForceEverywhere(t *testing.T) {
	b := newBoard(t)
	other := b.replica()
	b.wantValues("true", "false", "5m0s", "false")
	b.set(one(settings.Verify, "false"), nil)
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
	if got := other.said.String(); !strings.Contains(got, "by=keeper") || !strings.Contains(got, string(settings.Verify)) {
		t.Errorf("said %q", got)
	}
	b.set(map[settings.Key]*string{settings.Verify: nil}, nil)
	b.wantValues("true", "false", "5m0s", "false")
	other.look(nil)
	other.wantValues("true", "false", "5m0s", "false")
	want := []string{
		"setting_changed keeper " + string(settings.Verify) + ": true -> false",
		"setting_returned keeper " + string(settings.Verify) + ": false -> true",
	}
	if got := b.reasons(); !slices.Equal(got, want) {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

func TestASwitchChangesItsPartOfThePolicy(t *testing.T) {
	for s, part := range map[settings.Key]func(claim.Policy) bool{
		settings.Verify:           func(p claim.Policy) bool { return p.Enabled },
		settings.VerifyPrivileged: func(p claim.Policy) bool { return p.VerifyPrivileged },
		settings.UseVerifyClaim:   func(p claim.Policy) bool { return !p.VerifyAlways },
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
			failed = settings.ErrBadSetting
			want = 5 * time.Minute
		}
		b.set(one(settings.Validity, text), failed)
		if got := b.Policy().Validity; got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestSwitchesAreSetAllOrNone(t *testing.T) {
	yes, bad := "true", "maybe"
	for name, values := range map[string]map[settings.Key]*string{
		"one value is bad":      {settings.VerifyPrivileged: &yes, settings.Validity: &bad},
		"one switch is unknown": {settings.VerifyPrivileged: &yes, "password": &bad},
		"a word is no flag":     {settings.VerifyPrivileged: &yes, settings.Verify: &bad},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBoard(t)
			b.set(values, settings.ErrBadSetting)
			b.wantValues("true", "false", "5m0s", "false")
			if got := b.reasons(); got != nil {
				t.Errorf("wrote %q", got)
			}
		})
	}
	b := newBoard(t)
	minutes := "7"
	b.set(map[settings.Key]*string{settings.VerifyPrivileged: &yes, settings.Validity: &minutes}, nil)
	b.wantValues("true", "true*", "7m0s*", "false")
	b.set(map[settings.Key]*string{settings.VerifyPrivileged: nil, settings.Verify: &yes}, nil)
	b.wantValues("true*", "false", "7m0s*", "false")
}

func TestEveryFaultOfSettingsIsNamed(t *testing.T) {
	b, bad := newBoard(t), "maybe"
	err := b.Set(t.Context(), map[settings.Key]*string{settings.Verify: &bad, settings.Validity: &bad}, keeper)
	for _, s := range []settings.Key{settings.Verify, settings.Validity} {
		if err == nil || !strings.Contains(err.Error(), string(s)) {
			t.Errorf("got %v, which does not name %s", err, s)
		}
	}
	if setting := (*settings.Error)(nil); !errors.As(err, &setting) {
		t.Errorf("got %v", err)
	}
}

func TestSwitchesHaveShortNames(t *testing.T) {
	for name, want := range map[string]settings.Key{
		string(settings.Validity):                         settings.Validity,
		"verification_sms_otp_validity":                   settings.Validity,
		"verification-sms-otp-validity":                   settings.Validity,
		"enable_verification":                             settings.Verify,
		"enable-verification-by-privileged-user":          settings.VerifyPrivileged,
		"use_verify_claim":                                settings.UseVerifyClaim,
		"identity-mgt.user-claim-update.use-verify-claim": settings.UseVerifyClaim,
		"":                    "",
		"verification":        "",
		"Enable_Verification": "",
		"identity_mgt.user_claim_update.mobile.enable_verification.something": "",
	} {
		got, err := settings.ParseKey(name)
		if got != want || (want == "") != errors.Is(err, settings.ErrBadSetting) {
			t.Errorf("%q: got %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestWhatIsSetAgainWritesNothing(t *testing.T) {
	b := newBoard(t)
	for _, minutes := range []string{"10", "10m", "600s"} {
		b.set(one(settings.Validity, minutes), nil)
	}
	b.set(map[settings.Key]*string{settings.Verify: nil}, nil)
	b.set(nil, nil)
	if got := b.reasons(); len(got) != 1 {
		t.Errorf("wrote %q", got)
	}
}

// put keeps a setting behind the switchboard's back.
func (b *board) put(s settings.Key, value string) {
	b.t.Helper()
	err := b.settings.ChangeSettings(b.t.Context(), []settings.Change{{Key: s, To: value}}, keeper, time.Time{})
	wantErr(b.t, err, nil)
}

func TestWhatANewerReleaseHasSetIsIgnored(t *testing.T) {
	b := newBoard(t)
	b.put("identity_mgt.user_claim_update.email.enable_verification", "true")
	b.put(settings.Verify, "only on Sundays")
	b.put(settings.VerifyPrivileged, "true")
	b.look(nil)
	b.wantValues("true", "true*", "5m0s", "false")
	b.set(one(settings.UseVerifyClaim, "true"), nil)
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
			b.put(settings.Validity, "20h0m0s") // claims lived longer then
			b.look(nil)
			b.wantValues("true", "false", "5m0s", "false")
			want := "5m0s"
			if value != nil {
				*value, want = "6", "6m0s*"
			}
			b.set(map[settings.Key]*string{settings.Validity: value}, nil)
			b.wantValues("true", "false", want, "false")
		})
	}
}

func TestWhileTheStoreIsAwayWhatIsInForceStays(t *testing.T) {
	b := newBoard(t)
	b.set(one(settings.Verify, "false"), nil)
	b.settings.Fail(problem.ErrStoreUnavailable)
	b.look(problem.ErrStoreUnavailable)
	b.set(one(settings.Verify, "true"), problem.ErrStoreUnavailable)
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
	b.set(one(settings.Validity, "6"), nil)
	other.set(one(settings.Validity, "7"), nil) // it had not looked since
	b.look(nil)
	b.wantValues("true", "false", "7m0s*", "false")
	want := []string{
		"setting_changed keeper " + string(settings.Validity) + ": 5m0s -> 6m0s",
		"setting_changed keeper " + string(settings.Validity) + ": 6m0s -> 7m0s",
	}
	if got := b.reasons(); !slices.Equal(got, want) {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

// What is set while the program runs must not get around what is refused at its
// start, also where an earlier release, or longer codes, allowed it.
func TestFewCodesStayShortLived(t *testing.T) {
	all, log := &storetest.Settings{}, slog.New(slog.DiscardHandler)
	start := claim.Policy{Validity: 5 * time.Minute, Lifetime: 24 * time.Hour, Possible: 1_000_000}
	long := settings.New(all, start, time.Now, log)
	wantErr(t, long.Set(t.Context(), one(settings.Validity, "24h"), keeper), nil)
	start.Possible--
	short := settings.New(all, start, time.Now, log)
	wantErr(t, short.Once(t.Context()), nil)
	if got := short.Policy().Validity; got != 5*time.Minute {
		t.Errorf("codes that are few are good for %s, as was set for many", got)
	}
	wantErr(t, short.Set(t.Context(), one(settings.Validity, "10m1s"), keeper), settings.ErrBadSetting)
	wantErr(t, short.Set(t.Context(), one(settings.Validity, "10"), keeper), nil)
	if got := short.Policy().Validity; got != 10*time.Minute {
		t.Errorf("got %s", got)
	}
}
