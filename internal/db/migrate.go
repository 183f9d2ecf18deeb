package db

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"regexp"

	"chartwarden/internal/outcome"

	"github.com/pressly/goose/v3"
)

// ErrNewerSchema is wrapped by the error of [Migrate] when the file was written by a newer program. The process ends with exit
// code 2 and leaves the file alone.
var ErrNewerSchema = errors.New("db: schema is newer than this program")

var capabilityName = regexp.MustCompile(`^[a-z]+$`)

// Migrate brings the tables of one capability up to date. migrations holds goose SQL files (`0001_words.sql`) at its root; the
// versions applied are kept in the table `<capability>_schema`, so capabilities of one file do not know each other. Call it once
// at start, before writes.
//
// Errors: outcome.NotSupported wrapping [ErrNewerSchema]; outcome.Exception when a migration fails (it is rolled back).
func Migrate(ctx context.Context, d *DB, capability string, migrations fs.FS) error {
	if !capabilityName.MatchString(capability) {
		return outcome.New(outcome.Exception, "a capability is named by lower case letters")
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, d.writer, migrations,
		goose.WithTableName(capability+"_schema"), goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return outcome.Wrap("db: migrate "+capability, outcome.Exception, "the migrations built into this program cannot be read", err)
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return outcome.Wrap("db: migrate "+capability, outcome.NoStore, "the schema version cannot be read", err)
	}
	if current > target {
		return outcome.Wrap("db: migrate "+capability, outcome.NotSupported,
			"the data directory was written by a newer version of this program: start that version, or restore a backup taken before the upgrade", ErrNewerSchema)
	}
	if current == target {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return outcome.Wrap("db: migrate "+capability, outcome.Exception, "a migration failed and was rolled back", err)
	}
	return nil
}
