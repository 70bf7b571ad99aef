package app_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdline/holdline/app"
	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/wiring"
)

// firstLook is a configuration with the simulator as its gateway, free ports, and a
// Kratos that is away.
func firstLook(t *testing.T) config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Public.Port, cfg.Admin.Port = 0, 0
	cfg.Database.DSN = config.Secret("sqlite://" + filepath.Join(t.TempDir(), "holdline.db"))
	cfg.Secrets.OTP = []config.Secret{"a secret of codes, of at least 32 characters"}
	cfg.Hooks.APIKey = "the hook key of the tests of app"
	cfg.Kratos.PublicURL, cfg.Kratos.AdminURL = "http://127.0.0.1:1", "http://127.0.0.1:1"
	cfg.SMS.Gateways = []config.Gateway{{ID: "phone", Type: "simulator"}}
	return cfg
}

func TestHoldlineAnswersWithoutKratosUntilItIsStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	line, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- app.Run(ctx, firstLook(t), app.Options{Release: "test", Log: slog.New(slog.DiscardHandler), Out: out})
		out.Close()
	}()
	said := make([]byte, 200)
	n, err := line.Read(said)
	if err != nil {
		t.Fatal(err, <-done)
	}
	for field := range strings.FieldsSeq(strings.TrimPrefix(string(said[:n]), "listening ")) {
		listener, address, _ := strings.Cut(field, "=")
		resp, err := http.Get("http://" + address + "/health/ready")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: got %d, want it ready", listener, resp.StatusCode)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("stopped with %v", err)
	}
}

func TestWhatIsBeingAnsweredIsAnsweredBeforeTheProgramEnds(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	begun, finish := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		w.WriteHeader(http.StatusTeapot)
	})
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- app.Serve(ctx, listener, handler) }()
	answered := make(chan int, 1)
	go func() {
		resp, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			answered <- 0
			return
		}
		resp.Body.Close()
		answered <- resp.StatusCode
	}()
	<-begun
	stop()
	for { // until nobody is let in any more
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			break
		}
		conn.Close()
	}
	close(finish)
	if got := <-answered; got != http.StatusTeapot {
		t.Errorf("answered %d", got)
	}
	if err := <-served; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestAJobThatFailsIsLoggedAndDoneAgain(t *testing.T) {
	for name, atStart := range map[string]bool{"at start": true, "after its interval": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				var times []time.Duration
				ctx, stop := context.WithCancel(t.Context())
				begun := time.Now()
				job := wiring.Job{Name: "chores", Interval: time.Minute, AtStart: atStart, Once: func(context.Context) error {
					times = append(times, time.Since(begun))
					return errors.New("the store is away")
				}}
				done := make(chan error, 1)
				go func() { done <- app.Repeat(ctx, job, slog.New(slog.NewTextHandler(&log, nil))) }()
				time.Sleep(150 * time.Second)
				stop()
				if err := <-done; err != nil {
					t.Errorf("a job ended the program: %v", err)
				}
				want := []time.Duration{time.Minute, 2 * time.Minute}
				if atStart {
					want = append([]time.Duration{0}, want...)
				}
				if len(times) != len(want) || times[0] != want[0] || times[len(times)-1] != want[len(want)-1] {
					t.Errorf("done after %v, want %v", times, want)
				}
				if got := strings.Count(log.String(), `work=chores error="the store is away"`); got != len(want) {
					t.Errorf("%d failures in the log, want %d:\n%s", got, len(want), log.String())
				}
			})
		})
	}
}
