package ingest

import (
	"context"
	"encoding/csv"
	"io"
	"slices"
	"strings"

	"chartwarden/internal/detect"
)

// table reads a CSV file with a header that names at least the columns; row gets them in that order. Other columns are ignored. A row is a
// line: a quote that is not closed costs that line, not the rest of the file.
func table(ctx context.Context, r io.Reader, columns []string, row func(fields []string) (why string), reject func(line int, why string)) error {
	var at []int
	missing := ""
	return lines(ctx, r, fields, func(l line[[]string]) error {
		why := l.why
		switch {
		case why != "" || missing != "":
		case at == nil:
			for _, name := range columns {
				i := slices.IndexFunc(l.value, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
				if at = append(at, i); i < 0 && missing == "" {
					missing = "the header has no column " + name
				}
			}
			why = missing
		default:
			why = "a column is missing"
			if len(l.value) > slices.Max(at) {
				of := make([]string, len(at))
				for i, j := range at {
					of[i] = strings.Clone(strings.TrimSpace(l.value[j]))
				}
				why = row(of)
			}
		}
		if why != "" {
			reject(l.number, why)
		}
		return nil
	})
}

func fields(line string) ([]string, string) {
	f, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil {
		return nil, "not CSV"
	}
	return f, ""
}

func roster(ctx context.Context, r io.Reader, give func(detect.Shift), reject func(int, string)) error {
	return table(ctx, r, []string{"practitioner", "location", "start", "end"}, func(f []string) string {
		from, ok1 := instant(f[2])
		to, ok2 := instant(f[3])
		if !ok1 || !ok2 || to < from {
			return "start and end are no times in order"
		}
		give(detect.Shift{Person: f[0], Place: f[1], From: from, To: to})
		return ""
	}, reject)
}

func leavers(ctx context.Context, r io.Reader, give func(person string, end int64), reject func(int, string)) error {
	return table(ctx, r, []string{"practitioner", "last_day"}, func(f []string) string {
		t, ok := instant(f[1])
		if !ok {
			return "last_day is no date"
		}
		give(f[0], t+86400)
		return ""
	}, reject)
}

func devices(ctx context.Context, r io.Reader, give func(device, kind, place string), reject func(int, string)) error {
	return table(ctx, r, []string{"device", "kind", "location"}, func(f []string) string {
		give(f[0], f[1], f[2])
		return ""
	}, reject)
}
