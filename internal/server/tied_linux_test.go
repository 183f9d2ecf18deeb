package server

import (
	"os/exec"
	"syscall"
)

// Tied makes a process that a test starts end with this one, also where that panics, is killed or runs out of time, so that no Cleanup runs.
func Tied(c *exec.Cmd) *exec.Cmd {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // as the thread that starts it ends: of a Go program only with the whole
	return c
}
