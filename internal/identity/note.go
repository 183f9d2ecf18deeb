package identity

import (
	"context"
	"database/sql"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// did is an act of this package as entries name it.
type did struct {
	kind        audit.Kind
	interaction string
}

// The acts. Their words are part of what readers of the log filter by.
var (
	didLogin     = did{audit.Session, "login"}
	didLogout    = did{audit.Session, "logout"}
	didLock      = did{audit.Session, "lock"}
	didUnlock    = did{audit.Session, "unlock"}
	didStepUp    = did{audit.Session, "step-up"}
	didCapacity  = did{audit.Session, "capacity"}
	didActAs     = did{audit.Session, "act-as"}
	didEndActing = did{audit.Session, "act-as-end"}
	didKill      = did{audit.Session, "session-kill"}
	didCreate    = did{audit.People, "person-create"}
	didChange    = did{audit.People, "person-change"}
	didInvite    = did{audit.People, "enrolment-link"}
	didEnrol     = did{audit.People, "enrol"}
	didAsk       = did{audit.People, "approval-ask"}
	didApprove   = did{audit.People, "approval-give"}
	didRefuse    = did{audit.People, "approval-refuse"}
	didCarryOut  = did{audit.People, "approval-done"}
	didReset     = did{audit.People, "credential-reset"}
	didRelieve   = did{audit.People, "throttle-lift"}
	didTerminate = did{audit.People, "person-terminate"}
	didSuspend   = did{audit.People, "person-suspend"}
	didResume    = did{audit.People, "person-resume"}
	didSchedule  = did{audit.People, "person-schedule"}
	didProvision = did{audit.People, "provision"}

	didAddPasskey     = did{audit.People, "passkey-add"}
	didRenamePasskey  = did{audit.People, "passkey-rename"}
	didRemovePasskey  = did{audit.People, "passkey-remove"}
	didSuspectPasskey = did{audit.People, "passkey-suspect"}
	didRemovePassword = did{audit.People, "password-remove"}
	didMakeCodes      = did{audit.People, "recovery-codes"}
	didRecover        = did{audit.People, "recovery-use"}

	didLink   = did{audit.People, "provider-link"}
	didUnlink = did{audit.People, "provider-unlink"}

	didDeviceCode     = did{audit.People, "device-code"}
	didRegisterDevice = did{audit.People, "device-register"}
	didLoseDevice     = did{audit.People, "device-lost"}
	didRetireDevice   = did{audit.People, "device-retire"}
	didProveDevice    = did{audit.Session, "device-prove"}
	didEnrolMachine   = did{audit.People, "device-enrol"}
	didTieBrowser     = did{audit.People, "device-browser"}
	didReport         = did{audit.People, "device-posture"}

	didRegister     = did{audit.People, "client-register"}
	didRevokeClient = did{audit.People, "client-revoke"}
	didAuthorize    = did{audit.Session, "authorize"}
	didToken        = did{audit.Session, "token"}
	didRefresh      = did{audit.Session, "token-refresh"}
	didReuse        = did{audit.Session, "token-reuse"}
	didRevokeToken  = did{audit.Session, "token-revoke"}
)

// Results, as FHIR AuditEvent.outcome.
const (
	acted  = 0
	failed = 4
)

// noted is what became of an event: its entry, or the sealed event that is owed to the log, and why.
type noted struct {
	entry string
	late  bool // not in the log yet: owed, or in the emergency journal
	owed  []byte
	cause error
	event audit.Event
}

func (s *Store) event(by audit.Agent, d did, result int, text string) audit.Event {
	return audit.Event{Kind: d.kind, Time: s.now().UTC(), Agent: by, Action: "E", Interaction: d.interaction, Class: audit.Deliberate, Purpose: "HOPERAT", Outcome: result, Text: text}
}

// note makes an event durable. The act waits for it: on an error it must not happen. A process without the log owes it.
func (s *Store) note(ctx context.Context, e audit.Event) (noted, error) {
	if s.o.Trail == nil {
		owed, err := sealJSON(s.box, s.owedKey, aad("backlog", ""), e)
		return noted{owed: owed, late: true, event: e}, err
	}
	logged, err := s.o.Trail.Note(ctx, e)
	if err != nil {
		return noted{}, outcome.Wrap("identity: audit", outcome.NoStore, "the audit cannot be written, so nothing was changed; please try again", err)
	}
	return noted{entry: logged.Entry(), late: logged.Journaled(), event: e}, nil
}

// noteOrOwe is note for acts that nothing may stop: what the log does not take is owed.
func (s *Store) noteOrOwe(ctx context.Context, e audit.Event) (noted, error) {
	n, err := s.note(ctx, e)
	if err == nil {
		return n, nil
	}
	owed, sealErr := sealJSON(s.box, s.owedKey, aad("backlog", ""), e)
	return noted{owed: owed, late: true, cause: err, event: e}, sealErr
}

// act does what was noted; what is owed of it is stored in the same transaction.
func (s *Store) act(ctx context.Context, n noted, do func(*sql.Tx) error) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := do(tx); err != nil || n.owed == nil {
			return err
		}
		_, err := tx.Exec(`insert into identity_backlog(sealed) values(?)`, n.owed)
		return err
	})
	if err != nil {
		s.undo(ctx, n)
	}
	return err
}

// notDone begins the text of an entry that takes an earlier one back.
const notDone = "not carried out: "

// undo notes that what was noted did not happen: somebody else was faster, or the disk failed. A verification compares rows with what
// the log says was done.
func (s *Store) undo(ctx context.Context, n noted) {
	if n.entry == "" {
		return
	}
	e := n.event
	e.Time, e.Outcome, e.Text = s.now().UTC(), failed, notDone+n.entry
	if _, err := s.note(context.WithoutCancel(ctx), e); err != nil {
		s.o.Logger.Error("identity: that an act was not carried out could not be noted", "entry", n.entry, "error", err)
	}
}

// settle appends owed events, oldest first, and stops at the first that the log still refuses. An event is deleted after its entry
// is durable, so a crash between the two repeats it: twice is better than never.
func (s *Store) settle(ctx context.Context) error {
	for s.o.Trail != nil {
		var number int64
		var sealed []byte
		err := s.db.Reader().QueryRowContext(ctx, `select number, sealed from identity_backlog order by number limit 1`).Scan(&number, &sealed)
		if err == sql.ErrNoRows {
			return nil
		}
		if err != nil {
			return outcome.Wrap("identity: settle", outcome.NoStore, "the owed events cannot be read", err)
		}
		var e audit.Event
		if err := openJSON(s.box, aad("backlog", ""), sealed, &e); err != nil {
			return err
		}
		if _, err := s.note(ctx, e); err != nil {
			return err
		}
		if err := s.db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.Exec(`delete from identity_backlog where number=?`, number)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
