package double_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdline/holdline/bench/double"
	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/kratos"
	"github.com/holdline/holdline/smsgateway"
	"github.com/holdline/holdline/smsgateway/provider"
)

const (
	anna = "8e2c9a3e-0000-4000-8000-000000000001"
	was  = "+4915112345670"
	now  = "+4915112345671"
)

var signedIn = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// open returns Holdline's own view of a Kratos with one person.
func open(t *testing.T) (*double.Kratos, *kratos.Client) {
	t.Helper()
	fake := double.NewKratos()
	fake.Add(anna, "token", was, signedIn)
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	d, err := kratos.New(kratos.Options{
		PublicURL: server.URL, AdminURL: server.URL, MobileTrait: "mobile", PendingKey: "pendingMobileNumber",
		Plan: phone.Parser{Format: phone.FormatE164}, Timeout: 30 * time.Second,
		Now: func() time.Time { return signedIn },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return fake, d
}

func TestSessionsShowTheIdentity(t *testing.T) {
	_, d := open(t)
	got, err := d.Session(t.Context(), "", "token")
	if err != nil {
		t.Fatal(err)
	}
	got.Factors = nil // asks, and is asked nothing here
	want := claim.Caller{
		IdentityID: anna, SessionID: anna, AuthenticatedAt: signedIn, Assurance: claim.AAL1,
		Seen: &claim.Identity{ID: anna, Mobile: was, Verified: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := d.Session(t.Context(), "", "another"); !errors.Is(err, auth.ErrNoSession) {
		t.Errorf("another token: got %v, want %v", err, auth.ErrNoSession)
	}
}

// The reconciler of SCIM users reads everybody, and each request is counted.
func TestEverybodyIsListed(t *testing.T) {
	fake, d := open(t)
	const ben = "1f0c2b7d-0000-4000-8000-000000000002"
	fake.Add(ben, "another token", now, signedIn)
	before := fake.Calls()
	page, next, err := d.Page(t.Context(), "", 100)
	if err != nil || next != "" {
		t.Fatalf("next page %q, %v", next, err)
	}
	var got []string
	for _, record := range page {
		got = append(got, record.ID)
	}
	if diff := cmp.Diff([]string{ben, anna}, got); diff != "" {
		t.Error(diff)
	}
	if found, err := d.FindByIdentifier(t.Context(), ben); err != nil || found.ID != ben {
		t.Errorf("%s is found as %q (%v)", ben, found.ID, err)
	}
	if calls := fake.Calls() - before; calls != 2 {
		t.Errorf("%d calls, want 2", calls)
	}
}

func TestHoldlineWritesAsToKratos(t *testing.T) {
	fake, d := open(t)
	number := phone.FromStore(now)
	done := func() bool {
		stored, ok := fake.Identity(anna)
		return ok && stored.Done(now)
	}
	if err := d.ShowPending(t.Context(), anna, number); err != nil {
		t.Fatal(err)
	}
	if seen, err := d.Identity(t.Context(), anna); err != nil || seen.Mobile != was || seen.Pending != now || done() {
		t.Errorf("marked: got %+v, %v, done %v", seen, err, done())
	}
	if err := d.ApplyNumber(t.Context(), anna, number, true); err != nil {
		t.Fatal(err)
	}
	if seen, err := d.Identity(t.Context(), anna); err != nil || seen.Mobile != now || !seen.Verified || !done() {
		t.Errorf("adopted: got %+v, %v, done %v", seen, err, done())
	}
	if err := d.ApplyNumber(t.Context(), "8e2c9a3e-0000-4000-8000-000000000002", number, true); !errors.Is(err, claim.ErrNoIdentity) {
		t.Errorf("nobody: got %v, want %v", err, claim.ErrNoIdentity)
	}
}

func TestSchemaHasNoIdentifier(t *testing.T) {
	_, d := open(t)
	if err := d.Prefetch(t.Context()); err != nil {
		t.Error(err)
	}
	if got, err := d.CodeIdentifier(t.Context(), "default"); err != nil || got {
		t.Errorf("got %v, %v; want false", got, err)
	}
}

// A form goes through both hooks, and what stage answers is what is stored.
func TestSettingsFlow(t *testing.T) {
	fake, _ := open(t)
	var calls []string
	holdline := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls = append(calls, r.URL.Path+" "+r.Header.Get("X-Hook-Key")+" "+string(body))
		if r.URL.Path == "/hooks/settings/stage" {
			_, _ = io.WriteString(w, `{"identity":{"traits":{"mobile":"`+was+`"},"metadata_public":{"pendingMobileNumber":"`+now+`"},
				"verifiable_addresses":[{"value":"`+was+`","via":"sms","status":"completed","verified":true}]}}`)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(holdline.Close)
	fake.Hooks = double.Hooks{URL: func() string { return holdline.URL }, Key: "key", Client: holdline.Client()}
	if err := fake.Save(t.Context(), anna, "flow", now); err != nil {
		t.Fatal(err)
	}
	stored, _ := fake.Identity(anna)
	if stored.Mobile() != was || stored.MetadataPublic["pendingMobileNumber"] != now || !stored.Addresses[0].Verified {
		t.Errorf("stored: %+v", stored)
	}
	want := []string{
		`/hooks/settings/stage key {"authenticated_at":null,"flow_id":"flow","identity_id":"` + anna + `","language":"en",` +
			`"metadata_public":{},"new_mobile":"` + now + `","old_mobile":"` + was + `","pending_mobile":null,"schema_id":"default",` +
			`"traits":{"mobile":"` + now + `","username":"` + anna + `"},"verifiable_addresses":[{"value":"` + was + `","via":"sms","status":"completed","verified":true}]}`,
		`/hooks/settings/activate key {"flow_id":"flow","identity_id":"` + anna + `","language":"en",` +
			`"new_mobile":"` + was + `","pending_mobile":"` + now + `"}`,
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Error(diff)
	}
}

// A late provider has the code before it answers, and counts each text.
func TestProviderTakesTextsBeforeItAnswers(t *testing.T) {
	provider := double.NewProvider(time.Hour)
	server := httptest.NewServer(provider)
	t.Cleanup(server.Close)
	ctx, giveUp := context.WithCancel(t.Context())
	sender, ended := gateway(t, server.URL), make(chan error, 1)
	go func() {
		_, err := sender.Send(ctx, smsgateway.Message{
			ID: "1", To: phone.FromStore(now), Body: "Your code is 123456.", Code: "123456",
		})
		ended <- err
	}()
	code, err := provider.Code(t.Context(), now)
	if err != nil || code != "123456" || provider.Texts(now) != 1 || provider.Numbers() != 1 {
		t.Errorf("got %q, %v, %d texts, %d numbers", code, err, provider.Texts(now), provider.Numbers())
	}
	giveUp()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the sender: got %v, want %v", err, context.Canceled)
	}
}

func TestProviderCountsTexts(t *testing.T) {
	provider := double.NewProvider(0)
	for _, text := range []string{
		`{"to":"` + now + `","text":"Your code is 123456.","code":"123456"}`,
		`{"to":"` + now + `","text":"Your number was changed.","code":""}`,
	} {
		answer := httptest.NewRecorder()
		provider.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/",
			strings.NewReader(text)))
		if answer.Code != http.StatusOK {
			t.Fatalf("status %d", answer.Code)
		}
	}
	if got := provider.Texts(now); got != 2 {
		t.Errorf("got %d texts, want 2", got)
	}
	if got := provider.Texts(was); got != 0 {
		t.Errorf("got %d texts, want 0", got)
	}
}

// gateway sends as Holdline does with the request_config that is to be pasted.
func gateway(t *testing.T, url string) smsgateway.Gateway {
	t.Helper()
	config := double.RequestConfig(url)
	g, err := provider.NewHTTP(provider.RequestConfig{
		URL: config["url"].(string), Method: config["method"].(string), Body: config["body"].(string),
	}, provider.HTTPOptions{Timeout: 2 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return g
}
