package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// commandLine is who acts when nobody is signed in: whoever may read the key file. It is nobody's second person.
var commandLine = audit.Agent{Job: access.Operator}

// controlled are the acts that a running server carries out for another process, by name.
var controlled = map[string]server.Command{
	"device-list": carried(listDevices), "device-register": carried(registerDevice), "device-lost": carried(loseDevice), "device-retire": carried(retireDevice),
	"person-add": carried(addPerson), "person-list": carried(listPeople), "person-terminate": carried(terminate), "person-unlock": carried(unlock), "person-managers": carried(setManagers),
	"person-import": carried(importPeople), "person-schedule": carried(setSchedule), "person-scheduled": carried(listSchedule), "person-orphans": carried(listOrphans), "person-known": carried(keepKnown),
	"recertify-start": carried(startRecertification), "recertify-list": carried(listRecertifications),
	"certificate-print": carried(printCertificate), "certificate-key": carried(printCertificateKey),
	"client-add": carried(addClient), "client-list": carried(listClients), "client-revoke": carried(revokeClient), "client-owner": carried(ownClient),
	"client-token": carried(giveToken), "client-groups": carried(mapGroups),
	"policy-explain": carried(explain), "policy-list": carried(listRules), "policy-show": carried(showRules), "policy-simulate": carried(simulateRules),
	"policy-publish": carried(publishRules), "policy-rollback": carried(rollBackRules), "policy-advice": carried(adviseRules), "audit-export": carried(exportLog),
	"backup": carried(writeCopy), "undo": carried(takeBack), "shred": carried(erase),
	"practice-declare": carried(declarePractice), "practice-end": carried(endPractice), "practice-show": carried(tellPractice),
}

// act works on an open installation. Its request is read from the command line before, so that wrong use never opens anything.
type act[T any] func(ctx context.Context, s *server.Server, request T, out *bytes.Buffer) error

// carried is an act whose request travels as JSON.
func carried[T any](a act[T]) server.Command {
	return func(ctx context.Context, s *server.Server, args []string, out *bytes.Buffer) error {
		var request T
		if len(args) != 1 || json.Unmarshal([]byte(args[0]), &request) != nil {
			return outcome.New(outcome.Invalid, "the running server does not understand this command: is it of another version?")
		}
		return a(ctx, s, request, out)
	}
}

// carryOut runs an act of [controlled] on the installation of c: in the server that holds the directory, or here when none does.
func carryOut[T any](ctx context.Context, c server.Config, name string, request T, out io.Writer) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	err = server.RunCommand(ctx, c, server.Options{Logger: logger()}, name, controlled[name], []string{string(body)}, &text)
	if _, failed := out.Write(text.Bytes()); err == nil {
		err = failed
	}
	return err
}

func writeJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// listing is a command that has an act of [controlled] list something, in lines or as JSON.
func listing(act string) func(context.Context, *line) error {
	return func(ctx context.Context, l *line) error {
		var c server.Config
		l.installation(&c)
		asJSON := l.Bool("json", false, "as JSON")
		if err := l.parse(); err != nil {
			return err
		}
		return carryOut(ctx, c, act, *asJSON, l.out)
	}
}
