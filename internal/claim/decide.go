package claim

import (
	"github.com/holdline/holdline/internal/phone"
)

// Source says where a change came from.
type Source string

// The sources.
const (
	SourceSettings Source = "settings" // a Kratos settings flow
	SourceSCIM     Source = "scim"
	SourceConsole  Source = "console"
	// OriginTakeover: another identity proved the number.
	SourceTakeover Source = "takeover"
)

// UpdateKind says what a request does to the mobile number.
type UpdateKind int

// The ways to touch a number.
const (
	UpdateNone     UpdateKind = iota // the number is not part of the request
	UpdateFull                       // a whole record, such as a form or a PUT, which has to name it
	UpdateExplicit                   // the number itself is meant: a PATCH, or a PUT with verifyMobile
)

// Request is all that a decision depends on.
type Request struct {
	Enabled          bool // verification on update is switched on
	VerifyPrivileged bool // it applies to privileged actors too
	VerifyAlways     bool // SCIM: whether or not verifyMobile is true
	RemovalAllowed   bool

	Source     Source
	Privileged bool // the actor is not the owner, and may do this
	Client     bool // the actor is a provisioning client, privileged or not: it repeats what its directory says
	Asked      bool // verifyMobile is true
	Update     UpdateKind

	Wanted         phone.Number // zero: no number
	Stored         phone.Number
	StoredVerified bool
	Pending        phone.Number // the open claim's number, for a client also the accepted one's; zero: no such claim
	CoolingDown    bool         // the open claim may not be texted again yet
}

// Decision is what becomes of a request.
type Decision int

// The decisions. In all of them the request's other attributes are written.
const (
	NoChange        Decision = iota // number and claim stay as they are
	WriteDirectly                   // write the number at once; cancel the claim
	Remove                          // remove the number; cancel the claim
	RejectRemoval                   // refuse the request: numbers must not be removed
	CancelPending                   // number unchanged; cancel the claim
	WriteUnverified                 // write at once, not marked verified; cancel the claim
	KeepPending                     // hold the number back; the claim stays as it is
	Challenge                       // hold the number back; open a claim and text a code
)

// Decide is the decision table; the rows are explained in docs/decision-table.md.
// The first row that fits wins.
func Decide(r Request) Decision {
	repeats := r.Wanted.Same(r.Stored)
	verify := r.Source != SourceSCIM || r.VerifyAlways || r.Asked
	pending := !r.Pending.IsZero() && r.Wanted.Same(r.Pending)
	retry := pending && r.CoolingDown
	owner := !r.Privileged && !r.Client
	switch {
	case r.Update == UpdateNone, r.Update == UpdateFull && repeats,
		r.Client && repeats && (r.Wanted.IsZero() || !r.Enabled):
		return NoChange // D1
	case !r.Enabled:
		return WriteDirectly // D2
	case r.Wanted.IsZero() && !r.RemovalAllowed:
		return RejectRemoval // D3, policy "deny"
	case r.Wanted.IsZero():
		return Remove // D3
	case owner && repeats && r.StoredVerified:
		return CancelPending // D4
	case repeats && r.StoredVerified, r.Client && pending, r.Client && repeats && !r.Pending.IsZero():
		return NoChange // D4b
	case r.Privileged && !r.VerifyPrivileged && repeats:
		return NoChange // D6, the same number again
	case r.Privileged && !r.VerifyPrivileged:
		return WriteUnverified // D6
	case repeats && verify && !retry:
		return Challenge // D5
	case !verify:
		return WriteUnverified // D7
	case retry:
		return KeepPending // D8
	default:
		return Challenge // D9
	}
}
