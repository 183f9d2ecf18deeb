package audit

import (
	"context"
	"database/sql"
	"errors"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
)

// Newest reads the newest signed head from the log in d, also beside a running server. It appends nothing.
// Errors: outcome.NotFound when there is no log yet.
func Newest(ctx context.Context, d *db.DB) ([]byte, error) {
	var note []byte
	err := d.Reader().QueryRowContext(ctx, `select note from head order by at desc limit 1`).Scan(&note)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, outcome.New(outcome.NotFound, "the log has no head yet: start the server once")
	}
	if err != nil {
		return nil, unreadable(err)
	}
	return note, nil
}
