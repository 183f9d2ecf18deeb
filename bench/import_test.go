package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"chartwarden/internal/server/servertest"
)

// BenchmarkImport takes the 120 Synthea patients into an empty installation by the command line: the whole program from its start to
// its end, the first pass that orders the files included.
func BenchmarkImport(b *testing.B) {
	data := servertest.Data(b, "fhir", "synthea")
	var cpu, wall []time.Duration
	resources := 0
	for i := range b.N {
		dir := filepath.Join(scratch, fmt.Sprint("import-", b.N, "-", i))
		command(b, "init", "--sandbox", "--data", dir)
		if *inside {
			servertest.Open(b, dir).Import(b, data)
			continue
		}
		path := filepath.Join(scratch, "report.json")
		start := time.Now()
		_, state := command(b, "import", "--data", dir, "--report", path, data)
		wall, cpu = append(wall, time.Since(start)), append(cpu, processorTime(state))
		resources = importedBy(b, path)
		_ = os.RemoveAll(dir)
	}
	if *inside {
		return
	}
	b.ReportMetric(median(wall)/1000, "wall-s")
	b.ReportMetric(median(cpu)/1000, "cpu-s")
	b.ReportMetric(float64(resources)/median(wall)*1000, "resources/s")
}

func importedBy(b *testing.B, path string) int {
	var report struct {
		Stored, Skipped int
		Rejected        []json.RawMessage
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &report)
	}
	if err != nil || len(report.Rejected) > 0 {
		b.Fatal("the import did not take everything: ", err)
	}
	return report.Stored + report.Skipped
}

// BenchmarkStart starts the server on the 120 patients, and looks at its memory when it has had nothing to do for two seconds.
func BenchmarkStart(b *testing.B) {
	h := theHospital(b)
	var ready []time.Duration
	memory := 0
	for range b.N {
		p := serve(b, h.dir)
		time.Sleep(2 * time.Second)
		ready, memory = append(ready, p.ready), max(memory, p.status("VmRSS"))
		p.stop()
	}
	b.ReportMetric(median(ready), "ready-ms")
	if memory > 0 {
		b.ReportMetric(float64(memory)/1024, "idle-MiB")
	}
}

// BenchmarkFsync is what this machine's disk takes to make 4 KiB durable: the floor of every append and write.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(scratch, "fsync"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	var times []time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
	}
	b.ReportMetric(median(times), "p50-ms")
}
