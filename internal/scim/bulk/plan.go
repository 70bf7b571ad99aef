package bulk

import (
	"net/http"
	"slices"
)

// plan is what has to be tried before what. Operations are numbers.
type plan struct {
	makers     map[string]int // by bulkId, the first POST that has it
	references [][]string     // the bulkIds to which each refers
	needs      [][]int        // what each waits for; none for what will not run
}

func newPlan(entries []entry) plan {
	p := plan{map[string]int{}, make([][]string, len(entries)), make([][]int, len(entries))}
	for i, e := range entries {
		if _, taken := p.makers[e.BulkID]; !taken && e.Method == http.MethodPost && e.BulkID != "" {
			p.makers[e.BulkID] = i
		}
	}
	last := map[string]int{} // by path: what is done to one resource keeps its order
	for i, e := range entries {
		if e.fault != nil {
			continue
		}
		p.references[i] = e.references()
		if p.dangles(i) {
			continue
		}
		for _, id := range p.references[i] {
			p.needs[i] = append(p.needs[i], p.makers[id])
		}
		if e.Method == http.MethodPost {
			continue
		}
		if before, ok := last[e.Path]; ok {
			p.needs[i] = append(p.needs[i], before)
		}
		last[e.Path] = i
	}
	return p
}

// dangles reports whether an operation refers to what no POST of the request makes.
func (p plan) dangles(i int) bool {
	return slices.ContainsFunc(p.references[i], func(id string) bool {
		_, ok := p.makers[id]
		return !ok
	})
}

// unit is an operation, or those of a circle, which only POSTs can be in: nothing
// refers to other operations, and those on one path wait for earlier ones only.
type unit struct {
	members []int // in the request's order
	circle  bool
	waits   int   // for how many needs in units that are not done
	turns   int   // of how many members it was the turn
	waiting []int // the units that need this one, once for each need
}

func (u unit) due() bool { return u.waits == 0 && u.turns == len(u.members) }

// units returns the units in the order of their first members, and the number of
// each operation's.
func (p plan) units() (units []unit, of []int) {
	of = make([]int, len(p.needs))
	for number, members := range p.components() {
		units = append(units, unit{members: members})
		for _, i := range members {
			of[i] = number
		}
	}
	for i, needs := range p.needs {
		for _, need := range needs {
			if of[need] == of[i] {
				units[of[i]].circle = true
				continue
			}
			units[of[i]].waits++
			units[of[need]].waiting = append(units[of[need]].waiting, of[i])
		}
	}
	return units, of
}

// components are the strongly connected ones of what needs what, by Tarjan's
// algorithm, which looks at every need once.
func (p plan) components() [][]int {
	var (
		found      [][]int
		stack      []int
		index, low = make([]int, len(p.needs)), make([]int, len(p.needs))
		count      int
		done       = make([]bool, len(p.needs))
		visit      func(i int)
	)
	visit = func(i int) {
		count++
		index[i], low[i] = count, count
		start := len(stack)
		stack = append(stack, i)
		for _, need := range p.needs[i] {
			if index[need] == 0 {
				visit(need)
			}
			if !done[need] {
				low[i] = min(low[i], low[need])
			}
		}
		if low[i] != index[i] {
			return
		}
		members := slices.Sorted(slices.Values(stack[start:]))
		stack = stack[:start]
		for _, member := range members {
			done[member] = true
		}
		found = append(found, members)
	}
	for i := range p.needs {
		if index[i] == 0 {
			visit(i)
		}
	}
	slices.SortFunc(found, func(a, b []int) int { return a[0] - b[0] })
	return found
}
