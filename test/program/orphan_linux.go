package program

import (
	"os/exec"
	"syscall"
)

// DieWithParent ends a process with the tests, also when these are killed.
func DieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
