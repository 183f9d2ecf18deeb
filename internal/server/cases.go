package server

import (
	"cmp"
	"context"
	"time"

	"chartwarden/internal/casework"
	"chartwarden/internal/identity"
	"chartwarden/internal/staffing"
)

// openCases opens what the privacy office works on.
func (s *Server) openCases(ctx context.Context) (err error) {
	s.Cases, err = casework.Open(ctx, casework.Options{DB: s.records, Box: s.ring.Box("casework"), Now: s.options.Now, Logger: s.options.Logger, Person: s.behind})
	if err != nil {
		return err
	}
	if err := s.openWatched(ctx); err != nil {
		return err
	}
	s.Watch = s.newWatch()
	var elsewhere casework.Elsewhere
	if s.other != nil {
		elsewhere = s.other.source
	}
	s.Office = casework.NewOffice(casework.OfficeOptions{Store: s.Cases, Gate: s.Gate, Persons: s.Persons, Elsewhere: elsewhere, Ties: s.Watch.Near, Units: s.Watch.Units})
	s.openStaffing()
	return nil
}

// behind is the person who acts as a Practitioner, or who owns the program that acts as itself; empty for nobody here.
func (s *Server) behind(ctx context.Context, agent string) string {
	people, err := s.Persons.People(ctx)
	if err != nil || agent == "" {
		return ""
	}
	for _, one := range people {
		if one.Practitioner == agent {
			return one.ID
		}
	}
	if client, err := s.Persons.Client(ctx, agent); err == nil {
		return client.Owner
	}
	return ""
}

// openStaffing opens the desk at which people come, change and leave.
func (s *Server) openStaffing() {
	overlap, _ := s.Config.moveOverlap() // it was checked
	s.Staffing = staffing.New(staffing.Options{Persons: s.Persons, Gate: s.Gate, Log: s.Log, Cases: s.casesAbout, House: cmp.Or(s.options.Hospital, s.Config.PublicURL), Now: s.options.Now,
		Overlap: overlap, Zone: s.zone, Logger: s.options.Logger})
}

// moveOverlap is how long people who move keep their old roles, where nobody says otherwise.
func (c Config) moveOverlap() (time.Duration, error) {
	if c.MoveOverlap == "" {
		return 0, nil
	}
	return staffing.ParseOverlap(c.MoveOverlap)
}

// casesAbout is how many open cases there are about a person, however the log names her.
func (s *Server) casesAbout(ctx context.Context, p identity.Person) (n int, err error) {
	for _, agent := range []string{p.Practitioner, "Person/" + p.ID, p.ID} {
		if agent == "" {
			continue
		}
		found, err := s.Cases.ByPerson(ctx, agent)
		if err != nil {
			return 0, err
		}
		for i := range found {
			if found[i].Open() {
				n++
			}
		}
	}
	return n, nil
}
