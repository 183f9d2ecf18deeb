package audit

import (
	"database/sql"
	"errors"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
	"chartwarden/internal/tlog"
)

// draft is an entry before it has a place: everything that needs no order is already done, in the caller's goroutine.
type draft struct {
	kind       Kind
	flags      byte
	owners     []place
	commitment [32]byte
	parts      [][]byte
}

// act is what one caller appends: one entry, or several that stand together. The writer fills in where they came to stand.
type act struct {
	drafts []draft
	also   func(tx *sql.Tx, first Index) error // rows that belong to the act, in its transaction; may be nil

	first Index
	time  time.Time
	held  *held // the state of the log with this act in it, once committed
}

// held is a state of the log that a commit made, or will make, durable. It never changes once it is committed.
type held struct {
	tree   *tlog.Tree
	number int64
	note   []byte
	time   int64           // of the last entry, unix microseconds
	minute int64           // of the newest head: heads are thinned to one a minute
	kept   Index           // position of the newest head
	staged map[owner]int64 // lengths of the chains that this commit makes longer

	added *named
}

func (h *held) end() Index { return indexOf(h.number, h.tree.Size()) }

// writer turns acts into rows. It runs on the engine's writer goroutine, one batch at a time.
//
// A batch is handed to the engine and its fate is known only when the next one comes: so the writer keeps the state before and the
// state after, and settles which of them holds by looking at the newest head in the table. That look also finds a second writer.
type writer struct {
	hot     compiled
	box     *seal.Box
	origin  string
	number  int64
	epoch   int64 // of the lease
	signer  tlog.Signer
	chains  *chains
	now     func() time.Time
	follow  func() Index // how far the look-up tables are
	held    *held
	pending *held
}

// errForeignWrite: somebody else wrote, or the database is an older one, as after the promotion of a standby that was behind.
var errForeignWrite = outcome.Wrap("audit: append", outcome.NoStore, "the audit log is not as this server left it, so the server ended: its next start looks what is missing", nil)

func (w *writer) apply(tx *sql.Tx, acts []*act) error {
	if err := w.settle(tx); err != nil {
		return err
	}
	h := &held{tree: w.held.tree.Clone(), number: w.number, staged: map[owner]int64{}, added: &named{start: w.held.end()}}
	now := w.instant()
	h.time = now.UnixMicro()
	var entries, parts []any
	for _, a := range acts {
		a.first, a.time, a.held = h.end(), now, h
		for i := range a.drafts {
			d := &a.drafts[i]
			e := entry{kind: d.kind, flags: d.flags, time: h.time, commitment: d.commitment, tags: make([]tag, len(d.owners))}
			for j, o := range d.owners {
				t, err := w.extend(tx, h, o.owner, now)
				if err != nil {
					return err
				}
				e.tags[j] = t
			}
			at, b := h.end(), e.append(make([]byte, 0, entryFixed+len(e.tags)*len(tag{})))
			entries = append(entries, at, b)
			for j, sealed := range d.parts {
				parts = append(parts, payloadID(at, j), sealed)
			}
			h.tree.Append(tlog.LeafHash(b))
			h.added.owners = append(h.added.owners, d.owners)
		}
	}
	for _, t := range h.tree.Drain() {
		if _, err := tx.Exec(`insert into tile(id, data) values(?, ?)`, tileID(h.number, t.Level, t.N), t.Data); err != nil {
			return err
		}
	}
	head, args := w.sign(h)
	if err := w.hot.add(tx, entries, parts, head, args...); err != nil {
		return err
	}
	for _, a := range acts {
		if a.also != nil {
			if err := a.also(tx, a.first); err != nil {
				return err
			}
		}
	}
	w.pending = h
	return nil
}

// settle makes sure that this process still holds the lease, and keeps it for the transaction; and learns whether the last batch was
// committed.
func (w *writer) settle(tx *sql.Tx) error {
	var epoch int64
	var newest Index
	err := w.hot.one(tx, w.hot.lease, indexOf(w.number, 0), indexOf(w.number+1, 0), w.number).Scan(&epoch, &newest)
	if errors.Is(err, sql.ErrNoRows) || err == nil && epoch != w.epoch {
		return errLost
	}
	if err != nil {
		return err
	}
	switch {
	case w.pending != nil && newest == w.pending.kept:
		for o, n := range w.pending.staged {
			if k, _ := w.chains.get(o); k != nil {
				k.n = n
			}
		}
		w.held, w.pending = w.pending, nil
		w.chains.age(w.held.end(), w.follow())
	case newest == w.held.kept:
		w.pending = nil
	default:
		return errForeignWrite
	}
	return nil
}

// instant is now, but never before the last entry, so that entries can be found by time. A clock that was set back by more than a few
// minutes is believed all the same: it was wrong before, not now.
func (w *writer) instant() time.Time {
	now := w.now().UTC()
	if last := time.UnixMicro(w.held.time).UTC(); now.Before(last) && last.Sub(now) < 10*time.Minute {
		return last
	}
	return now
}

// extend gives the next tag of an owner's chain.
func (w *writer) extend(tx *sql.Tx, h *held, o owner, at time.Time) (tag, error) {
	k, generation := w.chains.get(o)
	if k == nil { // forgotten since the caller loaded it
		k = &link{}
		var err error
		if k.n, err = chainLength(tx, h.number, o); err != nil {
			return tag{}, err
		}
		w.chains.put(o, k, generation)
	}
	n, ok := h.staged[o]
	if !ok {
		n = k.n
	}
	n++
	h.staged[o] = n
	return k.tag(w.box, w.origin, o, at, n), nil
}

// sign makes the head of the new size and gives the statement that stores it. Of one minute only the last head is kept; the head file has
// one a second.
func (w *writer) sign(h *held) (statement string, args []any) {
	h.note = w.signer.Sign(tlog.Checkpoint{Origin: w.origin, Size: h.tree.Size(), Root: h.tree.Root()}.Text())
	h.kept, h.minute = h.end(), h.time/60e6
	if w.held.note != nil && w.held.minute == h.minute {
		return moveHead, []any{h.kept, string(h.note), w.held.kept}
	}
	return newHead, []any{h.kept, string(h.note)}
}

// load puts an owner's link into memory before the writer needs it.
func (w *writer) load(s *store, o owner) error {
	k, generation := w.chains.get(o)
	if k != nil {
		return nil
	}
	k = &link{}
	var err error
	if k.n, err = chainLength(s.d.Reader(), w.number, o); err != nil {
		return unreadable(err)
	}
	k.tag(w.box, w.origin, o, w.now(), 1) // derives the month's key here rather than on the writer's goroutine
	w.chains.put(o, k, generation)
	return nil
}
