package record

import (
	"context"
	"database/sql"
	"sync"

	"chartwarden/internal/db"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// numbers gives out record numbers, each once. Where this process alone writes it counts on from the highest there is; where other
// nodes write too it takes blocks from a table. Numbers are lost with a restart, never given twice.
type numbers struct {
	d         *db.DB
	mu        sync.Mutex
	last, end int64
}

// block is how many numbers a node takes at once.
const block = 512

func (n *numbers) start(ctx context.Context, d *db.DB) error {
	n.d = d
	for _, column := range []string{"rec", "patient"} {
		var highest int64
		if err := d.Reader().QueryRowContext(ctx, `select coalesce(max(`+column+`), 0) from resource`).Scan(&highest); err != nil {
			return unreadable(err)
		}
		n.last = max(n.last, highest)
	}
	if !d.Shared() {
		n.end = 1<<63 - 1
		return nil
	}
	highest := n.last
	n.last = 0                                   // a block is taken with the first number
	err := d.Write(ctx, func(tx *sql.Tx) error { // tables that came from elsewhere bring their numbers along
		if _, err := tx.Exec(`insert into number(one, last) values(1, 0) on conflict (one) do nothing`); err != nil {
			return err
		}
		_, err := tx.Exec(`update number set last=?1 where last<?1`, highest)
		return err
	})
	if err != nil {
		return outcome.Wrap("record: number", outcome.NoStore, "the numbers of records cannot be read", err)
	}
	return nil
}

// next gives a new number. Errors: as db.Write.
func (n *numbers) next(ctx context.Context) (fhir.RecordID, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last == n.end {
		var end int64
		err := n.d.Write(context.WithoutCancel(ctx), func(tx *sql.Tx) error {
			return tx.QueryRow(`update number set last=last+? returning last`, block).Scan(&end)
		})
		if err != nil {
			return 0, outcome.Wrap("record: number", outcome.NoStore, "the record could not be saved, please try again", err)
		}
		n.last, n.end = end-block, end
	}
	n.last++
	return fhir.RecordID(n.last), nil
}
