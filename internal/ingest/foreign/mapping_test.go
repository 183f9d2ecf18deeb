package foreign

import (
	"strings"
	"testing"
)

const small = "format: ours\ntime: at\nlayout: yyyy-MM-dd HH:mm\nperson login: who\npatient mrn: chart\n"

func TestMappingsSayWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "x.map: the mapping has no name; begin with a line like `format: our-ehr`",
		"format: x":               "x.map: no column tells the time; add a line like `time: ACCESS_TIME`",
		"format: x\ntime: at":     "x.map: times have no layout; add a line like `layout: yyyy-MM-dd HH:mm:ss`",
		small + "nonsense":        "x.map, line 6: write `key: value`",
		small + "colour: red":     "x.map, line 6: there is no key `colour`; docs/formats/foreign-logs.md lists them",
		small + "\n# c\ndevice:":  "x.map, line 8: `device` has no value; leave the line out instead",
		small + "time x: y":       "x.map, line 6: `time` takes nothing before the colon",
		small + "separator: ;":    "x.map, line 6: separator is tab, comma, pipe, semicolon or auto",
		small + "zone: New York":  "x.map, line 6: zone is a name of the IANA database, for example America/New_York",
		small + "layout: HH:mm":   "x.map, line 6: the layout lacks the year, month or day",
		small + "person: x":       "x.map, line 6: write `person LABEL: COLUMN`, where the label names the kind of identifier, for example login or mrn",
		small + "kind peek: x":    "x.map, line 6: write `kind KIND: VALUE`",
		small + "kind read ago:x": "x.map, line 6: write `kind KIND: VALUE`",
		small + "encoding: latin": "x.map, line 6: encoding is utf-8, utf-16 or windows-1252",
		small + "device: #0":      "x.map, line 6: a column by number is #1, #2, ...",
		small + "device: ---":     "x.map, line 6: the column has no name",
		small + "quote: maybe":    "x.map, line 6: quote is yes or no",
		small + "system: x":       "x.map, line 6: write `system LABEL: URI`",
		"format: x\ntime: at\nlayout: unix\npatient mrn: c": "x.map: no column tells who acted; add a line like `person login: USER_LOGIN`",
		"format: x\ntime: at\nlayout: unix\nperson id: c":   "x.map: no column tells the patient; add a line like `patient mrn: MRN`",
	} {
		if _, err := Parse("x.map", text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		want           bool
	}{{"Report viewed", "REPORT_VIEWED", true}, {"*print*", "Chart Printed", true}, {"view*", "Preview", false}, {"*-select", "patient-record-select", true},
		{"a*b*c", "aXbXc", true}, {"a*b*c", "aXcXb", false}, {"*", "", true}, {"aa*aa", "aaa", false}} {
		if got := matches(foldPattern(c.pattern), fold(c.value)); got != c.want {
			t.Errorf("%s on %s: %v", c.pattern, c.value, got)
		}
	}
}

func TestPresets(t *testing.T) {
	if got := strings.Join(Presets(), " "); got != "altera-touchworks epic-purview epic-research openemr purview-healthcare" {
		t.Error(got)
	}
	for _, name := range Presets() {
		m, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(name, m.Text) // what is printed can be given back
		if err != nil || again.Name != name || again.About == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Preset("epic"); err == nil || !strings.Contains(err.Error(), "there is no format epic: there are fhir, atna, altera-touchworks,") {
		t.Error(err)
	}
}

func TestGuess(t *testing.T) {
	for header, want := range map[string]string{
		"ACCESS_LOG.ACCESS_TIME\tACCESS_LOG_METRIC.METRIC_NAME\tPATIENT.PAT_MRN_ID\tEMP.SYSTEM_LOGIN\n":                                                 "epic-purview",
		"ACCESS_TIME,USER_ID,PAT_ID,METRIC_NAME,WORKSTATION_ID\n2026":                                                                                   "epic-research",
		"Creation Time|Event Name|Patient Reg Id|SamAccountName|Restricted Access Reason\r\n":                                                           "purview-healthcare",
		"UserID,HostName,PatientID,OpenDTTM,CloseDTTM\n":                                                                                                "altera-touchworks",
		"id,date,event,user,groupname,comments,user_notes,patient_id,success\n":                                                                         "openemr",
		"\xff\xfeU\x00s\x00e\x00r\x00I\x00D\x00\t\x00P\x00a\x00t\x00i\x00e\x00n\x00t\x00I\x00D\x00\t\x00O\x00p\x00e\x00n\x00D\x00T\x00T\x00M\x00\n\x00": "altera-touchworks",
		"a,b,c\n": "", "": "", "\x00\x01\x02": "",
	} {
		got := ""
		if m := GuessStart([]byte(header)); m != nil {
			got = m.Name
		}
		if got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func FuzzMapping(f *testing.F) {
	f.Add(small + "kind read machine: *x*\npurpose ETREAT: *e*\nsystem mrn: urn:x\ndevice: #3\ndata: A + B\n")
	for _, name := range Presets() {
		f.Add(presets[name].Text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := Parse("x", s)
		if err != nil {
			if strings.Contains(err.Error(), "\n") && !strings.Contains(s, "\r") {
				t.Errorf("an error of two lines: %q", err)
			}
			return
		}
		b, _ := m.bind([]string{"at", "who", "chart"})
		b.sep = ','
		_, _ = b.read("2026-01-01 00:00,x,y", nil)
	})
}
