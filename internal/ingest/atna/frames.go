package atna

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
)

// Longest is how many bytes a message of a file may have.
const Longest = 1 << 20

// Frame is one syslog message as it was sent.
type Frame struct {
	Line int    // in which it begins, from 1
	Text []byte // until the next call of Next
	Why  string // what is wrong with it, "" when nothing
}

// Frames cuts a stream into messages: those with an octet count before them (RFC 5425) and those that end with their line (RFC 6587).
type Frames struct {
	in   *bufio.Reader
	line int
	held []byte
	most int
	live bool
}

// NewFrames cuts a file. A message of more than most bytes is told as one that is none.
func NewFrames(r io.Reader, most int) *Frames {
	return &Frames{in: bufio.NewReaderSize(r, most+64), line: 1, most: most}
}

// LiveFrames cuts what a connection sends. It never waits for more than a message says that it has.
func LiveFrames(r io.Reader, most int) *Frames {
	f := NewFrames(r, most)
	f.live = true
	return f
}

func (f *Frames) tooLong() string { return "longer than " + strconv.Itoa(f.most>>10) + " KiB" }

var (
	endTag   = []byte("</AuditMessage>")
	beginTag = []byte("<AuditMessage")
	prolog   = []byte("<?xml")
	mark     = []byte("\ufeff")
)

// Wait comes back when something is there to read. At the end the error is io.EOF.
func (f *Frames) Wait() error {
	_, err := f.in.Peek(1)
	return err
}

// Next gives the next message. At the end the error is io.EOF.
func (f *Frames) Next() (Frame, error) {
	for {
		b, err := f.in.ReadByte()
		if err != nil {
			return Frame{}, err
		}
		if b == '\n' {
			f.line++
		}
		if b > ' ' {
			break
		}
	}
	_ = f.in.UnreadByte()
	if m, _ := f.in.Peek(3); bytes.Equal(m, mark) {
		_, _ = f.in.Discard(3)
		return f.Next()
	}
	n, digits, err := f.count()
	if err != nil {
		return Frame{}, err
	}
	if digits > 0 {
		return f.counted(n, digits)
	}
	return f.lined()
}

// count reads an octet count and the space behind it, if a message follows one, without taking it.
func (f *Frames) count() (n, digits int, err error) {
	for {
		p, err := f.in.Peek(digits + 1)
		if len(p) <= digits {
			if err == io.EOF {
				return 0, 0, nil
			}
			return 0, 0, err
		}
		switch c := p[digits]; {
		case c >= '0' && c <= '9' && digits < 10:
			n = n*10 + int(c-'0')
			digits++
		case c == ' ' && n > 0:
			if p, _ = f.in.Peek(digits + 2); len(p) < digits+2 || p[digits+1] != '<' {
				return 0, 0, nil
			}
			return n, digits + 1, nil
		default:
			return 0, 0, nil
		}
	}
}

func (f *Frames) counted(n, digits int) (Frame, error) {
	_, _ = f.in.Discard(digits)
	at := f.line
	if n > f.most {
		skipped, err := f.in.Discard(n)
		if err != nil && err != io.EOF {
			return Frame{}, err
		}
		_ = skipped // lines inside are not counted: nobody reads a message of this size by its lines
		return Frame{Line: at, Why: f.tooLong()}, nil
	}
	p, err := f.in.Peek(n)
	if err != nil && err != io.EOF {
		return Frame{}, err
	}
	short := len(p) < n
	if body := bytes.TrimRight(p, " \t\r\n\x00"); bytes.Contains(p, beginTag) || bytes.Contains(p, prolog) {
		if i := bytes.Index(p, endTag); i >= 0 && i+len(endTag) < len(body) { // the count reaches into what follows
			p = p[:i+len(endTag)]
		} else if i < 0 && !bytes.HasSuffix(body, []byte("/>")) && !f.live {
			p = f.longer(p) // it counts letters, not bytes
		}
		short = short && !bytes.Contains(p, endTag)
	}
	f.take(p)
	if short {
		return Frame{Line: at, Why: "cut short: its count of bytes is not reached"}, nil
	}
	return Frame{Line: at, Text: f.held}, nil
}

// longer looks for the end of a message behind its count, but not in the next one.
func (f *Frames) longer(p []byte) []byte {
	n := len(p)
	more, _ := f.in.Peek(min(n+n/2+64, f.most))
	rest := more[n:]
	i := bytes.Index(rest, endTag)
	if i < 0 || bytes.Contains(rest[:i], beginTag) || bytes.Contains(rest[:i], prolog) {
		return more[:n]
	}
	return more[:n+i+len(endTag)]
}

func (f *Frames) take(p []byte) {
	f.held = append(f.held[:0], p...)
	f.line += bytes.Count(p, []byte{'\n'})
	_, _ = f.in.Discard(len(p))
}

// lined reads a message that ends with its line; XML that is written over several lines ends with its last tag.
func (f *Frames) lined() (Frame, error) {
	at := f.line
	f.held = f.held[:0]
	long := false
	for {
		p, err := f.in.ReadSlice('\n')
		if len(f.held)+len(p) > f.most {
			long = true
			f.held = f.held[:0]
		} else {
			f.held = append(f.held, p...)
		}
		if err == bufio.ErrBufferFull {
			long = true
			f.held = f.held[:0]
			continue
		}
		if err != nil && err != io.EOF {
			return Frame{}, err
		}
		if bytes.HasSuffix(p, []byte{'\n'}) {
			f.line++
		}
		open := !long && (bytes.Contains(f.held, beginTag) || bytes.Contains(f.held, prolog)) && !bytes.Contains(f.held, endTag)
		if open && err == nil {
			next, _ := f.in.Peek(1)
			if n, digits := 0, 0; len(next) == 1 && next[0] >= '0' && next[0] <= '9' {
				if n, digits, _ = f.count(); n > 0 && digits > 0 {
					open = false
				}
			}
			if start, _ := f.in.Peek(4); open && !header(start) {
				continue
			}
		}
		if long {
			return Frame{Line: at, Why: f.tooLong()}, nil
		}
		if open {
			return Frame{Line: at, Why: "cut short: the XML does not end"}, nil
		}
		return Frame{Line: at, Text: f.held}, nil
	}
}

// header reports whether a line begins like a syslog message: <PRI>.
func header(p []byte) bool {
	return len(p) >= 2 && p[0] == '<' && p[1] >= '0' && p[1] <= '9'
}
