package record

import (
	"context"
	"errors"
	"testing"

	"chartwarden/internal/outcome"
)

// Two who decided by the same condition at the same time, on whatever node, do not both write; one who asks again may.
func TestGuardLetsOneWrite(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	guard := func(condition string) Guard {
		g, err := w.Guard(ctx, condition)
		must(t, err)
		return g
	}
	create := func(g Guard) error {
		_, err := w.write(Write{Op: Create, Type: "Organization", Doc: doc(t, `{"resourceType":"Organization","name":"Ward"}`), Guard: g})
		return err
	}
	for round := range 3 {
		one, other, free := guard("Organization&name=ward"), guard("Organization&name=ward"), guard("Organization&name=else")
		must(t, create(one))
		err := create(other)
		if want(t, err, outcome.Conflict); !errors.Is(err, ErrRace) {
			t.Fatalf("round %d: %v is no race", round, err)
		}
		must(t, create(free))
		must(t, create(Guard{}))
		w.reopen()
	}
	var rows, stored int
	must(t, w.o.DB.Reader().QueryRow(`select (select count(*) from criteria), (select count(*) from resource)`).Scan(&rows, &stored))
	if rows != 2 || stored != 9 {
		t.Fatalf("%d conditions, %d records", rows, stored)
	}
}
