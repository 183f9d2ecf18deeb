package audit

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// cosignedHead is a kept head with signatures of witnesses.
type cosignedHead struct {
	headRow
	seen time.Time // by the clock here
}

// cosignedHeads gives the kept heads with cosignatures from..to (exclusive), newest first, at most limit. q may be a transaction.
func cosignedHeads(ctx context.Context, q querier, from, to Index, limit int) ([]cosignedHead, error) {
	rows, err := q.QueryContext(ctx, `select at, note, seen from cosigned where at >= ? and at < ? order by at desc limit ?`, from, to, limit)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	var out []cosignedHead
	for rows.Next() {
		var h cosignedHead
		var seen int64
		if err := rows.Scan(&h.at, &h.note, &seen); err != nil {
			return nil, unreadable(err)
		}
		h.seen = time.UnixMicro(seen).UTC()
		out = append(out, h)
	}
	return out, unreadable(rows.Err())
}

// newestCosigned is the newest head of a log that a witness signed; zero: none.
func (s *store) newestCosigned(ctx context.Context, number int64) (cosignedHead, error) {
	found, err := cosignedHeads(ctx, s.d.Reader(), indexOf(number, 0), indexOf(number+1, 0), 1)
	if err != nil || len(found) == 0 {
		return cosignedHead{}, err
	}
	return found[0], nil
}

// newestHeadSigned is newestHead with the cosignatures that the head has.
func (s *store) newestHeadSigned(ctx context.Context, number int64) (Index, []byte, error) {
	at, note, err := s.newestHead(ctx, number)
	if err != nil || note == nil {
		return at, note, err
	}
	c, err := s.newestCosigned(ctx, number)
	if err == nil && c.at == at && sameText(c.note, note) {
		note = c.note
	}
	return at, note, err
}

// sameText reports that two signed notes say the same.
func sameText(a, b []byte) bool {
	text, _, _ := bytes.Cut(a, []byte("\n\n"))
	other, _, _ := bytes.Cut(b, []byte("\n\n"))
	return bytes.Equal(text, other)
}

// signedBy are the names under a note beside the log's own.
func signedBy(note []byte) (names []string) {
	origin, _, _ := bytes.Cut(note, []byte("\n"))
	_, lines, _ := bytes.Cut(note, []byte("\n\n"))
	for line := range bytes.Lines(lines) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && !bytes.Equal(fields[1], origin) {
			names = append(names, string(fields[1]))
		}
	}
	return names
}

// joined is a head under which all cosignatures stand that either note holds.
func joined(a, b []byte) []byte {
	out := bytes.Clone(a)
	_, lines, _ := bytes.Cut(b, []byte("\n\n"))
	for line := range bytes.Lines(lines) {
		if !bytes.Contains(out, line) {
			out = append(out, line...)
		}
	}
	return out
}

// turns bounds how many heads of one hour are looked at when a newer one is kept: each stands for another set of witnesses.
const turns = 32

// keepCosigned stores a head with cosignatures. Those of the same hour that no other witness signed give way to it.
func (l *Log) keepCosigned(ctx context.Context, h cosignedHead) error {
	return l.d.Write(ctx, func(tx *sql.Tx) error {
		before, err := cosignedHeads(ctx, tx, indexOf(h.at.log(), 0), h.at+1, turns)
		if err != nil {
			return err
		}
		for _, old := range before {
			if old.at == h.at && sameText(old.note, h.note) {
				h.note = joined(h.note, otherLines(old.note, h.note))
			} else if !old.seen.Truncate(time.Hour).Equal(h.seen.Truncate(time.Hour)) || !covers(h.note, old.note) {
				continue
			}
			if _, err := tx.Exec(`delete from cosigned where at = ?`, old.at); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`insert into cosigned(at, note, seen) values(?, ?, ?)`, h.at, string(h.note), h.seen.UnixMicro())
		return err
	})
}

// covers reports that every witness under old stands under note.
func covers(note, old []byte) bool {
	names := signedBy(note)
	return !slices.ContainsFunc(signedBy(old), func(n string) bool { return !slices.Contains(names, n) })
}

// otherLines is a note with those of its signatures whose names do not stand under note: of one witness the newest statement counts.
func otherLines(old, note []byte) []byte {
	names := signedBy(note)
	text, lines, _ := bytes.Cut(old, []byte("\n\n"))
	out := append(bytes.Clone(text), "\n\n"...)
	for line := range bytes.Lines(lines) {
		if fields := bytes.Fields(line); len(fields) == 3 && !slices.Contains(names, string(fields[1])) {
			out = append(out, line...)
		}
	}
	return out
}

// under gives the head under which an entry is proven to somebody: the newest that a witness cosigned, if the entry is in it, else the
// newest. tree is the log's, of at least that size.
func (l *Log) under(ctx context.Context, number, entry int64, note []byte, tree *tlog.Tree) ([]byte, int64) {
	c, err := l.newestCosigned(ctx, number)
	if err != nil || c.note == nil || c.at.Number() <= entry || c.at.Number() > tree.Size() {
		return note, tree.Size()
	}
	v, err := l.verifierOfLog(number)
	if err != nil {
		return note, tree.Size()
	}
	said, _, err := tlog.OpenCheckpoint(c.note, v)
	if err != nil || said.Size != c.at.Number() {
		return note, tree.Size() // somebody changed it: a verification says so
	}
	if root, err := tlog.Root(tree.Reader(l.tile(ctx, number)), said.Size); err != nil || root != said.Root {
		return note, tree.Size()
	}
	return c.note, said.Size
}

func (l *Log) verifierOfLog(number int64) (tlog.Verifier, error) {
	if l.writer != nil && number == l.writer.number {
		return l.writer.signer.Verifier(), nil
	}
	r, ok := l.rowOf(number)
	if !ok {
		return tlog.Verifier{}, outcome.New(outcome.NotFound, "there is no such audit log here")
	}
	return l.verifierOf(r)
}
