package bulk

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

// Run runs a request's operations one after the other, each once at most, and then
// those that complete circles. Do gets operations that refer to nothing any more
// and are its own to change. It stops when the context ends, or after as many
// errors as the request allows; what did not run is not in the response.
func Run(ctx context.Context, request Request, do func(context.Context, Operation) Outcome) Response {
	r := runner{
		request: request, plan: newPlan(request.entries), do: do,
		ids: made{}, outcomes: make([]*Outcome, len(request.entries)),
	}
	r.units, r.unitOf = r.plan.units()
	for i := range request.entries {
		r.turn(ctx, i)
	}
	response := Response{Schemas: []string{ResponseSchema}, Operations: []Result{}}
	for i, outcome := range r.outcomes {
		if outcome != nil {
			response.Operations = append(response.Operations, request.entries[i].result(*outcome))
		}
	}
	return response
}

type runner struct {
	request  Request
	plan     plan
	units    []unit
	unitOf   []int
	do       func(context.Context, Operation) Outcome
	ids      made
	outcomes []*Outcome // nil for what did not run
	errors   int
}

func (r *runner) stopped(ctx context.Context) bool {
	return ctx.Err() != nil || r.request.FailOnErrors > 0 && r.errors >= r.request.FailOnErrors
}

// turn runs an operation if it has nothing to wait for, and then what waited for it.
func (r *runner) turn(ctx context.Context, i int) {
	number := r.unitOf[i]
	r.units[number].turns++
	var due []int
	if r.units[number].due() {
		due = []int{number}
	}
	for len(due) > 0 && !r.stopped(ctx) {
		u := r.units[due[0]]
		due = due[1:]
		if u.circle {
			r.circle(ctx, u.members)
		} else {
			r.attempt(ctx, u.members[0], false)
		}
		for _, number := range u.waiting {
			r.units[number].waits--
			if r.units[number].due() {
				at, _ := slices.BinarySearch(due, number)
				due = slices.Insert(due, at, number)
			}
		}
	}
}

// attempt runs an operation, reduced to what can be made of it now if part of it
// is to come later.
func (r *runner) attempt(ctx context.Context, i int, reduced bool) {
	e := r.request.entries[i]
	switch {
	case e.fault != nil:
		r.refuse(i, refused(e.fault))
		return
	case r.plan.dangles(i):
		r.refuse(i, conflict("a reference is to the bulkId of no POST in this request"))
		return
	case r.failedFor(i):
		r.refuse(i, conflict("what a bulkId refers to was not made"))
		return
	}
	operation := e.Operation
	if reduced {
		operation.Data = r.ids.reduce(operation.Data)
	}
	r.settle(i, r.do(ctx, operation.resolved(r.ids)))
}

// failedFor reports whether what an operation refers to was tried and not made.
func (r *runner) failedFor(i int) bool {
	return slices.ContainsFunc(r.plan.references[i], func(id string) bool {
		_, ok := r.ids[id]
		return !ok && r.outcomes[r.plan.makers[id]] != nil
	})
}

func (r *runner) settle(i int, outcome Outcome) {
	r.outcomes[i] = &outcome
	e := r.request.entries[i]
	switch {
	case outcome.failed():
		r.errors++
	case e.Method == http.MethodPost && outcome.ID != "":
		r.ids[e.BulkID] = outcome.ID
	}
}

// refuse settles what did not run. A response tells a resource's location, unless
// it was to be made (RFC 7644, section 3.7).
func (r *runner) refuse(i int, outcome Outcome) {
	e := r.request.entries[i]
	path := e.resolved(r.ids).Path
	if _, unmade := referred(idOf(path)); r.request.base != "" && path != "" && e.Method != http.MethodPost && !unmade {
		outcome.Location = r.request.base + path
	}
	r.settle(i, outcome)
}

// circle makes what refers to one another (RFC 7644, section 3.7.1).
func (r *runner) circle(ctx context.Context, members []int) {
	waits, waiting := map[int]int{}, map[int][]int{}
	for _, i := range members {
		for _, need := range r.plan.needs[i] {
			if r.unitOf[need] == r.unitOf[i] {
				waits[i]++
				waiting[need] = append(waiting[need], i)
			}
		}
	}
	var partial, due []int
	for next := 0; next < len(members) && !r.stopped(ctx); {
		i := members[next]
		switch {
		case len(due) > 0:
			i, due = due[0], due[1:]
		case r.outcomes[i] != nil:
			next++
			continue
		default: // all that is left waits for one another
			partial = append(partial, i)
		}
		r.attempt(ctx, i, waits[i] > 0)
		for _, other := range waiting[i] {
			waits[other]--
			if waits[other] == 0 && r.outcomes[other] == nil {
				at, _ := slices.BinarySearch(due, other)
				due = slices.Insert(due, at, other)
			}
		}
	}
	for _, i := range partial {
		if !r.outcomes[i].failed() {
			r.complete(ctx, i)
		}
	}
}

// complete gives what was made in part all of its data. Where that cannot be, its
// outcome is a conflict, with the location of what was made.
func (r *runner) complete(ctx context.Context, i int) {
	const without = "the resource was made without what it refers to in a circle: "
	outcome, e := *r.outcomes[i], r.request.entries[i]
	detail := ""
	switch _, known := r.ids[e.BulkID]; {
	case !known || r.failedFor(i):
		detail = "part of it was not made"
	case r.stopped(ctx):
		detail = "the request came to its end before"
	default:
		operation := e.resolved(r.ids)
		operation.Method, operation.Path = http.MethodPut, e.Path+"/"+outcome.ID
		completed := r.do(ctx, operation)
		if !completed.failed() {
			r.outcomes[i].Version = completed.Version
			return
		}
		detail = fmt.Sprintf("its PUT answered with %d", completed.Status)
	}
	location := outcome.Location
	outcome = conflict(without + detail)
	outcome.Location = location
	r.outcomes[i] = &outcome
	r.errors++
}
