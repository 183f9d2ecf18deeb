package foreign

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/detect"
)

// clerk writes down what it is told.
type clerk struct{ told []string }

func (c *clerk) Learn(r detect.Record) {
	if f := r.Folk; f != nil {
		c.told = append(c.told, fmt.Sprintf("%s is %s %s born %s of %s %s, %s", f.Ref, f.Given, f.Family, f.Birth, f.Street, f.Postal, strings.Join(f.Phones, " ")))
	}
	if p := r.Post; p != nil {
		c.told = append(c.told, fmt.Sprintf("%s works as %s in %s %s to %s", p.Person, p.Role, strings.Join(p.Units, "+"), dayOf(p.From), dayOf(p.To)))
	}
}

func (c *clerk) Leaves(who string, from int64) {
	c.told = append(c.told, who+" left before "+dayOf(from))
}

func dayOf(sec int64) string {
	if sec == 0 {
		return "-"
	}
	return time.Unix(sec, 0).UTC().Format(time.DateOnly)
}

func TestStaff(t *testing.T) {
	walk := NewCrosswalk()
	walk.Add("Practitioner/a", "", "17")
	walk.Add("Organization/7", "", "Cardiology")
	c, rejected := &clerk{}, []string{}
	n, err := Staff("hr.csv", strings.NewReader("employee id,login,family,given,birth date,street,postal code,phone,department,role,start,end,manager\n"+
		"17,JDOE,Doe,Jane,1980-02-03,1 High St,0123,555-1,cardiology,nurse,2019-05-01,,20\n"+
		"18,mroe,Roe,Max,1950-12-31,2 High St,0123,,Laundry,porter,2018-01-01,2026-03-10,20\n"+
		"19,,Moe,Liz,,,,,Laundry,porter,2018-01-01,2026-01-31,20\n"+
		"19,lmoe,Moe,Liz,,,,,Cardiology,porter,2026-02-01,,20\n"+
		",,Nobody,,,,,,,,,,\n"+
		"20,x,X,Y,soon,,,,,,,,\n"+
		"21,y,X,Y,,,,,,,2026-02-01,2026-01-01,\n"), StaffMapping(), walk, c, nil, func(line int, why string) { rejected = append(rejected, fmt.Sprint(line, " ", why)) })
	if n != 4 || err != nil {
		t.Error(n, err)
	}
	same(t, "told", c.told, []string{
		"Practitioner/a is Jane Doe born 1980-02-03 of 1 High St 0123, 555-1",
		"Practitioner/a works as nurse in Organization/7 2019-05-01 to -",
		"Practitioner/employee:18 is Max Roe born 1950-12-31 of 2 High St 0123, ",
		"Practitioner/employee:18 works as porter in Location/name:laundry 2018-01-01 to 2026-03-11",
		"Practitioner/employee:19 is Liz Moe born  of  , ",
		"Practitioner/employee:19 works as porter in Location/name:laundry 2018-01-01 to 2026-02-01",
		"Practitioner/employee:19 works as porter in Organization/7 2026-02-01 to -",
		"Practitioner/employee:18 left before 2026-03-11",
	})
	same(t, "rejected", rejected, []string{"6 no identifier says who the row is about", "7 person-birth: a day fits no layout of the mapping", "8 the last day lies before the first"})
	for login, want := range map[string]string{"jdoe": "Practitioner/a", "HOSP\\mroe": "Practitioner/employee:18", "lmoe@hosp.org": "Practitioner/employee:19"} {
		if ref, _ := walk.Find("Practitioner", []ID{{Label: "login", Value: login}}); ref != want {
			t.Errorf("%s leads to %q, want %s", login, ref, want)
		}
	}
}

func TestStaffByAMappingOfOnesOwn(t *testing.T) {
	m, err := ParseStaff("hr.map", "separator: semicolon\nperson nr: PERSNR\nperson-family: NAME\nend: AUSTRITT\nlayout: dd.MM.yyyy\n")
	if err != nil {
		t.Fatal(err)
	}
	c := &clerk{}
	if _, err := Staff("hr.csv", strings.NewReader("PersNr;Name;Austritt\n5;Huber;31.12.2025\n"), m, NewCrosswalk(), c, nil, nil); err != nil {
		t.Fatal(err)
	}
	same(t, "told", c.told, []string{"Practitioner/nr:5 is  Huber born  of  , ", "Practitioner/nr:5 left before 2026-01-01"})
	for text, want := range map[string]string{
		"role: ROLE":                       "hr.map: no column tells who a row is about",
		"person nr: N\nstart: S":           "hr.map: days have no layout",
		"person nr: N\ndevice: S":          "hr.map, line 2: there is no key `device`",
		"person nr: N\nlayout: MM/dd":      "hr.map, line 2: the layout lacks the year, month or day",
		"person nr: N\nlayout: yyyy-MM-DD": "hr.map, line 2: a layout is written with",
	} {
		if _, err := ParseStaff("hr.map", text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := Staff("hr.csv", strings.NewReader("name\n"), StaffMapping(), NewCrosswalk(), c, nil, nil); err == nil || !strings.Contains(err.Error(), "no column for the identifier of a person (employee id or login)") {
		t.Error(err)
	}
}

func FuzzStaff(f *testing.F) {
	f.Add("employee id,start,end,birth date\n1,2019-01-01,,1950-01-01\n\"2")
	f.Fuzz(func(t *testing.T, s string) {
		_, _ = Staff("hr.csv", strings.NewReader(s), StaffMapping(), NewCrosswalk(), &clerk{}, nil, func(int, string) {})
	})
}
