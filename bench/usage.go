package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc (proc(5); 100 a second on Linux).
const tick = 10 * time.Millisecond

// cpuOf is the processor time that a program has used so far, its own and the
// kernel's for it.
func cpuOf(pid int) (time.Duration, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold spaces; fields 14 and 15 are counted from it.
	_, rest, _ := strings.Cut(string(content), ") ")
	var user, system int64
	var skip string
	_, err = fmt.Sscan(rest, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &user, &system)
	return time.Duration(user+system) * tick, err
}

// forgetPeak lets the peak of a program's memory begin anew.
func forgetPeak(pid int) error {
	const resident = "5" // proc(5), clear_refs
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte(resident), 0o200)
}

// peakOf is the most memory that a program held, in MiB.
func peakOf(pid int) (float64, error) {
	held, err := entry(fmt.Sprintf("/proc/%d/status", pid), "VmHWM")
	if err != nil {
		return 0, err
	}
	var kib float64
	_, err = fmt.Sscan(held, &kib)
	return kib / 1024, err
}

// usage is the processor time that was used up to a moment.
type usage struct {
	at        time.Time
	all, ours time.Duration
}

// served is a database server, or several.
type served interface {
	// pids are its processes.
	pids(ctx context.Context) ([]int, error)
}

func (s *server) pids(ctx context.Context) ([]int, error) {
	var file string
	if err := s.QueryRowContext(ctx, "SELECT @@pid_file").Scan(&file); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(file) //nolint:gosec // the database server's
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	return []int{pid}, err
}

// usageOf adds up what the load, these programs and the database's server used, and what
// everything did.
func usageOf(ctx context.Context, server served, programs []*program) (u usage, err error) {
	pids, err := server.pids(ctx)
	if err != nil {
		return u, err
	}
	pids = append(pids, os.Getpid())
	for _, p := range programs {
		pids = append(pids, p.pid())
	}
	for _, pid := range pids {
		used, err := cpuOf(pid)
		if err != nil {
			return u, err
		}
		u.ours += used
	}
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u, err
	}
	// The first line: user, nice, system, idle, iowait, irq, softirq.
	var name string
	var ticks [7]int64
	_, err = fmt.Sscan(string(content), &name, &ticks[0], &ticks[1], &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6])
	u.at, u.all = time.Now(), time.Duration(ticks[0]+ticks[1]+ticks[2]+ticks[5]+ticks[6])*tick
	return u, err
}

// othersSince is the share of the machine that others used since an earlier moment of
// the same programs.
func othersSince(ctx context.Context, server served, programs []*program, from usage) (float64, error) {
	to, err := usageOf(ctx, server, programs)
	if err != nil {
		return 0, err
	}
	foreign := (to.all - from.all) - (to.ours - from.ours)
	return max(0, foreign.Seconds()/to.at.Sub(from.at).Seconds()/float64(runtime.NumCPU())), nil
}
