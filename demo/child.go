package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// child is a Kratos command that logs to a file and dies with ctx, or with this
// program where the system offers that.
type child struct {
	bin, dir, log string
}

const (
	// drainTime is for a server's clean end, after which it is killed.
	drainTime = 8 * time.Second
	// tailBytes and tailLines bound what is shown of a log.
	tailBytes = 8 << 10
	tailLines = 15
	// sqliteOptions leave it to SQLite who writes when: docs/kratos.md, L.
	sqliteOptions = "_fk=true&mode=rwc&lock=false&_txlock=immediate&_busy_timeout=30000"
)

// run runs a command to its end. It returns nil only if the command succeeded.
func (k child) run(ctx context.Context, args ...string) error {
	log, err := os.OpenFile(k.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, k.bin, append(args, "-c", kratosFile)...) //nolint:gosec // the operator's own binary
	cmd.Dir, cmd.Stdout, cmd.Stderr = k.dir, log, log
	cmd.Env = append(os.Environ(), "DSN=sqlite://"+filepath.Join(k.dir, "kratos.sqlite")+"?"+sqliteOptions, "SQA_OPT_OUT=true")
	cmd.WaitDelay = drainTime
	ownGroup(cmd)
	// The system may tie a child's life to the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kratos %s: %w%s", args[0], err, k.tail())
	}
	return nil
}

// serve runs a server, whose end before that of ctx is an error.
func (k child) serve(ctx context.Context, args ...string) error {
	err := k.run(ctx, args...)
	if err == nil {
		err = errors.New("kratos ended by itself" + k.tail())
	}
	return unlessOver(ctx, err)
}

// unlessOver returns the error of a part that was not asked to end.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// tail returns the end of the log, for an error message.
func (k child) tail() string {
	content, err := os.ReadFile(k.log)
	if err != nil || len(content) == 0 {
		return ""
	}
	content = content[max(0, len(content)-tailBytes):]
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return "\nThe end of its log:\n" + strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
