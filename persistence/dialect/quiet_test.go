package dialect_test

import (
	"net"
	"testing"

	"github.com/holdline/holdline/persistence/dialect"
)

func pair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if client, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String()); err == nil {
		server, err = listener.Accept()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client, server
}

// await looks until a connection is as quiet as wanted; the end of a connection takes its
// way through the system.
func await(t *testing.T, conn net.Conn, want bool) {
	t.Helper()
	for dialect.Quiet(conn) != want {
		if t.Context().Err() != nil {
			t.Fatalf("quiet is not %t", want)
		}
	}
}

func TestAConnectionThatHasEndedIsHeardWithoutAsking(t *testing.T) {
	client, server := pair(t)
	if !dialect.Quiet(client) {
		t.Error("an idle connection is not quiet")
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, client, false)
}

func TestAMessageOnAnIdleConnectionIsHeardAndLeftThere(t *testing.T) {
	client, server := pair(t)
	if _, err := server.Write([]byte("57P01")); err != nil {
		t.Fatal(err)
	}
	await(t, client, false)
	got := make([]byte, 5)
	if n, err := client.Read(got); err != nil || string(got[:n]) != "57P01" {
		t.Errorf("got %q, %v", got[:n], err)
	}
}

// The driver may be reading meanwhile.
func TestListeningDoesNotWaitForAReader(t *testing.T) {
	client, server := pair(t)
	read := make(chan error, 1)
	go func() {
		_, err := client.Read(make([]byte, 1))
		read <- err
	}()
	for range 1000 {
		if !dialect.Quiet(client) {
			t.Fatal("an idle connection is not quiet")
		}
	}
	if _, err := server.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
}
