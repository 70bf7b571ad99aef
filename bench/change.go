package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// block lets users change numbers one after the other. The ramp is no shorter than the
// provider's delay, so that what earlier changes left to be done weighs as much at the
// begin of the measured time as at its end. The block returns when all that it began is
// done.
func (v *variant) block(ctx context.Context, users int) (sample, error) {
	s, err := v.measure(ctx, users)
	if err != nil {
		err = fmt.Errorf("%s, %d users: %w\n%s", v.name, users, err, v.lastWords())
	}
	return s, err
}

func (v *variant) measure(ctx context.Context, users int) (s sample, err error) {
	u, err := v.arrive(ctx, users)
	if err != nil {
		return s, err
	}
	for _, r := range v.replicas {
		if err := forgetPeak(r.pid()); err != nil {
			return s, err
		}
	}
	s, err = block{
		users: users, ramp: max(v.bench.ramp, v.delay(v.bench)), measured: v.bench.measured,
		once: u.change, used: v.used,
	}.run(ctx)
	if err != nil {
		return s, err
	}
	if s.memory, err = v.memory(); err != nil {
		return s, err
	}
	return s, v.settle(ctx)
}

// prime makes so many changes, and measures nothing.
func (v *variant) prime(ctx context.Context, changes int) error {
	const users = 10
	u, err := v.arrive(ctx, users)
	if err != nil {
		return err
	}
	group, running := errgroup.WithContext(ctx)
	for user := range users {
		group.Go(func() error {
			for n := user; n < changes; n += users {
				if _, err := u.change(running, user); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("%s: %w\n%s", v.name, err, v.lastWords())
	}
	return v.settle(ctx)
}

// changers are the users of a block, each with the change that comes next.
type changers struct {
	v   *variant
	now []person
}

// arrive lets users arrive.
func (v *variant) arrive(ctx context.Context, users int) (u changers, err error) {
	u = changers{v, make([]person, users)}
	for i := range u.now {
		if u.now[i], err = v.newcomer(ctx); err != nil {
			return u, err
		}
	}
	return u, nil
}

// newcomer is somebody who has arrived.
func (v *variant) newcomer(ctx context.Context) (p person, err error) {
	if p, err = v.people.next(); err != nil {
		return p, err
	}
	return p, v.target.arrive(ctx, &p)
}

// change does what one user does, and returns how long it took: requests the number,
// waits for the code, types it. A text that does not come leaves the change undone,
// and is found when all is counted.
func (u changers) change(ctx context.Context, user int) (time.Duration, error) {
	v, p := u.v, u.now[user]
	began := time.Now()
	if err := v.target.request(ctx, p); err != nil {
		return 0, err
	}
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	code, err := v.provider.Code(patient, p.mobile)
	if err == nil {
		err = v.confirm(ctx, p.token, code)
	}
	took := time.Since(began)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = nil
	}
	if err != nil {
		return 0, err
	}
	v.mu.Lock()
	v.acted[p.id] = p
	v.tally.expect(p)
	v.mu.Unlock()
	if v.target.stays() {
		u.now[user] = v.people.again(p)
		return took, v.applied(ctx, p)
	}
	u.now[user], err = v.newcomer(ctx)
	return took, err
}

// applied waits until a person may change the number again: Holdline accepts a code
// when Kratos fails, writes later, and refuses another number until then.
func (v *variant) applied(ctx context.Context, p person) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		var held int
		err := v.bench.server.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+v.database+".claims WHERE held_identity = ?", p.id).Scan(&held)
		if err != nil || held == 0 {
			return err
		}
		if err := wait(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return nil // it is found when all is counted
}

func (v *variant) confirm(ctx context.Context, token, code string) error {
	return post(ctx, v.client, http.MethodPost, v.publicURL()+"/api/identity/user/v1.0/me/validate-code",
		`{"code":"`+code+`"}`, http.StatusAccepted, http.Header{"Content-Type": {"application/json"}, "X-Session-Token": {token}})
}
