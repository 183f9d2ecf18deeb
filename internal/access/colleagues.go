package access

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"chartwarden/internal/identity"
)

// colleagues knows, for a minute, which person stands behind a Practitioner. It only finds: whoever is found is asked for anew.
type colleagues struct {
	mu    sync.Mutex
	known map[string]string
	since time.Time
}

const colleaguesLast = time.Minute

func (c *colleagues) at(ctx context.Context, persons *identity.Store, now time.Time) (map[string]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := now.Sub(c.since); c.known != nil && age >= 0 && age < colleaguesLast {
		return c.known, nil
	}
	all, err := persons.People(ctx)
	if err != nil {
		return nil, err
	}
	known := make(map[string]string, len(all))
	for _, p := range all {
		if p.Practitioner != "" && p.Active {
			known[p.Practitioner] = p.ID
		}
	}
	c.known, c.since = known, now
	return known, nil
}

// mustJSON writes what holds nothing but words and numbers.
func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
