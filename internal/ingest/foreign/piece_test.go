package foreign

import (
	"strings"
	"testing"
)

// However a table is cut into pieces, nothing of it is lost, and where no quotes are read its rows are those of the whole.
func FuzzPieces(f *testing.F) {
	f.Add("ACCESS_TIME\tUSER_ID\tPAT_ID\tMETRIC_NAME\n2026-03-02 08:00:00\tu\tp\tMR\n\nrubbish\n2026-03-02 08:01:00\tu\tp\tMR", uint8(7))
	f.Add("Creation Time,Event Name,Patient Reg Id,Employee Id,Last Name\n\"2026-03-02\n08:00\",\"a\"\"b\",c,d,e\n\"x,y\nz,\n", uint8(3))
	f.Add("\n\nsep=;\n", uint8(0))
	f.Fuzz(func(t *testing.T, text string, step uint8) {
		for _, name := range []string{"epic-research", "purview-healthcare"} {
			m, err := Preset(name)
			if err != nil {
				t.Fatal(err)
			}
			header, lines, ok, err := m.Head("f", []byte(text))
			if err != nil || !ok {
				continue
			}
			if !strings.HasPrefix(text, header) || lines != strings.Count(header, "\n") {
				t.Fatalf("%q is no header of %d lines", header, lines)
			}
			table, err := m.Table("f", header)
			if err != nil {
				t.Fatalf("%q: %v", header, err)
			}
			rest := text[len(header):]
			whole := table.Rows(rest, lines+1)
			var rows []Row
			line := lines + 1
			for left := rest; left != ""; {
				n := 0
				for want := 1 + int(step); n == 0; want *= 2 {
					n = table.Cut([]byte(left[:min(want, len(left))]), want >= len(left))
				}
				rows = append(rows, table.Rows(left[:n], line)...)
				line += strings.Count(left[:n], "\n")
				left = left[n:]
			}
			if m.Quote && strings.Contains(rest, `"`) {
				continue
			}
			if len(rows) != len(whole) {
				t.Fatalf("%d rows in pieces, %d in the whole", len(rows), len(whole))
			}
			for i := range rows {
				if rows[i].Line != whole[i].Line || rows[i].Why != whole[i].Why || rows[i].Reading.Hash != whole[i].Reading.Hash {
					t.Fatalf("row %d is %+v in pieces, %+v in the whole", i, rows[i], whole[i])
				}
			}
		}
	})
}
