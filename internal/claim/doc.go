// Package claim is Holdline's domain: a claim says that an identity wants a
// mobile number, and is held until the code that was texted to that number
// comes back. Only then is the number written to the identity, verified.
//
// It knows nothing of HTTP, SQL or Kratos; what it needs of them are the small
// interfaces in store.go. A claim lives like this:
//
//	staged ─activate─► open ─right code─► verified ─number written─► applied
//	   │                 ├─ superseded  a newer claim took its place
//	   └─ discarded      ├─ cancelled   taken back, or overtaken by another write
//	                     ├─ locked      too many wrong codes
//	                     ├─ lapsed      nobody confirmed it in its lifetime
//	                     └─ conflict / orphaned, also from verified: the number
//	                        is taken or was changed elsewhere / no identity left
//
// An identity has at most one open or verified claim, which a unique index
// holds. Staged claims stand beside it, one for each settings flow that Kratos
// has not stored yet, so that a form which Kratos refuses in the end costs the
// user nothing of what was pending before.
//
// Kratos stores what a form began with, whatever was written meanwhile. So a number
// that has been written, a pending number that has been cleared and a claim that has been
// opened are looked at again some time later, and put right.
//
// Every transition is one conditional update that names the state and version
// it expects; the loser of a race learns so by [ErrConcurrentUpdate], and looks again.
package claim
