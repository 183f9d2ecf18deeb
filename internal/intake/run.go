package intake

import (
	"context"
	"slices"

	"chartwarden/internal/access"
)

// run is the state of one import.
type run struct {
	ctx    context.Context
	gate   *access.Gate
	report *Report
	whole  bool // a file is stored whole or not at all
	plan   *plan
	later  []placed // entries that wait for one behind them
	size   int      // of later, in bytes
}

// What waits is held in memory; beyond these bounds it is tried once more and then rejected.
const (
	mostLate     = 50_000
	mostLateSize = 256 << 20
)

// mostUnresolved bounds each list of the report.
const mostUnresolved = 100_000

// store hands one batch to the door and counts what became of it.
func (r *run) store(b batch) error {
	r.report.Rejected = append(r.report.Rejected, b.bad...)
	if r.whole && len(b.bad) > 0 {
		r.together(b, b.bad[0].File)
		return b.err
	}
	if b.err != nil || len(b.entries) == 0 {
		return b.err
	}
	for _, x := range b.entries {
		for h := range names(x.entry) {
			delete(r.plan.coming, h)
		}
	}
	if r.whole {
		results, err := r.gate.ImportWhole(r.ctx, access.Job("import"), entries(b.entries))
		if err == nil {
			r.count(b.entries, results)
			if at := slices.IndexFunc(results, func(x access.ImportResult) bool { return x.Err != nil }); at >= 0 {
				r.together(b, b.entries[at].file)
			}
		}
		return err
	}
	if err := r.hand(b.entries, r.coming); err != nil {
		return err
	}
	if len(r.later) > mostLate || r.size > mostLateSize {
		return r.again()
	}
	return nil
}

// together says of the files of a ring that they were not stored because of one of them.
func (r *run) together(b batch, because string) {
	for _, file := range b.ends {
		if !slices.ContainsFunc(r.report.Rejected, func(x Rejection) bool { return x.File == file }) {
			r.report.Rejected = append(r.report.Rejected, Rejection{File: file, Reason: "the whole file: it and " + because +
				" refer to each other, so both are stored or neither, and an entry of that one cannot be stored"})
		}
	}
}

func entries(part []placed) []access.Entry {
	out := make([]access.Entry, len(part))
	for i := range part {
		out[i] = part[i].entry
	}
	return out
}

// coming reports whether a reference leads to what has not been handed in yet.
func (r *run) coming(reference string) bool { return r.plan.coming[nameOf(reference)] }

// hand gives entries to the door at once and sets aside those that wait for what is coming.
func (r *run) hand(part []placed, coming func(string) bool) error {
	results, err := r.gate.ImportPart(r.ctx, access.Job("import"), entries(part), coming)
	if err == nil {
		r.count(part, results)
	}
	return err
}

// again tries what was set aside, all of it at once, since entries of one batch may refer to each other in any order.
func (r *run) again() error {
	part := r.later
	r.later, r.size = nil, 0
	if len(part) == 0 {
		return nil
	}
	return r.hand(part, nil)
}

// count sums up what became of entries.
func (r *run) count(part []placed, results []access.ImportResult) {
	for i, res := range results {
		x := part[i]
		switch {
		case res.Later:
			r.later = append(r.later, x)
			r.size += x.entry.Doc.Len()
		case res.Err != nil:
			r.report.Rejected = append(r.report.Rejected, rejection(x.file, x.entry, res.Err))
		case res.Skipped:
			r.report.Skipped++
			if res.Behind && len(r.report.Outdated) < mostUnresolved {
				r.report.Outdated = append(r.report.Outdated, Outdated{File: x.file, Entry: x.entry.Index, Type: res.Written.Type})
			}
		case res.Written.ID != "": // it has none in a file that was refused whole
			r.report.Stored++
			r.report.ByType[res.Written.Type]++
		}
		for _, a := range res.Written.Awaited {
			r.unresolved(Unresolved{File: x.file, Entry: x.entry.Index, Type: res.Written.Type, At: a.At, Reason: a.Reason, id: res.Written.ID})
		}
		for _, a := range res.Ahead {
			r.unresolved(Unresolved{File: x.file, Entry: x.entry.Index, Type: res.Written.Type, At: a.At, Reason: "it refers to an entry that was rejected", ahead: a.Reference})
		}
	}
}

func (r *run) unresolved(u Unresolved) {
	if len(r.report.Unresolved) < mostUnresolved {
		r.report.Unresolved = append(r.report.Unresolved, u)
	}
}

// finish takes in what waited for others, resolves references whose targets have come, and looks which of the rest lead nowhere.
func (r *run) finish() error {
	if err := r.again(); err != nil {
		return err
	}
	resolved, err := r.gate.ImportAwaited(r.ctx, access.Job("import"))
	if err != nil {
		return err
	}
	waits := map[string][]access.Awaited{} // what is left of those that were looked at again
	for _, res := range resolved {
		if !res.Skipped {
			r.report.Resolved++
		}
		waits[res.Written.Type+"/"+res.Written.ID] = res.Written.Awaited
	}
	var left []Unresolved
	for _, u := range r.report.Unresolved {
		still := true
		if u.ahead != "" {
			leads, err := r.gate.Leads(r.ctx, u.ahead)
			if err != nil {
				return err
			}
			still = !leads
		} else if of, known := waits[u.Type+"/"+u.id]; known {
			still = false
			for _, a := range of {
				still = still || a.At == u.At
			}
		}
		if still {
			left = append(left, u)
		}
	}
	r.report.Unresolved = left
	r.report.Waiting, err = r.gate.Unresolved(r.ctx)
	return err
}
