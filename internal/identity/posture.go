package identity

import (
	"context"
	"database/sql"
	"encoding/base64"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/posture"
)

// DeviceManaged is how far a registered device is trusted whose machine reported, lately and signed, what this house demands.
const DeviceManaged = "managed"

// Standing is what the machine of a device last reported, and what of that this house misses.
type Standing struct {
	posture.Report
	Came  time.Time
	Until time.Time // when the report counts no more
	Lacks []string  // in words; empty: the device is managed
}

// postureColumns is the newest report of a device as it lies in its row.
type postureColumns struct {
	number      int64
	device      string
	asked, came int64
	sealed, mac []byte
}

const postureList = `u.number, u.device, u.asked_at, u.came_at, u.sealed, u.mac`

func (c *postureColumns) into() []any {
	return []any{&c.number, &c.device, &c.asked, &c.came, &c.sealed, &c.mac}
}

func (c *postureColumns) tagged() []any { return []any{c.device, c.asked, c.came, c.sealed} }

// postureTold is what a report's row keeps sealed.
type postureTold struct{ Report, Signature string }

func (s *Store) postures(q queryer, where string, args ...any) ([]postureColumns, error) {
	return gather(s, q, (*postureColumns).into, func(c *postureColumns) bool {
		return s.genuine(s.tags.posture, postureTable, c.number, c.mac, c.tagged()) == nil
	}, `select `+postureList+` from identity_device_posture u where `+where, args...)
}

func (s *Store) demands() posture.Demands {
	if s.o.Demands == (posture.Demands{}) {
		return posture.Usual
	}
	return s.o.Demands
}

// standing reads a genuine row.
func (s *Store) standing(c *postureColumns) (Standing, error) {
	var told postureTold
	if err := openJSON(s.box, aad("posture", c.device), c.sealed, &told); err != nil {
		return Standing{}, err
	}
	r, err := posture.Parse(told.Report)
	if err != nil {
		return Standing{}, err
	}
	d, came := s.demands(), timeOf(c.came)
	return Standing{Report: r, Came: came, Until: came.Add(d.Age), Lacks: d.Lacks(r, came, s.now())}, nil
}

// Posture is what the machine of a device last reported. Errors: outcome.NotFound (it never did); outcome.NoStore.
func (s *Store) Posture(device string) (Standing, error) {
	found, err := s.postures(s.db.Reader(), `u.device=?`, device)
	if err != nil {
		return Standing{}, err
	}
	if len(found) != 1 {
		return Standing{}, errNoDevice
	}
	return s.standing(&found[0])
}

// reported is the posture row beside a session, which may be none.
type reported struct {
	number      sql.NullInt64
	device      sql.NullString
	asked, came sql.NullInt64
	sealed, mac []byte
}

func (r *reported) into() []any {
	return []any{&r.number, &r.device, &r.asked, &r.came, &r.sealed, &r.mac}
}

// meets reports whether the row is a genuine one of a machine that meets the demands now. Doubt of any kind is no.
func (s *Store) meets(r *reported) bool {
	c := postureColumns{r.number.Int64, r.device.String, r.asked.Int64, r.came.Int64, r.sealed, r.mac}
	if !r.number.Valid || s.genuine(s.tags.posture, postureTable, c.number, c.mac, c.tagged()) != nil {
		return false
	}
	st, err := s.standing(&c)
	return err == nil && len(st.Lacks) == 0
}

// ahead is how far a machine's clock may be ahead of this one.
const ahead = 10 * time.Minute

var errStaleNonce = outcome.New(outcome.Conflict, "this report was taken before, or is not for the newest nonce: fetch a nonce and report again")

// ReportPosture takes a machine's signed report (docs/formats/device-posture.md). It counts once, and only if it answers a later nonce than the
// one before: what somebody recorded cannot be sent again. An entry is written when it makes the device managed, or no longer. Sessions at the
// device see the change within a second.
//
// Errors: outcome.Value (the report cannot be read, or its clock is wrong); outcome.Login (no such machine, or another key signed);
// outcome.Conflict (replayed, or late: fetch a nonce and try again); outcome.Forbidden (the device is lost); outcome.NoStore.
func (s *Store) ReportPosture(ctx context.Context, text, signature string, from Arrival) (Standing, error) {
	r, err := posture.Parse(text)
	if err != nil {
		return Standing{}, err
	}
	m, err := s.machineOf(s.db.Reader(), r.Device)
	if err != nil {
		return Standing{}, err
	}
	if !posture.Verify(m.point, text, signature) {
		return Standing{}, errMachine
	}
	nonce, err := base64.RawURLEncoding.Strict().DecodeString(r.Nonce)
	if err != nil {
		return Standing{}, errStaleNonce
	}
	asked, ok := s.readNonce(nonce, ToReport(r.Device))
	if !ok {
		return Standing{}, errStaleNonce
	}
	now := s.now().UTC().Truncate(time.Microsecond)
	if late := now.Add(ahead); r.Updated.After(late) || r.Started.After(late) {
		return Standing{}, outcome.New(outcome.Value, "the report is from the future: set this machine's clock").At("started")
	}
	c := postureColumns{device: r.Device, asked: micros(asked), came: micros(now)}
	if c.sealed, err = sealJSON(s.box, s.deviceKey, aad("posture", r.Device), postureTold{text, signature}); err != nil {
		return Standing{}, err
	}
	st, err := s.standing(&c)
	if err != nil {
		return Standing{}, err
	}
	before, err := s.postures(s.db.Reader(), `u.device=?`, r.Device)
	if err != nil {
		return Standing{}, err
	}
	was := "" // nothing
	if len(before) == 1 {
		if before[0].asked >= c.asked {
			return Standing{}, errStaleNonce
		}
		if old, err := s.standing(&before[0]); err == nil {
			was = old.words()
		}
	}
	var n noted
	if st.words() != was {
		agent := audit.Agent{Job: "device-report", Address: addressOf(from), Zone: from.Zone}
		e := s.event(agent, didReport, acted, "device "+r.Device+" "+st.words())
		e.Time = now // what the row says: a verification compares them
		if n, err = s.note(ctx, e); err != nil {
			return Standing{}, err
		}
	}
	return st, s.act(ctx, n, func(tx *sql.Tx) error {
		if now, err := s.machineOf(tx, r.Device); err != nil || now.number != m.number { // lost, or enrolled anew, meanwhile
			return errMachine
		}
		if found, err := s.postures(tx, `u.device=?`, r.Device); err != nil {
			return err
		} else if len(found) == 1 && found[0].asked >= c.asked {
			return errStaleNonce
		}
		if _, err := tx.Exec(`delete from identity_device_posture where device=?`, r.Device); err != nil {
			return err
		}
		_, err := tx.Exec(`insert into identity_device_posture(device, asked_at, came_at, sealed, mac) values(?,?,?,?,?)`, append(c.tagged(), s.tags.posture.Tag(c.tagged()...))...)
		return err
	})
}

// words say in an entry how a device stands.
func (st Standing) words() string {
	if len(st.Lacks) == 0 {
		return "managed"
	}
	return "not managed: " + strings.Join(st.Lacks, "; ")
}
