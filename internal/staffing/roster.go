package staffing

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// The steps of a plan.
const (
	Join      = "join"      // a person is made, or one who is here is taken on
	Move      = "move"      // what changed in the file changes here
	Leave     = "leave"     // access ends now
	LeaveOn   = "leave-on"  // access ends at a set moment
	StayOn    = "stay-on"   // an end that was set is taken back
	Unchanged = "unchanged" // nothing to do
	Later     = "later"     // starts in the future
	Orphan    = "orphan"    // works here, and neither the file nor a directory knows her: nothing is done
)

// Step is what a run of the HR file does about one person.
type Step struct {
	Does     string    `json:"does"`
	Line     int       `json:"line,omitempty"` // 0: of nobody in the file
	Employee string    `json:"employee,omitempty"`
	Person   string    `json:"person,omitempty"`
	Name     string    `json:"name"`
	Says     string    `json:"says,omitempty"` // what changes, old and new
	At       time.Time `json:"at,omitzero"`

	row     Row
	account identity.Account
	was     said
}

// Plan is what a run would do: a dry run shows it, a run does exactly it.
type Plan struct {
	Steps  []Step  `json:"steps"`
	Faults []Fault `json:"errors"`
}

// said is what a file said of a person the last time: what changed since is what a run changes.
type said struct {
	Name, Unit, Practitioner, Manager, Mail string
	End                                     time.Time `json:",omitzero"`
}

func (r Row) said() said { return said{r.Name, r.Unit, r.Practitioner, r.Manager, r.Mail, r.End} }

// UsualLeavers is how many of a hundred may leave by one file before it is refused: a file cut short would end everybody else.
const UsualLeavers = 10

// Plan works out what a file comes to, and changes nothing. leavers bounds how many of those whom the file brought may leave in one run;
// below 0 the usual share. With any fault there is nothing to carry out. Errors: outcome.NoStore.
func (d *Desk) Plan(ctx context.Context, rows []Row, faults []Fault, leavers int) (Plan, error) {
	plan := Plan{Steps: []Step{}, Faults: append([]Fault{}, faults...)}
	people, err := d.o.Persons.People(ctx)
	if err != nil {
		return plan, err
	}
	accounts, err := d.o.Persons.Accounts(ctx, identity.HRSource)
	if err != nil {
		return plan, err
	}
	byID, byKey, linked := map[string]identity.Person{}, map[string]identity.Account{}, map[string]bool{}
	for _, p := range people {
		byID[p.ID] = p
	}
	for _, a := range accounts {
		byKey[a.Key], linked[a.Person] = a, true
	}
	_, rostered, err := d.rosters(ctx) // by a directory too
	if err != nil {
		return plan, err
	}
	saidKnown, err := d.o.Persons.StillKnown(ctx)
	if err != nil {
		return plan, err
	}
	now := d.o.Now()
	inFile, working, leaving := map[string]bool{}, 0, 0
	adopted := map[string]bool{}
	here := map[string]bool{} // by employee: who works here after this run, and may be somebody's manager
	for _, row := range rows {
		a, known := byKey[row.Employee]
		here[row.Employee] = (row.End.IsZero() || row.End.After(now)) && (known && byID[a.Person].Active || !known && (row.Person != "" || !row.Start.After(now)))
	}
	for _, row := range rows {
		bad := func(what string) { plan.Faults = append(plan.Faults, Fault{row.Line, what}) }
		s := Step{Line: row.Line, Employee: row.Employee, Name: row.Name, row: row}
		inFile[row.Employee] = true
		a, known := byKey[row.Employee]
		gone := !row.End.IsZero() && !row.End.After(now)
		if known {
			p := byID[a.Person]
			if a, err = d.o.Persons.Standing(ctx, a); err != nil {
				return plan, err
			}
			s.Person, s.account = p.ID, a
			_ = json.Unmarshal(a.Body, &s.was)
			switch {
			case p.State == identity.Ended && gone:
				s.Does = Unchanged
			case p.State == identity.Ended:
				bad("this person has left here, and works by the file: who comes back gets a new employee number, or set the end")
				continue
			case gone:
				s.Does, s.At = Leave, row.End
				leaving++
			default:
				d.compare(&s, p, here)
			}
		} else {
			switch p, here := byID[row.Person]; {
			case gone:
				s.Does = Unchanged
			case row.Person != "" && (!here || p.State == identity.Ended || p.PortalOnly() || linked[p.ID] || adopted[p.ID]):
				bad("the person of the column person is nobody here who could be taken on: `chartwarden person list` shows the ids")
				continue
			case row.Person != "":
				adopted[p.ID] = true
				s.Does, s.Person, s.Says = Join, p.ID, "is here already, and is taken on"
			case row.Start.After(now):
				s.Does, s.At = Later, row.Start
			default:
				if i := slices.IndexFunc(people, func(p identity.Person) bool {
					return p.State != identity.Ended && !p.PortalOnly() && (row.SignIn != "" && p.SignInName == row.SignIn || row.Mail != "" && strings.EqualFold(p.Mail, row.Mail))
				}); i >= 0 {
					bad("somebody here has this sign-in name or mail address already, and is not adopted: name her id in the column person, or choose another")
					continue
				}
				if row.SignIn != "" && slices.ContainsFunc(people, func(p identity.Person) bool { return p.SignInName == row.SignIn }) {
					bad("this sign-in name is not free: choose another, or leave it empty")
					continue
				}
				s.Does, s.Says = Join, "roles "+quoted(strings.Join(row.Roles, " "))+", unit "+quoted(row.Unit)
			}
		}
		plan.Steps = append(plan.Steps, s)
	}
	for _, a := range accounts {
		p := byID[a.Person]
		if p.State == identity.Ended {
			continue
		}
		if working++; !inFile[a.Key] {
			leaving++
			plan.Steps = append(plan.Steps, Step{Does: Leave, Employee: a.Key, Person: p.ID, Name: p.Name, Says: "is not in the file any more", At: now.UTC(), account: a})
		}
	}
	for _, p := range people {
		if _, said := saidKnown[p.ID]; p.State != identity.Ended && !rostered[p.ID] && !adopted[p.ID] && !said && !p.PortalOnly() {
			plan.Steps = append(plan.Steps, Step{Does: Orphan, Person: p.ID, Name: p.Name, Says: "works here, and is on no roster: nothing is done"})
		}
	}
	if leavers < 0 {
		leavers = max(3, working*UsualLeavers/100)
	}
	if leaving > leavers {
		plan.Faults = append(plan.Faults, Fault{0, "more people are missing from the file, or have left by it, than leave at once as a rule: is it whole and right? Else say how many with --most-leavers"})
	}
	if !d.keepsOne(people, plan.Steps) {
		plan.Faults = append(plan.Faults, Fault{0, "this takes the last administrator away: make another one first"})
	}
	return plan, nil
}

// compare says what a row changes about somebody whom a file brought.
func (d *Desk) compare(s *Step, p identity.Person, here map[string]bool) {
	is, was := s.row.said(), s.was
	var what []string
	say := func(name, before, after string) {
		if before != after {
			what = append(what, name+" "+quoted(before)+" -> "+quoted(after))
		}
	}
	say("name", was.Name, is.Name)
	say("unit", was.Unit, is.Unit)
	say("practitioner", was.Practitioner, is.Practitioner)
	if is.Manager == "" || here[is.Manager] { // who is not here yet is nobody's manager until she is
		say("manager", was.Manager, is.Manager)
	}
	say("mail", was.Mail, is.Mail)
	if s.row.Roles != nil {
		say("roles", strings.Join(s.account.Given, " "), strings.Join(s.row.Roles, " "))
	}
	switch {
	case len(what) > 0:
		if lost := without(without(s.account.Given, s.row.Roles), s.account.Kept); s.row.Roles != nil && len(lost) > 0 && d.overlap(s.row) > 0 {
			what = append(what, strings.Join(lost, " ")+" until "+d.o.Now().Add(d.overlap(s.row)).In(d.o.Zone).Format("2 Jan 2006 15:04"))
		}
		s.Does, s.Says = Move, strings.Join(what, "; ")
	case !is.End.Equal(was.End) && is.End.IsZero():
		s.Does = StayOn
	case !is.End.Equal(was.End):
		s.Does, s.At = LeaveOn, is.End
	default:
		s.Does = Unchanged
		for _, q := range s.account.Asked {
			if q.Refused {
				what = append(what, strings.Join(q.Roles, " ")+" was refused, and is not asked for again")
			}
		}
		s.Says = strings.Join(what, "; ")
	}
}

// Overlap is how long the old roles of a mover stay at this site, where nobody says otherwise.
func (d *Desk) Overlap() time.Duration { return d.o.Overlap }

// overlap is how long what a row takes stays.
func (d *Desk) overlap(r Row) time.Duration {
	if r.Overlap != nil {
		return *r.Overlap
	}
	return d.o.Overlap
}

// keepsOne reports whether an administrator is left.
func (d *Desk) keepsOne(people []identity.Person, steps []Step) bool {
	lost := map[string]bool{}
	for _, s := range steps {
		switch {
		case s.Does == Leave:
			lost[s.Person] = true
		case s.Does == Move && s.row.Roles != nil:
			lost[s.Person] = slices.Contains(s.account.Given, identity.Administrator) && !slices.Contains(s.account.Kept, identity.Administrator) && !slices.Contains(s.row.Roles, identity.Administrator)
		}
	}
	any := false
	for _, p := range people {
		if p.Active && slices.Contains(p.Roles, identity.Administrator) {
			if !lost[p.ID] {
				return true
			}
			any = true
		}
	}
	return !any
}

// CarryOut does what a plan says, once: a second plan of the same file has nothing to do. With faults nothing is done. One that fails in
// the middle is finished by the next run. Errors: outcome.Invalid (faults); else as the acts of identity.
func (d *Desk) CarryOut(ctx context.Context, by audit.Agent, plan Plan) error {
	if len(plan.Faults) > 0 {
		return outcome.New(outcome.Invalid, "nothing was changed: mend the lines that are named")
	}
	for i := range plan.Steps {
		s := &plan.Steps[i]
		var err error
		switch s.Does {
		case Join:
			err = d.join(ctx, by, s)
		case Move, StayOn, LeaveOn:
			err = d.follow(ctx, by, s)
		case Leave:
			if s.Person != "" {
				_, err = d.End(ctx, by, s.Person, "left, as the HR file says")
			}
		}
		if err != nil {
			return err
		}
	}
	for i := range plan.Steps { // when everybody is there
		if s := &plan.Steps[i]; s.row.Manager != "" && (s.Does == Join || s.Does == Move) && s.row.Manager != s.was.Manager {
			if err := d.answersTo(ctx, by, s); err != nil {
				return err
			}
		}
	}
	for i := range plan.Steps { // last: what two people have to want is void once the person is changed after it was asked
		if s := &plan.Steps[i]; s.row.Roles != nil && (s.Does == Join || s.Does == Move) {
			a, err := d.o.Persons.Account(ctx, identity.HRSource, s.Person)
			if err == nil {
				err = d.give(ctx, by, a, s.row.Roles, d.overlap(s.row))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Desk) join(ctx context.Context, by audit.Agent, s *Step) error {
	is := s.row.said()
	is.End, is.Manager = time.Time{}, "" // not done yet: where this ends in the middle, the next run does them
	body, err := json.Marshal(is)
	if err != nil {
		return err
	}
	a := identity.Account{Source: identity.HRSource, Key: s.row.Employee, Person: s.Person, Body: body}
	if s.Person == "" {
		made, _, err := d.o.Persons.CreateAccount(ctx, by, identity.NewPerson{Name: s.row.Name, SignInName: s.row.SignIn, Department: s.row.Unit, Practitioner: s.row.Practitioner, Mail: s.row.Mail}, a)
		if err != nil {
			return err
		}
		s.Person = made.ID
	} else if err := d.o.Persons.TakeOn(ctx, by, a); err != nil {
		return err
	}
	if s.row.End.IsZero() {
		return nil
	}
	if err := d.until(ctx, by, s); err != nil {
		return err
	}
	return d.remember(ctx, s.Person, func(is *said) { is.End = s.row.End })
}

// remember writes down that something of what the file says is done.
func (d *Desk) remember(ctx context.Context, person string, done func(*said)) error {
	a, err := d.o.Persons.Account(ctx, identity.HRSource, person)
	if err != nil {
		return err
	}
	var is said
	if err := json.Unmarshal(a.Body, &is); err != nil {
		return err
	}
	done(&is)
	if a.Body, err = json.Marshal(is); err != nil {
		return err
	}
	return d.o.Persons.KeepAccount(ctx, a)
}

// follow changes what changed in the file since it was read last.
func (d *Desk) follow(ctx context.Context, by audit.Agent, s *Step) error {
	p, err := d.o.Persons.Person(ctx, s.Person)
	if err != nil {
		return err
	}
	is, was := s.row.said(), s.was
	var c identity.Change
	set := func(to **string, before, after string) {
		if before != after {
			*to = &after
		}
	}
	set(&c.Name, was.Name, is.Name)
	set(&c.Department, was.Unit, is.Unit)
	set(&c.Mail, was.Mail, is.Mail)
	if is.Manager == "" {
		set(&c.Manager, was.Manager, "")
	}
	if p.Active {
		if _, _, err := d.o.Persons.Change(ctx, by, p.ID, c); err != nil {
			return err
		}
		if is.Practitioner != was.Practitioner { // by itself: it may wait for a second person
			if _, _, err := d.o.Persons.Change(ctx, by, p.ID, identity.Change{Practitioner: &is.Practitioner}); err != nil {
				return err
			}
		}
	} else {
		is.Name, is.Unit, is.Mail, is.Practitioner, is.Manager = was.Name, was.Unit, was.Mail, was.Practitioner, was.Manager // when she is back
	}
	if err := d.until(ctx, by, s); err != nil {
		return err
	}
	if is.Manager != "" {
		is.Manager = was.Manager // until she answers to the new one
	}
	return d.remember(ctx, s.Person, func(to *said) { *to = is })
}

// until sets, moves or takes back the end that a row names.
func (d *Desk) until(ctx context.Context, by audit.Agent, s *Step) error {
	switch {
	case s.row.End.Equal(s.was.End):
		return nil
	case s.row.End.IsZero():
		err := d.o.Persons.Unschedule(ctx, by, s.Person, identity.LeaveAt)
		if outcome.Is(err, outcome.NotFound) {
			return nil
		}
		return err
	}
	return d.o.Persons.Schedule(ctx, by, identity.Scheduled{Person: s.Person, Kind: identity.LeaveAt, At: s.row.End, Reason: "left, as the HR file says"})
}

// answersTo writes down a manager, where both work here now.
func (d *Desk) answersTo(ctx context.Context, by audit.Agent, s *Step) error {
	a, err := d.o.Persons.AccountByKey(ctx, identity.HRSource, s.row.Manager)
	if outcome.Is(err, outcome.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	m, err := d.o.Persons.Person(ctx, a.Person)
	if err != nil || !m.Active {
		return err
	}
	p, err := d.o.Persons.Person(ctx, s.Person)
	if err != nil || !p.Active {
		return err
	}
	if _, _, err = d.o.Persons.Change(ctx, by, s.Person, identity.Change{Manager: &a.Person}); err != nil {
		return err
	}
	return d.remember(ctx, s.Person, func(is *said) { is.Manager = s.row.Manager })
}
