package casework

import (
	"context"
	"slices"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
)

// Counts is how the office stands, for the overview and the navigation.
type Counts struct {
	Open    int // without those on watch and those that are left alone
	Overdue int
	Ages    [3]int        // of the open ones: under a day, under three days, older
	First   time.Duration // median time to the first review, of the cases taken within 30 days; 0 when none was
	Taken   int           // how many that is of
}

// Standing counts the cases that an officer can see; all zero for everybody else. It opens none of them.
func (f *Office) Standing(ctx context.Context, p access.Principal) (out Counts, err error) {
	if p.Session == nil || !slices.Contains(p.Session.Roles(), identity.Privacy) {
		return out, nil
	}
	me, now := staff(p), f.now()
	open, err := f.Queue(ctx)
	if err != nil {
		return out, err
	}
	muted, err := f.Muted(ctx, open...)
	if err != nil {
		return out, err
	}
	done, err := f.closed(ctx, me, Filter{})
	if err != nil {
		return out, err
	}
	var waits []time.Duration
	for _, c := range append(slices.Clone(open), done...) {
		if aboutMe(&c, me) {
			continue
		}
		if !c.Taken.IsZero() && now.Sub(c.Taken) < 30*24*time.Hour {
			waits = append(waits, c.Taken.Sub(c.Opened))
		}
		if !c.Open() || muted[c.ID] && c.Owner == "" || c.Queue == Watch && c.State == New {
			continue
		}
		out.Open++
		if c.late(now) {
			out.Overdue++
		}
		switch age := now.Sub(c.Opened); {
		case age < 24*time.Hour:
			out.Ages[0]++
		case age < 72*time.Hour:
			out.Ages[1]++
		default:
			out.Ages[2]++
		}
	}
	if slices.Sort(waits); len(waits) > 0 {
		out.First, out.Taken = waits[len(waits)/2], len(waits)
	}
	return out, nil
}

// Waiting counts the open cases that an officer can see, without those on watch, for the navigation; 0 for everybody else.
func (f *Office) Waiting(ctx context.Context, p access.Principal) (n int, err error) {
	if p.Session == nil || !slices.Contains(p.Session.Roles(), identity.Privacy) {
		return 0, nil
	}
	open, err := f.Queue(ctx)
	if err != nil {
		return 0, err
	}
	muted, err := f.Muted(ctx, open...)
	for _, c := range open {
		if !aboutMe(&c, staff(p)) && (!muted[c.ID] || c.Owner != "") && (c.Queue != Watch || c.State != New) {
			n++
		}
	}
	return n, err
}
