package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// describe says what the numbers were measured on.
func describe(ctx context.Context, s settings, server *server) ([]string, error) {
	var version, flush, pool string
	err := server.QueryRowContext(ctx, "SELECT @@version, @@innodb_flush_log_at_trx_commit, @@innodb_buffer_pool_size DIV 1048576").
		Scan(&version, &flush, &pool)
	if err != nil {
		return nil, err
	}
	release, err := releaseOf(ctx, s.holdlineBin)
	if err != nil {
		return nil, err
	}
	machine, err := machine()
	if err != nil {
		return nil, err
	}
	kratos, err := moduleIn(s.kratosBin, "github.com/ory/kratos")
	if err != nil {
		return nil, err
	}
	return []string{
		fmt.Sprintf("Machine: %s. Load, doubles, MariaDB, Kratos and all Holdlines share it.", machine),
		fmt.Sprintf("MariaDB %s, innodb_flush_log_at_trx_commit=%s (every commit is on disk), buffer pool %s MiB.", version, flush, pool),
		fmt.Sprintf("Holdline %s.", release),
		fmt.Sprintf("Ory Kratos %s, on the same MariaDB.", kratos),
		fmt.Sprintf("Command: `make bench`, seed %d.", s.seed),
	}, nil
}

// releaseOf is what a Holdline says that it is.
func releaseOf(ctx context.Context, binary string) (string, error) {
	printed, err := exec.CommandContext(ctx, binary, "version").Output()
	if err != nil {
		return "", fmt.Errorf("holdline version: %w", err)
	}
	release, _, _ := strings.Cut(string(printed), "\n")
	return release, nil
}

// machine is what everything runs on.
func machine() (string, error) {
	osrelease, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "", err
	}
	kernel, _, _ := strings.Cut(strings.TrimSpace(string(osrelease)), "-") // the rest is the builder's
	processor, err := entry("/proc/cpuinfo", "model name")
	if err != nil {
		return "", err
	}
	memory, err := entry("/proc/meminfo", "MemTotal")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d cores (%s), %s of memory; Linux %s", runtime.NumCPU(), processor, memory, kernel), nil
}

// moduleIn is the version of a module that a program was built from.
func moduleIn(program, module string) (string, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "", err
	}
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version, nil
		}
	}
	return "", fmt.Errorf("%s is not built from %s", program, module)
}

// entry reads the first value of a name in a file of names and values.
func entry(file, name string) (string, error) {
	content, err := os.ReadFile(file) //nolint:gosec // one of the kernel's
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(content)) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), nil
		}
	}
	return "", fmt.Errorf("%s has no %q", file, name)
}
