package audit

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"chartwarden/internal/fhir"
)

// cpu is the processor time of this process: on a shared machine it says more than the clock.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAppend is one chart read made durable, sealed, chained and signed, by so many clients at once.
func BenchmarkAppend(b *testing.B) {
	for _, clients := range []int{1, 8, 64, 256} {
		b.Run(fmt.Sprint("clients-", clients), func(b *testing.B) {
			s := newSite(b)
			s.d = s.database("audit.db")
			o := s.options()
			o.Now = time.Now
			l, err := Open(context.Background(), o)
			if err != nil {
				b.Fatal(err)
			}
			s.log = l
			patients := make([]int64, 2000)
			for i := range patients {
				patients[i] = int64(i + 1)
			}
			if _, err := l.box.Keys(context.Background(), patients, "patient"); err != nil { // made once in a patient's life
				b.Fatal(err)
			}
			var next atomic.Int64
			times := make([][]time.Duration, clients)
			var wg sync.WaitGroup
			before := cpu()
			b.ResetTimer()
			for c := range clients {
				wg.Go(func() {
					e := reading(1, 1)
					for {
						n := next.Add(1)
						if n > int64(b.N) {
							return
						}
						e.Patients[0].Patient = fhir.PatientID(n*7919%2000 + 1)
						e.Agent.Person = fmt.Sprint("p-", n%500)
						at := time.Now()
						if _, err := l.Disclose(context.Background(), e); err != nil {
							b.Error(err)
							return
						}
						times[c] = append(times[c], time.Since(at))
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			all := slices.Sorted(slices.Values(slices.Concat(times...)))
			b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-us/entry")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
			b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

// BenchmarkVerify recomputes a log of chart reads, keys at hand; it also says what one entry takes on the disk.
func BenchmarkVerify(b *testing.B) {
	s := newSite(b)
	l := s.start()
	var wg sync.WaitGroup
	const entries = 20_000
	for c := range 64 {
		wg.Go(func() {
			for i := range entries / 64 {
				if _, err := l.Disclose(context.Background(), reading(1, fhir.PatientID(1+(c*31+i)%500))); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	sizes := map[string]float64{}
	for table, column := range map[string]string{"entry": "bytes", "payload": "sealed", "tile": "data", "head": "note"} {
		var n float64
		if err := s.d.Reader().QueryRow(`select total(length(` + column + `)) from ` + table).Scan(&n); err != nil {
			b.Fatal(err)
		}
		sizes[table+"-B/entry"] = n / float64(l.State().Size)
	}
	b.ResetTimer()
	for range b.N {
		r, err := Verify(context.Background(), s.d, VerifyOptions{Box: s.ring.Box("audit")})
		if err != nil || !r.Holds() {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(l.State().Size)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	for name, n := range sizes {
		b.ReportMetric(n, name)
	}
}
