package web_test

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/identity"
)

// A record that nobody outside witnesses is called so and never proven; a check finds what was changed and names it.
func TestIntegrityTellsWhatItKnows(t *testing.T) {
	o := newOffice(t)
	ruth := o.staff("Ruth Adeyemi", identity.Privacy)
	a := ruth.page("/integrity", "self-witnessed", "No head of this record is kept outside", "Not checked yet", "Head file", "chartwarden.example/sandbox/")
	o.hides(a, "Proven", "proven")
	if a.header.Get("X-Audit-Entry") == "" {
		t.Error("the page names no entry")
	}
	if a := ruth.post("/integrity"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	a = ruth.page("/integrity", "Whole", "Ruth Adeyemi", "record versions")
	o.hides(a, "What the newest check found")

	o.write("audit.db", `update entry set bytes = zeroblob(length(bytes)) where at = 7`)
	if a := ruth.post("/integrity"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	ruth.page("/integrity", "What the newest check found", "/7: ", "fault")
}

// write changes a database behind the server's back, as somebody with the disk in hand could.
func (o *office) write(name, statement string) {
	o.t.Helper()
	d, err := db.Open(o.t.Context(), filepath.Join(o.dir, name), db.Options{})
	o.must(err)
	o.must(d.Write(o.t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(statement); return err }))
	o.must(d.Close())
}

// A rolled-back record is cut: everybody reads a banner, and an administrator takes note with a fresh factor.
func TestCutIsAcknowledgedByAPerson(t *testing.T) {
	o := newOffice(t)
	anna := o.staff("Anna Berg", identity.Administrator)
	ruth := o.staff("Ruth Adeyemi", identity.Privacy)
	o.stop()
	before, err := os.ReadFile(filepath.Join(o.dir, "audit.db"))
	o.must(err)
	o.open()
	o.staff("Sam Rivera", identity.Physician)
	o.stop()
	o.must(os.WriteFile(filepath.Join(o.dir, "audit.db"), before, 0o600))
	o.open()
	anna.signInAgain()
	ruth.signInAgain()
	a := ruth.page("/integrity", "The audit record was cut", "Cut: two copies of the record disagree", "entries are missing", "Disagrees")
	o.hides(a, "I have seen this") // privacy watches, it does not run the installation
	o.shows(ruth.post("/integrity", "act", "acknowledge"), http.StatusForbidden)

	for range 2 { // the sign-in grows old; looking keeps the session open
		o.clock.pass(9 * time.Minute)
		anna.page("/integrity", "I have seen this")
	}
	a = anna.post("/integrity", "act", "acknowledge")
	o.shows(a, http.StatusForbidden, "Confirm that it is you")
	if a = anna.post("/integrity", "act", "acknowledge", "confirm-code", anna.code()); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	a = anna.page("/integrity", "self-witnessed")
	o.hides(a, "I have seen this", "record was cut")
}

// signInAgain signs in with the next code, after a restart.
func (p *person) signInAgain() {
	p.o.t.Helper()
	p.o.clock.pass(31 * time.Second)
	p.signIn()
}
