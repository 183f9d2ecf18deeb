package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// facts are what a reader needs to know of the machine, and nothing that names it.
type facts struct {
	cores     int
	goVersion string
	system    string
	processor string // model, where Linux tells it
	load      string // averages when the run began, where Linux tells them
	at        time.Time
}

func machine() facts {
	f := facts{cores: runtime.NumCPU(), goVersion: runtime.Version(), system: runtime.GOOS + "/" + runtime.GOARCH, at: time.Now()}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		f.load = strings.Join(strings.Fields(string(b))[:3], " ")
	}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				f.processor = strings.TrimSpace(value)
				break
			}
		}
	}
	return f
}

func (f facts) String() string {
	text := fmt.Sprintf("%d cores, %s, %s, %s", f.cores, f.system, f.goVersion, f.at.UTC().Format(time.DateOnly))
	if f.processor != "" {
		text = f.processor + ", " + text
	}
	if f.load != "" {
		text += "; load averages at the start " + f.load
	}
	return text
}

// meter tells what other programs take of the machine while one command runs.
type meter struct {
	at   time.Time
	busy time.Duration
}

func newMeter() meter { return meter{time.Now(), busy()} }

// cores is how many processors were busy, on average, with what is not the ended command and its children; negative when unknown.
func (m meter) cores(command *os.ProcessState) float64 {
	all := busy() - m.busy
	if m.busy == 0 {
		return -1
	}
	return max(0, (all-command.UserTime()-command.SystemTime()).Seconds()/time.Since(m.at).Seconds())
}

// busy is the processor time that the whole machine has spent on work; 0 where Linux does not tell it.
func busy() time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	var ticks int
	for i, field := range strings.Fields(strings.SplitN(string(b), "\n", 2)[0]) {
		if n, err := strconv.Atoi(field); err == nil && i != 4 && i != 5 { // all but idle and waiting for disks
			ticks += n
		}
	}
	return time.Duration(ticks) * tick
}

// tick is the unit of times in /proc.
const tick = 10 * time.Millisecond
