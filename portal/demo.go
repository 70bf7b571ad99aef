package portal

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// DemoOptions say where the demo's servers are and how its identities look.
type DemoOptions struct {
	KratosPublicURL string
	HoldlineURL     string
	PhoneURL        string // of the phone simulator; blank hides the link
	MobileTrait     string // "mobile" if blank
	PendingKey      string // in metadata_public; "pendingMobileNumber" if blank
	HTTP            *http.Client
}

// Demo returns the smallest self-service pages for a Kratos. Forms post to
// Kratos itself, except the one of /confirm, which goes to Holdline's user API.
func Demo(o DemoOptions) (http.Handler, error) {
	for name, address := range map[string]*string{"Kratos": &o.KratosPublicURL, "Holdline": &o.HoldlineURL} {
		if u, err := url.Parse(*address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("portal: the URL of %s must be an http or https one", name)
		}
		*address = strings.TrimSuffix(*address, "/")
	}
	if o.MobileTrait == "" {
		o.MobileTrait = "mobile"
	}
	if o.PendingKey == "" {
		o.PendingKey = "pendingMobileNumber"
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 20 * time.Second}
	}
	pages, err := parsePages()
	if err != nil {
		return nil, err
	}
	r := remote{o.HTTP}
	d := demo{DemoOptions: o, pages: pages, kratos: kratos{r, o.KratosPublicURL}, holdline: holdline{r, o.HoldlineURL}}
	return d.routes()
}

type demo struct {
	DemoOptions
	pages    pages
	kratos   kratos
	holdline holdline
}

func (d demo) routes() (http.Handler, error) {
	engine := newEngine(contentPolicy{Forms: "'self' " + originOf(d.KratosPublicURL)})
	engine.GET("/", d.home)
	for _, kind := range []string{"login", "registration", "settings"} {
		engine.GET("/"+kind, d.flow(kind))
	}
	engine.GET("/confirm", d.confirmPage)
	engine.POST("/confirm", d.confirm)
	engine.GET("/error", d.kratosError)
	engine.NoRoute(func(c *gin.Context) {
		d.problem(c, http.StatusNotFound, "There is nothing here.")
	})
	if err := serveAssets(engine); err != nil {
		return nil, err
	}
	// Everything that changes something is refused to other origins' pages.
	return http.NewCrossOriginProtection().Handler(engine), nil
}

// frame is what every page shows around its content.
type frame struct {
	Title   string
	Phone   string
	Refresh int // seconds until the page loads itself again; 0 for never
	Notice  notice
}

// notice tells how something went; Kind is info, success or error.
type notice struct{ Kind, Text string }

func (d demo) frame(title string) frame { return frame{Title: title, Phone: d.PhoneURL} }

type problemPage struct{ frame }

func (d demo) problem(c *gin.Context, status int, text string) {
	page := problemPage{d.frame("Something is in the way")}
	page.Notice = notice{"error", text}
	d.pages.show(c, status, "problem", page)
}

// broken answers for a server behind the pages that did not answer as it should.
func (d demo) broken(c *gin.Context, server string) {
	d.problem(c, http.StatusBadGateway, server+" does not answer as it should. Try again in a moment.")
}

// signIn returns the address that leads through Kratos' login back to /confirm.
// Kratos checks the way back against its allow list.
func (d demo) signIn(c *gin.Context, again bool) string {
	query := url.Values{"return_to": {"http://" + c.Request.Host + "/confirm"}}
	if again {
		query.Set("refresh", "true")
	}
	return d.kratos.start("login") + "?" + query.Encode()
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
