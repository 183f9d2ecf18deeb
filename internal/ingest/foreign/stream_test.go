package foreign

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/detect"
)

// taken is what came out of a stream.
type taken struct {
	events   []string
	learned  []string
	rejected []string
	report   Report
}

var kindNames = map[detect.Kind]string{detect.Other: "other", detect.Read: "read", detect.Search: "search", detect.Create: "create", detect.Update: "update",
	detect.Delete: "delete", detect.Export: "export", detect.Print: "print", detect.Operation: "operation", detect.Login: "login", detect.Logout: "logout", detect.Glass: "glass"}

// say writes an event as one line, what is empty left out.
func say(e *detect.Event) string {
	out := []string{time.Unix(e.Time, 0).UTC().Format("2006-01-02T15:04:05Z"), kindNames[e.Kind], e.Agent, strings.Join(e.Patients, "+")}
	for _, x := range [][2]string{{"device", e.Device}, {"role", e.Role}, {"place", e.Place}, {"purpose", e.Purpose}, {"section", e.Section}} {
		if x[1] != "" {
			out = append(out, x[0]+"="+x[1])
		}
	}
	for name, is := range map[string]bool{"failed": e.Failed, "machine": e.Machine, "incidental": e.Listed} {
		if is {
			out = append(out, name)
		}
	}
	return strings.Join(out, " ")
}

func take(t testing.TB, m *Mapping, zone string, walk *Crosswalk, files ...string) (got taken) {
	t.Helper()
	s := NewStream(Sinks{
		Event: func(e *detect.Event) { got.events = append(got.events, say(e)) },
		Learn: func(r detect.Record) {
			if r.Folk != nil {
				got.learned = append(got.learned, fmt.Sprintf("%s %s %s %s", r.Ref, r.Folk.Family, r.Folk.Street, r.Folk.Postal))
			} else {
				got.learned = append(got.learned, fmt.Sprintf("%s in %s", r.Patient, r.Ties[0].Party))
			}
		},
		Reject: func(file string, line int, why string) {
			got.rejected = append(got.rejected, fmt.Sprintf("%s %d %s", file, line, why))
		},
	}, walk)
	z, err := LoadZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range files {
		if err := s.Table(context.Background(), fmt.Sprint("f", i+1), strings.NewReader(text), m, z); err != nil {
			t.Fatal(err)
		}
	}
	got.report = s.Close()
	return got
}

func preset(t testing.TB, name string) *Mapping {
	m, err := Preset(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

const purviewHeader = "ACCESS_LOG.ACCESS_TIME\tACCESS_LOG_METRIC.METRIC_NAME\tACCESS_LOG.WORKSTATION_ID\tZC_METRIC_GROUP.NAME\tZC_ACCESS_ACTION.NAME\tPATIENT.PAT_MRN_ID\tPATIENT.PAT_FIRST_NAME\tPATIENT.PAT_LAST_NAME\tPATIENT.ADD_LINE_1\tPATIENT.CITY\tPATIENT.ZIP\tCLARITY_DEP.DEPARTMENT_NAME\tZC_BTG_REASON.NAME\tPAT_BTG_AUDIT.BTG_EXPLANATION\tEMP.SYSTEM_LOGIN\tCLARITY_EMP.USER_ID\temployee_last_name\temployee_first_name\n"

func TestEpicForPurview(t *testing.T) {
	walk := NewCrosswalk()
	walk.Add("Practitioner/a", "urn:ad", "JDOE")
	walk.Add("Patient/p", "urn:mrn", "100")
	got := take(t, preset(t, "epic-purview"), "America/New_York", walk, purviewHeader+
		"2026-03-02 09:00:00\tLogin to Hyperspace\tWS1\t\t\t\t\t\t\t\t\t\t\t\tjdoe\t7\tDoe\tJane\n"+
		"2026-03-02 09:01:00\tReport viewed\tWS1\tChart Review\tView\t100\tPaul\tPo\t1 High St\tX\t0123\tED\t\t\tHOSP\\jdoe\t7\tDoe\tJane\n"+
		"2026-03-02 09:02:00\tPatient List loaded\tWS1\t\t\t200\tQuin\tQu\t2 High St\tX\t0123\tED\tn/a\t\tjdoe@hosp.org\t7\tDoe\tJane\n"+
		"2026-03-02 09:03:00\tChart printed\tWS2\t\t\t200\tQuin\tQu\t2 High St\tX\t0123\tED\t\t\tmroe\t8\tRoe\tMax\n"+
		"2026-03-02 09:04:00\tSynopsis\tWS2\t\tModify\t200\tQuin\tQu\t2 High St\tX\t0123\tED\tEmergency\tin the trauma bay\tmroe\t8\tRoe\tMax\n"+
		"2026-03-02 09:05:00\tSynopsis opened\tWS2\t\t\t200\tQuin\tQu\t2 High St\tX\t0123\tED\tEmergency\tin the trauma bay\tmroe\t8\tRoe\tMax\n"+
		"2026-03-02 09:06:00\tSynopsis opened\tWS2\t\t\t200\tQuin\tQu\t2 High St\tX\t0123\tED\tEmergency\tin the trauma bay\tmroe\t8\tRoe\tMax\n"+
		"2026-03-02 09:07:00\tZebra crossing\tWS2\t\tView\t\tRena\tRu\t3 High St\tX\t0123\tED\t\t\tmroe\t8\tRoe\tMax\n"+
		"2026-03-02 09:08:00\tZebra crossing\tWS2\t\t\t\tRENA\tRu\t3 High St.\tX\t0123\tED\t\t\tmroe\t8\tRoe\tMax\n")
	rena := strings.TrimPrefix(strings.Fields(got.events[7])[3], "Patient/row:")
	same(t, "events", got.events, []string{
		"2026-03-02T14:00:00Z login Practitioner/a  device=Device/WS1",
		"2026-03-02T14:01:00Z read Practitioner/a Patient/p device=Device/WS1",
		"2026-03-02T14:02:00Z read Practitioner/a Patient/mrn:200 device=Device/WS1 incidental",
		"2026-03-02T14:03:00Z print Practitioner/login:mroe Patient/mrn:200 device=Device/WS2",
		"2026-03-02T14:04:00Z update Practitioner/login:mroe Patient/mrn:200 device=Device/WS2 purpose=ETREAT",
		"2026-03-02T14:05:00Z glass Practitioner/login:mroe Patient/mrn:200 device=Device/WS2 purpose=ETREAT",
		"2026-03-02T14:06:00Z read Practitioner/login:mroe Patient/mrn:200 device=Device/WS2 purpose=ETREAT",
		"2026-03-02T14:07:00Z read Practitioner/login:mroe Patient/row:" + rena + " device=Device/WS2",
		"2026-03-02T14:08:00Z read Practitioner/login:mroe Patient/row:" + rena + " device=Device/WS2",
	})
	if !strings.HasSuffix(rena, "-9") {
		t.Errorf("the patient without a number is %s, not of line 9", rena)
	}
	same(t, "learned", got.learned, []string{"Patient/mrn:200 Qu 2 High St 0123", "Practitioner/login:mroe Roe  ", "Patient/row:" + rena + " Ru 3 High St 0123"})
	if got.rejected != nil || got.report.UnknownPeople != 1 || got.report.UnknownPatients != 2 || !reflect.DeepEqual(got.report.UnknownActs, []Word{{"Zebra crossing", 2}}) {
		t.Errorf("%q %+v", got.rejected, got.report)
	}
}

func TestEpicForResearch(t *testing.T) {
	walk := NewCrosswalk()
	walk.Add("Patient/Z1", "", "Z1")
	got := take(t, preset(t, "epic-research"), "UTC", walk,
		"ACCESS_TIME,USER_ID,PAT_ID,METRIC_NAME,workstation\r\n\"3/2/2026 1:00:00 PM\",17,Z1,\"Chart Review, tab selected\",W-1\r\n3/2/2026 13:00:01,17,,In Basket List,W-1\r\n")
	same(t, "events", got.events, []string{"2026-03-02T13:00:00Z read Practitioner/employee:17 Patient/Z1 device=Device/W-1",
		"2026-03-02T13:00:01Z read Practitioner/employee:17  device=Device/W-1 incidental"})
}

func TestHealthcareForPurview(t *testing.T) {
	header := strings.Split("Creation Time,Event Name,Workstation Id,Event Section,Event Category,Patient Reg Id,Patient First Name,Patient Middle Name,Patient Last Name,Patient Address Line 1,Patient Address Line 2,Patient City,Patient Zip Code,Patient State,Patient Country,Patient Department,Restricted Access Reason,Restricted Access Comment,Email Address (UPN) or SamAccountName,Employee User Name,Employee Id,Employee Last Name,Employee First Name", ",")
	row := strings.Split("2026-03-02T09:00:00,Open chart,WS,Notes,Access,9,Ann,,Au,4 Low Rd,,X,77,,,ICU,Other,she asked me,kim@hosp.org,kim,12,Ko,Kim", ",")
	for name, sep := range map[string]string{"csv": ",", "psv": "|", "tsv": "\t"} {
		got := take(t, preset(t, "purview-healthcare"), "Europe/Vienna", NewCrosswalk(), strings.Join(header, sep)+"\n"+strings.Join(row, sep)+"\n")
		same(t, name, got.events, []string{"2026-03-02T08:00:00Z glass Practitioner/login:kim@hosp.org Patient/mrn:9 device=Device/WS purpose=BTG section=Notes"})
		same(t, name+" learned", got.learned, []string{"Practitioner/login:kim@hosp.org Ko  ", "Patient/mrn:9 Au 4 Low Rd 77"})
	}
}

func TestAlteraTouchWorks(t *testing.T) {
	got := take(t, preset(t, "altera-touchworks"), "UTC", NewCrosswalk(), "UserID,HostName,PatientID,OpenDTTM,CloseDTTM,ExposureTime,BreakGlassStartDTTM,BreakGlassExposure,BreakGlassReason,DeviceUsed,BreakType\n"+
		"ann,PC7,55,2026-03-02 09:00:00.000,2026-03-02 09:02:00.000,120,NULL,NULL,NULL,Desktop,NULL\n"+
		"ann,PC7,56,2026-03-02 09:03:00.000,2026-03-02 09:04:00.000,60,2026-03-02 09:03:00.000,60,Covering for Dr. Po,Desktop,\n"+
		"ann,,57,2026-03-02 09:05:00.000,,,1900-01-01 00:00:00.000,0,,Phone,\n")
	same(t, "events", got.events, []string{
		"2026-03-02T09:00:00Z read Practitioner/login:ann Patient/pid:55 device=Device/PC7",
		"2026-03-02T09:03:00Z glass Practitioner/login:ann Patient/pid:56 device=Device/PC7 purpose=TREAT",
		"2026-03-02T09:05:00Z read Practitioner/login:ann Patient/pid:57 device=Device/Phone"})
}

func TestOpenEMR(t *testing.T) {
	header := "id,date,event,user,groupname,comments,user_notes,patient_id,success,checksum,crt_user\n"
	got := take(t, preset(t, "openemr"), "UTC", NewCrosswalk(), header+
		"1,2026-03-02 09:00:00,login,admin,Default,\"success: 10.0.0.1\",,0,1,,\n"+
		"2,2026-03-02 09:00:01,login,eve,Default,\"failure\",,0,0,,\n"+
		"3,2026-03-02 09:00:02,patient-record-insert,admin,Default,,,12,1,,\n"+
		"4,2026-03-02 09:00:03,security-administration-select,admin,Default,,,NULL,1,,\n")
	same(t, "events", got.events, []string{
		"2026-03-02T09:00:00Z login Practitioner/login:admin  role=Default",
		"2026-03-02T09:00:01Z login Practitioner/login:eve  role=Default failed",
		"2026-03-02T09:00:02Z create Practitioner/login:admin Patient/pid:12 role=Default",
		"2026-03-02T09:00:03Z other Practitioner/login:admin  role=Default"})
	if len(got.report.Notes) != 1 || !strings.Contains(got.report.Notes[0], "does not record reads by default") {
		t.Errorf("a log without reads is not remarked on: %q", got.report.Notes)
	}
	got = take(t, preset(t, "openemr"), "UTC", NewCrosswalk(), header+"3,2026-03-02 09:00:02,patient-record-select,admin,Default,,,12,1,,\n")
	same(t, "events", got.events, []string{"2026-03-02T09:00:02Z read Practitioner/login:admin Patient/pid:12 role=Default"})
	if got.report.Notes != nil {
		t.Error(got.report.Notes)
	}
}

// clinic is a mapping of a system nobody has heard of.
func clinic(t testing.TB, more string) *Mapping {
	m, err := Parse("clinic.map", small+"kind print: druck\nkind skip: ping\nevent: what\nplace: station\npatient-family: name\npatient-unit: lies in\n"+more)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAMappingOfOnesOwn(t *testing.T) {
	walk := NewCrosswalk()
	walk.Add("Location/7", "", "Ward A")
	got := take(t, clinic(t, "header: no\ndevice: #1 + #2\nseparator: comma\ntime: #3\nperson login: #4\npatient mrn: #5\n"), "UTC", walk, "a,b,2026-01-01 00:00,eve,5\n,b,2026-01-01 00:01,eve,5\n")
	same(t, "columns by number", got.events, []string{"2026-01-01T00:00:00Z read Practitioner/login:eve Patient/mrn:5 device=Device/a b", "2026-01-01T00:01:00Z read Practitioner/login:eve Patient/mrn:5 device=Device/b"})
	got = take(t, clinic(t, ""), "UTC", walk, "at;who;chart;what;station;lies in;name\n2026-01-01 00:00;eve;5;Druck;ward a;Ward A;X\n2026-01-01 00:01;eve;5;PING;;;\n2026-01-01 00:02;eve;5;;Tower/B;Ward A;X\n")
	same(t, "places", got.events, []string{"2026-01-01T00:00:00Z print Practitioner/login:eve Patient/mrn:5 place=Location/7", "2026-01-01T00:02:00Z read Practitioner/login:eve Patient/mrn:5 place=Location/name:tower_b"})
	same(t, "what the row says of the patient", got.learned, []string{"Patient/mrn:5 X  ", "Patient/mrn:5 in Location/7"})
	if got.report.Skipped != 1 {
		t.Errorf("%+v", got.report)
	}
}

func TestJobsAreNoPeople(t *testing.T) {
	got := take(t, clinic(t, "machine: INTERFACE*\n"), "UTC", NewCrosswalk(), "sep=,\nat,who,chart\n2026-01-01 00:00,interface_adt,5\n2026-01-01 00:01,eve,5\n")
	same(t, "events", got.events, []string{"2026-01-01T00:00:00Z read Practitioner/login:interface_adt Patient/mrn:5 machine", "2026-01-01T00:01:00Z read Practitioner/login:eve Patient/mrn:5"})
}

func TestBadRowsAreNamedAndStopNothing(t *testing.T) {
	m := clinic(t, "")
	got := take(t, m, "UTC", NewCrosswalk(), "at,who,chart\n"+
		"2026-01-01 00:00,eve,5\n"+
		"yesterday,eve,5\n"+
		"2026-01-01 00:01,,5\n"+
		",eve,5\n"+
		"2026-01-01 00:02,eve,5,6,7\n"+
		"2026-01-01 00:03,eve\n"+
		"2026-01-01 00:04,\"e\"ve,5\n"+
		"2026-01-01 00:05,"+strings.Repeat("e", 300)+",5\n"+
		"\n"+
		"2026-01-01 00:06,eve,6,,\n"+
		"2026-01-01 00:07,\"eve,7\n")
	same(t, "rejected", got.rejected, []string{
		"f1 3 the time fits no layout of the mapping",
		"f1 4 nobody is named who acted",
		"f1 5 the time is empty or its column is missing",
		"f1 6 5 cells where the header has 3: a separator inside a cell wants quotes",
		"f1 8 a quote stands inside a quoted cell: double it",
		"f1 9 an identifier is longer than 256 bytes",
		"f1 12 a quote is opened and never closed",
	})
	same(t, "events", got.events, []string{"2026-01-01T00:00:00Z read Practitioner/login:eve Patient/mrn:5", "2026-01-01T00:03:00Z read Practitioner/login:eve ", "2026-01-01T00:06:00Z read Practitioner/login:eve Patient/mrn:6"})
}

func TestOrderDuplicatesAndWrongClocks(t *testing.T) {
	m := clinic(t, "")
	header := "at,who,chart\n"
	got := take(t, m, "UTC", NewCrosswalk(),
		header+"2026-01-01 10:00,a,1\n2026-01-01 10:04,a,2\n2026-01-01 10:02,a,3\n2026-01-01 10:04,a,2\n2026-01-01 10:30,a,4\n2026-01-01 10:10,a,5\n2031-01-01 10:00,a,6\n2026-01-01 10:40,a,7\n",
		header+"2026-01-01 10:40,a,7\n2026-01-01 10:41,a,8\n2026-02-01 10:00,a,9\n2026-02-01 10:01,a,10\n2026-02-01 10:02,a,11\n2026-02-01 10:03,a,12\n")
	same(t, "events", got.events, []string{
		"2026-01-01T10:00:00Z read Practitioner/login:a Patient/mrn:1",
		"2026-01-01T10:02:00Z read Practitioner/login:a Patient/mrn:3",
		"2026-01-01T10:04:00Z read Practitioner/login:a Patient/mrn:2",
		"2026-01-01T10:10:00Z read Practitioner/login:a Patient/mrn:5",
		"2026-01-01T10:30:00Z read Practitioner/login:a Patient/mrn:4",
		"2026-01-01T10:30:00Z read Practitioner/login:a Patient/mrn:6",
		"2026-01-01T10:40:00Z read Practitioner/login:a Patient/mrn:7",
		"2026-01-01T10:41:00Z read Practitioner/login:a Patient/mrn:8",
		"2026-02-01T10:00:00Z read Practitioner/login:a Patient/mrn:9",
		"2026-02-01T10:01:00Z read Practitioner/login:a Patient/mrn:10",
		"2026-02-01T10:02:00Z read Practitioner/login:a Patient/mrn:11",
		"2026-02-01T10:03:00Z read Practitioner/login:a Patient/mrn:12",
	})
	r := got.report
	if r.ClockFaults != 1 || !reflect.DeepEqual(r.ClockFaultsAt, []Place{{"f1", 8}}) {
		t.Errorf("%+v %q", r, got.rejected)
	}
	same(t, "rejected", got.rejected, []string{"f1 5 the same stood there before, byte by byte", "f2 2 the same stood there before, byte by byte"})
	if r.Rows != 14 || r.Duplicates != 2 || r.PutInOrder != 2 || r.OutOfOrder != 0 {
		t.Errorf("%+v", r)
	}
}

// A wrong clock in the very first row does not carry the log's time away; a log whose first rows lie days apart is no wrong clock.
func TestTheFirstRow(t *testing.T) {
	got := take(t, clinic(t, ""), "UTC", NewCrosswalk(), "at,who,chart\n2031-01-01 10:00,a,1\n2026-01-01 10:00,a,2\n2026-01-01 10:01,a,3\n2026-01-05 10:02,a,4\n2026-01-05 10:03,a,5\n")
	if len(got.events) != 5 || !strings.HasPrefix(got.events[0], "2026-01-01T10:00:00Z") || got.report.OutOfOrder != 0 || !reflect.DeepEqual(got.report.ClockFaultsAt, []Place{{"f1", 2}}) {
		t.Errorf("%q %+v", got.events, got.report)
	}
	for n := range 6 {
		text := "at,who,chart\n"
		for i := range n {
			text += fmt.Sprintf("2026-01-%02d 10:00,a,%d\n", 1+5*i, i)
		}
		if got := take(t, clinic(t, ""), "UTC", NewCrosswalk(), text); len(got.events) != n || got.report.ClockFaults != 0 {
			t.Errorf("%d rows: %q %q", n, got.events, got.rejected)
		}
	}
}

func TestAHeaderThatDoesNotFitIsWrongUse(t *testing.T) {
	m := clinic(t, "")
	s := NewStream(Sinks{}, NewCrosswalk())
	for text, want := range map[string]string{
		"at,chart\n":               "f: the header has no column for the person (who) as the format ours calls it: write a mapping with the names of your export and give it by --map",
		"\"at\"x,who\n":            "f: the header is no row of a table: a quote stands inside a quoted cell: double it",
		"who,chart,\"at ":          "f: the header is no row of a table: a quote is opened and never closed",
		strings.Repeat("x", 3<<20): "f: the first row is longer than a header can be: is it a table with a header?",
	} {
		if err := s.Table(context.Background(), "f", strings.NewReader(text), m, time.UTC); err == nil || err.Error() != want {
			t.Errorf("%.30q: %v", text, err)
		}
	}
	for _, text := range []string{"", "\n\n", "at,who,chart", "\ufeffat,who,chart\r\n"} {
		if err := s.Table(context.Background(), "f", strings.NewReader(text), m, time.UTC); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := s.Table(context.Background(), "f", strings.NewReader("at,who,chart\n2026-01-01 00:00,a,b\n"), m, nil); err == nil || !strings.Contains(err.Error(), "--zone America/New_York") {
		t.Error(err)
	}
}

func TestTwoWhoShareAnIdentifierAreNobody(t *testing.T) {
	walk := NewCrosswalk()
	walk.Add("Practitioner/a", "urn:1", "5")
	walk.Add("Practitioner/b", "urn:2", "5")
	walk.Add("Patient/p", "urn:1", "5")
	if ref, ok := walk.Find("Practitioner", []ID{{Label: "employee", Value: "5"}}); ok {
		t.Errorf("led to %s", ref)
	}
	if ref, _ := walk.Find("Practitioner", []ID{{Label: "employee", System: "urn:2", Value: "5"}}); ref != "Practitioner/b" {
		t.Errorf("its system does not tell them apart: %q", ref)
	}
	walk.Add("Patient/100", "", "100")
	walk.Add("Patient/100", "urn:mrn", "200")
	walk.Add("Patient/200", "", "200")
	walk.Add("Patient/200", "urn:mrn", "300")
	for number, want := range map[string]string{"100": "Patient/100", "200": "Patient/100", "300": "Patient/200"} {
		if ref, _ := walk.Find("Patient", []ID{{Label: "mrn", Value: number}}); ref != want {
			t.Errorf("number %s leads to %q, want %s", number, ref, want)
		}
	}
	walk.Add("Patient/q", "urn:oid:1.2", "8")
	walk.Add("Patient/r", "urn:oid:1.3", "8")
	if walk.Resolve("Patient/1.3:8") != "Patient/r" || walk.Resolve("Patient/1.4:5") != "Patient/p" {
		t.Error("an authority does not tell patients apart")
	}
	if _, ok := walk.Find("Patient", []ID{{System: "urn:oid:1.2", Value: "5"}}); ok {
		t.Error("the number of one authority led to another's patient")
	}
	if walk.Resolve("Patient/mrn:5") != "Patient/p" || walk.Resolve("Patient/x") != "Patient/x" || walk.Resolve("Patient/mrn:6") != "Patient/mrn:6" {
		t.Error("references are resolved wrongly")
	}
}

func TestTheSameOnOneCoreAndTwo(t *testing.T) {
	var b strings.Builder
	b.WriteString("at,who,chart,what\n")
	for i := range 60_000 {
		fmt.Fprintf(&b, "2026-01-%02d %02d:%02d,p%d,\"%d\",w%d\n", 1+i/6000, i/250%24, i*7%60, i%40, i%900, i%30)
	}
	was := runtime.GOMAXPROCS(1)
	one := take(t, clinic(t, ""), "Europe/Vienna", NewCrosswalk(), b.String())
	runtime.GOMAXPROCS(2)
	two := take(t, clinic(t, ""), "Europe/Vienna", NewCrosswalk(), b.String())
	runtime.GOMAXPROCS(was)
	if !reflect.DeepEqual(one, two) || len(one.events) < 50_000 {
		t.Errorf("%d and %d events differ", len(one.events), len(two.events))
	}
}
