package identity

import (
	"context"
	"regexp"
	"slices"
	"time"

	"chartwarden/internal/audit"
)

const (
	clientTable        = "identity_client"
	authorizationTable = "identity_authorization"
)

// A program's row is sealed for its id and revision, and so is what people let it do: SQL cannot make or change one. It could put a row
// back as it once was; the log says whether it did.

// registered is what the log says of one program, in order.
type registered struct {
	acts []deed
	last time.Time
}

var (
	saidIn    = regexp.MustCompile(`\bclient ([A-Za-z0-9][A-Za-z0-9._-]{1,63}) (waiting|active): [a-z-]+ [a-z]+ of person ([a-z2-7]{16}); scopes (.*); redirects`)
	revokedIn = regexp.MustCompile(`^client ([A-Za-z0-9][A-Za-z0-9._-]{1,63}): `)
	overIn    = regexp.MustCompile(`^authorization ([a-z2-7]{16}) ended: `)
)

// program takes in an entry about a program or about what one was allowed.
func (c *Check) program(r *audit.Read) {
	e := &r.Event
	var m []string
	switch {
	case e.Kind == audit.Session:
		if m := overIn.FindStringSubmatch(e.Text); m != nil {
			c.over[m[1]] = r.Index
		}
		return
	case e.Interaction == didRevokeClient.interaction:
		m = revokedIn.FindStringSubmatch(e.Text)
	case e.Interaction == didRegister.interaction, e.Interaction == didApprove.interaction:
		m = saidIn.FindStringSubmatch(e.Text)
	}
	if m == nil {
		return
	}
	p := c.clients[m[1]]
	if p == nil {
		p = &registered{}
		c.clients[m[1]] = p
	}
	p.acts = append(p.acts, deed{r.Index, e.Time, e.Interaction, e.Text, e.Time})
	if r.Recorded.After(p.last) {
		p.last = r.Recorded
	}
}

// readPrograms takes the rows of programs and of what people let them do.
func (c *Check) readPrograms(ctx context.Context, q queryer, out *Rows) error {
	ids, err := q.QueryContext(ctx, `select id, revision, sealed from identity_client order by id`)
	if err != nil {
		return unreadableLot(err)
	}
	defer ids.Close()
	for ids.Next() {
		one, err := c.s.scanClient(ids)
		if err != nil {
			if one.ID == "" {
				return unreadableLot(err)
			}
			c.fault(clientTable, 0, "client "+one.ID+" does not open: it was not written by this server, or was changed")
			continue
		}
		out.clients = append(out.clients, one)
	}
	if err := ids.Err(); err != nil {
		return unreadableLot(err)
	}
	rows, err := q.QueryContext(ctx, selectAuthorization+` order by a.number`)
	if err != nil {
		return unreadableLot(err)
	}
	defer rows.Close()
	for rows.Next() {
		g, err := c.s.scanAuthorization(rows)
		if err != nil {
			if g == nil {
				return unreadableLot(err)
			}
			c.fault(authorizationTable, 0, "holds authorization "+g.ID+", which does not open: it was not written by this server, or was changed")
			continue
		}
		out.grants = append(out.grants, g)
	}
	if err := rows.Err(); err != nil {
		return unreadableLot(err)
	}
	return nil
}

func (c *Check) comparePrograms(rows *Rows) {
	for _, one := range rows.clients {
		t := c.clients[one.ID]
		if t == nil {
			if !c.cut {
				c.fault(clientTable, 0, "holds client "+one.ID+", which no entry registered")
			}
			continue
		}
		if t.last.After(rows.at.Add(-settled)) {
			continue
		}
		said, revoked := c.foldProgram(t)
		switch {
		case revoked && one.State != Ended:
			c.fault(clientTable, 0, "holds client "+one.ID+" as it was before it was revoked")
		case !revoked && len(said) > 0 && (string(one.State) != said[2] && one.State != Ended || one.Owner != said[3] || one.Scope != said[4]):
			c.fault(clientTable, 0, "holds client "+one.ID+" otherwise than the log says: state, owner or scopes")
		}
	}
	for id, t := range c.clients {
		here := slices.ContainsFunc(rows.clients, func(x Client) bool { return x.ID == id })
		if said, _ := c.foldProgram(t); len(said) > 0 && !here && !c.cut && !t.last.After(rows.at.Add(-settled)) {
			c.fault(clientTable, 0, "lacks client "+id+", which was registered")
		}
	}
	for _, g := range rows.grants {
		if at, over := c.over[g.ID]; over && !c.undone[at] && !g.ended && g.Ends.After(rows.at) {
			c.fault(authorizationTable, 0, "holds authorization "+g.ID+" as it was before it ended")
		}
	}
}

// foldProgram is how a program was last described (as [saidIn] finds it), and whether it was revoked.
func (c *Check) foldProgram(t *registered) (said []string, revoked bool) {
	slices.SortStableFunc(t.acts, func(a, b deed) int { return a.when.Compare(b.when) }) // they may stand in the logs of several nodes
	for _, d := range t.acts {
		switch {
		case c.undone[d.at]:
		case d.interaction == didRevokeClient.interaction:
			revoked = true
		default:
			said = saidIn.FindStringSubmatch(d.text)
		}
	}
	return said, revoked
}
