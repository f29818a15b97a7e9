//go:build !linux

package program

import "os/exec"

// DieWithParent does nothing where the system has no such thing.
func DieWithParent(*exec.Cmd) {}
