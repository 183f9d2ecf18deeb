package server_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartwarden/internal/tlog"
)

// A witness that is killed in the middle of its work never knows less afterwards than it signed.
func TestAKilledWitnessNeverGoesBack(t *testing.T) {
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	signer, err := tlog.NewSigner("hospital.example/log", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	body := func(old, size int64) string { // of a log whose leaves are known
		tree, full := &tlog.Tree{}, map[[2]int64][]byte{}
		for tree.Size() < size {
			tree.Append(tlog.LeafHash(fmt.Append(nil, tree.Size())))
			for _, tile := range tree.Drain() {
				full[[2]int64{int64(tile.Level), tile.N}] = tile.Data
			}
		}
		proof, err := tlog.Consistency(tree.Reader(func(level int, n int64) ([]byte, error) { return full[[2]int64{int64(level), n}], nil }), old, size)
		if err != nil {
			t.Fatal(err)
		}
		return string(tlog.Submission{Old: old, Proof: proof, Note: signer.Sign(tlog.Checkpoint{Origin: signer.Name(), Size: size, Root: tree.Root()}.Text())}.Text())
	}
	dir := filepath.Join(t.TempDir(), "witness")
	must(t, "witness", "key", "--state", dir)
	var signed atomic.Int64
	for round := range rounds {
		p := witnessing(t, dir, signer.Verifier().String())
		ask := func(text string) (int, string) {
			a, err := http.Post(p.url+"/add-checkpoint", "text/plain", strings.NewReader(text))
			if err != nil {
				return 0, ""
			}
			defer a.Body.Close()
			b, err := io.ReadAll(a.Body)
			if err != nil {
				return 0, ""
			}
			return a.StatusCode, string(b)
		}
		known := signed.Load()
		if status, text := ask(body(0, 1)); status == http.StatusConflict {
			if known, err = strconv.ParseInt(strings.TrimSpace(text), 10, 64); err != nil {
				t.Fatal(err)
			}
		} else if status == http.StatusOK {
			known = 1
		}
		if known < signed.Load() {
			t.Fatalf("round %d: the witness signed %d entries and knows %d", round, signed.Load(), known)
		}
		var worker sync.WaitGroup
		worker.Go(func() {
			for at := known; ; at++ {
				if status, _ := ask(body(at, at+1)); status != http.StatusOK {
					return
				}
				signed.Store(at + 1)
			}
		})
		time.Sleep(time.Duration(20+rand.IntN(150)) * time.Millisecond) // any moment will do
		p.kill()
		worker.Wait()
	}
	if signed.Load() == 0 {
		t.Error("nothing was signed in any round: nothing was tested")
	}
}

// witnessing starts the witness in a directory for one log.
func witnessing(t testing.TB, dir, log string) *process {
	t.Helper()
	p := begin(t, nil, "witness", "serve", "--state", dir, "--log", log, "--listen", "127.0.0.1:0")
	if !p.answers() {
		t.Fatalf("the witness does not start:\n%s", p.printed)
	}
	return p
}

// A whole installation that was set back is not continued by commands that open it beside no server: they ask who cosigned last.
func TestCommandsAskTheWitnessesOfBefore(t *testing.T) {
	in := install(t)
	state := filepath.Join(t.TempDir(), "witness")
	key := strings.TrimSpace(must(t, "witness", "key", "--state", state, "--name", "witness.example"))
	type report struct {
		Logs []struct{ Origin, Key string }
	}
	logs := func(dir string) (r report) {
		t.Helper()
		out, complaint, _ := run(t, "audit", "verify", "--data", dir, "--json")
		if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Logs) == 0 {
			t.Fatalf("%v: %s", err, complaint)
		}
		return r
	}
	w := witnessing(t, state, logs(in.dir).Logs[0].Key)
	serve(t, in.dir, "env", "CHARTWARDEN_WITNESS="+w.url+"="+key).stop(t)
	var older []string
	for _, name := range []string{"person add", "import", "nobody is asked"} {
		dir := filepath.Join(t.TempDir(), name)
		duplicate(t, dir, in.dir)
		older = append(older, dir)
	}
	hired(t, in.dir, "Kim Osei", "nurse") // which the witness is brought
	if r := logs(in.dir); len(r.Logs) != 1 {
		t.Errorf("a log that agrees with its witness: %+v", r)
	}
	hired(t, older[0], "Kim Osei", "nurse")
	must(t, append([]string{"import", "--data", older[1]}, in.files...)...)
	for _, dir := range older[:2] {
		if r := logs(dir); len(r.Logs) != 2 || !strings.HasSuffix(r.Logs[1].Origin, "-2") {
			t.Errorf("%s goes on with what was set back: %+v", filepath.Base(dir), r)
		}
	}
	t.Setenv("CHARTWARDEN_WITNESS", "none")
	hired(t, older[2], "Kim Osei", "nurse")
	if r := logs(older[2]); len(r.Logs) != 1 {
		t.Errorf("nobody is asked, and yet: %+v", r)
	}
}
