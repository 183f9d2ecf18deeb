package foreign

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/detect"
	"chartwarden/internal/outcome"
)

// Mapping says how the rows of one system's export are read. docs/formats/foreign-logs.md describes the text that it is parsed from.
type Mapping struct {
	Name, About string
	Text        string // what it was parsed from
	Separator   byte   // 0: the one that the header has most of
	Quote       bool   // cells may stand in double quotes
	Header      bool
	Encoding    string // utf-8, utf-16, windows-1252; a byte order mark goes before it
	Zone        string // IANA name, of times that say none; "" must be given with the file
	NoReads     string // what to say when no row is a read

	staff    bool // of a table of people, not of accesses
	layouts  []layout
	columns  map[string][]column
	people   []column
	patients []column
	kinds    []rule
	purposes []rule
	failed   []string
	noGlass  []string
	empty    []string
	machines []string
	systems  map[string]string
}

// column is where a field stands: one name of the header, or several whose cells are joined by spaces.
type column struct {
	label string // of identifiers: login, employee, mrn
	parts []string
}

// rule gives meaning to the values that its pattern matches.
type rule struct {
	pattern string // folded, with * for any run
	kind    detect.Kind
	class   string
	skip    bool
	code    string
}

// fields are the keys that name a column, with what the cell is.
var fields = map[string]string{
	"time":           "when it happened",
	"id":             "the row's own number, unique in the system",
	"event":          "what was done; several lines are asked in order",
	"device":         "the workstation",
	"address":        "the network address",
	"role":           "the role in which the person acted",
	"place":          "where the person says to work at that moment",
	"section":        "the part of the chart",
	"data":           "the record concerned",
	"rows":           "how many rows were read",
	"bytes":          "how many bytes were read",
	"outcome":        "whether it succeeded",
	"purpose":        "what for",
	"glass":          "filled in when the glass was broken",
	"patient-family": "the patient's family name",
	"patient-given":  "the patient's given name",
	"patient-birth":  "the patient's birth date, YYYY-MM-DD",
	"patient-street": "the first line of the patient's address",
	"patient-postal": "the postal code of the patient's address",
	"patient-phone":  "the patient's telephone number",
	"patient-unit":   "the department in which the patient is",
	"person-family":  "the person's family name",
	"person-given":   "the person's given name",
}

var kinds = map[string]detect.Kind{"read": detect.Read, "search": detect.Search, "create": detect.Create, "update": detect.Update, "delete": detect.Delete,
	"export": detect.Export, "print": detect.Print, "operation": detect.Operation, "login": detect.Login, "logout": detect.Logout, "glass": detect.Glass, "other": detect.Other}

var separators = map[string]byte{"tab": '\t', "comma": ',', "pipe": '|', "semicolon": ';', "auto": 0}

// Parse reads a mapping. name stands in its errors, which are outcome.Invalid and name the line and the mend.
func Parse(name, text string) (*Mapping, error) {
	m, err := parse(name, text, false)
	if err != nil {
		return nil, err
	}
	switch {
	case m.Name == "":
		return nil, outcome.New(outcome.Invalid, name+": the mapping has no name; begin with a line like `format: our-ehr`")
	case len(m.columns["time"]) == 0:
		return nil, outcome.New(outcome.Invalid, name+": no column tells the time; add a line like `time: ACCESS_TIME`")
	case len(m.layouts) == 0:
		return nil, outcome.New(outcome.Invalid, name+": times have no layout; add a line like `layout: yyyy-MM-dd HH:mm:ss`")
	case len(m.people) == 0:
		return nil, outcome.New(outcome.Invalid, name+": no column tells who acted; add a line like `person login: USER_LOGIN`")
	case len(m.patients) == 0 && len(m.columns["patient-family"]) == 0:
		return nil, outcome.New(outcome.Invalid, name+": no column tells the patient; add a line like `patient mrn: MRN`")
	}
	return m, nil
}

func parse(name, text string, staff bool) (*Mapping, error) {
	m := &Mapping{Text: text, staff: staff, Quote: true, Header: true, columns: map[string][]column{}, systems: map[string]string{}}
	number := 0
	for one := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		number++
		one = strings.TrimSpace(one)
		if one == "" || one[0] == '#' {
			continue
		}
		if err := m.line(one); err != "" {
			return nil, outcome.New(outcome.Invalid, fmt.Sprintf("%s, line %d: %s", name, number, err))
		}
	}
	return m, nil
}

// line takes one `key [qualifier]: value`; it returns what is wrong, or "".
func (m *Mapping) line(one string) string {
	head, value, ok := strings.Cut(one, ":")
	words, value := strings.Fields(head), strings.TrimSpace(value)
	if !ok || len(words) == 0 {
		return "write `key: value`"
	}
	key, rest := words[0], words[1:]
	if value == "" {
		return "`" + head + "` has no value; leave the line out instead"
	}
	if len(rest) > 0 && !slices.Contains([]string{"person", "patient", "kind", "purpose", "system"}, key) {
		return "`" + key + "` takes nothing before the colon"
	}
	switch key {
	case "format":
		m.Name = value
	case "about":
		m.About = value
	case "without-reads":
		m.NoReads = value
	case "separator":
		sep, known := separators[value]
		if !known {
			return "separator is tab, comma, pipe, semicolon or auto"
		}
		m.Separator = sep
	case "quote":
		if value != "yes" && value != "no" {
			return "quote is yes or no"
		}
		m.Quote = value == "yes"
	case "header":
		if value != "yes" && value != "no" {
			return "header is yes or no; without one name columns #1, #2, ..."
		}
		m.Header = value == "yes"
	case "encoding":
		if !slices.Contains([]string{"utf-8", "utf-16", "windows-1252"}, value) {
			return "encoding is utf-8, utf-16 or windows-1252"
		}
		m.Encoding = value
	case "zone":
		if _, err := LoadZone(value); err != nil {
			return "zone is a name of the IANA database, for example America/New_York"
		}
		m.Zone = value
	case "layout":
		l, why := parseLayout(value, m.staff)
		if why != "" {
			return why
		}
		m.layouts = append(m.layouts, l)
	case "person", "patient":
		return m.identifier(key, rest, value)
	case "system":
		if len(rest) != 1 {
			return "write `system LABEL: URI`, with the label of a person or patient line"
		}
		m.systems[rest[0]] = value
	case "kind":
		return m.kind(rest, value)
	case "purpose":
		if len(rest) == 1 {
			m.purposes = append(m.purposes, rule{pattern: foldPattern(value), code: rest[0]})
			return ""
		}
		return m.column(key, value)
	case "failed":
		m.failed = append(m.failed, foldPattern(value))
	case "no-glass":
		m.noGlass = append(m.noGlass, foldPattern(value))
	case "machine":
		m.machines = append(m.machines, foldPattern(value))
	case "empty":
		m.empty = append(m.empty, value)
	default:
		return m.column(key, value)
	}
	return ""
}

func (m *Mapping) column(key, value string) string {
	known := fields
	if m.staff {
		known = staffFields
	}
	if known[key] == "" {
		return "there is no key `" + key + "`; docs/formats/foreign-logs.md lists them"
	}
	c, why := m.place("", value)
	if why == "" {
		m.columns[key] = append(m.columns[key], c)
	}
	return why
}

func (m *Mapping) identifier(key string, rest []string, value string) string {
	if len(rest) != 1 || strings.ContainsAny(rest[0], "/:\"") {
		return "write `" + key + " LABEL: COLUMN`, where the label names the kind of identifier, for example login or mrn"
	}
	c, why := m.place(rest[0], value)
	switch {
	case why != "":
		return why
	case key == "person":
		m.people = append(m.people, c)
	default:
		m.patients = append(m.patients, c)
	}
	return ""
}

func (m *Mapping) place(label, value string) (column, string) {
	c := column{label: label}
	for part := range strings.SplitSeq(value, " + ") {
		part = strings.TrimSpace(part)
		if n, ok := strings.CutPrefix(part, "#"); ok {
			if i, err := strconv.Atoi(n); err != nil || i < 1 || i > maxColumns {
				return c, "a column by number is #1, #2, ..."
			}
		} else if fold(part) == "" {
			return c, "the column has no name"
		}
		c.parts = append(c.parts, part)
	}
	return c, ""
}

func (m *Mapping) kind(rest []string, value string) string {
	const form = "write `kind KIND: VALUE` or `kind KIND incidental|machine: VALUE`; KIND is read, search, create, update, delete, export, print, operation, login, logout, glass, other or skip"
	if len(rest) < 1 || len(rest) > 2 {
		return form
	}
	r := rule{pattern: foldPattern(value), skip: rest[0] == "skip"}
	var known bool
	if r.kind, known = kinds[rest[0]]; !known && !r.skip {
		return form
	}
	if len(rest) == 2 {
		if r.class = rest[1]; !slices.Contains([]string{"deliberate", "incidental", "machine"}, r.class) {
			return form
		}
	}
	m.kinds = append(m.kinds, r)
	return ""
}

// fold leaves letters and digits in lower case: `Creation Time` and `CREATION_TIME` are one name.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r > 127:
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, s)
}

func foldPattern(s string) string {
	parts := strings.Split(s, "*")
	for i := range parts {
		parts[i] = fold(parts[i])
	}
	return strings.Join(parts, "*")
}

// matches reports whether a folded value fits a folded pattern.
func matches(pattern, s string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	if !strings.HasPrefix(s, first) {
		return false
	}
	s = s[len(first):]
	for {
		part, more, star := strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(s, part)
		}
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(part):], more
	}
}
