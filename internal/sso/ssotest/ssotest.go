// Package ssotest runs a published identity provider, oidc-provider, in a process of its own, for tests of the sign-in through one.
//
//	issuer := ssotest.Free(t)                                                        // where it will be
//	ssotest.Run(t, issuer, base+"/sign-in/provider/back", base+"/sign-in/provider/logout")
//
// Its sign-in page believes whatever is typed into it. The client is "chartwarden" with [Secret].
package ssotest

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed all:npm
var embedded embed.FS

// Secret is what the client shares with the provider.
const Secret = "a-secret-of-32-characters-or-more"

// Free gives an issuer at a port that is free now.
func Free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "http://localhost:" + port
}

// Run starts the provider until the test ends. Without node, npm or a registry the test is skipped and says so.
func Run(t testing.TB, issuer, redirect, logout string) {
	t.Helper()
	dir := installed(t)
	house, err := json.Marshal(map[string]string{"issuer": issuer, "secret": Secret, "redirect": redirect, "logout": logout, "after": strings.TrimSuffix(redirect, "/provider/back")})
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.MkdirTemp(dir, "run-") // beside node_modules, where node looks for packages
	if err != nil {
		t.Fatal(err)
	}
	script, err := embedded.ReadFile("npm/provider.mjs")
	if err == nil {
		err = os.WriteFile(filepath.Join(here, "provider.mjs"), script, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command("node", "provider.mjs")
	run.Dir, run.Env, run.Stderr = here, append(os.Environ(), "HOUSE="+string(house), "NODE_NO_WARNINGS=1"), os.Stderr
	out, err := run.StdoutPipe()
	if err == nil {
		err = run.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Process.Kill(); _ = run.Wait(); _ = os.RemoveAll(here) })
	if line, _ := bufio.NewReader(out).ReadString('\n'); !strings.Contains(line, "ready") {
		t.Fatalf("the provider says %q", line)
	}
}

// installed is the folder of the provider, installed once for each state of the lock file below the person's cache folder.
func installed(t testing.TB) string {
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
	files, err := fs.Sub(embedded, "npm")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(b)
	}
	dir := filepath.Join(cache, "chartwarden-sso-tests", hex.EncodeToString(sum.Sum(nil)[:8]))
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err == nil {
		return dir
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	making, err := os.MkdirTemp(filepath.Dir(dir), "installing-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(making)
	if err := os.CopyFS(making, files); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--silent")
	install.Dir = making
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("the provider cannot be installed (npm ci: %v): %.300s", err, out)
	}
	if err := os.Rename(making, dir); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	return dir
}
