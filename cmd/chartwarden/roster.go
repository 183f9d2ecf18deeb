package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
	"chartwarden/internal/staffing"
)

// hrFile is the request of `person import`.
type hrFile struct {
	Text    []byte
	Dry     bool
	Leavers int
	JSON    bool
}

func personImport(ctx context.Context, l *line) error {
	var c server.Config
	var r hrFile
	l.installation(&c)
	name := l.String("hr", "", "`FILE` of people as CSV (docs/formats/hr-file.md)")
	l.BoolVar(&r.Dry, "dry-run", false, "only list what the run would do")
	l.IntVar(&r.Leavers, "most-leavers", -1, "`N` people may leave because they are not in the file; without, a tenth")
	l.BoolVar(&r.JSON, "json", false, "as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	if *name == "" {
		return outcome.New(outcome.Required, "give --hr FILE: "+l.Name()+" "+l.command.form)
	}
	var err error
	if r.Text, err = os.ReadFile(*name); err != nil {
		return outcome.New(outcome.NotFound, "the HR file cannot be read: give its path")
	}
	var out bytes.Buffer
	if err := carryOut(ctx, c, "person-import", r, &out); err != nil {
		return err
	}
	failed := bytes.HasPrefix(out.Bytes(), []byte("!"))
	if _, err := l.out.Write(bytes.TrimPrefix(out.Bytes(), []byte("!"))); err != nil {
		return err
	}
	if failed {
		return errDoesNotHold
	}
	return nil
}

// importPeople does what the file says, or only says it. An answer that begins with ! is one with faults: nothing was changed.
func importPeople(ctx context.Context, s *server.Server, r hrFile, out *bytes.Buffer) error {
	zone, err := time.LoadLocation(s.Config.TimeZone)
	if err != nil {
		return err
	}
	rows, faults, err := staffing.ReadHR(r.Text, zone)
	if err != nil {
		return err
	}
	plan, err := s.Staffing.Plan(ctx, rows, faults, r.Leavers)
	if err != nil {
		return err
	}
	if len(plan.Faults) > 0 {
		out.WriteByte('!')
	} else if !r.Dry {
		if err := s.Staffing.CarryOut(ctx, commandLine, plan); err != nil {
			return err
		}
	}
	if r.JSON {
		return writeJSON(out, plan)
	}
	count := map[string]int{}
	for _, x := range plan.Steps {
		count[x.Does]++
		if x.Does == staffing.Unchanged && x.Says == "" {
			continue
		}
		at := ""
		if !x.At.IsZero() {
			at = " " + x.At.In(zone).Format("2 Jan 2006 15:04")
		}
		fmt.Fprintf(out, "%-9s %-12s %-18s %s%s", x.Does, x.Employee, x.Person, x.Name, at)
		if x.Says != "" {
			fmt.Fprintf(out, ": %s", x.Says)
		}
		out.WriteByte('\n')
	}
	for _, f := range plan.Faults {
		if f.Line == 0 {
			fmt.Fprintf(out, "error: %s\n", f.What)
		} else {
			fmt.Fprintf(out, "line %d: %s\n", f.Line, f.What)
		}
	}
	fmt.Fprintf(out, "join %d, move %d, leave %d, later %d, unchanged %d, orphans %d, errors %d. ", count[staffing.Join], count[staffing.Move], count[staffing.Leave],
		count[staffing.LeaveOn]+count[staffing.StayOn]+count[staffing.Later], count[staffing.Unchanged], count[staffing.Orphan], len(plan.Faults))
	switch {
	case len(plan.Faults) > 0:
		fmt.Fprintln(out, "Nothing was changed.")
	case r.Dry:
		fmt.Fprintln(out, "A dry run: nothing was changed.")
	default:
		fmt.Fprintln(out, "Done.")
	}
	return nil
}

// setMoment is the request of `person leave` and `person move`.
type setMoment struct {
	identity.Scheduled
	AsSite bool // the overlap is the site's
	Cancel bool
}

func personLeave(ctx context.Context, l *line) error {
	r := setMoment{Scheduled: identity.Scheduled{Kind: identity.LeaveAt}}
	return scheduleAt(ctx, l, &r, func() error { return nil })
}

func personMove(ctx context.Context, l *line) error {
	r := setMoment{Scheduled: identity.Scheduled{Kind: identity.ChangeAt, Change: &identity.Change{}}}
	var roles many
	l.Var(&roles, "role", "`ROLE` from then on, repeatable; all of them")
	unit := l.String("department", "", "`NAME` from then on")
	days := l.String("overlap", "", "`N` days for which the old roles stay beside the new ones; without, as --move-overlap of the server says")
	return scheduleAt(ctx, l, &r, func() error {
		r.AsSite = *days == ""
		if !r.AsSite {
			var err error
			if r.Overlap, err = staffing.ParseOverlap(*days); err != nil {
				return err
			}
		}
		if l.given("role") {
			held := []string(roles)
			r.Change.Roles = &held
		}
		if l.given("department") {
			r.Change.Department = unit
		}
		return nil
	})
}

func scheduleAt(ctx context.Context, l *line, r *setMoment, fill func() error) error {
	var c server.Config
	l.installation(&c)
	at := l.String("at", "", "`T`: a day, which begins at its midnight, or a moment: 2026-12-01T18:00:00+01:00")
	l.StringVar(&r.Reason, "reason", "", "`TEXT`: why, in a few words")
	l.BoolVar(&r.Cancel, "cancel", false, "take back what was set")
	var err error
	if r.Person, err = l.parseOne("person"); err != nil {
		return err
	}
	if err := fill(); err != nil {
		return err
	}
	if r.At, err = moment("--at", *at, c); err != nil {
		return err
	}
	switch {
	case r.Cancel:
	case r.At.IsZero() || strings.TrimSpace(r.Reason) == "":
		return outcome.New(outcome.Required, "give --at T and --reason TEXT, or --cancel")
	case r.Kind == identity.ChangeAt && r.Change.Roles == nil && r.Change.Department == nil:
		return outcome.New(outcome.Required, "give --role or --department: what changes")
	}
	return carryOut(ctx, c, "person-schedule", *r, l.out)
}

func setSchedule(ctx context.Context, s *server.Server, r setMoment, out *bytes.Buffer) error {
	if r.Cancel {
		if err := s.Persons.Unschedule(ctx, commandLine, r.Person, r.Kind); err != nil {
			return err
		}
		fmt.Fprintln(out, "Taken back.")
		return nil
	}
	if r.AsSite {
		r.Overlap = s.Staffing.Overlap()
	}
	if err := s.Persons.Schedule(ctx, commandLine, r.Scheduled); err != nil {
		return unknownPerson(err)
	}
	p, err := s.Persons.Person(ctx, r.Person)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s of %s (%s) is set for %s.\n", r.Kind, p.Name, p.ID, r.At.Format(time.RFC1123))
	if r.Change != nil {
		if r.Change.Roles != nil {
			fmt.Fprintf(out, "roles %q -> %q\n", strings.Join(p.Roles, " "), strings.Join(*r.Change.Roles, " "))
			if r.Overlap > 0 {
				fmt.Fprintf(out, "the old ones end %s\n", r.At.Add(r.Overlap).Format(time.RFC1123))
			}
		}
		if r.Change.Department != nil {
			fmt.Fprintf(out, "department %q -> %q\n", p.Department, *r.Change.Department)
		}
	}
	return nil
}

func listSchedule(ctx context.Context, s *server.Server, asJSON bool, out *bytes.Buffer) error {
	list, err := s.Persons.ScheduledFor(ctx, "")
	if err != nil {
		return err
	}
	type entry struct {
		Person string          `json:"person"`
		Kind   string          `json:"kind"`
		At     time.Time       `json:"at"`
		Reason string          `json:"reason"`
		Change json.RawMessage `json:"change,omitempty"`
		Days   int             `json:"overlap_days,omitempty"`
		Roles  []string        `json:"roles,omitempty"` // of the end of roles: those that end then
	}
	all := []entry{}
	for _, x := range list {
		e := entry{x.Person, x.Kind, x.At, x.Reason, nil, int(x.Overlap / (24 * time.Hour)), nil}
		for _, one := range x.Ending {
			if one.At.Equal(x.At) {
				e.Roles = append(e.Roles, one.Role)
			}
		}
		if x.Change != nil {
			if e.Change, err = json.Marshal(x.Change); err != nil {
				return err
			}
		}
		all = append(all, e)
		if !asJSON {
			fmt.Fprintf(out, "%s %-9s %-18s %s %s%s\n", x.At.Format(time.RFC3339), x.Kind, x.Person, x.Reason, e.Change, strings.Join(e.Roles, " "))
		}
	}
	if asJSON {
		return writeJSON(out, all)
	}
	return nil
}
