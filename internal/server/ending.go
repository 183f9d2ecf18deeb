package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
)

// What a server does when a disk fails under it: it ends, so that whoever restarts it has the start-up check run. After an error of a
// sync a page may be gone although a second attempt succeeds: only a new process that reads everything back knows what is stored.

// failures looks at the databases until one is beyond use, or the log was taken up by another process, and then gives the error to end with.
func (s *Server) failures(ctx context.Context) <-chan error {
	out := make(chan error, 1)
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			if err := s.failed(); err != nil {
				out <- err
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return out
}

func (s *Server) failed() error {
	if err := s.Log.Lost(); err != nil {
		return err
	}
	if err := s.store.Rewound(); err != nil {
		return err
	}
	for name, d := range map[string]*db.DB{auditDB: s.trail, recordsDB: s.records, keysDB: s.keys} {
		if d == nil || d.Broken() == nil {
			continue
		}
		if d == s.trail && s.options.Now().Sub(s.started) < shaky {
			s.distrust()
		}
		return outcome.Wrap("server: "+name, outcome.NoStore, "the disk failed or the file is damaged, so the server ended: check the disk and start it again, which checks what is stored",
			errors.New(d.Broken().Error())) // whatever the engine calls it
	}
	return nil
}

// shaky is how soon after its start a failure of the log's database makes the next start do without it. Else a database that takes the
// first entries of each start and no more would end one process after the other, and nobody could read a chart for long.
const shaky = 10 * time.Minute

const distrustFile = "audit.failed"

// distrust leaves word for the next start.
func (s *Server) distrust() {
	err := os.WriteFile(filepath.Join(s.Config.Data, distrustFile), []byte("audit.db failed soon after a start: the next one serves by the emergency journal\n"), 0o600)
	if err != nil {
		s.options.Logger.Error("no word can be left for the next start", "error", err)
	}
}

// distrusts reports that the process before this one failed soon after its own start, and takes that word away: the start after this one
// tries the database again.
func (s *Server) distrusts() bool {
	return os.Remove(filepath.Join(s.Config.Data, distrustFile)) == nil
}
