package settings_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/settings"
)

func TestCountriesAreAllowedAndDeniedWhileTheProgramRuns(t *testing.T) {
	b := newBoard(t)
	other := b.replica()
	austrian, jamaican := phone.FromStore("+436641234567"), phone.FromStore("+18765550123")
	served := func(r *board, number phone.Number, want bool) {
		t.Helper()
		if err := r.Policy().Coverage.Check(number); (err == nil) != want {
			t.Errorf("%s: %v, want served %t", number, err, want)
		}
	}
	served(b, austrian, true)
	b.set(one(settings.AllowedCodes, " +49, 1;49 "), nil)
	served(b, austrian, false)
	served(b, jamaican, true)
	served(other, austrian, true)
	other.look(nil)
	served(other, austrian, false)
	b.set(one(settings.DeniedCodes, "1876"), nil)
	served(b, jamaican, false)
	b.wantValues("true", "false", "5m0s", "false", "1,49*", "1876*")
	b.set(map[settings.Key]*string{settings.AllowedCodes: nil, settings.DeniedCodes: nil}, nil)
	served(b, jamaican, true)
	b.wantValues("true", "false", "5m0s", "false", "all", "none")
	want := []string{
		"setting_changed keeper mobile.allowed_calling_codes: all -> 1,49",
		"setting_changed keeper mobile.denied_calling_codes: none -> 1876",
		"setting_returned keeper mobile.allowed_calling_codes: 1,49 -> all",
		"setting_returned keeper mobile.denied_calling_codes: 1876 -> none",
	}
	if got := b.reasons(); !slices.Equal(got, want) {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

// What the configuration restricts can be lifted, which is not the same as returning to it.
func TestAllIsAValueOfItsOwn(t *testing.T) {
	b := newBoard(t)
	b.start.Coverage.Allowed = []string{"49"}
	b = b.replica()
	b.wantValues("true", "false", "5m0s", "false", "49", "none")
	for _, all := range []string{"all", "ALL", " "} {
		b.set(one(settings.AllowedCodes, all), nil)
		b.wantValues("true", "false", "5m0s", "false", "all*", "none")
	}
	b.set(map[settings.Key]*string{settings.AllowedCodes: nil}, nil)
	b.wantValues("true", "false", "5m0s", "false", "49", "none")
}

func TestEntriesThatNoNumberBeginsWithAreNamed(t *testing.T) {
	for text, named := range map[string][]string{
		"49, 4x, 043": {`"4x"`, `"043"`}, "999": {`"999"`}, "+": {`"+"`}, ",": nil, " ; ,": nil, "49 none": {`"none"`},
		"49, +4915112345678": {"entry 2 has more than 7 digits"}, strings.Repeat("x", 100): {"entry 1"},
	} {
		b := newBoard(t)
		err := b.Set(t.Context(), one(settings.AllowedCodes, text), keeper)
		wantErr(t, err, settings.ErrBadSetting)
		for _, entry := range named {
			if err == nil || !strings.Contains(err.Error(), entry) {
				t.Errorf("%q: %v does not name %s", text, err, entry)
			}
		}
		b.wantValues("true", "false", "5m0s", "false", "all", "none")
	}
}

func TestWhatIsDeniedByItsTypeIsNotAllowed(t *testing.T) {
	b := newBoard(t)
	b.start.Coverage.DeniedTypes = []string{"satellite"}
	b = b.replica()
	b.set(one(settings.AllowedCodes, "49,8816"), settings.ErrBadSetting)
	b.set(one(settings.AllowedCodes, "49"), nil)
	b.start.Coverage = phone.Restrictions{Raw: true}
	b = b.replica()
	b.set(one(settings.AllowedCodes, "43"), settings.ErrBadSetting)
	b.set(one(settings.AllowedCodes, "all"), nil)
}

// What the configuration denies can be set as it is; libphonenumber knows no +991.
func TestEveryServiceOfTheITUCanBeDenied(t *testing.T) {
	b := newBoard(t)
	b.set(one(settings.DeniedCodes, "800 808 870 878 881 882 883 888 979 991"), nil)
	b.set(one(settings.DeniedCodes, "99110"), nil)
	b.wantValues("true", "false", "5m0s", "false", "all", "99110*")
}

func TestAListIsNoLongerThanWhatIsKept(t *testing.T) {
	var codes []string
	for n := range 200 {
		codes = append(codes, strconv.Itoa(4900+n))
	}
	b := newBoard(t)
	b.set(one(settings.AllowedCodes, strings.Join(codes, " ")), nil)
	if got := len(b.Policy().Coverage.Allowed); got != len(codes) {
		t.Errorf("got %d entries", got)
	}
	b.set(one(settings.AllowedCodes, strings.Join(append(codes, "4300"), " ")), settings.ErrBadSetting)
}

func TestAPolicyIsSeenBeforeItIsSet(t *testing.T) {
	b := newBoard(t)
	b.set(one(settings.DeniedCodes, "33"), nil)
	next, err := b.With(one(settings.AllowedCodes, "49"))
	wantErr(t, err, nil)
	if !slices.Equal(next.Coverage.Allowed, []string{"49"}) || !slices.Equal(next.Coverage.Denied, []string{"33"}) {
		t.Errorf("got %+v", next.Coverage)
	}
	if next, err = b.With(map[settings.Key]*string{settings.DeniedCodes: nil}); err != nil || len(next.Coverage.Denied) > 0 {
		t.Errorf("got %+v, %v", next.Coverage, err)
	}
	_, err = b.With(one(settings.AllowedCodes, "4x"))
	wantErr(t, err, settings.ErrBadSetting)
	b.wantValues("true", "false", "5m0s", "false", "all", "33*")
}

func TestStepsOfTheAuditTrailAreReadBack(t *testing.T) {
	step := settings.Step{Key: settings.AllowedCodes, Before: "all", After: "43,49"}
	if got, ok := settings.ParseStep(step.String()); !ok || got != step {
		t.Errorf("got %+v, %t", got, ok)
	}
	for _, reason := range []string{"", "okta [scim:read]", "identity_mgt.nothing: a -> b", "mobile.allowed_calling_codes: all"} {
		if got, ok := settings.ParseStep(reason); ok {
			t.Errorf("%q is read as %+v", reason, got)
		}
	}
}
