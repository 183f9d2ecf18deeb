package audit

import (
	"encoding/base32"
	"encoding/hex"
	"net/netip"
	"strings"
	"time"

	"chartwarden/internal/fhir"
)

// A part is a list of fields, each `number, length, bytes`, in ascending order, so that a reader skips what it does not know.
// Words that occur everywhere are one byte. Numbers are part of the format and are never used again. Format: docs/formats/audit-entry.md.
const (
	fieldPerson        = 1
	fieldName          = 2
	fieldRole          = 3
	fieldCapacity      = 4
	fieldPractitioner  = 5
	fieldClient        = 6
	fieldJob           = 7
	fieldSession       = 8
	fieldDevice        = 9
	fieldAddress       = 10
	fieldZone          = 11
	fieldAAL           = 12
	fieldAction        = 13
	fieldInteraction   = 14
	fieldClass         = 15
	fieldPurpose       = 16
	fieldOutcome       = 17
	fieldQuery         = 18
	fieldRequest       = 19
	fieldPolicy        = 20
	fieldText          = 21
	fieldIntent        = 22
	fieldOccurred      = 23
	fieldJournal       = 24
	fieldJournalNumber = 25
	fieldJournalChain  = 26
	fieldTarget        = 27
	fieldTargetPart    = 28
	fieldAs            = 29
	fieldAsName        = 30

	fieldPatient    = 32
	fieldPatientRef = 33
	fieldPermit     = 34
	fieldTemplate   = 35
	fieldSentence   = 36
	fieldRelation   = 37
	fieldGroup      = 38
	fieldRecords    = 39
	fieldMarks      = 40
	fieldDetails    = 41
)

// appendCommon writes what all patients of the event have in common.
func appendCommon(dst []byte, e *Event) []byte {
	f := fields(dst)
	a := &e.Agent
	f.text(fieldPerson, packID(a.Person))
	f.text(fieldName, a.Name)
	f.text(fieldRole, a.Role)
	f.text(fieldCapacity, a.Capacity)
	f.text(fieldPractitioner, a.Practitioner)
	f.text(fieldClient, a.Client)
	f.text(fieldJob, a.Job)
	f.text(fieldSession, packID(a.Session))
	f.text(fieldDevice, packDevice(a.Device))
	f.text(fieldAddress, packAddress(a.Address))
	f.text(fieldZone, a.Zone)
	f.number(fieldAAL, int64(a.AAL))
	f.text(fieldAction, e.Action)
	f.text(fieldInteraction, e.Interaction)
	f.text(fieldClass, e.Class)
	f.text(fieldPurpose, e.Purpose)
	f.number(fieldOutcome, int64(e.Outcome))
	f.text(fieldQuery, e.Query)
	f.text(fieldRequest, e.Request)
	f.text(fieldPolicy, packHex(e.PolicyHash))
	f.text(fieldText, e.Text)
	f.number(fieldIntent, int64(e.Intent))
	if !e.Time.IsZero() {
		f.number(fieldOccurred, e.Time.UnixMicro())
	}
	if e.Imported != (Imported{}) {
		f.text(fieldJournal, e.Imported.Journal)
		f.number(fieldJournalNumber, e.Imported.Number)
		f.bytes(fieldJournalChain, e.Imported.Chain[:])
	}
	if e.Kind == Redaction {
		f.number(fieldTarget, int64(e.Target)+1) // an absent number is zero, and zero is an index
		f.number(fieldTargetPart, int64(e.TargetPart))
	}
	f.text(fieldAs, packID(a.As))
	f.text(fieldAsName, a.AsName)
	return f
}

// packHex keeps a hash as bytes behind a zero byte; what is no lower-case hex stays text.
func packHex(s string) string {
	if b, err := hex.DecodeString(s); err == nil && len(b) > 0 && hex.EncodeToString(b) == s {
		return "\x00" + string(b)
	}
	return s
}

func unpackHex(s string) string {
	if packed, ok := strings.CutPrefix(s, "\x00"); ok {
		return hex.EncodeToString([]byte(packed))
	}
	return s
}

// packAddress keeps an IP address as its 4 or 16 bytes behind a zero byte; what is none, or is not written the usual way, stays text.
func packAddress(s string) string {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" && a.String() == s {
		return "\x00" + string(a.AsSlice())
	}
	return s
}

func unpackAddress(s string) string {
	if packed, ok := strings.CutPrefix(s, "\x00"); ok {
		if a, ok := netip.AddrFromSlice([]byte(packed)); ok {
			return a.String()
		}
	}
	return s
}

// packDevice keeps the public name of a browser as its 8 bytes behind a zero byte; other names stay text.
func packDevice(s string) string {
	if packed := packHex(s); len(packed) == 9 {
		return packed
	}
	return s
}

func unpackDevice(s string) string {
	if len(s) == 9 {
		return unpackHex(s)
	}
	return s
}

// ids are the digits of what identity calls people and sessions.
var ids = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567")

// packID keeps the id of a person or session as its 10 bytes behind a zero byte; what is none stays text.
func packID(s string) string {
	if len(s) == 16 {
		if b, err := ids.DecodeString(s); err == nil && len(b) == 10 {
			return "\x00" + string(b)
		}
	}
	return s
}

func unpackID(s string) string {
	if packed, ok := strings.CutPrefix(s, "\x00"); ok && len(packed) == 10 {
		return ids.EncodeToString([]byte(packed))
	}
	return s
}

func parseCommon(b []byte) (e Event, err error) {
	err = fields(b).each(func(field byte, value []byte) (err error) {
		if s := e.word(field); s != nil {
			*s = string(value)
			return nil
		}
		var n int64
		switch field {
		case fieldAAL, fieldOutcome, fieldIntent, fieldOccurred, fieldJournalNumber, fieldTarget, fieldTargetPart:
			if n, err = number(value); err != nil {
				return err
			}
		}
		switch field {
		case fieldAAL:
			e.Agent.AAL = int(n)
		case fieldOutcome:
			e.Outcome = int(n)
		case fieldIntent:
			e.Intent = Index(n)
		case fieldOccurred:
			e.Time = time.UnixMicro(n).UTC()
		case fieldJournalNumber:
			e.Imported.Number = n
		case fieldTarget:
			e.Target = Index(n - 1)
		case fieldTargetPart:
			e.TargetPart = int(n)
		case fieldJournalChain:
			copy(e.Imported.Chain[:], value)
		}
		return nil
	})
	a := &e.Agent
	e.PolicyHash, a.Device, a.Address = unpackHex(e.PolicyHash), unpackDevice(a.Device), unpackAddress(a.Address)
	a.Person, a.Session, a.As = unpackID(a.Person), unpackID(a.Session), unpackID(a.As)
	return e, err
}

// word is where a text field of the common part goes; nil for other fields.
func (e *Event) word(field byte) *string {
	a := &e.Agent
	switch field {
	case fieldPerson:
		return &a.Person
	case fieldName:
		return &a.Name
	case fieldAs:
		return &a.As
	case fieldAsName:
		return &a.AsName
	case fieldRole:
		return &a.Role
	case fieldCapacity:
		return &a.Capacity
	case fieldPractitioner:
		return &a.Practitioner
	case fieldClient:
		return &a.Client
	case fieldJob:
		return &a.Job
	case fieldSession:
		return &a.Session
	case fieldDevice:
		return &a.Device
	case fieldAddress:
		return &a.Address
	case fieldZone:
		return &a.Zone
	case fieldAction:
		return &e.Action
	case fieldInteraction:
		return &e.Interaction
	case fieldClass:
		return &e.Class
	case fieldPurpose:
		return &e.Purpose
	case fieldQuery:
		return &e.Query
	case fieldRequest:
		return &e.Request
	case fieldPolicy:
		return &e.PolicyHash
	case fieldText:
		return &e.Text
	case fieldJournal:
		return &e.Imported.Journal
	}
	return nil
}

func appendPatient(dst []byte, p *PatientPart) []byte {
	f := fields(dst)
	f.number(fieldPatient, int64(p.Patient))
	f.text(fieldPatientRef, p.Ref)
	for _, s := range p.Permits {
		f.text(fieldPermit, s)
	}
	f.text(fieldTemplate, p.Template)
	f.text(fieldSentence, p.Sentence)
	f.text(fieldRelation, p.Relation)
	for _, s := range p.Groups {
		f.text(fieldGroup, s)
	}
	if len(p.Records) > 0 {
		f.bytes(fieldRecords, appendRecords(nil, p.Records))
	}
	var marks int64
	if p.Unexplained {
		marks |= 1
	}
	if p.Glass {
		marks |= 2
	}
	f.number(fieldMarks, marks)
	f.text(fieldDetails, p.Details)
	return f
}

// word is where a text field of a patient's part goes; nil for other fields.
func (p *PatientPart) word(field byte) *string {
	switch field {
	case fieldPatientRef:
		return &p.Ref
	case fieldTemplate:
		return &p.Template
	case fieldSentence:
		return &p.Sentence
	case fieldRelation:
		return &p.Relation
	case fieldDetails:
		return &p.Details
	}
	return nil
}

func parsePatient(b []byte) (p PatientPart, err error) {
	err = fields(b).each(func(field byte, value []byte) (err error) {
		if s := p.word(field); s != nil {
			*s = string(value)
			return nil
		}
		var n int64
		switch field {
		case fieldPatient, fieldMarks:
			if n, err = number(value); err != nil {
				return err
			}
		}
		switch field {
		case fieldPatient:
			p.Patient = fhir.PatientID(n)
		case fieldPermit:
			p.Permits = append(p.Permits, string(value))
		case fieldGroup:
			p.Groups = append(p.Groups, string(value))
		case fieldRecords:
			p.Records, err = parseRecords(value)
		case fieldMarks:
			p.Unexplained, p.Glass = n&1 != 0, n&2 != 0
		}
		return err
	})
	return p, err
}
