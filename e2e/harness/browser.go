package harness

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Tab is a tab of a real, headless browser.
type Tab struct {
	ctx      context.Context
	scripted bool // pages may run scripts
}

// pageTimeout bounds one action in a page.
const pageTimeout = Patience

// browser returns the run's one Chromium, which starts when it is first needed.
func browser() context.Context {
	Env.browser.Do(func() {
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(Env.Chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
			chromedp.UserDataDir(filepath.Join(Env.Dir, "chromium")), chromedp.Flag("disable-quic", true),
			chromedp.Flag("disable-component-update", true),
			chromedp.WindowSize(420, 900), // a phone's, more or less
		)
		allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, _ := chromedp.NewContext(allocator)
		if Env.browserErr = chromedp.Do(ctx, chromedp.Navigate("about:blank")); Env.browserErr != nil {
			stop()
			return
		}
		Env.browsing, Env.stopBrowsing = ctx, func() {
			_ = chromedp.Cancel(ctx)
			stop()
		}
	})
	return Env.browsing
}

// NewBrowser returns the first tab of somebody with a fresh profile: cookies and
// storage of their own, in a real, headless browser.
func NewBrowser(t testing.TB) *Tab {
	t.Helper()
	shared := browser()
	if Env.browserErr != nil {
		t.Fatalf("start the browser: %v", Env.browserErr)
	}
	ctx, cancel := chromedp.NewContext(shared, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	tab := &Tab{ctx, true}
	tab.Open(t, "about:blank")
	return tab
}

// NewTab opens another tab of the same browser.
func (b *Tab) NewTab(t testing.TB) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	tab := &Tab{ctx, true}
	tab.Open(t, "about:blank")
	return tab
}

// do runs steps. The tab's first action must not be under a time limit that
// would end the tab with it.
func (b *Tab) do(t testing.TB, what string, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- chromedp.Do(b.ctx, steps...) }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("browser: %s: %v\n%s", what, err, b.about())
		}
	case <-time.After(pageTimeout):
		t.Fatalf("browser: %s: nothing within %s\n%s", what, pageTimeout, b.about())
	}
}

// about says where the tab is, for failure messages.
func (b *Tab) about() string {
	ctx, cancel := context.WithTimeout(b.ctx, 3*time.Second)
	defer cancel()
	where, _ := chromedp.Run(ctx, chromedp.Location())
	html, _ := chromedp.Run(ctx, chromedp.Evaluate[string](
		"(e => e ? e.outerHTML : '')(document.querySelector('main') || document.body).slice(0, 4000)"))
	return where + "\n" + html
}

// Open goes to a page and waits until it is loaded.
func (b *Tab) Open(t testing.TB, url string) {
	t.Helper()
	b.do(t, "open "+url, chromedp.Navigate(url))
}

// Type replaces what an input holds, by the keyboard.
func (b *Tab) Type(t testing.TB, css, text string) {
	t.Helper()
	sel := chromedp.CSS(css)
	b.do(t, "find "+css, chromedp.WaitVisible(sel))
	// Emptied by a script, a field of a page that keeps what is in it would be filled again.
	Eval[bool](t, b, fmt.Sprintf("(document.querySelector(%q).select(), true)", css))
	b.do(t, "type into "+css, chromedp.SendKeys(sel, text))
}

// Click clicks and waits until the page that this leads to is loaded.
func (b *Tab) Click(t testing.TB, css string) {
	t.Helper()
	sel := chromedp.CSS(css)
	b.do(t, "click "+css, chromedp.WaitVisible(sel), func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.RunResponse(ctx, chromedp.Click(sel))
		return chromedp.Void{}, err
	})
}

// Code types a code. Where pages run scripts it is sent by itself.
func (b *Tab) Code(t testing.TB, code string) {
	t.Helper()
	if !b.scripted {
		b.Type(t, "#code", code)
		b.Click(t, "#confirm")
		return
	}
	sel := chromedp.CSS("#code")
	b.do(t, "type a code", chromedp.WaitVisible(sel), chromedp.Clear(sel), func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.RunResponse(ctx, chromedp.SendKeys(sel, code))
		return chromedp.Void{}, err
	})
}

// Read returns the visible text of an element, or an error while it is not there.
func (b *Tab) Read(css string) (string, error) {
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf(
		"(e => e ? 'yes' + (e.value !== undefined && e.tagName === 'INPUT' ? e.value : e.innerText) : '')(document.querySelector(%q))", css)))
	if err == nil && found == "" {
		err = fmt.Errorf("no element %s", css)
	}
	return strings.TrimSpace(strings.TrimPrefix(found, "yes")), err
}

// Where returns the page's address.
func (b *Tab) Where(t testing.TB) string {
	t.Helper()
	where, err := chromedp.Run(b.ctx, chromedp.Location())
	if err != nil {
		t.Fatal(err)
	}
	return where
}

// Await reads an element until its text satisfies a condition, loading the page
// anew each time when told so.
func (b *Tab) Await(t testing.TB, css, what string, reload bool, condition func(string) bool) string {
	t.Helper()
	var text string
	deadline := time.Now().Add(Patience)
	for {
		var err error
		if text, err = b.Read(css); err == nil && condition(text) {
			return text
		}
		if time.Now().After(deadline) {
			t.Fatalf("browser: not within %s: %s: %q (%v)\n%s", Patience, what, text, err, b.about())
		}
		if reload {
			b.do(t, "reload", chromedp.Reload())
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// Screenshot is the whole of the page that the tab shows.
func (b *Tab) Screenshot(t testing.TB) []byte {
	t.Helper()
	b.settle(t)
	image, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	return image
}
