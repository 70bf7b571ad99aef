package persistence

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
	gormmysql "gorm.io/driver/mysql"
	"gorm.io/gorm"
)

const (
	mysqlConnections = 32
	mysqlLifetime    = 5 * time.Minute
	dialTimeout      = 5 * time.Second
	answerTimeout    = 15 * time.Second
	lockWaitSeconds  = "3"
	// migrationWaitSeconds is for tables that other replicas are using.
	migrationWaitSeconds = "60"
)

// openMySQL prepares a pool for what follows mysql:// without connecting.
func openMySQL(dsn string) (*DB, gorm.Dialector, error) {
	cfg, err := mysqlConfig(dsn)
	if err != nil {
		return nil, nil, err
	}
	pool, err := mysqlPool(cfg)
	if err != nil {
		return nil, nil, err
	}
	pool.SetMaxOpenConns(mysqlConnections)
	pool.SetMaxIdleConns(mysqlConnections)
	pool.SetConnMaxLifetime(mysqlLifetime)
	db := &DB{pool: pool, dialect: mysqlDialect, slow: func() (*sql.DB, error) {
		patient := cfg.Clone()
		patient.ReadTimeout = 0
		patient.Params["lock_wait_timeout"] = migrationWaitSeconds
		return mysqlPool(patient)
	}}
	// The server's version only matters to what is not used here.
	return db, gormmysql.New(gormmysql.Config{
		Conn: pool, SkipInitializeWithVersion: true, DisableWithReturning: true,
	}), nil
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
