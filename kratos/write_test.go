package kratos_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/kratos"
)

func TestAdopt(t *testing.T) {
	requireKratos(t)
	for name, tt := range map[string]struct {
		person   person // with mobile "same" for the number that is adopted
		unmark   bool
		requests int
	}{
		"first number":                 {person{}, false, 1},
		"new number":                   {person{mobile: number(t).Unmasked(), verified: true}, false, 1},
		"number not verified":          {person{mobile: "same", emailVerified: true}, false, 2},
		"the same, marked":             {person{mobile: "same", pending: "same"}, true, 2},
		"number not verified, spaces":  {person{mobile: "same, spaced"}, false, 1},
		"number verified, spaces":      {person{mobile: "same, spaced", verified: true}, false, 1},
		"marker":                       {person{pending: "same"}, true, 1},
		"number and marker":            {person{mobile: number(t).Unmasked(), verified: true, pending: "same"}, true, 1},
		"marker gone meanwhile":        {person{}, true, 2},
		"somebody else's marker stays": {person{pending: "+8613711112222"}, false, 1},
		"e-mail stays verified":        {person{emailVerified: true, mobile: number(t).Unmasked(), pending: "same"}, true, 1},
		"number is a sign-in code":     {person{schema: "member", mobile: number(t).Unmasked(), verified: true}, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := number(t)
			switch tt.person.mobile {
			case "same":
				tt.person.mobile = wanted.Unmasked()
			case "same, spaced":
				tt.person.mobile = spaced(wanted)
			}
			if tt.person.pending == "same" {
				tt.person.pending = wanted.Unmasked()
			}
			tt.person.email = email()
			id := shared.add(t, tt.person)
			way := watch(t, shared)
			if err := open(t, way.server, nil).ApplyNumber(t.Context(), id, wanted, tt.unmark); err != nil {
				t.Fatal(err)
			}
			if got := len(way.seen(http.MethodPatch, "/")); got != tt.requests {
				t.Errorf("made %d requests, want %d", got, tt.requests)
			}
			got := shared.identity(t, id)
			if got.Traits["mobile"] != wanted.Unmasked() || got.Traits["email"] != tt.person.email {
				t.Errorf("traits are %v", got.Traits)
			}
			want := map[string]string{"sms": wanted.Unmasked()}
			if tt.person.emailVerified {
				want["email"] = tt.person.email
			}
			if diff := cmp.Diff(want, got.verified()); diff != "" {
				t.Error(diff)
			}
			marker, marked := got.Public["pendingMobileNumber"]
			if marked != (tt.person.pending != "" && !tt.unmark) {
				t.Errorf("marker is %v", marker)
			}
			if tt.person.pending != "" && got.Public["other"] != "stays" {
				t.Errorf("public metadata is %v", got.Public)
			}
		})
	}
}

// Kratos keeps no address for a trait that its schema does not verify. The number
// is written all the same: there is nothing that could be marked.
func TestAdoptWhereTheTraitIsNoAddress(t *testing.T) {
	requireKratos(t)
	wanted := number(t)
	id := shared.add(t, person{schema: "plain", email: email(), mobile: number(t).Unmasked(), pending: wanted.Unmasked()})
	if err := open(t, shared, nil).ApplyNumber(t.Context(), id, wanted, true); err != nil {
		t.Fatal(err)
	}
	if got := shared.identity(t, id); got.Traits["mobile"] != wanted.Unmasked() {
		t.Errorf("traits are %v", got.Traits)
	}
}

func TestAdoptRefused(t *testing.T) {
	requireKratos(t)
	taken, short := number(t), phone.FromStore("12")
	shared.add(t, person{email: email(), mobile: taken.Unmasked(), verified: true})
	for name, tt := range map[string]struct {
		number phone.Number
		marked bool
		want   error
	}{
		"number of somebody else":          {taken, false, claim.ErrNumberTaken},
		"number of somebody else, marked":  {taken, true, claim.ErrNumberTaken},
		"number that the schema takes not": {short, false, claim.ErrNumberRefused},
		"the same, marked":                 {short, true, claim.ErrNumberRefused},
	} {
		t.Run(name, func(t *testing.T) {
			was := number(t)
			p := person{email: email(), mobile: was.Unmasked(), verified: true}
			if tt.marked {
				p.pending = tt.number.Unmasked()
			}
			id := shared.add(t, p)
			before := shared.identity(t, id)
			err := open(t, shared, nil).ApplyNumber(t.Context(), id, tt.number, tt.marked)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if diff := cmp.Diff(before, shared.identity(t, id)); diff != "" {
				t.Errorf("the identity was changed: %s", diff)
			}
		})
	}
}

func TestMarker(t *testing.T) {
	requireKratos(t)
	d := open(t, shared, nil)
	first, second := number(t), number(t)
	id := shared.add(t, person{email: email(), mobile: number(t).Unmasked(), verified: true})
	for _, step := range []struct {
		name string
		do   func() error
		want string
	}{
		{"unmark without one", func() error { return d.ClearPending(t.Context(), id) }, ""},
		{"mark", func() error { return d.ShowPending(t.Context(), id, first) }, first.Unmasked()},
		{"mark again", func() error { return d.ShowPending(t.Context(), id, second) }, second.Unmasked()},
		{"unmark", func() error { return d.ClearPending(t.Context(), id) }, ""},
		{"unmark again", func() error { return d.ClearPending(t.Context(), id) }, ""},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		got, err := d.Identity(t.Context(), id)
		if err != nil || got.Pending != step.want {
			t.Errorf("%s: marker is %q, %v; want %q", step.name, got.Pending, err, step.want)
		}
		if !got.Verified {
			t.Errorf("%s: the number is not verified any more", step.name)
		}
	}
}

func TestNamesAreEscapedInPointers(t *testing.T) {
	requireKratos(t)
	d := open(t, shared, func(o *kratos.Options) { o.PendingKey = "a/b~c" })
	id, wanted := shared.add(t, person{email: email()}), number(t)
	if err := d.ShowPending(t.Context(), id, wanted); err != nil {
		t.Fatal(err)
	}
	if got := shared.identity(t, id).Public["a/b~c"]; got != wanted.Unmasked() {
		t.Errorf("marker is %v", got)
	}
	if err := d.ApplyNumber(t.Context(), id, wanted, true); err != nil {
		t.Fatal(err)
	}
	if got, marked := shared.identity(t, id).Public["a/b~c"]; marked {
		t.Errorf("marker is %v", got)
	}
}

// Of a list that is written as a whole, what Holdline does not know comes back as it was;
// no member of an unexpected type or spelling hides the others.
func TestAddressesAreWrittenBackAsTheyCame(t *testing.T) {
	id, wanted := uuid.NewString(), number(t)
	const email = `{"id":"e","value":"anna@holdline.test","via":"email","verified":"since May","serial":123456789012345678901,"share":1.50}`
	sms := func(verified bool) string {
		return fmt.Sprintf(`{"id":"m","value":%q,"via":"sms","verified":%t,"Verified":true,"VALUE":"?","status":7,"serial":987654321098765432109}`, wanted.Unmasked(), verified)
	}
	var written string
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		whole := strings.Contains(string(body), `"/verifiable_addresses"`)
		if whole {
			written = string(body)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"id":%q,"traits":{"mobile":%q},"verifiable_addresses":[%s,%s]}`, id, wanted.Unmasked(), email, sms(whole))
	}))
	t.Cleanup(upstream.Close)
	d := open(t, &server{public: upstream.URL, admin: upstream.URL}, nil)
	if err := d.ApplyNumber(t.Context(), id, wanted, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{email, `"serial":987654321098765432109`, `"status":"completed"`, `"verified":true`} {
		if !strings.Contains(written, want) {
			t.Errorf("got %s, want %s in it", written, want)
		}
	}
}
