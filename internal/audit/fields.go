package audit

import (
	"encoding/binary"
	"strings"

	"chartwarden/internal/outcome"
)

// wordFlag on a field number says that the value is one byte: the number of a word of the list below.
const wordFlag = 0x80

// words are part of the format: new ones are added at the end, none is ever removed.
var words = strings.Fields(`C R U D E TREAT ETREAT BTG HPAYMT HOPERAT PATRQT HRESCH PUBHLTH read vread search search-type search-system
	create update patch delete history history-instance history-type operation transaction batch chart export print login logout glass
	deliberate incidental machine staff patient physician nurse medical-assistant pharmacist technician front-desk billing hr privacy security
	administrator auditor demographics identifiers contact scheduling medications results clinical notes directory care-team heartbeat start`)

var wordNumbers = func() map[string]byte {
	out := map[string]byte{}
	for i, w := range words {
		out[w] = byte(i)
	}
	return out
}()

type fields []byte

func (f *fields) bytes(number byte, b []byte) {
	*f = append(binary.AppendUvarint(append(*f, number), uint64(len(b))), b...)
}

func (f *fields) text(number byte, s string) {
	if s == "" {
		return
	}
	if w, ok := wordNumbers[s]; ok {
		*f = append(*f, number|wordFlag, w)
		return
	}
	*f = append(binary.AppendUvarint(append(*f, number), uint64(len(s))), s...)
}

func (f *fields) number(number byte, n int64) {
	if n == 0 {
		return
	}
	var b [binary.MaxVarintLen64]byte
	f.bytes(number, b[:binary.PutVarint(b[:], n)])
}

// each calls fn with every field; malformed input is an error.
func (f fields) each(fn func(number byte, value []byte) error) error {
	for len(f) > 0 {
		number := f[0]
		if number&wordFlag != 0 {
			if len(f) < 2 || int(f[1]) >= len(words) {
				return errPayload
			}
			if err := fn(number&^wordFlag, []byte(words[f[1]])); err != nil {
				return err
			}
			f = f[2:]
			continue
		}
		n, used := binary.Uvarint(f[1:])
		if used <= 0 || uint64(len(f)-1-used) < n {
			return errPayload
		}
		value := f[1+used : 1+used+int(n)]
		if err := fn(number, value); err != nil {
			return err
		}
		f = f[1+used+int(n):]
	}
	return nil
}

var errPayload = outcome.New(outcome.Structure, "an audit payload is malformed")

func number(value []byte) (int64, error) {
	n, used := binary.Varint(value)
	if used != len(value) {
		return 0, errPayload
	}
	return n, nil
}
