package ingest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"chartwarden/internal/detect"
)

// Whatever an event holds, it is read back the same.
func TestEventsReadBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(prefix string) string {
		if r.IntN(3) == 0 {
			return ""
		}
		signs := []string{"a", "7", "-", "é", "\"", "\\", " ", "\t", "日", "login:x"}
		var b strings.Builder
		for range 1 + r.IntN(5) {
			b.WriteString(signs[r.IntN(len(signs))])
		}
		return prefix + b.String()
	}
	for kind := detect.Other; kind <= detect.Glass; kind++ {
		for range 200 {
			e := detect.Event{ID: "i" + text(""), Time: 631152000 + r.Int64N(1<<32), Kind: kind, Failed: r.IntN(5) == 0, Agent: "Practitioner/a" + text(""), Role: text(""),
				Place: text("Location/"), Address: text(""), Device: text("Device/"), Purpose: text(""), Machine: r.IntN(5) == 0, Listed: r.IntN(5) == 0,
				Data: text("Observation/"), Section: text(""), Rows: r.Int64N(3), Bytes: r.Int64N(1 << 40)}
			if r.IntN(2) == 0 {
				e.Authored = e.Time - 100
			}
			for i := range r.IntN(3) { // each once
				e.Patients = append(e.Patients, fmt.Sprint("Patient/p", i, text("")))
			}
			line := string(AppendEvent(nil, &e))
			got, why := Event(strings.TrimSuffix(line, "\n"))
			if why != "" || !reflect.DeepEqual(got, e) || strings.Count(line, "\n") != 1 {
				t.Fatalf("%s\n%q\n%+v\n%+v", line, why, got, e)
			}
		}
	}
}
