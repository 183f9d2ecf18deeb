package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/governance"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/server"
)

var operator = access.Job(access.Operator)

// candidate is the bundle of a folder, or the hash of one that is kept.
type candidate struct {
	Bundle policy.Bundle `json:",omitempty"`
	Hash   string        `json:",omitempty"`
}

// candidateOf reads --bundle.
func candidateOf(text string) (c candidate, err error) {
	if text == "" {
		return c, outcome.New(outcome.Required, "name the rules: --bundle DIR, with schema, policies and scenarios")
	}
	if info, err := os.Stat(text); err != nil || !info.IsDir() {
		if len(text) >= 8 && strings.Trim(text, "0123456789abcdef") == "" {
			return candidate{Hash: text}, nil
		}
		return c, outcome.New(outcome.NotFound, "there is no folder "+text).At("--bundle")
	}
	c.Bundle, err = policy.Gather(os.DirFS(text))
	return c, err
}

func (c candidate) bundle(ctx context.Context, s *server.Server) (policy.Bundle, error) {
	if c.Bundle != nil {
		return c.Bundle, nil
	}
	hash, err := s.Rules.Find(ctx, c.Hash)
	if err != nil {
		return nil, err
	}
	kept, err := s.Rules.Bundle(ctx, hash)
	return kept.Bundle, err
}

type enforcedLine struct {
	Hash   string     `json:"hash"`
	Since  *time.Time `json:"since,omitempty"` // none: was never in force
	Origin string     `json:"origin,omitempty"`
	State  string     `json:"state"` // in force, earlier, later, shipped
	Asked  string     `json:"asked_by,omitempty"`
	Agreed string     `json:"agreed_by,omitempty"`
	Entry  string     `json:"entry,omitempty"`
}

func listRules(_ context.Context, s *server.Server, asJSON bool, out *bytes.Buffer) error {
	now, _ := s.Rules.InForce()
	lines := []enforcedLine{}
	for _, e := range s.Rules.History() {
		since := e.Since
		l := enforcedLine{Hash: e.Hash, Since: &since, Origin: e.Origin, State: "earlier", Asked: e.Asked, Agreed: e.Agreed, Entry: e.Entry}
		switch {
		case e.Number == now.Number:
			l.State = "in force"
		case e.Since.After(s.Now()):
			l.State = "later"
		}
		lines = append(lines, l)
	}
	if shipped := s.Rules.ShippedHash(); shipped != now.Hash {
		lines = append(lines, enforcedLine{Hash: shipped, State: "shipped"})
	}
	if asJSON {
		return writeJSON(out, lines)
	}
	for _, l := range lines {
		when := "what this version of the program brings"
		if l.Since != nil {
			when = l.Since.Format("2006-01-02 15:04") + ", " + l.Origin
		}
		fmt.Fprintf(out, "%s  %-8s  %s\n", l.Hash[:16], l.State, when)
	}
	return nil
}

// showRequest is the request of `policy show`.
type showRequest struct{ Hash string }

func policyShow(ctx context.Context, l *line) error {
	var c server.Config
	var r showRequest
	l.installation(&c)
	l.StringVar(&r.Hash, "bundle", "", "`HASH`, or its first 8 digits; without, the rules in force")
	dir := l.String("out", "", "write its files to `DIR` instead, which must not be there")
	if err := l.parse(); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := carryOut(ctx, c, "policy-show", r, &text); err != nil {
		return err
	}
	b, err := policy.Unpack(text.Bytes())
	if err != nil {
		return err
	}
	if *dir == "" {
		for _, name := range b.Names() {
			fmt.Fprintf(l.out, "==> %s <==\n%s\n", name, b[name])
		}
		return nil
	}
	if err := os.Mkdir(*dir, 0o755); err != nil {
		return outcome.New(outcome.Conflict, "the folder "+*dir+" cannot be made, or is there already").At("--out")
	}
	for name, text := range b {
		file := filepath.Join(*dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Fprintf(l.out, "%d files of bundle %s\n", len(b), b.Hash())
	return nil
}

func showRules(ctx context.Context, s *server.Server, r showRequest, out *bytes.Buffer) error {
	if r.Hash == "" {
		r.Hash = s.Deciding().Hash()
	}
	b, err := candidate{Hash: r.Hash}.bundle(ctx, s)
	out.Write(b.Pack())
	return err
}

// simulateRequest is the request of `policy simulate`.
type simulateRequest struct {
	Candidate candidate
	Days      int
}

func policySimulate(ctx context.Context, l *line) error {
	var c server.Config
	var r simulateRequest
	l.installation(&c)
	bundle := l.String("bundle", "", "`DIR` with the rules to try, or the HASH of a kept bundle")
	l.IntVar(&r.Days, "days", 30, "how many `DAYS` back")
	asJSON := l.Bool("json", false, "as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	if r.Days < 1 || r.Days > 3660 {
		return outcome.New(outcome.Value, "name a number of days from 1 to 3660").At("--days")
	}
	var err error
	if r.Candidate, err = candidateOf(*bundle); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := carryOut(ctx, c, "policy-simulate", r, &text); err != nil {
		return err
	}
	var found governance.Replay
	if err := json.Unmarshal(text.Bytes(), &found); err != nil {
		return err
	}
	if err := writeReplay(l, &found, *asJSON); err != nil {
		return err
	}
	if _, _, care := found.Counts(); care > 0 {
		return errDoesNotHold
	}
	return nil
}

func simulateRules(ctx context.Context, s *server.Server, r simulateRequest, out *bytes.Buffer) error {
	b, err := r.Candidate.bundle(ctx, s)
	if err != nil {
		return err
	}
	now := s.Now()
	found, err := s.Rules.Try(ctx, operator, b, now.AddDate(0, 0, -r.Days), now.Add(time.Second))
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(found)
}

type changeLine struct {
	Key    string           `json:"key"`
	Gains  bool             `json:"gains"`
	Care   bool             `json:"care"`
	Roles  string           `json:"roles"`
	Action string           `json:"action"`
	Group  string           `json:"group"`
	Rule   string           `json:"rule,omitempty"`
	Count  int64            `json:"decisions"`
	Charts int64            `json:"charts"`
	People map[string]int64 `json:"people"`
}

func writeReplay(l *line, r *governance.Replay, asJSON bool) error {
	gains, losses, care := r.Counts()
	if asJSON {
		changes := []changeLine{}
		for _, c := range r.Changes {
			changes = append(changes, changeLine{c.Key, c.Gains, c.Care, c.Roles, c.Action, c.Group, c.Rule, c.Count, c.Charts, c.People})
		}
		lines := r.Lines
		if lines == nil {
			lines = []governance.Line{}
		}
		return writeJSON(l.out, struct {
			Bundle      string            `json:"bundle"`
			InForce     string            `json:"in_force"`
			From        time.Time         `json:"from"`
			To          time.Time         `json:"to"`
			Entry       string            `json:"entry"`
			Decisions   int64             `json:"decisions"`
			Without     int64             `json:"without_facts"`
			Gains       int64             `json:"gains"`
			Losses      int64             `json:"losses"`
			Care        int64             `json:"care_blocked"`
			Changes     []changeLine      `json:"changes"`
			Differences []governance.Line `json:"differences"`
			More        int64             `json:"more"`
		}{r.Hash, r.Against, r.From, r.To, r.Entry, r.Decisions, r.Without, gains, losses, care, changes, lines, r.More})
	}
	for _, c := range r.Changes {
		word, rule := "loses", c.Rule
		if c.Gains {
			word = "gains"
		}
		if c.Care {
			word = "BLOCKED CARE"
		}
		if rule == "" {
			rule = "no rule permits it"
		}
		fmt.Fprintf(l.out, "%s  %-12s %s: %s %s, %d decisions in %d charts by %d people (%s)\n", c.Key, word, c.Roles, c.Action, c.Group, c.Count, c.Charts, len(c.People), rule)
	}
	fmt.Fprintf(l.out, "Of %d decisions %d would be allowed that were refused, %d refused that were allowed, %d of them acts of care.\n", r.Decisions, gains, losses, care)
	if r.Without > 0 {
		fmt.Fprintf(l.out, "%d entries hold no facts of the rules and were left out.\n", r.Without)
	}
	return nil
}

// publishRequest is the request of `policy publish`.
type publishRequest struct {
	Bundle  policy.Bundle
	Reason  string
	Starts  time.Time
	Answers map[string]string
	Item    string
	JSON    bool
}

func policyPublish(ctx context.Context, l *line) error {
	var c server.Config
	r := publishRequest{Answers: map[string]string{}}
	l.installation(&c)
	bundle := l.String("bundle", "", "`DIR` with schema, policies and scenarios")
	l.StringVar(&r.Reason, "reason", "", "`TEXT`: why, in a few words; the second person decides by it")
	from := l.String("from", "", "from `TIME` on, 2026-11-22 or 2026-11-22T08:30:00Z; without, as soon as somebody agrees")
	l.Func("answer", "`KEY=TEXT`: why acts of care that `policy simulate` shows under this key are right to be blocked", func(text string) error {
		key, words, ok := strings.Cut(text, "=")
		if !ok {
			return outcome.New(outcome.Value, "write an answer as KEY=TEXT")
		}
		r.Answers[key] = words
		return nil
	})
	l.StringVar(&r.Item, "item", "", "`N` of an item that was approved: carry it out now, where no server runs")
	l.BoolVar(&r.JSON, "json", false, "as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	if r.Item != "" {
		return carryOut(ctx, c, "policy-publish", r, l.out)
	}
	if strings.TrimSpace(r.Reason) == "" {
		return outcome.New(outcome.Required, "say why, in a few words: --reason TEXT")
	}
	found, err := candidateOf(*bundle)
	if err != nil {
		return err
	}
	if found.Bundle == nil {
		return outcome.New(outcome.Value, "a kept bundle comes back by `chartwarden policy rollback --to HASH`").At("--bundle")
	}
	r.Bundle = found.Bundle
	if r.Starts, err = moment("--from", *from, c); err != nil {
		return err
	}
	return carryOut(ctx, c, "policy-publish", r, l.out)
}

func publishRules(ctx context.Context, s *server.Server, r publishRequest, out *bytes.Buffer) error {
	if r.Item != "" {
		return carryItem(ctx, s, r.Item, out)
	}
	checked := governance.Check(r.Bundle)
	for _, f := range checked.Faults {
		return outcome.New(outcome.Invalid, f+"; `chartwarden policy check` lists every fault")
	}
	p, err := s.Rules.Draft(ctx, operator, r.Bundle, r.Reason)
	if err != nil {
		return err
	}
	if _, err = s.Rules.Replay(ctx, operator, p.ID); err == nil {
		for key, text := range r.Answers {
			if _, err = s.Rules.Answer(ctx, operator, p.ID, key, text); err != nil {
				break
			}
		}
	}
	var a access.Approval
	if err == nil {
		a, err = s.Rules.Propose(ctx, operator, p.ID, r.Starts, r.Reason)
	}
	if err != nil {
		_ = s.Rules.Discard(ctx, operator, p.ID) // the first error is the one to tell
		return err
	}
	return writeWaiting(out, a, r.JSON)
}

// rollbackRequest is the request of `policy rollback`.
type rollbackRequest struct {
	To, Reason string
	JSON       bool
}

func policyRollback(ctx context.Context, l *line) error {
	var c server.Config
	var r rollbackRequest
	l.installation(&c)
	l.StringVar(&r.To, "to", "", "`HASH` of rules that were in force, or its first 8 digits; `policy list` names them")
	l.StringVar(&r.Reason, "reason", "", "`TEXT`: why, in a few words")
	l.BoolVar(&r.JSON, "json", false, "as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	if r.To == "" || strings.TrimSpace(r.Reason) == "" {
		return outcome.New(outcome.Required, "say to which rules and why: --to HASH --reason TEXT")
	}
	return carryOut(ctx, c, "policy-rollback", r, l.out)
}

func rollBackRules(ctx context.Context, s *server.Server, r rollbackRequest, out *bytes.Buffer) error {
	a, err := s.Rules.Rollback(ctx, operator, r.To, r.Reason)
	if err != nil {
		return err
	}
	return writeWaiting(out, a, r.JSON)
}
