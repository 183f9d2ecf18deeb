package watch

import (
	"context"

	"chartwarden/internal/audit"
)

// Source is a log that a watch follows, with what is known of the people and patients in it: [Own], or that of another system, [Elsewhere].
type Source interface {
	// begin reads anew what came since session.since. settled is a place as reading.place gives it: cases of what lies before are stored. Where
	// it is of another source, that is an error.
	begin(s *session, settled string) (reading, error)
	// behind reports whether something came after a place.
	behind(ctx context.Context, place string) (bool, error)
	// nights is the log that says that people were told in the night of what they opened; nil where nobody is: a log that comes a day late has
	// no night, and most of the people of another system cannot sign in here.
	nights() *audit.Log
}

// reading is one run through a source, for one goroutine. It tells the session's engine what becomes known, and has what happened judged
// in order.
type reading interface {
	// next has some entries judged and gives how many were read; 0: there is nothing new.
	next() (int, error)
	// rest judges what is due while there is nothing new.
	rest() error
	// unit is what a place is called; empty when nobody says. Only while the session's engine is held.
	unit(ref string) string
	// place is what was judged so far; what waits to be judged lies behind it.
	place() string
	// wait returns when there may be more, or after a while. Errors: of its context; of the store.
	wait() error
}
