// Package persistence keeps claims, texts, leases and the audit trail in MySQL,
// MariaDB or SQLite, through GORM. It uses only the SQL that all three share,
// and no lock that a cluster does not replicate: a conditional statement and the
// number of rows it affected decide every race.
//
// A change is one transaction of one statement for each of its parts, and none
// of the BEGIN and COMMIT when it has a single part. Deadlocks, certification
// failures and lock waits run the whole transaction again. So does a connection
// that broke before COMMIT was sent; after that nobody knows, and the caller
// learns so by [problem.ErrStoreUnavailable].
//
// Limits on texts are kept by the statement that queues the text, exactly: it
// counts the texts of the number and of the address one by one, under a unique
// index, and those of an identity exclude one another by their claim. What has
// no rows to count is kept by the generic cell rate algorithm ([Limiter]).
//
// On Galera, wsrep_sync_wait=1 among the DSN's parameters makes every node show
// what another one has committed.
package persistence
