// Package storetest has stores in memory that work, and the suite that every store
// must pass, in memory or on a database.
package storetest
