package ingest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest/foreign"
)

// facts reads a directory of context, in a fixed order of files.
type facts struct {
	dir    string
	to     judge
	cross  *crosswalk
	reject func(name string, line int, why string) error
	// For a directory that is read again as it grows; all may be nil.
	wanted func(path string) bool                          // whether a file has to be read
	told   func(path string) *marks                        // what was told of a file before
	meet   func(e *entry)                                  // each entry, before it is told
	staff  func() (to foreign.Pupil, end func(whole bool)) // who is told of hr.csv, and that it is read
	left   map[string]bool                                 // whom hr.csv said to have left
}

// fact is one line of it.
type fact struct {
	entry
	key  uint64
	text string // not read yet: it was there before
}

// read tells what the directory holds. Teams within teams wait until all teams are known.
func (f *facts) read(ctx context.Context) (n int, err error) {
	tell := func(teams []entry) {
		for i := range teams {
			f.to.Learn(f.cross.record(&teams[i]))
		}
	}
	for _, typ := range Types {
		var teams []entry
		for _, ext := range []string{".ndjson", ".ndjson.gz"} {
			name := filepath.Join(f.dir, typ+ext)
			if f.wanted != nil && !f.wanted(name) {
				continue
			}
			var before *marks
			if f.told != nil {
				before = f.told(name)
				before.begin()
			}
			parse := func(text string) (fact, string) {
				var x fact
				if before != nil {
					if x.key = before.key(text); before.met(x.key) {
						x.text = text
						return x, ""
					}
				}
				var why string
				x.entry, why = read(text)
				return x, why
			}
			err := open(name, func(r io.Reader) error {
				return lines(ctx, r, parse, func(l line[fact]) error {
					if before != nil && !before.fresh(l.value.key) {
						return nil
					}
					e, why := l.value.entry, l.why
					if l.value.text != "" {
						e, why = read(l.value.text)
					}
					if why != "" {
						return f.reject(name, l.number, why)
					}
					n++
					if f.meet != nil {
						f.meet(&e)
					}
					if f.cross.learn(&e); typ == "CareTeam" {
						teams = append(teams, e)
					} else {
						f.to.Learn(f.cross.record(&e))
					}
					return nil
				})
			})
			if before != nil {
				before.end(err == nil)
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				tell(teams) // they are not read again
				return n, reading(err, typ+ext)
			}
		}
		tell(teams)
	}
	people, err := f.tables(ctx)
	return n + people, err
}

// tables tells what the lists of staff, shifts, leavers, findings and devices say; n is how many people the first has.
func (f *facts) tables(ctx context.Context) (n int, err error) {
	cross, e := f.cross, f.to
	shift := func(s detect.Shift) {
		s.Person, s.Place = cross.person(s.Person), cross.find(s.Place, "Location", "Organization")
		e.Roster(s)
	}
	leave := func(who string, end int64) { e.Leaves(cross.person(who), end) }
	device := func(id, kind, place string) {
		if !strings.Contains(id, "/") {
			id = "Device/" + id
		}
		e.Device(id, kind, cross.find(place, "Location", "Organization"))
	}
	found := findings{}
	for _, t := range []struct {
		name string
		read func(io.Reader, func(int, string)) error
	}{
		{"hr.csv", func(r io.Reader, reject func(int, string)) error {
			m, err := staffMapping(f.dir)
			if err != nil {
				return err
			}
			var to foreign.Pupil = e
			end := func(bool) {}
			if f.staff != nil {
				to, end = f.staff()
			}
			people, err := foreign.Staff("hr.csv", r, m, cross.walk, to, f.left, reject)
			end(err == nil)
			n += people
			return err
		}},
		{"roster.csv", func(r io.Reader, reject func(int, string)) error { return roster(ctx, r, shift, reject) }},
		{"leavers.csv", func(r io.Reader, reject func(int, string)) error { return leavers(ctx, r, leave, reject) }},
		{"justified.csv", func(r io.Reader, reject func(int, string)) error { return justified(ctx, r, found.take, reject) }},
		{"devices.csv", func(r io.Reader, reject func(int, string)) error { return devices(ctx, r, device, reject) }},
	} {
		path := filepath.Join(f.dir, t.name)
		if f.wanted != nil && !f.wanted(path) {
			continue
		}
		var stop error
		err := open(path, func(r io.Reader) error {
			return t.read(r, func(line int, why string) { stop = cmp.Or(stop, f.reject(path, line, why)) })
		})
		if err = cmp.Or(stop, err); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return n, reading(err, t.name)
		}
	}
	found.tell(cross, e)
	return n, nil
}
