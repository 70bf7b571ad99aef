package verify

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/portal/layout"
)

// Path is where the page is below the public listener's address.
const Path = "/verify"

// settingsPath is where Kratos' settings flows begin in a browser.
const settingsPath = "/self-service/settings/browser"

// Claims is what the page does. [claim.Service] does it.
type Claims interface {
	Status(ctx context.Context, who claim.Caller) (claim.Status, error)
	LastOutcome(ctx context.Context, who claim.Caller) (claim.Outcome, error)
	RequireRecentSignIn(signedIn time.Time) error
	Confirm(ctx context.Context, who claim.Caller, code string) error
	Resend(ctx context.Context, who claim.Caller) error
	Cancel(ctx context.Context, who claim.Caller) error
	Blocked(ctx context.Context, who claim.Caller) (time.Time, error)
	LiftBlock(ctx context.Context, who claim.Caller) error
}

// Options are what the page needs.
type Options struct {
	Claims Claims
	Brand  Brand
	// URL is the page's own address, as browsers see it.
	URL string
	// KratosURL returns the public API of the Kratos that keeps an identity, as
	// browsers see it. A blank identity is one that is not known.
	KratosURL func(identityID string) string
	// EndOtherSessions ends all of a person's sessions but that of a Cookie header.
	EndOtherSessions func(ctx context.Context, identityID, cookie string) error
	// Plan reads the number that Kratos has stored.
	Plan    phone.Parser
	Code    CodeForm
	Returns ReturnURLs
	// FramedBy are the origins whose pages may show this one in a frame; blank for
	// none, as it should be wherever somebody could be tricked.
	FramedBy string
	Log      *slog.Logger
}

const (
	maxForm = 8 << 10
	// Kratos tells Holdline of a stored flow while the browser is already on its
	// way here, so an announced claim is waited for a little.
	announced = 3 * time.Second
	askAgain  = 100 * time.Millisecond
)

type site struct {
	Options
	server *web.Server
	words  words
	pages  *layout.Pages
}

// Mount adds the page that asks for the code of a pending number. Whatever a
// form does ends in a redirect, so that nothing is repeated by going back or by
// loading the page again; the page then shows what the claim's state is now.
func Mount(r gin.IRouter, server *web.Server, o Options) error {
	words, err := newWords(o.Brand.Name, o.Brand.Language)
	if err != nil {
		return err
	}
	pages, err := o.Brand.pagesFor("verify/")
	if err != nil {
		return err
	}
	s := &site{o, server, words, pages}
	guard := layout.Guard(layout.Policy{Forms: "'self'", Connect: "'self'", Ancestors: o.FramedBy})
	group := r.Group(Path, guard)
	pages.Mount(group)
	group.GET("", s.show)
	group.POST("", layout.OwnForms(server.Origins, s.forbid), s.act)
	return nil
}

// visit is one request's voice and what it carries from page to page.
type visit struct {
	voice
	lang     string // that was chosen; blank for none
	returnTo string // that is allowed; blank for none
	next     string // where people go on to from here
	settings string // Kratos' own form
	inForce  phone.Number
	known    bool // what is in force is known
	// halfway tells that a second factor is all that the session lacks.
	halfway bool
}

func (s *site) visit(c *gin.Context, who claim.Caller) visit {
	preference := who.Language
	if preference == "" { // nobody is signed in
		preference = c.GetHeader("Accept-Language")
	}
	v := visit{lang: web.PreferredLanguage(c.Query("lang"))}
	v.voice = s.words.voice(v.lang, preference)
	if wanted := c.Query("return_to"); wanted != "" {
		if s.Returns.allows(wanted) {
			v.returnTo = wanted
		} else {
			s.Log.InfoContext(c.Request.Context(), "return_to is not on the list of pages.allowed_return_urls")
		}
	}
	v.settings = s.KratosURL(who.IdentityID) + settingsPath
	v.next = s.Returns.next(v.returnTo, s.URL, v.settings)
	if who.Seen != nil {
		v.inForce, v.known = phone.ParseStored(s.Plan, who.Seen.Mobile), true
	}
	return v
}

// carry returns the query that keeps the visit what it is, with what was said.
func (v visit) carry(said string) url.Values {
	query := url.Values{}
	for name, value := range map[string]string{"lang": v.lang, "return_to": v.returnTo, "said": said} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}

func (s *site) address(v visit, said string) string {
	if query := v.carry(said).Encode(); query != "" {
		return s.URL + "?" + query
	}
	return s.URL
}

// signIn leads through Kratos' login back to the page.
func (s *site) signIn(v visit, who claim.Caller) string {
	query := url.Values{"return_to": {s.address(v, saidBack)}}
	if who.IdentityID != "" && !v.halfway {
		query.Set("refresh", "true") // the session is too old
	}
	if v.halfway {
		query.Set("aal", "aal2")
	}
	return s.KratosURL(who.IdentityID) + "/self-service/login/browser?" + query.Encode()
}

// show answers a GET with the state of the caller's claim.
func (s *site) show(c *gin.Context) {
	said := c.Query("said")
	who, err := s.server.Browser(c)
	v := s.visit(c, who)
	v.halfway = errors.Is(err, auth.ErrSecondFactor)
	switch {
	case errors.Is(err, auth.ErrNoSession) && said == "":
		c.Redirect(http.StatusSeeOther, s.signIn(v, who))
	case errors.Is(err, auth.ErrNoSession):
		// Sent to Kratos once more, a browser without cookies would go round for ever.
		s.render(c, v, page{State: "signed-out", SignIn: s.signIn(v, who)})
	case err != nil:
		s.fail(c, v, err)
	default:
		s.showClaim(c, v, who, said)
	}
}

func (s *site) showClaim(c *gin.Context, v visit, who claim.Caller, said string) {
	status, err := s.awaited(c.Request.Context(), who)
	switch {
	case errors.Is(err, claim.ErrNothingPending):
		s.showEnd(c, v, who, said)
	case err != nil:
		s.fail(c, v, err)
	case status.State == claim.Verified && said != saidDone:
		seeOther(c, v.carry(saidDone)) // so that the end is told too
	case status.State == claim.Verified:
		s.render(c, v, page{State: "saving", Pending: typed{status.Number}})
	case said == saidBlocked || status.Text == message.TextNone: // which can be sent once changes are possible again
		if said == saidBlocked {
			said = "" // no longer so where the claim is shown
		}
		s.showBlocked(c, v, who, func() { s.render(c, v, s.open(v, who, status, said)) })
	default:
		s.render(c, v, s.open(v, who, status, said))
	}
}

// showEnd tells how a claim came to its end, if the person did something about
// it just now; otherwise there is nothing to do here.
func (s *site) showEnd(c *gin.Context, v visit, who claim.Caller, said string) {
	if said == saidBlocked {
		s.showBlocked(c, v, who, func() { s.showNothing(c, v, who) })
		return
	}
	if said != "" && said != saidBack {
		ended, err := s.Claims.LastOutcome(c.Request.Context(), who)
		if err != nil && !errors.Is(err, claim.ErrNothingPending) {
			s.fail(c, v, err)
			return
		}
		if said == saidLifted {
			s.showBlocked(c, v, who, func() { s.render(c, v, page{State: saidLifted, Anew: true}) })
			return
		}
		if state, ok := endState(ended); ok && s.server.Now().Sub(ended.At) < lately {
			s.render(c, v, s.ended(state, said))
			return
		}
	}
	if !s.stays(c, v, who) && (said == "" || said == saidBack) {
		c.Redirect(http.StatusSeeOther, v.next) // not after a form, whose way may not lead elsewhere
		return
	}
	s.showBlocked(c, v, who, func() { s.showNothing(c, v, who) })
}

// showNothing says that nothing is to be done, or why: a change that was lost by
// guesses or by waiting is not asked for by anybody who comes back.
func (s *site) showNothing(c *gin.Context, v visit, who claim.Caller) {
	ended, err := s.Claims.LastOutcome(c.Request.Context(), who)
	if err != nil && !errors.Is(err, claim.ErrNothingPending) {
		s.fail(c, v, err)
		return
	}
	state, ok := endState(ended)
	if ok && (state == "locked" || state == "lapsed") && s.server.Now().Sub(ended.At) < lately {
		s.render(c, v, s.ended(state, ""))
		return
	}
	s.render(c, v, page{State: "nothing"})
}

// ended makes the page of a claim that has ended.
func (s *site) ended(state, said string) page {
	p := page{State: state}
	if state != "done" {
		p.Anew = true
		return p
	}
	p.Done, p.Others = true, s.EndOtherSessions != nil
	switch said {
	case saidOthersOut:
		p.State, p.Others = said, false
	case saidOthersIn:
		p.State = said
	}
	return p
}

// showBlocked says that the person's number cannot be changed for now, and what ends
// that earlier; where it can, otherwise is done.
func (s *site) showBlocked(c *gin.Context, v visit, who claim.Caller, otherwise func()) {
	until, err := s.Claims.Blocked(c.Request.Context(), who)
	p := page{State: saidBlocked, Blocked: waitUntil(until, s.server.Now())}
	switch {
	case err != nil:
		s.fail(c, v, err)
		return
	case p.Blocked == 0:
		otherwise()
		return
	case who.Assurance == claim.AAL2 && s.Claims.RequireRecentSignIn(who.AuthenticatedAt) == nil:
		p.Lift = true
	case who.Factors != nil || who.Assurance == claim.AAL2:
		missing := []string{}
		if who.Assurance != claim.AAL2 {
			if missing, err = who.Factors(c.Request.Context()); err != nil {
				s.fail(c, v, err)
				return
			}
		}
		if v.halfway = len(missing) > 0; v.halfway || who.Assurance == claim.AAL2 {
			p.SignIn = s.signIn(v, who)
		}
	}
	s.render(c, v, p)
}

// stays reports whether somebody with nothing to do here is shown that, in place of
// being passed on. Kratos leads everybody here who has saved their profile; who typed
// the address came to look, and browsers say so. Nor does the page pass on whose record
// shows a number as pending that no claim is about any more: a settings page that leads
// here for such a number would be led back to for ever.
func (s *site) stays(c *gin.Context, v visit, who claim.Caller) bool {
	cameToLook := v.returnTo == "" && c.GetHeader("Sec-Fetch-Site") == "none"
	return cameToLook || who.Seen != nil && who.Seen.Pending != ""
}

// awaited returns the caller's claim, and waits for one that the identity
// announces but that is not there yet.
func (s *site) awaited(ctx context.Context, who claim.Caller) (claim.Status, error) {
	status, err := s.Claims.Status(ctx, who)
	if !errors.Is(err, claim.ErrNothingPending) || who.Seen == nil || who.Seen.Pending == "" {
		return status, err
	}
	waiting, cancel := context.WithTimeout(ctx, announced) // not the last look itself, which may take longer
	defer cancel()
	ticker := time.NewTicker(askAgain)
	defer ticker.Stop()
	for errors.Is(err, claim.ErrNothingPending) {
		select {
		case <-waiting.Done():
			return status, err
		case <-ticker.C:
			status, err = s.Claims.Status(ctx, who)
		}
	}
	return status, err
}

// fail answers for what is away, or for a fault of ours, and logs why.
func (s *site) fail(c *gin.Context, v visit, err error) {
	web.LogError(c, s.Log, "page failed", err)
	s.render(c, v, page{State: saidAway, Status: web.ProblemOf(err).Status, Again: s.address(v, "")})
}
