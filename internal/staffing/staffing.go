// Package staffing is how people come, change and leave: by hand, by an HR file, by a directory.
//
// Each way ends at the same acts of identity, and leaving is one of them, the same for all:
//
//	desk := staffing.New(staffing.Options{Persons: people, Gate: gate, Log: log, Cases: open})
//	done, err := desk.End(ctx, by, person, "left the hospital")   // dead everywhere within a second; done.Signed is the certificate
//
// A Desk asks nobody whether the act is allowed: pages ask the door before, a directory shows its token. It opens no chart; of the log it
// counts. Safe for concurrent use.
package staffing

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
)

// Options are the parts a Desk stands on. Cases and Logger may be left out.
type Options struct {
	Persons *identity.Store
	Gate    *access.Gate
	Log     *audit.Log
	Cases   func(ctx context.Context, p identity.Person) (int, error) // how many open cases there are about a person
	House   string                                                    // whose installation this is, as partners know it
	Overlap time.Duration                                             // how long roles that an HR file takes stay beside those that it gives, where the file does not say
	Now     func() time.Time
	Zone    *time.Location
	Logger  *slog.Logger // what could not be done; ids only
}

// Desk does what is done about people who work here. Make one with [New].
type Desk struct {
	o      Options
	giving sync.Mutex // who brings up by what groups come to does so after who stored a group before
}

// New makes the desk.
func New(o Options) *Desk {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Desk{o: o}
}
