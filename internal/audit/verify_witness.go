package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
	"chartwarden/internal/witness"
)

// A directory that was set back as a whole, head file and all, agrees with itself. Only somebody outside knows better. So each live log must be
// cosigned by every witness whose key was given: now, where the witness can be asked, or else not long ago.

// cosignedWithin is how old the newest cosignature may be when its witness cannot be asked: a copy of last night still passes.
const cosignedWithin = 24 * time.Hour

// cosigners are the witnesses that must vouch for the logs.
func (o *VerifyOptions) cosigners() (out []witness.Remote, err error) {
	out = slices.Clone(o.Witnesses)
	for _, text := range o.Keys {
		v, err := tlog.ParseVerifier(text)
		if err != nil {
			return nil, outcome.Wrap("audit: verify", outcome.Value, "a verifier key is not readable: NAME+ID+KEY is expected", err)
		}
		if v.Cosigns() && !slices.ContainsFunc(out, func(r witness.Remote) bool { return r.Key.String() == v.String() }) {
			out = append(out, witness.Remote{Key: v})
		}
	}
	return out, nil
}

func (o *VerifyOptions) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

// vouched finds what the witnesses say of every live log.
func (v *verifier) vouched(ctx context.Context, outside [][]byte) error {
	cosigners, err := v.o.cosigners()
	if err != nil {
		return err
	}
	if names, err := v.witnessNames(ctx); err != nil {
		return err
	} else if len(cosigners) == 0 && len(names) > 0 {
		v.report.Notes = append(v.report.Notes, "no witness was asked: give the key of "+strings.Join(names, " or ")+" with --witness-key")
	}
	for _, w := range cosigners {
		if w.URL == "" && !v.o.Offline {
			known, ok, err := v.witnessAt(ctx, w.Key)
			if err != nil {
				return err
			}
			if ok { // the address is the directory's word, the signature is not
				w = known
			}
		}
		for _, r := range v.rows {
			if r.live(v.rows) && r.end.Number() > 0 {
				v.vouch(ctx, w, r, outside)
			}
		}
	}
	return nil
}

// vouch finds what one witness says of one log.
func (v *verifier) vouch(ctx context.Context, w witness.Remote, r logRow, outside [][]byte) {
	key, err := v.keyOf(r)
	if err != nil {
		return // named before
	}
	notes := slices.Clone(outside)
	for _, h := range v.cosigned {
		if h.at.log() == r.number {
			notes = append(notes, h.note)
		}
	}
	size, at := newestVouched(notes, key, w.Key)
	why := "was not asked"
	if w.URL != "" {
		err := v.ask(ctx, w, r, size)
		var c *witness.Contradiction
		switch {
		case err == nil:
			v.report.Notes = append(v.report.Notes, fmt.Sprintf("the witness %s was asked and cosigned all %d entries of %s", w.Name(), r.end.Number(), r.origin))
			return
		case errors.As(err, &c):
			index := int64(-1)
			if c.Theirs > c.Ours {
				index = c.Ours
			}
			v.report.fault(Fault{Log: r.origin, Index: index, What: "is contradicted: " + c.Error()})
			return
		}
		why = "could not be asked (" + inWords(err) + ")"
	}
	at = earlier(at, v.o.now())
	age := v.o.now().Sub(at)
	within := cmp.Or(v.o.Within, cosignedWithin)
	switch {
	case size == 0:
		v.report.fault(Fault{Log: r.origin, Index: -1, What: fmt.Sprintf("no head of it is cosigned by the witness %s, which %s", w.Name(), why)})
	case age > within:
		v.report.fault(Fault{Log: r.origin, Index: size, What: fmt.Sprintf("and all after it are not cosigned by the witness %s, whose newest signature here is of %s: the log may have been set back to that time; the witness %s",
			w.Name(), at.UTC().Format(time.RFC3339), why)})
	default:
		v.report.Notes = append(v.report.Notes, fmt.Sprintf("the witness %s cosigned %d of %d entries of %s at %s, %s ago; it %s, so what was set back to a later time than that does not show",
			w.Name(), min(size, r.end.Number()), r.end.Number(), r.origin, at.UTC().Format(time.RFC3339), age.Round(time.Second), why))
	}
}

// newestVouched is the largest head among notes that log and witness both signed.
func newestVouched(notes [][]byte, log, w tlog.Verifier) (size int64, at time.Time) {
	for _, note := range notes {
		c, held, err := tlog.OpenCheckpoint(note, log, w)
		if err != nil || c.Origin != log.Name() || c.Size < size {
			continue
		}
		for _, s := range held {
			if s.Name == w.Name() && !s.Time.IsZero() && (c.Size > size || s.Time.After(at)) {
				size, at = c.Size, s.Time
			}
		}
	}
	return size, at
}

// earlier is a witness's time by the clock here: one that runs ahead does not make a signature count for longer.
func earlier(at, now time.Time) time.Time {
	if at.After(now) {
		return now
	}
	return at
}

// ask brings the newest head of a log, as it was when the run began, to a witness. A running server may bring it newer ones meanwhile: then
// the newest of them is brought, if it continues the one of the beginning, since only a signature counts and never a size.
func (v *verifier) ask(ctx context.Context, w witness.Remote, r logRow, known int64) error {
	i := slices.IndexFunc(v.kept, func(h headRow) bool { return h.at == r.end })
	if i < 0 {
		return outcome.New(outcome.NotFound, "the log has no head to bring")
	}
	at, note := r.end, v.kept[i].note
	begun, err := tlog.Restore(at.Number(), v.tile(ctx, r.number), v.leaf(ctx, r.number))
	if err != nil {
		return err
	}
	tree := begun
	for range 5 {
		_, _, err = w.Cosign(ctx, note, known, func(old int64) ([]tlog.Hash, error) {
			return tlog.Consistency(tree.Reader(v.tile(ctx, r.number)), old, tree.Size())
		})
		var c *witness.Contradiction
		if !errors.As(err, &c) || c.Theirs <= c.Ours {
			return err
		}
		newer, text, bad := v.newestHead(ctx, r.number)
		if bad != nil || newer <= at || newer.Number() < c.Theirs {
			return err
		}
		at, note = newer, text
		if tree, bad = tlog.Restore(at.Number(), v.tile(ctx, r.number), v.leaf(ctx, r.number)); bad != nil {
			return bad
		}
		if root, bad := tlog.Root(tree.Reader(v.tile(ctx, r.number)), begun.Size()); bad != nil || root != begun.Root() {
			return outcome.New(outcome.Transient, "the log was changed while it was verified: verify again")
		}
	}
	return outcome.New(outcome.Transient, "the witness "+w.Name()+" was brought newer heads again and again: verify again")
}
