package audit

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"chartwarden/internal/tlog"
	"chartwarden/internal/witness"
)

// The witnesses that an installation wrote down: where each is asked. That is its own word, which nobody has to believe.

// keepWitnesses writes down where the witnesses are asked, for verifications that are given their keys only.
func (l *Log) keepWitnesses(ctx context.Context) error {
	return l.d.Write(ctx, func(tx *sql.Tx) error {
		for _, r := range l.o.Witnesses {
			if _, err := tx.Exec(`insert into witness(name, url, verifier) values(?, ?, ?) on conflict(name) do update set url = excluded.url, verifier = excluded.verifier`,
				r.Name(), r.URL, r.Key.String()); err != nil {
				return err
			}
		}
		return nil
	})
}

// witnessAt is the witness with that key as an installation wrote it down; false: it does not know it.
func (s *store) witnessAt(ctx context.Context, key tlog.Verifier) (witness.Remote, bool, error) {
	var url string
	err := s.d.Reader().QueryRowContext(ctx, `select url from witness where name = ? and verifier = ?`, key.Name(), key.String()).Scan(&url)
	if err == sql.ErrNoRows {
		return witness.Remote{}, false, nil
	}
	if err != nil {
		return witness.Remote{}, false, unreadable(err)
	}
	r, err := witness.ParseRemote(url + "=" + key.String())
	return r, err == nil, nil
}

// signedLast are the witnesses that cosigned this node's log last, by their own signatures: the newest of them, and those that signed
// within an hour before. Who opens the log without naming one, as commands do, does not go on with a log that was set back unasked.
func (l *Log) signedLast(ctx context.Context) ([]witness.Remote, error) {
	rows, err := l.logs(ctx)
	if err != nil {
		return nil, err
	}
	known, err := l.witnessesKnown(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Backward(l.mine(rows)) { // after a cut the new log may not have been told to anybody yet
		key, err := l.verifierOf(r)
		if err != nil {
			continue // told where the log is taken up
		}
		found, err := cosignedHeads(ctx, l.d.Reader(), indexOf(r.number, 0), indexOf(r.number+1, 0), turns)
		if err != nil {
			return nil, err
		}
		var notes [][]byte
		for _, h := range found {
			notes = append(notes, h.note)
		}
		var newest time.Time
		signed := make([]time.Time, len(known))
		for i, w := range known {
			_, at := newestVouched(notes, key, w.Key)
			if signed[i] = earlier(at, l.o.Now()); signed[i].After(newest) {
				newest = signed[i]
			}
		}
		var out []witness.Remote
		for i, w := range known {
			if !signed[i].IsZero() && newest.Sub(signed[i]) < time.Hour {
				out = append(out, w)
			}
		}
		if out != nil {
			return out, nil
		}
	}
	return nil, nil
}

// witnessesKnown are those whose addresses this installation wrote down.
func (l *Log) witnessesKnown(ctx context.Context) (out []witness.Remote, err error) {
	rows, err := l.d.Reader().QueryContext(ctx, `select url, verifier from witness order by name`)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var url, key string
		if err := rows.Scan(&url, &key); err != nil {
			return nil, unreadable(err)
		}
		if r, err := witness.ParseRemote(url + "=" + key); err == nil {
			r.Client = l.o.Client
			out = append(out, r)
		}
	}
	return out, unreadable(rows.Err())
}

// witnessNames are the names of the witnesses that an installation wrote down.
func (s *store) witnessNames(ctx context.Context) (names []string, err error) {
	rows, err := s.d.Reader().QueryContext(ctx, `select name from witness order by name`)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, unreadable(err)
		}
		names = append(names, name)
	}
	return names, unreadable(rows.Err())
}
