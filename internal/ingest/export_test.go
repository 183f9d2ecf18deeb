package ingest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/detect"
	"chartwarden/internal/simulate"
)

// An export writes a simulated log as another system would, with that system's identifiers: login l-x and employee number e-x of
// Practitioner/x, number m-x of Patient/x. keep is what of an event such an export can carry; false: no row at all.
type export struct {
	header string
	row    func(b []byte, e *detect.Event, who, whom string, zone *time.Location) []byte
	keep   func(e *detect.Event) bool
}

var metrics = map[detect.Kind]string{detect.Other: "Secured", detect.Read: "Report viewed", detect.Search: "Patient lookup", detect.Create: "Note created",
	detect.Update: "Note edited", detect.Delete: "Note deleted", detect.Export: "Chart exported", detect.Print: "Chart printed", detect.Operation: "SlicerDicer run",
	detect.Login: "Login", detect.Logout: "Logout", detect.Glass: "Report viewed"}

// stripped leaves what every layout carries: who, whom, when, what, and the workstation. The role comes from the context.
func stripped(e *detect.Event) {
	*e = detect.Event{Time: e.Time, Kind: e.Kind, Agent: e.Agent, Device: e.Device, Patients: e.Patients}
	if e.Kind == detect.Glass {
		e.Purpose = "BTG"
	}
}

var exports = map[string]export{
	// No layout of Purview's knows whether an act succeeded, nor the role, address, size and records concerned.
	"epic-purview": {
		"ACCESS_LOG.ACCESS_TIME\tACCESS_LOG_METRIC.METRIC_NAME\tACCESS_LOG.WORKSTATION_ID\tZC_METRIC_GROUP.NAME\tZC_ACCESS_ACTION.NAME\tPATIENT.PAT_MRN_ID\tPATIENT.PAT_FIRST_NAME\tPATIENT.PAT_MIDDLE_NAME\tPATIENT.PAT_LAST_NAME\tPATIENT.ADD_LINE_1\tPATIENT.ADD_LINE_2\tPATIENT.CITY\tPATIENT.ZIP\tZC_STATE.NAME\tZC_COUNTRY.NAME\tCLARITY_DEP.DEPARTMENT_NAME\tZC_BTG_REASON.NAME\tPAT_BTG_AUDIT.BTG_EXPLANATION\tEMP.SYSTEM_LOGIN\tCLARITY_EMP.USER_ID\temployee_last_name\temployee_first_name\n",
		func(b []byte, e *detect.Event, who, whom string, zone *time.Location) []byte {
			b = time.Unix(e.Time, 0).In(zone).AppendFormat(b, "2006-01-02 15:04:05")
			mrn, first, last, street, zip, glass := "", "", "", "", "", ""
			if whom != "" {
				mrn, first, last, street, zip = "M-"+whom, "Known", "Already", "1 Known Street", "00000"
			}
			if e.Kind == detect.Glass {
				glass = "Other reason\tpatient in front of me"
			} else {
				glass = "\t"
			}
			return fmt.Appendf(b, "\t%s\t%s\t\t\t%s\t%s\t\t%s\t%s\t\tEastmere\t%s\t\t\tMain\t%s\tL-%s\te-%s\tKnown\tAlready\n", metrics[e.Kind], strings.TrimPrefix(e.Device, "Device/"), mrn, first, last, street, zip, glass, who, who)
		},
		func(e *detect.Event) bool { stripped(e); return true },
	},
	// The five columns of research know nothing of the glass: breaking it is a read.
	"epic-research": {
		"ACCESS_TIME,USER_ID,PAT_ID,METRIC_NAME,workstation\n",
		func(b []byte, e *detect.Event, who, whom string, zone *time.Location) []byte {
			b = time.Unix(e.Time, 0).In(zone).AppendFormat(b, "1/2/2006 3:04:05 PM")
			if whom != "" {
				whom = "m-" + whom
			}
			return fmt.Appendf(b, ",e-%s,%s,\"%s, by a person\",%s\n", who, whom, metrics[e.Kind], strings.TrimPrefix(e.Device, "Device/"))
		},
		func(e *detect.Event) bool {
			stripped(e)
			e.Purpose = ""
			if e.Kind == detect.Glass {
				e.Kind = detect.Read
			}
			return true
		},
	},
	"purview-healthcare": {
		"Creation Time|Event Name|Workstation Id|Event Section|Event Category|Patient Reg Id|Patient First Name|Patient Middle Name|Patient Last Name|Patient Address Line 1|Patient Address Line 2|Patient City|Patient Zip Code|Patient State|Patient Country|Patient Department|Restricted Access Reason|Restricted Access Comment|Email Address (UPN) or SamAccountName|Employee User Name|Employee Id|Employee Last Name|Employee First Name\n",
		func(b []byte, e *detect.Event, who, whom string, zone *time.Location) []byte {
			b = time.Unix(e.Time, 0).UTC().AppendFormat(b, "2006-01-02T15:04:05Z")
			glass := "|"
			if e.Kind == detect.Glass {
				glass = "Other|"
			}
			name := map[detect.Kind]string{detect.Operation: "Report run", detect.Create: "Created note"}[e.Kind]
			if name == "" {
				name = metrics[e.Kind]
			}
			names := "||||||"
			if whom != "" {
				whom, names = "m-"+whom, "A||B|C||D|E"
			}
			return fmt.Appendf(b, "|%s|%s|%s||%s|%s||||%s|l-%s@eastmere.example||%s|F|G\n", name, strings.TrimPrefix(e.Device, "Device/"), e.Section, whom, names, glass, who, "e-"+who)
		},
		func(e *detect.Event) bool {
			section := e.Section
			stripped(e)
			e.Section = section
			return true
		},
	},
	// TouchWorks' table has a row for each opening of a chart, and nothing else: no sign-ins, searches, prints.
	"altera-touchworks": {
		"UserID,HostName,PatientID,OpenDTTM,CloseDTTM,ExposureTime,BreakGlassStartDTTM,BreakGlassExposure,BreakGlassReason,DeviceUsed,BreakType\n",
		func(b []byte, e *detect.Event, who, whom string, zone *time.Location) []byte {
			at := time.Unix(e.Time, 0).In(zone).Format("2006-01-02 15:04:05.000")
			glass := "NULL,NULL,NULL"
			if e.Kind == detect.Glass {
				glass = at + ",60,\"asked, by \"\"phone\"\"\""
			}
			return fmt.Appendf(b, "l-%s,%s,m-%s,%s,%s,60,%s,Desktop,\n", who, strings.TrimPrefix(e.Device, "Device/"), whom, at, at, glass)
		},
		func(e *detect.Event) bool {
			chart := len(e.Patients) > 0 && (e.Kind == detect.Read || e.Kind == detect.Glass)
			stripped(e)
			return chart
		},
	},
	// OpenEMR's has success and a group, and no workstation. It knows no breaking of the glass, no exports and no reports.
	"openemr": {
		"id,date,event,user,groupname,comments,user_notes,patient_id,success,checksum,crt_user\n",
		func(b []byte, e *detect.Event, who, whom string, zone *time.Location) []byte {
			name := map[detect.Kind]string{detect.Other: "other", detect.Read: "patient-record-select", detect.Glass: "patient-record-select", detect.Search: "patient-finder", detect.Create: "patient-record-insert",
				detect.Update: "patient-record-update", detect.Delete: "patient-record-delete", detect.Print: "print", detect.Login: "login", detect.Logout: "logout"}[e.Kind]
			success, patient := 1, "0"
			if e.Failed {
				success = 0
			}
			if whom != "" {
				patient = "m-" + whom
			}
			b = append(append(b, e.ID...), ',')
			b = time.Unix(e.Time, 0).In(zone).AppendFormat(b, time.DateTime)
			return fmt.Appendf(b, ",%s,l-%s,%s,\"some\ntext\",,%s,%d,,\n", name, who, e.Role, patient, success)
		},
		func(e *detect.Event) bool {
			if e.Kind == detect.Export || e.Kind == detect.Operation {
				return false
			}
			if e.Kind == detect.Glass {
				e.Kind = detect.Read
			}
			*e = detect.Event{ID: e.ID, Time: e.Time, Kind: e.Kind, Failed: e.Failed, Agent: e.Agent, Role: e.Role, Patients: e.Patients}
			return true
		},
	},
}

// hospital is a simulation whose people and patients have identifiers, and its log.
func hospital(t testing.TB, o simulate.Options) (contextDir, log string) {
	t.Helper()
	o.Out = filepath.Join(t.TempDir(), "simulated")
	if _, err := simulate.Run(o); err != nil {
		t.Fatal(err)
	}
	contextDir = filepath.Join(o.Out, "context")
	for typ, ids := range map[string]string{"Practitioner": `"identifier":[{"system":"urn:login","value":"L-%[1]s"},{"value":"e-%[1]s"}],`, "Patient": `"identifier":[{"value":"m-%[1]s"}],`} {
		name := filepath.Join(contextDir, typ+".ndjson")
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		for line := range bytes.Lines(text) {
			_, rest, _ := bytes.Cut(line, []byte(`"id":"`))
			id, _, _ := bytes.Cut(rest, []byte(`"`))
			out.WriteByte('{')
			fmt.Fprintf(&out, ids, id)
			out.Write(line[1:])
		}
		if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return contextDir, filepath.Join(o.Out, "log.ndjson")
}

// write exports the first most rows of a log; each gets what the export can carry of each event, before the identifiers of the system are put in.
func (x export) write(t testing.TB, log string, w io.Writer, zone *time.Location, most int, each func(detect.Event)) (rows int) {
	t.Helper()
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	out := bufio.NewWriterSize(w, 1<<20)
	_, _ = out.WriteString(x.header)
	var b []byte
	for rows < most && in.Scan() {
		e, why := Event(in.Text())
		if why != "" {
			t.Fatal(why)
		}
		whole := e
		if !x.keep(&e) {
			continue
		}
		whom := ""
		if len(e.Patients) > 0 {
			whom = strings.TrimPrefix(e.Patients[0], "Patient/")
		}
		b = x.row(b[:0], &whole, strings.TrimPrefix(e.Agent, "Practitioner/"), whom, zone)
		_, _ = out.Write(b)
		if rows++; each != nil {
			each(e)
		}
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	return rows
}
