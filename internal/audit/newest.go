package audit

import (
	"bytes"
	"context"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
)

// Newest reads the newest signed head of each node's log from the store d, also beside running servers: signed notes with an empty line
// between, as a head file holds them. With cosigned it is the newest that a witness signed. It appends nothing. Errors: outcome.NotFound
// when there is no such head yet.
func Newest(ctx context.Context, d *db.DB, cosigned bool) ([]byte, error) {
	if err := upToDate(ctx, d); err != nil {
		return nil, err
	}
	s := &store{d: d}
	rows, err := s.logs(ctx)
	if err != nil {
		return nil, err
	}
	var notes [][]byte
	for _, r := range rows {
		if !r.live(rows) {
			continue
		}
		var note []byte
		if cosigned {
			var h cosignedHead
			h, err = s.newestCosigned(ctx, r.number)
			note = h.note
		} else {
			_, note, err = s.newestHeadSigned(ctx, r.number)
		}
		if err != nil {
			return nil, err
		}
		if note != nil {
			notes = append(notes, note)
		}
	}
	if len(notes) == 0 && cosigned {
		return nil, outcome.New(outcome.NotFound, "no witness has cosigned a head yet: name one with `serve --witness`")
	}
	if len(notes) == 0 {
		return nil, outcome.New(outcome.NotFound, "the log has no head yet: start the server once")
	}
	return bytes.Join(notes, []byte("\n")), nil
}

// upToDate refuses tables of an earlier version: they hold no fault, and this program does not read them.
func upToDate(ctx context.Context, d *db.DB) error {
	if db.Behind(ctx, d, "audit", embeddedMigrations()) {
		return outcome.New(outcome.NotSupported, "the audit log was written by an earlier version of this program: start the server once, which brings it up to date, or use that version")
	}
	return nil
}
