package harness

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Backend is a server behind a [Relay].
type Backend struct {
	Address string
	// Healthy asks the server whether it may be used; an error says no.
	Healthy func(context.Context) error
}

// Relay is a load balancer for TCP, as operators have HAProxy: it asks each
// server whether it may be used, connects to the first that may, and breaks off
// the connections of one that may not any more.
type Relay struct {
	Address string

	turns    bool
	watching context.Context
	mu       sync.Mutex
	next     int
	servers  []*relayed
}

// relayed is a server with what the relay knows of it.
type relayed struct {
	Backend
	down bool
	open map[net.Conn]struct{}
}

const (
	healthEvery   = 500 * time.Millisecond
	healthTimeout = 2 * time.Second
)

// NewRelay starts a relay that prefers the first server, or gives each its turn.
func NewRelay(t testing.TB, turns bool, backends ...Backend) *Relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Relay{Address: listener.Addr().String(), turns: turns, watching: ctx}
	for _, backend := range backends {
		r.Add(backend)
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go r.serve(client)
		}
	}()
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		for _, server := range r.all() {
			r.mark(server, true)
		}
	})
	return r
}

// Add puts one more server behind the relay.
func (r *Relay) Add(backend Backend) {
	server := &relayed{Backend: backend, open: map[net.Conn]struct{}{}}
	r.mu.Lock()
	r.servers = append(r.servers, server)
	r.mu.Unlock()
	go r.watch(server)
}

func (r *Relay) all() []*relayed {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.servers)
}

func (r *Relay) watch(server *relayed) {
	ticker := time.NewTicker(healthEvery)
	defer ticker.Stop()
	for {
		asking, cancel := context.WithTimeout(r.watching, healthTimeout)
		err := server.Healthy(asking)
		cancel()
		if r.watching.Err() != nil {
			return
		}
		r.mark(server, err != nil)
		select {
		case <-r.watching.Done():
			return
		case <-ticker.C:
		}
	}
}

func (r *Relay) mark(server *relayed, down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	server.down = down
	if down {
		for conn := range server.open {
			_ = conn.Close()
		}
	}
}

func (r *Relay) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	conn, server := r.connect()
	if conn == nil {
		return
	}
	defer func() { _ = conn.Close() }()
	r.mu.Lock()
	server.open[conn] = struct{}{}
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(server.open, conn)
		r.mu.Unlock()
	}()
	go func() {
		_, _ = io.Copy(conn, client)
		_ = conn.Close()
	}()
	_, _ = io.Copy(client, conn)
}

// connect connects to a server that may be used.
func (r *Relay) connect() (net.Conn, *relayed) {
	r.mu.Lock()
	var usable []*relayed
	for k := range r.servers {
		if server := r.servers[(r.next+k)%len(r.servers)]; !server.down {
			usable = append(usable, server)
		}
	}
	if r.turns {
		r.next++
	}
	r.mu.Unlock()
	for _, server := range usable {
		if conn, err := net.DialTimeout("tcp", server.Address, time.Second); err == nil {
			return conn, server
		}
	}
	return nil, nil
}

// BehindAdmin is the program's admin listener as a server behind a relay.
func (h *Holdline) BehindAdmin() Backend {
	address := strings.TrimPrefix(h.AdminURL, "http://")
	return Backend{Address: address, Healthy: func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}}
}

// Behind is the node as a server behind a relay.
func (n *Node) Behind() Backend { return Backend{Address: n.Address, Healthy: n.Synced} }
