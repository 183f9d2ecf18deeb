package care

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"chartwarden/internal/fhir"
)

// memory keeps, for a second at most, rows that were read and whose tags held, so that the requests of one visit do not read and check the
// same few rows again and again (docs/adr/0070). What it answers is what the tables would:
//
//   - A change notes whom it concerns, with the number of its transaction, before anybody can see it. Rows that were read before that
//     number was known to be committed do not answer for whom it concerns: on the node that wrote, never.
//   - Rows are read for a window of time and narrowed to the moment that is asked about, so that what begins or ends in between does.
//   - What another node writes is not noted here; rows are read anew when they are half a second old.
//
// A row that SQL changes behind the server's back counts, as it was written here, for that second; one that SQL makes never counts.
type memory struct {
	newest  atomic.Int64 // the last transaction that is known to be committed
	touched [1 << 12]atomic.Int64
	any     atomic.Int64 // the last transaction that touched any chart

	mu    sync.Mutex
	lists map[memoryKey]remembered
	size  int // rows, about
	swept time.Time
}

// memoryKey names a list of rows: of one patient or, with patient 0, of all or none, and for the person whom of tells.
type memoryKey struct {
	patient  fhir.PatientID
	everyone bool
	of       string
}

type remembered struct {
	rows     []row
	from, to int64 // moments that rows can answer for, in milliseconds
	newest   int64 // memory.newest before they were read
	read     time.Time
}

const (
	// freshness is how long rows are believed that another node may have changed.
	freshness = time.Second / 2
	// around is how far from the moment that is asked about rows are read: clocks of tests jump, those of requests hardly differ.
	around = int64(60_000)
	// mostRows bounds memory, to about 16 MiB.
	mostRows = 100_000
)

func (m *memory) note(p fhir.PatientID) *atomic.Int64 {
	return &m.touched[uint64(p)*0x9e3779b97f4a7c15>>52]
}

// touch notes that a transaction, not yet committed, changes rows of a patient, or of staff and places (0). Number 0 is none: nobody
// would tell when it is committed, so the rows are not remembered any more.
func (m *memory) touch(p fhir.PatientID, tx int64) {
	if tx == 0 {
		tx = math.MaxInt64
	}
	raise(m.note(p), tx)
	if p != 0 {
		raise(&m.any, tx)
	}
}

func raise(number *atomic.Int64, n int64) {
	for old := number.Load(); old < n && !number.CompareAndSwap(old, n); old = number.Load() {
	}
}

// rows gives what read gives for a window around the moment at, narrowed to what counts: from memory where that is as good. read fills in the
// rows of the window that it is given, or puts what was read before, with its own window and number, in its place.
func (m *memory) rows(k memoryKey, at int64, read func(*remembered) error, counts func(*row) bool) ([]row, error) {
	changed := m.note(k.patient)
	if k.everyone {
		changed = &m.any
	}
	m.mu.Lock()
	found, ok := m.lists[k]
	m.mu.Unlock()
	if !ok || found.newest < changed.Load() || at < found.from || at > found.to || time.Since(found.read) >= freshness {
		found = remembered{from: at - around, to: at + around, newest: m.newest.Load(), read: time.Now()}
		if err := read(&found); err != nil {
			return nil, err
		}
		m.put(k, found)
	}
	if !slices.ContainsFunc(found.rows, func(r row) bool { return !counts(&r) }) {
		return found.rows, nil
	}
	out := make([]row, 0, len(found.rows))
	for i := range found.rows {
		if counts(&found.rows[i]) {
			out = append(out, found.rows[i])
		}
	}
	return out, nil
}

func (m *memory) put(k memoryKey, new remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lists == nil || m.size > mostRows {
		m.lists, m.size = map[memoryKey]remembered{}, 0
	}
	if new.read.Sub(m.swept) > 10*time.Second {
		m.swept = new.read
		for k, old := range m.lists {
			if new.read.Sub(old.read) >= freshness {
				m.drop(k, old)
			}
		}
	}
	if old, ok := m.lists[k]; ok {
		m.drop(k, old)
	}
	m.lists[k] = new
	m.size += 1 + len(new.rows)
}

func (m *memory) drop(k memoryKey, old remembered) {
	delete(m.lists, k)
	m.size -= 1 + len(old.rows)
}

// isKnown reports whether r was known at t, and not yet known to be over.
func (r *row) isKnown(t int64) bool { return r.known <= t && r.closed > t }

// Committed tells that the transaction of that number, which [Graph.Project] was told of, is durable: what was read before it is
// forgotten for good where it changed something.
func (g *Graph) Committed(tx int64) { raise(&g.memory.newest, tx) }
