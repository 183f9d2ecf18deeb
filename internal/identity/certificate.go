package identity

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
	"chartwarden/internal/tlog"
)

// Certificate says what a termination cut, for the file of whoever asks. Counts that this package does not know are filled in by
// [Store.Certify] before it is signed. It holds nothing of a patient (docs/formats/termination.md).
type Certificate struct {
	Person             string         `json:"person"`
	Name               string         `json:"name"`
	Practitioner       string         `json:"practitioner,omitempty"`
	Department         string         `json:"department,omitempty"`
	Reason             string         `json:"reason"`
	By                 string         `json:"by"` // id of a person; empty: the command line or a program
	Terminated         time.Time      `json:"terminated"`
	Entry              string         `json:"entry,omitempty"` // audit entry; missing while Owed
	Owed               bool           `json:"entry_owed,omitempty"`
	Epoch              int64          `json:"epoch"`
	Roles              []string       `json:"roles"`
	Sessions           []CutSession   `json:"sessions"`
	CredentialsRemoved int            `json:"credentials_removed"`
	LinksRevoked       int            `json:"links_revoked"`
	DraftsDropped      int            `json:"drafts_dropped"`
	ItemsWithdrawn     int            `json:"items_withdrawn"`
	ExportsStopped     int            `json:"exports_stopped"`    // exports among these items: asked for or agreed to, and not out yet
	AuthorizationsCut  int            `json:"authorizations_cut"` // what apps could do for the person, with all tokens
	ClientsEnding      int            `json:"clients_ending"`     // programs that stop in 7 days, for nobody answers for them
	GrantsEnded        *int           `json:"grants_ended,omitempty"`
	CutBy              time.Time      `json:"cut_by"`    // an hour: access must be gone everywhere
	NotifyBy           time.Time      `json:"notify_by"` // a day: partners must know
	Since              *time.Time     `json:"counted_since,omitempty"`
	Accesses30d        *int           `json:"accesses_30d,omitempty"` // in the 30 days before
	AccessesByKind     map[string]int `json:"accesses_by_kind,omitempty"`
	Exports30d         *int           `json:"exports_30d,omitempty"` // of these: what was taken along
	ExportsByKind      map[string]int `json:"exports_by_kind,omitempty"`
	OpenCases          *int           `json:"open_cases,omitempty"`
	Notice             string         `json:"notice,omitempty"`          // a C2SP signed note for partners
	NoticeVerifier     string         `json:"notice_verifier,omitempty"` // checks the note; of the same key as the certificate
}

// CutSession is a session that a termination ended.
type CutSession struct {
	ID       string    `json:"id"`
	Capacity string    `json:"capacity"`
	Device   string    `json:"device,omitempty"`
	Zone     string    `json:"zone,omitempty"`
	Since    time.Time `json:"since"`
	Seen     time.Time `json:"seen"`
}

// certified is a certificate as it is kept; Signed once it was filled in.
type certified struct {
	Certificate
	Signed []byte `json:",omitempty"`
}

// certified is the name as a certificate says it: who is here as a patient only is no name, for that somebody is a patient is patient data.
func (p Person) certified() string {
	if p.PortalOnly() {
		return "Portal account"
	}
	return p.Name
}

func (s *Store) keepCertificate(tx *sql.Tx, k seal.KeyID, r *row, c certified) error {
	sealed, err := sealJSON(s.box, k, aad("certificate", r.ID), c)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`insert into identity_certificate(person, sealed) values(?,?) on conflict (person) do update set sealed=excluded.sealed`, r.number, sealed)
	return err
}

// Certify gives the certificate of somebody who left, signed; always the same bytes. The first time fill adds what this package cannot
// count. When fill fails nothing is kept, and what is returned, signed too, says nothing of those counts.
//
// Errors: outcome.NotFound (nobody, or nobody who left since certificates are kept); that of fill, beside a signed certificate.
func (s *Store) Certify(ctx context.Context, person string, fill func(*Certificate) error) (Certificate, []byte, error) {
	r, err := s.find(ctx, s.db.Reader(), person)
	if err != nil {
		return Certificate{}, nil, err
	}
	var sealed []byte
	err = s.db.Reader().QueryRowContext(ctx, `select sealed from identity_certificate where person=?`, r.number).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return Certificate{}, nil, outcome.New(outcome.NotFound, "there is no certificate: this person has not left, or left before certificates were kept")
	}
	if err != nil {
		return Certificate{}, nil, outcome.Wrap("identity: certificate", outcome.NoStore, "the certificate cannot be read", err)
	}
	var c certified
	if err := openJSON(s.box, aad("certificate", r.ID), sealed, &c); err != nil {
		return Certificate{}, nil, err
	}
	if c.Signed != nil {
		return c.Certificate, c.Signed, nil
	}
	whole := c.Certificate
	if filled := fill(&whole); filled != nil {
		signed, err := s.Attest(c.Certificate)
		return c.Certificate, signed, errors.Join(err, filled)
	}
	c.Certificate = whole
	if c.Signed, err = s.Attest(whole); err != nil {
		return Certificate{}, nil, err
	}
	k, err := s.personKey(ctx, r.number)
	if err != nil {
		return Certificate{}, nil, err
	}
	first := c
	err = s.db.Write(ctx, func(tx *sql.Tx) error { // another node may have signed meanwhile: the first one stays
		first = c
		var kept certified
		var sealed []byte
		if err := tx.QueryRow(`select sealed from identity_certificate where person=?`, r.number).Scan(&sealed); err != nil {
			return err
		}
		if err := openJSON(s.box, aad("certificate", r.ID), sealed, &kept); err == nil && kept.Signed != nil {
			first = kept
			return nil
		}
		return s.keepCertificate(tx, k, r, c)
	})
	return first.Certificate, first.Signed, err
}

const (
	terminationLabel = "termination"
	noticeName       = "chartwarden/termination"
)

// Attest gives the certificate as one JSON object, signed by the installation: signature is Ed25519 over the object without the members
// key and signature, as written here.
func (s *Store) Attest(c Certificate) ([]byte, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, outcome.Wrap("identity: certificate", outcome.Exception, "the certificate could not be written", err)
	}
	key := s.box.SigningKey(terminationLabel)
	b := base64.StdEncoding
	return fmt.Appendf(nil, `%s,"key":%q,"signature":%q}`, body[:len(body)-1], b.EncodeToString(key.Public().(ed25519.PublicKey)), b.EncodeToString(ed25519.Sign(key, body))), nil
}

// CertificateKey is the public key with which this installation signs certificates, in base64.
func (s *Store) CertificateKey() string {
	return base64.StdEncoding.EncodeToString(s.box.SigningKey(terminationLabel).Public().(ed25519.PublicKey))
}

// Notice signs a text for partners as a note, and gives what checks it. The text ends in a newline. Source: https://c2sp.org/signed-note.
func (s *Store) Notice(text string) (note, verifier string, err error) {
	signer, err := tlog.NewSigner(noticeName, s.box.SigningKey(terminationLabel))
	if err != nil {
		return "", "", err
	}
	return string(signer.Sign([]byte(text))), signer.Verifier().String(), nil
}

// ReadCertificate checks a certificate without an installation: its signature, and that of its notice. key is the public key of the
// installation as [Store.CertificateKey] gives it; empty takes the one in the file, which shows only that the file agrees with itself.
// Errors: outcome.Invalid: it is no certificate; outcome.Conflict: a signature does not hold, or is of another key.
func ReadCertificate(file []byte, key string) (Certificate, error) {
	var c Certificate
	not := func() (Certificate, error) {
		return Certificate{}, outcome.New(outcome.Invalid, "this is no certificate of a termination as it was written: give the file unchanged, on one line")
	}
	body, rest, ok := cutLast(bytes.TrimSpace(file), []byte(`,"key":"`))
	if !ok {
		return not()
	}
	var tail struct{ Key, Signature string }
	if json.Unmarshal(append([]byte(`{"key":"`), rest...), &tail) != nil {
		return not()
	}
	body = append(bytes.Clone(body), '}')
	strict := json.NewDecoder(bytes.NewReader(body))
	strict.DisallowUnknownFields()
	if strict.Decode(&c) != nil || c.Person == "" {
		return not()
	}
	b := base64.StdEncoding.Strict()
	public, err := b.DecodeString(tail.Key)
	signature, err2 := b.DecodeString(tail.Signature)
	if err != nil || err2 != nil || len(public) != ed25519.PublicKeySize {
		return not()
	}
	fault := func(what string) (Certificate, error) { return Certificate{}, outcome.New(outcome.Conflict, what) }
	if key != "" && strings.TrimSpace(key) != tail.Key {
		return fault("the certificate is signed with another key than the one given")
	}
	if !ed25519.Verify(public, body, signature) {
		return fault("the signature does not hold: the certificate was changed")
	}
	if c.Notice == "" {
		return c, nil
	}
	v, err := tlog.ParseVerifier(c.NoticeVerifier)
	parts := strings.SplitN(c.NoticeVerifier, "+", 3) // name, id, key: only the key may hold another plus
	if err != nil || len(parts) != 3 || parts[2] != base64.StdEncoding.EncodeToString(append([]byte{1}, public...)) {
		return fault("the notice names another key than the certificate")
	}
	if _, _, err := tlog.OpenNote([]byte(c.Notice), v); err != nil {
		return fault("the signature of the notice does not hold")
	}
	return c, nil
}

// cutLast cuts s at the last sep.
func cutLast(s, sep []byte) (before, after []byte, ok bool) {
	if i := bytes.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, nil, false
}
