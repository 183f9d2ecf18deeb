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
// It comes back when they are on the disk. While ctx lasts, a store that is busy is tried again; after that it is tried once, so that what was
// taken at the end is kept. Errors: as [db.DB.Write].
func (s *Store) Append(ctx context.Context, name string, zone *time.Location, messages []string) error {
	trying := context.WithoutCancel(ctx)
	return insist(ctx, func() error { return s.append(trying, name, zone, messages) })
}

const longestPause = 5 * time.Second

// insist tries until it succeeds or fails for good: at once when another process was faster, and after a pause, while ctx lasts, when
// nothing was stored for a reason that passes.
func insist(ctx context.Context, try func() error) error {
	for pause := 20 * time.Millisecond; ; {
		err := try()
		switch {
		case errors.Is(err, errRaced):
			continue
		case !outcome.Is(err, outcome.Transient):
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
