package governance_test

import (
	"context"
	"database/sql"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/governance"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/server/servertest"
)

// edit changes the tables of a stopped installation, as somebody does who has SQL and no key.
func (h *house) edit(t *testing.T, statement string, args ...any) {
	t.Helper()
	source, o := filepath.Join(h.Dir, "records.db"), db.Options{}
	if h.Config.Database != "" {
		source, o = h.Config.Database, db.Options{Schema: "records"}
	}
	d, err := db.Open(t.Context(), source, o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(statement, args...); return err }); err != nil {
		t.Fatal(err)
	}
}

func (h *house) faults(t *testing.T) (out []string) {
	t.Helper()
	report, err := h.Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Faults {
		out = append(out, f.String())
	}
	return out
}

// looser is the shipped bundle, but physicians read every chart.
func looser(t *testing.T) policy.Bundle {
	b := maps.Clone(shipped(t))
	b["treatment.cedar"] += "\n@id(\"treat.anybody\")\n@why(\"Physicians read every chart.\")\npermit (principal is Staff in Role::\"physician\", action in [Action::\"read\", Action::\"search\"], resource is Record);\n"
	return b
}

// Rules that SQL puts in force, or changes, do not count: those that two people wanted decide, and the verification names the row.
func TestForgedRules(t *testing.T) {
	for name, c := range map[string]struct {
		forge func(h *house)
		says  string
		rules func(testing.TB) policy.Bundle // that decide after it
	}{
		"a row that puts other rules in force": {func(h *house) {
			h.edit(t, `INSERT INTO policy_bundle (hash, body, added, author, mac) SELECT ?, ?, added, author, mac FROM policy_bundle LIMIT 1`, looser(t).Hash(), looser(t).Pack())
			h.edit(t, `INSERT INTO policy_enforced (hash, since, origin, item, asked, agreed, entry, mac) SELECT ?, since, origin, item, asked, agreed, entry, mac FROM policy_enforced ORDER BY number DESC LIMIT 1`, looser(t).Hash())
		}, "policy_enforced row 3", stricter},
		"the text of the rules in force": {func(h *house) {
			h.edit(t, `UPDATE policy_bundle SET body = ? WHERE hash = ?`, looser(t).Pack(), stricter(t).Hash())
		}, "policy_bundle row", shipped},
		"the hash of what is in force": {func(h *house) {
			h.edit(t, `UPDATE policy_enforced SET hash = ? WHERE number = 2`, shipped(t).Hash())
		}, "policy_enforced row 2", shipped},
		"the first row made the newest": {func(h *house) {
			h.edit(t, `UPDATE policy_enforced SET number = 9 WHERE number = 1`)
		}, "policy_enforced row 9", stricter},
		"the newest row taken away": {func(h *house) {
			h.edit(t, `DELETE FROM policy_enforced WHERE number = 2`)
		}, "lacks the rules that the log put in force last", shipped},
		"words of a proposal": {func(h *house) {
			h.edit(t, `UPDATE policy_proposal SET rest = ?`, []byte(`{"Note":"harmless"}`))
		}, "policy_proposal row", stricter},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.publish(t, stricter(t), time.Time{})
			h.Stop()
			c.forge(h)
			h.Server = servertest.Open(t, h.Dir)
			if name != "the newest row taken away" { // that is too new to be told from one that is under way
				if all := strings.Join(h.faults(t), "\n"); !strings.Contains(all, c.says) {
					t.Errorf("verification says %q", all)
				}
			}
			q := policy.Request{Principal: policy.Principal{Kind: policy.Person, ID: "a", Capacity: policy.Staff, Roles: []string{"physician"}, Active: true, TrainingDue: h.Now().Add(time.Hour)}, Action: policy.Read,
				Resource: policy.Resource{Type: "Condition", Group: "clinical", Released: true, PatientKey: "1"}, Context: policy.Context{Now: h.Now(), Device: policy.Managed, Zone: policy.Hospital, AAL: 2}}
			if d := h.Deciding().Decide(q); d.Allowed || d.Hash != c.rules(t).Hash() {
				t.Errorf("decides by %s: %v", d.Hash, d.Allowed)
			}
		})
	}
}

// A new version of the program takes its own rules along only where the house has decided nothing.
func TestNewProgramBringsRules(t *testing.T) {
	h := newHouse(t)
	newer := maps.Clone(shipped(t))
	newer["glass.cedar"] += "\n// Reviewed.\n"
	reopen := func(rules policy.Bundle) {
		t.Helper()
		h.Stop()
		s, err := servertest.OpenRuled(t, h.Dir, rules)
		if err != nil {
			t.Fatal(err)
		}
		h.Server = s
	}
	reopen(newer)
	if e, _ := h.Rules.InForce(); e.Hash != newer.Hash() || e.Origin != governance.Shipped || h.Deciding().Hash() != newer.Hash() {
		t.Fatalf("%+v", e)
	}
	h.publish(t, stricter(t), time.Time{})
	newest := maps.Clone(newer)
	newest["glass.cedar"] += "\n// Reviewed again.\n"
	reopen(newest)
	if e, _ := h.Rules.InForce(); e.Hash != stricter(t).Hash() || e.Origin != governance.House || h.Deciding().Hash() != e.Hash {
		t.Errorf("the program's rules replaced what the house decided: %+v", e)
	}
	if _, err := h.Rules.Bundle(t.Context(), newest.Hash()); err != nil {
		t.Errorf("they cannot be compared with: %v", err)
	}
	h.holds(t)
}

// Without a replay a house goes back to what decided there, and to nothing else: neither to what a newer program brings, nor to what was set for a
// moment that has not come, or came after something later.
func TestOnlyWhatDecidedIsGoneBackTo(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.publish(t, stricter(t), time.Time{})
	newer := maps.Clone(shipped(t))
	newer["glass.cedar"] += "\n// Reviewed.\n"
	h.Stop()
	s, err := servertest.OpenRuled(t, h.Dir, newer)
	if err != nil {
		t.Fatal(err)
	}
	h.Server = s
	refused := func(b policy.Bundle, what string) {
		t.Helper()
		if a, err := h.Rules.Rollback(ctx, shell, b.Hash(), "it is ours"); !outcome.Is(err, outcome.BusinessRule) {
			t.Errorf("%s: %+v, %v", what, a, err)
		}
	}
	refused(newer, "what the program brings and never decided")
	later := maps.Clone(shipped(t))
	later["glass.cedar"] += "\n// Later.\n"
	h.publish(t, later, h.Now().Add(24*time.Hour))
	refused(later, "what is set for tomorrow")
	if h.Rules.Decided(newer.Hash()) || h.Rules.Decided(later.Hash()) || !h.Rules.Decided(stricter(t).Hash()) || !h.Rules.Decided(shipped(t).Hash()) {
		t.Error("what decided is not known")
	}
	before := len(h.works(t))
	if _, err := h.Rules.Rollback(ctx, shell, shipped(t).Hash(), "it stops people"); err != nil {
		t.Errorf("what did decide: %v", err)
	}
	if n := len(h.works(t)); n != before+1 {
		t.Errorf("%d works, not %d: a refused rollback leaves something", n, before+1)
	}
	admin := h.Person(t, "Ada Min", "administrator", "")
	if page := admin.Get(t, "/policy"); !strings.Contains(page.Body, "Take these rules over") || strings.Contains(page.Body, later.Hash()) {
		t.Errorf("the page offers something else: %d", page.Status)
	}
	admin.Form(t, "/policy/back", "hash", newer.Hash(), "why", "what the program brings")
	if all := h.works(t); len(all) != before+2 || all[0].Back || all[0].State != governance.Draft || all[0].Bundle.Hash() != newer.Hash() || len(h.Rules.Obstacles(&all[0])) == 0 {
		t.Errorf("%d works, the newest %+v", len(all), all[0].Rest)
	}
	h.publish(t, newer, time.Time{}) // as any other: tried, answered for, agreed to
	if e, _ := h.Rules.InForce(); e.Hash != newer.Hash() || !h.Rules.Decided(newer.Hash()) {
		t.Errorf("in force: %+v", e)
	}
	h.holds(t)
	h.Stop()
	h.Server = servertest.OpenAt(t, h.Dir, h.Now().Add(48*time.Hour))
	if h.Rules.Decided(later.Hash()) {
		t.Error("what was set for a moment counts, though others came into force before it")
	}
	refused(later, "what others took the place of before its moment")
}

// works is all work on the rules.
func (h *house) works(t *testing.T) []governance.Proposal {
	t.Helper()
	all, err := h.Rules.Proposals(t.Context(), shell)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// What is set for a later moment decides from then on, also when nobody does anything at that moment.
func TestRulesBeginAtTheirMoment(t *testing.T) {
	h := newHouse(t)
	begin := h.Now().Add(time.Hour)
	h.publish(t, stricter(t), begin)
	if h.Deciding().Hash() != shipped(t).Hash() {
		t.Fatal("they decide already")
	}
	h.Stop()
	h.Server = servertest.OpenAt(t, h.Dir, begin.Add(-time.Minute))
	if h.Deciding().Hash() != shipped(t).Hash() {
		t.Error("a minute before")
	}
	h.Stop()
	h.Server = servertest.OpenAt(t, h.Dir, begin.Add(time.Second))
	if h.Deciding().Hash() != stricter(t).Hash() {
		t.Error("at the moment")
	}
}

// Every node follows what one of them put in force.
func TestNodesFollow(t *testing.T) {
	h := newHouse(t)
	if h.Config.Database == "" {
		t.Skip("one node: run with CHARTWARDEN_TEST_ENGINE=postgres")
	}
	other := h.Node(t, "second")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go other.Rules.Run(ctx)
	at := *h.anna
	at.Base = other.URL
	if got := at.Get(t, "/fhir/Condition?patient="+h.maren).Status; got != http.StatusOK {
		t.Fatal(got)
	}
	h.publish(t, stricter(t), time.Time{})
	began := time.Now()
	for other.Deciding().Hash() != stricter(t).Hash() {
		if time.Since(began) > 20*time.Second {
			t.Fatal("the other node does not follow")
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Logf("after %v", time.Since(began))
	if got := at.Get(t, "/fhir/Condition?patient="+h.maren).Status; got != http.StatusForbidden {
		t.Errorf("the other node remembers: %d", got)
	}
}

// Rules that do not fit the program are never served under.
func TestRulesThatDoNotFit(t *testing.T) {
	h := newHouse(t)
	b := maps.Clone(shipped(t))
	b["treatment.cedar"] = "permit (principal, action, resource);"
	h.Stop()
	if s, err := servertest.OpenRuled(t, h.Dir, b); !outcome.Is(err, outcome.Invalid) {
		t.Errorf("%v, %v", s != nil, err)
	}
}
