// Package persistence keeps claims, texts, leases, tokens, settings and the audit trail
// in MySQL, MariaDB or SQLite, through GORM. It uses only the SQL that all three share,
// and no lock that a cluster does not replicate: a conditional statement and the
// number of rows it affected decide every race.
//
// A change is one transaction of one statement for each of its parts, and none of the
// BEGIN and COMMIT when it has a single part.
//
// Limits on texts are kept by the statement that queues the text, exactly: it
// counts the texts of the number and of the address one by one, under a unique
// index, and those of an identity exclude one another by their claim. What has
// no rows to count is kept by the generic cell rate algorithm ([Limiter]).
package persistence
