package console_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/portal/console"
)

// rare answers what servers come to with much ado.
type rare struct {
	console.Admin
	alarm claim.Alarm
	err   error
}

func (r *rare) FindPeople(context.Context, string) (admin.PeopleFound, error) {
	return admin.PeopleFound{People: []admin.PersonSummary{{IdentityID: bob}}, More: true, Building: true}, nil
}

func (r *rare) Person(context.Context, string) (admin.Person, error) {
	return admin.Person{IdentityID: bob, Profile: people.Profile{Name: "Bob", UserNames: []string{"bmeier"}}, Older: true}, nil
}

func (r *rare) Alarm(context.Context, string) (admin.AlarmFound, error) {
	return admin.AlarmFound{Alarm: r.alarm}, nil
}

func (r *rare) Resend(context.Context, string, audit.Actor) error { return r.err }

func (r *rare) FindTokens(context.Context) (configured, kept []auth.Token, err error) {
	return nil, nil, nil
}

// What pages say of what is rare, beside what a walk through real servers has them say.
func TestWhatIsRareIsSaidToo(t *testing.T) {
	w := newWorld(t)
	first := w.claim(func(c *claim.Claim) {
		c.Previous, c.CodeNumber, c.CodeExpires, c.Texts = phone.Number{}, 0, time.Time{}, 0
	})
	unsaid := &rare{Admin: w.opt.Admin, alarm: claim.Alarm{ID: "denied", IdentityID: bob, Number: phone.FromStore(wanted), RaisedAt: w.Now()}}
	w.opt.Admin = unsaid
	w.rebuild()
	b := w.administrator()
	page := "/console/claims/" + first.ID
	says(t, b.get(page), http.StatusOK, "no code sent", "none has been sent yet")
	says(t, b.get(page+"/cancel"), http.StatusOK, "The account stays without a number")
	says(t, b.post("/console/people", url.Values{"who": {"meier"}}), http.StatusOK, "There are others: type more.", "The index of people is still being built: some are missing.")
	says(t, b.get("/console/person?id="+bob), http.StatusOK, "Signs in as", "None that is still known.", "Nothing is noted.", "There is more than is shown: see the audit trail.")
	says(t, b.get("/console/tokens"), http.StatusOK, "There is no token.")
	says(t, b.get("/console/alarms/denied/restore"), http.StatusOK, "The account then has no number, as before.")
	unsaid.alarm.Previous = phone.FromStore(before)
	says(t, b.get("/console/alarms/denied/restore"), http.StatusOK, "not verified, as it was")
	for words, err := range map[string]error{
		"Numbers of this kind or country are not texted.":                              phone.ErrNumberNotServed,
		"The limit on texts is reached. More may be sent after":                        &problem.LimitError{Reason: claim.ErrTooManyTexts, Until: w.Now().Add(time.Hour)},
		"Texts to this country are stopped or their budget is spent. Look again after": &problem.LimitError{Reason: claim.ErrCallingCodeFull, Until: w.Now().Add(time.Hour)},
	} {
		unsaid.err = err
		got := b.post(page+"/resend", nil)
		says(t, got, got.Code, words)
	}
}
