// Package e2e drives the built holdline with a real Ory Kratos, a real MariaDB,
// a loopback SMS provider and a real browser. README.md says how to run it.
package e2e_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/holdline/holdline/e2e/harness"
)

func TestMain(m *testing.M) {
	flag.Parse()
	waitTogether()
	if err := harness.Setup(); err != nil {
		harness.Teardown()
		fmt.Fprintf(os.Stderr, "The end-to-end tests cannot run (see e2e/README.md):\n%v\n", err)
		os.Exit(1)
	}
	code := m.Run()
	harness.Teardown()
	os.Exit(code)
}

// waitTogether lets more tests run at a time than there are processors, because
// what they mostly do is wait for leases and back-offs to end.
func waitTogether() {
	for _, arg := range os.Args {
		if strings.Contains(arg, "test.parallel=") {
			return
		}
	}
	_ = flag.Set("test.parallel", "6")
}

// Numbers that are possible mobile numbers. Each test has a database of its own.
const (
	m0 = "+4915112345670"
	m1 = "+4915112345671"
	m2 = "+4915112345672"
	m3 = "+4915112345673"
	m4 = "+4915112345674"
	m5 = "+4915112345675"
)

// wantFault checks an error answer of the user API.
func wantFault(t *testing.T, got harness.Answer, status int, code string) {
	t.Helper()
	fault := got.Fault()
	if got.Status != status || fault.Code != code {
		t.Fatalf("got %d %s, want %d %s: %s", got.Status, fault.Code, status, code, got.Body)
	}
	if fault.Message == "" || fault.Description == "" || fault.TraceID == "" {
		t.Errorf("error body lacks a member: %s", got.Body)
	}
	if status == 400 && fault.Message != "Bad Request" {
		t.Errorf("message: got %q, want Bad Request", fault.Message)
	}
}

// wantEmpty checks a successful answer without a body.
func wantEmpty(t *testing.T, got harness.Answer, status int) {
	t.Helper()
	if got.Status != status || got.Body != "" {
		t.Fatalf("got %d %q, want %d and no body", got.Status, got.Body, status)
	}
}

// wantHeld checks that the identity has the old number, verified, and shows the
// new one as pending.
func wantHeld(t *testing.T, p *harness.Person, stored, pending string) {
	t.Helper()
	got := p.Identity(t)
	if got.Traits.Mobile != stored || got.Pending() != pending {
		t.Fatalf("got mobile %q, pending %q; want %q, %q", got.Traits.Mobile, got.Pending(), stored, pending)
	}
	if stored != "" && !got.MobileVerified() {
		t.Fatalf("the stored number is not marked verified any more: %+v", got.Addresses)
	}
}

// wantMade waits until the identity has the number, verified, and nothing is pending,
// in Kratos as in Holdline: an accepted code is answered before a busy Kratos has
// written the number.
func wantMade(t *testing.T, p *harness.Person, mobile string) {
	t.Helper()
	p.Eventually(t, "the number is "+mobile+", and nothing is pending", func(i harness.Identity) bool {
		return i.Traits.Mobile == mobile && i.Pending() == "" && (mobile == "" || i.MobileVerified())
	})
	harness.Eventually(t, "no claim is left", func() error {
		if c, ok := p.Claim(t); ok {
			return errNotYetWith(c)
		}
		return nil
	})
}

// wantTexts checks how many texts a number got.
func wantTexts(t *testing.T, s *harness.Stack, to string, want int) {
	t.Helper()
	if got := len(s.Provider.Texts(to)); got != want {
		t.Fatalf("texts to %s: got %d, want %d", to, got, want)
	}
}

// callsTo are those of one path: others, which nobody waits for, may come between them.
func callsTo(p *harness.Proxy, path string) []harness.Call {
	return slices.DeleteFunc(p.Calls(http.MethodPost), func(c harness.Call) bool { return c.Path != path })
}

// writes counts the PATCHes that wrote a mobile number to Kratos.
func writes(s *harness.Stack) int {
	n := 0
	for _, call := range s.KratosAdmin.Calls("PATCH") {
		if call.Status == 200 && strings.Contains(call.Body, "/traits/mobile") {
			n++
		}
	}
	return n
}

// wantWrites checks how many PATCHes wrote a number.
func wantWrites(t *testing.T, s *harness.Stack, want int) {
	t.Helper()
	if got := writes(s); got != want {
		t.Fatalf("writes to Kratos: got %d, want %d: %+v", got, want, s.KratosAdmin.Calls("PATCH"))
	}
}
