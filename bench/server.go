package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// server is the MariaDB that everything shares, each with a database of its own.
type server struct {
	*sql.DB
	config *mysql.Config
	dirty  int // the most pages that a set-up left unwritten
}

// openServer connects to the server of a DSN as Holdline takes it.
func openServer(ctx context.Context, dsn string) (*server, error) {
	rest, ok := strings.CutPrefix(dsn, "mysql://")
	config, err := mysql.ParseDSN(rest)
	if !ok || err != nil {
		return nil, errors.New("-dsn must be mysql://USER:PASSWORD@tcp(HOST:PORT)/NAME")
	}
	pool, err := sql.Open("mysql", rest)
	if err != nil {
		return nil, err
	}
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("MariaDB: %w", err), pool.Close())
	}
	s := &server{DB: pool, config: config}
	return s, s.exec(ctx, "SET GLOBAL innodb_monitor_enable = 'trx_%'")
}

// exec runs statements, one after the other.
func (s *server) exec(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := s.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%.60s: %w", statement, err)
		}
	}
	return nil
}

// fresh makes an empty database and returns its DSN.
func (s *server) fresh(ctx context.Context, name string) (string, error) {
	if err := s.exec(ctx, "DROP DATABASE IF EXISTS "+name, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	config := s.config.Clone()
	config.DBName = name
	return "mysql://" + config.FormatDSN(), nil
}

// work is what a server has been asked for.
type work struct {
	statements float64 // that read or change rows
	trips      float64 // all that clients sent, BEGIN and COMMIT too
	commits    float64 // of transactions that changed rows; a statement by itself is one
	reads      float64 // transactions that changed none
}

func (w work) since(before work) work {
	return work{w.statements - before.statements, w.trips - before.trips, w.commits - before.commits, w.reads - before.reads}
}

func (w work) per(n float64) work {
	return work{w.statements / n, w.trips / n, w.commits / n, w.reads / n}
}

// askedFor adds up status variables that count statements
// (https://mariadb.com/kb/en/server-status-variables/), and InnoDB's own counts of
// transactions (https://mariadb.com/kb/en/information-schema-innodb_metrics-table/).
const askedFor = `SELECT
	SUM(IF(variable_name = 'QUESTIONS', 0, variable_value)),
	SUM(IF(variable_name = 'QUESTIONS', variable_value, 0)),
	(SELECT count FROM information_schema.innodb_metrics WHERE name = 'trx_commits_insert_update'),
	(SELECT SUM(count) FROM information_schema.innodb_metrics WHERE name IN ('trx_ro_commits', 'trx_nl_ro_commits'))
	FROM information_schema.global_status WHERE variable_name IN ('QUESTIONS', 'COM_SELECT', 'COM_INSERT',
	'COM_INSERT_SELECT', 'COM_UPDATE', 'COM_UPDATE_MULTI', 'COM_DELETE', 'COM_DELETE_MULTI', 'COM_REPLACE')`

func (s *server) work(ctx context.Context) (w work, err error) {
	err = s.QueryRowContext(ctx, askedFor).Scan(&w.statements, &w.trips, &w.commits, &w.reads)
	return w, err
}

// bytesPerLine is more than an indexed user takes of the buffer pool, or a claim with
// its texts and events.
const bytesPerLine = 4 << 10

// makeRoom gives the server a buffer pool that n users or claims fit into beside the
// rest, and a log that takes the loading of them.
func (s *server) makeRoom(ctx context.Context, n int) error {
	return s.exec(ctx,
		fmt.Sprintf("SET GLOBAL innodb_buffer_pool_size = %d", 512<<20+n*bytesPerLine),
		fmt.Sprintf("SET GLOBAL innodb_log_file_size = %d", 256<<20+n*bytesPerLine/2))
}

// room is the size of the buffer pool, and of what a database has, in MiB.
func (s *server) room(ctx context.Context, database string) (pool, data int, err error) {
	err = s.QueryRowContext(ctx, `SELECT @@innodb_buffer_pool_size DIV 1048576, SUM(data_length + index_length) DIV 1048576
		FROM information_schema.tables WHERE table_schema = ?`, database).Scan(&pool, &data)
	return pool, data, err
}

// hastily runs a set-up during which commits need not be on disk. Then all is written
// to disk, so that nothing measured pays for it; what was not is reported.
func (s *server) hastily(ctx context.Context, setUp func() error) error {
	if err := s.exec(ctx, "SET GLOBAL innodb_flush_log_at_trx_commit = 0"); err != nil {
		return err
	}
	fault := setUp()
	fault = errors.Join(fault, s.exec(context.WithoutCancel(ctx), "SET GLOBAL innodb_flush_log_at_trx_commit = 1"))
	if fault != nil {
		return fault
	}
	return s.flush(ctx)
}

// flush waits until hardly a page of the buffer pool differs from the disk, and notes
// how many do if patience is over before.
func (s *server) flush(ctx context.Context) (err error) {
	const few = 500 // pages
	if err = s.exec(ctx, "SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0, GLOBAL innodb_max_dirty_pages_pct = 0, GLOBAL innodb_io_capacity = 10000"); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, s.exec(context.WithoutCancel(ctx), "SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT, GLOBAL innodb_io_capacity = DEFAULT"))
	}()
	for deadline := time.Now().Add(patience); ; {
		var pages int
		err := s.QueryRowContext(ctx, `SELECT variable_value FROM information_schema.global_status
			WHERE variable_name = 'INNODB_BUFFER_POOL_PAGES_DIRTY'`).Scan(&pages)
		if err != nil || pages < few {
			return err
		}
		if time.Now().After(deadline) {
			s.dirty = max(s.dirty, pages)
			return nil
		}
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}
