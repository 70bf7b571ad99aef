package audit

import (
	"time"
)

// ActorKind says who caused a transition.
type ActorKind string

// The kinds of actor.
const (
	Owner      ActorKind = "owner"
	Privileged ActorKind = "privileged"
	System     ActorKind = "system"
	LinkHolder ActorKind = "link" // whoever has the link of a notice
	Client     ActorKind = "client"
	Operator   ActorKind = "operator" // whoever runs the program's commands
	// Administrator works at the console, or at the API behind it.
	Administrator ActorKind = "administrator"
)

// Actor is who caused a transition, for the audit trail and the limits.
type Actor struct {
	Kind     ActorKind
	ID       string // identity, token name or, for an operator, the system's user name
	ClientIP string // the client's, where it is known
}

// Event is one line of the audit trail.
type Event struct {
	ClaimID    string
	IdentityID string
	Kind       string // the state entered, or "resent"
	Actor      Actor
	Number     string // masked
	Reason     string
	At         time.Time
}
