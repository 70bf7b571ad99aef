package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/e2e/harness"
)

// What is measured, and for how long. `make bench` sets them.
var (
	before   = flag.String("before", "", "the built release before, to be measured in the same rounds")
	rounds   = flag.Int("rounds", 5, "blocks of each contestant for each number of users")
	measured = flag.Duration("measured", 2*time.Second, "of a block")
	earlier  = flag.Int("earlier", 1_000_000, "claims of the large history")
	servers  = flag.String("servers", "mariadb,postgres,sqlite", "those to measure on")
	cases    = flag.String("cases", "floor,form,scim,slow,earlier,kratos,steps", "those to measure")
)

// ramp is how long a block runs before it is measured.
const ramp = 400 * time.Millisecond

// provider's delay, where it is slow.
const delay = time.Second

func chosen(list *string, name string) bool { return slices.Contains(strings.Split(*list, ","), name) }

// The harness finds its files from the folder of the end-to-end tests, and is needed by
// benchmarks only.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() == "" {
		os.Exit(m.Run())
	}
	err := os.Chdir("..")
	if err == nil {
		err = harness.Setup()
	}
	code := 1
	debug.SetGCPercent(400) // memory is no matter here, and CPU is that of what is measured
	if err == nil {
		code = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	harness.Teardown()
	os.Exit(code)
}
