package ingest

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"chartwarden/internal/simulate"
)

// TestWriteTSV makes what scripts/tsv-bench measures: in the directory CHARTWARDEN_TSV, a context and a log of CHARTWARDEN_TSV_ROWS rows as
// Epic exports it for Purview. It is skipped otherwise.
func TestWriteTSV(t *testing.T) {
	dir := os.Getenv("CHARTWARDEN_TSV")
	rows, err := strconv.Atoi(os.Getenv("CHARTWARDEN_TSV_ROWS"))
	if dir == "" || err != nil {
		t.Skip("scripts/tsv-bench sets CHARTWARDEN_TSV and CHARTWARDEN_TSV_ROWS")
	}
	const perDay = 54_000 // of the simulator's hospital of 1,200, a little less than it is
	contextDir, log := hospital(t, simulate.Options{Seed: 900, Days: max(14, rows/perDay+1)})
	if err := os.Rename(contextDir, filepath.Join(dir, "context")); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "epic.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n := exports["epic-purview"].write(t, log, f, time.UTC, rows, nil); n != rows {
		t.Errorf("%d rows, want %d", n, rows)
	}
}
