package hospital

import (
	"cmp"
	"context"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// Clock is the clock of a demonstration's server: it stands at a moment of the past while the past is played, then goes with real time.
// While it stands it goes on by a millisecond each time it is looked at, so that what comes later is later.
// Safe for concurrent use.
type Clock struct {
	at    atomic.Pointer[time.Time]
	looks atomic.Int64
}

// Now is the moment at which the clock stands, or real time once released.
func (c *Clock) Now() time.Time {
	if t := c.at.Load(); t != nil {
		return t.Add(time.Duration(c.looks.Add(1)) * time.Millisecond)
	}
	return time.Now()
}

// Set stops the clock at t.
func (c *Clock) Set(t time.Time) {
	c.looks.Store(0)
	c.at.Store(&t)
}

// Release lets the clock go with real time.
func (c *Clock) Release() { c.at.Store(nil) }

// Seat is a hospital inside an installation: its people can sign in, its records came in through the door.
type Seat struct {
	Gate  *access.Gate
	Trail *identity.Store
	Clock *Clock
	World *World

	Credentials map[string]identity.Credentials // of World.Cast, by Person.Key
	people      map[string]identity.Person      // by Person.Key
	ids         map[string]string               // FullURL to Type/id
	sessions    map[string]*identity.Session
	seats       map[string]identity.Arrival // by address of a workstation
}

// batch is how many entries one commit takes. Entries of one chart refer to each other only backwards or among themselves.
const batch = 3000

// Take loads today's hospital: places, staff, shifts, everybody who is here, and the people who sign in. Loading twice changes nothing.
// progress may be nil.
func (s *Seat) Take(ctx context.Context, progress func(stored, of int)) error {
	s.ids, s.people, s.sessions = map[string]string{}, map[string]identity.Person{}, map[string]*identity.Session{}
	s.Credentials = map[string]identity.Credentials{}
	if err := s.load(ctx, s.World.Today, progress); err != nil {
		return err
	}
	s.furnish()
	return s.hire(ctx)
}

// LoadBehind loads everybody else, while people work.
func (s *Seat) LoadBehind(ctx context.Context, progress func(stored, of int)) error {
	var waiting []Entry
	stored := 0
	chart := ""
	for e := range s.World.Behind {
		if e.Patient != chart && len(waiting) >= batch/3 {
			if err := s.load(ctx, waiting, nil); err != nil {
				return err
			}
			stored += len(waiting)
			waiting = waiting[:0]
			if progress != nil {
				progress(stored, 0)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		chart = e.Patient
		waiting = append(waiting, e)
	}
	return s.load(ctx, waiting, nil)
}

func (s *Seat) load(ctx context.Context, entries []Entry, progress func(stored, of int)) error {
	for from := 0; from < len(entries); {
		to := min(from+batch, len(entries))
		for to < len(entries) && entries[to].Patient != "" && entries[to].Patient == entries[to-1].Patient {
			to++ // a chart stays in one commit
		}
		in := make([]access.Entry, 0, to-from)
		for i, e := range entries[from:to] {
			doc, err := document.Parse(e.JSON)
			if err != nil {
				return outcome.Wrap("hospital: load", outcome.Exception, "the invented hospital is not valid FHIR", err)
			}
			in = append(in, access.Entry{Index: from + i, FullURL: e.FullURL, Method: e.Method, URL: e.Type, Doc: doc})
		}
		results, err := s.Gate.Import(ctx, access.Job("import"), in)
		if err != nil {
			return err
		}
		for i, r := range results {
			if r.Err != nil {
				return outcome.Wrap("hospital: load", outcome.Exception, "the invented hospital could not be stored", r.Err)
			}
			s.ids[in[i].FullURL] = r.Written.Type + "/" + r.Written.ID
		}
		from = to
		if progress != nil {
			progress(to, len(entries))
		}
	}
	return nil
}

// hire creates the people who sign in. The cast gets credentials that a demonstration may print; all others are entered by one touch.
func (s *Seat) hire(ctx context.Context) error {
	known, err := s.Trail.People(ctx)
	if err != nil {
		return err
	}
	here := map[string]identity.Person{}
	for _, p := range known {
		here[p.SignInName] = p
	}
	by := audit.Agent{Job: "hospital"}
	leads := map[string]string{} // the first of each unit answers for the others
	for _, p := range append(append([]Person{}, s.World.Staff...), s.World.Portal...) {
		if old, ok := here[p.Key]; ok {
			s.people[p.Key] = old
			leads[p.Place] = cmp.Or(leads[p.Place], old.ID)
			continue
		}
		n := identity.NewPerson{Name: p.Name, SignInName: p.Key, Roles: p.Roles, Practitioner: s.ids[p.Practitioner], Patient: s.ids[p.Patient],
			Department: p.Place, Clearances: p.Clearances, TrainingDue: p.TrainingDue}
		if p.Place != "" {
			n.Manager = leads[p.Place]
		}
		if s.cast(p.Key) {
			made, err := s.Trail.CreateForTest(ctx, by, n)
			if err != nil {
				return err
			}
			s.Credentials[p.Key] = made
			if s.people[p.Key], err = s.Trail.Person(ctx, made.Person); err != nil {
				return err
			}
			leads[p.Place] = cmp.Or(leads[p.Place], made.Person)
			continue
		}
		made, _, err := s.Trail.Create(ctx, by, n)
		if err != nil {
			return err
		}
		s.people[p.Key] = made
		leads[p.Place] = cmp.Or(leads[p.Place], made.ID)
	}
	return nil
}

func (s *Seat) cast(key string) bool {
	for _, k := range s.World.Cast {
		if k == key {
			return true
		}
	}
	return false
}

// Person is the person of the installation behind a key of the world.
func (s *Seat) Person(key string) (identity.Person, bool) { p, ok := s.people[key]; return p, ok }

// Ref is the resource (Type/id) of the installation behind a FullURL of what was taken in; empty for others.
func (s *Seat) Ref(fullURL string) string { return s.ids[fullURL] }

// PlayPast lets the accesses of the past happen, in their order and at their time. A refusal is part of the story, not an error.
func (s *Seat) PlayPast(ctx context.Context) error {
	for _, a := range s.World.Accesses {
		if !a.At.Before(s.World.Now) {
			break
		}
		s.Clock.Set(a.At)
		if err := s.play(ctx, a); err != nil {
			return err
		}
	}
	s.Clock.Release()
	return nil
}

// Live lets the rest of the day happen in real time until ctx ends.
func (s *Seat) Live(ctx context.Context) error {
	for _, a := range s.World.Accesses {
		if a.At.Before(s.World.Now) {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(a.At)):
		}
		if err := s.play(ctx, a); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// play is one access as the person makes it: the page that is opened, and the glass where the story says so.
func (s *Seat) play(ctx context.Context, a Access) error {
	session, err := s.session(ctx, a.Person)
	if err != nil {
		return err
	}
	_, patient, _ := strings.Cut(s.ids[a.Patient], "/")
	p := access.Person(session)
	if a.Glass != nil {
		_, err = s.Gate.BreakGlass(ctx, p, patient, a.Glass.Code, a.Glass.Text)
		if err != nil {
			return tolerable(err)
		}
	}
	switch {
	case a.Page == "access":
		_, err = s.Gate.WhoLooked(ctx, p, patient, access.Window{Limit: 50})
	case a.Page == "demographics", a.Page == "scheduling", a.Page == "billing":
		_, err = s.Gate.Read(ctx, p, "Patient", patient)
	case session.Capacity == identity.PatientCapacity:
		_, err = s.Gate.WhoLooked(ctx, p, patient, access.Window{Limit: 50})
	default:
		_, err = s.Gate.Chart(ctx, p, patient, pageTypes[a.Page]...)
	}
	return tolerable(err)
}

// pageTypes are the resource types that a page of the chart opens; a page that is not listed opens all.
var pageTypes = map[string][]string{
	"results":     {"Observation", "DiagnosticReport"},
	"medications": {"MedicationRequest"},
	"notes":       {"DocumentReference"},
	"orders":      {"ServiceRequest", "MedicationRequest"},
}

// tolerable passes over what policy and pace refuse.
func tolerable(err error) error {
	switch outcome.CodeOf(err) {
	case outcome.Forbidden, outcome.Throttled, outcome.Login, outcome.NotFound:
		return nil
	}
	return err
}

// Arrival is where a person of the world usually works: at the workstation of her place. Patients come from anywhere.
func (s *Seat) Arrival(key string) identity.Arrival {
	w, _ := s.World.Person(key)
	return s.at(w.Station)
}

func (s *Seat) at(x Station) identity.Arrival {
	from := identity.Arrival{Device: s.ids[x.Device], Trust: "registered", Zone: "hospital"}
	from.Address, _ = netip.ParseAddr(x.Address)
	return from
}

func (s *Seat) session(ctx context.Context, key string) (*identity.Session, error) {
	if open, ok := s.sessions[key]; ok && s.Clock.Now().Before(open.Ends) {
		return open, nil
	}
	capacity := identity.StaffCapacity
	person := s.people[key]
	if len(person.RolesIn(identity.StaffCapacity)) == 0 {
		capacity = identity.PatientCapacity
	}
	opened, err := s.Trail.Enter(ctx, person.ID, capacity, s.Arrival(key))
	if err != nil {
		return nil, err
	}
	s.sessions[key] = opened.Session
	return opened.Session, nil
}
