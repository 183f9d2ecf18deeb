package record

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"testing"
	"time"

	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/seal"
)

// second is another node on the place of w: own connections, own key ring, own memory.
func (w *world) second(t *testing.T, place dbtest.Place, c seal.Custodian) *world {
	t.Helper()
	ring, err := seal.Open(t.Context(), place.Open(t, "keys"), c)
	must(t, err)
	n := &world{t: t, now: w.now, ring: ring, log: w.log, logo: w.logo}
	n.o = w.o
	n.o.DB, n.o.Box = place.Open(t, "records"), ring.Box("record")
	n.reopen()
	return n
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 100 {
		if holds() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("another node never saw %s", what)
}

// What one node writes, the other knows: types, patients, what searches keep. Numbers are given once.
func TestNodesFollowEachOther(t *testing.T) {
	place := dbtest.Postgres(t)
	w := newWorldAt(t, place)
	n := w.second(t, place, w.custodian)
	ctx := context.Background()

	wrote := func(at *world, text string) *Sealed {
		t.Helper()
		out, err := at.write(Write{Op: Create, Type: doc(t, text).Type(), Doc: doc(t, text), Author: "p"})
		must(t, err)
		return out[0]
	}
	found := func(at *world, typ, query string, patient *Sealed) int {
		values, err := url.ParseQuery(query)
		must(t, err)
		q, err := search.Parse(typ, values, search.Options{})
		must(t, err)
		r := SearchRequest{Query: q, Text: query, Principal: "p"}
		if patient != nil {
			r.Patient = patient.Patient()
		}
		page, err := at.Search(ctx, r)
		must(t, err)
		return len(page.Hits)
	}
	a := wrote(w, `{"resourceType":"Patient","name":[{"family":"Okafor"}]}`)
	eventually(t, "a patient", func() bool { return n.Patients() == 1 && found(n, "Patient", "family=okafor", nil) == 1 })
	observation := `{"resourceType":"Observation","status":"final","code":{"text":"%d"},"subject":{"reference":"Patient/` + a.ID() + `"}}`
	wrote(n, fmt.Sprintf(observation, 1))
	eventually(t, "the first of a type", func() bool { return found(w, "Observation", "status=final", a) == 1 })
	wrote(n, fmt.Sprintf(observation, 2))
	wrote(w, fmt.Sprintf(observation, 3))
	for _, at := range []*world{w, n} {
		eventually(t, "what a search kept out of date", func() bool { return found(at, "Observation", "status=final", a) == 3 })
	}
	b := wrote(n, `{"resourceType":"Patient","name":[{"family":"Adeyemi"}]}`)
	if a.Record() == b.Record() || a.Patient() == b.Patient() {
		t.Error("two nodes gave one number")
	}
	var txs, newest int
	must(t, w.o.DB.Reader().QueryRow(`select count(*), max(tx) from tx`).Scan(&txs, &newest))
	if txs != newest || txs != 5 {
		t.Errorf("%d transactions, the newest is %d", txs, newest)
	}
}

// A database that forgot what a node had seen, as after the promotion of a standby that was behind, is noticed, also when others wrote
// meanwhile under the numbers of what is gone.
func TestARewoundDatabaseIsNoticed(t *testing.T) {
	place := dbtest.Postgres(t)
	w := newWorldAt(t, place)
	n := w.second(t, place, w.custodian)
	for _, family := range []string{"Okafor", "Adeyemi"} {
		_, err := w.write(Write{Op: Create, Type: patientType, Doc: doc(t, `{"resourceType":"Patient","name":[{"family":"`+family+`"}]}`), Author: "p"})
		must(t, err)
	}
	eventually(t, "two patients", func() bool { return n.Patients() == 2 && n.foreign.upTo() == 2 })
	if err := n.Rewound(); err != nil {
		t.Fatal(err)
	}
	must(t, w.o.DB.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(`update tx set time=time+1 where tx=2`); return err }))
	eventually(t, "that transaction 2 is another one", func() bool { return n.Rewound() != nil })

	n = w.second(t, place, w.custodian)
	must(t, w.o.DB.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(`delete from tx where tx=2`); return err }))
	eventually(t, "that transaction 2 is gone", func() bool { return n.Rewound() != nil })
}
