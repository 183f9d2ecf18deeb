package access

import "errors"

// BeforeBatch does something before the n-th batch of the next undo, the first being 0.
func (g *Gate) BeforeBatch(n int, f func()) {
	g.betweenBatches = func() error {
		if n--; n < 0 {
			g.betweenBatches = nil
			f()
		}
		return nil
	}
}

// StopUndoAfter makes the next undo fail after so many batches, as a kill would.
func (g *Gate) StopUndoAfter(batches int) {
	g.betweenBatches = func() error {
		if batches--; batches < 0 {
			g.betweenBatches = nil
			return errors.New("stopped")
		}
		return nil
	}
}
