package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/settings"
)

// TrailedSettings are settings together with the audit trail that they write.
type TrailedSettings struct {
	settings.Store
	// Trail returns the lines that the settings wrote, oldest first.
	Trail func() []audit.Event
}

// TestSettings holds a store of settings to what the comments of settings.Store
// promise. Each call of newSettings returns an empty one.
func TestSettings(t *testing.T, newSettings func(*testing.T) TrailedSettings) {
	t.Helper()
	for name, test := range map[string]func(*settingsSuite){
		"a setting reads back as it was made":    settingsReadBack,
		"changes are made all or none":           settingsTogether,
		"a change that comes late fails":         settingsLate,
		"of many changes at once one wins":       settingsRace,
		"of many who return a setting one does":  settingsReturnRace,
		"of crossing changes one wins, in whole": settingsCross,
	} {
		t.Run(name, func(t *testing.T) { test(&settingsSuite{fixture{T: t}, newSettings(t)}) })
	}
}

// settings is a test's empty store of settings and its short words for it.
type settingsSuite struct {
	fixture
	store TrailedSettings
}

const (
	validity = settings.Validity
	verify   = settings.Verify
)

var keeper = audit.Actor{Kind: audit.Administrator, ID: "keeper", ClientIP: home}

// step is a change with its event.
func step(s settings.Key, from, to string) settings.Change {
	return settings.Change{Key: s, From: from, To: to, Event: audit.Event{
		Kind: settings.Changed, Actor: keeper, Reason: string(s) + ": " + from + " -> " + to, At: noon,
	}}
}

func (f *settingsSuite) change(at time.Time, want error, changes ...settings.Change) {
	f.Helper()
	f.want(f.store.ChangeSettings(f.Context(), changes, keeper, at), want)
}

func (f *settingsSuite) kept(want ...settings.Setting) {
	f.Helper()
	got, err := f.store.Settings(f.Context())
	f.want(err, nil)
	f.same(append([]settings.Setting{}, got...), append([]settings.Setting{}, want...))
}

// trail wants the lines of these changes, in order.
func (f *settingsSuite) trail(changes ...settings.Change) {
	f.Helper()
	want := []audit.Event{}
	for _, change := range changes {
		want = append(want, change.Event)
	}
	f.same(append([]audit.Event{}, f.store.Trail()...), want)
}

func set(s settings.Key, value string, at time.Time) settings.Setting {
	return settings.Setting{Key: s, Value: value, By: keeper.ID, At: at}
}

func settingsReadBack(f *settingsSuite) {
	f.kept()
	f.change(noon, nil, step(validity, "", "5m0s"))
	f.kept(set(validity, "5m0s", noon))
	f.change(noon.Add(time.Second), nil, step(validity, "5m0s", "6m0s"))
	f.kept(set(validity, "6m0s", noon.Add(time.Second)))
	f.change(noon, nil, step("of a newer release", "", "blue"))
	f.kept(set(validity, "6m0s", noon.Add(time.Second)), set("of a newer release", "blue", noon))
	f.change(noon, nil, step(validity, "6m0s", ""))
	f.kept(set("of a newer release", "blue", noon))
	f.change(noon, nil)
	f.trail(step(validity, "", "5m0s"), step(validity, "5m0s", "6m0s"),
		step("of a newer release", "", "blue"), step(validity, "6m0s", ""))
}

func settingsTogether(f *settingsSuite) {
	f.change(noon, nil, step(validity, "", "5m0s"), step(verify, "", "true"))
	f.change(noon, claim.ErrConcurrentUpdate, step(validity, "5m0s", "6m0s"), step(verify, "false", "true"))
	f.change(noon, claim.ErrConcurrentUpdate, step(verify, "true", ""), step(validity, "", "6m0s"))
	f.kept(set(verify, "true", noon), set(validity, "5m0s", noon))
	f.trail(step(validity, "", "5m0s"), step(verify, "", "true"))
}

func settingsLate(f *settingsSuite) {
	f.change(noon, claim.ErrConcurrentUpdate, step(validity, "5m0s", "6m0s"))
	f.change(noon, claim.ErrConcurrentUpdate, step(validity, "5m0s", ""))
	f.change(noon, nil, step(validity, "", "5m0s"))
	f.change(noon, claim.ErrConcurrentUpdate, step(validity, "", "6m0s"))
	f.change(noon, claim.ErrConcurrentUpdate, step(validity, "5M0S", "6m0s"))
	f.change(noon, claim.ErrConcurrentUpdate, step(validity, "6m0s", ""))
	f.kept(set(validity, "5m0s", noon))
	f.trail(step(validity, "", "5m0s"))
}

// race makes one of eight changes at once, and counts the lines that they write.
func (f *settingsSuite) race(change func(i int) []settings.Change) {
	f.Helper()
	before := len(f.store.Trail())
	f.wantWinners(together(f.Context(), 8, func(ctx context.Context, i int) error {
		return f.store.ChangeSettings(ctx, change(i), keeper, noon)
	}), 1, claim.ErrConcurrentUpdate)
	f.same(len(f.store.Trail())-before, len(change(0)))
}

func settingsRace(f *settingsSuite) {
	f.race(func(i int) []settings.Change { return []settings.Change{step(validity, "", name("new", i))} })
	kept, err := f.store.Settings(f.Context())
	f.want(err, nil)
	f.race(func(i int) []settings.Change {
		return []settings.Change{step(validity, kept[0].Value, name("newer", i))}
	})
}

func settingsReturnRace(f *settingsSuite) {
	f.change(noon, nil, step(validity, "", "5m0s"))
	f.race(func(int) []settings.Change { return []settings.Change{step(validity, "5m0s", "")} })
	f.kept()
}

// settingsCross lets changes meet in both orders, where they could lock each
// other out.
func settingsCross(f *settingsSuite) {
	f.change(noon, nil, step(validity, "", "0s"), step(verify, "", "0s"))
	f.race(func(i int) []settings.Change {
		a, b := step(validity, "0s", name("by", i)), step(verify, "0s", name("by", i))
		if i%2 == 0 {
			a, b = b, a
		}
		return []settings.Change{a, b}
	})
	kept, err := f.store.Settings(f.Context())
	f.want(err, nil)
	f.same(len(kept), 2)
	f.same(kept[0].Value, kept[1].Value)
}
