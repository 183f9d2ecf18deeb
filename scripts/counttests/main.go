// Command counttests reads `go test -json` and prints, on the first line, how many top-level tests passed, failed and were skipped;
// then the output of each that failed and one line `skipped: NAME: reason` for each that was skipped.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
}

func main() {
	var passed, failed, skipped int
	output := map[string][]string{}
	var notes []string
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			notes = append(notes, in.Text())
			continue
		}
		name := strings.TrimPrefix(e.Package, "chartwarden/") + "." + e.Test
		switch e.Action {
		case "output":
			output[name] = append(output[name], e.Output)
			continue
		case "build-output":
			notes = append(notes, strings.TrimRight(e.Output, "\n"))
			continue
		}
		top := e.Test != "" && !strings.Contains(e.Test, "/")
		switch {
		case e.Action == "pass" && top:
			passed++
		case e.Action == "skip" && top:
			skipped++
			notes = append(notes, "skipped: "+name+": "+reason(output[name]))
		case e.Action == "fail" && (top || e.Test == ""):
			if top {
				failed++
			}
			notes = append(notes, "--- "+name+"\n"+strings.Join(output[name], ""))
		case e.Action == "fail":
			notes = append(notes, "--- "+name+"\n"+strings.Join(output[name], ""))
		}
	}
	sort.SliceStable(notes, func(i, j int) bool {
		return strings.HasPrefix(notes[i], "skipped") && !strings.HasPrefix(notes[j], "skipped")
	})
	fmt.Println(passed, failed, skipped)
	for _, n := range notes {
		fmt.Println(n)
	}
}

// reason is the line that the test gave to Skip.
func reason(lines []string) string {
	for _, l := range lines {
		if i := strings.Index(l, "_test.go:"); i >= 0 {
			if _, text, ok := strings.Cut(l[i+len("_test.go:"):], ": "); ok {
				return strings.TrimSpace(text)
			}
		}
	}
	return "no reason given"
}
