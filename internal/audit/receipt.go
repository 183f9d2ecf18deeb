package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// lifetime is how long after its entry a receipt opens records: an access that takes longer asks again and is an entry again.
const lifetime = 30 * time.Second

// Logged says that an act is durable in the log. It opens nothing. The zero Logged names no entry.
type Logged struct {
	origin string
	index  Index
	count  int64
	name   string // set instead of an index by the emergency journal
}

// Entry names the entries for people, headers and tools: `origin/number`, comma-separated when the act took several.
func (g Logged) Entry() string {
	if g.name != "" || g.count == 0 {
		return g.name
	}
	names := make([]string, g.count)
	for i := range names {
		names[i] = entryName(g.origin, g.index+Index(i))
	}
	return strings.Join(names, ", ")
}

// Index is the position of the (first) entry; meaningless in the emergency journal, whose entries get theirs when they are merged.
func (g Logged) Index() Index { return g.index }

// Journaled reports that the act stands in the emergency journal and not yet in the log.
func (g Logged) Journaled() bool { return g.name != "" }

func entryName(origin string, i Index) string { return fmt.Sprintf("%s/%d", origin, i.Number()) }

// Receipt is the proof that a permitted disclosure is durable. Only [Log.Disclose] makes one. It opens exactly the record versions
// that the entry names, each once, within 30 seconds, in the process that made it; copies of a Receipt share what is used up.
// The zero Receipt opens nothing. This is a type and a check while running, not a proof by the compiler.
type Receipt struct{ g *grant }

type grant struct {
	Logged
	boot    *boot
	expires time.Time
	person  string
	purpose string

	mu   sync.Mutex
	keys []version // sorted
	used []bool
}

type version struct {
	record  fhir.RecordID
	version int64
}

func compareVersions(a, b version) int {
	return cmp.Or(cmp.Compare(a.record, b.record), cmp.Compare(a.version, b.version))
}

// boot is the life of one opened Log: receipts die with it.
type boot struct {
	now   func() time.Time
	ended atomic.Bool
}

// newGrant lists what the entries of an event allow to be opened.
func newGrant(l Logged, b *boot, e *Event) *grant {
	g := &grant{Logged: l, boot: b, expires: b.now().Add(lifetime), person: e.Agent.acting(), purpose: e.Purpose}
	n := 0
	for i := range e.Patients {
		n += len(e.Patients[i].Records)
	}
	g.keys = make([]version, 0, n)
	for i := range e.Patients {
		for _, r := range e.Patients[i].Records {
			g.keys = append(g.keys, version{r.Record, r.Version})
		}
	}
	slices.SortFunc(g.keys, compareVersions)
	g.keys = slices.Compact(g.keys)
	g.used = make([]bool, len(g.keys))
	return g
}

// Redeem uses the receipt up for one version of one record. Whoever holds sealed content calls it and opens only on nil.
//
// Errors: outcome.Forbidden for a receipt that is zero, of another process life, names no such version, or was used for it before;
// outcome.Timeout for one that expired: ask again. Safe for concurrent use: of two callers one wins.
func (r Receipt) Redeem(record fhir.RecordID, number int64) error {
	if r.g == nil {
		return refuseReceipt("there is no audit entry for it")
	}
	if r.g.boot.ended.Load() {
		return refuseReceipt("its audit entry was made before a restart")
	}
	if r.g.boot.now().After(r.g.expires) {
		return outcome.New(outcome.Timeout, "the record is not opened: too long after its audit entry, please try again").Because("receipt")
	}
	at, ok := slices.BinarySearchFunc(r.g.keys, version{record, number}, compareVersions)
	if !ok {
		return refuseReceipt("its audit entry names other records")
	}
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	if r.g.used[at] {
		return refuseReceipt("its audit entry was used up")
	}
	r.g.used[at] = true
	return nil
}

func refuseReceipt(why string) error {
	return outcome.New(outcome.Forbidden, "the record is not opened: "+why).Because("receipt")
}

// Entry names the entries behind the receipt, as [Logged.Entry]; empty for the zero Receipt.
func (r Receipt) Entry() string { return r.Logged().Entry() }

// Logged is the receipt as a mere mention of its entries, which opens nothing.
func (r Receipt) Logged() Logged {
	if r.g == nil {
		return Logged{}
	}
	return r.g.Logged
}

// Agent is the person, client or job that the disclosure was made to.
func (r Receipt) Agent() string {
	if r.g == nil {
		return ""
	}
	return r.g.person
}

// Purpose is the purpose of use that was permitted.
func (r Receipt) Purpose() string {
	if r.g == nil {
		return ""
	}
	return r.g.purpose
}

// String names the entry and nothing else.
func (r Receipt) String() string { return "receipt " + r.Entry() }
