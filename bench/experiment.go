package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// experiment is a part of a run, and a section of its report.
type experiment struct {
	name string
	run  func(context.Context, *bench) (section, error)
}

// experiments are all of them, in the report's order.
var experiments = []experiment{
	{"changes", measureChanges},
	{"submits", measureSubmits},
	{"scim", measureScim},
}

func experimentNames() (names []string) {
	for _, e := range experiments {
		names = append(names, e.name)
	}
	return names
}

// section is what an experiment came to.
type section interface {
	// write adds it to the report, in Markdown.
	write(out *strings.Builder)
	// fault is an error if anything was lost, doubled or wrong.
	fault() error
}

// bench is what all experiments share.
type bench struct {
	settings
	began  time.Time
	server *server
	dir    string // for files

	kratosDSN string // of a migrated database, once there is one
}

// say tells who waits what is going on.
func (b *bench) say(format string, values ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", values...)
}
