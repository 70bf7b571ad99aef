//go:build !unix

package demo

import "os/exec"

// ownGroup does nothing where there are no process groups: the child is killed.
func ownGroup(*exec.Cmd) {}
