package audit

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"chartwarden/internal/tlog"
)

// Nodes witness each other: once a minute each states in its own log the newest heads of the others' that moved. So nobody can take a
// whole log out of the store, or roll one back, without touching all of them.

const peersSeen = "peers"

// attest appends the heads of the other nodes' logs, when there are any that it did not state before.
func (l *Log) attest(ctx context.Context) error {
	rows, err := l.survey(ctx)
	if err != nil || l.alone(rows) {
		return err
	}
	var notes [][]byte
	seen := map[int64]Index{}
	for _, r := range rows {
		if r.node == l.o.Node || r.end == indexOf(r.number, 0) || r.end == l.attested[r.number] {
			continue
		}
		at, note, err := l.newestHead(ctx, r.number)
		if err != nil {
			return err
		}
		v, err := l.verifierOf(r)
		if err != nil {
			l.o.Logger.Error("the log of another node cannot be attested: verify it", "origin", r.origin, "err", err)
			continue
		}
		c, _, err := tlog.OpenCheckpoint(note, v)
		if err != nil || c.Origin != r.origin {
			l.o.Logger.Error("the head of another node's log is not signed by it: verify it", "origin", r.origin)
			continue
		}
		if at.Number() != c.Size || at < l.attested[r.number] {
			l.o.Logger.Error("the log of another node became shorter: verify it", "origin", r.origin)
			continue
		}
		notes, seen[r.number] = append(notes, note), at
	}
	if len(notes) == 0 {
		return nil
	}
	if _, err := l.append(ctx, Node, l.own(Event{Interaction: peersSeen, Text: string(bytes.Join(notes, []byte("\n")))}), nil); err != nil {
		return err
	}
	for number, at := range seen {
		l.attested[number] = at
	}
	return nil
}

// peer is a head of one log that an entry of another states.
type peer struct {
	note []byte
	by   Index
}

// hear remembers the heads that an entry states.
func (v *verifier) hear(r *Read) {
	if r.Event.Interaction != peersSeen || r.Event.Agent.Job != "audit" {
		return
	}
	for _, note := range splitHeads([]byte(r.Event.Text)) {
		v.peers = append(v.peers, peer{note, r.Index})
	}
}

// witnessed compares each log with what the entries of others say of it.
func (v *verifier) witnessed(ctx context.Context) error {
	newest := map[string]tlog.Checkpoint{}
	by := map[string]Index{}
	for _, p := range v.peers {
		origin, _, _ := bytes.Cut(p.note, []byte("\n"))
		i := slices.IndexFunc(v.rows, func(r logRow) bool { return r.origin == string(origin) })
		if i < 0 {
			v.report.fault(Fault{Log: v.originOf(p.by), Index: p.by.Number(), What: fmt.Sprintf("states a head of the log %s, which is not here", origin)})
			continue
		}
		r := v.rows[i]
		key, err := v.keyOf(r)
		if err != nil {
			continue // named before
		}
		c, _, err := tlog.OpenCheckpoint(p.note, key)
		if err != nil {
			v.report.fault(Fault{Log: v.originOf(p.by), Index: p.by.Number(), What: fmt.Sprintf("states a head of the log %s that its key did not sign", origin)})
			continue
		}
		if c.Size > newest[r.origin].Size {
			newest[r.origin], by[r.origin] = c, p.by
		}
	}
	for _, r := range v.rows {
		c, ok := newest[r.origin]
		if !ok || v.excused(r) {
			continue
		}
		where := v.originOf(by[r.origin]) + fmt.Sprintf("/%d", by[r.origin].Number())
		if c.Size > r.end.Number() {
			v.report.fault(Fault{Log: r.origin, Index: r.end.Number(), What: fmt.Sprintf("is missing, and all after it: the entry %s of another node knows %d entries, %d are here", where, c.Size, r.end.Number())})
			continue
		}
		tree, err := tlog.Restore(r.end.Number(), v.tile(ctx, r.number), v.leaf(ctx, r.number))
		if err != nil {
			continue // named before
		}
		if root, err := tlog.Root(tree.Reader(v.tile(ctx, r.number)), c.Size); err != nil || root != c.Root {
			v.report.fault(Fault{Log: r.origin, Index: -1, What: fmt.Sprintf("is another log than the entry %s of another node knows at size %d", where, c.Size)})
		}
	}
	return nil
}
