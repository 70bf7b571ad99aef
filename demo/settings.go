package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"strconv"

	"github.com/holdline/holdline/internal/auth"
)

// Settings are what Holdline needs to know to be part of the demo.
type Settings struct {
	Dir             string // for its database
	KratosPublicURL string
	KratosAdminURL  string
	PublicPort      int
	AdminPort       int
	HookKey         string
	OTPSecret       string
	ConsoleToken    string // opens the console
	ConsoleKey      string // of the link that opens it once
	MobileTrait     string
	PendingKey      string
	DemoURL         string // of the pages, which may show Holdline's in frames
}

// PublicURL is that of Holdline's public listener.
func (s Settings) PublicURL() string { return local(s.PublicPort) }

// AccountURL is the page of a person's account.
func (s Settings) AccountURL() string { return s.DemoURL + "/account" }

// VerifyURL is the page that asks for a code.
func (s Settings) VerifyURL() string { return s.PublicURL() + "/verify" }

// AdminURL is that of Holdline's admin listener.
func (s Settings) AdminURL() string { return local(s.AdminPort) }

// ConsoleURL opens the console, once without the token.
func (s Settings) ConsoleURL() string { return s.AdminURL() + "/console/enter/" + s.ConsoleKey }

// DefaultPortBase leads to Ory's and Holdline's customary ports: Kratos on 4433
// and 4434, the pages on 4455, Holdline on 4477 and 4478.
const DefaultPortBase = 4433

// ports are all those that the demo listens on.
type ports struct {
	KratosPublic, KratosAdmin, Demo, HoldlinePublic, HoldlineAdmin int
}

// choosePorts takes the customary distances from the base, or for 0 free ports.
// A port that is in use is an error that says so.
func choosePorts(ctx context.Context, base int) (ports, error) {
	wanted := [5]int{}
	if base != 0 {
		wanted = [5]int{base, base + 1, base + 22, base + 44, base + 45}
	}
	for i, port := range wanted {
		listener, err := listen(ctx, port)
		if err != nil {
			return ports{}, fmt.Errorf("port %d cannot be used, another port base may help: %w", port, err)
		}
		defer listener.Close() // not before all are found, or one could be given twice
		if address, ok := listener.Addr().(*net.TCPAddr); ok {
			wanted[i] = address.Port
		}
	}
	return ports{wanted[0], wanted[1], wanted[2], wanted[3], wanted[4]}, nil
}

func listen(ctx context.Context, port int) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

func local(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port) }

// token returns one that nobody can guess.
func token() string {
	var random auth.TokenSecret
	_, _ = rand.Read(random[:]) // never fails, see crypto/rand
	return random.Mint()
}

// secret returns 32 characters that nobody can guess.
func secret() string { return (rand.Text() + rand.Text())[:32] }
