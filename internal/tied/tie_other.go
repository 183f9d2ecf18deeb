//go:build !linux

package tied

import "os/exec"

// To ties a process that is not started yet; here it does not.
func To(c *exec.Cmd) *exec.Cmd { return c }
