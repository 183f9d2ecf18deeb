package audit

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
	"chartwarden/internal/witness"
)

// The witnesses of a log get its newest head at least once a minute and at the end, and are asked at the start. One that is away never
// holds up anything.

const (
	witnessPace   = 30 * time.Second // so that one round that fails does not make the log count as unwitnessed, which it does after a minute
	witnessAlarm  = 15 * time.Minute
	witnessWait   = 20 * time.Second // for a whole round
	witnessAtOnce = 5 * time.Second  // at start and end
)

// Unwitnessed is the age of the newest cosignature from which on people are told.
const Unwitnessed = time.Minute

// Witness is how one witness stands towards the log that this process writes.
type Witness struct {
	Name, URL string
	Here      bool      // it is on this machine, in the same hands as the log: no independent one
	Size      int64     // entries under the newest head that it cosigned; 0: none yet
	At        time.Time // when that head was brought to it, by the clock here; zero: never
	Trouble   string    // why it did not cosign the last one, in words for people
	Disputes  bool      // because it knows another history or a longer one; it stands until it cosigns
}

// Independent reports whether a witness that is not on this machine is asked.
func (s State) Independent() bool {
	for _, w := range s.Witnesses {
		if !w.Here {
			return true
		}
	}
	return false
}

// outsiders is what this process knows of its witnesses.
type outsiders struct {
	round sync.Mutex // one at a time
	mu    sync.Mutex
	all   []Witness
	since time.Time // from when on a cosignature is missed, before there was one
	told  string    // which alarm was told last; empty: none, or that all is well
}

// beginWitnesses takes up what was cosigned before.
func (l *Log) beginWitnesses(ctx context.Context) error {
	l.outside.since = l.o.Now()
	if len(l.o.Witnesses) == 0 && !l.o.Alone {
		known, err := l.signedLast(ctx)
		if err != nil {
			return err
		}
		l.o.Witnesses = known
	}
	for _, r := range l.o.Witnesses {
		l.outside.all = append(l.outside.all, Witness{Name: r.Name(), URL: r.URL, Here: r.Here()})
	}
	if len(l.o.Witnesses) == 0 {
		return nil
	}
	return l.keepWitnesses(ctx)
}

// visit brings heads to the witnesses until ctx ends.
func (l *Log) visit(ctx context.Context) {
	tick, stop := l.o.Tick(witnessPace)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			l.witness(ctx, witnessWait)
			l.watchWitnesses(ctx)
		}
	}
}

// witness brings the newest head to every witness, and keeps what they sign. It reports whether one did.
func (l *Log) witness(ctx context.Context, wait time.Duration) bool {
	h := l.head.Load()
	if len(l.o.Witnesses) == 0 || h == nil || h.note == nil || l.d.Broken() != nil || l.lost.Load() {
		return false
	}
	l.outside.round.Lock()
	defer l.outside.round.Unlock()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	done, _ := l.bring(ctx, h)
	return done
}

// bring is one round with one head. It returns whether anybody signed, and the first contradiction.
func (l *Log) bring(ctx context.Context, h *held) (done bool, contradiction *witness.Contradiction) {
	now := l.o.Now()
	prove := func(old int64) ([]tlog.Hash, error) {
		return tlog.Consistency(h.tree.Reader(l.tile(ctx, h.number)), old, h.tree.Size())
	}
	type result struct {
		note []byte
		err  error
	}
	results := make([]result, len(l.o.Witnesses))
	l.outside.mu.Lock()
	known := slices.Clone(l.outside.all) // of each witness its own: one that was away knows less than another
	l.outside.mu.Unlock()
	var asked sync.WaitGroup
	for i, r := range l.o.Witnesses {
		asked.Go(func() {
			note, _, err := r.Cosign(ctx, h.note, known[i].Size, prove)
			var c *witness.Contradiction
			if errors.As(err, &c) && c.Theirs > c.Ours && l.grewTo(ctx, h.number, c.Theirs) { // a verification brought it a newer head of ours
				err = outcome.New(outcome.Transient, "the witness "+r.Name()+" was brought a newer head meanwhile")
			}
			results[i] = result{note, err}
		})
	}
	asked.Wait()
	signed := cosignedHead{headRow{h.end(), h.note}, now}
	l.outside.mu.Lock()
	for i, r := range results {
		w := &l.outside.all[i]
		if r.err == nil {
			w.Size, w.At, w.Trouble, w.Disputes = h.tree.Size(), now, "", false
			signed.note = joined(signed.note, r.note)
			done = true
			continue
		}
		var c *witness.Contradiction
		switch {
		case errors.As(r.err, &c):
			w.Trouble, w.Disputes = c.Error(), true
			if contradiction == nil {
				contradiction = c
			}
		case !w.Disputes: // a dispute ends when that witness cosigns, not when it is not heard any more
			w.Trouble = inWords(r.err)
		}
	}
	l.outside.mu.Unlock()
	if !done {
		return false, contradiction
	}
	if err := l.keepCosigned(context.WithoutCancel(ctx), signed); err != nil {
		l.o.Logger.Error("the signatures of witnesses cannot be kept", "err", err)
	}
	return true, contradiction
}

// grewTo reports that the log that this process writes has so many entries by now, or in a moment: what is committed is published a
// little later.
func (l *Log) grewTo(ctx context.Context, number, size int64) bool {
	for range 50 {
		h := l.head.Load()
		if h == nil || h.number != number || size < 0 {
			return false
		}
		if h.tree.Size() >= size {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return false
}

func inWords(err error) string {
	var o *outcome.Error
	if errors.As(err, &o) {
		return o.Public
	}
	return err.Error()
}

// watchWitnesses tells once when the log is contradicted, when nobody witnessed it for long, and when it is well again: to the logger
// and as an entry.
func (l *Log) watchWitnesses(ctx context.Context) {
	const disputed, unwitnessed = "disputed", "unwitnessed"
	s, told := l.State(), l.outside.told
	var now, what string
	switch {
	case s.Disputed != "":
		now, what = disputed, s.Disputed
	case s.Independent() && s.WitnessAge >= witnessAlarm:
		now, what = unwitnessed, "no witness cosigned the log for more than a quarter of an hour"
	case told != "" && (s.WitnessAge < Unwitnessed || !s.Independent()):
		what = "the log is witnessed again"
	default:
		return
	}
	if now == told { // in other words, perhaps: each entry is one more that the witness does not know
		return
	}
	e := l.own(Event{Interaction: "witness", Outcome: map[string]int{disputed: 12, unwitnessed: 8}[now], Text: what})
	if now != "" {
		l.o.Logger.Error("the log is not witnessed", "why", what)
	} else {
		l.o.Logger.Info(what)
	}
	if _, err := l.append(ctx, Job, e, nil); err != nil {
		return // the next round tells
	}
	l.outside.told = now
}

// ofWitnesses adds to a state what is known of the witnesses.
func (l *Log) ofWitnesses(s *State) {
	l.outside.mu.Lock()
	defer l.outside.mu.Unlock()
	var newest time.Time
	for _, w := range l.outside.all {
		s.Witnesses = append(s.Witnesses, w)
		if !w.Here && w.At.After(newest) {
			newest = w.At
		}
		if w.Disputes && s.Disputed == "" {
			s.Disputed = w.Trouble
		}
	}
	if newest.IsZero() {
		newest = l.outside.since
	}
	s.WitnessAge = l.o.Now().Sub(newest)
}

// confront asks the witnesses at start about the log that this process would continue; it gives words when one knows better.
func (l *Log) confront(ctx context.Context, h *held, r logRow) string {
	if len(l.o.Witnesses) == 0 {
		return ""
	}
	asking, cancel := context.WithTimeout(ctx, witnessAtOnce)
	defer cancel()
	l.recall(ctx, r)
	_, c := l.bring(asking, h)
	if c != nil {
		return evidence("The log in the data directory is contradicted: "+c.Error()+".", h.note, l.signedByUs(r.origin, c.Note))
	}
	here, _ := ordinal(l.base, r.origin)
	if next := nextOrigin(l.base, here); l.unused(asking, next) != next {
		return evidence("A witness knows a later log than the data directory: the directory was rolled back.", h.note, nil)
	}
	return ""
}

// recall takes up what the witnesses signed before this process began: their signatures say so, not the tables.
func (l *Log) recall(ctx context.Context, r logRow) {
	key, err := l.verifierOf(r)
	if err != nil {
		return
	}
	found, err := cosignedHeads(ctx, l.d.Reader(), indexOf(r.number, 0), indexOf(r.number+1, 0), 100)
	if err != nil {
		return
	}
	var notes [][]byte
	for _, h := range found {
		notes = append(notes, h.note)
	}
	l.outside.mu.Lock()
	defer l.outside.mu.Unlock()
	for i, w := range l.o.Witnesses {
		size, at := newestVouched(notes, key, w.Key)
		l.outside.all[i].Size, l.outside.all[i].At = size, earlier(at, l.o.Now())
	}
}

// startOver forgets how the witnesses stood towards an earlier log.
func (l *Log) startOver() {
	l.outside.mu.Lock()
	defer l.outside.mu.Unlock()
	for i, w := range l.outside.all {
		l.outside.all[i] = Witness{Name: w.Name, URL: w.URL, Here: w.Here}
	}
}

func evidence(what string, inside, outside []byte) string {
	out := what
	if inside != nil {
		out += " The newest head inside:\n" + string(inside)
	}
	if outside != nil {
		out += "\nThe newest head outside:\n" + string(outside)
	}
	return out
}

// signedByUs is a note if a log of this node signed it: only then it is evidence of its own.
func (l *Log) signedByUs(origin string, note []byte) []byte {
	signer, err := l.signerOf(origin)
	if err != nil {
		return nil
	}
	if c, _, err := tlog.OpenCheckpoint(note, signer.Verifier()); err != nil || c.Origin != origin {
		return nil
	}
	return note
}

// unused is the first of a node's origins, from one on, under which no witness knows entries: a log that was lost whole is not begun a
// second time under its name and key.
func (l *Log) unused(ctx context.Context, origin string) string {
	ctx, cancel := context.WithTimeout(ctx, witnessAtOnce)
	defer cancel()
	for {
		signer, err := l.signerOf(origin)
		if err != nil {
			return origin
		}
		empty := signer.Sign(tlog.Checkpoint{Origin: origin, Root: tlog.EmptyRoot}.Text())
		used := make([]bool, len(l.o.Witnesses))
		var asked sync.WaitGroup
		for i, r := range l.o.Witnesses {
			asked.Go(func() {
				_, _, err := r.Cosign(ctx, empty, 0, func(int64) ([]tlog.Hash, error) { return nil, nil })
				var c *witness.Contradiction
				used[i] = errors.As(err, &c) && c.Theirs > 0
			})
		}
		asked.Wait()
		if !slices.Contains(used, true) {
			return origin
		}
		n, _ := ordinal(l.base, origin)
		origin = nextOrigin(l.base, n)
	}
}
