package posture

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var sample = Report{Device: "abcdefghij234567", Nonce: strings.Repeat("A", 43), System: "debian 12", Disk: Encrypted, Lock: 5 * time.Minute, LockBy: ByPolicy,
	Updated: time.Date(2026, 11, 20, 4, 12, 0, 0, time.UTC), Started: time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)}

// The test vector of docs/formats/device-posture.md is what this program reads and believes; one changed byte is not.
func TestVectorOfTheFormat(t *testing.T) {
	doc, err := os.ReadFile("../../docs/formats/device-posture.md")
	if err != nil {
		t.Fatal(err)
	}
	field := func(name string) string {
		m := regexp.MustCompile(`(?m)^    ` + name + ` = (\S+)$`).FindSubmatch(doc)
		if m == nil {
			t.Fatalf("the format has no %s in its test vector", name)
		}
		return string(m[1])
	}
	_, rest, _ := strings.Cut(string(doc), "<!-- vector -->\n")
	block, _, ok := strings.Cut(rest, "\n\n    public")
	if !ok {
		t.Fatal("the format has no report in its test vector")
	}
	text := strings.ReplaceAll(strings.TrimPrefix(strings.Trim(block, "\n"), "    "), "\n    ", "\n") + "\n"
	r, err := Parse(text)
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	point, err := hex.DecodeString(field("public"))
	if err != nil {
		t.Fatal(err)
	}
	private := sha256.Sum256([]byte("chartwarden device posture test vector"))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), private[:])
	if err != nil {
		t.Fatal(err)
	}
	own, _ := key.PublicKey.Bytes()
	if sum := sha256.Sum256([]byte(text)); hex.EncodeToString(private[:]) != field("private") || hex.EncodeToString(own) != field("public") || hex.EncodeToString(sum[:]) != field("sha256") {
		t.Error("keys and digest of the test vector do not belong together")
	}
	if sig, err := Sign(key, text); err != nil || !Verify(point, text, sig) {
		t.Error("what the key of the test vector signs does not verify")
	}
	if !Verify(point, text, field("signature")) {
		t.Error("the signature of the test vector does not hold")
	}
	if Verify(point, strings.Replace(text, "encrypted", "Encrypted", 1), field("signature")) {
		t.Error("another text holds under the same signature")
	}
	if lacks := Usual.Lacks(r, r.Started, r.Started); lacks != nil {
		t.Errorf("the machine of the test vector is not managed: %q", lacks)
	}
}

// One byte more, one line less, another order: each report has one form, and a signature is of exactly that.
func TestOneForm(t *testing.T) {
	text := sample.Text()
	if got, err := Parse(text); err != nil || got != sample {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, bad := range map[string]string{
		"nothing": "", "no end": strings.TrimSuffix(text, "\n"), "a line more": text + "\n", "carriage returns": strings.ReplaceAll(text, "\n", "\r\n"),
		"another version": strings.Replace(text, "/1", "/2", 1), "two spaces": strings.Replace(text, "disk ", "disk  ", 1), "another order": strings.Replace(text, "disk encrypted\nlock 300 policy", "lock 300 policy\ndisk encrypted", 1),
		"a zero before": strings.Replace(text, "lock 300", "lock 0300", 1), "a lock without a word": strings.Replace(text, "300 policy", "300", 1), "no zero lock": strings.Replace(text, "300", "0", 1),
		"a time elsewhere": strings.Replace(text, "04:12:00Z", "05:12:00+01:00", 1), "a fraction": strings.Replace(text, "04:12:00Z", "04:12:00.5Z", 1), "a day without a time": strings.Replace(text, "T04:12:00Z", "", 1),
		"a disk that is fine": strings.Replace(text, "encrypted", "fine", 1), "a long one": text + strings.Repeat("x", 2000), "a name with a line feed": strings.Replace(text, "debian 12", "debian\n12", 1),
	} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func TestDemands(t *testing.T) {
	now := sample.Started.Add(12 * time.Hour)
	for _, c := range []struct {
		change func(*Report)
		after  time.Duration
		demand string
		lacks  string
	}{
		{nil, 0, "", ""},
		{nil, 25 * time.Hour, "", "its last report is older than 1 day"},
		{nil, 25 * time.Hour, "disk,age=2d", ""},
		{nil, -time.Hour, "", "its last report is older than 1 day"},
		{func(r *Report) { r.Disk = Open }, 0, "", "its disk is not encrypted"},
		{func(r *Report) { r.Disk = NotKnown }, 0, "", "nobody knows whether its disk is encrypted"},
		{func(r *Report) { r.Disk = Open }, 0, "lock=15m", ""},
		{func(r *Report) { r.Lock, r.LockBy = 0, "" }, 0, "", "its screen does not lock by itself"},
		{func(r *Report) { r.Lock = time.Hour }, 0, "", "its screen locks after 1 h, not 15 min"},
		{func(r *Report) { r.LockBy = ByWord }, 0, "", ""},
		{func(r *Report) { r.LockBy = ByWord }, 0, "lock=15m,proven", "that its screen locks is stated, not read"},
		{func(r *Report) { r.Updated = time.Time{} }, 0, "", "nobody knows when it was last updated"},
		{func(r *Report) { r.Updated = now.Add(-61 * day) }, 0, "", "it was last updated more than 60 days ago"},
		{func(r *Report) { r.Started = now.Add(-91 * day) }, 0, "started=90d", "it was last started more than 90 days ago"},
	} {
		r := sample
		if c.change != nil {
			c.change(&r)
		}
		d, err := ParseDemands(c.demand)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(d.Lacks(r, now, now.Add(c.after)), "; ")
		if got != c.lacks {
			t.Errorf("%q after %v lacks %q, want %q", c.demand, c.after, got, c.lacks)
		}
	}
	for _, bad := range []string{"disk=1", "lock", "lock=1s", "lock=15m,lock=10m", "fine", "updated=9999d", "disk,,lock=15m", "age=-1h"} {
		if d, err := ParseDemands(bad); err == nil {
			t.Errorf("%q is read as %+v", bad, d)
		}
	}
}

func TestWords(t *testing.T) {
	got := sample.Words(sample.Started.Add(time.Hour))
	if want := []string{"debian 12", "disk encrypted", "screen locks after 5 min", "updated 2 days ago", "started today"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// Whatever comes as a report is refused with a sentence, or is a report in its one form.
func FuzzReport(f *testing.F) {
	f.Add(sample.Text())
	f.Add("")
	f.Add(strings.Repeat("a\n", 8))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	point, _ := key.PublicKey.Bytes()
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err == nil && r.Text() != text {
			t.Errorf("%q is read as %q", text, r.Text())
		}
		if err == nil {
			_, _ = Usual.Lacks(r, r.Started, r.Started), r.Words(r.Started)
		}
		if Verify(point, text, text) {
			t.Error("a signature that nobody made")
		}
	})
}

// Demands come from a setting: whatever stands there is refused, or bounded.
func FuzzDemands(f *testing.F) {
	f.Add("disk,lock=15m,proven,updated=60d,started=90d,age=24h")
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ParseDemands(text); err == nil && (d.Age < time.Minute || d.Age > 366*day || d.Lock < 0) {
			t.Errorf("%q is %+v", text, d)
		}
	})
}
