package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Link carries TCP connections from one part to another, and can be disturbed.
// It knows nothing of what it carries; [Proxy] is for single requests.
type Link struct {
	// Address is where the one part finds the other.
	Address string

	proxy *toxiproxy.Proxy
	made  atomic.Int32
}

// Disturbance is one of Toxiproxy's toxics, on one direction of a link.
type Disturbance struct {
	// Toxic and its Attributes are as Toxiproxy's documentation has them. The zero Toxic
	// breaks off all connections and refuses new ones.
	Toxic      string
	Attributes map[string]int
	// Requests disturbs what goes to the server, otherwise it is the answers.
	Requests bool
}

// links is what all of Toxiproxy's proxies of this process share.
var links = sync.OnceValue(func() *toxiproxy.ApiServer {
	zerolog.SetGlobalLevel(zerolog.Disabled)
	return toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
})

// NewLink returns a link to a server, given as host:port or as a URL. The server
// need not run yet.
func NewLink(t testing.TB, to string) *Link {
	t.Helper()
	l := &Link{Address: fmt.Sprintf("127.0.0.1:%d", freePort())}
	l.proxy = toxiproxy.NewProxy(links(), l.Address, l.Address, strings.TrimPrefix(to, "http://"))
	if err := l.proxy.Start(); err != nil {
		t.Fatalf("link to %s: %v", to, err)
	}
	t.Cleanup(l.proxy.Stop)
	return l
}

// URL is the link's address for HTTP.
func (l *Link) URL() string { return "http://" + l.Address }

// Disturb begins a disturbance; the returned function ends it.
func (l *Link) Disturb(d Disturbance) (heal func() error, err error) {
	if d.Toxic == "" {
		l.proxy.Stop()
		return l.proxy.Start, nil
	}
	name := fmt.Sprintf("%s-%d", d.Toxic, l.made.Add(1))
	direction := "downstream"
	if d.Requests {
		direction = "upstream"
	}
	toxic, err := json.Marshal(tree{"name": name, "type": d.Toxic, "stream": direction, "attributes": d.Attributes})
	if err != nil {
		return nil, err
	}
	if _, err := l.proxy.Toxics.AddToxicJson(bytes.NewReader(toxic)); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Toxic, err)
	}
	return func() error { return l.proxy.Toxics.RemoveToxic(context.Background(), name) }, nil
}
