package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"regexp"
	"slices"

	"chartwarden/internal/outcome"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// ErrNewerSchema is wrapped by the error of [Migrate] when the file was written by a newer program. The process ends with exit
// code 2 and leaves the file alone.
var ErrNewerSchema = errors.New("db: schema is newer than this program")

var capabilityName = regexp.MustCompile(`^[a-z]+$`)

// Migrate brings the tables of one capability up to date. migrations holds goose SQL files (`0001_words.sql`) in one folder for each
// engine, `sqlite` and `postgres`, with the same numbers; the versions applied are kept in the table `<capability>_schema`, so
// capabilities of one file do not know each other. Call it once at start, before writes. Nodes that start together take turns.
//
// Errors: outcome.NotSupported wrapping [ErrNewerSchema]; outcome.Exception when a migration fails (it is rolled back).
func Migrate(ctx context.Context, d *DB, capability string, migrations fs.FS) error {
	if !capabilityName.MatchString(capability) {
		return outcome.New(outcome.Exception, "a capability is named by lower case letters")
	}
	options := []goose.ProviderOption{goose.WithTableName(capability + "_schema"), goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)),
		goose.WithAllowOutofOrder(true)} // two that were written side by side may land in either order
	dialect := goose.DialectSQLite3
	if d.pg != nil {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60), lock.WithUnlockTimeout(1, 60))
		if err != nil {
			return outcome.Wrap("db: migrate "+capability, outcome.Exception, "the migrations cannot be locked", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	files, err := ofEngine(d.Engine(), migrations)
	var provider *goose.Provider
	if err == nil {
		provider, err = goose.NewProvider(dialect, d.writer, files, options...)
	}
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
	if pending, err := provider.HasPending(ctx); err == nil && !pending {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return outcome.Wrap("db: migrate "+capability, outcome.Exception, "a migration failed and was rolled back", err)
	}
	return nil
}

// Behind reports that the tables of a capability are those of an earlier version, which [Migrate] has not brought up to date yet. It
// only reads. Tables that are not there, or no tables of ours, are not behind.
func Behind(ctx context.Context, d *DB, capability string, migrations fs.FS) bool {
	files, err := ofEngine(d.Engine(), migrations)
	if err != nil || !capabilityName.MatchString(capability) {
		return false
	}
	names, _ := fs.Glob(files, "*.sql") // the pattern is sound
	var newest, current int64
	for _, name := range names {
		if n, err := goose.NumericComponent(name); err == nil {
			newest = max(newest, n)
		}
	}
	err = d.reader.QueryRowContext(ctx, `select max(version_id) from `+capability+`_schema where is_applied`).Scan(&current)
	return err == nil && current < newest
}

// ofEngine is the folder of the engine; the root where there are no folders. Both engines have files of the same names, and the root
// has none beside them: one that is missing would only be noticed on the other engine.
func ofEngine(e Engine, root fs.FS) (fs.FS, error) {
	sqlite, _ := fs.Glob(root, string(SQLite)+"/*.sql") // the patterns are sound
	postgres, _ := fs.Glob(root, string(PostgreSQL)+"/*.sql")
	beside, _ := fs.Glob(root, "*.sql")
	if len(sqlite)+len(postgres) == 0 {
		return root, nil
	}
	names := func(files []string) (out []string) {
		for _, f := range files {
			out = append(out, path.Base(f))
		}
		return out
	}
	if len(beside) > 0 || !slices.Equal(names(sqlite), names(postgres)) {
		return nil, fmt.Errorf("db: migrations belong into sqlite/ and postgres/ under the same names: %v, %v, beside them %v", sqlite, postgres, beside)
	}
	return fs.Sub(root, string(e))
}
