package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
	"chartwarden/internal/staffing"
)

// orphanEntry is one line of `person orphans`.
type orphanEntry struct {
	Person  string    `json:"person"`
	Name    string    `json:"name"`
	Roles   []string  `json:"roles"`
	Manager string    `json:"manager,omitempty"` // id of who answers for her
	AddedBy string    `json:"added_by,omitempty"`
	Used    time.Time `json:"last_use,omitzero"`
	Ends    time.Time `json:"ends,omitzero"`
	Known   string    `json:"known_because,omitempty"`
	Until   time.Time `json:"known_until,omitzero"`
}

func listOrphans(ctx context.Context, s *server.Server, asJSON bool, out *bytes.Buffer) error {
	r, err := s.Staffing.Orphans(ctx)
	if err != nil {
		return err
	}
	all := []orphanEntry{}
	for _, o := range append(append([]staffing.Unrostered{}, r.Orphans...), r.Known...) {
		all = append(all, orphanEntry{o.ID, o.Name, append([]string{}, o.Roles...), o.Manager, o.CreatedBy, o.LastUse, o.Ends, o.Known.Because, o.Known.Until})
	}
	if asJSON {
		return writeJSON(out, map[string]any{"compared_with": append([]string{}, r.Sources...), "people": r.People, "orphans": all})
	}
	if len(r.Sources) == 0 {
		fmt.Fprintln(out, "There is nothing to compare with: read an HR file (chartwarden person import) or connect a directory (docs/guides/provisioning.md).")
		return nil
	}
	for _, e := range all {
		used := "no use in the last 90 days"
		if !e.Used.IsZero() {
			used = "last used " + e.Used.Format(time.DateOnly)
		}
		fmt.Fprintf(out, "%s %s: %s; %s", e.Person, e.Name, strings.Join(e.Roles, " "), used)
		if e.Manager != "" {
			fmt.Fprintf(out, "; answers to %s", e.Manager)
		}
		if !e.Ends.IsZero() {
			fmt.Fprintf(out, "; ends %s", e.Ends.Format(time.RFC3339))
		}
		if e.Known != "" {
			fmt.Fprintf(out, "; known until %s: %s", e.Until.Format(time.DateOnly), e.Known)
		}
		out.WriteByte('\n')
	}
	fmt.Fprintf(out, "%d of %d people stand on no roster, %d of them are known; compared with %s.\n", len(all), r.People, len(r.Known), strings.Join(r.Sources, ", "))
	return nil
}

// knownFor is the request of `person known`.
type knownFor struct {
	identity.Known
	Days int
}

func personKnown(ctx context.Context, l *line) error {
	var c server.Config
	var r knownFor
	l.installation(&c)
	l.StringVar(&r.Because, "because", "", "`TEXT`: why she works here, in a few words")
	l.IntVar(&r.Days, "days", 90, "for `N` days, 366 at most; then it is asked again")
	var err error
	if r.Person, err = l.parseOne("person"); err != nil {
		return err
	}
	if r.Because = strings.TrimSpace(r.Because); r.Because == "" {
		return outcome.New(outcome.Required, "give --because TEXT")
	}
	return carryOut(ctx, c, "person-known", r, l.out)
}

func keepKnown(ctx context.Context, s *server.Server, r knownFor, out *bytes.Buffer) error {
	r.Until = s.Now().AddDate(0, 0, r.Days)
	if err := s.Persons.KeepKnown(ctx, commandLine, r.Known); err != nil {
		return unknownPerson(err)
	}
	fmt.Fprintf(out, "Known until %s.\n", r.Until.Format(time.DateOnly))
	return nil
}
