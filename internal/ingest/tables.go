package ingest

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"chartwarden/internal/detect"
)

// table reads a CSV file with a header that names at least the columns; row gets them in that order. Other columns are ignored.
func table(r io.Reader, columns []string, row func(fields []string) (why string), reject func(line int, why string)) error {
	c := csv.NewReader(r)
	c.ReuseRecord, c.FieldsPerRecord = true, -1
	var at []int
	fields := make([]string, len(columns))
	for {
		rec, err := c.Read()
		var bad *csv.ParseError
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &bad):
			reject(bad.Line, "not CSV")
			continue
		case err != nil:
			return err
		}
		n, _ := c.FieldPos(0)
		if at == nil {
			rec[0] = strings.TrimPrefix(rec[0], "\ufeff")
			for _, name := range columns {
				i := slices.IndexFunc(rec, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
				if i < 0 {
					reject(n, "the header has no column "+name)
					return nil
				}
				at = append(at, i)
			}
			continue
		}
		for i, j := range at {
			if j >= len(rec) {
				fields = fields[:0]
				break
			}
			fields[i] = strings.Clone(strings.TrimSpace(rec[j]))
		}
		if len(fields) == 0 {
			fields = make([]string, len(columns))
			reject(n, "a column is missing")
			continue
		}
		if why := row(fields); why != "" {
			reject(n, why)
		}
	}
}

func roster(r io.Reader, give func(detect.Shift), reject func(int, string)) error {
	return table(r, []string{"practitioner", "location", "start", "end"}, func(f []string) string {
		from, ok1 := instant(f[2])
		to, ok2 := instant(f[3])
		if !ok1 || !ok2 || to < from {
			return "start and end are no times in order"
		}
		give(detect.Shift{Person: f[0], Place: f[1], From: from, To: to})
		return ""
	}, reject)
}

func leavers(r io.Reader, give func(person string, end int64), reject func(int, string)) error {
	return table(r, []string{"practitioner", "last_day"}, func(f []string) string {
		t, ok := instant(f[1])
		if !ok {
			return "last_day is no date"
		}
		give(f[0], t+86400)
		return ""
	}, reject)
}

func devices(r io.Reader, give func(device, kind, place string), reject func(int, string)) error {
	return table(r, []string{"device", "kind", "location"}, func(f []string) string {
		give(f[0], f[1], f[2])
		return ""
	}, reject)
}
