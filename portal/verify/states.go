package verify

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/portal/layout"
)

// lately is how long after a claim's end the page still speaks of it.
const lately = time.Hour

// How many seconds the page waits before it looks again: for what is about to happen,
// and for what may happen elsewhere.
const (
	refresh = 3
	glance  = 5
)

// CodeForm says what codes look like.
type CodeForm struct {
	Length  int
	Numeric bool
}

// page is what the page shows, whatever its state.
type page struct {
	frame
	State    string
	Status   int    // in place of the state's own; zero for that
	Form     string // of the open claim: code, resend, cancel; blank for no form
	Pending  typed
	InForce  phone.Number // the account's number as it is; zero for none
	Known    bool         // what is in force is known
	Mark     string       // changes when something else than a form's answer is to be shown
	Poll     int          // after how many seconds a script looks again; zero for never
	Text     message.TextState
	Invalid  string // what is wrong with what was typed; blank for nothing
	Tries    int
	Limited  bool // tries are counted
	CodeLife wait
	NextText wait
	MoreText bool // another code can be had, now or later
	Locked   wait
	Code     CodeForm
	Action   string
	SignIn   string
	Settings string // Kratos' own form
	Continue string
	Again    string
	Done     bool // the new number is in force
	Anew     bool // a change can be begun, or begun again
	Failed   bool // the text did not arrive: the next one is the way on
	Blocked  wait // until changes are possible
	Lift     bool // the person may end that
	Others   bool // other sessions can be ended
}

// faces are the states with their status and heading. Those of an open claim
// that a form led to have a notice, which is the message of their own name.
var faces = map[string]struct {
	status int
	title  string
	notice string // its kind; blank for none
}{
	"waiting":        {http.StatusOK, "title", ""},
	saidResent:       {http.StatusOK, "title", "success"},
	saidWrong:        {http.StatusBadRequest, "title", ""},
	saidNoCode:       {http.StatusBadRequest, "title", ""},
	"expired":        {http.StatusOK, "title_expired", ""},
	"untexted":       {http.StatusOK, "title", ""},
	"too-soon":       {http.StatusTooManyRequests, "title", "warning"},
	"too-many-texts": {http.StatusTooManyRequests, "title", "warning"},
	"country-full":   {http.StatusTooManyRequests, "title", "warning"},
	"not-served":     {http.StatusBadRequest, "title", "warning"},
	saidAway:         {http.StatusServiceUnavailable, "title_away", ""},
	"failed-now":     {http.StatusServiceUnavailable, "title", "error"},
	"locked":         {http.StatusTooManyRequests, "title_locked", ""},
	"sign-in":        {http.StatusForbidden, "title_sign_in", ""},
	"signed-out":     {http.StatusUnauthorized, "title_signed_out", ""},
	"saving":         {http.StatusOK, "title_saving", ""},
	"done":           {http.StatusOK, "title_done", ""},
	saidOthersOut:    {http.StatusOK, "title_done", "success"},
	saidOthersIn:     {http.StatusServiceUnavailable, "title_done", "error"},
	saidBlocked:      {http.StatusTooManyRequests, "title_blocked", ""},
	saidLifted:       {http.StatusOK, "title_lifted", ""},
	saidCancelled:    {http.StatusOK, "title_cancelled", ""},
	"lapsed":         {http.StatusGone, "title_lapsed", ""},
	"taken":          {http.StatusConflict, "title_conflict", ""},
	"taken-proved":   {http.StatusConflict, "title_conflict", ""},
	"taken-bound":    {http.StatusConflict, "title_conflict", ""},
	"changed":        {http.StatusConflict, "title_conflict", ""},
	"refused":        {http.StatusConflict, "title_conflict", ""},
	"nothing":        {http.StatusOK, "title_nothing", ""},
	"forbidden":      {http.StatusForbidden, "title_forbidden", ""},
}

// endState names the state of an ended claim, if there is anything to say of it.
func endState(e claim.Outcome) (string, bool) {
	switch {
	case e.Direct: // nobody typed a code for that
		return "", false
	case errors.Is(e.Conflict, claim.ErrNumberProved):
		return "taken-proved", true
	case errors.Is(e.Conflict, claim.ErrNumberBound):
		return "taken-bound", true
	case errors.Is(e.Conflict, claim.ErrNumberTaken):
		return "taken", true
	case errors.Is(e.Conflict, claim.ErrChangedElsewhere):
		return "changed", true
	case e.State == claim.Conflict:
		return "refused", true
	}
	state, ok := map[claim.State]string{
		claim.Applied: "done", claim.Cancelled: saidCancelled, claim.Locked: "locked", claim.Lapsed: "lapsed",
	}[e.State]
	return state, ok
}

// open makes the page of an open claim.
func (s *site) open(v visit, who claim.Caller, status claim.Status, said string) page {
	now := s.server.Now()
	const uncounted = 1 << 20 // more than anybody types
	p := page{
		State: "waiting", Form: "code", Pending: typed{status.Number}, Text: status.Text,
		Tries: status.AttemptsLeft, Limited: status.AttemptsLeft < uncounted,
		CodeLife: waitUntil(status.CodeExpires, now),
		NextText: waitUntil(status.NextText, now), MoreText: !status.NextText.IsZero(),
	}
	switch {
	case status.NeedsFactor || s.Claims.RequireRecentSignIn(who.AuthenticatedAt) != nil:
		v.halfway = status.NeedsFactor
		p.State, p.Form, p.SignIn = "sign-in", "cancel", s.signIn(v, who)
		return p
	case status.AttemptsLeft == 0:
		p.State, p.Form, p.Locked = "locked", "cancel", waitUntil(status.TriesAgain, now)
		return p
	case status.Text == message.TextNone:
		p.State, p.Form = "untexted", "resend"
	case p.CodeLife == 0:
		p.State, p.Form = "expired", "resend"
	}
	p.Failed = p.Form == "code" && p.MoreText && (p.Text == message.TextFailed || p.Text == message.TextUndelivered)
	p.Mark = fmt.Sprintf("%s %s %s %d %d", p.State, p.Text, p.Pending.Number, status.CodeExpires.Unix(), status.AttemptsLeft)
	switch said {
	case saidAway:
		p.State = "failed-now"
	case saidWrong, saidNoCode:
		if p.Form == "code" {
			p.State = said
		}
	case saidResent, "too-soon", "too-many-texts", "country-full", "not-served":
		p.State = said
	}
	return p
}

// render completes a page and shows it.
func (s *site) render(c *gin.Context, v visit, p page) {
	face := faces[p.State]
	around, err := s.Brand.frame(s.pages, v.voice, face.title)
	if err != nil {
		s.Log.ErrorContext(c.Request.Context(), "page failed", "route", c.FullPath(), "error", err)
	}
	p.frame = around
	p.Languages = s.words.choices(v.voice, func(lang string) string {
		return "?" + visit{lang: lang, returnTo: v.returnTo}.carry("").Encode()
	})
	if face.notice != "" {
		p.Notice = layout.Notice{Kind: face.notice, Text: v.T(p.State)}
	}
	switch p.State {
	case saidWrong, saidNoCode:
		p.Invalid = v.T(p.State)
	case "saving":
		p.Refresh = refresh
	case saidAway:
		p.Refresh = refresh * 5
	}
	if p.Poll = p.Refresh; p.Form != "" {
		p.Poll = glance
	}
	p.Mark = cmp.Or(p.Mark, p.State)
	p.InForce, p.Known = v.inForce, v.known
	p.Settings = v.settings
	if wait := max(p.NextText, p.Locked); face.status == http.StatusTooManyRequests && wait > 0 {
		c.Header("Retry-After", strconv.Itoa(int(wait)))
	}
	p.Code = s.Code
	p.Action = "?" + v.carry("").Encode()
	switch {
	case p.Form != "" || p.Again != "" || p.State == "signed-out":
	case p.Anew && v.next == v.settings:
	default:
		p.Continue = v.next
	}
	s.pages.Show(c, cmp.Or(p.Status, face.status), "verify", p)
}
