package casework

import (
	"context"
	"strings"
)

// program reports whether a case is about a program that acts as itself. Its Person is who owns the account: she is asked about it, and takes
// no step on the case; what she herself is to patients, and when she works, says nothing of what her program did.
func (c *Case) program() bool {
	return c.Person != "" && !strings.HasPrefix(c.Agent, "Practitioner/")
}

// programName is what the account of a program is called.
func (f *Office) programName(ctx context.Context, c *Case) string {
	if client, err := f.o.Persons.Client(ctx, c.Agent); err == nil && client.Name != "" {
		return client.Name
	}
	return c.Agent
}
