package api_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/otp"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/portal/verify"
)

// visited are the claims as pages see them.
type visited struct {
	claims
	ended claim.Outcome
	fresh error
}

func (v *visited) Status(context.Context, claim.Caller) (claim.Status, error) {
	if errors.Is(v.err, errOdd) {
		panic("odd")
	}
	return v.status, v.err
}

func (v *visited) LastOutcome(context.Context, claim.Caller) (claim.Outcome, error) {
	return v.ended, nil
}

func (v *visited) RequireRecentSignIn(time.Time) error { return v.fresh }

func (v *visited) Blocked(context.Context, claim.Caller) (time.Time, error) {
	return time.Time{}, v.odd()
}

func (v *visited) LiftBlock(context.Context, claim.Caller) error { return v.odd() }

func (v *visited) Disputable(context.Context, string) (claim.Denial, error) {
	return claim.Denial{Case: claim.DenialChanged}, v.odd()
}

func (v *visited) Dispute(context.Context, string, string) (claim.Denial, error) {
	return claim.Denial{Case: claim.DenialChanged}, v.odd()
}

func (v *visited) odd() error {
	if errors.Is(v.err, errOdd) {
		panic("odd")
	}
	return v.err
}

func pages(t *testing.T, v *visited) *gin.Engine {
	t.Helper()
	return newEngine(t, func(engine *gin.Engine, server *web.Server) {
		brand, log := verify.Brand{Name: "Holdline", Language: "en"}, slog.New(slog.DiscardHandler)
		if err := verify.Mount(engine, server, verify.Options{
			Claims: v, Brand: brand, URL: "https://id.example.com/verify", KratosURL: func(string) string { return "https://kratos.example.com" },
			Code: verify.CodeForm{Length: 6, Numeric: true}, Log: log,
		}); err != nil {
			t.Fatal(err)
		}
		if err := verify.MountDispute(engine, "/not-me", verify.DisputeOptions{
			Claims: v, Brand: brand, KratosURL: func(string) string { return "https://kratos.example.com" },
			Block: func() time.Duration { return 0 }, Now: func() time.Time { return noon }, Log: log,
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestThePageAnswersAsDocumented(t *testing.T) {
	book, v := newBook(t), &visited{}
	engine := pages(t, v)
	waiting := claim.Status{State: claim.Open, Number: phone.FromStore("+15550100"), CodeExpires: noon.Add(time.Minute), NextText: noon.Add(time.Minute), AttemptsLeft: 3}
	spent := waiting
	spent.AttemptsLeft, spent.TriesAgain = 0, noon.Add(time.Hour)
	nothing := claims{err: claim.ErrNothingPending}
	for _, tt := range []struct {
		want          int
		query, cookie string
		v             visited
	}{
		{200, "", "bob", visited{claims: claims{status: waiting}}},
		{200, "?lang=de&said=resent", "bob", visited{claims: claims{status: waiting}}},
		{303, "", "nobody", visited{}},
		{303, "", "bob", visited{claims: claims{status: claim.Status{State: claim.Verified}}}},
		{400, "?said=wrong", "bob", visited{claims: claims{status: waiting}}},
		{401, "?said=back", "nobody", visited{}},
		{403, "", "bob", visited{claims: claims{status: waiting}, fresh: claim.ErrSessionTooOld}},
		{409, "?said=over", "bob", visited{claims: nothing, ended: claim.Outcome{State: claim.Conflict, Conflict: claim.ErrNumberTaken, At: noon}}},
		{410, "?said=over", "bob", visited{claims: nothing, ended: claim.Outcome{State: claim.Lapsed, At: noon}}},
		{429, "", "bob", visited{claims: claims{status: spent}}},
		{500, "", "bob", visited{claims: claims{err: errOdd}}},
		{503, "", "kratos-away", visited{}},
		{503, "", "bob", visited{claims: claims{err: problem.ErrStoreUnavailable}}},
	} {
		*v = tt.v
		if got := book.ask(t, engine, http.MethodGet, "/verify"+tt.query, "", "Cookie", "ory_kratos_session="+tt.cookie); got.Code != tt.want {
			t.Errorf("%s of %s: got %d %s, want %d", tt.query, tt.cookie, got.Code, got.Body, tt.want)
		}
	}
	*v = visited{claims: claims{status: waiting}}
	for _, tt := range []struct {
		want         int
		body, cookie string
		sites        string
	}{
		{303, "code=123456", "bob", "same-origin"},
		{303, "action=resend", "bob", "same-origin"},
		{303, "code=123456", "nobody", "same-origin"},
		{403, "code=123456", "bob", ""},
		{403, "code=123456", "bob", "cross-site"},
		{503, "code=123456", "kratos-away", "same-origin"},
	} {
		got := book.ask(t, engine, http.MethodPost, "/verify", tt.body, "Content-Type", "application/x-www-form-urlencoded",
			"Cookie", "ory_kratos_session="+tt.cookie, "Sec-Fetch-Site", tt.sites)
		if got.Code != tt.want {
			t.Errorf("%s of %s: got %d %s, want %d", tt.body, tt.cookie, got.Code, got.Body, tt.want)
		}
	}
	for err, want := range map[error]struct{ get, post int }{
		nil: {200, 303}, otp.ErrLinkDead: {404, 303}, claim.ErrLinkLate: {410, 303}, claim.ErrBeingApplied: {503, 303},
		errOdd: {500, 500}, problem.ErrStoreUnavailable: {503, 503},
	} {
		v.err = err
		for method, want := range map[string]int{http.MethodGet: want.get, http.MethodPost: want.post} {
			if got := book.ask(t, engine, method, "/not-me/x", ""); got.Code != want {
				t.Errorf("%s %v: got %d %s, want %d", method, err, got.Code, got.Body, want)
			}
		}
	}
	book.spare(http.MethodPost, "/verify", http.StatusInternalServerError, "HLD-50001") // as GET
	book.complete(t, "/verify")
	book.complete(t, "/not-me/")
}

// The metrics are app's; how they are written is Prometheus'.
func TestMetricsAreWrittenAsDocumented(t *testing.T) {
	book, registry := newBook(t), prometheus.NewRegistry()
	engine := newEngine(t, func(engine *gin.Engine, _ *web.Server) {
		engine.GET("/metrics", gin.WrapH(promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry})))
	})
	for _, accept := range []string{"", "application/openmetrics-text", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"} {
		if got := book.ask(t, engine, http.MethodGet, "/metrics", "", "Accept", accept); got.Code != http.StatusOK {
			t.Errorf("got %d %s", got.Code, got.Body)
		}
	}
}
