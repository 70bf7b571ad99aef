package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/google/uuid"
)

// person is somebody who changes the number.
type person struct {
	id, token, flow string
	name            string // unlike anybody else's
	was, mobile     string // the number before and after
}

// people are made up, always the same ones for a seed.
type people struct {
	mu     sync.Mutex
	chance *rand.ChaCha8
	prefix string // of names
	made   int
}

// newPeople begins with the number after this one: whose Kratos share a database share
// no numbers.
func newPeople(seed uint64, prefix string, after int) *people {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return &people{chance: rand.NewChaCha8(key), prefix: prefix, made: after}
}

// next is somebody new.
func (p *people) next() (person, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made++
	made := person{name: fmt.Sprint(p.prefix, p.made), was: p.number(1), mobile: p.number(2)}
	for _, id := range []*string{&made.id, &made.token, &made.flow} {
		random, err := uuid.NewRandomFromReader(p.chance)
		if err != nil {
			return person{}, err
		}
		*id = random.String()
	}
	return made, nil
}

// again is the same person with another number, who has the last one now.
func (p *people) again(who person) person {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made++
	who.was, who.mobile = who.mobile, p.number(2)
	return who
}

// number is one that only the person made last has; the caller holds the lock.
func (p *people) number(kind int) string { return fmt.Sprintf("+4915%d%08d", kind, p.made) }
