package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// bytesFile writes a log as it is.
func bytesFile(t testing.TB, text []byte) string {
	name := filepath.Join(t.TempDir(), "log.ndjson")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// summed replays and gives the report beside the files.
func summed(t testing.TB, contextDir string, logs ...string) (Summary, map[string]string) {
	t.Helper()
	out := t.TempDir()
	sum, err := Replay(context.Background(), Options{Context: contextDir, Logs: logs, Out: out, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range []string{"verdicts.ndjson", "cases.ndjson", "rejected.ndjson"} {
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(b)
	}
	return sum, got
}

func TestTheSameLogInOtherClothesIsJudgedAlike(t *testing.T) {
	dir, log := town(t, 3)
	whole := strings.Join(log, "\n") + "\n"
	_, want := summed(t, dir, bytesFile(t, []byte(whole)))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, whole[:len(whole)/2])
	_ = z.Close()
	z = gzip.NewWriter(&packed) // of two members, as rotated logs are joined
	_, _ = io.WriteString(z, whole[len(whole)/2:])
	_ = z.Close()
	for name, text := range map[string][]byte{
		"CRLF":           []byte(strings.ReplaceAll(whole, "\n", "\r\n")),
		"BOM":            []byte("\ufeff" + whole),
		"empty lines":    []byte("\n\r\n  \n" + strings.ReplaceAll(whole, "\n", "\n\n")),
		"gzip":           packed.Bytes(),
		"no end of line": []byte(strings.TrimSuffix(whole, "\n")),
	} {
		if sum, got := summed(t, dir, bytesFile(t, text)); got["verdicts.ndjson"] != want["verdicts.ndjson"] || got["cases.ndjson"] != want["cases.ndjson"] || sum.Rejected != 0 {
			t.Errorf("%s: %d events, %d rejected, or other verdicts", name, sum.Events, sum.Rejected)
		}
	}
}

func TestALogThatIsNone(t *testing.T) {
	dir, log := town(t, 1)
	binary := make([]byte, 3<<20)
	for i := range binary {
		binary[i] = byte(i * 7 >> 3)
	}
	for name, c := range map[string]struct {
		text     []byte
		events   int
		rejected bool
	}{
		"empty":                   {nil, 0, false},
		"a line end":              {[]byte("\n"), 0, false},
		"binary":                  {binary, 0, true},
		"zeros":                   {make([]byte, 1<<20), 0, true},
		"a directory listing":     {[]byte("total 8\ndrwxr-xr-x 2\n"), 0, true},
		"binary before the lines": {append(append(binary[:1<<20:1<<20], '\n'), []byte(strings.Join(log, "\n"))...), len(log), true},
	} {
		if sum, got := summed(t, dir, bytesFile(t, c.text)); sum.Events != c.events || sum.Rejected > 0 != c.rejected || strings.Count(got["rejected.ndjson"], "\n") != sum.Rejected {
			t.Errorf("%s: %d events, %d rejected", name, sum.Events, sum.Rejected)
		}
	}
	// a packed log that was cut off says so, and is not reported as whole
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, strings.Join(log, "\n"))
	_ = z.Close()
	out := t.TempDir()
	_, err := Replay(context.Background(), Options{Context: dir, Logs: []string{bytesFile(t, packed.Bytes()[:packed.Len()/2])}, Out: out})
	if err == nil || !strings.Contains(err.Error(), "cannot be read to its end") {
		t.Errorf("half a gzip: %v", err)
	}
	if _, err := os.Stat(filepath.Join(out, "report.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half a gzip has a report: %v", err)
	}
}

// Every line of a bad log is judged or named, once.
func TestNothingOfABadLogIsLost(t *testing.T) {
	dir, log := town(t, 2)
	at := func(l, from, to string) string { return strings.Replace(l, from, to, 1) }
	bad := slices.Clone(log)
	bad[5] = bad[5][:100]                                                                              // truncated
	bad[7] = bad[7] + bad[8]                                                                           // two on one line
	bad[20], bad[21] = bad[21], bad[20]                                                                // in the wrong order
	bad = slices.Insert(bad, 30, bad[29])                                                              // twice
	bad = append(bad, at(bad[40], `"recorded":"2026`, `"recorded":"2025`))                             // twice, and long ago
	bad[50] = at(bad[50], `"recorded":"2026`, `"recorded":"2099`)                                      // a wrong clock
	bad[60] = at(bad[60], `"recorded":"2026`, `"recorded":"0001`)                                      // a clock at zero
	bad[70] = at(at(bad[70], "Practitioner/s", "Practitioner/unknown"), "Patient/p", "Patient/nobody") // whom nobody knows
	bad[80] = at(bad[80], `"id":"e`, "\"id\":\"\xff\xfee")                                             // not UTF-8
	bad[90] = strings.Repeat(" ", 9<<20) + bad[90]                                                     // too long
	sum, got := summed(t, dir, file(t, bad...))
	reasons := map[string]int{}
	for l := range strings.Lines(got["rejected.ndjson"]) {
		var r struct {
			Line   int
			Reason string
		}
		if err := json.Unmarshal([]byte(l), &r); err != nil || r.Line == 0 {
			t.Fatalf("%q %v", l, err)
		}
		reasons[r.Reason]++
	}
	want := map[string]int{"not JSON: a string does not end": 1, "not JSON: something follows the event": 1, "an event with this id came before": 2, "longer than 8 MiB": 1}
	if fmt.Sprint(reasons) != fmt.Sprint(want) {
		t.Errorf("reasons %v, want %v", reasons, want)
	}
	if sum.Events+sum.Rejected != len(bad) || sum.Duplicates != 2 || sum.OutOfOrder < 2 {
		t.Errorf("%d lines, %d events, %d rejected, %d duplicates, %d out of order", len(bad), sum.Events, sum.Rejected, sum.Duplicates, sum.OutOfOrder)
	}
	if want := []Place{{"log.ndjson", 51}}; sum.ClockFaults != 1 || !slices.Equal(sum.ClockFaultsAt, want) {
		t.Errorf("clock faults %d at %v", sum.ClockFaults, sum.ClockFaultsAt)
	}
	judged := map[string]int{}
	for l := range strings.Lines(got["verdicts.ndjson"]) {
		var v struct {
			Event    string
			Revision int
		}
		if err := json.Unmarshal([]byte(l), &v); err != nil {
			t.Fatalf("%q %v", l, err)
		}
		if v.Revision == 1 {
			judged[v.Event]++
		}
	}
	if len(judged) != sum.Events {
		t.Errorf("%d events, %d of them judged", sum.Events, len(judged))
	}
	for id, n := range judged {
		if n != 1 {
			t.Errorf("%s is judged %d times", id, n)
		}
	}
	if !strings.Contains(got["verdicts.ndjson"], `"agent":"Practitioner/unknown9","patient":"Patient/nobody`) {
		t.Error("whom nobody knows is not judged")
	}
}

func TestWhatWasCutShortIsNotWhole(t *testing.T) {
	dir, log := town(t, 2)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	out := t.TempDir()
	if err := os.WriteFile(filepath.Join(out, "report.json"), []byte("of yesterday"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Replay(ctx, Options{Context: dir, Logs: []string{file(t, log...)}, Out: out}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := os.Stat(filepath.Join(out, "report.json")); !errors.Is(err, os.ErrNotExist) {
		t.Error("there is a report")
	}
}

// A line of gigabytes is stepped over within bounded memory, in whatever file it is. CHARTWARDEN_LONG_LINE is its length in MB.
func TestALineOfGigabytesTakesNoMemory(t *testing.T) {
	size := int64(200)
	if s := os.Getenv("CHARTWARDEN_LONG_LINE"); s != "" {
		size, _ = strconv.ParseInt(s, 10, 64)
	} else if testing.Short() {
		size = 40
	}
	runtime.GC()
	var start runtime.MemStats
	runtime.ReadMemStats(&start)
	done, peak := make(chan struct{}), make(chan uint64)
	go func() { // what is in use at the worst moment, not what was ever allocated
		var m runtime.MemStats
		worst := uint64(0)
		for {
			runtime.ReadMemStats(&m)
			worst = max(worst, m.HeapInuse)
			select {
			case <-done:
				peak <- worst
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	var got []string
	err := lines(context.Background(), &endless{size << 20, strings.NewReader("\n\ngood\nlast")}, func(s string) (string, string) { return s, "" },
		func(l line[string]) error {
			got = append(got, fmt.Sprint(l.number, l.value, l.why))
			return nil
		})
	tables := 0
	err2 := table(context.Background(), io.MultiReader(strings.NewReader("practitioner,last_day\n\""), &endless{size << 20, strings.NewReader("\nPractitioner/1,2026-01-01\n")}), []string{"practitioner", "last_day"},
		func([]string) string { tables++; return "" }, func(int, string) {})
	close(done)
	worst := <-peak
	if want := []string{"1longer than 8 MiB", "3good", "4last"}; err != nil || !slices.Equal(got, want) || err2 != nil || tables != 1 {
		t.Errorf("%q %v %v, %d rows", got, err, err2, tables)
	}
	if grown := int64(worst) - int64(start.HeapInuse); grown > 100<<20 {
		t.Errorf("%d MB at once", grown>>20)
	} else {
		t.Logf("a line of %d MB took %d MB at the worst moment", size, grown>>20)
	}
}
