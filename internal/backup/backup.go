// Package backup copies the tables of an installation, as sealed as they lie, into files that only a recovery key opens, and brings
// them back.
//
// A copy is complete: every row of every table, read in one transaction for each database. Databases are read in the order given,
// records before the log, so that each version of a record in a copy has its intent there. Rows travel as values, not as pages, so a
// copy taken from one engine can be brought back into the other.
//
//	to, err := age.ParseX25519Recipient("age1...")                 // the key that opens it is elsewhere
//	m, err := backup.WriteFile(ctx, f, about, sources, to)         // one file
//
//	r, err := backup.OpenRepository(dir)                           // or a folder that grows by what changed
//	m, err := r.Add(ctx, about, sources, to)                       // cheap each few minutes: unchanged chunks are not written again
//
//	c, err := backup.OpenFile(f, identity)                         // or r.Open(name, identity)
//	m, err := backup.Restore(ctx, c, map[string]backup.Target{"records": {DB: records}, "audit": {DB: trail}})
//
// The files are sealed by age (https://age-encryption.org/v1), which also authenticates every byte. Whoever holds the public key can
// make such a file, so what is restored is verified against the log and its heads, not believed. Format: docs/formats/backup.md.
package backup

import (
	"time"

	"chartwarden/internal/db"
)

// Format is the version of the files.
const Format = "chartwarden-backup/1"

// About says whose copy it is.
type About struct {
	Installation string    `json:"installation"`
	Sandbox      bool      `json:"sandbox,omitempty"`
	Program      string    `json:"program"` // version that made it
	Taken        time.Time `json:"taken"`
	Head         string    `json:"head,omitempty"` // newest signed head of the log when it was begun
}

// Source is one database of the installation, or one file.
type Source struct {
	Name string   // records, audit, keys
	DB   *db.DB   // nil for a file
	Skip []string // tables that are rebuilt from others
	File string   // its path; a file that is not there is left out
}

// Target is where a source is brought back to: a freshly migrated database, or a path. A file that is there already stays: what survived is
// newer than any copy of it.
type Target struct {
	DB   *db.DB
	File string
}

// Manifest lists what a copy holds.
type Manifest struct {
	Format string `json:"format"`
	About
	Sources []Part `json:"sources"`
}

// Part is one database in a copy. A file is a part with one table of one row and one column, its bytes.
type Part struct {
	Name    string           `json:"name"`
	Schemas map[string]int64 `json:"schemas"` // version by capability
	Tables  []Table          `json:"tables"`  // in an order that keeps references whole
}

// Table is one table in a copy.
type Table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Key     []string `json:"key"` // the columns that order it
	Rows    int64    `json:"rows"`
	Chunks  []string `json:"chunks,omitempty"` // in order; the hexadecimal SHA-256 of their rows
}

// Rows is how many rows the copy holds.
func (m Manifest) Rows() (n int64) {
	for _, p := range m.Sources {
		for _, t := range p.Tables {
			n += t.Rows
		}
	}
	return n
}
