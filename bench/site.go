package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/holdline/holdline/persistence/dialect"
)

// site is where databases are made to compare: a server, or a folder for SQLite's files.
type site struct {
	name, label string
	dsn         string
	mysql       *server // nil for others
	admin       *sql.DB // nil for SQLite
	values      string  // how three are written in a statement
	commits     string  // the query for how many transactions have changed rows; blank if nobody counts
	pools       []*sql.DB
	lossy       []dialect.Setting
}

// sites are all that are compared.
type sites []*site

// openSites opens SQLite in a folder, and the servers that have a DSN.
func openSites(ctx context.Context, s settings, dir string) (all sites, err error) {
	all = sites{{name: "sqlite", dsn: "sqlite://" + filepath.Join(dir, "any.db"), values: "(?, ?, ?)"}}
	for _, one := range []struct{ name, dsn string }{{"mariadb", s.dsn}, {"mysql", s.mysqlDSN}} {
		if one.dsn == "" {
			continue
		}
		server, err := openServer(ctx, one.dsn)
		if err != nil {
			return all, fmt.Errorf("%s: %w", one.name, err)
		}
		all = append(all, &site{
			name: one.name, dsn: one.dsn, mysql: server, admin: server.DB, values: "(?, ?, ?)", pools: []*sql.DB{server.DB},
			commits: "SELECT count FROM information_schema.innodb_metrics WHERE name = 'trx_commits_insert_update'",
		})
	}
	if s.postgresDSN != "" {
		all = append(all, &site{
			name: "postgres", dsn: s.postgresDSN, values: "($1, $2, $3)",
			// Only transactions that change rows, or lock them, get a number, and keep it
			// when they are rolled back. The statistics of commits come late.
			commits: "SELECT PG_SNAPSHOT_XMAX(PG_CURRENT_SNAPSHOT())::text",
		})
	}
	for _, one := range all {
		if err := one.open(ctx); err != nil {
			return all, fmt.Errorf("%s: %w", one.name, err)
		}
	}
	return all, nil
}

// open asks the server what it is.
func (s *site) open(ctx context.Context) error {
	d, pool, err := s.connect(ctx, s.dsn)
	if err != nil {
		return err
	}
	told, err := d.Server(ctx, pool)
	if err != nil {
		return err
	}
	version, _, _ := strings.Cut(strings.ReplaceAll(told.Version, "-", " "), " ") // the rest is the packager's
	s.label, s.lossy = told.Product+" "+version, told.Lossy
	if s.name == "sqlite" {
		err = pool.QueryRowContext(ctx, "SELECT SQLITE_VERSION()").Scan(&version)
		s.label = "SQLite " + version
		return err
	}
	s.admin = pool
	return nil
}

// connect opens a database with connections that are set as Holdline's.
func (s *site) connect(ctx context.Context, dsn string) (dialect.Dialect, *sql.DB, error) {
	d, err := dialect.Parse(dsn)
	if err != nil {
		return nil, nil, err
	}
	pool, err := d.Pool()
	if err != nil {
		return nil, nil, err
	}
	s.pools = append(s.pools, pool)
	return d, pool, d.Prepare(ctx, pool)
}

// fresh makes an empty database.
func (s *site) fresh(ctx context.Context, name string) (dsn string, pool *sql.DB, err error) {
	switch {
	case s.admin == nil:
		dsn = strings.TrimSuffix(s.dsn, "any.db") + name + ".db"
	case s.mysql != nil:
		dsn, err = s.mysql.fresh(ctx, name)
	default:
		dsn, err = s.freshPostgres(ctx, name)
	}
	if err != nil {
		return "", nil, err
	}
	_, pool, err = s.connect(ctx, dsn)
	return dsn, pool, err
}

func (s *site) freshPostgres(ctx context.Context, name string) (string, error) {
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + name, "CREATE DATABASE " + name} {
		if _, err := s.admin.ExecContext(ctx, statement); err != nil {
			return "", fmt.Errorf("%s: %w", statement, err)
		}
	}
	parsed, err := url.Parse(s.dsn)
	if err != nil {
		return "", errors.New("-postgres-dsn must be a URL")
	}
	parsed.Path = "/" + name
	return parsed.String(), nil
}

func (s *site) work(ctx context.Context) (w work, err error) {
	if s.commits != "" {
		err = s.admin.QueryRowContext(ctx, s.commits).Scan(&w.commits)
	}
	return w, err
}

// pids implements [served]. A MySQL's are not among them: it may have a root directory of
// its own, and tells its processes' number in a file only.
func (all sites) pids(ctx context.Context) (pids []int, err error) {
	for _, s := range all {
		var more []int
		switch {
		case s.name == "mysql":
		case s.mysql != nil:
			more, err = s.mysql.pids(ctx)
		case s.admin != nil:
			more, err = s.backends(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("processes of %s: %w", s.name, err)
		}
		pids = append(pids, more...)
	}
	return pids, nil
}

// backends are PostgreSQL's processes.
func (s *site) backends(ctx context.Context) (pids []int, err error) {
	rows, err := s.admin.QueryContext(ctx, "SELECT pid FROM pg_stat_activity")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, rows.Err()
}

func (all sites) close() error {
	var faults []error
	for _, s := range all {
		for _, pool := range s.pools {
			faults = append(faults, pool.Close())
		}
	}
	return errors.Join(faults...)
}
