package smart_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"chartwarden/internal/identity"

	"github.com/go-jose/go-jose/v4"
)

const npmFolder = "testdata/npm"

// clients installs the published clients, once for each state of the lock file, below the person's cache folder. Without node, npm or a
// registry the test is skipped and says so.
func clients(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	sum := sha256.New()
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
		b, err := os.ReadFile(filepath.Join(npmFolder, name))
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(b)
	}
	dir := filepath.Join(cache, "chartwarden-smart-tests", hex.EncodeToString(sum.Sum(nil)[:8]))
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			t.Fatal(err)
		}
		making, err := os.MkdirTemp(filepath.Dir(dir), "installing-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(making)
		if err := os.CopyFS(making, os.DirFS(npmFolder)); err != nil {
			t.Fatal(err)
		}
		install := exec.CommandContext(t.Context(), "npm", "ci", "--silent")
		install.Dir = making
		if out, err := install.CombinedOutput(); err != nil {
			t.Skipf("the clients cannot be installed (npm ci: %v): %.300s", err, out)
		}
		if err := os.Rename(making, dir); err != nil && !os.IsExist(err) {
			t.Logf("the clients are not kept: %v", err)
			return making
		}
	}
	return dir
}

// Published clients, unchanged, against a served sandbox.
func TestPublishedClients(t *testing.T) {
	if testing.Short() {
		t.Skip("the published clients run without -short")
	}
	dir := clients(t)
	w := open(t)
	es, rs := es384(t, "k1"), rs384(t, "k2")
	w.register(identity.NewClient{ID: "lab-feed", Scope: "system/Observation.rs", Keys: keySet(t, es, rs)})
	const scopes = "launch/patient patient/*.rs openid fhirUser offline_access"
	w.app("growth", scopes)
	w.register(identity.NewClient{ID: "kept", Scope: scopes, Redirects: []string{callback}, Keys: keySet(t, es)})
	_, own := w.assert(es, w.claims("lab-feed"), "system/Observation.rs")
	at, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	cookie := w.physician.Jar.Cookies(at)[0]
	ward, err := json.Marshal(map[string]any{"url": w.URL, "cookie": cookie.Name + "=" + cookie.Value, "patient": w.patient, "stranger": w.stranger, "lab": w.lab, "condition": w.condition,
		"app": "growth", "confidential": "kept", "backend": "lab-feed", "token": own.Access,
		"keys": []jose.JSONWebKey{{Key: es.key, KeyID: es.kid, Algorithm: string(es.alg)}, {Key: rs.key, KeyID: rs.kid, Algorithm: string(rs.alg)}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range []string{"jose.mjs", "fhirclient.mjs", "kit.mjs", "medplum.mjs"} {
		t.Run(script, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(npmFolder, script))
			if err != nil {
				t.Fatal(err)
			}
			common, err := os.ReadFile(filepath.Join(npmFolder, "ward.mjs"))
			if err != nil {
				t.Fatal(err)
			}
			here, err := os.MkdirTemp(dir, "run-") // beside node_modules, where node looks for packages
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(here)
			for name, b := range map[string][]byte{script: text, "ward.mjs": common} {
				if err := os.WriteFile(filepath.Join(here, name), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			run := exec.CommandContext(t.Context(), "node", script)
			run.Dir, run.Env = here, append(os.Environ(), "WARD="+string(ward))
			if out, err := run.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%.3000s", err, out)
			}
		})
	}
}
