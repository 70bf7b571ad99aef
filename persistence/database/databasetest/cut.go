package databasetest

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// Cut puts a relay before a server that breaks the connection off instead of
// passing the first statement on that has the word, as when a node of a cluster
// goes away. It returns the DSN, and how often it has cut.
func Cut(t *testing.T, dsn, word string) (string, *atomic.Int32) {
	t.Helper()
	return Relay(t, dsn, word, func(_, _ net.Conn, _ []byte) {})
}

// Relay stands before a server, and gives the first statement that has the word away
// instead of passing it on. The connection ends when that returns.
func Relay(t *testing.T, dsn, word string, met func(client, server net.Conn, statement []byte)) (string, *atomic.Int32) {
	t.Helper()
	network, address, through := addressed(t, dsn)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cuts := new(atomic.Int32)
	relayed := make(chan struct{})
	go func() {
		defer close(relayed)
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := (&net.Dialer{}).DialContext(t.Context(), network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() { _, _ = io.Copy(client, server); _ = client.Close() }()
			go func() {
				defer func() { _ = server.Close(); _ = client.Close() }()
				buffer := make([]byte, 64<<10)
				for {
					n, err := client.Read(buffer)
					if err != nil {
						return
					}
					if bytes.Contains(buffer[:n], []byte(word)) && cuts.CompareAndSwap(0, 1) {
						met(client, server, buffer[:n])
						return
					}
					if _, err := server.Write(buffer[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-relayed })
	return through(listener.Addr().String()), cuts
}

// addressed reads where a DSN's server is, and returns what makes the DSN of another
// address.
func addressed(t *testing.T, dsn string) (network, address string, through func(string) string) {
	t.Helper()
	rest, isMySQL := strings.CutPrefix(dsn, "mysql://")
	if !isMySQL {
		at, err := url.Parse(dsn)
		if err != nil {
			t.Fatal("the DSN is no URL")
		}
		return "tcp", at.Host, func(other string) string { at.Host = other; return at.String() }
	}
	cfg, err := mysql.ParseDSN(rest)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Net, cfg.Addr, func(other string) string {
		cfg.Net, cfg.Addr = "tcp", other
		return "mysql://" + cfg.FormatDSN()
	}
}
