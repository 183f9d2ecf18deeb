package seal

import (
	_ "embed"
	"fmt"
	"runtime"

	"github.com/klauspost/compress/zstd"
)

//go:generate go run ./internal/gen

// newest is the dictionary that Seal uses. Older ones stay for ever: envelopes name theirs.
const newest byte = 1

// Dictionary 1 is built by internal/gen from resources that it invents; no data of a person is in it.
//
//go:embed dictionary/1.zdict
var dictionary1 []byte

// largest bounds what an envelope may expand to: a resource is at most 16 MiB, and an altered one never gets as far as this.
const largest = 64 << 20

var (
	packer    = must(zstd.NewWriter(nil, zstd.WithEncoderDict(dictionary1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0))))
	unpackers = map[byte]*zstd.Decoder{1: must(zstd.NewReader(nil, zstd.WithDecoderDicts(dictionary1), zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(largest)))}
)

// must is for the embedded dictionary only: a program that was built wrong stops before it serves.
func must[T any](v T, err error) T {
	if err != nil {
		panic("seal: the built-in dictionary: " + err.Error())
	}
	return v
}

// worthPacking is the least size that is compressed. Smaller texts are parts of audit entries: a third of them is salt, and packing them
// costs more processor time than the rest of an append.
const worthPacking = 256

func compress(dst, plain []byte) []byte { return packer.EncodeAll(plain, dst) }

func expand(dst, packed []byte, dictionary byte) ([]byte, error) {
	d, ok := unpackers[dictionary]
	if !ok {
		return nil, fmt.Errorf("dictionary %d is unknown", dictionary)
	}
	return d.DecodeAll(packed, dst)
}
