package smsgateway

import "time"

// GatewayState says whether a gateway is asked.
type GatewayState string

// The states of a gateway: the three of a circuit breaker, and resting.
const (
	GatewayClosed   GatewayState = "closed"    // as usual
	GatewayOpen     GatewayState = "open"      // not asked: it failed too often
	GatewayHalfOpen GatewayState = "half-open" // one text tries it
	GatewayResting  GatewayState = "resting"   // not asked: it said when to come again
)

// GatewayHealth is what this process knows of a gateway since it started.
type GatewayHealth struct {
	ID    string
	State GatewayState
	// RestingUntil is when one that is open or resting is asked again; else zero.
	RestingUntil time.Time
	InFlight     int
	// Sent, Refused and Failed count the answers: the gateway took the text, it
	// never will, it did not this time.
	Sent, Refused, Failed uint64
	LastReason            string // of the last answer that was not sent; nothing secret
	LastAt                time.Time
}
