package access

import (
	"context"
	"sync"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Backend services act without a person who would notice: each has a quota of requests and of records in an hour (access.md 6). People
// and their apps have none here; what they do out of the ordinary is judged otherwise.

// Quota bounds what one backend service may do in an hour, on each node.
type Quota struct{ Requests, Records int }

// UsualQuota is that of a site which says nothing: an interface engine's day fits, a copy of the hospital takes long enough to be noticed.
var UsualQuota = Quota{Requests: 20_000, Records: 100_000}

// quotas counts by client in buckets of a minute. It is in memory: a restart forgets it.
type quotas struct {
	most  Quota
	mu    sync.Mutex
	spent map[string]*[minutes]spent
}

const minutes = 60

// spent is what a client did in one minute.
type spent struct {
	minute int64 // since 1970
	told   bool  // a refusal of this minute is in the log
	Quota
}

func newQuotas(most Quota) *quotas {
	if most.Requests <= 0 {
		most.Requests = UsualQuota.Requests
	}
	if most.Records <= 0 {
		most.Records = UsualQuota.Records
	}
	return &quotas{most: most, spent: map[string]*[minutes]spent{}}
}

// take counts, or says that the client has had its part of the last hour; then nothing is counted.
func (q *quotas) take(client string, now time.Time, more Quota) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	hour := q.spent[client]
	if hour == nil {
		hour = &[minutes]spent{}
		q.spent[client] = hour
	}
	minute := now.Unix() / 60
	var sum Quota
	for i := range hour {
		if age := minute - hour[i].minute; age >= 0 && age < minutes {
			sum.Requests, sum.Records = sum.Requests+hour[i].Requests, sum.Records+hour[i].Records
		}
	}
	switch {
	case more.Requests > 0 && sum.Requests+more.Requests > q.most.Requests:
		return outcome.New(outcome.Throttled, "this client has made all the requests that it may make in an hour: go on later, or ask for more at the site").Because("client.quota")
	case more.Records > 0 && sum.Records+more.Records > q.most.Records:
		return outcome.New(outcome.Throttled, "this client has been given all the records that it may have in an hour: go on later, ask for less, or ask for more at the site").Because("client.quota")
	}
	now60 := &hour[minute%minutes]
	if now60.minute != minute {
		*now60 = spent{minute: minute}
	}
	now60.Requests, now60.Records = now60.Requests+more.Requests, now60.Records+more.Records
	return nil
}

// backend is the client of a backend service; empty for everybody else.
func (p Principal) backend() string {
	if p.App == nil || p.Session != nil {
		return ""
	}
	return p.App.Client.ID
}

// CountRequest takes one request from the quota of a backend service. The first that is refused in a minute is an entry.
// Errors: outcome.Throttled.
func (g *Gate) CountRequest(ctx context.Context, p Principal) error {
	client := p.backend()
	if client == "" {
		return nil
	}
	err := g.quotas.take(client, g.now(), Quota{Requests: 1})
	if err != nil && g.quotas.tell(client, g.now()) {
		e := g.alone(p).event("quota", "E")
		e.Outcome, e.Text = refused, "over the quota of requests in an hour"
		if _, failed := g.log.Refuse(ctx, e); failed != nil {
			return failed
		}
	}
	return err
}

// tell reports whether a refusal is the first of its minute: a program that goes on asking does not fill the log.
func (q *quotas) tell(client string, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	minute := now.Unix() / 60
	at := &q.spent[client][minute%minutes]
	if at.minute != minute {
		*at = spent{minute: minute}
	}
	first := !at.told
	at.told = true
	return first
}

// withinQuota takes records from the quota of a backend service before they are disclosed, or refuses, with an entry that says what was
// asked.
func (g *Gate) withinQuota(ctx context.Context, e audit.Event, parts []permitted) error {
	if len(parts) == 0 {
		return nil
	}
	client := parts[0].standing.principal.backend()
	if client == "" {
		return nil
	}
	count := 0
	for _, part := range parts {
		count += len(part.records)
	}
	err := g.quotas.take(client, g.now(), Quota{Records: count})
	if err != nil && g.quotas.tell(client, g.now()) {
		e.Outcome, e.Text, e.Patients = refused, "over the quota of records in an hour", nil
		if _, failed := g.log.Refuse(ctx, e); failed != nil {
			return failed
		}
	}
	return err
}
