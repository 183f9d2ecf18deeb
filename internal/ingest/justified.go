package ingest

import (
	"context"
	"io"
	"maps"
	"slices"

	"chartwarden/internal/detect"
)

// justified reads justified.csv: a row is one person of a finding.
func justified(ctx context.Context, r io.Reader, give func(detect.Justified), reject func(int, string)) error {
	return table(ctx, r, []string{"id", "practitioner", "patients", "from", "until"}, func(f []string) string {
		from, ok1 := instantAfter(f[3])
		to, ok2 := instantAfter(f[4])
		switch {
		case !ok1 || !ok2 || to < from:
			return "from and until are no times in order"
		case f[0] == "" || f[1] == "":
			return "a finding has an id, and each row a practitioner"
		case !detect.JustifiedKind(f[2]):
			return "patients is unit: and a reference, anybody, children, deceased or employees"
		}
		give(detect.Justified{ID: f[0], People: []string{f[1]}, Patients: f[2], From: from, To: to})
		return ""
	}, reject)
}

// findings gathers the people of each finding.
type findings map[string]*detect.Justified

func (fs findings) take(j detect.Justified) {
	if known := fs[j.ID]; known != nil {
		known.People = append(known.People, j.People...)
		return
	}
	fs[j.ID] = &j
}

// tell tells what was gathered to whoever judges by it.
func (fs findings) tell(cross *crosswalk, to any) {
	e, ok := to.(interface{ Justify(detect.Justified) })
	if !ok {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(fs)) {
		j := fs[id]
		for i, p := range j.People {
			j.People[i] = cross.person(p)
		}
		e.Justify(*j)
	}
}
