package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// statement is a line of MariaDB's general log.
type statement struct {
	thread int64
	text   string
}

// logged does something with the general log on, and returns what clients asked
// meanwhile, in its order. The log is off again however it ended: all that is measured
// later would pay for it.
func (s *server) logged(ctx context.Context, do func() error) ([]statement, error) {
	err := s.exec(ctx, "SET GLOBAL log_output = 'TABLE'", "TRUNCATE mysql.general_log", "SET GLOBAL general_log = 1")
	if err == nil {
		err = do()
	}
	err = errors.Join(err, s.exec(context.WithoutCancel(ctx), "SET GLOBAL general_log = 0"))
	if err != nil {
		return nil, err
	}
	return s.generalLog(ctx)
}

// generalLog reads the log by its times. Lines of one time stay in the order that they
// were written in, which is that of the table's file: MariaDB's own sorting promises
// nothing about ties.
func (s *server) generalLog(ctx context.Context) ([]statement, error) {
	rows, err := s.QueryContext(ctx, `SELECT CAST(event_time AS CHAR), thread_id, CONVERT(argument USING utf8mb4)
		FROM mysql.general_log WHERE command_type = 'Query'`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	type line struct {
		at string // as text it sorts as in time
		statement
	}
	var lines []line
	for rows.Next() {
		var l line
		if err := rows.Scan(&l.at, &l.thread, &l.text); err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	log := make([]statement, len(lines))
	for i, l := range lines {
		log[i] = l.statement
	}
	return log, rows.Err()
}
