package care

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"chartwarden/internal/fhir"
)

const (
	staysQuery = `select ` + edgeColumns + ` from care_edge
  where patient in (select value from json_each(?1)) and kind=9 and since<=?2 and until>?2 and known<=?2 and closed>?2`
	bookedQuery = `select ` + edgeColumns + ` from care_edge where kind=4 and since>=?1 and since<?2 and known<=?3 and closed>?3`
)

// Whereabouts is where a patient is, as the visit displays it: the wider place and, where one is known, the bed or room in it.
type Whereabouts struct{ Ward, Bed string }

// Whereabouts tells where patients are at that moment; who is nowhere is left out. Errors: outcome.NoStore.
func (g *Graph) Whereabouts(ctx context.Context, at time.Time, patients ...fhir.PatientID) (map[fhir.PatientID]Whereabouts, error) {
	numbers, _ := json.Marshal(patients) // numbers always marshal
	rows, err := g.rows(ctx, g.read.stays, string(numbers), at.UnixMilli())
	if err != nil {
		return nil, err
	}
	// The newest stay counts: who was moved without an end of the first one is where she was moved to.
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.since, a.since) })
	out := map[fhir.PatientID]Whereabouts{}
	record := map[fhir.PatientID]fhir.RecordID{}
	for _, r := range rows {
		name := g.named(r.actor).Name
		if first, known := record[r.patient]; name == "" || known && first != r.record {
			continue
		}
		record[r.patient] = r.record
		w := out[r.patient]
		switch {
		case w.Ward == "", name == w.Ward:
			w.Ward = name
		case len(name) < len(w.Ward): // the wider place has the shorter name: 5 West, and 5 West, bed 12
			w.Ward, w.Bed = name, cmp.Or(w.Bed, w.Ward)
		case len(name) > len(w.Bed):
			w.Bed = name
		}
		out[r.patient] = w
	}
	return out, nil
}

// Booking is an appointment that begins in a stretch of time.
type Booking struct {
	Patient fhir.PatientID
	Record  fhir.RecordID // the Appointment
	From    time.Time
}

// Booked lists the appointments with a person that begin from one time to before another, as known at a moment, in order. Those that
// were cancelled or missed are not among them. Errors: outcome.NoStore.
func (g *Graph) Booked(ctx context.Context, from, to, at time.Time) ([]Booking, error) {
	rows, err := g.rows(ctx, g.read.booked, from.UnixMilli(), to.UnixMilli(), at.UnixMilli())
	if err != nil {
		return nil, err
	}
	var out []Booking
	for _, r := range rows {
		out = append(out, Booking{r.patient, r.record, instant(r.since)})
	}
	slices.SortFunc(out, func(a, b Booking) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Patient, b.Patient), cmp.Compare(a.Record, b.Record))
	})
	return slices.CompactFunc(out, func(a, b Booking) bool { return a.Patient == b.Patient && a.Record == b.Record }), nil
}

// rows reads the edges that a prepared query gives.
func (g *Graph) rows(ctx context.Context, query *sql.Stmt, args ...any) ([]row, error) {
	found, err := query.QueryContext(ctx, args...)
	if err != nil {
		return nil, unreadable("care: places", err)
	}
	defer found.Close()
	var out []row
	for found.Next() {
		r, err := scan(found)
		if err != nil {
			return nil, unreadable("care: places", err)
		}
		out = append(out, r)
	}
	if err := found.Err(); err != nil {
		return nil, unreadable("care: places", err)
	}
	return out, nil
}
