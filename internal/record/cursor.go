package record

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unsafe"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// cursorLife is how long a next link can be followed.
const cursorLife = 30 * time.Minute

// tooFar is how many transactions a cursor may lie behind: beyond it, going back to its moment costs too much.
const tooFar = 50_000

// Cursor is where a search goes on: the same question at the same moment, behind the last hit. The link to it is sealed, since the
// question may hold a name; nothing is kept on the server. A Cursor cannot be printed.
type Cursor struct{ p unsafe.Pointer }

// position is the content of a cursor.
type position struct {
	Type    string         `json:"y"`
	Text    string         `json:"q"`           // the query as asked
	Patient fhir.PatientID `json:"p,omitempty"` // compartment that was searched
	Tx      int64          `json:"t"`           // the moment: the newest transaction then
	Expires int64          `json:"e"`           // unix seconds
	Key     []byte         `json:"k,omitempty"` // sort key of the last hit
	At      int64          `json:"a,omitempty"`
	Rec     fhir.RecordID  `json:"r"`
	Served  int            `json:"n"` // hits on the pages so far
}

func (c *Cursor) position() *position { return (*position)(c.p) }

// Type is the resource type that was searched.
func (c *Cursor) Type() string { return c.position().Type }

// Query is the query as [SearchRequest.Text] gave it: parse it again and search with it. It may hold patient data.
func (c *Cursor) Query() string { return c.position().Text }

// Patient is the compartment that was searched, 0 if none.
func (c *Cursor) Patient() fhir.PatientID { return c.position().Patient }

// Served is the number of hits on the pages before.
func (c *Cursor) Served() int { return c.position().Served }

// Format prints the type.
func (c Cursor) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "cursor") }

// MarshalText is the same word as [Cursor.Format].
func (c Cursor) MarshalText() ([]byte, error) { return []byte("cursor"), nil }

var cursorText = base64.RawURLEncoding

// OpenCursor reads [Page.Next]. principal must be the one that the page was made for; it and the server's base URL are bound.
// Errors: outcome.Expired after half an hour; outcome.Invalid for everything that is no cursor of this principal.
func (s *Store) OpenCursor(principal, token string) (*Cursor, error) {
	raw, err := cursorText.Strict().DecodeString(token)
	if err != nil {
		return nil, noCursor()
	}
	plain, err := s.box.Open(nil, s.cursorPlace(principal), raw)
	if err != nil {
		return nil, noCursor()
	}
	var p position
	if err := json.Unmarshal(plain, &p); err != nil {
		return nil, noCursor()
	}
	if s.o.Now().Unix() > p.Expires {
		return nil, stale()
	}
	return &Cursor{unsafe.Pointer(&p)}, nil
}

func (s *Store) sealCursor(ctx context.Context, principal string, p position) (string, error) {
	now := s.o.Now()
	p.Expires = now.Add(cursorLife).Unix()
	key, err := s.box.Key(ctx, int64(now.Year()*100+int(now.Month())), cursorKey)
	if err != nil {
		return "", err
	}
	plain, err := json.Marshal(p)
	if err != nil {
		return "", outcome.Wrap("record: cursor", outcome.Exception, "the next page cannot be offered", err)
	}
	raw, err := s.box.Seal(nil, key, s.cursorPlace(principal), plain)
	if err != nil {
		return "", err
	}
	return cursorText.EncodeToString(raw), nil
}

// HistoryCursor seals where the history of one resource goes on, behind last; text is the question as asked. It is opened by
// [Store.OpenCursor], is of [Cursor.IsFeed] "Type/id", and [Cursor.Passed] tells what stood on the pages before.
// Errors: outcome.NoStore.
func (s *Store) HistoryCursor(ctx context.Context, principal, text string, last *Sealed) (string, error) {
	return s.sealCursor(ctx, principal, position{Type: feedName + last.Type() + "/" + last.ID(), Text: text, Tx: last.found().row.tx, Rec: last.Record()})
}

// Passed reports whether a version stood on a page before, or was written after the first of them.
func (c *Cursor) Passed(x *Sealed) bool { return x.found().row.tx >= c.position().Tx }

func (s *Store) cursorPlace(principal string) []byte {
	return []byte("cursor\x00" + s.o.Base + "\x00" + principal)
}

// noCursor says nothing of the cause: why a forged link fails is nobody's business.
func noCursor() error {
	return outcome.New(outcome.Invalid, "this link to a next page is not valid for you: search again").At("_cursor")
}

func stale() error {
	return outcome.New(outcome.Expired, "this link to a next page has expired: search again")
}
