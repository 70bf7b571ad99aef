package layout_test

import (
	"bytes"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/holdline/holdline/portal/layout"
)

func TestThemeReplacesTheAccent(t *testing.T) {
	if got := layout.Theme("", ""); got != nil {
		t.Errorf("without colours: got %q", got)
	}
	got := string(layout.Theme("#a4161a", ""))
	if !strings.HasPrefix(got, ":root { --accent: #a4161a; --accent-strong: #7b1114; }") {
		t.Errorf("got %s", got)
	}
	dark := regexp.MustCompile(`dark\).*--accent: (#\w+)`).FindStringSubmatch(got)
	if dark == nil || contrast(dark[1], "#171e28") < 4.5 {
		t.Errorf("the dark accent cannot be read: %s", got)
	}
	if got := layout.Theme("#a4161a", "#ffb3b3"); !bytes.Contains(got, []byte("--accent: #ffb3b3;")) {
		t.Errorf("got %s", got)
	}
}

// Every pair of colours that the stylesheet puts over one another can be read.
func TestContrast(t *testing.T) {
	css, err := os.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	schemes := strings.SplitN(string(css), "@media (prefers-color-scheme: dark)", 2)
	token := regexp.MustCompile(`--([\w-]+): (#[0-9a-f]{6});`)
	for i, name := range []string{"light", "dark"} {
		tokens := map[string]string{}
		for _, m := range token.FindAllStringSubmatch(schemes[i], -1) {
			tokens[m[1]] = m[2]
		}
		for _, pair := range [][2]string{
			{"ink", "ground"},
			{"ink", "card"},
			{"ink", "sunken"},
			{"ink", "bubble"},
			{"quiet", "ground"},
			{"quiet", "card"},
			{"quiet", "sunken"},
			{"accent", "ground"},
			{"accent", "card"},
			{"accent", "sunken"},
			{"accent-strong", "card"},
			{"accent-strong", "sunken"},
			{"on-accent", "accent"},
			{"on-accent", "accent-strong"},
			{"card", "on-bad"},
			{"on-bad", "card"},
			{"on-bad", "ground"},
			{"on-info", "info"},
			{"on-good", "good"},
			{"on-warn", "warn"},
			{"on-bad", "bad"},
		} {
			if got := contrast(tokens[pair[0]], tokens[pair[1]]); got < 4.5 {
				t.Errorf("%s: %s on %s is %.2f:1, want at least 4.5:1", name, pair[0], pair[1], got)
			}
		}
		if got := contrast(tokens["edge"], tokens["card"]); got < 3 {
			t.Errorf("%s: the edge of a field is %.2f:1, want at least 3:1", name, got)
		}
	}
}

func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + .05) / (min(la, lb) + .05)
}

func luminance(colour string) float64 {
	sum := 0.
	for i, weight := range []float64{.2126, .7152, .0722} {
		n, _ := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		c := float64(n) / 255
		if c <= .04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+.055)/1.055, 2.4)
		}
	}
	return sum
}
