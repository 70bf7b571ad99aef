package kratos_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
)

func TestChangesAreOnePatch(t *testing.T) {
	requireKratos(t)
	fresh, second, mail := number(t), number(t), email()
	for name, tt := range map[string]struct {
		operations []scim.Operation
		want       func(*scim.Record) // what becomes of it
	}{
		"nothing": {nil, func(*scim.Record) {}},
		"number": {
			[]scim.Operation{{Op: scim.Replace, Path: "/traits/mobile", Value: fresh.Unmasked()}},
			func(r *scim.Record) {
				r.Traits["mobile"], r.Addresses[1] = fresh.Unmasked(), scim.Address{Value: fresh.Unmasked(), Via: "sms", Status: "pending"}
			},
		},
		"number gone": {
			[]scim.Operation{{Op: scim.Remove, Path: "/traits/mobile"}},
			func(r *scim.Record) { delete(r.Traits, "mobile"); r.Addresses = r.Addresses[:1] },
		},
		"e-mail": {
			[]scim.Operation{{Op: scim.Add, Path: "/traits/email", Value: mail}},
			func(r *scim.Record) {
				r.Traits["email"], r.Addresses[0] = mail, scim.Address{Value: mail, Via: "email", Status: "pending"}
			},
		},
		"e-mail, verified": {
			[]scim.Operation{
				{Op: scim.Add, Path: "/traits/email", Value: "v" + mail},
				{Op: scim.Add, Path: "/verifiable_addresses/-", Value: map[string]any{
					"value": "v" + mail, "via": "email", "verified": true, "status": "completed",
				}},
			},
			func(r *scim.Record) {
				r.Traits["email"] = "v" + mail
				r.Addresses[0] = scim.Address{Value: "v" + mail, Via: "email", Status: "completed", Verified: true}
			},
		},
		"metadata": {
			[]scim.Operation{
				{Op: scim.Add, Path: "/metadata_admin/scim/title", Value: "Dr."},
				{Op: scim.Add, Path: "/metadata_admin/scim/a~1b~0c", Value: map[string]any{"n": json.Number("98765432109876543210"), "x": nil}},
				{Op: scim.Add, Path: "/metadata_admin/scim/list/-", Value: map[string]any{"deep": true}},
				{Op: scim.Remove, Path: "/metadata_admin/scim/exact"},
				{Op: scim.Replace, Path: "/metadata_public", Value: map[string]any{"all": json.Number("1.50")}},
			},
			func(r *scim.Record) {
				kept := r.MetadataAdmin["scim"].(map[string]any)
				kept["title"], kept["a/b~c"] = "Dr.", map[string]any{"n": json.Number("98765432109876543210"), "x": nil}
				kept["list"] = append(kept["list"].([]any), map[string]any{"deep": true})
				delete(kept, "exact")
				r.MetadataPublic = map[string]any{"all": json.Number("1.50")}
			},
		},
		"a marker moves, in any order": {
			[]scim.Operation{
				{Op: scim.Add, Path: "/traits/mobile", Value: second.Unmasked()},
				{Op: scim.Remove, Path: "/metadata_public/shown"},
				{Op: scim.Replace, Path: "/state", Value: scim.Inactive},
			},
			func(r *scim.Record) {
				r.State = scim.Inactive
				delete(r.MetadataPublic, "shown")
				r.Traits["mobile"] = second.Unmasked()
				r.Addresses[1] = scim.Address{Value: second.Unmasked(), Via: "sms", Status: "pending"}
			},
		},
		"all metadata gone": {
			[]scim.Operation{{Op: scim.Replace, Path: "/metadata_public"}},
			func(r *scim.Record) { r.MetadataPublic = nil },
		},
		"metadata where none was": {
			[]scim.Operation{{Op: scim.Add, Path: "/metadata_admin/new/deep", Value: false}},
			func(r *scim.Record) { r.MetadataAdmin["new"] = map[string]any{"deep": false} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, wanted := open(t, shared, nil), draft(t)
			id := create(t, d, wanted).ID
			verify(t, id, wanted)
			want := record(t, d, id)
			tt.want(&want)
			way := watch(t, shared)
			got, err := open(t, way.server, nil).Change(t.Context(), id, tt.operations)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, whole); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(want, record(t, d, id), whole); diff != "" {
				t.Error(diff)
			}
			if n := len(way.seen(http.MethodPatch, "/")); n != min(1, len(tt.operations)) {
				t.Errorf("made %d patches", n)
			}
		})
	}
}

// verify marks an identity's addresses, e-mail first.
func verify(t *testing.T, id string, d scim.Draft) {
	t.Helper()
	send(t, http.MethodPatch, shared.admin+"/admin/identities/"+id, []any{map[string]any{
		"op": "replace", "path": "/verifiable_addresses",
		"value": []any{address(d.Traits["email"].(string), "email", true), address(d.Traits["mobile"].(string), "sms", true)},
	}}, nil)
}

func TestChangesRefused(t *testing.T) {
	requireKratos(t)
	other := draft(t)
	create(t, open(t, shared, nil), other)
	set := func(path string, value any) scim.Operation {
		return scim.Operation{Op: scim.Add, Path: path, Value: value}
	}
	for name, tt := range map[string]struct {
		operations []scim.Operation
		want       error // nil for a violation
		pointers   []string
	}{
		"somebody's number": {[]scim.Operation{set("/traits/mobile", other.Traits["mobile"]), set("/metadata_admin/x", "y")}, claim.ErrNumberTaken, nil},
		"somebody's e-mail": {[]scim.Operation{set("/traits/email", other.Traits["email"])}, scim.ErrTaken, nil},
		"somebody's number, and an e-mail": {
			[]scim.Operation{set("/traits/mobile", other.Traits["mobile"]), set("/traits/email", email())}, scim.ErrTaken, nil,
		},
		"no number":            {[]scim.Operation{set("/metadata_admin/x", "y"), set("/traits/mobile", "12")}, nil, []string{"#/traits/mobile"}},
		"required":             {[]scim.Operation{{Op: scim.Remove, Path: "/traits/email"}}, nil, []string{"#/traits/email"}},
		"unknown state":        {[]scim.Operation{set("/state", "odd"), set("/metadata_admin/x", "y")}, nil, nil},
		"removed already":      {[]scim.Operation{set("/metadata_admin/x", "y"), {Op: scim.Remove, Path: "/metadata_admin/gone"}}, claim.ErrChangedElsewhere, nil},
		"a way that is a text": {[]scim.Operation{set("/traits/email/x", "y")}, claim.ErrChangedElsewhere, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, shared, nil)
			id := create(t, d, draft(t)).ID
			before := record(t, d, id)
			_, err := d.Change(t.Context(), id, tt.operations)
			if tt.want == nil {
				wantRefusal(t, err, append([]string{}, tt.pointers...))
			} else if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if errors.Is(tt.want, scim.ErrTaken) && errors.Is(err, claim.ErrNumberTaken) {
				t.Error("blames the number")
			}
			if diff := cmp.Diff(before, record(t, d, id), whole); diff != "" {
				t.Errorf("the identity was changed: %s", diff)
			}
		})
	}
}

func TestChangesOfWhatIsNotTheCallersAreNotAsked(t *testing.T) {
	asked := false
	kratos := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(kratos.Close)
	d := open(t, &server{public: kratos.URL, admin: kratos.URL}, nil)
	for name, o := range map[string]scim.Operation{
		"a password":              {Op: scim.Add, Path: "/credentials/password/config/password", Value: "x"},
		"credentials":             {Op: scim.Add, Path: "/credentials", Value: "x"},
		"the id":                  {Op: scim.Replace, Path: "/id", Value: uuid.NewString()},
		"the schema":              {Op: scim.Replace, Path: "/schema_id", Value: "plain"},
		"everything":              {Op: scim.Replace, Path: "", Value: map[string]any{}},
		"no pointer":              {Op: scim.Add, Path: "traits/mobile", Value: "x"},
		"looks like traits":       {Op: scim.Add, Path: "/traitsX/mobile", Value: "x"},
		"an address that is read": {Op: scim.Replace, Path: "/verifiable_addresses/0/verified", Value: true},
		"the addresses":           {Op: scim.Remove, Path: "/verifiable_addresses/-"},
		"all metadata removed":    {Op: scim.Remove, Path: "/metadata_public"},
		"a state removed":         {Op: scim.Remove, Path: "/state"},
		"another verb":            {Op: "test", Path: "/traits/mobile", Value: "x"},
		"no JSON":                 {Op: scim.Add, Path: "/traits/mobile", Value: func() {}},
	} {
		if _, err := d.Change(t.Context(), uuid.NewString(), []scim.Operation{o}); err == nil || errors.Is(err, claim.ErrIdentitiesUnavailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if asked {
		t.Error("Kratos was asked")
	}
}

// Somebody who writes at the same time can undo a change before Kratos answers.
func TestAnswersThatAreNotWhatWasWritten(t *testing.T) {
	id := uuid.NewString()
	for name, tt := range map[string]struct {
		operation scim.Operation
		answer    string
		fits      bool
	}{
		"written":               {scim.Operation{Op: scim.Add, Path: "/traits/a", Value: 1}, `"traits":{"a":1}`, true},
		"other value":           {scim.Operation{Op: scim.Add, Path: "/traits/a", Value: 1}, `"traits":{"a":2}`, false},
		"other kind":            {scim.Operation{Op: scim.Add, Path: "/traits/a", Value: 1}, `"traits":{"a":"1"}`, false},
		"missing":               {scim.Operation{Op: scim.Add, Path: "/traits/a", Value: nil}, `"traits":{}`, false},
		"null":                  {scim.Operation{Op: scim.Add, Path: "/traits/a", Value: nil}, `"traits":{"a":null}`, true},
		"no metadata":           {scim.Operation{Op: scim.Add, Path: "/metadata_admin/a", Value: 1}, `"metadata_admin":null`, false},
		"removed":               {scim.Operation{Op: scim.Remove, Path: "/metadata_admin/a/b"}, `"metadata_admin":{"a":{}}`, true},
		"removed with the rest": {scim.Operation{Op: scim.Remove, Path: "/metadata_admin/a/b"}, `"metadata_admin":null`, true},
		"still there":           {scim.Operation{Op: scim.Remove, Path: "/metadata_admin/a/b"}, `"metadata_admin":{"a":{"b":null}}`, false},
		"address": {
			scim.Operation{Op: scim.Add, Path: "/verifiable_addresses/-", Value: map[string]any{"value": "x", "verified": true}},
			`"verifiable_addresses":[{"value":"y"},{"value":"x","verified":true,"id":"1"}]`, true,
		},
		"address not verified": {
			scim.Operation{Op: scim.Add, Path: "/verifiable_addresses/-", Value: map[string]any{"value": "x", "verified": true}},
			`"verifiable_addresses":[{"value":"x","verified":false}]`, false,
		},
		"somebody else": {scim.Operation{Op: scim.Add, Path: "/traits/a", Value: 1}, `"id":"x","traits":{"a":1}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			kratos := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"id":"`+strings.ToUpper(id)+`",`+tt.answer+`}`)
			}))
			t.Cleanup(kratos.Close)
			d := open(t, &server{public: kratos.URL, admin: kratos.URL}, nil)
			_, err := d.Change(t.Context(), id, []scim.Operation{tt.operation})
			if tt.fits != (err == nil) || err != nil && !errors.Is(err, claim.ErrIdentitiesUnavailable) {
				t.Errorf("got %v", err)
			}
		})
	}
}
