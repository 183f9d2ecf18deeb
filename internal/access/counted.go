package access

import (
	"sync"
	"time"
)

// counted keeps, for some seconds, a count by person that every page shows and that takes many questions to make.
type counted struct {
	mu sync.Mutex
	by map[string]countOf
}

type countOf struct {
	about string // what was counted; another: counted anew
	n     int
	at    time.Time
}

// countStands is how long a count is shown that a change of relationships may have made untrue.
const countStands = 20 * time.Second

// of is the count of a person, as count gives it.
func (c *counted) of(person, about string, count func() (int, error)) (int, error) {
	c.mu.Lock()
	found, ok := c.by[person]
	c.mu.Unlock()
	if ok && found.about == about && time.Since(found.at) < countStands {
		return found.n, nil
	}
	n, err := count()
	if err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil || len(c.by) >= mostHolders {
		c.by = map[string]countOf{}
	}
	c.by[person] = countOf{about, n, time.Now()}
	return n, nil
}
