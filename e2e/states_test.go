package e2e_test

import (
	"encoding/base64"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

// stateNames reads the states of a page from its source: the keys of the table that
// says their status and heading. Words of redirects are constants.
func stateNames(t *testing.T, file, table string) []string {
	t.Helper()
	source := ""
	for _, name := range []string{"../portal/verify/act.go", file} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source += string(content)
	}
	words := map[string]string{}
	for _, found := range regexp.MustCompile(`(?m)^\t(said\w+)\s+= ("[\w-]+")`).FindAllStringSubmatch(source, -1) {
		words[found[1]] = found[2]
	}
	_, rows, found := strings.Cut(source, "var "+table+" = map[string]struct {")
	rows, _, whole := strings.Cut(rows, "\n}\n\n")
	if !found || !whole {
		t.Fatalf("%s has no table %s", file, table)
	}
	var names []string
	for _, row := range regexp.MustCompile(`(?m)^\t("[\w-]+"|said\w+):\s+\{`).FindAllStringSubmatch(rows, -1) {
		name := row[1]
		if word, ok := words[name]; ok {
			name = word
		}
		names = append(names, strings.Trim(name, `"`))
	}
	return names
}

// stateSheet looks at every state once, or in every width and scheme where pictures are
// wanted, and keeps what a sheet of all of them needs.
type stateSheet struct {
	t    *testing.T
	tab  *harness.Tab
	seen map[string]bool
	rows []string
}

var widths = []int{360, 768, 1280}

// look wants a state to be shown, sound, and with a way on as its first button.
func (g *stateSheet) look(page, want, note string) {
	g.t.Helper()
	g.tab.Await(g.t, `section[data-state="`+want+`"]`, page+" is in the state "+want, false, func(string) bool { return true })
	name := page + "-" + want
	g.seen[name] = true
	if note != "" {
		name += "-" + note
	}
	way := harness.Eval[string](g.t, g.tab, `(b => b ? b.innerText + (b.href ? " → " + new URL(b.href).pathname : "") : "")(document.querySelector("main button:not(.plain), main .button:not(.plain)"))`)
	if passive := want == "taken_back" || want == "late" || want == "dead" || want == "busy" || page == "dispute" && want == "away"; way == "" && !passive {
		g.t.Errorf("%s has no way on as its main button", name)
	}
	wanted := os.Getenv("HOLDLINE_SCREENSHOTS") != ""
	turn, picture := len(g.rows), ""
	for i, width := range widths {
		for j, dark := range []bool{false, true} {
			if !wanted && (turn%len(widths) != i || turn/len(widths)%2 != j) {
				continue
			}
			g.tab.Wide(g.t, width)
			g.tab.Dark(g.t, dark)
			g.tab.Sound(g.t, fmt.Sprintf("state-%s-%d%s", name, width, map[bool]string{true: "-dark"}[dark]))
			if wanted && i+j == 0 { // nothing moves any more
				picture = `<img width="220" alt="" src="data:image/png;base64,` + base64.StdEncoding.EncodeToString(g.tab.Screenshot(g.t)) + `">`
			}
		}
	}
	g.rows = append(g.rows, `<figure><figcaption><b>`+html.EscapeString(name)+`</b><br>`+html.EscapeString(way)+`</figcaption>`+picture+`</figure>`)
}

// complete wants every state of the code to have been looked at, and no other.
func (g *stateSheet) complete(want []string) {
	g.t.Helper()
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(g.seen)); len(want) < 20 || !slices.Equal(got, want) {
		g.t.Errorf("looked at\n%v\nthe code has\n%v", got, want)
	}
}

// Every state of the pages for people, on phones, tablets and desktops, light and dark:
// axe finds nothing, nothing is wider than the screen, and there is a way on. The list is
// that of the code, so that a new state needs its picture.
func TestPageStates(t *testing.T) {
	t.Parallel()
	mails := newMailbox(t)
	s, site := pages(t, harness.Overlay{
		"limits": harness.Overlay{"resend_cooldown": "0s"},
		"notices": harness.Overlay{"webhook": harness.Overlay{"request_config": harness.Overlay{
			"url": mails.url, "body": "base64://" + base64.StdEncoding.EncodeToString([]byte("function(ctx) ctx")),
		}}},
	})
	bob := s.NewPerson(t, m0)
	bob.Ask(t, m1)
	g := &stateSheet{t: t, tab: harness.NewBrowser(t), seen: map[string]bool{}}
	tab := g.tab
	tab.SignInAs(t, bob)
	address := s.Holdline.PublicURL + pagePath
	show := func(said, want, note string) {
		t.Helper()
		tab.Open(t, address+"?said="+said)
		g.look("verify", want, note)
	}

	show("", "waiting", "")
	for _, said := range []string{"resent", "wrong", "no-code", "too-soon", "too-many-texts", "country-full", "not-served"} {
		show(said, said, "")
	}
	show("away", "failed-now", "")
	texts := map[string]string{"queued": "queued", "failed": "failed"}
	for note, text := range texts {
		bob.RewriteTexts(t, "state = '"+text+"', done_at = NULL, due_at = '2099-01-01'")
		show("", "waiting", note)
	}
	bob.RewriteTexts(t, "state = 'sent'")
	bob.ExpireCode(t)
	show("", "expired", "")
	bob.Rewrite(t, "code_number = 0, code_expires = NULL")
	show("", "untexted", "")
	s.KratosPublic.On(harness.Rule{Drop: true})
	show("", "away", "")
	s.KratosPublic.Heal()
	tab.Open(t, site.URL+"/elsewhere")
	harness.Eval[bool](t, tab, `(form => { form.method = "post"; form.action = `+fmt.Sprintf("%q", address)+`; document.body.append(form); setTimeout(() => form.submit()); return true })(document.createElement("form"))`)
	g.look("verify", "forbidden", "")
	stranger := &stateSheet{t: t, tab: harness.NewBrowser(t), seen: g.seen, rows: g.rows}
	stranger.tab.Open(t, address+"?said=back")
	stranger.look("verify", "signed-out", "")
	g.rows = stranger.rows

	bob.Rewrite(t, "state = 'verified', due_at = NULL, code_number = 1")
	show("done", "saving", "")
	bob.Rewrite(t, "held_identity = NULL, state = 'cancelled', ended_at = UTC_TIMESTAMP(6), marker = 'clear', due_at = UTC_TIMESTAMP(6)")
	bob.Eventually(t, "nothing shows as pending", func(i harness.Identity) bool { return i.Pending() == "" })
	for want, ended := range map[string]string{
		"done": "applied", "cancelled": "cancelled", "lapsed": "lapsed", "locked": "locked", "taken": "conflict', reason = 'number taken",
		"taken-proved": "conflict', reason = 'number taken, and proved by its holder", "taken-bound": "conflict', reason = 'number taken, and its holder signs in by it",
		"changed": "conflict', reason = 'number changed elsewhere", "refused": "conflict', reason = 'number refused by the schema",
	} {
		bob.Rewrite(t, "ended_at = UTC_TIMESTAMP(6), state = '"+ended+"'")
		show("over", want, "")
	}
	bob.Rewrite(t, "state = 'applied', reason = ''")
	show("signed-out-others", "signed-out-others", "")
	show("others-signed-in", "others-signed-in", "")
	show("lifted", "lifted", "")
	bob.Rewrite(t, "ended_at = UTC_TIMESTAMP(6) - INTERVAL 2 HOUR")
	show("look", "nothing", "")

	eve := s.NewPerson(t, m4)
	eve.Ask(t, m5)
	link := mails.last(t, eve).TemplateData.Link
	denied := func(set, want, note string) {
		t.Helper()
		if set != "" {
			eve.Rewrite(t, set)
		}
		tab.Open(t, link)
		g.look("dispute", want, note)
	}
	denied("", "ask", "pending")
	denied("state = 'verified', due_at = NULL", "busy", "")
	const over = "held_identity = NULL, due_at = NULL, marker = '', ended_at = UTC_TIMESTAMP(6)"
	denied("state = 'cancelled', "+over, "taken_back", "")
	denied("state = 'applied', ended_at = UTC_TIMESTAMP(6) - INTERVAL 73 HOUR", "late", "")
	denied("direct = TRUE, number = '', ended_at = UTC_TIMESTAMP(6)", "ask", "removed")
	denied("direct = FALSE, number = '"+m5+"'", "ask", "changed")
	s.Database.Server.Exec(t, "RENAME TABLE "+s.Database.Name+".alarms TO "+s.Database.Name+".alarms_gone")
	denied("", "away", "")
	s.Database.Server.Exec(t, "RENAME TABLE "+s.Database.Name+".alarms_gone TO "+s.Database.Name+".alarms")
	denied("", "ask", "changed-again")
	tab.Click(t, "#deny")
	g.look("dispute", "done", "")
	tab.Open(t, s.Holdline.PublicURL+"/not-me/made-up")
	g.look("dispute", "dead", "")

	harness.Eventually(t, "sessions that began meanwhile have ended too", func() error {
		if s.Database.Count(t, "alarms", "due_at IS NOT NULL") > 0 {
			return errNotYet
		}
		return nil
	})
	eve.SignIn(t)
	tab.SignInAs(t, eve)
	show("blocked", "blocked", "")
	tab.SignInAs(t, bob)
	bob.Ask(t, m2)
	s.Holdline.Reconfigure(t, harness.Overlay{"kratos": harness.Overlay{"privileged_session_max_age": "1s"}})
	harness.Eventually(t, "the session is too old", func() error {
		if got := harness.Send(t, http.MethodGet, address, "", bob.ByCookie(t)); got.Status != http.StatusForbidden {
			return errNotYet
		}
		return nil
	})
	show("", "sign-in", "")

	var all []string
	for page, names := range map[string][]string{
		"verify": stateNames(t, "../portal/verify/states.go", "faces"), "dispute": stateNames(t, "../portal/verify/dispute.go", "disputeStates"),
	} {
		for _, name := range names {
			all = append(all, page+"-"+name)
		}
	}
	g.complete(all)
	if os.Getenv("HOLDLINE_SCREENSHOTS") != "" {
		site.Pages["/sheet"] = `<style>body{font:14px system-ui;display:grid;grid-template-columns:repeat(7,220px);gap:16px;margin:16px}figure{margin:0}img{border:1px solid #999}</style>` + strings.Join(g.rows, "")
		tab.Wide(t, 1668)
		tab.Open(t, site.URL+"/"+url.PathEscape("sheet"))
		tab.Shoot(t, "states")
	}
}
