package selfservice

import (
	"embed"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/portal/layout"
)

//go:embed templates assets
var files embed.FS

// DemoOptions say where the demo's servers are and how its identities look.
type DemoOptions struct {
	KratosPublicURL string
	VerifyURL       string // of the page that asks for a code
	PhoneURL        string // of the phone simulator
	ConsoleURL      string // of the administrators' console
	MobileTrait     string // "mobile" if blank
	PendingKey      string // in metadata_public; "pendingMobileNumber" if blank
	// Email and Password are those of the person that a visitor can be; blank
	// hides them.
	Email, Password string
	// ConsoleToken opens the console; blank hides it.
	ConsoleToken string
	HTTP         *http.Client
}

// Demo returns the smallest self-service pages for a Kratos, and in front of
// them a stage with the phone beside them. Forms post to Kratos itself.
func Demo(o DemoOptions) (http.Handler, error) {
	for name, address := range map[string]*string{"Kratos": &o.KratosPublicURL, "the page for codes": &o.VerifyURL, "the phone": &o.PhoneURL} {
		if u, err := url.Parse(*address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("selfservice: the URL of %s must be an http or https one", name)
		}
	}
	o.KratosPublicURL = strings.TrimSuffix(o.KratosPublicURL, "/")
	if o.MobileTrait == "" {
		o.MobileTrait = "mobile"
	}
	if o.PendingKey == "" {
		o.PendingKey = "pendingMobileNumber"
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 20 * time.Second}
	}
	pages, err := layout.New(layout.Options{Base: "/", Files: files})
	if err != nil {
		return nil, err
	}
	d := demo{DemoOptions: o, pages: pages, kratos: kratos{remote{o.HTTP}, o.KratosPublicURL}}
	return d.routes(), nil
}

type demo struct {
	DemoOptions
	pages  *layout.Pages
	kratos kratos
}

func (d demo) routes() http.Handler {
	// A policy on forms and frames holds for where redirects lead, too.
	servers := strings.Join([]string{"'self'", originOf(d.KratosPublicURL), originOf(d.VerifyURL)}, " ")
	engine := layout.Engine(layout.Policy{Forms: servers, Frames: servers + " " + originOf(d.PhoneURL), Ancestors: "'self'"})
	d.pages.Mount(engine)
	engine.GET("/", d.stage)
	engine.GET("/account", d.home)
	for _, kind := range []string{"login", "registration", "settings"} {
		engine.GET("/"+kind, d.flow(kind))
	}
	engine.GET("/error", d.kratosError)
	engine.NoRoute(func(c *gin.Context) {
		d.problem(c, http.StatusNotFound, "There is nothing here.")
	})
	return engine
}

type stagePage struct {
	layout.Frame
	Phone, Console, Email, Password, ConsoleToken string
}

// stage shows the account and the phone beside each other.
func (d demo) stage(c *gin.Context) {
	page := stagePage{d.frame("The whole story in one window"), d.PhoneURL, d.ConsoleURL, d.Email, d.Password, d.ConsoleToken}
	page.Home = ""
	d.pages.Show(c, http.StatusOK, "stage", page)
}

func (d demo) frame(title string) layout.Frame { return english(title, "/account") }

// english is the frame of the demo's pages.
func english(title, home string) layout.Frame {
	return layout.Frame{Title: title, Product: "Holdline", Tag: "demo", Home: home, Lang: "en", Dir: "ltr"}
}

type problemPage struct{ layout.Frame }

func (d demo) problem(c *gin.Context, status int, text string) {
	page := problemPage{d.frame("Something is in the way")}
	page.Notice = layout.Notice{Kind: "error", Text: text}
	d.pages.Show(c, status, "problem", page)
}

// broken answers for a server behind the pages that did not answer as it should.
func (d demo) broken(c *gin.Context, server string) {
	d.problem(c, http.StatusBadGateway, server+" does not answer as it should. Try again in a moment.")
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
