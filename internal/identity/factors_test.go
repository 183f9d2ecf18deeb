package identity

import (
	"context"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartwarden/internal/outcome"
)

// Vectors of RFC 6238 appendix B (SHA-1), last six digits.
func TestCodesFollowTheStandard(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := codeAt(secret, at/30); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestACodeCountsOnce(t *testing.T) {
	secret, now := newSecret(), start
	present := now.Unix() / 30
	step, ok := acceptCode(secret, codeAt(secret, present), now, 0)
	if !ok || step != present {
		t.Fatal("the present code is refused")
	}
	for name, code := range map[string]string{"the same code": codeAt(secret, present), "the code before": codeAt(secret, present-1), "an old code": codeAt(secret, present-2), "a far code": codeAt(secret, present+2), "nothing": "", "letters": "abcdef"} {
		if _, ok := acceptCode(secret, code, now, step); ok {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, ok := acceptCode(secret, codeAt(secret, present+1), now, step); !ok {
		t.Error("a phone 30 s ahead is refused")
	}
	if s, ok := acceptCode(secret, " "+codeAt(secret, present-1)[:3]+" "+codeAt(secret, present-1)[3:], now, present-2); !ok || s != present-1 {
		t.Error("a phone 30 s behind, typed with a space, is refused")
	}
}

func TestKeyURIReadsBack(t *testing.T) {
	secret := newSecret()
	u, err := url.Parse(keyURI("St. Ilse & Co", "maren.okafor", secret))
	if err != nil {
		t.Fatal(err)
	}
	got, err := secretText.DecodeString(u.Query().Get("secret"))
	if err != nil || string(got) != string(secret) || u.Query().Get("issuer") != "St. Ilse & Co" || u.Scheme != "otpauth" || strings.Contains(u.RawQuery, "+") {
		t.Fatalf("%s %v", u, err)
	}
}

func TestPasswords(t *testing.T) {
	h := newHasher(usual)
	stored, err := h.hash(t.Context(), "zwölf blaue Kähne")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("stored as %s", stored)
	}
	for password, want := range map[string]bool{
		"zwölf blaue Kähne":        true,
		"zwo\u0308lf blaue Kähne":  true, // the same, spelled by another keyboard
		"zwölf blaue kähne":        false,
		"":                         false,
		strings.Repeat("x", 10000): false,
	} {
		if got, err := h.verify(t.Context(), stored, password); err != nil || got != want {
			t.Errorf("%.20q: %v %v", password, got, err)
		}
	}
	if got, err := h.verify(t.Context(), "", ""); err != nil || got {
		t.Errorf("nobody's password matches: %v %v", got, err)
	}
	for _, bad := range []string{"short", "Maren  Okafor Lindqvist", strings.Repeat("x", 1025), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
		if err := checkPassword(bad, "maren okafor lindqvist"); !outcome.Is(err, outcome.Value) {
			t.Errorf("%.20q is taken: %v", bad, err)
		}
	}
}

// A flood of sign-ins takes time, not memory: 100 at once must not take 100 times 19 MiB.
func TestHashBounded(t *testing.T) {
	h := newHasher(usual)
	stored, err := h.hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	stop := make(chan struct{})
	var sampler, guesses sync.WaitGroup
	sampler.Go(func() {
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), m.HeapInuse))
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	for range 100 {
		guesses.Go(func() {
			if ok, err := h.verify(context.Background(), stored, "wrong horse battery"); ok || err != nil {
				t.Errorf("%v %v", ok, err)
			}
		})
	}
	guesses.Wait()
	close(stop)
	sampler.Wait()
	// each slot: one at work, and as much again waiting for the collector (GOGC 100), with room
	if bound := before.HeapInuse + uint64(cap(h.slots)+1)*4*19<<20; most.Load() > bound {
		t.Fatalf("heap rose to %d MiB, bound %d MiB", most.Load()>>20, bound>>20)
	}
}

func TestHashingGivesUpWithItsCaller(t *testing.T) {
	h := newHasher(usual)
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.verify(ctx, "", "x"); !outcome.Is(err, outcome.Timeout) {
		t.Fatal(err)
	}
}

func FuzzParseToken(f *testing.F) {
	text, _ := newToken()
	for _, s := range []string{text, "", text[:42], text + "A", strings.Repeat("A", 43), strings.Repeat("-", 42) + "\n", strings.Repeat("_", 43), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, ok := parseToken(s)
		if !ok {
			if h != (tokenHash{}) {
				t.Fatal("a refused token has a hash")
			}
			return
		}
		raw, err := tokenText.DecodeString(s)
		if err != nil || len(raw) != tokenSize || tokenText.EncodeToString(raw) != s {
			t.Fatalf("%q is accepted but is not the one spelling of a token", s)
		}
	})
}

func FuzzDecodeHash(f *testing.F) {
	f.Add(newHasher(usual).decoy)
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$$")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$AAAAAAAAAAAAAAAAAAAAAA$AA")
	f.Fuzz(func(t *testing.T, s string) {
		c, salt, sum, err := decodeHash(s)
		if err == nil && (c.memory > 256<<10 || len(salt) < 8 || len(sum) != hashSize) {
			t.Fatalf("a hash that would harm is accepted: %+v", c)
		}
	})
}

func TestNewTokensParse(t *testing.T) {
	a, ha := newToken()
	b, hb := newToken()
	if got, ok := parseToken(a); !ok || got != ha || a == b || ha == hb {
		t.Fatal("tokens do not round-trip or repeat")
	}
}

func BenchmarkPassword(b *testing.B) {
	h := newHasher(usual)
	stored, _ := h.hash(b.Context(), "correct horse battery")
	for b.Loop() {
		_, _ = h.verify(b.Context(), stored, "correct horse battery")
	}
}
