package dialect

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"
	gormmysql "gorm.io/driver/mysql"
	"gorm.io/gorm"
)

const (
	mysqlScheme      = "mysql"
	mysqlConnections = 32
	mysqlLifetime    = 5 * time.Minute
	dialTimeout      = 5 * time.Second
	answerTimeout    = 15 * time.Second
	lockWaitSeconds  = "3"
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

func (mysqlDialect) Explain() string { return "EXPLAIN " }

// What the server answers when the transaction lost and may start over.
const (
	mysqlLockWait   = 1205
	mysqlDeadlock   = 1213 // also a failed certification in a cluster
	mysqlHasChanged = 1020 // a row is newer than the transaction's snapshot
	mysqlNotInGroup = 1047 // this node of a cluster does not serve now
)

// What the server answers when it ends a connection.
const (
	mysqlShutdown = 1053
	mysqlKilled   = 1927
)

const (
	mysqlColumnExists = 1060
	mysqlKeyExists    = 1061
	mysqlNoTable      = 1146
)

// What the server answers by numbers of classes of SQLSTATE (ISO/IEC 9075-2, 24.1) is
// about our statement or our schema: cardinality, data, syntax or access rule. Two of
// the last class are limits on a user's connections, which are transient.
var (
	mysqlFaults = []string{"21", "22", "42"}
	mysqlLimits = []uint16{1203, 1226}
)

func (mysqlDialect) Classify(err error) Class {
	server := (*mysql.MySQLError)(nil)
	if !errors.As(err, &server) {
		if disconnected(err) || errors.Is(err, mysql.ErrInvalidConn) {
			return Disconnected
		}
		return Other
	}
	switch server.Number {
	case mysqlLockWait, mysqlDeadlock, mysqlHasChanged, mysqlNotInGroup:
		return Conflict
	case mysqlShutdown, mysqlKilled:
		return Disconnected
	case mysqlNoTable:
		return NoTable
	case mysqlColumnExists, mysqlKeyExists:
		return AlreadyThere
	}
	if slices.Contains(mysqlFaults, string(server.SQLState[:2])) && !slices.Contains(mysqlLimits, server.Number) {
		return Fault
	}
	return Other
}

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
