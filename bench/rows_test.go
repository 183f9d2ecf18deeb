package main

import (
	"strings"
	"testing"
)

const printed = `goos: linux
pkg: chartwarden/internal/audit
BenchmarkAppend/clients-1-2         	   12345	     97000 ns/op	        41.00 cpu-us/entry	     10309 entries/s	         0.0950 p50-ms	         0.2100 p99-ms
BenchmarkAppend/clients-256-2       	  100000	     60000 ns/op	     16666 entries/s
BenchmarkNothing-2                  	--- SKIP
PASS
`

func TestResultsAreReadAndJudged(t *testing.T) {
	results := parse("internal/audit", printed, 2)
	page := table(facts{cores: 2, goVersion: "go1.26", system: "linux/amd64"}, results)
	for _, want := range []string{
		"| audit append, 1 client, p50 ms | 0.10 | < 1.00 where fsync takes 0.1 ms | met |",
		"| audit append, 1 client, entries/s | 10,309 |  |  |",
		"| audit append, 256 clients, entries/s | 16,666 | ≥ 20,000 | **missed** |",
		"2 cores, linux/amd64, go1.26",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the table lacks %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "chart page") {
		t.Error("the table shows what was not measured")
	}
}

// On one processor go test adds no number to a name.
func TestNamesOnOneProcessor(t *testing.T) {
	if _, ok := parse("internal/audit", "BenchmarkAppend/clients-1 10 5 ns/op\n", 1)["internal/audit Append/clients-1"]; !ok {
		t.Error("the name lost its own number")
	}
}

// Each row of the table asks for a suite that runs.
func TestEveryRowIsMeasured(t *testing.T) {
	dirs := map[string]bool{}
	for _, s := range suites {
		dirs[s.dir] = true
	}
	for _, r := range rows {
		if dir, name, _ := strings.Cut(r.name, " "); !dirs[dir] || name == "" {
			t.Errorf("nothing measures %q", r.what)
		}
	}
}

// The side-by-side table judges what the harness and the benchmark say, an error before a figure.
func TestSideBySideIsReadAndJudged(t *testing.T) {
	all, err := readTaken(strings.NewReader(`{"label":"sqlite","phase":"read","per_sec":4100,"p50_ms":1.5,"p99_ms":11,"cpu_by_root":"server=1.23","foreign_cpu_cores":0.05}
{"label":"sqlite","phase":"obs","per_sec":2100,"errors":1,"cpu_by_root":"server=1.05"}
{"label":"sqlite","phase":"mixed","per_sec":1700,"cpu_by_root":"server=1.7","extra":{"visits_per_min":6100}}
{"Label":"sqlite","Phase":"restart","Value":45}
{"label":"postgres","phase":"include","per_sec":1000,"cpu_by_root":"server=1 database=0.5"}
`))
	if err != nil {
		t.Fatal(err)
	}
	page := sideTable(facts{}, all)
	for _, want := range []string{
		"| read by id | 4,100/s | 1.50 | 11.0 | 0.30 | 0.05 | 0 | ≥ 4,000/s, p99 < 10.0 ms | **missed** |",
		"| 2,100/s | 0.00 | 0.00 | 0.50 | 0.00 | 1 | ≥ 2,000/s | **errors** |",
		"| 6,100/min | 0.00 | 0.00 | 1.00 | 0.00 | 0 | ≥ 6,000/min | met |",
		"| restart | 45.0 ms |  |  |  |  |  | < 1,000 ms | met |",
		"| 1,000/s | 0.00 | 0.00 | 1.00 + 0.50 | 0.00 | 0 | ≥ 1,000/s | met |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the table lacks %q:\n%s", want, page)
		}
	}
}
