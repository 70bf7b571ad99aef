// Package claimtest has what tests of claims need beside a store: identities in
// memory, every order of the steps of forms, codes and workers, and a machine that
// does things at random and checks what came of them.
package claimtest
