package db

import (
	"context"
	"database/sql"
	"sync"
)

// Batcher collects items of many callers into one function call and one commit: many values in one INSERT cost far less than many
// statements. All methods are safe for concurrent use.
type Batcher[T any] struct {
	d       *DB
	max     int
	apply   func(tx *sql.Tx, items []T) error
	queue   chan *item[T]
	closing chan struct{}
	stopped chan struct{}
	once    sync.Once
}

type item[T any] struct {
	value T
	done  chan error // buffered: the batcher never waits for a caller
}

// NewBatcher starts a batcher on d. apply gets what waits, 1 to max items in order of arrival, inside a transaction that commits
// right after it; its error fails all of them, so items are checked before Do. Close it before its DB.
func NewBatcher[T any](d *DB, max int, apply func(tx *sql.Tx, items []T) error) *Batcher[T] {
	b := &Batcher[T]{d: d, max: max, apply: apply, queue: make(chan *item[T], max), closing: make(chan struct{}), stopped: make(chan struct{})}
	go b.run()
	return b
}

// Do hands in one item and returns when it is durable. ctx bounds the wait for a place in the queue; afterwards Do waits for the
// commit, so that a nil or an error is certain knowledge. Errors: as [DB.Write].
func (b *Batcher[T]) Do(ctx context.Context, value T) error {
	if ctx.Err() != nil {
		return givenUp(ctx)
	}
	it := &item[T]{value: value, done: make(chan error, 1)}
	select {
	case <-b.closing:
		return errClosed
	default:
	}
	select {
	case b.queue <- it:
	case <-b.closing:
		return errClosed
	case <-ctx.Done():
		return givenUp(ctx)
	}
	select {
	case err := <-it.done:
		return err
	case <-b.stopped:
		select {
		case err := <-it.done:
			return err
		default:
			return errClosed
		}
	}
}

// Close lets queued items finish and stops the batcher.
func (b *Batcher[T]) Close() {
	b.once.Do(func() { close(b.closing) })
	<-b.stopped
}

func (b *Batcher[T]) run() {
	defer close(b.stopped)
	for {
		select {
		case it := <-b.queue:
			b.flush(it)
		case <-b.closing:
			for {
				select {
				case it := <-b.queue:
					b.flush(it)
				default:
					return
				}
			}
		}
	}
}

func (b *Batcher[T]) flush(first *item[T]) {
	items, values := []*item[T]{first}, []T{first.value}
	for more := true; more && len(items) < b.max; {
		select {
		case it := <-b.queue:
			items, values = append(items, it), append(values, it.value)
		default:
			more = false
		}
	}
	err := b.d.Write(context.Background(), func(tx *sql.Tx) error { return b.apply(tx, values) })
	for _, it := range items {
		it.done <- err
	}
}
