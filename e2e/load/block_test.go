package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sync/errgroup"
)

// contestant is what takes turns with others in being measured.
type contestant interface {
	// arrive lets users come who are about to be measured.
	arrive(users int) error
	// once does the operation for a user.
	once(ctx context.Context, user int) error
	// counters are what was used up to now, by the units of what is made of them: CPU in
	// ms, and whatever else is counted.
	counters() (map[string]float64, error)
	// holdline are Holdline's processes.
	holdline() []int
	// others are processes that belong to it, too.
	others() []int
	// settle waits until all that was begun is done.
	settle() error
}

// measure lets users repeat an operation, each one after the other, for the ramp and then
// for the time that is measured, and reports what it took and cost. It returns when all
// that was begun is done.
func measure(b *testing.B, c contestant, users int, ramp time.Duration) {
	b.Helper()
	must(b, c.arrive(users))
	for _, pid := range c.holdline() {
		const resident = "5" // proc(5), clear_refs: the peak begins anew
		must(b, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte(resident), 0o200))
	}
	var over atomic.Bool
	var mu sync.Mutex
	var took []time.Duration // of the operations that ended, in their order
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(took) }
	group, ctx := errgroup.WithContext(b.Context())
	for user := range users {
		group.Go(func() error {
			for !over.Load() {
				began := time.Now()
				if err := c.once(ctx, user); err != nil {
					return err
				}
				d := time.Since(began)
				mu.Lock()
				took = append(took, d)
				mu.Unlock()
			}
			return nil
		})
	}
	var from, to usage
	var first, last int
	group.Go(func() (err error) {
		defer over.Store(true)
		if err = wait(ctx, ramp); err != nil {
			return err
		}
		if from, err = usageOf(c); err != nil {
			return err
		}
		first = count()
		if err = wait(ctx, *measured); err != nil {
			return err
		}
		for last = count(); last == first; last = count() { // on a slow machine it lasts longer
			if err = wait(ctx, 10*time.Millisecond); err != nil {
				return err
			}
		}
		to, err = usageOf(c)
		return err
	})
	must(b, group.Wait())
	report(b, c, from, to, slices.Sorted(slices.Values(took[first:last])))
	must(b, c.settle())
}

func report(b *testing.B, c contestant, from, to usage, took []time.Duration) {
	b.Helper()
	seconds, n := to.at.Sub(from.at).Seconds(), float64(len(took))
	b.ReportMetric(0, "ns/op") // is of the whole block, and left out
	b.ReportMetric(n/seconds, "ops/s")
	b.ReportMetric(millis(took[len(took)/2]), "p50-ms")
	b.ReportMetric(millis(took[len(took)*99/100]), "p99-ms")
	for unit, value := range to.counters {
		b.ReportMetric((value-from.counters[unit])/n, unit)
	}
	foreign := (to.all - from.all) - (to.ours - from.ours)
	b.ReportMetric(max(0, foreign/seconds/float64(runtime.NumCPU())*100), "others-%")
	if len(c.holdline()) > 0 {
		b.ReportMetric(peak(b, c.holdline()), "MiB")
	}
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// usage is what was used up to a moment.
type usage struct {
	at        time.Time
	counters  map[string]float64
	all, ours float64 // seconds of CPU: of the whole machine, and of what takes part
}

func usageOf(c contestant) (u usage, err error) {
	holdline, load := cpuOf(c.holdline()...), cpuOf(os.Getpid())
	if u.counters, err = c.counters(); err != nil {
		return u, err
	}
	u.counters["load-cpu-ms/op"] = load * 1000
	if len(c.holdline()) > 0 {
		u.counters["cpu-ms/op"] = holdline * 1000
	}
	u.ours = holdline + cpuOf(c.others()...) + load
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return u, err
	}
	stat, err := fs.Stat()
	total := stat.CPUTotal
	u.all, u.at = total.User+total.Nice+total.System+total.IRQ+total.SoftIRQ, time.Now()
	return u, err
}

// cpuOf adds up the seconds that processes have used so far, with the kernel's for them
// and those of their children that have ended.
func cpuOf(pids ...int) (seconds float64) {
	for _, pid := range pids {
		process, err := procfs.NewProc(pid)
		if err != nil {
			continue // a server's process for a connection that has ended
		}
		if stat, err := process.Stat(); err == nil {
			const ticks = 100 // a second (proc(5))
			seconds += stat.CPUTime() + float64(stat.CUTime+stat.CSTime)/ticks
		}
	}
	return seconds
}

// peak is the most memory that processes held since the block began, in MiB.
func peak(b *testing.B, pids []int) (sum float64) {
	b.Helper()
	for _, pid := range pids {
		process, err := procfs.NewProc(pid)
		must(b, err)
		status, err := process.NewStatus()
		must(b, err)
		sum += float64(status.VmHWM) / (1 << 20)
	}
	return sum
}

// inTurns runs the blocks of a round. Who comes first, and who follows whom, changes from
// round to round, so that what drifts, and what a neighbour leaves to be done, falls on all.
func inTurns(round int, blocks []func()) {
	for turn := range blocks {
		if round%2 == 1 {
			turn = len(blocks) - 1 - turn
		}
		blocks[(turn+round)%len(blocks)]()
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// until asks until the condition holds, or an error.
func until(what string, condition func() (bool, error)) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		holds, err := condition()
		if err != nil || holds {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %s: %s", patience, what)
		}
	}
}

// patience is how long a user waits for a text, and a block for its last change to be
// written, before it counts as lost.
const patience = 60 * time.Second

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
