package tied

import (
	"os/exec"
	"syscall"
)

// To ties a process that is not started yet.
func To(c *exec.Cmd) *exec.Cmd {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // as the thread that starts it ends: of a Go program only with the whole
	return c
}
