package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"chartwarden/internal/seal"
)

// owner is whose chain it is: a patient's, or an agent's under a keyed name.
type owner struct {
	kind byte
	id   int64
}

const (
	ownerPatient byte = 1
	ownerAgent   byte = 2
)

// place is where in a payload it stands what an entry has to do with somebody; an entry has a tag for each.
type place struct {
	owner owner
	part  int
}

// chainKey is the key of an owner's chain in one log for the month of that instant. Handing one out reveals no other month.
func chainKey(box *seal.Box, origin string, o owner, month int64) [32]byte {
	var b [17]byte
	b[0] = o.kind
	binary.BigEndian.PutUint64(b[1:], uint64(o.id))
	binary.BigEndian.PutUint64(b[9:], uint64(month))
	return box.PRF("chain", []byte(origin), b[:])
}

// tagOf is the n-th tag of a chain; n counts from 1 over the whole log, whatever the month.
func tagOf(key [32]byte, n int64) tag {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	mac := hmac.New(sha256.New, key[:])
	mac.Write(b[:])
	return tag(mac.Sum(b[:0])[:8])
}

// link is how far an owner's chain has come, with the month's key at hand.
type link struct {
	n     int64
	month int64
	key   [32]byte
}

func (k *link) tag(box *seal.Box, origin string, o owner, at time.Time, n int64) tag {
	if m := month(at); m != k.month {
		k.month, k.key = m, chainKey(box, origin, o, m)
	}
	return tagOf(k.key, n)
}

// chains keeps the links of active owners in two generations. Forgetting one is safe only when the follower's table has caught up
// with its last entry, so the older generation is dropped no sooner. Links change on the writer's goroutine only.
type chains struct {
	mu         sync.Mutex
	half       int
	young, old map[owner]*link
	oldUpTo    Index // no owner of the old generation has an entry at or after this
	generation int   // changes whenever links are forgotten
}

func newChains(half int) *chains {
	return &chains{half: half, young: map[owner]*link{}, old: map[owner]*link{}}
}

// get returns the link of an owner, or nil when it has to be loaded; then generation goes back into put.
func (c *chains) get(o owner) (k *link, generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k = c.young[o]; k == nil {
		if k = c.old[o]; k != nil {
			c.young[o] = k
		}
	}
	return k, c.generation
}

// put adds a loaded link unless another caller was faster, or links were forgotten while it was loaded: then what was loaded may be stale.
func (c *chains) put(o owner, k *link, generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation == c.generation && c.young[o] == nil && c.old[o] == nil {
		c.young[o] = k
	}
}

// age begins a new generation when the young one is full and the follower has seen all of the old one.
func (c *chains) age(size, followed Index) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= c.half && followed >= c.oldUpTo {
		c.old, c.young, c.oldUpTo = c.young, map[owner]*link{}, size
		c.generation++
	}
}
