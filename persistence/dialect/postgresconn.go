package dialect

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// bound is a run-time parameter that limits a time.
type bound struct{ parameter, value string }

// postgresConnector makes connections that know how long to wait, and remember the
// statements that they have sent, which the server then need not read and plan again.
// Behind a pooler in transaction mode a connection is another one for each transaction:
// there each sets its times for itself, in the message that begins it, a statement alone
// is bounded by its context, and nothing is remembered.
type postgresConnector struct {
	cfg    *pgx.ConnConfig
	asked  bool // the DSN says how statements are sent
	bounds []bound
	pooled *atomic.Bool // there is a pooler
}

func (c *postgresConnector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

func (c *postgresConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if !c.pooled.Load() {
		conn, err := c.connect(ctx, c.bounds)
		direct := false
		if err == nil {
			direct, err = conn.isDirect(ctx)
		}
		if server := (*pgconn.PgError)(nil); errors.As(err, &server) && c.refusesBounds(server) {
			err = nil
		}
		if err == nil && direct {
			return conn, nil
		}
		if conn != nil {
			_ = conn.Close()
		}
		if err != nil {
			return nil, err
		}
		c.pooled.Store(true)
	}
	conn, err := c.connect(ctx, nil)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// isDirect reports whether nothing stands between a new connection and its server: a
// pooler has numbers of its own for those that it makes.
func (c *postgresConn) isDirect(ctx context.Context) (bool, error) {
	server := c.Conn.Conn()
	var number uint32
	if err := server.QueryRow(ctx, "SELECT PG_BACKEND_PID()", pgx.QueryExecModeSimpleProtocol).Scan(&number); err != nil {
		return false, connectError{err}
	}
	return number == server.PgConn().PID(), nil
}

// connectError is met before anybody's statement was sent.
type connectError struct{ error }

func (e connectError) Unwrap() error { return e.error }

// refusesParameter reports whether a pooler did not like what a connection began with.
func refusesParameter(server *pgconn.PgError) bool {
	return strings.Contains(server.Message, "unsupported startup parameter")
}

func (c *postgresConnector) refusesBounds(server *pgconn.PgError) bool {
	if !refusesParameter(server) {
		return false
	}
	for _, b := range c.bounds {
		if strings.HasSuffix(server.Message, b.parameter) {
			return true
		}
	}
	return false
}

// connect makes a connection with these bounds; without any, one to a pooler.
func (c *postgresConnector) connect(ctx context.Context, bounds []bound) (*postgresConn, error) {
	cfg := *c.cfg
	if c.pooled.Load() && !c.asked {
		cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	cfg.RuntimeParams = maps.Clone(c.cfg.RuntimeParams)
	for _, b := range bounds {
		cfg.RuntimeParams[b.parameter] = b.value
	}
	made, err := stdlib.GetConnector(cfg, stdlib.OptionShouldPing(neverPing), stdlib.OptionResetSession(heard)).Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := made.(*stdlib.Conn)
	if !ok {
		return nil, errors.Join(errors.New("the driver made another connection than it says"), made.Close())
	}
	return &postgresConn{Conn: conn, begin: c.begin(len(bounds) > 0)}, nil
}

// begin begins a transaction, in one message whatever it sets.
func (c *postgresConnector) begin(bounded bool) string {
	begin := "BEGIN ISOLATION LEVEL READ COMMITTED" // whatever the server's, the database's or the role's is
	if !bounded {
		for _, b := range c.bounds {
			begin += "; SET LOCAL " + b.parameter + " = '" + b.value + "'"
		}
	}
	return begin
}

// A ping would be one statement more. That the server has ended a connection is heard
// without asking.
func neverPing(context.Context, stdlib.ShouldPingParams) bool { return false }

func heard(_ context.Context, conn *pgx.Conn) error {
	if !quiet(conn.PgConn().Conn()) {
		return driver.ErrBadConn
	}
	return nil
}

// postgresConn is a connection of the driver.
type postgresConn struct {
	*stdlib.Conn
	begin    string
	readOnly bool // and so nothing to keep: elsewhere there may be a primary by now
}

// IsValid implements driver.Validator.
func (c *postgresConn) IsValid() bool { return !c.readOnly }

func (c *postgresConn) note(err error) error {
	if server := (*pgconn.PgError)(nil); err != nil && errors.As(err, &server) && postgresClass(server) == ReadOnly {
		c.readOnly = true
	}
	return err
}

func (c *postgresConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	done, err := c.Conn.ExecContext(ctx, query, args)
	return done, c.note(err)
}

func (c *postgresConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.QueryContext(ctx, query, args)
	return rows, c.note(err)
}

// CheckNamedValue cleans texts, of which the server refuses some: nothing is stored
// under such a name, and so nothing is found.
func (c *postgresConn) CheckNamedValue(value *driver.NamedValue) error {
	switch text := value.Value.(type) {
	case string:
		value.Value = clean(text)
	case *string:
		if text != nil {
			value.Value = clean(*text)
		}
	}
	return c.Conn.CheckNamedValue(value)
}

// clean replaces what no text has: NUL, and bytes that are no UTF-8.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// BeginTx implements driver.ConnBeginTx. The options are those of every transaction here.
func (c *postgresConn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	tx, err := c.Conn.Conn().BeginTx(ctx, pgx.TxOptions{BeginQuery: c.begin})
	switch {
	case err == nil:
		return postgresTx{ctx, tx}, nil
	case pgconn.SafeToRetry(err) && !isContext(err):
		return nil, driver.ErrBadConn
	default:
		return nil, err
	}
}

// batch begins a transaction and runs statements, and waits for the answers once.
func (c *postgresConn) batch(ctx context.Context, statements []Statement) ([]int64, error) {
	var batch pgx.Batch
	begin := strings.Split(c.begin, "; ") // a pipeline takes statements one by one
	for _, query := range begin {
		batch.Queue(query)
	}
	for _, s := range statements {
		values := make([]any, len(s.Values))
		for i, value := range s.Values {
			named := driver.NamedValue{Ordinal: i + 1, Value: value}
			if err := c.CheckNamedValue(&named); err != nil {
				return nil, fmt.Errorf("value %d: %w", i+1, err)
			}
			values[i] = named.Value
		}
		batch.Queue(s.Query, values...)
	}
	answers := c.Conn.Conn().SendBatch(ctx, &batch)
	counts := make([]int64, 0, batch.Len())
	for range batch.Len() {
		done, err := answers.Exec()
		if err != nil {
			_ = answers.Close() // which says the same
			return nil, err
		}
		counts = append(counts, done.RowsAffected())
	}
	return counts[len(begin):], answers.Close()
}

// postgresTx ends with the context that it began with: a COMMIT is not waited for
// without end.
type postgresTx struct {
	ctx context.Context //nolint:containedctx // database/sql has none for the end
	tx  pgx.Tx
}

func (t postgresTx) Commit() error { return t.tx.Commit(t.ctx) }

func (t postgresTx) Rollback() error { return t.tx.Rollback(t.ctx) }
