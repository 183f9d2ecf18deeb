package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
	"chartwarden/internal/staffing"
)

// wantedCertificate is the request of `person certificate print`.
type wantedCertificate struct {
	Person       string
	JSON, Notice bool
}

func certificatePrint(ctx context.Context, l *line) error {
	var c server.Config
	var r wantedCertificate
	l.installation(&c)
	l.BoolVar(&r.JSON, "json", false, "as JSON, signed by the installation")
	l.BoolVar(&r.Notice, "notice", false, "only the signed notice to partners")
	var err error
	if r.Person, err = l.parseOne("person"); err != nil {
		return err
	}
	return carryOut(ctx, c, "certificate-print", r, l.out)
}

func printCertificate(ctx context.Context, s *server.Server, r wantedCertificate, out *bytes.Buffer) error {
	c, err := s.Staffing.Certificate(ctx, r.Person)
	switch {
	case c.Signed == nil && outcome.Is(err, outcome.NotFound):
		return outcome.New(outcome.NotFound, "there is no certificate of this person: nobody here, or nobody who left; `chartwarden person list` shows the ids")
	case c.Signed == nil:
		return err
	case r.Notice && c.Notice == "":
		return outcome.New(outcome.NotFound, "there is no notice: a portal account has no partners, or the counts are not complete yet")
	case r.Notice:
		out.WriteString(c.Notice)
		return nil
	}
	return writeCertificate(out, c, r.JSON)
}

func certificateKey(ctx context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	if err := l.parse(); err != nil {
		return err
	}
	return carryOut(ctx, c, "certificate-key", struct{}{}, l.out)
}

func printCertificateKey(_ context.Context, s *server.Server, _ struct{}, out *bytes.Buffer) error {
	fmt.Fprintln(out, s.Persons.CertificateKey())
	return nil
}

func certificateVerify(_ context.Context, l *line) error {
	key := l.String("key", "", "`KEY` of the installation, as `person certificate key` printed it")
	asJSON := l.Bool("json", false, "as JSON")
	name, err := l.parseOne("file")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return outcome.New(outcome.NotFound, "the certificate cannot be read: give its path")
	}
	c, err := identity.ReadCertificate(text, *key)
	if outcome.Is(err, outcome.Conflict) {
		fmt.Fprintln(l.out, sentence(err))
		return errDoesNotHold
	}
	if err != nil {
		return err
	}
	if *asJSON {
		return writeJSON(l.out, struct {
			Holds  bool   `json:"holds"`
			Known  bool   `json:"key_given"`
			Person string `json:"person"`
			Ended  string `json:"terminated"`
		}{true, *key != "", c.Person, c.Terminated.Format(time.RFC3339Nano)})
	}
	fmt.Fprintf(l.out, "The certificate holds: %s (%s), ended %s.\n", c.Name, c.Person, c.Terminated.Format(time.RFC1123))
	if *key == "" {
		fmt.Fprintln(l.out, "It agrees with itself. Who signed it is shown only with --key, which the installation prints by `chartwarden person certificate key`.")
	}
	return nil
}

// writeCertificate prints a certificate for people, or as it is signed.
func writeCertificate(out io.Writer, c staffing.Left, asJSON bool) error {
	if asJSON {
		_, err := out.Write(append(slices.Clone(c.Signed), '\n'))
		return err
	}
	entry := c.Entry
	if c.Owed {
		entry = "owed: the log could not be written, and gets it when it can"
	}
	fmt.Fprintf(out, "Ended: %s (%s), %s\nReason: %s\nSessions cut: %d. Credentials removed: %d. Links revoked: %d. Drafts dropped: %d.\n",
		c.Name, c.Person, c.Terminated.Format(time.RFC1123), c.Reason, len(c.Sessions), c.CredentialsRemoved, c.LinksRevoked, c.DraftsDropped)
	fmt.Fprintf(out, "Apps cut, with all tokens: %d. Open glass ended: %s. Exports stopped: %d. Waiting requests withdrawn: %d. Programs that stop in 7 days: %d.\n",
		c.AuthorizationsCut, known(c.GrantsEnded), c.ExportsStopped, c.ItemsWithdrawn, c.ClientsEnding)
	fmt.Fprintf(out, "In the 30 days before: %s accesses%s, of which taken along %s%s. Open cases: %s.\n", known(c.Accesses30d), list30(c.AccessesByKind), known(c.Exports30d), list30(c.ExportsByKind), known(c.OpenCases))
	fmt.Fprintf(out, "Audit entry: %s\nAccess must be gone everywhere by %s; partners must know by %s.\n", entry, c.CutBy.Format(time.RFC1123), c.NotifyBy.Format(time.RFC1123))
	if c.Notice != "" {
		fmt.Fprintf(out, "Notice to partners: chartwarden person certificate print %s --notice\n", c.Person)
	}
	return nil
}

func known(n *int) string {
	if n == nil {
		return "not counted yet"
	}
	return strconv.Itoa(*n)
}

func list30(of map[string]int) string {
	if len(of) == 0 {
		return ""
	}
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(of)) {
		out = append(out, kind+" "+strconv.Itoa(of[kind]))
	}
	return " (" + strings.Join(out, ", ") + ")"
}
