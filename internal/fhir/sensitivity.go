package fhir

import (
	"slices"
	"strings"

	"chartwarden/internal/fhir/document"
)

// Sensitivity lists the labels that the rules of this house give d for the codes in it, sorted and each once; nil when there are none. It
// looks at every coding of the resource but those of meta. Data of no patient gets none. A visit or booking gets none before it is over: it
// has to be seen by those who prepare and hold it.
func Sensitivity(d *document.Doc) []string {
	typ := d.Type()
	if FieldGroup(typ) == GroupDirectory || slices.Contains(running[typ], d.Root().Get("status").Text()) {
		return nil
	}
	var out []string
	for part := range d.Root().Fields() {
		if part.Name() == "meta" {
			continue
		}
		for n := range part.All() {
			if n.Kind() != document.Object {
				continue
			}
			if system := codeSystems[n.Get("system").Text()]; system != "" {
				if label := sensitivityOf(system, n.Get("code").Text()); label != "" && !slices.Contains(out, label) {
					out = append(out, label)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// running are the states of what is not over yet.
var running = map[string][]string{
	"Encounter":   {"planned", "arrived", "triaged", "in-progress", "onleave"},
	"Appointment": {"proposed", "pending", "booked", "arrived", "checked-in", "waitlist"},
}

// Labelled is d with the labels that it has to carry as the next version of before (nil: as the first): those that before carries, since
// an update takes no label away, and those of the rules, unless before had their codes already and not their label, because a cleared
// person lowered it. What a rule sets says so by Coding.userSelected false. Errors: those of [document.Doc.Secure].
// Source: https://hl7.org/fhir/R4/http.html#update ("tags, profiles and security labels").
func Labelled(d, before *document.Doc) (*document.Doc, error) {
	var err error
	had, has := []string(nil), Labels(d)
	var lowered []string
	if before != nil {
		had = Labels(before)
		for coding := range before.Root().Get("meta").Get("security").Items() {
			if code := coding.Get("code").Text(); slices.Contains(had, code) && !slices.Contains(has, code) {
				if d, err = d.SecureLike(coding); err != nil {
					return nil, err
				}
				has = append(has, code)
			}
		}
		for _, label := range Sensitivity(before) {
			if !slices.Contains(had, label) {
				lowered = append(lowered, label)
			}
		}
	}
	return Raised(d, slices.DeleteFunc(Sensitivity(d), func(label string) bool { return slices.Contains(has, label) || slices.Contains(lowered, label) }))
}

// Raised is d with labels that a rule sets besides those that it has. Errors: those of [document.Doc.Secure].
func Raised(d *document.Doc, labels []string) (out *document.Doc, err error) {
	out = d
	for _, label := range labels {
		if out, err = out.Secure(actCode, label); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Lowered is d without some labels. Errors: those of [document.Doc.Unsecure].
func Lowered(d *document.Doc, labels []string) (*document.Doc, error) {
	has := Labels(d)
	return d.Unsecure(func(coding document.Node) bool {
		code := coding.Get("code").Text()
		return slices.Contains(labels, code) && slices.Contains(has, code)
	})
}

// LabelledByRule reports whether d carries a label that a rule set, and no person.
func LabelledByRule(d *document.Doc, label string) bool {
	for coding := range d.Root().Get("meta").Get("security").Items() {
		if coding.Get("code").Text() == label && coding.Get("userSelected").Kind() == document.Bool && !coding.Get("userSelected").Bool() {
			return true
		}
	}
	return false
}

const actCode = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

// sensitivityOf is the label of a code of a system, as the table calls it, or "".
func sensitivityOf(system, code string) string {
	table := sensitiveCodes[system]
	if label, ok := table.exact[code]; ok {
		return label
	}
	if !table.prefixed {
		return ""
	}
	code = strings.ReplaceAll(code, ".", "")
	for n := len(code); n > 0; n-- {
		if label, ok := table.prefixes[code[:n]]; ok {
			return label
		}
	}
	return ""
}

// codeSystems are the words by which the table calls code systems.
var codeSystems = map[string]string{
	"http://hl7.org/fhir/sid/icd-10": "icd-10", "http://hl7.org/fhir/sid/icd-10-cm": "icd-10", "http://snomed.info/sct": "snomed",
	"http://loinc.org": "loinc", "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm", "http://www.whocc.no/atc": "atc",
}

// SensitivityRules is the reviewed table, a line for each label and code system: label, system, codes. A code of ICD-10 or ATC
// stands for everything below it. docs/formats/sensitivity.md shows it and says where the codes are from; a test keeps both equal.
const SensitivityRules = `
PSY icd-10 F2 F3 F4 F5 F60 F61 F62 F63 F64 F65 F66 F68 F69 F9 R45.85 T14.91 X60 X61 X62 X63 X64 X65 X66 X67 X68 X69 X70 X71 X72 X73 X74 X75 X76 X77 X78 X79 X80 X81 X82 X83 X84 Z91.51 Z91.52
PSY snomed 74732009 370143000 35489007 36923009 192127007 406506008 13746004 58214004 69322001 47505003 197480006 21897009 371631005 191736004 17226007 20010003 72366004 56882008 78004001 82313006 6471006 79094001 88848003 736254008 718347000 225337009 304822001
PSY rxnorm 2626 6448
PSY atc N05A
ETH icd-10 F10 F11 F12 F13 F14 F15 F16 F18 F19 T40 O99.31 O99.32 Z71.41 Z71.51
ETH snomed 7200002 66590003 15167005 66214007 5602001 75544000 191816009 361055000 55680006 56876005 61480009 60112009 266707007 313071005
ETH rxnorm 3554 82819 7243
ETH atc N07BB N07BC
HIV icd-10 B20 B21 B22 B23 B24 B97.35 O98.7 R75 Z11.4 Z20.6 Z21 Z71.7
HIV snomed 86406008 62479008 165816005 31676001
HIV loinc 55277-8 7917-8 7918-6 5221-7 29893-5 56888-1 68961-2 75622-1 25835-0 20447-9 30361-0
HIV rxnorm 195085 190521 719872 1433868
HIV atc J05AE J05AG J05AJ J05AR
SDV icd-10 T74 T76 Y07 Z04.41 Z04.42 Z04.71 Z04.72 Z62.81 Z69 Z91.41 O9A.3 O9A.4 O9A.5
SDV snomed 706893006 397940009
SDV loinc 28245-9
`

type codeTable struct {
	exact, prefixes map[string]string
	prefixed        bool
}

var sensitiveCodes = func() map[string]*codeTable {
	out := map[string]*codeTable{}
	for line := range strings.Lines(SensitivityRules) {
		words := strings.Fields(line)
		if len(words) < 3 {
			continue
		}
		label, system := words[0], words[1]
		if out[system] == nil {
			out[system] = &codeTable{exact: map[string]string{}, prefixes: map[string]string{}, prefixed: system == "icd-10" || system == "atc"}
		}
		for _, code := range words[2:] {
			if out[system].prefixed {
				out[system].prefixes[strings.ReplaceAll(code, ".", "")] = label
			} else {
				out[system].exact[code] = label
			}
		}
	}
	return out
}()
