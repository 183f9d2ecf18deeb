package feed

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"chartwarden/internal/ingest"
	"chartwarden/internal/ingest/foreign"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

// File is one file of the other system's log, or what comes by the network under one name.
type File struct {
	Number  int64 `json:"-"`
	Name    string
	Form    string // fhir, atna, or the name of the mapping
	Map     string `json:",omitempty"` // the mapping's text
	Zone    string `json:",omitempty"`
	Header  string `json:",omitempty"` // of a table
	Taken   int64  // bytes, of what it says when it is unpacked
	Line    int    // of what comes next
	Begun   time.Time
	Came    time.Time // when something of it was last taken
	Trouble string    `json:"-"` // why it, or the rest of it, is not taken; empty: nothing is wrong

	Prefix   int    // how many bytes of its begin Print is of
	Print    []byte // by which it is known again
	Skipping bool   // in the middle of a line that is too long
	revision int64
}

// piece is a run of whole lines as it is kept.
type piece struct {
	First int
	Text  string `json:",omitempty"`
	Why   string `json:",omitempty"`
}

func bound(what string, numbers ...int64) []byte {
	b := append([]byte("feed "), what...)
	b = append(b, " 1\x00"...)
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

// key is that of the month in which something came.
func (s *Store) key(ctx context.Context, at time.Time) (k seal.KeyID, err error) {
	month := int64(at.UTC().Year()*12 + int(at.UTC().Month()))
	s.mu.Lock()
	k, ok := s.keys[month]
	s.mu.Unlock()
	if ok {
		return k, nil
	}
	if k, err = s.o.Box.Key(ctx, month, "piece"); err == nil {
		s.mu.Lock()
		s.keys[month] = k
		s.mu.Unlock()
	}
	return k, err
}

var errRaced = outcome.New(outcome.Conflict, "another process takes the same file")

// keep stores pieces of a file, and how far it was taken by that. The file gets its number, and the pieces theirs.
func (s *Store) keep(ctx context.Context, f *File, pieces []piece) error {
	now := s.o.Now().UTC()
	filed, err := s.o.Box.Key(ctx, 0, "file")
	if err != nil {
		return err
	}
	k, err := s.key(ctx, now)
	if err != nil {
		return err
	}
	next := *f
	next.Came = now
	err = s.d.Write(ctx, func(tx *sql.Tx) error {
		next.Number, next.revision = f.Number, f.revision+1
		if f.Number == 0 {
			if err := tx.QueryRow(`select coalesce(max(number), 0) + 1 from feed_file`).Scan(&next.Number); err != nil {
				return err
			}
		}
		plain, err := json.Marshal(&next)
		if err != nil {
			return err
		}
		sealed, err := s.o.Box.Seal(nil, filed, bound("file", next.Number, next.revision), plain)
		if err != nil {
			return err
		}
		if f.Number == 0 {
			_, err = tx.Exec(`insert into feed_file(number, revision, sealed) values(?, ?, ?)`, next.Number, next.revision, sealed)
		} else {
			var done sql.Result
			if done, err = tx.Exec(`update feed_file set revision = ?, sealed = ? where number = ? and revision = ?`, next.revision, sealed, next.Number, f.revision); err == nil {
				if n, _ := done.RowsAffected(); n != 1 {
					err = errRaced
				}
			}
		}
		if err != nil {
			return err
		}
		var number int64
		if err := tx.QueryRow(`select coalesce(max(number), 0) from feed_piece`).Scan(&number); err != nil {
			return err
		}
		for _, p := range pieces {
			number++
			plain, err := json.Marshal(&p)
			if err != nil {
				return err
			}
			sealed, err := s.o.Box.Seal(nil, k, bound("piece", number, next.Number, now.UnixMicro()), plain)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`insert into feed_piece(number, file, came, sealed) values(?, ?, ?, ?)`, number, next.Number, now.UnixMicro(), sealed); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	*f = next
	s.tell()
	return nil
}

func (s *Store) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.grew)
	s.grew = make(chan struct{})
}

// Files lists what came, the newest first, with what is wrong. Errors: outcome.NoStore; outcome.Exception when a row was altered.
func (s *Store) Files(ctx context.Context) ([]File, error) {
	out, err := s.files(ctx, ``)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	troubles := maps.Clone(s.troubles)
	s.mu.Unlock()
	for i := range out {
		out[i].Trouble = troubles[out[i].Name]
		delete(troubles, out[i].Name)
	}
	for _, name := range slices.Sorted(maps.Keys(troubles)) { // of which nothing was taken
		out = append(out, File{Name: name, Trouble: troubles[name]})
	}
	slices.SortStableFunc(out, func(a, b File) int { return b.Came.Compare(a.Came) })
	return out, nil
}

func (s *Store) files(ctx context.Context, where string, args ...any) (out []File, err error) {
	rows, err := s.d.Reader().QueryContext(ctx, `select number, revision, sealed from feed_file `+where+` order by number`, args...)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var f File
		var number, revision int64
		var sealed []byte
		if err := rows.Scan(&number, &revision, &sealed); err != nil {
			return nil, unreadable(err)
		}
		plain, err := s.o.Box.Open(nil, bound("file", number, revision), sealed)
		if err == nil {
			err = json.Unmarshal(plain, &f)
		}
		if err != nil {
			return nil, altered(err)
		}
		f.Number, f.revision = number, revision
		out = append(out, f)
	}
	return out, unreadable(rows.Err())
}

// After gives the pieces after one, in order, at most limit. Errors: as [Store.Files].
func (s *Store) After(ctx context.Context, number int64, limit int) ([]ingest.Piece, error) {
	return s.pieces(ctx, `number > ? order by number limit ?`, number, limit)
}

// Piece gives one piece. Errors: outcome.NotFound; as [Store.Files].
func (s *Store) Piece(ctx context.Context, number int64) (ingest.Piece, error) {
	out, err := s.pieces(ctx, `number = ?`, number)
	if err == nil && len(out) == 0 {
		err = outcome.New(outcome.NotFound, "this part of the other system's log is not kept here")
	}
	if err != nil {
		return ingest.Piece{}, err
	}
	return out[0], nil
}

func (s *Store) pieces(ctx context.Context, where string, args ...any) (out []ingest.Piece, err error) {
	rows, err := s.d.Reader().QueryContext(ctx, `select number, file, came, sealed from feed_piece where `+where, args...)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	of := map[int64]*File{}
	var from []int64
	for rows.Next() {
		var number, file, came int64
		var sealed []byte
		if err := rows.Scan(&number, &file, &came, &sealed); err != nil {
			return nil, unreadable(err)
		}
		var p piece
		plain, err := s.o.Box.Open(nil, bound("piece", number, file, came), sealed)
		if err == nil {
			err = json.Unmarshal(plain, &p)
		}
		if err != nil {
			return nil, altered(err)
		}
		out = append(out, ingest.Piece{Number: number, First: p.First, Text: p.Text, Why: p.Why})
		from = append(from, file)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	for i, file := range from {
		f := of[file]
		if f == nil {
			list, err := s.files(ctx, `where number = ?`, file)
			if err != nil {
				return nil, err
			}
			if len(list) == 0 {
				return nil, altered(errors.New("a piece without a file"))
			}
			f = &list[0]
			of[file] = f
		}
		if out[i].Form, err = s.form(f); err != nil {
			return nil, err
		}
		out[i].File, out[i].Header = f.Name, f.Header
	}
	return out, nil
}

// form is how a file is written.
func (s *Store) form(f *File) (out ingest.Form, err error) {
	if f.Map == "" {
		out.Name = f.Form
	} else {
		s.mu.Lock()
		out.Map = s.maps[f.Map]
		s.mu.Unlock()
		if out.Map == nil {
			if out.Map, err = foreign.Parse(f.Form, f.Map); err != nil {
				return out, err
			}
			s.mu.Lock()
			s.maps[f.Map] = out.Map
			s.mu.Unlock()
		}
	}
	if f.Zone != "" {
		out.Zone, err = foreign.LoadZone(f.Zone)
	}
	return out, err
}

// From is the piece before the first that came at a time or later. Errors: outcome.NoStore.
func (s *Store) From(ctx context.Context, at time.Time) (number int64, err error) {
	err = s.d.Reader().QueryRowContext(ctx, `select coalesce(max(number), 0) from feed_piece where came < ?`, at.UnixMicro()).Scan(&number)
	return number, unreadable(err)
}

// Newest is the newest piece; 0 before the first. Errors: outcome.NoStore.
func (s *Store) Newest(ctx context.Context) (number int64, err error) {
	err = s.d.Reader().QueryRowContext(ctx, `select coalesce(max(number), 0) from feed_piece`).Scan(&number)
	return number, unreadable(err)
}

// Wait returns when there is a piece after one, or ctx ends. Errors: ctx's; outcome.NoStore.
func (s *Store) Wait(ctx context.Context, number int64) error {
	for {
		s.mu.Lock()
		grew := s.grew
		s.mu.Unlock()
		if n, err := s.Newest(ctx); err != nil || n > number {
			return err
		}
		elsewhere := time.Hour
		if s.d.Shared() {
			elsewhere = time.Second
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-grew:
		case <-time.After(elsewhere):
		}
	}
}

func unreadable(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("feed: read", outcome.NoStore, "what was taken of the other system's log cannot be read", err)
}

func altered(err error) error {
	return outcome.Wrap("feed: open", outcome.Exception, "what was taken of the other system's log was altered in the database: put back a copy", err)
}
