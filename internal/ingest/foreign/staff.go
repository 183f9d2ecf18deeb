package foreign

import (
	"bufio"
	"io"
	"strings"
	"time"

	"chartwarden/internal/detect"
	"chartwarden/internal/outcome"
)

// staffFields are the keys of a mapping of people that name a column, with what the cell is.
var staffFields = map[string]string{
	"person-family": "family name",
	"person-given":  "given name",
	"person-birth":  "birth date",
	"person-street": "the first line of the home address",
	"person-postal": "postal code",
	"person-phone":  "telephone number",
	"department":    "where the person works",
	"role":          "as what",
	"start":         "the first day",
	"end":           "the last day",
	"manager":       "identifier of the manager",
	"person-mail":   "mail address at work",
}

const ownStaff = `format: hr
separator: auto
person employee: employee id
person login: login
person-family: family
person-given: given
person-birth: birth date
person-street: street
person-postal: postal code
person-phone: phone
department: department
role: role
start: start
end: end
manager: manager
person-mail: mail
layout: yyyy-MM-dd
empty: NULL
`

// StaffMapping is how a table of people is read that has the columns of docs/formats/foreign-logs.md.
func StaffMapping() *Mapping {
	m, err := ParseStaff("hr.map", ownStaff)
	if err != nil {
		panic(err) // it is part of the program
	}
	return m
}

// ParseStaff reads a mapping of a table of people. Errors: as Parse's.
func ParseStaff(name, text string) (*Mapping, error) {
	m, err := parse(name, text, true)
	switch {
	case err != nil:
		return nil, err
	case len(m.people) == 0:
		return nil, outcome.New(outcome.Invalid, name+": no column tells who a row is about; add a line like `person employee: EMPLOYEE_ID`")
	case len(m.layouts) == 0 && len(m.columns["start"])+len(m.columns["end"])+len(m.columns["person-birth"]) > 0:
		return nil, outcome.New(outcome.Invalid, name+": days have no layout; add a line like `layout: M/d/yyyy`")
	}
	return m, nil
}

// Pupil is told what a table of people says.
type Pupil interface {
	Learn(detect.Record)
	Leaves(person string, from int64)
}

// Staff tells p of the people in a table: who they are, where they work as what, and when they left; and walk of their identifiers. A row
// whose identifier the context knows adds to that person, any other makes one. n is how many rows were taken. What is no row goes to reject,
// with its line. left holds whom the table said to have left when it was read before: one whose post is open again Leaves from 0, which is
// never. It is nil for a table that is read once. Errors: outcome.Invalid when the header does not fit the mapping, the reader's.
func Staff(file string, r io.Reader, m *Mapping, walk *Crosswalk, p Pupil, left map[string]bool, reject func(line int, why string)) (n int, err error) {
	s := staff{walk: walk, pupil: p, last: map[string]int64{}, left: left}
	n, err = people(file, r, m, func(b *binding, row string) string { s.b = b; return s.row(row) }, reject)
	s.leave()
	return n, err
}

// people gives each row of a table of people, and counts those that were taken.
func people(file string, r io.Reader, m *Mapping, take func(b *binding, row string) (why string), reject func(line int, why string)) (n int, err error) {
	in := bufio.NewReaderSize(decode(r, m.Encoding), 64<<10)
	b, first, err := m.header(in, file)
	if b == nil || err != nil {
		return 0, err
	}
	err = blocks(in, b.sep, m.Quote, first, func(bl block) bool {
		if bl.why != "" {
			reject(bl.first, bl.why)
			return true
		}
		for text, line := bl.text, bl.first; text != ""; {
			end, _, _ := rowEnd(text, b.sep, m.Quote, true)
			row := text[:end]
			text = text[end:]
			if strings.TrimSpace(row) != "" {
				if why := take(b, row); why != "" {
					reject(line, why)
				} else {
					n++
				}
			}
			line += strings.Count(row, "\n")
		}
		return true
	})
	return n, err
}

// identified are the identifiers of whom a row is about.
func (b *binding) identified(cells []string) (ids []ID) {
	for _, slot := range b.people {
		if v := b.cell(cells, slot); v != "" && len(v) <= widest {
			ids = append(ids, ID{slot.label, slot.system, v})
		}
	}
	return ids
}

const nobody = "no identifier says who the row is about"

// Reporting is who answers for the work of somebody in a table of people, and where mail reaches her. Empty: the table does not say.
type Reporting struct {
	IDs           []ID
	Manager, Mail string // the manager is named by one of the identifiers of a row
}

// Managers gives the rows of a table of people that name a manager or an address and whose post has not ended at now, a Unix time.
// Errors: as [Staff].
func Managers(file string, r io.Reader, m *Mapping, now int64, each func(Reporting), reject func(line int, why string)) (int, error) {
	return people(file, r, m, func(b *binding, row string) string {
		cells, why := split(row, b.sep, b.m.Quote, nil)
		if why != "" {
			return why
		}
		x := Reporting{b.identified(cells), b.get(cells, "manager"), b.get(cells, "person-mail")}
		if len(x.IDs) == 0 {
			return nobody
		}
		if text := b.get(cells, "end"); text != "" {
			end, why := b.m.day(text)
			if why != "" {
				return "end: " + why
			}
			if end+86400 <= now {
				return ""
			}
		}
		each(x)
		return ""
	}, reject)
}

type staff struct {
	b     *binding
	walk  *Crosswalk
	pupil Pupil
	order []string         // people, as they came
	last  map[string]int64 // the day after each one's last, 0 while one of her posts is open
	left  map[string]bool  // who left by an earlier reading; may be nil
}

const open = 0

func (s *staff) row(row string) string {
	b := s.b
	cells, why := split(row, b.sep, b.m.Quote, nil)
	if why != "" {
		return why
	}
	ids := b.identified(cells)
	if len(ids) == 0 {
		return nobody
	}
	var days [3]int64
	for i, field := range []string{"start", "end", "person-birth"} {
		text := b.get(cells, field)
		if text == "" {
			continue
		}
		if days[i], why = b.m.day(text); why != "" {
			return field + ": " + why
		}
	}
	start, end := days[0], days[1]
	if end != 0 && end < start {
		return "the last day lies before the first"
	}
	ref, known := s.walk.Find("Practitioner", ids)
	if !known {
		ref = Own("Practitioner", ids[0])
	}
	// a directory's addresses are those of the house; where HR knows the home it knows better
	if family, street := b.get(cells, "person-family"), b.get(cells, "person-street"); !known || family != "" && street != "" {
		f := &detect.Folk{Ref: ref, Family: family, Given: b.get(cells, "person-given"), Street: street, Postal: b.get(cells, "person-postal")}
		if days[2] != 0 {
			f.Birth = time.Unix(days[2], 0).UTC().Format(time.DateOnly)
		}
		if phone := b.get(cells, "person-phone"); phone != "" {
			f.Phones = []string{phone}
		}
		s.pupil.Learn(detect.Record{Ref: ref, Folk: f})
	}
	for _, id := range ids {
		s.walk.Add(ref, id.System, id.Value)
	}
	if role, unit := short(b.get(cells, "role")), short(b.get(cells, "department")); role != "" || unit != "" {
		post := &detect.Post{Person: ref, Role: role, From: start, To: end}
		if end != 0 {
			post.To += 86400
		}
		if unit != "" {
			post.Units = []string{s.walk.unit(unit)}
		}
		s.pupil.Learn(detect.Record{Ref: Own("PractitionerRole", ID{"hr", "", ref + " " + unit + " " + role}), Known: start, Post: post})
	}
	was, met := s.last[ref]
	switch {
	case !met:
		s.order = append(s.order, ref)
		s.last[ref] = end
	case end == 0 || was == open:
		s.last[ref] = open
	default:
		s.last[ref] = max(was, end)
	}
	return ""
}

// leave tells who left: those all of whose posts ended; and who did not after all.
func (s *staff) leave() {
	for _, ref := range s.order {
		if end := s.last[ref]; end != open {
			s.pupil.Leaves(ref, end+86400)
			if s.left != nil {
				s.left[ref] = true
			}
		} else if s.left[ref] {
			s.pupil.Leaves(ref, 0)
			delete(s.left, ref)
		}
	}
}

// day reads a day as seconds at its midnight UTC. Days of birth lie before any access, so the century is not checked further.
func (m *Mapping) day(s string) (sec int64, why string) {
	for i := range m.layouts {
		if sec, _, ok := m.layouts[i].read(s); ok {
			return sec - (sec%86400+86400)%86400, ""
		}
	}
	return 0, "a day fits no layout of the mapping"
}
