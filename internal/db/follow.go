package db

import (
	"context"
	"time"
)

// followEvery is how often what other processes wrote is looked at: a quarter of the second within which it has to be followed.
const followEvery = 250 * time.Millisecond

// Follow calls look again and again until Close, where other processes may write ([DB.Shared]), so that what memory holds of the tables
// keeps up; elsewhere it does nothing. look is not called twice at once; its error is left to the next look.
func (d *DB) Follow(look func(context.Context) error) {
	if !d.Shared() {
		return
	}
	d.followers.Go(func() {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			select {
			case <-d.closing:
				cancel()
			case <-ctx.Done():
			}
		}()
		tick := time.NewTicker(followEvery)
		defer tick.Stop()
		for {
			select {
			case <-d.closing:
				return
			case <-tick.C:
				_ = look(ctx) // the next one finds what this one did not
			}
		}
	})
}
