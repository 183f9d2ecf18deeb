package access_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// Two departments of five open 500 charts each; surgery needs the glass 20 times, medicine twice. A department of two stands under no name, and
// two alone stand nowhere.
func TestGlassRatesNameDepartmentsAndNobody(t *testing.T) {
	place := dbtest.New(t)
	now := time.Date(2036, 3, 11, 9, 0, 0, 0, time.UTC)
	servertest.StartAt(t, place).Stop()
	w := &ward{Server: servertest.OpenOn(t, place.Dir, servertest.ClockAt(now))}
	officer := w.at(t, w.Person(t, "Ruth Adeyemi", "privacy", ""))
	records := place.Open(t, "records")
	day := now.Unix() / 86400
	add := func(department string, people, charts, glass, later int) {
		t.Helper()
		for i := range people {
			made, err := w.Persons.CreateForTest(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: fmt.Sprint(department, i), Roles: []string{identity.Nurse}, Department: department, TrainingDue: now.AddDate(1, 0, 0)})
			if err != nil {
				t.Fatal(err)
			}
			if err := records.Write(t.Context(), func(tx *sql.Tx) error {
				for p := range charts {
					if _, err := tx.Exec(`INSERT INTO access_opened (day, person, patient, asked, glass, opened) VALUES (?,?,?,0,0,1)`, day, made.Person, p+1); err != nil {
						return err
					}
				}
				for p := range glass {
					var verdict, reviewer any
					if p < later {
						verdict, reviewer = "explained", ""
					}
					if _, err := tx.Exec(`INSERT INTO access_review (kind, person, patient, day, first_at, last_at, entries, first_idx, last_idx, verdict, reviewer) VALUES ('glass',?,?,?,1,1,1,1,1,?,?)`,
						made.Person, p+1, day, verdict, reviewer); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	rates := func(want ...access.GlassRate) {
		t.Helper()
		o, err := w.Gate.Overview(t.Context(), officer)
		if err != nil || fmt.Sprint(o.Glass) != fmt.Sprint(want) {
			t.Fatalf("%+v %v\nwant %+v", o.Glass, err, want)
		}
	}
	add("Surgery", 5, 100, 4, 3)
	add("Medicine", 5, 100, 0, 0)
	add("Chapel", 2, 10, 5, 0)
	surgery := access.GlassRate{Department: "Surgery", People: 5, Charts: 500, Glass: 20, Later: 15, More: true}
	rates(surgery, access.GlassRate{Department: "Medicine", People: 5, Charts: 500})
	add("Gardens", 3, 10, 0, 0)
	rates(access.GlassRate{People: 5, Charts: 50, Glass: 10}, surgery, access.GlassRate{Department: "Medicine", People: 5, Charts: 500})
}
