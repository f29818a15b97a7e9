package nodes_test

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends a process with the tests, also when these are killed.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
