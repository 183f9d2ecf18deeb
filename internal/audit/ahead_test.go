package audit

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestAheadWeavesTheLogsByTime(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	main := s.start()
	logs := []*Log{main, s.join(s.beside("ward-7"))}
	ctx := context.Background()
	begun, err := main.From(ctx, s.now.now())
	if err != nil {
		t.Fatal(err)
	}
	middle := s.now.now()
	for i := range 30 {
		s.now.add(time.Second)
		if i == 15 {
			middle = s.now.now()
		}
		e := reading(1, 1)
		e.Text = fmt.Sprint(i)
		if _, err := logs[i%7%2].Disclose(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	read := func(c Cursor, limit int) (out []string) {
		for {
			batch, err := main.Ahead(ctx, c, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(batch) == 0 {
				return out
			}
			for _, r := range batch {
				if c.Seen(r.Index) {
					t.Errorf("%d was given before", r.Index)
				}
				if r.Event.Kind == Disclosure {
					out = append(out, r.Event.Text)
				}
			}
			c = c.Past(batch)
		}
	}
	var all []string
	for i := range 30 {
		all = append(all, fmt.Sprint(i))
	}
	for _, limit := range []int{3, 1000} {
		if got := read(begun, limit); !slices.Equal(got, all) {
			t.Errorf("by %d: %q", limit, got)
		}
	}
	from, err := main.From(ctx, middle)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(from, 4); !slices.Equal(got, all[15:]) {
		t.Errorf("from the middle: %q", got)
	}
}
