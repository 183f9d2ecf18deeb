package foreign

import (
	"context"
	"runtime"
)

// InOrder has the pieces that produce gives worked upon on every core, and calls each with what came of them, one after the other and in
// the order of the pieces. It ends with the first error, of each, of produce or of ctx. Memory is that of a few pieces.
func InOrder[P, R any](ctx context.Context, produce func(give func(P) bool) error, work func(P) []R, each func(R) error) error {
	type job struct {
		piece P
		done  chan []R
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := runtime.GOMAXPROCS(0)
	todo, jobs, failed := make(chan job), make(chan job, workers+1), make(chan error, 1)
	for range workers {
		go func() {
			for j := range todo {
				j.done <- work(j.piece)
			}
		}()
	}
	go func() {
		defer close(jobs)
		defer close(todo)
		failed <- produce(func(p P) bool {
			j := job{p, make(chan []R, 1)}
			select {
			case jobs <- j:
			case <-ctx.Done():
				return false
			}
			select {
			case todo <- j:
			case <-ctx.Done():
				j.done <- nil
				return false
			}
			return true
		})
	}()
	for j := range jobs {
		for _, r := range <-j.done {
			if err := each(r); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return <-failed
}
