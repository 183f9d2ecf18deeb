package detect

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Random audits: a tenth of the review budget goes to acts drawn by lot, whatever else is known of them. So nothing is provably unwatched,
// and what they find is what the rest of detection misses. They are told apart from cases, whose ranking they do not touch.

// RandomAudit is the name under which an act that was drawn stands where a case has its hypothesis.
const RandomAudit = "random-audit"

const (
	audited   = .1 // share of the review budget
	drawnMost = 16 // audits of a day, of each kind of act
)

// lot is one act in a day's draw.
type lot struct {
	draw           uint64
	at             int64
	event, patient string
	agent          int32
}

// lottery keeps of each kind of act of a day those with the smallest draws. A draw is a keyed digest of the event's id: it depends on
// nothing else, and who does not know the key cannot tell it beforehand.
type lottery struct {
	key [sha256.Size]byte
	of  [Glass + 1][]lot
}

func newLottery(secret []byte, seed uint64) lottery {
	if secret == nil {
		secret = binary.BigEndian.AppendUint64(nil, seed)
	}
	return lottery{key: sha256.Sum256(append([]byte("random audits\x00"), secret...))}
}

// draw is what an id draws.
func (l *lottery) draw(id ...string) uint64 {
	text := append(make([]byte, 0, 128), l.key[:]...)
	for _, x := range id {
		text = append(append(text, 0), x...)
	}
	sum := sha256.Sum256(text)
	return binary.BigEndian.Uint64(sum[:])
}

// offer takes an act of a person into the day's draw: whatever touches patients' data, or takes it out.
func (l *lottery) offer(ev *Event, a int32, t int64) {
	if ev.Failed || ev.Listed || ev.Kind == Login || ev.Kind == Logout || len(ev.Patients) == 0 && harm(ev.Kind) == 0 {
		return
	}
	of := &l.of[ev.Kind]
	x := lot{draw: l.draw(ev.ID), at: t, event: ev.ID, agent: a}
	if n := len(*of); n == drawnMost && compareLots((*of)[n-1], x) <= 0 {
		return
	}
	if x.event = strings.Clone(ev.ID); len(ev.Patients) > 0 {
		x.patient = strings.Clone(ev.Patients[0])
	}
	at, _ := slices.BinarySearchFunc(*of, x, compareLots)
	*of = slices.Insert(*of, at, x)
	*of = (*of)[:min(len(*of), drawnMost)]
}

func compareLots(a, b lot) int {
	return cmp.Or(cmp.Compare(a.draw, b.draw), cmp.Compare(a.event, b.event))
}

// harm is how bad misuse by a kind of act would be; 0 for what harms nobody unless it touches a patient's data.
func harm(k Kind) float64 {
	switch k {
	case Export, Operation, Print:
		return hypothesesTable[exfiltration].base
	case Delete, Update:
		return hypothesesTable[destruction].base
	case Search, Glass:
		return hypothesesTable[snoop].base
	}
	return 0
}

// audit draws from the day that ends. How many: a tenth of the review budget, by lot where that is no whole number; a house too small for
// one case a day counts as if it had one. Of which kind each is: by softmax over the harm, so that none has no chance. Which one: the
// smallest draw.
func (e *Engine) audit() {
	l := &e.lots
	defer func() { l.of = [Glass + 1][]lot{} }()
	if e.options.Audit == nil {
		return
	}
	day := fmt.Sprint(e.day)
	want := audited * math.Max(1, e.options.Budget/1000*float64(len(e.activeOn[e.day])))
	n := int(want)
	if unitary(l.draw("how many", day)) < want-float64(n) {
		n++
	}
	for i := range n {
		total := 0.0
		weight := func(k Kind) float64 {
			if len(l.of[k]) == 0 {
				return 0
			}
			return math.Exp(math.Max(harm(k), hypothesesTable[snoop].base))
		}
		for k := range l.of {
			total += weight(Kind(k))
		}
		at := unitary(l.draw("which kind", day, fmt.Sprint(i))) * total
		for k := range l.of {
			w := weight(Kind(k))
			if at -= w; w == 0 || at >= 0 {
				continue
			}
			e.drawn(l.of[k][0], Kind(k))
			l.of[k] = l.of[k][1:]
			break
		}
	}
}

// drawn tells of one audit.
func (e *Engine) drawn(x lot, k Kind) {
	e.audits++
	agent := e.world.people.text[x.agent]
	c := Case{ID: fmt.Sprintf("a-%d", e.audits), Revision: 1, Agent: agent, Hypothesis: RandomAudit, Opened: e.now, Updated: x.at, Queue: "review",
		Severity: math.Max(harm(k), hypothesesTable[snoop].base), Events: []string{x.event},
		Contributions: []Signal{{RandomAudit, 0, "drawn at random"}}, Summary: agent + " was drawn at random. Nothing is suspected."}
	if x.patient != "" {
		c.Patients = []string{x.patient}
	}
	e.options.Audit(&c)
}
