package doctor

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The rules of a test text, beside those of [Rules], which send nothing.
var (
	testRefused = Rule{
		"test-text-refused", Warning, NotWorking,
		"A gateway did not take the test text.",
		"Texts go out by the gateways behind it, if there are any.",
		"Look at what the provider answered.",
	}
	testNotSent = Rule{
		"test-text-not-sent", Failure, NotWorking,
		"No gateway took the test text.",
		"No code goes out.",
		"Look at what the providers answered.",
	}
)

// Attempt is a test text that was given to one gateway.
type Attempt struct {
	Key        string     `json:"key"` // the gateway's place in the configuration
	Gateway    string     `json:"gateway"`
	Type       string     `json:"type"`
	Outcome    Outcome    `json:"outcome"`
	Reason     string     `json:"reason,omitempty"`
	ProviderID string     `json:"provider_id,omitempty"`
	Exchanges  []Exchange `json:"exchanges"`
}

// Outcome is what a gateway's answer means.
type Outcome string

// The outcomes.
const (
	OutcomeSent    Outcome = "sent"
	OutcomeRefused Outcome = "refused"         // this gateway will never take the text
	OutcomeAccount Outcome = "account refused" // the provider refuses the credentials, or the credit is used up
	OutcomeLater   Outcome = "not now"         // another try may fare better
	OutcomeUnclear Outcome = "unclear"         // no answer came to the whole request
	OutcomeUnsure  Outcome = "not understood"  // nobody can tell what the answer means
)

// Exchange is a request and its answer, with secrets masked.
type Exchange struct {
	Method   string   `json:"method"`
	URL      string   `json:"url"`
	Headers  []string `json:"headers"`
	Body     string   `json:"body"`
	Response *Answer  `json:"response"` // nil if none came
}

// Answer is what came back.
type Answer struct {
	Status  int      `json:"status"`
	Headers []string `json:"headers"`
	Body    string   `json:"body"`
}

// TestText makes the findings of attempts: a failure if nobody took the text.
func TestText(attempts []Attempt) []Finding {
	var found []Finding
	rule := testNotSent
	if slices.ContainsFunc(attempts, func(a Attempt) bool { return a.Outcome == OutcomeSent }) {
		rule = testRefused
	}
	for _, a := range attempts {
		if a.Outcome != OutcomeSent {
			found = append(found, rule.at(key(a.Key), fmt.Sprintf("The gateway %s: %s (%s).", a.Gateway, a.Outcome, a.Reason)))
		}
	}
	return order(found)
}

const (
	// shortestSecret keeps values that are too short from masking everything.
	shortestSecret = 4
	longestShown   = 4000
	masked         = "***"
)

// Mask hides what must not be shown of requests and answers.
type Mask struct {
	values []string
	number string // digits
}

// NewMask hides values wherever they stand, and the middle of a number.
func NewMask(secrets []string, number string) Mask {
	m := Mask{number: digitsOf(number)}
	for _, secret := range secrets {
		if len(secret) < shortestSecret {
			continue
		}
		quoted, _ := json.Marshal(secret) //nolint:errchkjson // Text always has a JSON form.
		m.values = append(
			m.values, secret, strings.Trim(string(quoted), `"`), url.QueryEscape(secret), url.PathEscape(secret),
			base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
		)
	}
	slices.SortFunc(m.values, func(a, b string) int { return len(b) - len(a) })
	m.values = slices.Compact(m.values)
	return m
}

// secretNames are what fields with secrets are called.
const secretNames = `[\w.-]*(?:key|secret|token|passw|pwd|auth|signature|credential)[\w.-]*` //nolint:gosec // Names, and no secrets.

var (
	jsonSecrets  = regexp.MustCompile(`(?i)(\\*"` + secretNames + `\\*"\s*:\s*)(?:\\+"[^"]*"|"(?:[^"\\]|\\.)*"|[-\d.eE+]+)`)
	fieldSecrets = regexp.MustCompile(`(?i)((?:^|[?&\s])` + secretNames + `=)[^&\s"\\<]*`)
	tagSecrets   = regexp.MustCompile(`(?i)(<` + secretNames + `>)[^<]*`)
	userInfo     = regexp.MustCompile(`//[^/@\s]*@`)
	numbers      = regexp.MustCompile(`\d{7,}`)
	plainHeaders = []string{
		"Accept", "Content-Length", "Content-Type", "Date", "Host", "Idempotency-Key", "Retry-After", "Server", "User-Agent",
		"X-Acs-Action", "X-Acs-Version", "X-Request-Id", "Request-Id",
	}
)

// Text hides what it knows, and what fields with the names of secrets hold.
func (m Mask) Text(text string) string {
	for _, value := range m.values {
		text = strings.ReplaceAll(text, value, masked)
	}
	text = userInfo.ReplaceAllString(text, "//"+masked+"@")
	text = jsonSecrets.ReplaceAllString(text, `${1}"`+masked+`"`)
	text = fieldSecrets.ReplaceAllString(text, "${1}"+masked)
	text = tagSecrets.ReplaceAllString(text, "${1}"+masked)
	return numbers.ReplaceAllStringFunc(text, func(run string) string {
		if m.number == "" || !strings.HasSuffix(m.number, run) && !strings.Contains(run, m.number) {
			return run
		}
		return run[:2] + strings.Repeat("*", len(run)-4) + run[len(run)-2:]
	})
}

// Body is text that people can read, and no more of it than they will.
func (m Mask) Body(body []byte) string {
	text := m.Text(strings.ToValidUTF8(string(body), "\uFFFD"))
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
	if utf8.RuneCountInString(text) > longestShown {
		text = string([]rune(text)[:longestShown]) + "…"
	}
	return text
}

// Headers are lines in order. Of any but the usual ones the value is hidden.
func (m Mask) Headers(header http.Header) []string {
	lines := []string{}
	for name, values := range header {
		for _, value := range values {
			if !slices.Contains(plainHeaders, http.CanonicalHeaderKey(name)) {
				value = masked
			}
			lines = append(lines, name+": "+m.Text(value))
		}
	}
	slices.Sort(lines)
	return lines
}

func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// write is an attempt for people.
func (a Attempt) write(out *strings.Builder) {
	fmt.Fprintf(out, "GATEWAY  %s  (%s, %s)\n", a.Gateway, a.Type, a.Key)
	paragraph(out, "result", strings.TrimSpace(string(a.Outcome)+" "+bracketed(a.ProviderID, "id ")+" "+bracketed(a.Reason, "")))
	for _, e := range a.Exchanges {
		lines(out, "asked", slices.Concat([]string{e.Method + " " + e.URL}, e.Headers, split(e.Body)))
		if e.Response == nil {
			lines(out, "answered", []string{"nothing"})
			continue
		}
		status := strings.TrimSpace(fmt.Sprintf("%d %s", e.Response.Status, http.StatusText(e.Response.Status)))
		lines(out, "answered", slices.Concat([]string{status}, e.Response.Headers, split(e.Response.Body)))
	}
	out.WriteByte('\n')
}

func bracketed(text, before string) string {
	if text == "" {
		return ""
	}
	return "(" + before + text + ")"
}

func split(body string) []string {
	if body = strings.TrimSpace(body); body == "" {
		return nil
	}
	return append([]string{""}, strings.Split(body, "\n")...)
}

// lines writes lines as they are, under a word.
func lines(out *strings.Builder, word string, text []string) {
	for i, line := range text {
		if i > 0 {
			word = ""
		}
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("      %-9s| %s", word, line), " "))
	}
}
