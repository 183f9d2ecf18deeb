package governance

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Proposal is work on the next bundle. Its author alone changes it; everybody who may propose rules reads it.
type Proposal struct {
	ID            string
	Author        string // id of a person; empty: the command line
	Base          string // hash of the bundle that it began with
	State         string // Draft, or Waiting for the second person
	Item          string // of the act, once it waits
	Made, Changed time.Time
	Bundle        policy.Bundle
	Rest
}

// Rest is what a proposal keeps besides its text.
type Rest struct {
	Note    string            // what it is for
	Replay  *Replay           // of this very text; nil: none since it was changed
	Answers map[string]string // why blocked acts of care are right to be blocked, by [Change.Key]
	Back    bool              // a rollback: no replay where its bundle decided here before
}

// States of a proposal. What became of one that waits is told by its item.
const (
	Draft   = "draft"
	Waiting = "waiting"
)

type proposalRow struct {
	id, author, base, state, item string
	made, changed                 int64
	body, rest, mac               []byte
}

func (r *proposalRow) tagged() []any {
	return []any{r.id, r.author, r.base, r.state, r.item, r.made, r.changed, r.body, r.rest}
}

// store writes a proposal over the one that was read. Errors: outcome.Conflict where it was changed since, by a second window or during a long replay.
func (g *Rules) store(ctx context.Context, p *Proposal) error {
	read := p.Changed.UnixMicro()
	if p.Changed = g.now(); p.Changed.UnixMicro() <= read {
		p.Changed = time.UnixMicro(read + 1).UTC()
	}
	rest, err := json.Marshal(p.Rest)
	if err != nil {
		return err
	}
	r := proposalRow{id: p.ID, author: p.Author, base: p.Base, state: p.State, item: p.Item, made: p.Made.UnixMicro(), changed: p.Changed.UnixMicro(), body: p.Bundle.Pack(), rest: rest}
	return g.o.DB.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(`INSERT INTO policy_proposal (id, author, base, state, item, made, changed, body, rest, mac) VALUES (?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET state = excluded.state, item = excluded.item, changed = excluded.changed, body = excluded.body, rest = excluded.rest, mac = excluded.mac
			WHERE policy_proposal.changed = ?`,
			append(append(r.tagged(), g.tags.proposal.Tag(r.tagged()...)), read)...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, outcome.New(outcome.Conflict, "this proposal was changed meanwhile: look at it again, then try anew"))
		}
		return nil
	})
}

const selectProposal = `SELECT id, author, base, state, item, made, changed, body, rest, mac FROM policy_proposal `

func (r *proposalRow) scan(from interface{ Scan(...any) error }) error {
	return from.Scan(&r.id, &r.author, &r.base, &r.state, &r.item, &r.made, &r.changed, &r.body, &r.rest, &r.mac)
}

func (g *Rules) proposal(r *proposalRow) (*Proposal, error) {
	if !g.tags.proposal.Holds(r.mac, r.tagged()...) {
		g.o.Altered(proposalTable, rowNumber(r.id))
		return nil, errAltered
	}
	p := &Proposal{ID: r.id, Author: r.author, Base: r.base, State: r.state, Item: r.item, Made: time.UnixMicro(r.made).UTC(), Changed: time.UnixMicro(r.changed).UTC()}
	var err error
	if p.Bundle, err = policy.Unpack(r.body); err != nil {
		return nil, err
	}
	return p, json.Unmarshal(r.rest, &p.Rest)
}

// Proposals lists all work, newest change first, to whom the rules are shown. Errors: outcome.Forbidden.
func (g *Rules) Proposals(ctx context.Context, who access.Principal) (out []Proposal, err error) {
	if err := g.may(ctx, who, policy.PolicyRead); err != nil {
		return nil, err
	}
	rows, err := g.o.DB.Reader().QueryContext(ctx, selectProposal+`ORDER BY changed DESC LIMIT 100`)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r proposalRow
		if err := r.scan(rows); err != nil {
			return nil, unreadable(err)
		}
		if p, err := g.proposal(&r); err == nil {
			out = append(out, *p)
		} else if !errors.Is(err, errAltered) {
			return nil, err
		}
	}
	return out, rows.Err()
}

// Proposal gives one. Errors: outcome.Forbidden; outcome.NotFound.
func (g *Rules) Proposal(ctx context.Context, who access.Principal, id string) (*Proposal, error) {
	if err := g.may(ctx, who, policy.PolicyRead); err != nil {
		return nil, err
	}
	var r proposalRow
	err := r.scan(g.o.DB.Reader().QueryRowContext(ctx, selectProposal+`WHERE id = ?`, id))
	var p *Proposal
	if err == nil {
		p, err = g.proposal(&r)
	}
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, errAltered) {
		return nil, outcome.New(outcome.NotFound, "there is no such work on the rules")
	}
	return p, err
}

// may asks the door; the command line may read and propose, and agrees to nothing.
func (g *Rules) may(ctx context.Context, who access.Principal, action string) error {
	if who.Session == nil && who.Job == access.Operator {
		return nil
	}
	return g.o.Gate.Permit(ctx, who, action)
}

func idOf(who access.Principal) string {
	if who.Session == nil {
		return ""
	}
	return who.Session.Person.ID
}

// Draft begins work on a bundle; nil: with the one in force. Errors: outcome.Forbidden; outcome.Required without a note.
func (g *Rules) Draft(ctx context.Context, who access.Principal, b policy.Bundle, note string) (*Proposal, error) {
	if err := g.may(ctx, who, policy.PolicyPropose); err != nil {
		return nil, err
	}
	if note = strings.TrimSpace(note); note == "" {
		return nil, outcome.New(outcome.Required, "say in a sentence what the change is for").At("note")
	}
	base := g.o.Enforced.Hash()
	if b == nil {
		kept, err := g.Bundle(ctx, base)
		if err != nil {
			return nil, err
		}
		b = kept.Bundle
	}
	p := &Proposal{ID: strings.ToLower(rand.Text()), Author: idOf(who), Base: base, State: Draft, Made: g.now(), Bundle: b, Rest: Rest{Note: note}}
	return p, g.store(ctx, p)
}

// own gives a draft that who may change.
func (g *Rules) own(ctx context.Context, who access.Principal, id string) (*Proposal, error) {
	if err := g.may(ctx, who, policy.PolicyPropose); err != nil {
		return nil, err
	}
	p, err := g.Proposal(ctx, who, id)
	switch {
	case err != nil:
		return nil, err
	case p.Author != idOf(who):
		return nil, outcome.New(outcome.Forbidden, "only its author changes this: begin work of your own, which may start from it").Because("not.yours")
	case p.State != Draft:
		return nil, outcome.New(outcome.Conflict, "this waits for the second person and is not changed any more: withdraw the request, or begin anew")
	}
	return p, nil
}

// Save takes the new text of one file; an empty one removes the file. What a replay said of the text before goes.
// Errors: outcome.Forbidden; outcome.Value for a name that no bundle has; outcome.Conflict once it waits.
func (g *Rules) Save(ctx context.Context, who access.Principal, id, file, text string) (*Proposal, error) {
	p, err := g.own(ctx, who, id)
	if err != nil {
		return nil, err
	}
	b := maps.Clone(p.Bundle)
	if b[file] = strings.ReplaceAll(text, "\r\n", "\n"); strings.TrimSpace(text) == "" {
		delete(b, file)
	}
	if b, err = policy.Gather(b); err != nil {
		return nil, err
	}
	if _, kept := b[file]; !kept && strings.TrimSpace(text) != "" {
		return nil, outcome.New(outcome.Value, "a file of rules is called name.cedar, one of scenarios scenarios/name.txt").At("file")
	}
	if b.Hash() != p.Bundle.Hash() {
		p.Bundle, p.Replay, p.Answers = b, nil, nil
	}
	return p, g.store(ctx, p)
}

// Replay tries the text of a proposal on what was decided in the last 30 days, and keeps what came out.
// Errors: outcome.Forbidden; outcome.Invalid for a text that does not load.
func (g *Rules) Replay(ctx context.Context, who access.Principal, id string) (*Proposal, error) {
	p, err := g.own(ctx, who, id)
	if err != nil {
		return nil, err
	}
	set, err := policy.Load(p.Bundle)
	if err != nil {
		return nil, err
	}
	return p, g.try(ctx, who, p, set, new(atomic.Int64))
}

// Answer says why acts of care that a replay found blocked are right to be blocked. Errors: outcome.Forbidden; outcome.NotFound for a change
// that the replay did not find; outcome.Required without words.
func (g *Rules) Answer(ctx context.Context, who access.Principal, id, key, text string) (*Proposal, error) {
	p, err := g.own(ctx, who, id)
	if err != nil {
		return nil, err
	}
	if p.Replay == nil || !slices.ContainsFunc(p.Replay.Blocked(), func(c Change) bool { return c.Key == key }) {
		return nil, outcome.New(outcome.NotFound, "the replay found no such acts of care: run it again").At("key")
	}
	if text = strings.TrimSpace(text); text == "" {
		return nil, outcome.New(outcome.Required, "say why these acts of care are right to be blocked, or what people do instead").At("answer")
	}
	if p.Answers == nil {
		p.Answers = map[string]string{}
	}
	p.Answers[key] = text
	return p, g.store(ctx, p)
}

// Discard removes a draft. Errors: as [Rules.Save].
func (g *Rules) Discard(ctx context.Context, who access.Principal, id string) error {
	p, err := g.own(ctx, who, id)
	if err != nil {
		return err
	}
	return g.o.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM policy_proposal WHERE id = ?`, p.ID)
		return err
	})
}
