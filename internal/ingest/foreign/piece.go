package foreign

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"

	"chartwarden/internal/outcome"
)

// What a standing watch needs besides what a replay does: a table comes in pieces, and nothing says that no more follow.

// Table is a mapping laid over the header of one file. It is safe for concurrent use.
type Table struct{ b *binding }

// Row is one row of a piece: what it says, or why it is none.
type Row struct {
	Reading Reading
	Line    int
	Why     string
}

// Header finds the header at the begin of a file, which is UTF-8 without a byte order mark: its text, and how many lines it takes. ok is
// false while it is not there as a whole. Errors: outcome.Invalid when it does not fit the mapping.
func (m *Mapping) Head(file string, start []byte) (header string, lines int, ok bool, err error) {
	if !m.Header {
		line, _, whole := bytes.Cut(start, []byte("\n"))
		return string(line), 0, whole, nil // for its separator
	}
	left := bytes.NewReader(start)
	in := bufio.NewReader(left)
	b, first, err := m.header(in, file)
	if used := len(start) - left.Len() - in.Buffered(); b != nil && err == nil && start[used-1] == '\n' {
		return string(start[:used]), first - 1, true, nil
	}
	if err != nil && bytes.IndexByte(bytes.TrimSpace(start), '\n') < 0 {
		return "", 0, false, nil // cut short
	}
	return "", 0, false, err
}

// Table lays a mapping over a header that [Mapping.Head] found. Errors: outcome.Invalid when it does not fit.
func (m *Mapping) Table(file, header string) (*Table, error) {
	if !strings.HasSuffix(header, "\n") {
		header += "\n"
	}
	b, _, err := m.header(bufio.NewReader(strings.NewReader(header)), file)
	if err == nil && b == nil {
		err = outcome.New(outcome.Invalid, file+": there is no header")
	}
	return &Table{b}, err
}

// Cut is how much of a text, which begins with a row, whole rows take. last says that no more follows.
func (t *Table) Cut(text []byte, last bool) int {
	if last {
		return len(text)
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	if !t.b.m.Quote || bytes.IndexByte(text[:whole], '"') < 0 {
		return whole
	}
	for whole = 0; whole < len(text); {
		end, ok, _ := rowEnd(text[whole:], t.b.sep, true, false)
		if !ok {
			break
		}
		whole += end
	}
	return whole
}

// Rows reads whole rows; first is the line of the first.
func (t *Table) Rows(text string, first int) []Row {
	read := t.b.rows(block{text: text, first: first})
	out := make([]Row, len(read))
	for i, x := range read {
		out[i] = Row{x.r, x.line, x.why}
	}
	return out
}

// Decoded gives the UTF-8 of a file by its byte order mark or the mapping's encoding.
func (m *Mapping) Decoded(r io.Reader) io.Reader { return decode(r, m.Encoding) }

// Mark notes with what is put from now on in which piece it is kept; pieces are numbered from 1.
func (s *Stream) Mark(piece int64) { s.mark = piece }

// Given is where that is kept which is given now: piece and line.
func (s *Stream) Given() (piece int64, line int) { return s.giving.mark, s.giving.line }

// Waits is the first piece of which something still waits for its turn; 0 for none.
func (s *Stream) Waits() (piece int64) {
	for _, of := range [][]held{s.order.first, s.order.ahead, s.order.rows} {
		for i := range of {
			if piece == 0 || of[i].mark < piece {
				piece = of[i].mark
			}
		}
	}
	return piece
}

// Newest is the time of the newest row that is believed; 0 before the first.
func (s *Stream) Newest() int64 { return s.order.newest }

// Settle gives what waits and is not newer than a time: nobody expects older rows any more. Rows that seem to have a wrong clock go on
// waiting for others that agree with them.
func (s *Stream) Settle(until int64) {
	for len(s.order.rows) > 0 && s.order.rows[0].at <= until {
		s.order.next()
	}
}

// Met tells what was met so far.
func (s *Stream) Met() Report {
	s.report.PutInOrder, s.report.OutOfOrder = s.order.moved, s.order.late
	s.report.ClockFaults, s.report.ClockFaultsAt = s.order.faults, slices.Clone(s.order.at)
	s.report.AmbiguousTimes, s.report.MissingTimes = 0, 0
	for _, w := range s.clocks {
		s.report.AmbiguousTimes += w.ambiguous
		s.report.MissingTimes += w.missing
	}
	s.report.finish()
	return s.report
}
