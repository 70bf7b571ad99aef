// Package claimtest has what tests of claims need: a store and a directory that
// really work, in memory, and the suite that every store must pass.
package claimtest
