package record

import (
	"crypto/cipher"
	"encoding/base32"
	"encoding/binary"

	"chartwarden/internal/fhir"
)

// ids turns (patient, record) into the id that the world sees and back. The block is 6 bytes of patient, 6 of record and 4 zero
// bytes, which a forged id does not have: one guess in 2^32 decrypts to zeros, and then names no stored pair.
type ids struct{ block cipher.Block }

var idText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

const idLength = 26

func (x ids) make(p fhir.PatientID, r fhir.RecordID) string {
	var plain, out [16]byte
	put48(plain[0:6], int64(p))
	put48(plain[6:12], int64(r))
	x.block.Encrypt(out[:], plain[:])
	return idText.EncodeToString(out[:])
}

// read gives the numbers behind an id made here; ok is false for every other string.
func (x ids) read(id string) (p fhir.PatientID, r fhir.RecordID, ok bool) {
	if len(id) != idLength {
		return 0, 0, false
	}
	var raw [17]byte
	n, err := idText.Decode(raw[:], []byte(id))
	if err != nil || n != 16 || idText.EncodeToString(raw[:16]) != id { // the last letter has two bits to spare
		return 0, 0, false
	}
	var plain [16]byte
	x.block.Decrypt(plain[:], raw[:16])
	if binary.BigEndian.Uint32(plain[12:]) != 0 {
		return 0, 0, false
	}
	return fhir.PatientID(get48(plain[0:6])), fhir.RecordID(get48(plain[6:12])), true
}

func put48(b []byte, n int64) {
	for i := range 6 {
		b[i] = byte(n >> (40 - 8*i))
	}
}

func get48(b []byte) (n int64) {
	for _, c := range b {
		n = n<<8 | int64(c)
	}
	return n
}
