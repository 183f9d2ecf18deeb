package access

import "errors"

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
