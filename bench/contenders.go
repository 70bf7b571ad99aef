package main

import (
	"context"
	"time"
)

// contender describes what takes part in the contest of changes.
type contender struct {
	name  string // of its database, too
	label string
	start func(ctx context.Context, b *bench, c contender, first *variant) (contestant, error)

	slow         bool // its provider answers late
	scim         bool // numbers are requested by a SCIM client
	index        bool // Holdline keeps the index of SCIM users
	realKratos   bool
	replicaCount int  // zero is one
	numbersAfter int  // of its people
	many         bool // has b.claims earlier claims
}

// delay is what its provider takes to answer.
func (c contender) delay(b *bench) time.Duration {
	if c.slow {
		return b.delay
	}
	return 0
}

// earlier is how many claims it has before anything is measured.
func (c contender) earlier(b *bench) int {
	if c.many {
		return b.claims
	}
	return firstClaims
}

// The contenders, by their place in the list.
const (
	inserts = iota
	replay
	hooks
	slowly
	indexed
	replicas
	many
	withKratos
	scimClient
)

func contenders(p pace) []contender {
	return []contender{
		inserts:    {name: "inserts", label: "floor: two inserts in a transaction", start: startInserts},
		replay:     {name: "replay", label: "floor: a change's statements alone", start: startReplay},
		hooks:      {name: "hooks", label: "settings hooks", start: startVariant},
		slowly:     {name: "slow", label: "… provider answers after " + p.delay.String(), start: startVariant, slow: true},
		indexed:    {name: "indexed", label: "… SCIM is on as well", start: startVariant, index: true},
		replicas:   {name: "replicas", label: "… 3 replicas", start: startVariant, replicaCount: 3},
		many:       {name: "many", label: "… " + thousands(p.claims) + " earlier claims", start: startVariant, many: true},
		withKratos: {name: "kratos", label: "… a real Kratos", start: startVariant, realKratos: true},
		scimClient: {name: "scim", label: "SCIM client", start: startVariant, index: true, scim: true},
	}
}
