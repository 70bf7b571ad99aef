package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/api/userapi"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/ratelimit"
	"github.com/holdline/holdline/internal/web"
)

const (
	userBase    = "/api/identity/user/v1.0"
	code        = `{"code":"123456"}`
	scenario    = `{"properties":[{"key":"RecoveryScenario","value":"MOBILE_VERIFICATION_ON_UPDATE"}]}`
	codeFor     = `{"code":"123456","user":{"username":"bob@example.com"}}`
	scenarioFor = `{"user":{"username":"bob@example.com"},"properties":[{"RecoveryScenario":"MOBILE_VERIFICATION_ON_UPDATE"}]}`
)

// claims answer every call alike.
type claims struct {
	err    error
	status claim.Status
}

func (c *claims) Confirm(context.Context, claim.Caller, string) error { return c.err }
func (c *claims) Resend(context.Context, claim.Caller) error          { return c.err }
func (c *claims) Cancel(context.Context, claim.Caller) error          { return c.err }
func (c *claims) Status(context.Context, claim.Caller) (claim.Status, error) {
	return c.status, c.err
}

// people are bob.
type people struct{}

func (people) Person(_ context.Context, realm, user string) (claim.Identity, string, error) {
	if realm != "" && realm != "PRIMARY" || strings.TrimPrefix(user, "PRIMARY/") != "bob@example.com" {
		return claim.Identity{}, "", claim.ErrNoIdentity
	}
	return claim.Identity{ID: bob}, "PRIMARY", nil
}

// The errors are those that claim.Service and directory document for each call.
var (
	confirmErrors = []error{
		claim.ErrWrongCode, claim.ErrCodeExpired, claim.ErrSessionTooOld, claim.ErrNeedsSecondFactor, claim.ErrNumberTaken, claim.ErrChangedElsewhere,
		claim.ErrNumberRefused, limit(ratelimit.ErrTooManyTries), problem.ErrStoreUnavailable, errOdd,
	}
	resendErrors = []error{
		claim.ErrNothingPending, phone.ErrNumberNotServed, limit(claim.ErrTooSoon), limit(claim.ErrTooManyTexts),
		limit(claim.ErrCallingCodeFull), limit(claim.ErrChangesBlocked), problem.ErrStoreUnavailable, errOdd,
	}
	cancelErrors = []error{claim.ErrNothingPending, claim.ErrBeingApplied, problem.ErrStoreUnavailable, errOdd}
	statusErrors = []error{claim.ErrNothingPending, problem.ErrStoreUnavailable, errOdd}
)

func TestTheUserAPIAnswersAsDocumented(t *testing.T) {
	book, fake := newBook(t), &claims{}
	engine := newEngine(t, func(engine *gin.Engine, server *web.Server) { userapi.Mount(engine, server, server, fake, people{}, 6) })
	for name, tt := range map[string]struct {
		method, path, body string
		success            int
		errors             []error
		bad                []string // bodies that are refused with a 400
		helper             bool
	}{
		"validate": {http.MethodPost, "/me/validate-code", code, http.StatusAccepted, confirmErrors, []string{`{}`, `{"code":"1","more":1}`}, false},
		"resend":   {http.MethodPost, "/me/resend-code", scenario, http.StatusCreated, resendErrors, []string{`{}`, `[]`}, false},
		"status":   {http.MethodGet, "/me/mobile-claim", "", http.StatusOK, statusErrors, nil, false},
		"cancel":   {http.MethodDelete, "/me/mobile-claim", "", http.StatusNoContent, cancelErrors, nil, false},
		"validate for another": {
			http.MethodPost, "/validate-code", codeFor, http.StatusAccepted, append([]error{claim.ErrPrivilegedOff}, confirmErrors...), []string{`{}`, code}, true,
		},
		"resend for another": {
			http.MethodPost, "/resend-code", scenarioFor, http.StatusCreated, resendErrors, []string{`{}`, `{"user":{"username":"bob@example.com"}}`}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			ask := func(want int, body string, headers ...string) {
				t.Helper()
				if tt.body != "" && !strings.Contains(strings.Join(headers, " "), "Content-Type") {
					headers = append(headers, "Content-Type", "application/json")
				}
				if got := book.ask(t, engine, tt.method, userBase+tt.path, body, headers...); want != 0 && got.Code != want {
					t.Errorf("%v: got %d %s, want %d", headers, got.Code, got.Body, want)
				}
			}
			good := []string{"X-Session-Token", "bob"}
			ways := [][]string{good, {"Authorization", "Bearer bob"}, {"Authorization", "Basic Ym9iOnBhc3M="}, {"Cookie", "ory_kratos_session=bob"}}
			if tt.helper {
				good = []string{"Authorization", "Bearer hlt_desk"}
				ways = [][]string{good, {"X-Session-Token", "root"}}
				ask(http.StatusUnauthorized, tt.body, "Authorization", "Bearer hlt_none")
				ask(http.StatusForbidden, tt.body, "Authorization", "Bearer hlt_okta")
				ask(http.StatusForbidden, tt.body, "X-Session-Token", "bob")
				ask(http.StatusUnauthorized, tt.body, "X-Session-Token", "gone") // deleted meanwhile
				ask(http.StatusForbidden, tt.body, "X-Session-Token", "weak")    // without their second factor
			}
			*fake = claims{status: claim.Status{
				State: claim.Open, Number: phone.FromStore("+15550100"), LapsesAt: noon.Add(24 * time.Hour),
				CodeExpires: noon.Add(5 * time.Minute), NextText: noon.Add(30 * time.Second), AttemptsLeft: 5, Text: message.TextSent,
			}}
			for _, way := range ways {
				ask(tt.success, tt.body, way...)
			}
			fake.status = claim.Status{State: claim.Verified, Number: phone.FromStore("+15550100"), LapsesAt: noon}
			ask(tt.success, tt.body, good...)
			ask(http.StatusUnauthorized, tt.body)
			if tt.method != http.MethodGet {
				// What browsers send by themselves counts for trusted pages only.
				cookie, password := "ory_kratos_session=bob", "Basic Ym9iOnBhc3M="
				if tt.helper {
					cookie = "ory_kratos_session=root"
				}
				ask(tt.success, tt.body, "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
				for _, from := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
					ask(http.StatusForbidden, tt.body, "Cookie", cookie, from[0], from[1])
					ask(http.StatusForbidden, tt.body, "Authorization", password, from[0], from[1])
					ask(tt.success, tt.body, good[0], good[1], from[0], from[1])
				}
			}
			ask(http.StatusUnauthorized, tt.body, "X-Session-Token", "halfway")             // Kratos wants a second factor
			ask(http.StatusTooManyRequests, tt.body, "Authorization", "Basic bGltaXRlZDpw") // limited
			ask(http.StatusServiceUnavailable, tt.body, "X-Session-Token", "kratos-away")
			ask(http.StatusInternalServerError, tt.body, "X-Session-Token", "odd")
			ask(http.StatusInternalServerError, tt.body, "X-Session-Token", "half-set-up")
			for _, body := range tt.bad {
				ask(http.StatusBadRequest, body, good...)
			}
			if tt.body != "" {
				ask(http.StatusRequestEntityTooLarge, `{"code":"`+strings.Repeat("1", web.MaxBody)+`"}`, good...)
				ask(http.StatusUnsupportedMediaType, tt.body, append([]string{"Content-Type", "text/plain"}, good...)...)
			}
			for _, err := range tt.errors {
				fake.err = err
				ask(0, tt.body, good...)
			}
		})
	}
	book.complete(t, userBase)
}

// What the document's schemas refuse, the handlers refuse too.
func TestUnknownMembersAreRefusedAsDocumented(t *testing.T) {
	doc := document(t)
	engine := newEngine(t, func(engine *gin.Engine, server *web.Server) {
		userapi.Mount(engine, server, server, &claims{}, people{}, 6)
	})
	for path, body := range map[string]string{
		"/me/validate-code": code, "/me/resend-code": scenario, "/validate-code": codeFor, "/resend-code": scenarioFor,
	} {
		schema := doc.Paths.Value(userBase + path).Post.RequestBody.Value.Content.Get("application/json").Schema.Value
		for _, change := range []*strings.Replacer{
			strings.NewReplacer(`{"code"`, `{"more":1,"code"`, `{"properties"`, `{"more":1,"properties"`, `{"user"`, `{"more":1,"user"`),
			strings.NewReplacer(`"123456"`, `123456.5`, `"MOBILE_VERIFICATION_ON_UPDATE"`, `1`),
			strings.NewReplacer(`"123456"`, `""`, `"properties"`, `"property"`),
		} {
			wrong := change.Replace(body)
			if schema.VisitJSON(read(t, wrong), jsonSchema...) == nil {
				t.Errorf("%s: the document allows %s", path, wrong)
			}
			if got := send(t, engine, http.MethodPost, userBase+path, wrong, "Authorization", "Bearer hlt_desk", "X-Session-Token", "root"); got.Code != http.StatusBadRequest {
				t.Errorf("%s: %s is answered with %d", path, wrong, got.Code)
			}
		}
	}
}
