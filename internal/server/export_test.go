package server

import (
	"context"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/detect"
	"chartwarden/internal/ingest"
	"chartwarden/internal/outlet"
	"chartwarden/internal/web"
)

// TellVersions is what detection is told of, for tests that compare.
func (s *Server) TellVersions(ctx context.Context, types []string, each func(typ, id string, known time.Time, json []byte) error) error {
	_, err := s.store.TellVersions(ctx, types, 0, time.Time{}, each)
	return err
}

// RunOutlet tells those who are away until ctx ends, as Serve does.
func (s *Server) RunOutlet(ctx context.Context) { s.outlet.Run(ctx) }

// Trouble is what the page Configuration says of a setting.
func (s *Server) Trouble(setting string) string { return s.trouble(setting) }

// Feed is how the other system's log comes.
func (s *Server) Feed(ctx context.Context) (*web.Feed, error) { return s.feedOf(ctx) }

// Member says who somebody of the watched system is.
func (s *Server) Member(practitioner string) (ingest.Member, bool) {
	return s.other.source.Member(practitioner)
}

// Row is one line of the watched log.
func (s *Server) Row(ctx context.Context, piece int64, line int) (detect.Event, error) {
	return s.other.source.Row(ctx, piece, line)
}

// Remind has people written to whose training falls due, once.
func (s *Server) Remind(ctx context.Context) error { return s.remindOnce(ctx) }

// TellPatients has patients written to, once, as the site says and as after a start.
func (s *Server) TellPatients(ctx context.Context) error {
	after, err := s.Config.tellPatients()
	if err != nil || after == neverTells {
		return err
	}
	return s.tellPatientsOnce(ctx, s.options.Now().Add(-tellsStill), after)
}

// TellTeam has those written to at whose patients somebody broke the glass, until ctx ends.
func (s *Server) TellTeam(ctx context.Context) { s.tellTeam(ctx) }

// Outlet is how letters do.
func (s *Server) Outlet(ctx context.Context) (outlet.State, error) {
	return s.outlet.State(ctx, outlet.ByLetter)
}

// NameActions is the check that every server is mounted through.
func NameActions(routes []access.Route) error { return nameActions(routes) }
