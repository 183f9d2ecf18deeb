package audit

import (
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// What the emergency journal lets through: a person at a bedside needs a handful of charts, and whoever needs more in an hour waits.
const (
	chartsPerHour  = 20
	entriesPerHour = 400
)

// quota remembers what each agent did through the journal in the last hour.
type quota map[string]*hour

type hour struct {
	charts  map[fhir.PatientID]time.Time
	entries []time.Time
}

// allow refuses an event that would go beyond the hour's measure. Errors: outcome.Throttled.
func (q quota) allow(e *Event, now time.Time) error {
	h := q[e.Agent.acting()]
	if h == nil {
		h = &hour{}
	}
	fresh, recent := 0, 0
	for _, at := range h.charts {
		if now.Sub(at) < time.Hour {
			recent++
		}
	}
	for _, p := range e.Patients {
		if at, ok := h.charts[p.Patient]; p.Patient != 0 && (!ok || now.Sub(at) >= time.Hour) {
			fresh++
		}
	}
	for len(h.entries) > 0 && now.Sub(h.entries[0]) >= time.Hour {
		h.entries = h.entries[1:]
	}
	if fresh > 0 && recent+fresh > chartsPerHour || len(h.entries) >= entriesPerHour {
		return outcome.New(outcome.Throttled, "while the audit log is out of order, one person opens at most 20 charts an hour").Because("emergency-journal")
	}
	return nil
}

func (q quota) count(e Event, now time.Time) {
	h := q[e.Agent.acting()]
	if h == nil {
		h = &hour{charts: map[fhir.PatientID]time.Time{}}
		q[e.Agent.acting()] = h
	}
	for _, p := range e.Patients {
		if at, ok := h.charts[p.Patient]; p.Patient != 0 && (!ok || now.Sub(at) >= time.Hour) {
			h.charts[p.Patient] = now
		}
	}
	h.entries = append(h.entries, now)
}
