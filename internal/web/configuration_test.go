package web_test

import (
	"strings"
	"testing"

	"chartwarden/internal/identity"
)

// Administrators and security read what the server is set to, each setting with its meaning and where it comes from; nothing on the page
// changes anything, and no secret is on it.
func TestConfigurationIsRead(t *testing.T) {
	o := newOffice(t)
	for _, role := range []string{identity.Administrator, identity.Security} {
		who := o.staff("Anna Berg", role)
		a := who.page("/admin/configuration", "--listen", "--witness", "--head-file", o.dir, "Not set", "Default", "At the next start", "UTC")
		if a.header.Get("X-Audit-Entry") == "" {
			t.Error("the page names no entry")
		}
		main := a.body[strings.Index(a.body, "<main"):strings.Index(a.body, "</main>")]
		if strings.Contains(main, "<form") || strings.Contains(main, "<input") {
			t.Error("the page has a form")
		}
		if !strings.Contains(a.body, `href="/admin/configuration"`) {
			t.Error("it does not stand in the navigation")
		}
	}
}
