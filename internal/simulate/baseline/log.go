package baseline

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/outcome"
)

// names gives small numbers to references.
type names struct {
	of    map[string]int32
	names []string
}

func (n *names) number(s string) int32 {
	i, ok := n.of[s]
	if !ok {
		if n.of == nil {
			n.of = map[string]int32{}
		}
		i = int32(len(n.names))
		n.of[s] = i
		n.names = append(n.names, s)
	}
	return i
}

// access is what the baselines take from an entry.
type access struct {
	id      string
	at      int64
	agent   int32
	patient int32 // -1 for none
	place   int32 // location
	device  int32
	act     byte // R C U D S(earch) X(port) P(rint) G(lass) F(ailed) L(ogin) O(ther)
	rows    int
}

// day is what happened between two midnights, by person.
type day struct {
	n      int
	begin  time.Time
	people map[int32][]access
	order  []int32 // of people, as they came
}

// days hands f every day of a log in order.
func (h *house) days(r io.Reader, f func(*day) error) error {
	in := bufio.NewReaderSize(r, 1<<20)
	var d *day
	for {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return outcome.Wrap("baseline: read", outcome.NoStore, "the log cannot be read", err)
		}
		if a, ok := h.entry(line); ok {
			begin := time.Unix(a.at, 0).UTC().Truncate(24 * time.Hour)
			if d == nil || !d.begin.Equal(begin) {
				n := 0
				if d != nil {
					n = d.n + 1
					if err := f(d); err != nil {
						return err
					}
				}
				d = &day{n: n, begin: begin, people: map[int32][]access{}}
			}
			if _, ok := d.people[a.agent]; !ok {
				d.order = append(d.order, a.agent)
			}
			d.people[a.agent] = append(d.people[a.agent], a)
		}
		if err == io.EOF {
			if d != nil {
				return f(d)
			}
			return nil
		}
	}
}

// entry reads a line; what cannot be read does not count.
func (h *house) entry(line []byte) (access, bool) {
	var e struct {
		ID       string
		Recorded time.Time
		Action   string
		Outcome  string
		Type     struct{ Code string }
		Subtype  []struct{ Code string }
		Agent    []struct {
			Who       struct{ Reference string }
			Requestor bool
			Location  struct{ Reference string }
		}
		Entity []struct {
			What   struct{ Reference string }
			Type   struct{ Code string }
			Detail []struct{ Type, ValueString string }
		}
	}
	if len(bytes.TrimSpace(line)) == 0 || json.Unmarshal(line, &e) != nil || len(e.Agent) == 0 {
		return access{}, false
	}
	a := access{id: e.ID, at: e.Recorded.Unix(), patient: -1, act: 'O'}
	for _, x := range e.Agent {
		if x.Requestor {
			a.agent, a.place = h.agents.number(x.Who.Reference), h.places.number(x.Location.Reference)
		} else {
			a.device = h.devices.number(x.Who.Reference)
		}
	}
	for _, x := range e.Entity {
		if x.Type.Code == "1" && strings.HasPrefix(x.What.Reference, "Patient/") {
			a.patient = h.patients.number(x.What.Reference)
		}
		for _, d := range x.Detail {
			if d.Type == "rows" {
				a.rows, _ = strconv.Atoi(d.ValueString)
			}
		}
	}
	sub := ""
	if len(e.Subtype) > 0 {
		sub = e.Subtype[0].Code
	}
	switch {
	case e.Type.Code == "110114":
		a.act = 'L'
		if e.Outcome != "0" {
			a.act = 'F'
		}
	case e.Type.Code == "110113":
		a.act = 'G'
	case sub == "print":
		a.act = 'P'
	case e.Type.Code == "110106" || sub == "operation":
		a.act = 'X'
	case sub == "search":
		a.act = 'S'
	case e.Action != "":
		a.act = e.Action[0]
	}
	return a, true
}
