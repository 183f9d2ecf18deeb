package main

import (
	"strings"
	"testing"
)

func TestWhatTheEngineKeepsIsReadFromTheBenchmark(t *testing.T) {
	table := memoryTable("BenchmarkMemory-2   1   5 ns/op   63.2 B/appointment-after-26-weeks   60 B/appointment-after-6-weeks   410 B/patient-after-26-weeks   409 B/patient-after-6-weeks   4016 B/person-after-26-weeks   4053 B/person-after-6-weeks\n")
	for _, row := range []string{"| member of staff | 4053 | 4016 |", "| patient of the directory | 409 | 410 |", "| appointment of the last hundred days | 60 | 63 |"} {
		if !strings.Contains(table, row) {
			t.Errorf("no row %s in\n%s", row, table)
		}
	}
}
