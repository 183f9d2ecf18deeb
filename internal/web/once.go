package web

import (
	"cmp"
	"sync"
	"time"
)

// once keeps what one session is shown one time after a form was answered with 303: a sign-in link, the result of an act. It never
// travels in an address, is forgotten when it is taken, and after a few minutes in any case.
type once[T any] struct {
	mu    sync.Mutex
	kept  map[[2]string]keptOnce[T]
	lasts time.Duration // 0: five minutes
}

type keptOnce[T any] struct {
	value T
	until time.Time
}

const onceLasts = 5 * time.Minute

// keep holds a value for a session and a place.
func (o *once[T]) keep(session, place string, now time.Time, value T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kept == nil {
		o.kept = map[[2]string]keptOnce[T]{}
	}
	for k, v := range o.kept {
		if now.After(v.until) {
			delete(o.kept, k)
		}
	}
	o.kept[[2]string{session, place}] = keptOnce[T]{value, now.Add(cmp.Or(o.lasts, onceLasts))}
}

// take gives the value and forgets it; the zero value when there is none.
func (o *once[T]) take(session, place string, now time.Time) (value T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := [2]string{session, place}
	if v, ok := o.kept[k]; ok && !now.After(v.until) {
		value = v.value
	}
	delete(o.kept, k)
	return value
}

// look gives the value and keeps it.
func (o *once[T]) look(session, place string, now time.Time) (value T, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	v, ok := o.kept[[2]string{session, place}]
	if !ok || now.After(v.until) {
		return value, false
	}
	return v.value, true
}
