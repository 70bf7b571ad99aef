// Command bench measures what changes of number cost, and what SCIM costs with many
// users: the built holdline as a process, a real MariaDB, and in-memory doubles of Kratos and the SMS provider,
// all on one machine. Variants that are to be compared run side by side and take
// turns. It ends with status 1 when a change was lost, a text came twice or an
// answer was wrong, and never because something was slow. `make bench` runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// settings are the command's flags.
type settings struct {
	holdline, dsn, out string
	users              []int
	pairs              int
	block, ramp, delay time.Duration
	seed               uint64
	scimUsers          int
	scimRounds         int
	changes            bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, flags())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func flags() settings {
	s := settings{users: []int{1, 8, 32}}
	flag.StringVar(&s.holdline, "holdline", ".cache/holdline", "the built program")
	flag.StringVar(&s.dsn, "dsn", os.Getenv("TEST_DSN"), "a MariaDB of its own, mysql://USER:PASSWORD@tcp(HOST:PORT)/NAME; the user may create databases")
	flag.StringVar(&s.out, "out", "", "file that the report is written to as well")
	flag.IntVar(&s.pairs, "pairs", 7, "blocks of each variant, for each number of users")
	flag.DurationVar(&s.block, "block", 3*time.Second, "how long a block is measured")
	flag.DurationVar(&s.ramp, "ramp", 1500*time.Millisecond, "how long a block runs before it is measured; no less than the delay")
	flag.DurationVar(&s.delay, "delay", time.Second, "what the slow provider takes to answer")
	flag.Uint64Var(&s.seed, "seed", 1, "what the identities are made from")
	flag.IntVar(&s.scimUsers, "scim-users", 1_000_000, "users of the large SCIM index, more than 1000; 0 leaves SCIM out")
	flag.IntVar(&s.scimRounds, "scim-rounds", 301, "how often each SCIM request is measured")
	flag.BoolVar(&s.changes, "changes", true, "measure changes of number")
	flag.Func("users", "users at once, separated by commas (default 1,8,32)", func(list string) error {
		s.users = nil
		for text := range strings.SplitSeq(list, ",") {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				return fmt.Errorf("%q is no number of users", text)
			}
			s.users = append(s.users, n)
		}
		return nil
	})
	flag.Parse()
	return s
}

// run measures, reports, and then tells whether all was done as it must be.
func run(ctx context.Context, s settings) (err error) {
	if s.ramp < s.delay || s.block <= 0 || s.pairs < 1 {
		return errors.New("-ramp must be no less than -delay, -block and -pairs more than 0")
	}
	if s.scimUsers != 0 && (s.scimUsers <= fewUsers || s.scimRounds < 1) {
		return errors.New("-scim-users must be 0 or more than 1000, and -scim-rounds more than 0")
	}
	if s.out != "" && (!s.changes || s.scimUsers == 0) {
		return errors.New("-out is for a whole report")
	}
	server, err := openServer(ctx, s.dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	dir, err := os.MkdirTemp("", "holdline-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := report{settings: s}
	if r.machine, err = describe(ctx, s.holdline, server); err != nil {
		return err
	}
	if s.changes {
		if r.comparison, err = compare(ctx, s, server, dir); err != nil {
			return err
		}
	}
	if s.scimUsers != 0 {
		if r.scim, err = compareScim(ctx, s, server, dir); err != nil {
			return err
		}
	}
	text := r.String()
	fmt.Print(text)
	if s.out != "" {
		if err := os.WriteFile(s.out, []byte(text), 0o644); err != nil { //nolint:gosec // a document
			return err
		}
	}
	if s.changes {
		return r.comparison.fault()
	}
	return nil
}
