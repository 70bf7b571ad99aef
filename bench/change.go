package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// patience is how long a user waits for a text, and a block for its last change
// to be written, before it counts as lost.
const patience = 60 * time.Second

// person is somebody who changes the number, once.
type person struct {
	id, token, flow string
	was, mobile     string
}

// people are made up, always the same ones for a seed.
type people struct {
	mu     sync.Mutex
	chance *rand.ChaCha8
	made   int
}

func newPeople(seed uint64) *people {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return &people{chance: rand.NewChaCha8(key)}
}

func (p *people) next() (person, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made++
	made := person{was: fmt.Sprintf("+49151%08d", p.made), mobile: fmt.Sprintf("+49152%08d", p.made)}
	for _, id := range []*string{&made.id, &made.token, &made.flow} {
		random, err := uuid.NewRandomFromReader(p.chance)
		if err != nil {
			return person{}, err
		}
		*id = random.String()
	}
	return made, nil
}

// change does what one user does, and returns how long it took: saves the form,
// waits for the code, types it. A text that does not come leaves the change
// undone, and is found when all is counted.
func (v *variant) change(ctx context.Context, p person) (time.Duration, error) {
	began := time.Now()
	v.kratos.Add(p.id, p.token, p.was, began)
	if err := v.kratos.Save(ctx, p.id, p.flow, p.mobile); err != nil {
		return 0, err
	}
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	code, err := v.provider.Code(patient, p.mobile)
	if errors.Is(err, context.DeadlineExceeded) {
		return time.Since(began), nil
	}
	if err != nil {
		return 0, err
	}
	err = v.confirm(ctx, p.token, code)
	return time.Since(began), err
}

func (v *variant) confirm(ctx context.Context, token, code string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost,
		v.holdline.publicURL+"/api/identity/user/v1.0/me/validate-code", strings.NewReader(`{"code":"`+code+`"}`))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Session-Token", token)
	response, err := v.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("validate-code: status %d: %s", response.StatusCode, said)
	}
	return err
}
