package governance_test

import (
	"testing"
	"time"

	"chartwarden/internal/governance"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/server/servertest"
)

// A replay goes on beside the one who asked for it, and what it finds stands on the work; what was changed meanwhile keeps its own.
func TestReplayGoesOnBeside(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.anna.Get(t, "/fhir/Condition?patient="+h.maren)
	p, err := h.Rules.Draft(ctx, shell, stricter(t), "a test")
	if err != nil {
		t.Fatal(err)
	}
	began, err := h.Rules.BeginReplay(ctx, shell, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	<-began.Done()
	if began.Err() != nil || began.Decisions() == 0 || h.Rules.Trying(p.ID) != nil {
		t.Fatalf("%v, %d decisions, still %v", began.Err(), began.Decisions(), h.Rules.Trying(p.ID))
	}
	if p, err = h.Rules.Proposal(ctx, shell, p.ID); err != nil || p.Replay == nil || p.Replay.Decisions != began.Decisions() || len(p.Replay.Blocked()) == 0 {
		t.Fatalf("%+v, %v", p.Replay, err)
	}
	if _, err := h.Rules.Save(ctx, shell, p.ID, "treatment.cedar", "permit (principal, action, resource"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Rules.BeginReplay(ctx, shell, p.ID); !outcome.Is(err, outcome.Invalid) {
		t.Errorf("a text that does not load: %v", err)
	}
}

// found waits until the candidate beside has found so many decisions that differ.
func (h *house) found(t *testing.T, rules *governance.Rules, least int64) policy.Tally {
	t.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		hash, tally, err := rules.Beside(t.Context(), shell)
		if err != nil || hash != stricter(t).Hash() {
			t.Fatal(hash, err)
		}
		var n int64
		for _, d := range tally.Differences {
			n += d.Count
		}
		if n >= least {
			return tally
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%d differ, want %d: %+v", n, least, tally)
		}
	}
}

// What a candidate found beside is kept over a restart, goes on there, and sums up over nodes; the rows are the server's own.
func TestShadowIsKept(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, err := h.Rules.Draft(ctx, shell, stricter(t), "a test")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Rules.Accompany(ctx, shell, p.ID); err != nil {
		t.Fatal(err)
	}
	h.anna.Get(t, "/fhir/Condition?patient="+h.maren)
	first := h.found(t, h.Rules, 1)
	h.Stop()
	h.Server = servertest.Open(t, h.Dir)
	kept := h.found(t, h.Rules, 1)
	if kept.Judged < first.Judged {
		t.Errorf("%d judged, %d before the restart", kept.Judged, first.Judged)
	}
	if err := h.Rules.Alone(ctx, shell); err != nil {
		t.Fatal(err)
	}
	h.Stop()
	h.Server = servertest.Open(t, h.Dir)
	if _, _, err := h.Rules.Beside(ctx, shell); !outcome.Is(err, outcome.NotFound) {
		t.Errorf("it decides beside again: %v", err)
	}
	h.holds(t)
	h.edit(t, `UPDATE policy_beside SET ended = 0`)
	h.edit(t, `UPDATE policy_tally SET body = ?`, []byte(`{"Judged":1}`))
	if _, _, err := h.Rules.Beside(ctx, shell); !outcome.Is(err, outcome.NotFound) {
		t.Errorf("SQL lets it decide beside again: %v", err)
	}
	if all := h.faults(t); len(all) != 2 {
		t.Errorf("the verification names %q", all)
	}
}

// Each node lets the candidate decide beside, and each shows what all found.
func TestShadowOnEveryNode(t *testing.T) {
	h := newHouse(t)
	if h.Config.Database == "" {
		t.Skip("one node: run with CHARTWARDEN_TEST_ENGINE=postgres")
	}
	ctx := t.Context()
	other := h.Node(t, "second")
	p, err := h.Rules.Draft(ctx, shell, stricter(t), "a test")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Rules.Accompany(ctx, shell, p.ID); err != nil {
		t.Fatal(err)
	}
	at := *h.anna
	at.Base = other.URL
	h.found(t, other.Rules, 0) // the other node follows
	at.Get(t, "/fhir/Condition?patient="+h.maren)
	there := h.found(t, other.Rules, 1)
	other.Stop()
	if here := h.found(t, h.Rules, 1); here.Judged < there.Judged {
		t.Errorf("%d judged as the first node says, %d on the second alone", here.Judged, there.Judged)
	}
	if err := h.Rules.Alone(ctx, shell); err != nil {
		t.Fatal(err)
	}
}
