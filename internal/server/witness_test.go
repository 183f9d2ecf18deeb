package server_test

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
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
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	var signed atomic.Int64
	for round := range rounds {
		p := &process{command: exec.Command(path, "witness", "serve", "--state", dir, "--log", signer.Verifier().String(), "--listen", "127.0.0.1:0"), printed: &lines{}, ended: make(chan struct{})}
		p.command.Stdout, p.command.Stderr = p.printed, p.printed
		if err := p.command.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { _ = p.command.Wait(); close(p.ended) }()
		t.Cleanup(p.kill)
		if !p.answers() {
			t.Fatalf("round %d: the witness does not start:\n%s", round, p.printed)
		}
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
