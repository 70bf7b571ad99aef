package scimbridge_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/scim"
)

// stored is what somebody's identity has.
func (w *world) stored(id string) (number any, verified bool, pending any, state string) {
	w.Helper()
	r, err := w.kratos.Record(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	for _, a := range r.Addresses {
		verified = verified || a.Via == "sms" && a.Verified
	}
	return r.Traits["mobile"], verified, r.MetadataPublic["pendingMobileNumber"], r.State
}

// wantStored expects what somebody's identity has; nil for no number.
func (w *world) wantStored(id string, number any, verified bool, pending any, state string) {
	w.Helper()
	if n, v, p, s := w.stored(id); n != number || v != verified || p != pending || s != state {
		w.Errorf("got %v, verified %t, pending %v, %s; want %v, %t, %v, %s", n, v, p, s, number, verified, pending, state)
	}
}

// leftOut are the reasons why somebody's numbers were left out.
func (w *world) leftOut(id string) []string {
	w.Helper()
	events, err := w.store.FindEvents(w.Context(), admin.EventQuery{IdentityID: id, Limit: 99})
	if err != nil {
		w.Fatal(err)
	}
	var reasons []string
	for _, e := range events {
		if e.Kind == claim.NumberLeftOut {
			reasons = append(reasons, e.Reason)
		}
	}
	return reasons
}

// A true verifyMobile counts wherever in the request it is.
func TestAFlagAnywhereIsAFlag(t *testing.T) {
	t.Parallel()
	const wso2 = scim.WSO2Schema
	number := `"phoneNumbers": [{"type": "mobile", "value": "` + m1 + `"}]`
	patches := map[string]string{
		"enterprise":                  ops(`{"op": "replace", "value": {` + number + `, "` + enterprise + `": {"verifyMobile": true}}}`),
		"WSO2":                        ops(`{"op": "replace", "value": {` + number + `, "` + wso2 + `": {"verifyMobile": true}}}`),
		"WSO2 in capitals":            ops(`{"op": "replace", "value": {` + number + `, "URN:SCIM:WSO2:Schema": {"VERIFYMOBILE": "TRUE"}}}`),
		"a dotted name":               ops(`{"op": "replace", "value": {` + number + `, "` + wso2 + `.verifyMobile": "True"}}`),
		"a name with a URN":           ops(`{"op": "replace", "value": {` + number + `, "` + enterprise + `:verifyMobile": true}}`),
		"the path of an operation":    ops(`{"op": "add", "path": "`+wso2+`:verifyMobile", "value": true}`, set(`phoneNumbers[type eq "mobile"].value`, m1)),
		"a dotted path":               ops(`{"op": "add", "path": "`+wso2+`.verifyMobile", "value": true}`, set(`phoneNumbers[type eq "mobile"].value`, m1)),
		"the path of the schema":      ops(`{"op": "add", "path": "`+wso2+`", "value": {"verifyMobile": "true"}}`, set(`phoneNumbers[type eq "mobile"].value`, m1)),
		"after the number":            ops(set(`phoneNumbers[type eq "mobile"].value`, m1), `{"op": "Add", "path": "`+enterprise+`:verifyMobile", "value": "True"}`),
		"taken back later":            ops(`{"op": "add", "path": "`+enterprise+`:verifyMobile", "value": true}`, set(`phoneNumbers[type eq "mobile"].value`, m1), `{"op": "replace", "path": "`+enterprise+`:verifyMobile", "value": false}`),
		"true there and false here":   ops(`{"op": "replace", "value": {` + number + `, "` + wso2 + `": {"verifyMobile": true}, "` + enterprise + `": {"verifyMobile": false}}}`),
		"no schema at all":            ops(`{"op": "replace", "value": {` + number + `, "verifyMobile": true}}`),
		"a schema that nobody knows":  ops(`{"op": "replace", "value": {` + number + `, "urn:x:y": {"verifyMobile": true}}}`),
		"a list of one":               ops(`{"op": "replace", "value": {` + number + `, "` + enterprise + `": {"verifyMobile": ["true"]}}}`),
		"beside the operations":       strings.Replace(ops(set(scim.MobilePath, m1)), `{`, `{"VerifyMobile": "true", `, 1),
		"a schema beside them":        strings.Replace(ops(set(scim.MobilePath, m1)), `{`, `{"`+enterprise+`": {"verifyMobile": true}, `, 1),
		"beside an operation's path":  ops(strings.Replace(set(scim.MobilePath, m1), `{`, `{"verifyMobile": true, `, 1)),
		"a schema beside a path":      ops(strings.Replace(set(scim.MobilePath, m1), `{`, `{"`+wso2+`": {"verifyMobile": "True"}, `, 1)),
		"removed with a true value":   ops(set(scim.MobilePath, m1), `{"op": "remove", "path": "`+enterprise+`:verifyMobile", "value": true}`),
		"within the number's element": ops(`{"op": "replace", "value": {"phoneNumbers": [{"type": "mobile", "value": "` + m1 + `", "verifyMobile": true}]}}`),
	}
	puts := map[string]string{}
	for name, members := range map[string]string{
		"enterprise": `"` + enterprise + `": {"verifyMobile": true}`, "WSO2": `"` + wso2 + `": {"verifyMobile": "TRUE"}`,
		"WSO2 in capitals": `"URN:SCIM:WSO2:SCHEMA": {"verifymobile": true}`, "a name with a URN": `"` + wso2 + `:verifyMobile": true`,
		"a dotted name": `"` + enterprise + `.verifyMobile": true`, "no schema at all": `"verifyMobile": "true"`,
	} {
		puts[name] = `{"userName": "bob@example.com", ` + number + `, ` + members + `}`
	}
	for method, bodies := range map[string]map[string]string{http.MethodPatch: patches, http.MethodPut: puts} {
		for name, body := range bodies {
			for _, bulk := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, in bulk %t", method, name, bulk), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					id := w.user("bob", mobile(m0))
					w.kratos.verify(id)
					path, body := "/Users/"+id, body
					if bulk {
						body = `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
							{"method": "` + method + `", "path": "` + path + `", "data": ` + body + `}]}`
						w.as(provisioner, http.MethodPost, "/Bulk", body).want(200)
					} else if got := w.as(provisioner, method, path, body).want(200); strings.Contains(strings.ToLower(got.text), "verifymobile") || strings.Contains(got.text, wso2) {
						t.Errorf("the flag is shown: %s", got.text)
					}
					w.wantStored(id, m0, true, m1, scim.Active)
					if r, _ := w.kratos.Record(t.Context(), id); strings.Contains(strings.ToLower(fmt.Sprint(r)), "verifymobile") {
						t.Errorf("the flag is stored: %+v", r)
					}
				})
			}
		}
	}
	for method, data := range map[string]string{
		http.MethodPatch: ops(set(scim.MobilePath, m1)), http.MethodPut: `{"userName": "bob@example.com", ` + number + `}`,
	} {
		t.Run(method+", beside a bulk operation's data", func(t *testing.T) {
			w := newWorld(t)
			id := w.user("bob", mobile(m0))
			w.as(provisioner, http.MethodPost, "/Bulk", `{"Operations": [
				{"method": "`+method+`", "path": "/Users/`+id+`", "`+enterprise+`": {"verifyMobile": true}, "data": `+data+`}]}`).want(200)
			w.wantStored(id, m0, false, m1, scim.Active)
		})
	}
	t.Run("strict", func(t *testing.T) {
		w := newWorld(t, options{mode: scim.Strict})
		id := w.as(provisioner, http.MethodPost, "/Users", `{"schemas": ["`+scim.UserSchema+`"], "userName": "bob@example.com", `+mobile(m0)+`}`).want(201).id()
		w.as(provisioner, http.MethodPut, "/Users/"+id, `{"schemas": ["`+scim.UserSchema+`", "`+wso2+`"], "userName": "bob@example.com",
			`+number+`, "`+wso2+`": {"verifyMobile": true}}`).want(200)
		w.wantStored(id, m0, false, m1, scim.Active)
		w.as(provisioner, http.MethodGet, "/Schemas/"+wso2, "").want(404)
		if got := w.as(provisioner, http.MethodGet, "/ResourceTypes", ""); strings.Contains(got.text, wso2) {
			t.Errorf("an unlisted schema is announced: %s", got.text)
		}
	})
}

// switchOff are the ways in which clients say that somebody has left, with more
// beside it: as operations of a PATCH, and as members of a PUT.
func switchOff(operations, members string) map[string][2]string {
	ways := map[string][2]string{
		"PATCH":              {http.MethodPatch, ops(operations, `{"op": "Replace", "path": "active", "value": "False"}`)},
		"PATCH, first":       {http.MethodPatch, ops(`{"op": "replace", "path": "active", "value": false}`, operations)},
		"PATCH, no path":     {http.MethodPatch, ops(operations, `{"op": "replace", "value": {"active": false}}`)},
		"PATCH, as one":      {http.MethodPatch, ops(`{"op": "replace", "value": {"active": false, ` + members + `}}`)},
		"PUT":                {http.MethodPut, `{"userName": "bob@example.com", "active": false, ` + members + `}`},
		"PATCH, wrapped":     {http.MethodPatch, ops(operations, `{"op": "Replace", "path": "active", "value": [{"$ref": null, "value": "False"}]}`)},
		"PUT, core's schema": {http.MethodPut, `{"userName": "bob@example.com", "` + scim.UserSchema + `": {"active": "false", ` + members + `}}`},
	}
	return ways
}

func TestNoNumberKeepsALeaverActive(t *testing.T) {
	t.Parallel()
	of := func(number string) (operations, members string) {
		return `{"op": "replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "` + number + `"}, {"op": "replace", "path": "title", "value": "Left"}`,
			mobile(number) + `, "title": "Left"`
	}
	bad := func(value string) (operations, members string) {
		return `{"op": "replace", "path": "phoneNumbers", "value": ` + value + `}, {"op": "replace", "path": "title", "value": "Left"}`,
			`"phoneNumbers": ` + value + `, "title": "Left"`
	}
	for name, c := range map[string]struct {
		said   func() (string, string)
		with   options
		reason string
	}{
		"unreadable": {func() (string, string) { return of("0171 12") }, options{}, "not a usable telephone number"},
		"not served": {func() (string, string) { return of("+8816 1234 5678") }, options{always: true}, "numbers of this kind or country are not texted"},
		"taken":      {func() (string, string) { return of("+491715555555") }, options{}, "another identity has the number"},
		"removed":    {func() (string, string) { return bad(`[]`) }, options{keep: true}, "the number must not be removed"},
		"two of them": {func() (string, string) {
			return bad(`[{"type": "mobile", "value": "+491711111111"}, {"type": "mobile", "value": "+491722222222"}]`)
		}, options{}, scim.MobilePath + ": a user has one mobile number, and two are given"},
		"of no type":   {func() (string, string) { return bad(`[{"type": "mobile", "value": {"x": 1}}]`) }, options{}, "phoneNumbers.value must be a string"},
		"no numbers":   {func() (string, string) { return bad(`7`) }, options{}, "phoneNumbers must be an object"},
		"and in order": {func() (string, string) { return of("+49 171 0000000") }, options{}, ""},
	} {
		operations, members := c.said()
		for how, way := range switchOff(operations, members) {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, c.with)
				w.user("alice", mobile("+491715555555"))
				id := w.user("bob", mobile(m0))
				w.kratos.verify(id)
				token := okta
				if c.with.always {
					token = provisioner // whose numbers have to be texted
				}
				for range 2 {
					w.as(token, way[0], "/Users/"+id, way[1]).want(200).is(false, "active").is("Left", "title")
				}
				if n, verified, pending, state := w.stored(id); n != m0 || !verified || pending != nil || state != scim.Inactive {
					t.Errorf("got %v, %t, %v, %s", n, verified, pending, state)
				}
				if len(w.kratos.ended) < 2 { // each time it is said, since once may have failed
					t.Errorf("sessions were ended for %v", w.kratos.ended)
				}
				for _, got := range w.leftOut(id) {
					if !strings.Contains(got, c.reason) || c.reason == "" {
						t.Errorf("the audit trail says %q, want %q", got, c.reason)
					}
				}
				if got := len(w.leftOut(id)); c.reason != "" && got != 2 {
					t.Errorf("%d audit lines", got)
				}
			})
		}
	}
	for name, c := range map[string]struct {
		operations, members string
		status              int
	}{
		"a taken name":       {`{"op": "replace", "path": "userName", "value": "alice@example.com"}`, `"userName": "alice@example.com"`, 409},
		"a wrong type":       {`{"op": "replace", "path": "emails", "value": 7}`, `"emails": 7`, 400},
		"no required name":   {`{"op": "remove", "path": "userName"}`, `"userName": ""`, 400},
		"a refused password": {set("password", refusedPassword), `"password": "` + refusedPassword + `"`, 400},
	} {
		for how, way := range switchOff(c.operations, c.members) {
			t.Run(name+", "+how, func(t *testing.T) {
				w := newWorld(t)
				w.user("alice")
				id := w.user("bob", `"title": "Boss"`)
				way[1] = strings.Replace(way[1], `{"userName": "bob@example.com", "active": false, "userName"`, `{"active": false, "userName"`, 1)
				way[1] = strings.Replace(way[1], `"userName": "bob@example.com", "urn`, `"title": "x", "urn`, 1)
				got := w.as(okta, way[0], "/Users/"+id, way[1]).want(c.status)
				if detail, _ := got.at("detail").(string); !strings.HasSuffix(detail, "; active is false now all the same") {
					t.Errorf("got %q", detail)
				}
				r, _ := w.kratos.Record(t.Context(), id)
				if r.State != scim.Inactive || len(w.kratos.ended) != 1 {
					t.Errorf("got %s, %v", r.State, w.kratos.ended)
				}
				w.as(okta, http.MethodGet, "/Users/"+id, "").is("Boss", "title").is("bob@example.com", "userName")
			})
		}
	}
	// Operations that cannot be read: about a number they are left out, and others keep
	// nobody active either.
	const path = `"path": "phoneNumbers[type eq \"mobile\"].value"`
	for operation, status := range map[string]int{
		`{"op": "replace", ` + path + `}`:                  200,
		`{"op": "add", ` + path + `}`:                      200,
		`{"op": "update", ` + path + `, "value": "+4917"}`: 200,
		`{` + path + `, "value": "+4917"}`:                 200,
		`{"op": "replace", "path": "title"}`:               400,
		`{"op": "replace", "path": 7, "value": "x"}`:       400,
		`{"op": "remove"}`:                                 400,
		`"replace"`:                                        400,
		`{"op": "add", "Op": "add", ` + path + `}`:         400,
	} {
		t.Run(operation, func(t *testing.T) {
			w := newWorld(t)
			id := w.user("bob", mobile(m0))
			w.kratos.verify(id)
			w.as(okta, http.MethodPatch, "/Users/"+id, ops(operation)).want(400)
			got := w.as(okta, http.MethodPatch, "/Users/"+id, ops(operation, `{"op": "replace", "path": "active", "value": "False"}`)).want(status)
			if detail, _ := got.at("detail").(string); status == 400 && !strings.HasSuffix(detail, "; active is false now all the same") {
				t.Errorf("got %q", detail)
			}
			w.wantStored(id, m0, true, nil, scim.Inactive)
			if out := len(w.leftOut(id)); status == 200 && out != 1 || status == 400 && out != 0 {
				t.Errorf("%d audit lines", out)
			}
		})
	}
	t.Run("POST", func(t *testing.T) {
		for _, number := range []string{"0171", "+491715555555", "+8816 1234 5678"} {
			w, token := newWorld(t, options{always: number[0:4] == "+881"}), okta
			if number[0:4] == "+881" {
				token = provisioner
			}
			w.user("alice", mobile("+491715555555"))
			id := w.as(token, http.MethodPost, "/Users", `{"userName": "bob@example.com", "active": false, `+mobile(number)+`}`).want(201).is(false, "active").id()
			w.wantStored(id, nil, false, nil, scim.Inactive)
			if got := w.leftOut(id); len(got) != 1 {
				t.Errorf("the audit trail says %q", got)
			}
		}
	})
	// The client hears what is wrong, and that nothing was done.
}

func TestNumbersThatCannotBeReadMayBeSkipped(t *testing.T) {
	t.Parallel()
	for _, number := range []string{`"0171 12"`, `"+8816 1234 5678"`, `491511234567`, `{"number": "+491511234567"}`, `true`} {
		mobile := func(json string) string { return `"phoneNumbers": [{"type": "mobile", "value": ` + json + `}]` }
		for _, skip := range []bool{false, true} {
			w := newWorld(t, options{skip: skip, always: true})
			id := w.user("bob", mobile(`"`+m0+`"`))
			requests := map[string][2]string{
				"PATCH": {http.MethodPatch, ops(`{"op": "replace", "value": {"title": "Boss", ` + mobile(number) + `}}`)},
				"PUT":   {http.MethodPut, `{"userName": "bob@example.com", "title": "Boss", ` + mobile(number) + `}`},
			}
			for how, r := range requests {
				if !skip {
					got := w.as(provisioner, r[0], "/Users/"+id, r[1]).refused(400, "invalidValue").text
					if !strings.Contains(got, `phoneNumbers[type eq \"mobile\"].value: `) && !strings.Contains(got, `phoneNumbers.value must`) {
						t.Errorf("%s: the attribute is not named: %s", how, got)
					}
					continue
				}
				w.as(provisioner, r[0], "/Users/"+id, r[1]).want(200).is("Boss", "title")
				w.wantStored(id, m0, false, nil, scim.Active)
			}
			if got := len(w.leftOut(id)); skip && got != 2 || !skip && got != 0 {
				t.Errorf("%d audit lines", got)
			}
			if skip { // what people type themselves they hear of
				w.as(id, http.MethodPatch, "/Me", ops(`{"op": "replace", "value": {`+mobile(number)+`}}`)).refused(400, "invalidValue")
				w.as(provisioner, http.MethodPatch, "/Users/"+id, ops(`{"op": "replace", "value": {"title": 7, `+mobile(number)+`}}`)).refused(400, "invalidValue")
				w.as(provisioner, http.MethodPatch, "/Users/"+id, ops(`{"op": "replace", "path": "phoneNumbers[type eq].value", "value": `+number+`}`)).refused(400, "invalidFilter")
				got := w.as(provisioner, http.MethodPost, "/Users", `{"userName": "new@example.com", `+mobile(number)+`}`).want(201)
				w.wantStored(got.id(), nil, false, nil, scim.Active)
			}
		}
	}
}

// Nobody who is switched off is texted: they could not type the code. A number of
// theirs waits, and is texted with a later claim, once they are back.
func TestNobodyIsTextedWhileSwitchedOff(t *testing.T) {
	t.Parallel()
	of := func(active string) map[string][2]string {
		return map[string][2]string{
			"PATCH":         {http.MethodPatch, ops(`{"op": "replace", "value": {` + active + mobile(m1) + `}}`)},
			"PATCH, number": {http.MethodPatch, ops(set(scim.MobilePath, m1))},
			"PUT":           {http.MethodPut, `{"userName": "bob@example.com", ` + active + mobile(m1) + `}`},
		}
	}
	for how, way := range of(`"active": false, `) {
		for _, before := range []bool{true, false} {
			if before && how == "PATCH, number" {
				continue // says nothing of active
			}
			t.Run(fmt.Sprintf("%s, active before %t", how, before), func(t *testing.T) {
				w := newWorld(t, options{always: true})
				id := w.user("bob", mobile(m0), fmt.Sprintf(`"active": %t`, before))
				texts := len(w.texts)
				for range 2 {
					w.as(provisioner, way[0], "/Users/"+id, way[1]).want(200).is(false, "active")
				}
				w.wantStored(id, m0, false, m1, scim.Inactive)
				if got := len(w.texts); got != texts {
					t.Errorf("%d texts, want %d", got, texts)
				}
				w.as(provisioner, http.MethodPatch, "/Users/"+id, ops(`{"op": "replace", "path": "active", "value": true}`)).want(200)
				w.pass(25 * time.Hour)
				for range 2 {
					w.as(provisioner, http.MethodPut, "/Users/"+id, of(`"active": true, `)["PUT"][1]).want(200)
				}
				w.wantStored(id, m0, false, m1, scim.Active)
				if got := len(w.texts); got != texts+1 {
					t.Errorf("back: %d texts, want %d", got, texts+1)
				}
			})
		}
	}
	t.Run("POST", func(t *testing.T) {
		w := newWorld(t, options{always: true})
		id := w.as(provisioner, http.MethodPost, "/Users", `{"userName": "bob@example.com", "active": "False", `+mobile(m1)+`}`).want(201).id()
		w.wantStored(id, nil, false, m1, scim.Inactive)
		if len(w.texts) != 0 {
			t.Errorf("%d texts", len(w.texts))
		}
	})
}

// A directory that has no number for somebody stops nothing where numbers must not be
// removed, whether its requests ask for verification or not.
func TestAWholeWithoutANumberLeavesWhatMustStay(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"", `"` + enterprise + `": {"verifyMobile": true}, `} {
		for _, none := range []string{``, `"phoneNumbers": [], `, mobile("") + `, `, `"phoneNumbers": [{"type": "work", "value": "1"}], `} {
			w := newWorld(t, options{keep: true})
			id := w.user("bob", mobile(m0))
			w.kratos.verify(id)
			body := `{"userName": "bob@example.com", ` + flag + none + `"title": "Boss"}`
			w.as(provisioner, http.MethodPut, "/Users/"+id, body).want(200).is("Boss", "title")
			w.wantStored(id, m0, true, nil, scim.Active)
			w.as(id, http.MethodPut, "/Me", body).refused(400, "mutability")
		}
	}
}

func TestErrorsNameTheirAttribute(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{keep: true})
	w.user("alice", mobile(m1))
	id := w.user("bob", mobile(m0))
	named := newWorld(t, options{named: true})
	named.as(okta, http.MethodPost, "/Users", `{"userName": "alice", "emails": [{"value": "a@example.com"}]}`).want(201)
	bob := named.as(okta, http.MethodPost, "/Users", `{"userName": "bob", "emails": [{"value": "b@example.com"}]}`).want(201).id()
	for name, c := range map[string]struct {
		w            *world
		method, body string
		id           string
		status       int
		kind, want   string
	}{
		"PATCH, a taken number":    {w, http.MethodPatch, ops(set(scim.MobilePath, m1)), id, 409, "uniqueness", scim.MobilePath},
		"PUT, a taken number":      {w, http.MethodPut, `{"userName": "bob@example.com", ` + mobile(m1) + `}`, id, 409, "uniqueness", scim.MobilePath},
		"PUT, with more":           {w, http.MethodPut, `{"userName": "bobby@example.com", "name": {"givenName": "B"}, ` + mobile(m1) + `}`, id, 409, "uniqueness", scim.MobilePath},
		"POST, a taken number":     {w, http.MethodPost, `{"userName": "new@example.com", ` + mobile(m1) + `}`, "", 409, "uniqueness", scim.MobilePath},
		"POST, a taken name":       {w, http.MethodPost, `{"userName": "alice@example.com", ` + mobile("+491799999999") + `}`, "", 409, "uniqueness", "userName"},
		"PATCH, a taken name":      {w, http.MethodPatch, ops(set("userName", "ALICE@example.com")), id, 409, "uniqueness", "userName"},
		"a taken name of its own":  {named, http.MethodPatch, ops(set("userName", "Alice")), bob, 409, "uniqueness", "userName"},
		"a taken address":          {named, http.MethodPatch, ops(set(`emails[type eq "work"].value`, "a@example.com")), bob, 409, "uniqueness", `emails[type eq "work"].value`},
		"a taken address, PUT":     {named, http.MethodPut, `{"userName": "bobby", "emails": [{"value": "a@example.com"}]}`, bob, 409, "uniqueness", "emails.value"},
		"an unreadable number":     {w, http.MethodPatch, ops(set(scim.MobilePath, "0171")), id, 400, "invalidValue", scim.MobilePath},
		"a number of no kind":      {w, http.MethodPatch, ops(`{"op": "replace", "value": {` + mobile("+8816 1234 5678") + `, "verifyMobile": true}}`), id, 400, "invalidValue", scim.MobilePath},
		"removal denied":           {w, http.MethodPatch, ops(`{"op": "remove", "path": "phoneNumbers"}`), id, 400, "mutability", scim.MobilePath},
		"two numbers":              {w, http.MethodPut, `{"userName": "bob@example.com", "phoneNumbers": [{"type": "mobile", "value": "+491733333333"}, {"type": "mobile", "value": "+491722222222"}]}`, id, 400, "invalidValue", scim.MobilePath},
		"active is removed":        {w, http.MethodPatch, ops(`{"op": "remove", "path": "active"}`), id, 400, "mutability", "operation 1: active"},
		"a number of no type":      {w, http.MethodPatch, ops(`{"op": "replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": {"x": "x"}}`), id, 400, "invalidValue", "operation 1: phoneNumbers.value must"},
		"a number without value":   {w, http.MethodPatch, ops(`{"op": "replace", "path": "phoneNumbers[type eq \"mobile\"].value"}`), id, 400, "invalidValue", "operation 1: phoneNumbers.value: "},
		"a name's part":            {w, http.MethodPatch, ops(`{"op": "replace", "path": "name.givenName", "value": 7}`), id, 400, "invalidValue", "operation 1: name.givenName must"},
		"an extension's attribute": {w, http.MethodPatch, ops(`{"op": "add", "path": "` + enterprise + `:manager", "value": ["a", "b"]}`), id, 400, "invalidValue", "operation 1: " + enterprise + ":manager must"},
		"a filter that is none":    {w, http.MethodPatch, ops(`{"op": "add", "path": "phoneNumbers[type eq].value", "value": "x"}`), id, 400, "invalidFilter", "operation 1: phoneNumbers.value: "},
		"no user name":             {w, http.MethodPut, `{"displayName": "x"}`, id, 400, "invalidValue", "userName"},
		"a refused password":       {w, http.MethodPatch, ops(set("password", refusedPassword)), id, 400, "invalidValue", "password"},
		"an address of wrong type": {w, http.MethodPut, `{"userName": "bob@example.com", "emails": [{"value": 7}]}`, id, 400, "invalidValue", "emails.value"},
	} {
		t.Run(name, func(t *testing.T) {
			path, token := "/Users", okta
			if name == "a number of no kind" {
				token = provisioner // whose numbers have to be texted
			}
			if c.id != "" {
				path += "/" + c.id
			}
			detail, _ := c.w.as(token, c.method, path, c.body).refused(c.status, c.kind).at("detail").(string)
			if !strings.HasPrefix(detail, c.want) || strings.Contains(detail, ".value or ") || strings.Contains(detail, "userName or ") {
				t.Errorf("got %q, want it to begin with %q", detail, c.want)
			}
		})
	}
}

// What a client reads and puts back changes nothing, however the user came to be.
func TestWhatIsShownAndPutBackChangesNothing(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	w := newWorld(t, options{always: random.IntN(2) == 0, everybody: random.IntN(2) == 0})
	for i := range 60 {
		mine := fmt.Sprintf("+49171%07d", i)
		members := []string{fmt.Sprintf(`"userName": "user%d@example.com"`, i)}
		if random.IntN(2) == 0 {
			members = append(members, `"name": {"givenName": "`+one("Ann", "Zoë", "")+`", "familyName": "`+one("Li", "O'Neil")+`", "formatted": "x"}`)
		}
		if random.IntN(2) == 0 {
			members = append(members, `"emails": [`+one(``, `{"value": "w@x", "type": "work"}`, `{"value": "w@x", "primary": true}, {"value": "h@x", "type": "home"}`)+`]`)
		}
		var phones []string
		for _, kind := range []string{one("work", "fax"), one("mobile", "Mobile", ""), one("home", "other", "mobile2")} {
			number := one(mine, "+49 171 "+mine[6:], "tel:"+mine)
			if kind != "" && !strings.EqualFold(kind, "mobile") {
				number = "030 1234"
			}
			if kind != "" && random.IntN(3) > 0 {
				phones = append(phones, fmt.Sprintf(`{"type": %q, "value": %q%s}`, kind, number, one("", `, "display": "d"`, `, "display": "`+number+`"`)))
			}
		}
		if random.IntN(4) > 0 {
			if len(phones) > 0 && random.IntN(2) == 0 {
				phones[0] = strings.Replace(phones[0], "{", `{"primary": true, `, 1)
			}
			members = append(members, `"phoneNumbers": [`+strings.Join(phones, ",")+`]`)
		}
		if random.IntN(2) == 0 {
			members = append(members, `"`+enterprise+`": {"department": "Eng", "verifyMobile": `+one("true", "false")+`}`)
		}
		members = append(members, `"active": `+one("true", "false"), `"externalId": "e`+fmt.Sprint(i)+`"`)
		token := one(okta, provisioner)
		reader := okta
		id := w.as(token, http.MethodPost, "/Users", "{"+strings.Join(members, ", ")+"}").want(201).id()
		if random.IntN(2) == 0 {
			w.kratos.verify(id)
		}
		if random.IntN(3) == 0 { // something is pending
			w.as(provisioner, http.MethodPatch, "/Users/"+id, ops(`{"op": "add", "value": {`+mobile(fmt.Sprintf("+49172%07d", i))+`, "`+enterprise+`": {"verifyMobile": true}}}`)).want(200)
		}
		before, _ := w.kratos.Record(t.Context(), id)
		changes, texts := w.kratos.changes, len(w.texts)
		shown := w.as(reader, http.MethodGet, "/Users/"+id, "").want(200)
		for _, again := range []answer{
			w.as(reader, http.MethodPut, "/Users/"+id, shown.text),
			w.as(reader, http.MethodPatch, "/Users/"+id, ops(`{"op": "replace", "value": `+shown.text+`}`)),
			w.as(reader, http.MethodPatch, "/Users/"+id, ops(`{"op": "add", "value": `+shown.text+`}`)),
		} {
			again.want(200)
			if diff := cmp.Diff(canonical(shown.text), canonical(again.text)); diff != "" {
				t.Fatalf("user %d %s: what is shown has changed:\n%s", i, strings.Join(members, ", "), diff)
			}
		}
		after, _ := w.kratos.Record(t.Context(), id)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatalf("user %d %s: the identity has changed:\n%s", i, shown.text, diff)
		}
		if w.kratos.changes != changes || len(w.texts) != texts {
			t.Fatalf("user %d: %d writes, %d texts", i, w.kratos.changes-changes, len(w.texts)-texts)
		}
	}
}

func canonical(text string) any {
	var value any
	_ = json.Unmarshal([]byte(text), &value)
	return value
}
