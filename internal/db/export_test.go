package db

import "time"

// Impatient makes the writer of d give a silent server up so soon.
func Impatient(d *DB, soon time.Duration) { d.pg.opening, d.pg.longest = soon, soon }
