package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Phone makes the tab a small phone's.
func (b *Tab) Phone(t testing.TB) {
	t.Helper()
	b.do(t, "be a phone", chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
}

// DesktopSize makes the tab as large as a desktop's.
func (b *Tab) DesktopSize(t testing.TB) {
	t.Helper()
	b.do(t, "be large", chromedp.EmulateViewport(1280, 900))
}

// Wide makes the tab so many pixels wide.
func (b *Tab) Wide(t testing.TB, width int) {
	t.Helper()
	b.do(t, "be wide", chromedp.EmulateViewport(int64(width), 800))
}

// Still asks pages for no motion, in frames from elsewhere too.
func (b *Tab) Still(t testing.TB) {
	t.Helper()
	b.do(t, "be still", command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
	}))
}

// NoScripts switches the pages' scripts off.
func (b *Tab) NoScripts(t testing.TB) {
	t.Helper()
	b.scripts(t, false)
	b.scripted = false
}

func (b *Tab) scripts(t testing.TB, on bool) {
	t.Helper()
	b.do(t, "switch scripts", command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}))
}

// Dark asks for dark pages, or light ones.
func (b *Tab) Dark(t testing.TB, dark bool) {
	t.Helper()
	scheme := map[bool]string{true: "dark", false: "light"}[dark]
	b.do(t, "be "+scheme, command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}))
}

// Speaks asks for pages in languages, best first, as Accept-Language does.
func (b *Tab) Speaks(t testing.TB, languages string) {
	t.Helper()
	b.do(t, "speak "+languages, command(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
		Headers: network.Headers{"Accept-Language": languages},
	}))
}

// AtTheEdge gives the tab the connection of a phone far from its mast: each answer takes more
// than half a second, and 30 KiB a second are all there is.
func (b *Tab) AtTheEdge(t testing.TB) {
	t.Helper()
	b.do(t, "be at the edge of the network",
		command(network.Enable, network.EnableParams{}),
		command(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Latency: 600, DownloadThroughput: 30 << 10, UploadThroughput: 10 << 10}},
		}))
}

// SignInAs gives the browser a person's session.
func (b *Tab) SignInAs(t testing.TB, p *Person) {
	t.Helper()
	b.SignInAt(t, p, p.stack.Holdline.PublicURL)
}

// SignInAt gives the browser a person's session at a server.
func (b *Tab) SignInAt(t testing.TB, p *Person, url string) {
	t.Helper()
	request := http.Request{Header: http.Header{"Cookie": {p.Cookies(t)}}}
	var cookies []*network.CookieParam
	for _, c := range request.Cookies() {
		cookies = append(cookies, &network.CookieParam{Name: c.Name, Value: c.Value, URL: url, HTTPOnly: true})
	}
	b.do(t, "sign in", command(network.SetCookies, network.SetCookiesParams{Cookies: cookies}))
}

// SignOut forgets all cookies.
func (b *Tab) SignOut(t testing.TB) {
	t.Helper()
	b.do(t, "forget cookies", command(network.ClearBrowserCookies, cdp.Empty{}))
}

func command[In, Out any](c cdp.Command[In, Out], in In) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, c, in)
		return err
	})
}

// Press presses keys, one after the other, on whatever has the focus.
func (b *Tab) Press(t testing.TB, keys string) {
	t.Helper()
	b.do(t, fmt.Sprintf("press %q", keys), chromedp.KeyEvent(keys))
}

// PressToGo presses keys and waits until the page that they lead to is loaded.
func (b *Tab) PressToGo(t testing.TB, keys string) {
	t.Helper()
	b.do(t, fmt.Sprintf("press %q", keys), func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(keys))
		return chromedp.Void{}, err
	})
}

// Back is the browser's button.
func (b *Tab) Back(t testing.TB) {
	t.Helper()
	Eval[bool](t, b, `window.here = true, history.back(), true`)
	Eventually(t, "another page is shown", func() error {
		ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
		defer cancel()
		gone, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.here !== true && document.readyState === "complete"`))
		if err == nil && !gone {
			err = errNotYet
		}
		return err
	})
}

// Reload loads the page again.
func (b *Tab) Reload(t testing.TB) {
	t.Helper()
	b.do(t, "reload", chromedp.Reload())
}

// Eval evaluates an expression, or awaits its promise.
func Eval[T any](t testing.TB, b *Tab, expression string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("browser: %v\n%s", err, b.about())
	}
	return value
}

// Focused describes what has the focus: its id, else its name and value, else its
// words.
func (b *Tab) Focused(t testing.TB) string {
	t.Helper()
	return Eval[string](t, b, `(e => e.id || (e.name && e.name + "=" + e.value) || e.innerText || e.tagName)(document.activeElement)`)
}

// TabTo presses the tabulator until something has the focus.
func (b *Tab) TabTo(t testing.TB, id string) {
	t.Helper()
	var passed []string
	for range 60 {
		if at := b.Focused(t); at == id {
			return
		} else if passed = append(passed, at); len(passed) > 1 && at == "BODY" {
			break
		}
		b.Press(t, "\t")
	}
	t.Fatalf("the tabulator does not lead to %s, only to %q", id, passed)
}

// Sound wants a page that axe-core finds nothing wrong with, that does not
// scroll sideways and whose every id is its own; then it takes a picture of it
// under a name, where `make screenshots` wants pictures.
func (b *Tab) Sound(t testing.TB, name string) {
	t.Helper()
	b.settle(t)
	b.Shoot(t, name)
	source, err := os.ReadFile(Env.Axe)
	if err != nil {
		t.Fatal(err)
	}
	if !b.scripted { // axe is one, and needs them
		b.scripts(t, true)
		defer b.scripts(t, false)
	}
	found := Eval[string](t, b, string(source)+`;axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], rules: {"target-size": {enabled: true}}})
		.then(r => JSON.stringify(r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.map(n => n.html + " — " + n.failureSummary)}))))`)
	var violations []struct {
		ID, Help string
		Nodes    []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		t.Errorf("%s: %s: %s\n\t%s", name, v.ID, v.Help, strings.Join(v.Nodes, "\n\t"))
	}
	if wide := Eval[int](t, b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
		t.Errorf("%s: the page is %d pixels wider than its window", name, wide)
	}
}

// settle waits until nothing moves or changes colour any more.
func (b *Tab) settle(t testing.TB) {
	t.Helper()
	Eval[bool](t, b, `Promise.allSettled(document.getAnimations().map(a => a.finished)).then(() => true)`)
}

// Shoot keeps a picture of the whole page, if `make screenshots` asks for them.
func (b *Tab) Shoot(t testing.TB, name string) {
	t.Helper()
	keep(t, name, func() []byte { return b.Screenshot(t) })
}

// ShootTop is Shoot for what the window shows of a page that is long.
func (b *Tab) ShootTop(t testing.TB, name string) {
	t.Helper()
	keep(t, name, func() []byte { return b.ScreenshotTop(t) })
}

// ScreenshotTop is what the window shows.
func (b *Tab) ScreenshotTop(t testing.TB) []byte {
	t.Helper()
	b.settle(t)
	image, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// keep writes a picture where they are asked for.
func keep(t testing.TB, name string, take func() []byte) {
	t.Helper()
	dir := os.Getenv("HOLDLINE_SCREENSHOTS")
	if dir == "" {
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), small(t, take()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// WatchPolicy notes from now on what pages do against their security policy.
func (b *Tab) WatchPolicy(t testing.TB) {
	t.Helper()
	b.do(t, "watch the policy", command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `window.breaches = []; addEventListener("securitypolicyviolation", e => breaches.push(e.effectiveDirective + " " + e.blockedURI + " " + e.sample))`,
	}))
}

// NoBreach wants that the page has done nothing against its security policy.
func (b *Tab) NoBreach(t testing.TB) {
	t.Helper()
	if breaches := Eval[string](t, b, `breaches.join("\n")`); breaches != "" {
		t.Errorf("%s breaks its policy:\n%s", b.Where(t), breaches)
	}
}
