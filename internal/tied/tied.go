// Package tied is for tests: what they start ends with them, also where a test panics, is killed or runs out of time, so that no Cleanup
// runs any more.
//
//	c := tied.Command(os.Args[0], "-test.run=^TestChild$")
//	err := c.Start()
package tied

import "os/exec"

// Command is [exec.Command] of a process that ends with this one. Where the system has no such tie, only a Cleanup ends it.
func Command(name string, args ...string) *exec.Cmd { return To(exec.Command(name, args...)) }
