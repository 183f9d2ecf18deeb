package access

import (
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// waits are the actions on the installation that wait after a cut.
var waits = []string{policy.People, policy.Settings}

// uncut refuses what waits while the log is cut: outside evidence contradicts it, and nobody has taken note. Care goes on; exports,
// administration and deletions wait for a person (decisions 9).
func (g *Gate) uncut() error {
	if !g.log.State().Cut {
		return nil
	}
	return outcome.New(outcome.Lock, "the audit record was cut: exports, administration and deletions wait until somebody takes note of it on the Integrity page").
		Because("log.cut")
}
