package document

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"

	"chartwarden/internal/outcome"
)

// SplitLines reads NDJSON: one resource a line, empty lines passed over, no limit on their number. An error is yielded alone and
// ends the stream (outcome.Transient: reading failed); what is wrong with one line is told by [Entry.Doc]. [Entry.Index] is the line.
// Source: https://hl7.org/fhir/R4/nd-json.html.
func SplitLines(r io.Reader) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		lines := bufio.NewReaderSize(r, 64<<10)
		for number := 1; ; number++ {
			line, long, err := readLine(lines)
			if err != nil && !errors.Is(err, io.EOF) {
				yield(nil, outcome.Wrap("read the stream", outcome.Transient, "the data could not be read to its end: please send it again", err))
				return
			}
			if len(bytes.TrimSpace(line)) > 0 || long {
				c := entryContent{err: errTooLong}
				if !long {
					c.doc, c.err = Parse(line)
				}
				if !yield(newEntry(number, c), nil) {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
}

// readLine reads to the end of the line in memory of its own; the content of a line above [MaxSize] is passed over.
func readLine(r *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if !long {
			line = append(line, part...)
		}
		if len(line) > MaxSize+2 {
			line, long = nil, true
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
}
