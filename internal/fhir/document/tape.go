package document

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unsafe"

	"chartwarden/internal/outcome"
)

// tape is a document: its bytes and one node for each value, in the order of the text.
type tape struct {
	b     []byte
	nodes []node
}

func (t *tape) document() *Doc   { return &Doc{unsafe.Pointer(t)} }
func (t *tape) at(i uint32) Node { return Node{unsafe.Pointer(t), i} }

// node is one JSON value. Its children follow it; next is the index after its last descendant (0 while it is being read).
type node struct {
	start, end uint32 // of the value in the bytes; a string includes its quotes
	name       uint32 // where the property name starts, after its quote; meaningless in arrays
	next       uint32
	nameLen    uint8
	nameHash   uint8
	kind       Kind
	escaped    bool // a string with at least one backslash
}

// fault is why the text is refused. The first group is bad JSON, the second what we refuse besides.
type fault uint8

const (
	noFault fault = iota
	faultEnd
	faultSyntax
	faultNumber
	faultEscape
	faultControl
	faultTrailing

	faultUTF8
	faultSurrogate
	faultTwice
	faultDepth
	faultName
)

var faultTexts = [...]string{
	faultEnd:      "the JSON ends too early: close what is open",
	faultSyntax:   "this is not JSON: no comments, no trailing commas, names in double quotes",
	faultNumber:   "this number is not written as JSON wants it: no leading zero, no bare point or exponent",
	faultEscape:   `a string holds an unknown escape: use \" \\ \/ \b \f \n \r \t or \uXXXX`,
	faultControl:  "a string holds a control character: escape it",
	faultTrailing: "something follows the resource: send one JSON object",

	faultUTF8:      "the text is not UTF-8: encode it as UTF-8",
	faultSurrogate: `a string holds half of a surrogate pair: write both halves, or the character itself`,
	faultTwice:     "a name occurs twice in one object: keep one",
	faultDepth:     "objects and arrays are nested too deeply: 64 levels at most",
	faultName:      "a property name is written with escapes or is too long: write it plainly",
}

type parser struct {
	b      []byte
	i      int
	nodes  []node
	levels int // containers that may still be opened
	fault  fault
}

func (p *parser) fail(f fault) bool {
	if p.i >= len(p.b) && f < faultTrailing {
		f = faultEnd
	}
	p.fault = f
	return false
}

// err says what was refused and where: the path is that of the innermost container that was still open.
func (p *parser) err() error {
	code := outcome.Invalid
	if p.fault >= faultTwice {
		code = outcome.Structure
	}
	t := tape{p.b, p.nodes}
	last := 0
	for i := range t.nodes {
		if t.nodes[i].next == 0 { // still open
			last, t.nodes[i].next = i, uint32(len(t.nodes))
		}
	}
	e := outcome.New(code, fmt.Sprintf("%s (byte %d)", faultTexts[p.fault], p.i))
	if len(t.nodes) > 0 {
		e = e.At(t.at(uint32(last)).Expression())
	}
	return e
}

func (p *parser) document() bool {
	p.space()
	if !p.value(0, 0, 0) {
		return false
	}
	p.space()
	if p.i != len(p.b) {
		p.fault = faultTrailing
		return false
	}
	return true
}

func (p *parser) space() {
	b, i := p.b, p.i
	for i < len(b) && b[i] <= ' ' {
		if c := b[i]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			break
		}
		i++
		for i+8 <= len(b) && binary.LittleEndian.Uint64(b[i:]) == 0x2020202020202020 {
			i += 8
		}
	}
	p.i = i
}

func (p *parser) value(name uint32, nameLen, nameHash uint8) bool {
	b := p.b
	if p.i >= len(b) {
		return p.fail(faultEnd)
	}
	at := len(p.nodes)
	p.nodes = append(p.nodes, node{start: uint32(p.i), name: name, nameLen: nameLen, nameHash: nameHash})
	var kind Kind
	escaped := false
	switch c := b[p.i]; c {
	case '"':
		kind = String
		var ok bool
		if escaped, ok = p.text(); !ok {
			return false
		}
	case '{', '[':
		if p.levels == 0 {
			return p.fail(faultDepth)
		}
		p.levels--
		if kind = Array; c == '{' {
			kind = Object
		}
		p.nodes[at].kind = kind // an error's path needs it early
		if c == '{' && !p.object(at) || c == '[' && !p.array() {
			return false
		}
		p.levels++
	case 't':
		kind = Bool
		if !p.word("true") {
			return false
		}
	case 'f':
		kind = Bool
		if !p.word("false") {
			return false
		}
	case 'n':
		kind = Null
		if !p.word("null") {
			return false
		}
	default:
		kind = Number
		if !p.number() {
			return false
		}
	}
	n := &p.nodes[at]
	n.kind, n.escaped, n.end, n.next = kind, escaped, uint32(p.i), uint32(len(p.nodes))
	return true
}

func (p *parser) word(w string) bool {
	if len(p.b)-p.i < len(w) || string(p.b[p.i:p.i+len(w)]) != w {
		return p.fail(faultSyntax)
	}
	p.i += len(w)
	return true
}

func (p *parser) array() bool {
	p.i++
	p.space()
	if p.i < len(p.b) && p.b[p.i] == ']' {
		p.i++
		return true
	}
	for {
		if !p.value(0, 0, 0) {
			return false
		}
		p.space()
		if p.i >= len(p.b) {
			return p.fail(faultEnd)
		}
		switch p.b[p.i] {
		case ',':
			p.i++
			p.space()
		case ']':
			p.i++
			return true
		default:
			return p.fail(faultSyntax)
		}
	}
}

// fewNames is up to how many members are compared one by one; larger objects, which no resource has, use a set.
const fewNames = 32

func (p *parser) object(at int) bool {
	p.i++
	p.space()
	if p.i < len(p.b) && p.b[p.i] == '}' {
		p.i++
		return true
	}
	var seen uint64 // one bit for each name hash: a clear bit proves that the name is new
	var many map[string]struct{}
	for count := 0; ; count++ {
		if p.i >= len(p.b) || p.b[p.i] != '"' {
			return p.fail(faultSyntax)
		}
		start := p.i + 1
		escaped, ok := p.text()
		if !ok {
			return false
		}
		name := p.b[start : p.i-1]
		if escaped || len(name) > 255 {
			p.i = start
			return p.fail(faultName)
		}
		hash := hashName(name)
		if count == fewNames {
			many = p.names(at)
		}
		if many != nil {
			if _, twice := many[string(name)]; twice {
				p.i = start
				return p.fail(faultTwice)
			}
			many[string(name)] = struct{}{}
		} else if seen&(1<<(hash&63)) != 0 && p.has(at, name, hash) {
			p.i = start
			return p.fail(faultTwice)
		}
		seen |= 1 << (hash & 63)
		p.space()
		if p.i >= len(p.b) || p.b[p.i] != ':' {
			return p.fail(faultSyntax)
		}
		p.i++
		p.space()
		if !p.value(uint32(start), uint8(len(name)), hash) {
			return false
		}
		p.space()
		if p.i >= len(p.b) {
			return p.fail(faultEnd)
		}
		switch p.b[p.i] {
		case ',':
			p.i++
			p.space()
		case '}':
			p.i++
			return true
		default:
			return p.fail(faultSyntax)
		}
	}
}

// has reports whether the object whose node is at already has a member called name.
func (p *parser) has(at int, name []byte, hash uint8) bool {
	for c := at + 1; c < len(p.nodes); c = int(p.nodes[c].next) {
		n := &p.nodes[c]
		if n.nameHash == hash && int(n.nameLen) == len(name) && bytes.Equal(p.b[n.name:n.name+uint32(n.nameLen)], name) {
			return true
		}
	}
	return false
}

func (p *parser) names(at int) map[string]struct{} {
	set := map[string]struct{}{}
	for c := at + 1; c < len(p.nodes); c = int(p.nodes[c].next) {
		n := &p.nodes[c]
		set[string(p.b[n.name:n.name+uint32(n.nameLen)])] = struct{}{}
	}
	return set
}

// hashName mixes the length and both ends of a name: cheap, and enough to tell the names of one object apart.
func hashName(name []byte) uint8 {
	n := len(name)
	var head, tail uint64
	switch {
	case n >= 8:
		head, tail = binary.LittleEndian.Uint64(name), binary.LittleEndian.Uint64(name[n-8:])
	case n >= 4:
		head, tail = uint64(binary.LittleEndian.Uint32(name)), uint64(binary.LittleEndian.Uint32(name[n-4:]))
	case n > 0:
		head, tail = uint64(name[0])|uint64(name[n/2])<<8, uint64(name[n-1])
	}
	h := (head ^ tail*0x9e3779b97f4a7c15 ^ uint64(n)) * 0xff51afd7ed558ccd
	return uint8(h >> 56)
}

// number reads one number of the JSON grammar: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
func (p *parser) number() bool {
	b, i := p.b, p.i
	if b[i] == '-' {
		i++
	}
	switch {
	case i < len(b) && b[i] == '0':
		i++
	case i < len(b) && b[i] >= '1' && b[i] <= '9':
		i = digits(b, i)
	case i < len(b) && i == p.i:
		return p.fail(faultSyntax)
	default:
		p.i = i
		return p.fail(faultNumber)
	}
	if i < len(b) && b[i] == '.' {
		j := digits(b, i+1)
		if j == i+1 {
			p.i = j
			return p.fail(faultNumber)
		}
		i = j
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		j := digits(b, i)
		if j == i {
			p.i = j
			return p.fail(faultNumber)
		}
		i = j
	}
	if i < len(b) && b[i] >= '0' && b[i] <= '9' { // a leading zero
		return p.fail(faultNumber)
	}
	p.i = i
	return true
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	return i
}
