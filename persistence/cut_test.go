package persistence_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/holdline/holdline/persistence"
)

// cut puts a relay before a server that breaks the connection off instead of
// passing the first statement on that has the word, as when a node of a cluster
// goes away. It returns the DSN, and how often it has cut.
func cut(t *testing.T, dsn, word string) (string, *atomic.Int32) {
	t.Helper()
	cfg, err := mysql.ParseDSN(strings.TrimPrefix(dsn, "mysql://"))
	if err != nil {
		t.Fatal(err)
	}
	network, address := cfg.Net, cfg.Addr
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
					if err != nil || bytes.Contains(buffer[:n], []byte(word)) && cuts.CompareAndSwap(0, 1) {
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
	cfg.Net, cfg.Addr = "tcp", listener.Addr().String()
	return "mysql://" + cfg.FormatDSN(), cuts
}

// A replica that starts while a node of its cluster goes away must not take the
// broken connection for a schema that is missing, nor end.
func TestAConnectionThatBreaksIsNoOutdatedSchema(t *testing.T) {
	dsn := mariaDB(t)
	migrated(t, dsn)
	through, cuts := cut(t, dsn, "schema_migrations")
	wantOutdated(t, opened(t, through), false)
	if cuts.Load() != 1 {
		t.Error("nothing was cut")
	}
}

func TestConnectionsThatBreakDoNotEndAMigration(t *testing.T) {
	for _, word := range []string{"CREATE TABLE IF NOT EXISTS schema_lock", "INSERT INTO schema_lock", "DELETE FROM schema_lock"} {
		t.Run(word, func(t *testing.T) {
			through, cuts := cut(t, mariaDB(t), word)
			db := opened(t, through)
			if err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n, err := db.Count(t.Context(), "SELECT COUNT(*) FROM schema_lock"); err != nil || n != 0 {
				t.Errorf("locks that are left: %d, %v", n, err)
			}
			if cuts.Load() != 1 {
				t.Error("nothing was cut")
			}
		})
	}
}

func TestWhatIsDoneAgainIsCounted(t *testing.T) {
	dsn := mariaDB(t)
	migrated(t, dsn)
	through, cuts := cut(t, dsn, "claims")
	db := opened(t, through)
	if _, err := persistence.NewStore(db).Find(t.Context(), "none"); err != nil {
		t.Fatal(err)
	}
	conflicts, connections := db.Repeats()
	if conflicts != 0 || connections != 1 || cuts.Load() != 1 {
		t.Errorf("%d conflicts, %d connections, %d cuts", conflicts, connections, cuts.Load())
	}
}
