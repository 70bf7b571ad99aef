package config

import (
	"bytes"
	"math"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Pages says how the pages for people look, and where they may send people.
type Pages struct {
	Name              string   `koanf:"name" usage:"name on the pages (default: sms.product)"`
	Logo              string   `koanf:"logo" usage:"file of a picture beside the name, SVG or PNG, at most 256 KB"`
	Accent            string   `koanf:"accent" usage:"colour of buttons and links, #rrggbb"`
	AccentDark        string   `koanf:"accent_dark" usage:"the same in the dark scheme, #rrggbb (default: a lighter accent)"`
	ReturnURL         string   `koanf:"return_url" usage:"page that people are sent on to who have nothing to confirm; blank for Kratos' settings page"`
	AllowedReturnURLs []string `koanf:"allowed_return_urls" usage:"origins and beginnings of paths that a request's return_to may name"`
	SupportURL        string   `koanf:"support_url" usage:"page or mailto: address where people get help"`
}

const (
	largestLogo = 256 << 10
	// readable is the least contrast of text (WCAG 2.2, 1.4.3). The accent is that
	// of links, too, on the pages' grounds: --ground of the light scheme and --card
	// of the dark one, in portal/look.
	readable    = 4.5
	lightGround = "#f4f6f9"
	darkGround  = "#171e28"
)

var colour = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

func (c Config) checkPages(f *faults) {
	p := c.Pages
	f.unless(p.ReturnURL == "" || isPage(p.ReturnURL), "pages.return_url", "must be an http or https URL")
	for _, address := range p.AllowedReturnURLs {
		f.unless(isURL(address) && isPage(address), "pages.allowed_return_urls", "must be http or https URLs, each an origin and the beginning of a path")
	}
	f.unless(p.SupportURL == "" || isPage(p.SupportURL) || strings.HasPrefix(p.SupportURL, "mailto:"),
		"pages.support_url", "must be an http, https or mailto URL")
	checkColour(f, "pages.accent", p.Accent, lightGround, "light")
	checkColour(f, "pages.accent_dark", p.AccentDark, darkGround, "dark")
	if p.Logo != "" {
		f.unless(isPicture(p.Logo), "pages.logo", "must be a readable .svg or .png file of at most 256 KB")
	}
}

func checkColour(f *faults, key, value, ground, name string) {
	switch {
	case value == "":
	case !colour.MatchString(value):
		f.unless(false, key, "must be a colour as #rrggbb")
	default:
		got := contrast(value, ground)
		f.unless(got >= readable, key, "cannot be read on the "+name+" ground: its contrast is "+
			strconv.FormatFloat(math.Floor(got*100)/100, 'f', 2, 64)+":1, and 4.5:1 is the least")
	}
}

// isPage reports whether text is the address of a web page, without credentials.
func isPage(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil
}

// isOrigin reports whether text is a site's scheme, host and port, and no more.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && isPage(text) && text == u.Scheme+"://"+u.Host
}

// isPicture reports whether a file holds what its name says.
func isPicture(name string) bool {
	content, err := os.ReadFile(name) //nolint:gosec // the operator names it
	if err != nil || len(content) > largestLogo {
		return false
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png":
		return bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n"))
	case ".svg":
		return bytes.Contains(content, []byte("<svg"))
	default:
		return false
	}
}

// contrast is the ratio of two colours, from 1 to 21 (WCAG 2.2).
func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + .05) / (min(la, lb) + .05)
}

func luminance(colour string) float64 {
	sum := 0.
	for i, weight := range []float64{.2126, .7152, .0722} {
		n, _ := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8) // checked before
		part := float64(n) / 255
		if part <= .04045 {
			sum += weight * part / 12.92
		} else {
			sum += weight * math.Pow((part+.055)/1.055, 2.4)
		}
	}
	return sum
}

// Browser is the public API as browsers reach it.
func (k Kratos) Browser() string {
	if k.BrowserURL != "" {
		return strings.TrimSuffix(k.BrowserURL, "/")
	}
	return strings.TrimSuffix(k.PublicURL, "/")
}

// NoReturnURL is the value of hooks.return_url that leaves Kratos' own in force.
const NoReturnURL = "none"

// ReturnURL is where Kratos sends browsers after a profile was saved; blank if
// that is not to be set, or nothing says where the page for codes is.
func (c Config) ReturnURL() string {
	switch {
	case c.Hooks.ReturnURL == NoReturnURL:
		return ""
	case c.Hooks.ReturnURL != "":
		return c.Hooks.ReturnURL
	case c.Public.BaseURL != "":
		return strings.TrimSuffix(c.Public.BaseURL, "/") + "/verify"
	case c.Public.Port != 0:
		return "http://" + net.JoinHostPort(c.Public.Host, strconv.Itoa(c.Public.Port)) + "/verify"
	default:
		return ""
	}
}
