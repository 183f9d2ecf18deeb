package foreign

import (
	"bytes"
	"io"
	"strings"
)

const (
	blockSize  = 1 << 20
	longest    = 8 << 20 // bytes of a row; a longer one is rejected and stepped over
	maxColumns = 4096
)

// block is a run of whole rows, or one line that is none.
type block struct {
	text  string
	first int    // line of its first row, from 1
	why   string // what is wrong with the one line
}

// rowEnd finds the end of the first row of s, behind its line end. ok is false when s ends before the row does; why says that a cell's quotes
// are wrong, and end is then the end of the line.
func rowEnd[T string | []byte](s T, sep byte, quote, last bool) (end int, ok bool, why string) {
	if !quote {
		if i := indexByte(s, '\n'); i >= 0 {
			return i + 1, true, ""
		}
		return len(s), last, ""
	}
	for i := 0; ; { // at the begin of a cell
		if i < len(s) && s[i] == '"' {
			for i++; ; i++ {
				j := indexByte(s[i:], '"')
				if j < 0 {
					if !last {
						return 0, false, ""
					}
					return lineEnd(s), true, "a quote is opened and never closed"
				}
				if i += j + 1; i >= len(s) && !last {
					return 0, false, ""
				}
				if i >= len(s) || s[i] != '"' {
					break
				}
			}
			if i < len(s) && s[i] == '\r' {
				if i++; i == len(s) && !last {
					return 0, false, ""
				}
			}
			if i < len(s) && s[i] != sep && s[i] != '\n' {
				return lineEnd(s), true, "a quote stands inside a quoted cell: double it"
			}
		}
		j := 0
		for i+j < len(s) && s[i+j] != sep && s[i+j] != '\n' {
			j++
		}
		if i += j; i >= len(s) {
			return len(s), last, ""
		}
		if i++; s[i-1] == '\n' {
			return i, true, ""
		}
	}
}

func indexByte[T string | []byte](s T, b byte) int {
	switch s := any(s).(type) {
	case string:
		return strings.IndexByte(s, b)
	case []byte:
		return bytes.IndexByte(s, b)
	}
	return -1
}

func lineEnd[T string | []byte](s T) int {
	if i := indexByte(s, '\n'); i >= 0 {
		return i + 1
	}
	return len(s)
}

// blocks cuts r at the ends of rows until give returns false. Its memory is bounded whatever the length of a row.
func blocks(r io.Reader, sep byte, quote bool, first int, give func(block) bool) error {
	buf, held, number := make([]byte, blockSize), 0, first
	skipping, ended := false, false
	for !ended {
		n, err := r.Read(buf[held:])
		if err != nil && err != io.EOF {
			return err
		}
		ended = err == io.EOF
		fresh := buf[held : held+n]
		held += n
		if skipping {
			i := bytes.IndexByte(fresh, '\n')
			if i < 0 {
				held = 0
				continue
			}
			held = copy(buf, fresh[i+1:])
			skipping = false
			number++
		}
		if held < len(buf) && held < blockSize && !ended {
			continue
		}
		used, good := 0, 0 // good rows from used to good are not given yet
		flush := func() bool {
			if good > used {
				text := string(buf[used:good])
				if !give(block{text: text, first: number}) {
					return false
				}
				number += strings.Count(text, "\n")
				used = good
			}
			return true
		}
		if i := bytes.LastIndexByte(buf[:held], '\n'); i >= 0 && (!quote || bytes.IndexByte(buf[:i], '"') < 0) {
			good = i + 1 // no quotes: every line is a row
		}
		for good < held {
			end, ok, why := rowEnd(buf[good:held], sep, quote, ended)
			if !ok {
				break
			}
			if why != "" {
				if !flush() || !give(block{first: number, why: why}) {
					return nil
				}
				number += bytes.Count(buf[good:good+end], []byte{'\n'})
				good += end
				used = good
				continue
			}
			good += end
		}
		if !flush() {
			return nil
		}
		held = copy(buf, buf[used:held])
		switch {
		case ended || held < len(buf):
		case len(buf) < longest:
			buf = append(buf, make([]byte, len(buf))...)
		default:
			// a row without end: its first line is no row; what follows that line is looked at again, unless it is the line that has no end
			if !give(block{first: number, why: "the row is longer than 8 MiB, or a quote is opened and never closed"}) {
				return nil
			}
			if end := lineEnd(buf[:held]); buf[end-1] == '\n' {
				number++
				held = copy(buf, buf[end:held])
			} else {
				skipping, held = true, 0
			}
		}
	}
	return nil
}

// split cuts one row into its cells. The cells share memory with the row unless quotes were doubled in them.
func split(row string, sep byte, quote bool, into []string) ([]string, string) {
	row = strings.TrimSuffix(strings.TrimSuffix(row, "\n"), "\r")
	for {
		if len(into) == maxColumns {
			return into, "more than 4096 columns"
		}
		if !quote || row == "" || row[0] != '"' {
			i := strings.IndexByte(row, sep)
			if i < 0 {
				return append(into, row), ""
			}
			into, row = append(into, row[:i]), row[i+1:]
			continue
		}
		end, doubled := 1, false
		for {
			j := strings.IndexByte(row[end:], '"')
			if j < 0 {
				return into, "a quote is opened and never closed"
			}
			end += j
			if end+1 < len(row) && row[end+1] == '"' {
				end, doubled = end+2, true
				continue
			}
			break
		}
		cell := row[1:end]
		if doubled {
			cell = strings.ReplaceAll(cell, `""`, `"`)
		}
		into = append(into, cell)
		switch row = row[end+1:]; {
		case row == "":
			return into, ""
		case row[0] != sep:
			return into, "a quote stands inside a quoted cell: double it"
		}
		row = row[1:]
	}
}

// separatorOf is the mapping's separator, or the sign that a header has most of.
func separatorOf(m *Mapping, header string) byte {
	if m.Separator != 0 {
		return m.Separator
	}
	best, most := byte('\t'), 0
	for _, sep := range []byte{'\t', '|', ',', ';'} {
		if n := strings.Count(header, string(sep)); n > most {
			best, most = sep, n
		}
	}
	return best
}
