package dialect

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
)

const (
	postgresScheme      = "postgres"
	postgresLongScheme  = "postgresql"
	postgresProgram     = "holdline"
	postgresConnections = 32
	postgresLifetime    = 5 * time.Minute
	// postgresStatements is how many a connection remembers: those that changes of
	// number are made of, and some more. The server keeps the plan of each.
	postgresStatements = 64
	// dialAllTimeout is shared by the hosts of a DSN, of which any may be the last one.
	dialAllTimeout = 6 * time.Second
)

// postgresDialect is PostgreSQL, a single server or several of which one is the primary,
// with or without a pooler before it.
type postgresDialect struct {
	cfg   *pgx.ConnConfig
	asked bool // the DSN says how statements are sent
}

// parsePostgres hands the DSN to the driver as it is: hosts, target_session_attrs, TLS,
// passwords from a file, and run-time parameters such as search_path mean what they mean
// to libpq (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING).
func parsePostgres(dsn string) (Dialect, error) {
	cfg, err := pgx.ParseConfig(dsn)
	file := (*fs.PathError)(nil)
	switch {
	case errors.As(err, &file): // such as sslrootcert
		return nil, fmt.Errorf("%w; it names a file that cannot be read: %w", ErrBadDSN, file)
	case err != nil: // whose text may quote a misplaced password
		return nil, ErrBadDSN
	}
	asked := strings.Contains(dsn, "default_query_exec_mode=")
	if !asked {
		cfg.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
		cfg.StatementCacheCapacity = postgresStatements
	}
	if cfg.ConnectTimeout == 0 {
		hosts := map[string]bool{cfg.Host: true}
		for _, other := range cfg.Fallbacks {
			hosts[other.Host] = true
		}
		cfg.ConnectTimeout = max(time.Second, min(dialTimeout, dialAllTimeout/time.Duration(len(hosts))))
	}
	cfg.RuntimeParams["timezone"] = "UTC"
	cfg.RuntimeParams["datestyle"] = "ISO, MDY"
	if cfg.RuntimeParams["application_name"] == "" {
		// With the schema, which nothing else shows to others.
		cfg.RuntimeParams["application_name"] = strings.TrimSpace(postgresProgram + " " + cfg.RuntimeParams["search_path"])
	}
	return postgresDialect{cfg, asked}, nil
}

func (postgresDialect) Name() string { return postgresScheme }

// Pool lets the server end what nobody waits for any more: the wait for a lock sooner
// than whoever asked gives up, statements and transactions later.
func (d postgresDialect) Pool() (*sql.DB, error) {
	pool := d.pool("3s", "10s", "10s")
	pool.SetMaxOpenConns(postgresConnections)
	pool.SetMaxIdleConns(postgresConnections)
	pool.SetConnMaxLifetime(postgresLifetime)
	return pool, nil
}

func (d postgresDialect) PatientPool(*sql.DB) (*sql.DB, error) {
	return d.pool(migrationWaitSeconds+"s", "0", "0"), nil
}

// pool returns connections with limits of time; what the DSN says of them prevails.
func (d postgresDialect) pool(lockWait, statement, idleTransaction string) *sql.DB {
	bounds := []bound{
		{"lock_timeout", lockWait}, {"statement_timeout", statement}, {"idle_in_transaction_session_timeout", idleTransaction},
	}
	bounds = slices.DeleteFunc(bounds, func(b bound) bool { return d.cfg.RuntimeParams[b.parameter] != "" })
	return sql.OpenDB(&postgresConnector{cfg: d.cfg, asked: d.asked, bounds: bounds, pooled: new(atomic.Bool)})
}

// BatchPool returns the pool itself.
func (postgresDialect) BatchPool(pool *sql.DB) (*sql.DB, error) { return pool, nil }

// Batch implements [Dialect] by the protocol's pipeline.
func (postgresDialect) Batch(ctx context.Context, conn *sql.Conn, statements []Statement) (counts []int64, err error) {
	err = conn.Raw(func(raw any) error {
		server, ok := raw.(*postgresConn)
		if !ok {
			return errors.ErrUnsupported
		}
		counts, err = server.batch(ctx, statements)
		return server.note(err)
	})
	return counts, err
}

func (postgresDialect) Prepare(context.Context, *sql.DB) error { return nil }

func (postgresDialect) Dialector(pool *sql.DB) gorm.Dialector {
	return gormpostgres.New(gormpostgres.Config{Conn: pool, WithoutReturning: true})
}

func (postgresDialect) Migrations() goose.Dialect { return goose.DialectPostgres }

// Now is not now(), which stands still in a transaction.
func (postgresDialect) Now() string { return "SELECT clock_timestamp()" }

// Index is blank: the planner takes no orders.
func (postgresDialect) Index(string) string { return "" }

// Contains keeps the question mark from its parenthesis, where GORM would write bytes as
// a list.
func (postgresDialect) Contains(column string) string { return "POSITION( ? IN " + column + ") > 0" }

func (postgresDialect) IsMissing() bool { return false }

// Others are connections to the database of any Holdline of the same name, and of the same
// user; but for a Holdline of another schema.
func (postgresDialect) Others(ctx context.Context, conn *sql.Conn) ([]string, error) {
	return lines(ctx, conn, `SELECT usename || ' from ' || COALESCE(HOST(client_addr), 'this machine') FROM pg_stat_activity
		WHERE datname = CURRENT_DATABASE() AND pid <> PG_BACKEND_PID() AND (
			application_name = CURRENT_SETTING('application_name') OR usename = CURRENT_USER AND application_name NOT LIKE '`+postgresProgram+`%')`)
}

func (postgresDialect) Renumber(table, column string) string {
	return "SELECT SETVAL(PG_GET_SERIAL_SEQUENCE('" + table + "', '" + column + "'), COALESCE(MAX(" + column + "), 0) + 1, FALSE) FROM " + table
}

func (postgresDialect) Explain() string { return "EXPLAIN " }

// postgresClasses are what the codes of the server's answers mean
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
var postgresClasses = map[string]Class{
	"40001": Conflict, // another transaction came first
	"40P01": Conflict, // deadlock
	"55P03": Conflict, // waited too long for a lock

	"57P03": Unsent, // the server is starting, or recovers
	"57P01": Unsent, // the server shuts down, or an administrator ends the connection, before the statement
	"57P05": Unsent, // idle for too long
	"25P03": Unsent, // idle for too long in a transaction
	"25P04": Unsent, // a transaction that lasted too long

	"57P02": Disconnected, // another process of the server crashed
	"08000": Disconnected,
	"08003": Disconnected,
	"08006": Disconnected,
	"08P01": Disconnected, // what a pooler calls all that it says

	"53000": Busy, // the server lacks something
	"53100": Busy, // disk
	"53200": Busy, // memory
	"53300": Busy, // connections
	"53400": Busy,
	"57014": Busy, // the statement was ended, by hand or for its time
	"58030": Busy, // a disk fails

	"25006": ReadOnly,

	"42P01": NoTable,
	"3F000": NoSchema,
	"42703": NoColumn,
	"42501": NoRight,

	"28000": NoLogin,
	"28P01": NoLogin, // password
	"3D000": NoLogin, // no such database
}

func (postgresDialect) Classify(err error) Class {
	server, connecting, untrusted := (*pgconn.PgError)(nil), (*pgconn.ConnectError)(nil), (*tls.CertificateVerificationError)(nil)
	asking := connectError{}
	switch {
	case err == nil:
		return Other
	case errors.As(err, &server):
		return postgresClass(server)
	case errors.As(err, &untrusted), strings.Contains(err.Error(), "server refused TLS connection"):
		return Untrusted
	case slices.ContainsFunc(postgresStandby, func(standby error) bool { return errors.Is(err, standby) }):
		return ReadOnly
	case isContext(err):
		return Other
	case (errors.As(err, &connecting) || errors.As(err, &asking)) && disconnected(err), pgconn.SafeToRetry(err):
		return Unsent
	case disconnected(err):
		return Disconnected
	default:
		return Other
	}
}

func postgresClass(server *pgconn.PgError) Class {
	said := server.Message
	switch {
	case server.Code == "08P01" && refusesParameter(server):
		return BadParameter
	case server.Code == "08P01" && slices.ContainsFunc(pgbouncerLogins, func(refusal string) bool { return strings.Contains(said, refusal) }):
		return NoLogin
	case server.Code == "0A000" && strings.Contains(said, "cached plan"): // in modes that remember statements
		return Conflict
	case server.Code == "23505" && strings.HasPrefix(server.ConstraintName, "pg_"),
		server.Code == "42710" && strings.HasPrefix(said, "type "): // CREATE … IF NOT EXISTS, by two at once
		return Conflict
	case server.Code == "42704" && strings.Contains(said, "unrecognized configuration parameter"):
		return BadParameter
	}
	return postgresClasses[server.Code]
}

// pgbouncerLogins are how PgBouncer refuses somebody; its code tells nothing.
var pgbouncerLogins = []string{"password authentication failed", "no such user", "no such database", "authentication failed", "login rejected"}

// postgresStandby is how the driver says that no server is what target_session_attrs asks for.
var postgresStandby = []error{pgconn.ErrReadOnlyConnection, pgconn.ErrStandbyConnection}

func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Redact keeps the code of what the server says, which quotes values.
func (postgresDialect) Redact(err error) error {
	if server := (*pgconn.PgError)(nil); errors.As(err, &server) {
		return redactedError{err, "the server answered with error " + server.Code}
	}
	return err
}

// Server asks a pooler's server where there is a pooler. synchronous_commit may be anything
// but off: which copies there must be of a commit is the operator's to say.
func (postgresDialect) Server(ctx context.Context, pool *sql.DB) (Server, error) {
	is, err := settings(ctx, pool, `SELECT name, setting FROM pg_settings WHERE name IN ('server_version', 'fsync', 'full_page_writes',
		'synchronous_commit', 'transaction_read_only', 'max_connections', 'superuser_reserved_connections', 'reserved_connections', 'idle_session_timeout')`)
	if err != nil {
		return Server{}, err
	}
	s := Server{Product: "PostgreSQL", Version: is["server_version"], ReadOnly: is["transaction_read_only"] == "on", Opened: postgresConnections}
	s.wantVersion("14")
	s.demand("fsync", is["fsync"], "on")
	s.demand("full_page_writes", is["full_page_writes"], "on")
	if is["synchronous_commit"] == "off" {
		s.demand("synchronous_commit", "off", "on")
	}
	all, err := strconv.Atoi(is["max_connections"])
	if err != nil {
		return s, fmt.Errorf("read max_connections: %w", err)
	}
	s.Connections = all
	for _, others := range []string{"superuser_reserved_connections", "reserved_connections"} { // the latter from 16 on
		reserved, _ := strconv.Atoi(is[others])
		s.Connections -= reserved
	}
	if idle, err := strconv.Atoi(is["idle_session_timeout"]); err == nil && idle > 0 && time.Duration(idle)*time.Millisecond < postgresLifetime {
		s.Idle = max(1, idle/1000)
	}
	return s, nil
}
