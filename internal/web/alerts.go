package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
)

// alerts gives, as they come, the events of the live stream by which an officer hears of a case: the sentence with the way there, and how
// many wait. Nil for everybody else: a suspicion is shown to the privacy office only. It ends with the request.
func (p *Pages) alerts(r *http.Request) <-chan string {
	who := access.PrincipalFrom(r.Context())
	if p.o.Office == nil || who.Session.Capacity != identity.StaffCapacity || !slices.Contains(who.Session.Roles(), identity.Privacy) {
		return nil
	}
	ctx := r.Context()
	if p.o.Office.Permit(ctx, who) != nil {
		return nil
	}
	since, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64) // the stream of this page broke off
	if err != nil {
		if since, err = p.o.Office.Newest(ctx); err != nil {
			return nil
		}
	}
	out := make(chan string)
	go func() {
		for ctx.Err() == nil {
			news, newest, err := p.news(ctx, who, since)
			if err != nil {
				select { // the database may answer later
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
				continue
			}
			since = newest
			select {
			case out <- news:
			case <-ctx.Done():
			}
		}
	}()
	return out
}

// news waits for a change of the cases and gives the events that tell of it.
func (p *Pages) news(ctx context.Context, who access.Principal, since int64) (string, int64, error) {
	if err := p.o.Office.Wait(ctx, since); err != nil {
		return "", since, err
	}
	alerts, newest, err := p.o.Office.Alerts(ctx, who, since)
	if err != nil {
		return "", since, err
	}
	waiting, err := p.o.Office.Waiting(ctx, who)
	if err != nil {
		return "", since, err
	}
	var b strings.Builder
	for _, a := range alerts {
		event(&b, "notice", newest, map[string]any{"text": a.Sentence + " ", "href": caseHref(a.Case), "link": "Open the case"})
	}
	event(&b, "count", newest, map[string]any{"href": "/privacy/cases", "n": waiting})
	return b.String(), newest, nil
}

// event writes one event of a stream.
func event(b *strings.Builder, name string, id int64, data map[string]any) {
	text, _ := json.Marshal(data) // strings and numbers
	fmt.Fprintf(b, "event: %s\nid: %d\ndata: %s\n\n", name, id, text)
}
