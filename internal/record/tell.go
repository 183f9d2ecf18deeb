package record

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"chartwarden/internal/fhir"
)

// TellVersions gives the versions of resources of some types in clear, in the order of their transactions: those that were written after a
// transaction, and gives the newest one that it told of. Other nodes' writes are among them. Versions that were superseded before since
// are left out, as are charts that were erased and rows that were altered. known is when the version was stored, which for an import is not
// its meta.lastUpdated; json is nil for a deletion, and each's to keep.
//
// It asks for no receipt, since nobody gets to see what it tells: detection learns who is related to whom from it, under one entry
// of the log that says so. internal/archtest keeps everybody else from it. Errors: each's; outcome.NoStore.
func (s *Store) TellVersions(ctx context.Context, types []string, after int64, since time.Time, each func(typ, id string, known time.Time, json []byte) error) (int64, error) {
	query, ok := s.ofTypes(types)
	oldest := int64(math.MinInt64)
	if !since.IsZero() {
		if err := s.d.Reader().QueryRowContext(ctx, `select coalesce(max(tx), 0) from tx where time < ?`, since.UnixMicro()).Scan(&oldest); err != nil {
			return after, unreadable(err)
		}
	}
	for {
		entries, err := s.touched(ctx, after)
		if err != nil || len(entries) == 0 {
			return after, err
		}
		for _, e := range entries {
			for rec := range varints(e.recs) {
				if !ok {
					break
				}
				if err := s.tellOne(ctx, query, rec, e, oldest, each); err != nil {
					return after, err
				}
			}
			after = e.tx
		}
	}
}

// ofTypes is the question for one version of a record, if it is of one of the types.
func (s *Store) ofTypes(types []string) (string, bool) {
	kinds := s.numbered(types)
	where := `where rec=?1 and tx=?2 and kind in (` + kinds + `)`
	return currents + where + ` union all ` + versions + where, kinds != ""
}

// numbered lists the numbers of types for a statement; those of which nothing was ever stored have none.
func (s *Store) numbered(types []string) string {
	var kinds []string
	for _, t := range types {
		if k := s.kinds.of(t); k != 0 {
			kinds = append(kinds, fmt.Sprint(k))
		}
	}
	return strings.Join(kinds, ",")
}

// touched reads the next entries of the change feed.
func (s *Store) touched(ctx context.Context, after int64) (out []feed, err error) {
	rows, err := s.d.Reader().QueryContext(ctx, `select tx, time, recs from tx where tx>? order by tx limit 200`, after)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var f feed
		if err := rows.Scan(&f.tx, &f.time, &f.recs); err != nil {
			return nil, unreadable(err)
		}
		out = append(out, f)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	return out, nil
}

func (s *Store) tellOne(ctx context.Context, query string, rec fhir.RecordID, e feed, oldest int64, each func(string, string, time.Time, []byte) error) error {
	rows, err := s.d.Reader().QueryContext(ctx, query, rec, e.tx)
	if err != nil {
		return unreadable(err)
	}
	var all []row
	for rows.Next() {
		var r row
		if err = r.scan(rows); err != nil {
			break
		}
		all = append(all, r)
	}
	if err == nil {
		err = rows.Err()
	}
	_ = rows.Close()
	if err != nil {
		return unreadable(err)
	}
	for _, r := range all {
		if r.until != 0 && r.until <= oldest {
			continue
		}
		f, err := s.openOrFault(r)
		if lost(err) {
			continue
		}
		if err != nil {
			return err
		}
		if f.fault != nil {
			continue
		}
		known, json := time.UnixMicro(e.time).UTC(), []byte(nil)
		if f.doc != nil {
			json = f.doc.AppendJSON(nil)
		}
		if err := each(f.kind, f.id, known, json); err != nil {
			return err
		}
	}
	return nil
}

// CountOf is how many resources of some types there are, deleted ones included. Errors: outcome.NoStore.
func (s *Store) CountOf(ctx context.Context, types []string) (n int, err error) {
	kinds := s.numbered(types)
	if kinds == "" {
		return 0, nil
	}
	err = s.d.Reader().QueryRowContext(ctx, `select count(*) from resource where kind in (`+kinds+`)`).Scan(&n)
	if err != nil {
		return 0, unreadable(err)
	}
	return n, nil
}
