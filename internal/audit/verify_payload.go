package audit

import (
	"context"
	"fmt"
	"strings"
)

// payload checks that what was sealed for an entry is there, opens, and is what the entry committed to; and collects from it what the
// later checks need.
func (c *logCheck) payload(r rawEntry, e entry) {
	v, number := c.v, r.at.Number()
	if len(r.parts) == 0 {
		c.fault(number, "has lost its payload, and no redaction says so")
	}
	read := Read{Index: r.at, Origin: c.r.origin}
	var commitments [][32]byte
	whole := true          // the commitment can be recomputed
	lost := r.parts == nil // not even the number of parts is known
	for i, n := range sortedKeys(r.parts) {
		if n != i && !lost {
			c.fault(number, fmt.Sprintf("has lost part %d of its payload, and no redaction says so", i))
			whole, lost = false, true
		}
		p := openPart(v.box, n, r.parts[n])
		commitments = append(commitments, p.commitment)
		switch p.state {
		case partOpen:
			v.report.Opened++
			read.add(n, p)
		case partRedacted:
			v.removed[target{r.at, n}] = true
		case partErased:
			v.report.Erased++
			whole = false
		case partLocked:
			v.report.Locked++
			whole = false
		case partBad:
			c.fault(number, fmt.Sprintf("part %d of its payload was changed: it does not open", n))
			whole = false
		}
	}
	if whole && !lost && commitment(commitments) != e.commitment {
		c.fault(number, "its payload is not what it committed to")
		lost = len(e.tags) > len(r.parts)
	}
	if read.Damaged {
		c.fault(number, "its payload is malformed")
	}
	if c.trace == nil {
		return
	}
	rows := v.ownersOf(&read)
	for _, row := range rows {
		v.count(row.owner, r.at)
	}
	known, closed := placesOf(rows, r, &read)
	c.trace.visit(r.at, e, known, closed, !lost)
	read.Event.Kind, read.Recorded = e.kind, e.at()
	if read.Event.Time.IsZero() {
		read.Event.Time = read.Recorded
	}
	v.collect(&read)
}

// count counts an entry for its owner as far as the look-up tables had come.
func (v *verifier) count(o owner, at Index) {
	if at < v.listed.next(at.log()) {
		v.counts[o]++
	}
}

// collect remembers what an event says about other entries and about stored records.
func (v *verifier) collect(r *Read) {
	if v.o.Entry != nil {
		v.o.Entry(r)
	}
	e := &r.Event
	switch e.Kind {
	case Redaction:
		v.said[target{e.Target, e.TargetPart}] = true
	case Intent:
		v.dangling[r.Index] = true
		v.intend(r)
	case Conclusion:
		delete(v.dangling, e.Intent)
		v.ended(e)
	case Journal:
		switch e.Interaction {
		case "journal-prepared":
			v.prepared[e.Imported.Journal] = r.Index
		case "journal-merged":
			v.merged[e.Imported.Journal] = true
		}
	case Node:
		v.hear(r)
	}
}

func (v *verifier) intend(r *Read) {
	if v.o.Clinical == nil {
		return
	}
	for i := range r.Event.Patients {
		for _, rec := range r.Event.Patients[i].Records {
			if rec.Hash != ([32]byte{}) {
				v.intents[version{rec.Record, rec.Version}] = intended{at: r.Index, hash: rec.Hash}
			}
		}
	}
}

// ended marks what a conclusion says to be stored, or not to be.
func (v *verifier) ended(e *Event) {
	if v.o.Clinical == nil {
		return
	}
	for k, w := range v.byIntent(e.Intent) {
		if e.Outcome == 0 {
			w.ended = true
			v.intents[k] = w
		} else {
			delete(v.intents, k)
		}
	}
}

func (v *verifier) byIntent(at Index) map[version]intended {
	out := map[version]intended{}
	raw, err := v.span(context.Background(), at, at+1, 1, true)
	if err != nil || len(raw) == 0 {
		return out
	}
	r := v.open(raw[0], "")
	for i := range r.Event.Patients {
		for _, rec := range r.Event.Patients[i].Records {
			k := version{rec.Record, rec.Version}
			if w, ok := v.intents[k]; ok && w.at == at {
				out[k] = w
			}
		}
	}
	return out
}

// clinical compares every stored version with the hash in its intent.
func (v *verifier) clinical(ctx context.Context) error {
	if v.o.Clinical == nil {
		return nil
	}
	var odd []Stored
	for s, err := range v.o.Clinical {
		if err != nil {
			return err
		}
		v.report.Stored++
		k := version{s.Record, s.Version}
		if w, ok := v.intents[k]; !ok || w.hash != s.Hash || s.Foreign {
			odd = append(odd, s)
		} else {
			delete(v.intents, k)
		}
	}
	if err := v.since(ctx); err != nil { // the log may have grown while it was verified
		return err
	}
	for _, s := range odd {
		k := version{s.Record, s.Version}
		name := fmt.Sprintf("%s version %d", s.Ref, s.Version)
		w, ok := v.intents[k]
		if ok && !strings.Contains(s.Ref, "/") { // the row does not tell which it is: its intent does
			name = v.nameOf(ctx, w.at, k)
		}
		switch {
		case !ok:
			v.report.fault(Fault{Index: -1, Record: name, What: "is stored, but no entry intended it"})
		case w.hash != s.Hash:
			v.report.fault(Fault{Log: v.originOf(w.at), Index: w.at.Number(), Record: name, What: "is not what was written: its stored bytes differ from the hash in the intent"})
			delete(v.intents, k)
		case s.Foreign:
			v.report.fault(Fault{Log: v.originOf(w.at), Index: w.at.Number(), Record: name, What: "is not where it was written: its row says another chart, version or operation"})
			delete(v.intents, k)
		default:
			delete(v.intents, k)
		}
	}
	for k, w := range v.intents {
		if w.ended && w.at < v.rowOf(w.at).end {
			v.report.fault(Fault{Log: v.originOf(w.at), Index: w.at.Number(), Record: v.nameOf(ctx, w.at, k), What: "was written and is not stored any more"})
		}
	}
	return nil
}

// since takes in what the entries say that came after the run began, unverified: it explains what the run finds in other places.
func (v *verifier) since(ctx context.Context) error {
	if v.box == nil {
		return nil
	}
	for _, row := range v.rows {
		for {
			raw, err := v.span(ctx, max(row.end, v.taken.next(row.number)), indexOf(row.number+1, 0), 512, true)
			if err != nil {
				return err
			}
			for _, e := range raw {
				r := v.open(e, row.origin)
				v.collect(&r)
				v.taken[row.number] = e.at + 1
			}
			if len(raw) == 0 {
				break
			}
		}
	}
	return nil
}

func (v *verifier) nameOf(ctx context.Context, at Index, k version) string {
	raw, err := v.span(ctx, at, at+1, 1, true)
	if err == nil && len(raw) == 1 {
		r := v.open(raw[0], "")
		for i := range r.Event.Patients {
			for _, rec := range r.Event.Patients[i].Records {
				if (version{rec.Record, rec.Version}) == k && rec.Ref != "" {
					return fmt.Sprintf("%s version %d", rec.Ref, rec.Version)
				}
			}
		}
	}
	return fmt.Sprintf("record %d version %d", k.record, k.version)
}

// lists compares the look-up tables with what the log says: a row deleted there would hide an access from its patient.
func (v *verifier) lists(ctx context.Context) error {
	if v.box == nil {
		return nil
	}
	have := map[owner]int64{}
	for _, r := range v.rows {
		if err := v.listedIn(ctx, r.number, have); err != nil {
			return err
		}
	}
	for o, want := range v.counts {
		if have[o] < want {
			v.report.fault(Fault{Index: -1, What: fmt.Sprintf("the list of %s shows %d entries, the log holds %d: rebuild the look-up tables", o, have[o], want)})
		}
	}
	for o, n := range have {
		if want := v.counts[o]; n > want && v.unclaimed == 0 {
			v.report.fault(Fault{Index: -1, What: fmt.Sprintf("the list of %s shows %d entries, the log holds %d: rebuild the look-up tables", o, n, want)})
		}
	}
	return nil
}

// listedIn counts the rows of each owner in one log.
func (v *verifier) listedIn(ctx context.Context, number int64, have map[owner]int64) error {
	rows, err := v.d.Reader().QueryContext(ctx, `select kind, owner, count(*) from lookup where at >= ? and at < ? group by kind, owner`, indexOf(number, 0), v.listed.next(number))
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var o owner
		var n int64
		if err := rows.Scan(&o.kind, &o.id, &n); err != nil {
			return unreadable(err)
		}
		have[o] += n
	}
	return unreadable(rows.Err())
}
