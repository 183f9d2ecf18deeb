//go:build !linux

package ingest

import "runtime"

// peakMemory is what the process has taken from the system, in bytes.
func peakMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}
