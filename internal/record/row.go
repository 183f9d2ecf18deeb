package record

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

// Op is what a version did to its resource. Stored: the numbers never change.
type Op int64

// The operations.
const (
	Create Op = 1
	Update Op = 2 // creates, under the id that the client chose, what is not there
	Delete Op = 3
)

// Resolve writes the current content once more, with the references resolved that it awaits; it is stored as an update.
// See [Store.Awaiting].
const Resolve Op = -1

// Relabel writes the current content once more with the labels that rules give it, or without those of Write.Lower; it is stored as an
// update. See [Store.Unlabelled].
const Relabel Op = -2

// row is one stored version. body is valid as long as its owner says.
type row struct {
	rec     fhir.RecordID
	patient fhir.PatientID
	kind    int64
	vid     int64
	tx      int64
	at      sql.NullInt64
	updated int64
	op      Op
	until   int64  // the transaction that superseded it; 0: it is the current one
	shared  bool   // further is not empty
	further []byte // further patients, packed
	mac     []byte
	body    []byte
}

// The columns of scan, from either table.
const (
	currents = `select rec, patient, kind, vid, tx, 0, at, updated, op, shared, further, mac, body from resource `
	versions = `select rec, patient, kind, vid, tx, until, at, updated, op, shared, further, mac, body from version `
)

type scanner interface{ Scan(...any) error }

func (r *row) scan(s scanner) error {
	return s.Scan(&r.rec, &r.patient, &r.kind, &r.vid, &r.tx, &r.until, &r.at, &r.updated, &r.op, &r.shared, &r.further, &r.mac, &r.body)
}

// scanRaw is scan without a copy of body, which then lives until the next row.
func (r *row) scanRaw(rows *sql.Rows) error {
	var raw sql.RawBytes
	err := rows.Scan(&r.rec, &r.patient, &r.kind, &r.vid, &r.tx, &r.until, &r.at, &r.updated, &r.op, &r.shared, &r.further, &r.mac, &raw)
	r.body = raw
	return err
}

// place is the associated data: where this envelope belongs. A body put into another row, or given another version or operation,
// does not open.
func (r *row) place(kind string) []byte {
	b := make([]byte, 0, 25+len(kind))
	b = binary.BigEndian.AppendUint64(b, uint64(r.patient))
	b = binary.BigEndian.AppendUint64(b, uint64(r.rec))
	b = binary.BigEndian.AppendUint64(b, uint64(r.vid))
	return append(append(b, byte(r.op)), kind...)
}

// hash is what intents hold of a stored version.
func (r *row) hash() [32]byte { return sha256.Sum256(r.body) }

// open looks inside a row. The result keeps nothing of r.body. Errors: outcome.Exception when the row was altered; outcome.Deleted
// when its key was shredded; outcome.NoStore when the key is not at hand.
func (s *Store) open(r row) (*found, error) {
	kind := s.kinds.called(r.kind)
	plain, err := s.box.Open(nil, r.place(kind), r.body)
	if err == nil {
		err = s.genuine(&r)
	}
	if err != nil {
		if outcome.Is(err, outcome.Exception) {
			s.o.Altered(r.table(), int64(r.rec))
		}
		return nil, outcome.Wrap("record: open", outcome.Exception, "a stored record cannot be opened", err)
	}
	doc, err := document.Parse(plain)
	if err != nil || doc.Type() != kind {
		return nil, outcome.New(outcome.Exception, "a stored record is not what its row says")
	}
	f := r.outside(kind)
	f.id, f.doc = doc.ID(), doc
	if r.op == Delete {
		f.doc = nil
	}
	return f, nil
}

// outside is what can be told of a row without opening it.
func (r row) outside(kind string) *found {
	f := &found{row: r, kind: kind}
	f.row.body = nil
	f.also = patientsIn(r.further)
	return f
}

// openOrFault is open for lists: an altered row becomes a found with its fault.
func (s *Store) openOrFault(r row) (*found, error) {
	f, err := s.open(r)
	if !outcome.Is(err, outcome.Exception) {
		return f, err
	}
	f = r.outside(s.kinds.called(r.kind))
	f.fault = err
	return f, nil
}

// lost reports that a row did not open because the chart was erased: lists leave it out.
func lost(err error) bool { return outcome.Is(err, outcome.Deleted) }

// querier is a pool, a connection or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// unreadable is the outcome of a failed read: a request that ended is told apart from a failing disk.
func unreadable(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return outcome.Wrap("record: read", outcome.Timeout, "the answer took too long, please narrow the question or try again", err)
	}
	return outcome.Wrap("record: read", outcome.NoStore, "the records cannot be read at the moment, please try again", err)
}
