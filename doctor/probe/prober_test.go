package probe_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/doctor/probe"
	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/web"
)

const (
	hookKey  = "the hook key of the doctor's tests"
	staffKey = "the hook key of the staff's Kratos"
)

// realm is how Holdline is configured for a Kratos.
func realm(name, hookKey string) doctor.Realm {
	return doctor.Realm{Name: name, Key: "kratos", Hook: hook.Setup{
		BaseURL: "http://127.0.0.1:4478", Key: hookKey, MobileTrait: "mobile", PendingKey: "pendingMobileNumber", LocaleTrait: "locale",
	}}
}

// kratosYML is what kratos-config prints for a realm, with another address of the
// stage hook.
func kratosYML(t *testing.T, r doctor.Realm, stage string) *doctor.File {
	t.Helper()
	printed, err := hook.KratosConfig(r.Hook)
	if err != nil {
		t.Fatal(err)
	}
	url := r.Hook.BaseURL + hook.StagePath
	if !strings.Contains(string(printed), url) {
		t.Fatalf("%s is not in\n%s", url, printed)
	}
	name := filepath.Join(t.TempDir(), "kratos.yml")
	if err := os.WriteFile(name, []byte(strings.Replace(string(printed), url, stage+hook.StagePath, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := doctor.ReadKratos(name)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// holdline serves Holdline's hooks to the realms of some keys. Nothing comes of
// calls without an identity, so that no service is needed behind them.
func holdline(t *testing.T, keys ...string) (url string) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	edge := &web.Server{Log: log, NewID: func() string { return "id" }, Now: time.Now}
	engine, err := edge.Engine()
	if err != nil {
		t.Fatal(err)
	}
	var realms []hook.Options
	for _, key := range keys {
		realms = append(realms, hook.Options{Key: key, MobileTrait: "mobile", PendingKey: "pendingMobileNumber", Log: log})
	}
	hook.Mount(engine, edge, nil, realms...)
	return serve(t, engine)
}

func serve(t *testing.T, handler http.Handler) (url string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// answering is a server that answers all alike.
func answering(t *testing.T, status int, body string) (url string) {
	t.Helper()
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
}

func prober() probe.Prober { return probe.NewProber(5*time.Second, time.Now) }

// about are the findings on hooks' addresses, keys and answers.
func about(found []doctor.Finding) []string {
	var ids []string
	for _, f := range found {
		if slices.Contains([]string{
			"hook-url", "hook-url-other", "hook-key-refused", "hook-answer-yes", "hook-answer-foreign", "holdline-unreachable", "admin-listener-public",
		}, f.ID) {
			ids = append(ids, f.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func TestOnlyHoldlinesOwnAnswerIsTakenForHoldline(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, tt := range map[string]struct {
		address, public string
		want            []string
	}{
		"Holdline":                          {holdline(t, hookKey, staffKey), "", nil},
		"Holdline, and its hooks in public": {holdline(t, hookKey, staffKey), holdline(t, "another key"), []string{"admin-listener-public"}},
		"a Holdline without the realm":      {holdline(t, hookKey), "", []string{"hook-key-refused"}},
		"another server that is alive":      {answering(t, http.StatusOK, `{"status":"ok"}`), "", []string{"hook-answer-yes"}},
		"a proxy that says nothing":         {answering(t, http.StatusNoContent, ""), "", []string{"hook-answer-yes"}},
		"a proxy that knows no such path":   {answering(t, http.StatusNotFound, "404 page not found"), "", []string{"hook-answer-foreign"}},
		"a proxy that wants credentials":    {answering(t, http.StatusUnauthorized, ""), "", []string{"hook-answer-foreign"}},
		"a proxy with a fault of its own":   {answering(t, http.StatusBadRequest, "400 Bad Request"), "", []string{"hook-answer-foreign"}},
		"a proxy that sends elsewhere":      {answering(t, http.StatusMovedPermanently, ""), "", []string{"hook-answer-foreign"}},
		"nobody":                            {gone.URL, "", []string{"holdline-unreachable"}},
	} {
		t.Run(name, func(t *testing.T) {
			customers, employees := realm("PRIMARY", hookKey), realm("STAFF", staffKey)
			customers.Hook.BaseURL, employees.Hook.BaseURL = tt.address, tt.address
			seen := prober().Holdline(t.Context(), tt.public, customers, employees)
			found := doctor.Examine(doctor.Evidence{Live: &doctor.Live{Holdline: seen}})
			if got := about(found); !slices.Equal(got, tt.want) {
				t.Errorf("found %v, want %v", got, tt.want)
			}
		})
	}
}

// Kratos may know Holdline by another name than the doctor's machine: who answers
// there decides.
func TestAHooksOwnAddressIsAsked(t *testing.T) {
	for name, tt := range map[string]struct {
		address string
		want    []string
	}{
		"a Holdline":                    {holdline(t, hookKey), []string{"hook-url-other"}},
		"another server":                {answering(t, http.StatusNotFound, ""), []string{"hook-url"}},
		"a server that says yes to all": {answering(t, http.StatusOK, "{}"), []string{"hook-answer-yes"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := realm("PRIMARY", hookKey)
			r.File = kratosYML(t, r, tt.address)
			r.Describe = func(map[string]any) doctor.Trait { return doctor.Trait{} }
			seen := doctor.Kratos{HookAnswers: prober().Kratos(t.Context(), r).HookAnswers}
			found := doctor.Examine(doctor.Evidence{
				Realms: []doctor.Realm{r}, Live: &doctor.Live{Kratos: map[string]doctor.Kratos{"PRIMARY": seen}},
			})
			if got := about(found); !slices.Equal(got, tt.want) {
				t.Errorf("found %v, want %v", got, tt.want)
			}
		})
	}
}

// The key is Kratos' to send: the doctor shows it to no server that kratos.yml
// names.
func TestTheKeyIsNotShownToOtherServers(t *testing.T) {
	var asked []string
	other := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, strings.TrimSpace(r.URL.Path+" "+r.Header.Get(hook.KeyHeader)))
		w.WriteHeader(http.StatusNotFound)
	}))
	r := realm("PRIMARY", hookKey)
	r.File = kratosYML(t, r, other)
	prober().Kratos(t.Context(), r)
	if !slices.Equal(asked, []string{hook.StagePath}) {
		t.Errorf("asked %q", asked)
	}
}
