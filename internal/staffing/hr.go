package staffing

import (
	"bytes"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// Row is one person of an HR file (docs/formats/hr-file.md).
type Row struct {
	Line         int
	Employee     string // the key, which never changes
	Person       string // id of somebody here whom no file brought yet: she is taken on
	Name         string
	SignIn       string
	Roles        []string // nil: the file says nothing of roles
	Unit         string
	Practitioner string
	Manager      string // employee number
	Mail         string
	Start, End   time.Time      // End is the first moment at which she does not work here any more
	Overlap      *time.Duration // how long roles that she loses stay beside new ones; nil: as the site does
}

// Fault is a line that cannot be used, and the mend.
type Fault struct {
	Line int    `json:"line"`
	What string `json:"what"`
}

// Bounds of a file.
const (
	largestFile = 16 << 20
	mostRows    = 100_000
)

// columns are the names of a header; a file may have others as spare names.
var columns = map[string]string{"employee": "employee", "employee_number": "employee", "name": "name", "sign_in": "sign_in", "sign_in_name": "sign_in", "roles": "roles", "unit": "unit", "department": "unit",
	"practitioner": "practitioner", "manager": "manager", "mail": "mail", "start": "start", "end": "end", "person": "person", "overlap": "overlap", "overlap_days": "overlap"}

// ReadHR reads an HR file. Every line that cannot be used is a fault; who gets any writes nothing. zone is where days begin and end.
// Errors: outcome.Invalid: it is no such file at all.
func ReadHR(text []byte, zone *time.Location) ([]Row, []Fault, error) {
	not := func(why string) ([]Row, []Fault, error) { return nil, nil, outcome.New(outcome.Invalid, why) }
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if len(text) > largestFile || !utf8.Valid(text) {
		return not("the file is larger than 16 MiB, or no UTF-8 text: save it as CSV in UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	if first, _, _ := bytes.Cut(text, []byte("\n")); bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		r.Comma = ';'
	}
	header, err := r.Read()
	if err != nil {
		return not("the file has no header: begin with employee,name,sign_in,roles,unit,start,end")
	}
	at := map[string]int{}
	for i, h := range header {
		name := columns[strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(h)))]
		if name == "" {
			return not("there is no column " + quoted(h) + ": the columns are employee, name, sign_in, roles, unit, practitioner, manager, mail, start, end, person, overlap")
		}
		if _, twice := at[name]; twice {
			return not("the column " + name + " is there twice")
		}
		at[name] = i
	}
	for _, must := range []string{"employee", "name"} {
		if _, ok := at[must]; !ok {
			return not("the column " + must + " is missing")
		}
	}
	var rows []Row
	var faults []Fault
	seen := map[string]int{}
	for {
		fields, err := r.Read()
		if err == io.EOF {
			break
		}
		line := 0
		if len(fields) > 0 {
			line, _ = r.FieldPos(0)
		}
		bad := func(what string) { faults = append(faults, Fault{line, what}) }
		if err != nil {
			if e, ok := err.(*csv.ParseError); ok {
				line = e.Line
			}
			bad("quotation marks do not match: double those inside a value")
			break // what follows is guessed at
		}
		if len(fields) != len(header) {
			bad("the line has another number of values than the header")
			continue
		}
		if len(rows) >= mostRows {
			return not("the file has more than 100,000 people")
		}
		row, what := readRow(fields, at, zone)
		if row.Line = line; what != "" {
			bad(what)
			continue
		}
		if before, twice := seen["e "+row.Employee]; twice {
			bad("the employee number stands in line " + strconv.Itoa(before) + " already")
			continue
		}
		if before, twice := seen["s "+row.SignIn]; twice && row.SignIn != "" {
			bad("the sign-in name stands in line " + strconv.Itoa(before) + " already")
			continue
		}
		seen["e "+row.Employee], seen["s "+row.SignIn] = line, line
		rows = append(rows, row)
	}
	for _, row := range rows {
		if _, ok := seen["e "+row.Manager]; row.Manager != "" && !ok {
			faults = append(faults, Fault{row.Line, "the manager's employee number is not in the file: add her, or leave it empty"})
		}
	}
	slices.SortStableFunc(faults, func(a, b Fault) int { return a.Line - b.Line })
	return rows, faults, nil
}

func readRow(fields []string, at map[string]int, zone *time.Location) (row Row, bad string) {
	get := func(name string) string {
		i, ok := at[name]
		if !ok {
			return ""
		}
		return strings.Join(strings.Fields(fields[i]), " ")
	}
	row = Row{Employee: get("employee"), Person: get("person"), Name: get("name"), SignIn: strings.ToLower(get("sign_in")), Unit: get("unit"), Practitioner: get("practitioner"), Manager: get("manager"), Mail: get("mail")}
	switch {
	case row.Employee == "" || len(row.Employee) > 100:
		return row, "the employee number is missing, or longer than 100 bytes"
	case row.Name == "" || len(row.Name) > 200:
		return row, "the name is missing, or longer than 200 bytes"
	case len(row.Unit) > 200:
		return row, "the unit is longer than 200 bytes"
	case row.Manager == row.Employee:
		return row, "nobody is her own manager: leave it empty"
	}
	if _, ok := at["roles"]; ok {
		row.Roles = []string{}
		for _, role := range strings.FieldsFunc(get("roles"), func(c rune) bool { return c == ' ' || c == ',' || c == ';' || c == '|' }) {
			if !slices.Contains(identity.Roles(), role) || role == identity.Patient {
				return row, "there is no role " + quoted(role) + " at work: " + strings.Join(identity.Roles()[:len(identity.Roles())-1], " ")
			}
			if !slices.Contains(row.Roles, role) {
				row.Roles = append(row.Roles, role)
			}
		}
		slices.Sort(row.Roles)
	}
	if why := identity.FaultOf(identity.NewPerson{Name: row.Name, SignInName: row.SignIn, Roles: row.Roles, Practitioner: row.Practitioner, Mail: row.Mail}); why != nil {
		return row, why.Error()
	}
	if text := get("overlap"); text != "" {
		overlap, err := ParseOverlap(text)
		if err != nil {
			return row, err.Error()
		}
		row.Overlap = &overlap
	}
	for name, to := range map[string]*time.Time{"start": &row.Start, "end": &row.End} {
		text := get(name)
		if text == "" {
			continue
		}
		moment, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil {
			if moment, err = time.Parse(time.RFC3339, text); err != nil {
				return row, "write " + name + " as 2026-11-22 or 2026-11-22T18:00:00+01:00"
			}
		} else if name == "end" {
			moment = moment.AddDate(0, 0, 1) // the last day is worked
		}
		*to = moment.UTC()
	}
	if !row.End.IsZero() && row.End.Before(row.Start) {
		return row, "the end is before the start"
	}
	return row, ""
}

// ParseOverlap reads for how many days old roles stay beside new ones. Errors: outcome.Value.
func ParseOverlap(days string) (time.Duration, error) {
	n, err := strconv.Atoi(days)
	if overlap := time.Duration(n) * 24 * time.Hour; err == nil && n >= 0 && n <= int(identity.LongestOverlap/(24*time.Hour)) {
		return overlap, nil
	}
	return 0, outcome.New(outcome.Value, "write the overlap in whole days, 0 to 92")
}

func quoted(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return `"` + strings.ToValidUTF8(s, "") + `"`
}
