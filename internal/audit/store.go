package audit

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
	"chartwarden/internal/tlog"
)

// store reads the tables of the log. It writes nothing, so verification uses it on a live file.
type store struct {
	d   *db.DB
	box *seal.Box // nil: nothing sealed is opened
	hot compiled  // of a log that is written

	parts *sql.Stmt // partsBetween for the readers; nil: compiled each time
}

func (s *store) logs(ctx context.Context) ([]logRow, error) { return logsIn(ctx, s.d.Reader()) }

// rawEntry is an entry with its parts as they are stored.
type rawEntry struct {
	at    Index
	bytes []byte
	parts map[int][]byte // nil when the caller asked for none
}

// span reads at most limit entries from..to (exclusive), in order; parts too when wanted.
func (s *store) span(ctx context.Context, from, to Index, limit int, parts bool) ([]rawEntry, error) {
	rows, err := s.d.Reader().QueryContext(ctx, `select at, bytes from entry where at >= ? and at < ? order by at limit ?`, from, to, limit)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	var out []rawEntry
	for rows.Next() {
		var r rawEntry
		if err := rows.Scan(&r.at, &r.bytes); err != nil {
			return nil, unreadable(err)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil || !parts || len(out) == 0 {
		return out, unreadable(err)
	}
	return out, s.attach(ctx, out, payloadID(out[0].at, 0), payloadID(out[len(out)-1].at+1, 0))
}

const partsBetween = `select id, sealed from payload where id >= ? and id < ? order by id`

// attach reads the parts with ids from..to (exclusive) to the entries they belong to; entries are in ascending order.
func (s *store) attach(ctx context.Context, entries []rawEntry, from, to int64) error {
	var rows *sql.Rows
	var err error
	if s.parts != nil { // a list of accesses asks it for each line
		rows, err = s.parts.QueryContext(ctx, from, to)
	} else {
		rows, err = s.d.Reader().QueryContext(ctx, partsBetween, from, to)
	}
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	i := 0
	for rows.Next() {
		var id int64
		var sealed []byte
		if err := rows.Scan(&id, &sealed); err != nil {
			return unreadable(err)
		}
		at, number := Index(id>>partBits), int(id&(1<<partBits-1))
		for i < len(entries) && entries[i].at < at {
			i++
		}
		if i < len(entries) && entries[i].at == at {
			if entries[i].parts == nil {
				entries[i].parts = map[int][]byte{}
			}
			entries[i].parts[number] = sealed
		}
	}
	return unreadable(rows.Err())
}

const partBits = 12

func payloadID(at Index, part int) int64 { return int64(at)<<partBits | int64(part) }

func tileID(log int64, level int, n int64) int64 { return log<<44 | int64(level)<<40 | n }

// tile reads full tiles of one log.
func (s *store) tile(ctx context.Context, log int64) tlog.TileReader {
	return func(level int, n int64) ([]byte, error) {
		var data []byte
		err := s.d.Reader().QueryRowContext(ctx, `select data from tile where id = ?`, tileID(log, level, n)).Scan(&data)
		if err == sql.ErrNoRows {
			return nil, outcome.Wrap("audit: tile", outcome.NotFound, "a tile of the log is missing", err)
		}
		return data, unreadable(err)
	}
}

// tileAt reads the stored form of a tile; nil when there is none.
func (s *store) tileAt(ctx context.Context, log int64, t tlog.Tile) ([]byte, error) {
	data, err := s.tile(ctx, log)(t.Level, t.N)
	if outcome.Is(err, outcome.NotFound) {
		return nil, nil
	}
	return data, err
}

func (s *store) leaf(ctx context.Context, log int64) func(int64) (tlog.Hash, error) {
	return func(n int64) (tlog.Hash, error) {
		var b []byte
		err := s.d.Reader().QueryRowContext(ctx, `select bytes from entry where at = ?`, indexOf(log, n)).Scan(&b)
		if err == sql.ErrNoRows {
			return tlog.Hash{}, outcome.Wrap("audit: entry", outcome.NotFound, "an entry of the log is missing", err)
		}
		return tlog.LeafHash(b), unreadable(err)
	}
}

// newestHead gives the largest signed head of a log; nil note: it has none.
func (s *store) newestHead(ctx context.Context, log int64) (at Index, note []byte, err error) {
	err = s.d.Reader().QueryRowContext(ctx, `select at, note from head where at >= ? and at < ? order by at desc limit 1`, indexOf(log, 0), indexOf(log+1, 0)).Scan(&at, &note)
	if err == sql.ErrNoRows {
		return 0, nil, nil
	}
	return at, note, unreadable(err)
}

// headRow is a kept head.
type headRow struct {
	at   Index
	note []byte
}

// heads gives the kept heads of all logs from..to (exclusive), in order. q may be a transaction.
func heads(ctx context.Context, q interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, from, to Index) ([]headRow, error) {
	rows, err := q.QueryContext(ctx, `select at, note from head where at >= ? and at < ? order by at`, from, to)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	var out []headRow
	for rows.Next() {
		var r headRow
		if err := rows.Scan(&r.at, &r.note); err != nil {
			return nil, unreadable(err)
		}
		out = append(out, r)
	}
	return out, unreadable(rows.Err())
}

// open reads an entry and whatever of its payload can be read, into an event. It is forgiving, because followers and readers must get
// past what somebody damaged: verification is what complains.
func (s *store) open(r rawEntry, origin string) Read {
	out := Read{Index: r.at, Origin: origin}
	e, err := parseEntry(r.bytes)
	if err != nil {
		out.Damaged = true
		return out
	}
	out.Recorded, out.Continued = e.at(), e.flags&flagContinued != 0
	for _, number := range sortedKeys(r.parts) {
		out.add(number, openPart(s.box, number, r.parts[number]))
	}
	out.Damaged = out.Damaged || len(r.parts) == 0
	out.Event.Kind = e.kind
	if out.Event.Time.IsZero() {
		out.Event.Time = out.Recorded
	}
	return out
}

func sortedKeys(m map[int][]byte) []int {
	out := make([]int, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// add puts one part into the event.
func (r *Read) add(number int, p part) {
	if p.state != partOpen {
		r.Withheld++
		r.Damaged = r.Damaged || p.state == partBad
		return
	}
	if number == 0 {
		e, err := parseCommon(p.plain())
		r.Event, r.Damaged = e, r.Damaged || err != nil
		return
	}
	patient, err := parsePatient(p.plain())
	r.Event.Patients, r.parts = append(r.Event.Patients, patient), append(r.parts, number)
	r.Damaged = r.Damaged || err != nil
}

// Read is an entry as a reader sees it.
type Read struct {
	Index     Index
	Origin    string    // of its log
	Recorded  time.Time // the log's own time
	Event     Event
	Continued bool  // it continues the entry before it
	Withheld  int   // parts that were redacted or whose key was shredded
	Damaged   bool  // it is not what was written: verify
	parts     []int // of each patient in Event.Patients: the number of the part
}

// Entry is the name of the entry for people and tools: `origin/number`.
func (r Read) Entry() string { return entryName(r.Origin, r.Index) }

func unreadable(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("audit: read", outcome.NoStore, "the audit log cannot be read", err)
}
