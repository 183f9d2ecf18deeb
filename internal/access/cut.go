package access

import (
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// waits are the actions on the installation that wait after a cut.
var waits = []string{policy.People, policy.PeopleAgree, policy.Settings}

// uncut refuses what waits while the log is cut, or contradicted by a witness while it is written: outside evidence speaks against it,
// and nobody has taken note. Care goes on; exports, administration and deletions wait for a person (decisions 9).
func (g *Gate) uncut() error {
	state := g.log.State()
	if state.Disputed != "" {
		return outcome.New(outcome.Lock, "a witness knows another audit record than this server's: exports, administration and deletions wait until that is found out, see the Integrity page").
			Because("log.disputed")
	}
	if !state.Cut {
		return nil
	}
	return outcome.New(outcome.Lock, "the audit record was cut: exports, administration and deletions wait until somebody takes note of it on the Integrity page").
		Because("log.cut")
}
