package doctor_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/doctor"
	"github.com/holdline/holdline/hook"
	"github.com/holdline/holdline/internal/web"
)

// holdline serves Holdline's hooks to the realms of some keys. Nothing comes of
// calls without an identity, so that no service is needed behind them.
func holdline(t *testing.T, keys ...string) (url string) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	server := &web.Server{Log: log, NewID: func() string { return "id" }, Now: time.Now}
	engine, err := server.Engine()
	if err != nil {
		t.Fatal(err)
	}
	var realms []hook.Options
	for _, key := range keys {
		realms = append(realms, hook.Options{Key: key, MobileTrait: "mobile", PendingKey: "pendingMobileNumber", Log: log})
	}
	hook.Mount(engine, server, nil, realms...)
	return serve(t, engine)
}

func serve(t *testing.T, handler http.Handler) (url string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// says is a server that answers all alike.
func says(t *testing.T, status int, body string) (url string) {
	t.Helper()
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
}

func looker() doctor.Looker { return doctor.NewLooker(5*time.Second, time.Now) }

func TestOnlyHoldlinesOwnAnswerIsTakenForHoldline(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, tt := range map[string]struct {
		address, public string
		finds           []string
	}{
		"Holdline":                          {holdline(t, hookKey, staffKey), "", nil},
		"Holdline, and its hooks in public": {holdline(t, hookKey, staffKey), holdline(t, "another key"), []string{"admin-listener-public"}},
		"a Holdline without the realm":      {holdline(t, hookKey), "", []string{"hook-key-refused"}},
		"another server that is alive":      {says(t, http.StatusOK, `{"status":"ok"}`), "", []string{"hook-answer-yes"}},
		"a proxy that says nothing":         {says(t, http.StatusNoContent, ""), "", []string{"hook-answer-yes"}},
		"a proxy that knows no such path":   {says(t, http.StatusNotFound, "404 page not found"), "", []string{"hook-answer-foreign"}},
		"a proxy that wants credentials":    {says(t, http.StatusUnauthorized, ""), "", []string{"hook-answer-foreign"}},
		"a proxy with a fault of its own":   {says(t, http.StatusBadRequest, "400 Bad Request"), "", []string{"hook-answer-foreign"}},
		"a proxy that sends elsewhere":      {says(t, http.StatusMovedPermanently, ""), "", []string{"hook-answer-foreign"}},
		"nobody":                            {gone.URL, "", []string{"holdline-unreachable"}},
	} {
		t.Run(name, func(t *testing.T) {
			customers, employees := realm(), staff()
			customers.Hook.BaseURL, employees.Hook.BaseURL = tt.address, tt.address
			seen := looker().Holdline(t.Context(), tt.public, customers, employees)
			found := doctor.Examine(doctor.View{Setup: setup(), Live: &doctor.Live{Holdline: seen}})
			if got := ids(found, doctor.Failure); !slices.Equal(got, tt.finds) {
				t.Errorf("failures %v, want %v", got, tt.finds)
			}
			if len(found) != len(tt.finds) {
				t.Errorf("found %+v", found)
			}
		})
	}
}

// Kratos may know Holdline by another name than the doctor's machine: who answers
// there decides.
func TestAHooksOwnAddressIsAsked(t *testing.T) {
	for name, tt := range map[string]struct {
		address      string
		finds, warns []string
	}{
		"a Holdline":                    {holdline(t, hookKey), nil, []string{"hook-url-other"}},
		"another server":                {says(t, http.StatusNotFound, ""), []string{"hook-url"}, nil},
		"a server that says yes to all": {says(t, http.StatusOK, "{}"), []string{"hook-answer-yes"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tree := good(t)
			edit{Set: "selfservice.flows.settings.after.profile.hooks[0].config.url", To: tt.address + hook.StagePath}.apply(t, tree, "")
			v := well(t)
			v.Realms[0].File = kratosYML(t, fill(t, t.TempDir(), tree))
			kratos := v.Live.Kratos["PRIMARY"]
			kratos.HookAnswers = looker().Kratos(t.Context(), v.Realms[0]).HookAnswers
			v.Live.Kratos["PRIMARY"] = kratos
			found := doctor.Examine(v)
			if got := ids(found, doctor.Failure); !slices.Equal(got, tt.finds) {
				t.Errorf("failures %v, want %v", got, tt.finds)
			}
			if got := ids(found, doctor.Warning); !slices.Equal(got, tt.warns) {
				t.Errorf("warnings %v, want %v", got, tt.warns)
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
	tree := good(t)
	edit{Set: "selfservice.flows.settings.after.profile.hooks[0].config.url", To: other + hook.StagePath}.apply(t, tree, "")
	r := realm()
	r.File = kratosYML(t, fill(t, t.TempDir(), tree))
	looker().Kratos(t.Context(), r)
	if !slices.Equal(asked, []string{hook.StagePath}) {
		t.Errorf("asked %q", asked)
	}
}
