package foreign

import (
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decode gives UTF-8. A byte order mark decides, whatever the mapping says: Windows exports as UTF-16 with one.
func decode(r io.Reader, name string) io.Reader {
	var otherwise encoding.Encoding = encoding.Nop
	switch name {
	case "utf-16":
		otherwise = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case "windows-1252":
		otherwise = charmap.Windows1252
	}
	return transform.NewReader(r, unicode.BOMOverride(otherwise.NewDecoder()))
}
