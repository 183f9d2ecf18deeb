package casework_test

import (
	"math"
	"testing"
	"time"

	"chartwarden/internal/casework"
	"chartwarden/internal/detect"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
)

func drawn(x *servertest.Suspicion) {
	x.Hypothesis, x.LogE, x.Posterior, x.Severity = detect.RandomAudit, 1e-9, 0, .6
	x.Signals = []detect.Signal{{Name: detect.RandomAudit, Text: "drawn at random"}}
	x.Patients = x.Patients[:1]
}

// What is drawn at random stands in the queue behind every case, alarms nobody, is worked like one, cannot be muted, and its findings are
// counted.
func TestRandomAuditIsWorkedLikeACase(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	o := h.Office
	c := h.raise(drawn)
	weak := h.raise(func(x *servertest.Suspicion) {
		x.Hypothesis, x.LogE, x.Posterior, x.Severity = "stalking", .1, .001, .3
	})
	if got := h.list(h.ruth, casework.ToDo).Cases; len(got) != 2 || got[0].ID != weak.ID || got[1].ID != c.ID || !got[1].Drawn() {
		t.Errorf("the queue is %+v", got)
	}
	if d := c.Due.Sub(c.Opened); d != 14*24*time.Hour {
		t.Errorf("it is due within %v", d)
	}
	alerts, _, err := o.Alerts(ctx, h.ruth, 0)
	h.must(err)
	if len(alerts) != 1 || alerts[0].Case != weak.ID {
		t.Errorf("alerts: %+v", alerts)
	}
	_, err = o.Take(ctx, h.ruth, c.ID)
	h.must(err)
	_, err = o.AskMute(ctx, h.ruth, c.ID, "again and again")
	h.fails(err, outcome.NotSupported, "never left alone")
	_, err = o.AskPerson(ctx, h.ruth, c.ID, "What was this for?")
	h.must(err)
	questions, err := o.Questions(ctx, h.nurse)
	h.must(err)
	h.must(o.Answer(ctx, h.nurse, questions[0].ID, casework.ShouldNot, "I was curious"))
	year, months, entry, err := o.RandomAudits(ctx, h.omar, time.UTC)
	h.must(err)
	if year.Drawn != 1 || year.Waiting != 1 || year.Decided != 0 || len(months) != 1 || entry == "" {
		t.Errorf("%+v %+v", year, months)
	}
	_, err = o.Close(ctx, h.ruth, c.ID, casework.Finding{Outcome: casework.Training, Text: "talked to", Seen: 1})
	h.must(err)
	if year, _, _, err = o.RandomAudits(ctx, h.omar, time.UTC); err != nil || year.Decided != 1 || year.Found != 1 || year.Waiting != 0 {
		t.Errorf("%+v, %v", year, err)
	}
}

// What a case holds already is not drawn again; the same draw twice is one.
func TestRandomAuditOfWhatACaseHolds(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	c := h.raise()
	again := detect.Case{Agent: c.Agent, Hypothesis: detect.RandomAudit, Updated: h.now().Unix(), Queue: casework.Review, Events: []string{c.Events[0].ID}}
	done, err := h.Office.Absorb(ctx, again, nil, "")
	if h.must(err); done.Opened {
		t.Errorf("%+v", done)
	}
	again.Events = []string{"somewhere-7"}
	for i := range 2 {
		done, err = h.Office.Absorb(ctx, again, nil, "")
		if h.must(err); done.Opened != (i == 0) || done.Grown != (i == 0) {
			t.Errorf("the draw for the %d. time: %+v", i+1, done)
		}
	}
}

func TestMissedShare(t *testing.T) {
	for _, x := range []struct {
		decided, found   int
		share, low, high float64
	}{{0, 0, 0, 0, 0}, {10, 0, 0, 0, .2775}, {12, 1, .0833, .0149, .3539}, {100, 100, 1, .9630, 1}} {
		share, low, high := casework.Audits{Decided: x.decided, Found: x.found}.Missed()
		for i, d := range []float64{share - x.share, low - x.low, high - x.high} {
			if math.Abs(d) > .0002 {
				t.Errorf("%d of %d: figure %d is off by %v (%v, %v, %v)", x.found, x.decided, i, d, share, low, high)
			}
		}
	}
}
