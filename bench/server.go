package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// server is the MariaDB that all variants share, each with a database of its own.
type server struct {
	*sql.DB
	config *mysql.Config
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
	return &server{pool, config}, nil
}

// fresh makes an empty database and returns its DSN.
func (s *server) fresh(ctx context.Context, name string) (string, error) {
	for _, statement := range []string{"DROP DATABASE IF EXISTS ", "CREATE DATABASE "} {
		if _, err := s.ExecContext(ctx, statement+name); err != nil {
			return "", fmt.Errorf("make database: %w", err)
		}
	}
	config := s.config.Clone()
	config.DBName = name
	return "mysql://" + config.FormatDSN(), nil
}

// work is what a server has been asked for since it started.
type work struct {
	statements float64 // that read or change rows
	trips      float64 // all that clients sent, BEGIN and COMMIT too
}

// askedFor adds the status variables up that count statements
// (https://mariadb.com/kb/en/server-status-variables/).
const askedFor = `SELECT
	SUM(IF(variable_name = 'QUESTIONS', 0, variable_value)),
	SUM(IF(variable_name = 'QUESTIONS', variable_value, 0))
	FROM information_schema.global_status WHERE variable_name IN ('QUESTIONS', 'COM_SELECT', 'COM_INSERT',
	'COM_INSERT_SELECT', 'COM_UPDATE', 'COM_UPDATE_MULTI', 'COM_DELETE', 'COM_DELETE_MULTI', 'COM_REPLACE')`

func (s *server) work(ctx context.Context) (w work, err error) {
	err = s.QueryRowContext(ctx, askedFor).Scan(&w.statements, &w.trips)
	return w, err
}

// bytesPerUser is more than an indexed user takes of the buffer pool.
const bytesPerUser = 4 << 10

// makeRoom gives the server a buffer pool that an index of n users fits into
// beside the rest, and a log that takes the seeding of it.
func (s *server) makeRoom(ctx context.Context, n int) error {
	for _, statement := range []string{
		fmt.Sprintf("SET GLOBAL innodb_buffer_pool_size = %d", 256<<20+n*bytesPerUser),
		fmt.Sprintf("SET GLOBAL innodb_log_file_size = %d", 64<<20+n*bytesPerUser),
	} {
		if _, err := s.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("make room: %w", err)
		}
	}
	return nil
}

// room is the size of the buffer pool, and of what a database has, in MiB.
func (s *server) room(ctx context.Context, database string) (pool, data int, err error) {
	err = s.QueryRowContext(ctx, `SELECT @@innodb_buffer_pool_size DIV 1048576, SUM(data_length + index_length) DIV 1048576
		FROM information_schema.tables WHERE table_schema = ?`, database).Scan(&pool, &data)
	return pool, data, err
}
