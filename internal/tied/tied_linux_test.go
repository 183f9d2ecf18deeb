package tied

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"
)

// What tests start ends with them, also where no Cleanup runs any more.
func TestNothingOutlivesTheTests(t *testing.T) {
	if os.Getenv("CHARTWARDEN_TEST_DIES") != "" {
		c := Command("sleep", "600")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("started %d\n", c.Process.Pid)
		panic("a test panics")
	}
	c := Command(os.Args[0], "-test.run=^TestNothingOutlivesTheTests$")
	c.Env = append(os.Environ(), "CHARTWARDEN_TEST_DIES=1", "TMPDIR="+t.TempDir())
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	for said := bufio.NewScanner(out); said.Scan(); {
		if text, ok := strings.CutPrefix(said.Text(), "started "); ok {
			if _, err := fmt.Sscan(text, &pid); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := c.Wait(); err == nil || pid == 0 {
		t.Fatalf("it did not panic, or started nothing: %v", err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		words, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(err, fs.ErrNotExist) || strings.Contains(string(words), ") Z ") || !strings.Contains(string(words), "(sleep)") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %d is still there", pid)
		}
	}
}
