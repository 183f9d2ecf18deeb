package training

import (
	"context"
	"database/sql"
)

// Retell makes another row of a completion, as one who holds the keys could.
func (s *School) Retell(ctx context.Context, person string, d Done) error {
	return s.o.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO training_done (person, module, version, at, entry, mac) VALUES (?,?,?,?,?,?)`, person, d.Module, d.Version, d.At.UnixMicro(), d.Entry,
			s.o.Tags.Tag(person, d.Module, d.Version, d.At.UnixMicro(), d.Entry))
		return err
	})
}
