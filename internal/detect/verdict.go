package detect

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Verdict is what the engine says of one access to one patient's data. The last revision counts.
type Verdict struct {
	Event        string
	Revision     int
	Agent        string
	Patient      string
	Explained    bool
	State        string // explained, pending, claimed or unexplained
	Explanations []Explanation
	Unexplained  float64 // nats
	Signals      []Signal
	Risk         float64
}

// Explanation is one reason of care, in a sentence.
type Explanation struct {
	Template string
	Text     string
	Nats     float64
}

// Signal is something that speaks for or against an access apart from care.
type Signal struct {
	Name string
	Nats float64
	Text string
}

// prior is the odds of misuse of one access before anything is known of it.
const prior = 2.2e-5

func risk(nats float64) float64 {
	x := prior * math.Exp(nats)
	return x / (1 + x)
}

// AppendJSON appends the verdict as one JSON object without a line end. Format: docs/formats/detection.md.
func (v *Verdict) AppendJSON(b []byte) []byte {
	b = appendText(append(b, `{"event":`...), v.Event)
	b = strconv.AppendInt(append(b, `,"revision":`...), int64(v.Revision), 10)
	b = appendText(append(b, `,"agent":`...), v.Agent)
	b = appendText(append(b, `,"patient":`...), v.Patient)
	b = strconv.AppendBool(append(b, `,"explained":`...), v.Explained)
	b = appendText(append(b, `,"state":`...), v.State)
	b = append(b, `,"explanations":[`...)
	for i, x := range v.Explanations {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"template":`...), x.Template)
		b = appendText(append(b, `,"text":`...), x.Text)
		b = append(appendNumber(append(b, `,"nats":`...), x.Nats, 2), '}')
	}
	b = appendNumber(append(b, `],"unexplained_nats":`...), v.Unexplained, 2)
	b = appendSignals(append(b, `,"signals":`...), v.Signals)
	b = appendNumber(append(b, `,"risk":`...), v.Risk, 7)
	return append(b, '}')
}

func appendSignals(b []byte, in []Signal) []byte {
	b = append(b, '[')
	for i, x := range in {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"name":`...), x.Name)
		b = appendNumber(append(b, `,"nats":`...), x.Nats, 2)
		if x.Text != "" {
			b = appendText(append(b, `,"text":`...), x.Text)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendNumber writes a rounded decimal: what differs in the last bits between machines is not shown.
func appendNumber(b []byte, x float64, digits int) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		x = 0
	}
	scale := math.Pow10(digits)
	x = math.Round(x*scale) / scale
	if x == 0 {
		x = 0 // no minus before a zero
	}
	return strconv.AppendFloat(b, x, 'f', -1, 64)
}

func appendText(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	if !utf8.ValidString(s) { // an id of another system may hold anything
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
