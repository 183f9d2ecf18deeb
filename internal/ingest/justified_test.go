package ingest

import (
	"strings"
	"testing"

	"chartwarden/internal/detect"
)

// Rows with one id are one finding; what is no row is named with its line.
func TestJustified(t *testing.T) {
	fs, rejected := findings{}, map[int]string{}
	err := justified(t.Context(), strings.NewReader("id,practitioner,patients,from,until\n"+
		"1,Practitioner/a,unit:Location/3,2026-03-01T10:00:00.5Z,2026-05-30T10:00:00Z\n"+
		"1,Practitioner/b,unit:Location/3,2026-03-01T10:00:00.5Z,2026-05-30T10:00:00Z\n"+
		"2,Practitioner/a,children,2026-03-01,2026-05-30\n"+
		"3,Practitioner/a,everybody,2026-03-01,2026-05-30\n"+
		"4,,children,2026-03-01,2026-05-30\n"+
		"5,Practitioner/a,children,2026-05-01,2026-03-30\n"), fs.take, func(line int, why string) { rejected[line] = why })
	if err != nil || len(fs) != 2 || len(fs["1"].People) != 2 || fs["2"].Patients != detect.Children {
		t.Errorf("%v %v", fs, err)
	}
	if x := fs["1"]; x.From != 1772359201 { // no earlier than it was known
		t.Errorf("it counts from %d", x.From)
	}
	if len(rejected) != 3 || rejected[5] == "" || rejected[6] == "" || rejected[7] == "" {
		t.Errorf("%v", rejected)
	}
}
