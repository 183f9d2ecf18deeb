package feed

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/outcome"
)

// Append keeps messages that came by the network under a name, in a form whose messages need nothing between them but a count of bytes: atna.
// It comes back when they are on the disk. While ctx lasts, a store that is busy, full, or does not say whether it stored is tried again: the
// senders wait, and a message that is stored twice is judged once. After that it is tried once, so that what was taken at the end is kept.
// Errors: as [db.DB.Write]; at once when the store is broken for good.
func (s *Store) Append(ctx context.Context, name string, zone *time.Location, messages []string) error {
	trying := context.WithoutCancel(ctx)
	return insist(ctx, func() error { return s.append(trying, name, zone, messages) }, func(err error) bool {
		again := passes(err, s.d.Broken())
		if again {
			s.o.Logger.Warn("messages of the network wait for the store", "error", err)
		}
		return again
	})
}

// passes reports whether a write that failed is worth another try.
func passes(err, broken error) bool {
	return outcome.Is(err, outcome.Transient) || outcome.Is(err, outcome.NoStore) && broken == nil
}

const longestPause = 5 * time.Second

// insist tries until it succeeds or fails for good: at once when another process was faster, and after a pause, while ctx lasts, when
// it failed for a reason that passes.
func insist(ctx context.Context, try func() error, passes func(error) bool) error {
	for pause := 20 * time.Millisecond; ; {
		err := try()
		switch {
		case errors.Is(err, errRaced):
			continue
		case err == nil || !passes(err):
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

func (s *Store) append(ctx context.Context, name string, zone *time.Location, messages []string) error {
	s.scanning.Lock()
	defer s.scanning.Unlock()
	known, err := s.files(ctx, ``)
	if err != nil {
		return err
	}
	f := File{Name: name, Form: "atna", Zone: zoneName(zone), Begun: s.o.Now().UTC(), Line: 1}
	if i := slices.IndexFunc(known, func(k File) bool { return k.Prefix == 0 && k.Name == name && k.Zone == f.Zone }); i >= 0 {
		f = known[i]
	}
	var text strings.Builder
	var pieces []piece
	cut := func() {
		if text.Len() > 0 {
			pieces = append(pieces, piece{First: f.Line, Text: text.String()})
			f.Taken += int64(text.Len())
			f.Line += strings.Count(text.String(), "\n")
			text.Reset()
		}
	}
	for _, m := range messages {
		m = strings.ToValidUTF8(m, "\uFFFD")
		text.WriteString(frame(m))
		if text.Len() > pieceSize {
			cut()
		}
	}
	cut()
	return s.keep(ctx, &f, pieces)
}

// frame puts the count of its bytes before a message (RFC 5425).
func frame(m string) string { return strconv.Itoa(len(m)) + " " + m + "\n" }
