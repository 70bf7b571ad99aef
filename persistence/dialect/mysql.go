package dialect

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"
	gormmysql "gorm.io/driver/mysql"
	"gorm.io/gorm"
)

const (
	mysqlScheme = "mysql"
	// Together they are what docs/operate.md says of connections.
	mysqlConnections      = 20
	mysqlBatchConnections = 12
	mysqlLifetime         = 5 * time.Minute
	dialTimeout           = 5 * time.Second
	// answerTimeout bounds what no context does: the wait for the answer to COMMIT.
	answerTimeout   = 8 * time.Second
	lockWaitSeconds = "3"
	// migrationWaitSeconds is for tables that other replicas are using.
	migrationWaitSeconds = "60"
)

// mysqlDialect is MySQL or MariaDB, a cluster's node or a single server.
type mysqlDialect struct{ cfg *mysql.Config }

func parseMySQL(dsn string) (Dialect, error) {
	cfg, err := mysqlConfig(dsn)
	if err != nil {
		return nil, err
	}
	return mysqlDialect{cfg}, nil
}

func (mysqlDialect) Name() string { return mysqlScheme }

func (d mysqlDialect) Pool() (*sql.DB, error) {
	pool, err := mysqlPool(d.cfg)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(mysqlConnections)
	pool.SetMaxIdleConns(mysqlConnections)
	pool.SetConnMaxLifetime(mysqlLifetime)
	return pool, nil
}

func (d mysqlDialect) PatientPool(*sql.DB) (*sql.DB, error) {
	patient := d.cfg.Clone()
	patient.ReadTimeout = 0
	patient.Params["lock_wait_timeout"] = migrationWaitSeconds
	return mysqlPool(patient)
}

// BatchPool returns connections on which a command may have several statements. That
// would widen what an injection could do, so nothing but [mysqlDialect.Batch] uses them.
func (d mysqlDialect) BatchPool(*sql.DB) (*sql.DB, error) {
	several := d.cfg.Clone()
	several.MultiStatements = true
	pool, err := mysqlPool(several)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(mysqlBatchConnections)
	pool.SetMaxIdleConns(mysqlBatchConnections)
	pool.SetConnMaxLifetime(mysqlLifetime)
	return pool, nil
}

// Batch implements [Dialect]. The driver writes the values into the text, as it does for
// single statements.
func (mysqlDialect) Batch(ctx context.Context, conn *sql.Conn, statements []Statement) ([]int64, error) {
	var text strings.Builder
	text.WriteString("START TRANSACTION")
	var values []driver.NamedValue
	for _, s := range statements {
		text.WriteString("; " + s.Query)
		for _, value := range s.Values {
			values = append(values, driver.NamedValue{Ordinal: len(values) + 1, Value: value})
		}
	}
	var counts []int64
	err := conn.Raw(func(raw any) error {
		server, ok := raw.(interface {
			driver.ExecerContext
			driver.NamedValueChecker
		})
		if !ok {
			return errors.ErrUnsupported
		}
		for i := range values {
			if err := server.CheckNamedValue(&values[i]); err != nil {
				return fmt.Errorf("value %d: %w", i+1, err)
			}
		}
		done, err := server.ExecContext(ctx, text.String(), values)
		if err != nil {
			return err
		}
		if all, ok := done.(mysql.Result); ok {
			counts = all.AllRowsAffected()[1:] // of START TRANSACTION first
		}
		return nil
	})
	return counts, err
}

func (mysqlDialect) Prepare(context.Context, *sql.DB) error { return nil }

// Dialector asks for no version of the server, which matters only to what is not used
// here.
func (mysqlDialect) Dialector(pool *sql.DB) gorm.Dialector {
	return gormmysql.New(gormmysql.Config{Conn: pool, SkipInitializeWithVersion: true, DisableWithReturning: true})
}

func (mysqlDialect) Migrations() goose.Dialect { return goose.DialectMySQL }

func (mysqlDialect) Now() string { return "SELECT UTC_TIMESTAMP(6)" }

func (mysqlDialect) Index(name string) string { return " FORCE INDEX (" + name + ")" }

func (mysqlDialect) Contains(column string) string { return "INSTR(" + column + ", ?) > 0" }

func (mysqlDialect) IsMissing() bool { return false }

// Others are connections of the same user, and of all where the user has the right PROCESS;
// of a cluster, those of this node.
func (mysqlDialect) Others(ctx context.Context, conn *sql.Conn) ([]string, error) {
	return lines(ctx, conn, `SELECT CONCAT(USER, ' from ', HOST) FROM information_schema.PROCESSLIST
		WHERE DB = DATABASE() AND ID <> CONNECTION_ID()`)
}

// Server tells MariaDB from MySQL by its version. A node of a cluster may leave its disk
// behind: the others have what was committed.
func (mysqlDialect) Server(ctx context.Context, pool *sql.DB) (Server, error) {
	is, err := settings(ctx, pool, `SHOW VARIABLES WHERE Variable_name IN ('version', 'innodb_flush_log_at_trx_commit',
		'innodb_doublewrite', 'sync_binlog', 'log_bin', 'read_only', 'max_connections', 'wait_timeout', 'wsrep_on')`)
	if err != nil {
		return Server{}, err
	}
	s := Server{Product: "MySQL", Version: is["version"], ReadOnly: is["read_only"] == "ON", Opened: mysqlConnections + mysqlBatchConnections}
	least := "8.0"
	if strings.Contains(s.Version, "MariaDB") {
		s.Product, least = "MariaDB", "10.11"
	}
	s.wantVersion(least)
	if is["wsrep_on"] != "ON" {
		s.demand("innodb_flush_log_at_trx_commit", is["innodb_flush_log_at_trx_commit"], "1")
		if is["log_bin"] == "ON" { // what is not in it is taken back after a crash
			s.demand("sync_binlog", is["sync_binlog"], "1")
		}
	}
	if is["innodb_doublewrite"] == "OFF" {
		s.demand("innodb_doublewrite", "OFF", "ON")
	}
	if s.Connections, err = strconv.Atoi(is["max_connections"]); err != nil {
		return s, fmt.Errorf("read max_connections: %w", err)
	}
	if idle, err := strconv.Atoi(is["wait_timeout"]); err == nil && time.Duration(idle)*time.Second < mysqlLifetime {
		s.Idle = idle
	}
	return s, nil
}

func (mysqlDialect) Renumber(string, string) string { return "" }

func (mysqlDialect) Explain() string { return "EXPLAIN " }

// mysqlClasses are what the numbers of the server's answers mean
// (https://mariadb.com/kb/en/mariadb-error-codes/).
var mysqlClasses = map[uint16]Class{
	1060: AlreadyThere, // column
	1061: AlreadyThere, // key
	1091: AlreadyThere, // key that is dropped, and gone

	1205: Conflict, // waited too long for a lock
	1213: Conflict, // deadlock; also a failed certification in a cluster
	1020: Conflict, // a row is newer than the transaction's snapshot
	1047: Conflict, // this node of a cluster does not serve now
	3854: Conflict, // the list of processes had another one's bytes in it, which are no text

	1053: Disconnected, // the server shuts down
	1927: Disconnected, // killed
	4031: Disconnected, // idle for too long

	1040: Busy, // too many connections
	1203: Busy, // of a user
	1226: Busy, // or another limit of the user
	1317: Busy, // the statement was ended, by hand
	1969: Busy, // or for its time, in MariaDB
	3024: Busy, // and in MySQL

	1290: ReadOnly, // read_only
	1792: ReadOnly, // the transaction
	1836: ReadOnly, // innodb_read_only

	1146: NoTable,
	1054: NoColumn,
	1142: NoRight, // to a table
	1143: NoRight, // to a column

	1044: NoLogin, // to this database
	1045: NoLogin,
	1049: NoLogin, // no such database
	1130: NoLogin, // from this host
	1698: NoLogin, // without a password
	1820: NoLogin, // the password must be changed
	1862: NoLogin, // the password has expired
	3118: NoLogin, // the account is locked, in MySQL
	4151: NoLogin, // and in MariaDB
}

func (mysqlDialect) Classify(err error) Class {
	server, untrusted := (*mysql.MySQLError)(nil), (*tls.CertificateVerificationError)(nil)
	switch {
	case errors.As(err, &server):
		return mysqlClasses[server.Number]
	case errors.As(err, &untrusted):
		return Untrusted
	case disconnected(err), slices.ContainsFunc(mysqlBroken, func(broken error) bool { return errors.Is(err, broken) }):
		return Disconnected
	default:
		return Other
	}
}

// mysqlBroken is how the driver says that a connection has ended, or that what came over
// it makes no sense.
var mysqlBroken = []error{mysql.ErrInvalidConn, mysql.ErrMalformPkt, mysql.ErrPktSync, mysql.ErrPktSyncMul, mysql.ErrBusyBuffer}

// Redact keeps the number of what the server says, which quotes values.
func (mysqlDialect) Redact(err error) error {
	if server := (*mysql.MySQLError)(nil); errors.As(err, &server) {
		return redactedError{err, fmt.Sprintf("the server answered with error %d (%s)", server.Number, server.SQLState[:])}
	}
	return err
}

type redactedError struct {
	error
	text string
}

func (e redactedError) Error() string { return e.text }

func (e redactedError) Unwrap() error { return e.error }

// mysqlConfig reads a DSN and sets what must not differ.
func mysqlConfig(dsn string) (*mysql.Config, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil || cfg.DBName == "" {
		return nil, ErrBadDSN // the driver's text may quote a misplaced password
	}
	if err := cfg.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin")); err != nil {
		return nil, ErrBadDSN
	}
	cfg.ParseTime = true
	cfg.Loc = time.UTC
	cfg.ClientFoundRows = false  // a row counts when it was changed
	cfg.InterpolateParams = true // saves a round trip for each statement
	cfg.MultiStatements = false
	cfg.Logger = &mysql.NopLogger{} // every error reaches its caller
	setTimeout(&cfg.Timeout, dialTimeout)
	setTimeout(&cfg.ReadTimeout, answerTimeout)
	setTimeout(&cfg.WriteTimeout, answerTimeout)
	if cfg.Params == nil {
		cfg.Params = map[string]string{}
	}
	cfg.Params["innodb_lock_wait_timeout"] = lockWaitSeconds // for rows
	cfg.Params["lock_wait_timeout"] = lockWaitSeconds        // for tables: a year, as servers come
	cfg.Params["time_zone"] = "'+00:00'"
	cfg.Params["sql_mode"] = "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"
	return cfg, nil
}

func setTimeout(timeout *time.Duration, standard time.Duration) {
	if *timeout == 0 {
		*timeout = standard
	}
}

func mysqlPool(cfg *mysql.Config) (*sql.DB, error) {
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, ErrBadDSN
	}
	return sql.OpenDB(readCommitted{connector}), nil
}

// readCommitted sets the isolation of each new connection. The DSN cannot: the
// variable has another name in MySQL 8 than in MariaDB 10.11.
type readCommitted struct{ driver.Connector }

func (c readCommitted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	execer, ok := conn.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.New("set isolation: the driver cannot"), conn.Close())
	}
	if _, err := execer.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err != nil {
		return nil, errors.Join(fmt.Errorf("set isolation: %w", err), conn.Close())
	}
	return conn, nil
}
