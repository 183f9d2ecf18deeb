package e2e

import (
	"fmt"
	"testing"

	"chartwarden/internal/identity"
)

// E1. Somebody reads, answers wrongly, reads why, answers and signs every part, and her signed record names the entries.
func TestTrainingIsCompleted(t *testing.T) {
	o := newBureau(t)
	sam := o.person(identity.NewPerson{Name: "Sam Rivera", Roles: []string{identity.Physician}})
	who, err := o.Persons.Person(t.Context(), sam.login)
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := o.School.Tasks(t.Context(), who)
	if err != nil || len(tasks) == 0 {
		t.Fatal(len(tasks), err)
	}
	b := o.as(sam)
	b.open("/training")
	b.says("To do")
	b.fits("training")
	for i, task := range tasks {
		b.open("/training/" + task.ID)
		if i == 0 {
			b.fits("training-course")
			b.touchable()
		}
		answer := func(wrong bool) {
			for n, q := range task.Quiz {
				at := q.Right
				if wrong && n == 0 {
					at = (at + 1) % len(q.Answers)
				}
				b.touch(fmt.Sprintf(`[name="q%d"][value="%d"]`, n, at))
			}
			b.touch("[name=sign]")
		}
		if i == 0 && len(task.Quiz) > 0 {
			answer(true)
			b.expect(422)
			b.follow("Sign it")
			b.says("1 answer is not right yet", "Not yet.")
			b.fits("training-wrong")
		}
		b.size(390, 844)
		answer(false)
		b.follow("Sign it")
		if b.at() != "/training" {
			t.Fatalf("%s leads to %s:\n%s", task.ID, b.at(), b.text())
		}
	}
	b.says("Nothing to do", "Your record")
	b.fits("training-done")
	record, err := o.School.Record(t.Context(), sam.login)
	if err != nil || len(record) != len(tasks) || record[0].Entry == "" {
		t.Fatalf("%d of %d in the signed record: %v", len(record), len(tasks), err)
	}
}
