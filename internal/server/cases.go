package server

import (
	"context"

	"chartwarden/internal/casework"
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
	return nil
}

// behind is the person who acts as a Practitioner; empty for nobody here.
func (s *Server) behind(ctx context.Context, practitioner string) string {
	people, err := s.Persons.People(ctx)
	if err != nil || practitioner == "" {
		return ""
	}
	for _, one := range people {
		if one.Practitioner == practitioner {
			return one.ID
		}
	}
	return ""
}
