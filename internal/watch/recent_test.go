package watch

import (
	"fmt"
	"testing"

	"chartwarden/internal/detect"
)

// What a case may be made of is remembered longer than what is explained, and neither for ever.
func TestWhatIsOddIsRememberedLonger(t *testing.T) {
	r := recent{size: 100}
	for i := range 1500 {
		id := fmt.Sprint(i)
		r.add(spot{piece: 1, line: i}, &detect.Event{ID: id, Kind: detect.Read, Patients: []string{"Patient/p"}})
		r.judge(&detect.Verdict{Event: id, Patient: "Patient/p", Explained: i%10 != 0})
	}
	for id, want := range map[string]bool{"1499": true, "1405": true, "1395": false, "1390": true, "600": true, "390": false, "0": false} {
		if got := len(r.verdicts(id)) == 1; got != want {
			t.Errorf("%s is remembered: %v", id, got)
		}
	}
	if len(r.of) > 200 {
		t.Errorf("%d are remembered", len(r.of))
	}
	r.clear()
	if len(r.verdicts("1499")) != 0 {
		t.Error("it is not forgotten")
	}
}
