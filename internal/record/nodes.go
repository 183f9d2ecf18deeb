package record

import (
	"context"
	"database/sql"
	"sync"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// foreign is how far the transactions of other nodes were followed. Numbers of the feed have no gaps and follow the order of commits,
// so what lies behind seen is all there will ever be.
type foreign struct {
	turn sync.Mutex // held while following

	mu   sync.Mutex
	seen int64
	mark int64          // when the transaction seen was, in microseconds; 0: not known yet
	own  map[int64]bool // transactions of this node that the feed has not shown yet
}

// mine notes a transaction of this node: memory knows it already.
func (f *foreign) mine(tx int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if tx <= f.seen {
		return
	}
	if f.own == nil {
		f.own = map[int64]bool{}
	}
	f.own[tx] = true
}

func (f *foreign) upTo() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

func (f *foreign) followed(tx, mark int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen, f.mark = tx, mark
}

// is reports whether a transaction may be the one that was seen last.
func (f *foreign) is(tx, mark int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return tx == f.seen && (f.mark == 0 || f.mark == mark)
}

var errRewound = outcome.New(outcome.NoStore, "the records are not as this server left them, so the server ended: its next start reads them anew")

// Rewound reports that the database forgot a transaction that this process knew, as after the promotion of a standby that was behind: what
// memory holds fits it no more, and the process is expected to end (outcome.NoStore).
func (s *Store) Rewound() error {
	if s.rewound.Load() {
		return errRewound
	}
	return nil
}

func (f *foreign) isMine(tx int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	mine := f.own[tx]
	delete(f.own, tx)
	return mine
}

// followNodes takes into memory what other nodes wrote: which types there are, which patients, which shelves are out of date.
func (s *Store) followNodes(ctx context.Context) error {
	s.foreign.turn.Lock()
	defer s.foreign.turn.Unlock()
	for {
		newest, mark, recs, err := s.feed(ctx)
		if err != nil {
			return err
		}
		if len(recs) > 0 {
			if err := s.take(ctx, newest, recs); err != nil {
				return err
			}
		}
		before := s.foreign.upTo()
		raise(&s.newest, newest)
		s.foreign.followed(newest, mark)
		if newest == before {
			return nil
		}
	}
}

// feed reads the transaction seen last again, and the next ones, and gives the records that those of other nodes touched.
func (s *Store) feed(ctx context.Context) (newest, mark int64, recs []int64, err error) {
	seen := s.foreign.upTo()
	rows, err := s.d.Reader().QueryContext(ctx, `select tx, time, recs from tx where tx>=? order by tx limit 200`, seen)
	if err != nil {
		return 0, 0, nil, unreadable(err)
	}
	defer rows.Close()
	known := seen == 0
	for rows.Next() {
		var touched []byte
		if err := rows.Scan(&newest, &mark, &touched); err != nil {
			return 0, 0, nil, unreadable(err)
		}
		if !known {
			if known = s.foreign.is(newest, mark); known {
				continue
			}
			break
		}
		if s.foreign.isMine(newest) {
			continue
		}
		for rec := range varints(touched) {
			recs = append(recs, int64(rec))
		}
	}
	if err := rows.Err(); err != nil {
		return 0, 0, nil, unreadable(err)
	}
	if !known {
		s.rewound.Store(true)
		return 0, 0, nil, errRewound
	}
	return newest, mark, recs, nil
}

// take brings memory up to date with records as they are now, which is at least as new as the transaction that is being followed.
func (s *Store) take(ctx context.Context, tx int64, recs []int64) error {
	type change struct {
		rec     fhir.RecordID
		patient fhir.PatientID
		kind    int64
		shared  bool
	}
	rows, err := s.d.Reader().QueryContext(ctx, `select r.rec, r.patient, r.kind, r.shared=1 or exists(select 1 from version v where v.rec=r.rec and v.shared=1)
		from resource r where r.rec=any(?)`, recs)
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	var all []change
	for rows.Next() {
		var c change
		if err := rows.Scan(&c.rec, &c.patient, &c.kind, &c.shared); err != nil {
			return unreadable(err)
		}
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		return unreadable(err)
	}
	shared := false
	for _, c := range all {
		if s.kinds.called(c.kind) == "" {
			if err := s.kinds.load(ctx, s.d); err != nil {
				return err
			}
		}
		shared = shared || c.shared
		s.shelves.touch(c.patient, c.kind, tx, c.rec)
		if c.kind != s.kinds.of(patientType) {
			continue
		}
		var r row
		if err := r.scan(s.one(ctx, s.d.Reader(), currentOf, c.rec)); err == sql.ErrNoRows {
			continue
		} else if err != nil {
			return unreadable(err)
		}
		if f, err := s.openOrFault(r); err == nil { // one who was shredded has no place
			s.dir.follow(s, f)
		}
	}
	if shared { // whom such a record concerned before is not known any more
		for i := range s.shelves.touched {
			raise(&s.shelves.touched[i], tx)
		}
	}
	return nil
}
