package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"chartwarden/internal/outcome"
)

// command is one subcommand: run, or verbs below it. One with neither belongs to a later version.
type command struct {
	name  string
	form  string // the arguments, as help shows them
	about string
	run   func(ctx context.Context, l *line) error
	verbs []command
}

var commands []command

func init() { // not a literal: help needs the table, and the table the commands
	commands = []command{
		{name: "demo", form: "[--listen ADDR] [--data DIR] [--seed N] [--size small|medium|large]", about: "a hospital that does not exist, with running life", run: demo},
		{name: "init", form: "--data DIR [--admin NAME] [--practice] [--sandbox] [--passphrase-file F]", about: "a new installation", run: initialise},
		{name: "serve", form: "--data DIR [--listen ADDR] [--public-url URL] [--tls-cert F --tls-key F] [--witness URL=KEY ...]", about: "run the server", run: serve},
		{name: "import", form: "--data DIR [--atomic] [--report FILE] [--json] FILE|DIR ...", about: "take FHIR files in; the server is stopped meanwhile", run: importFiles},
		{name: "label", form: "--data DIR", about: "give older records the sensitivity labels that the rules say; the server is stopped meanwhile", run: labelRecords},
		{name: "person", about: "the people of an installation, beside a running server too", verbs: []command{
			{name: "add", form: "--data DIR --name NAME [--role ROLE ...] [--practitioner Practitioner/ID] [--patient Patient/ID]", about: "a person, with a one-time enrolment link", run: personAdd},
			{name: "list", form: "--data DIR [--json]", about: "everybody, those who left included", run: listing("person-list")},
			{name: "terminate", form: "--data DIR PERSON --reason TEXT [--json]", about: "end a person's access now; prints the certificate", run: personTerminate},
			{name: "import", form: "--data DIR --hr FILE.csv [--dry-run] [--most-leavers N] [--json]", about: "who comes, changes and leaves, by a table of HR", run: personImport},
			{name: "leave", form: "--data DIR PERSON --at T --reason TEXT | --cancel", about: "end a person's access at a set moment", run: personLeave},
			{name: "move", form: "--data DIR PERSON --at T [--role ROLE ...] [--department NAME] [--overlap DAYS] --reason TEXT | --cancel", about: "change roles and department at a set moment", run: personMove},
			{name: "scheduled", form: "--data DIR [--json]", about: "what is set for whom", run: listing("person-scheduled")},
			{name: "orphans", form: "--data DIR [--json]", about: "who can get in and stands neither in the HR file nor in a directory", run: listing("person-orphans")},
			{name: "known", form: "--data DIR PERSON --because TEXT [--days N]", about: "why somebody on no roster works here; after that it is asked again", run: personKnown},
			{name: "certificate", about: "what a termination ended", verbs: []command{
				{name: "print", form: "--data DIR PERSON [--json | --notice]", about: "the certificate of somebody who left, as often as it is asked for", run: certificatePrint},
				{name: "key", form: "--data DIR", about: "the public key that certificates of this installation are signed with", run: certificateKey},
				{name: "verify", form: "FILE [--key KEY] [--json]", about: "check a certificate without an installation", run: certificateVerify},
			}},
			{name: "unlock", form: "--data DIR PERSON", about: "forget the wrong passwords so far", run: personUnlock},
			{name: "managers", form: "--data DIR [--map FILE] HR.csv", about: "who answers for whom, and mail addresses, from a table of people", run: personManagers},
		}},
		{name: "recertify", about: "have managers say who still needs what", verbs: []command{
			{name: "start", form: "--data DIR [--owner PERSON ...] [--days N] [--manager PERSON] [--department NAME] [--json]", about: "ask, until a day; what nobody answers lapses", run: recertifyStart},
			{name: "list", form: "--data DIR [--json]", about: "how each one stands, and for whom it waits", run: listing("recertify-list")},
		}},
		{name: "device", about: "the devices of the house, beside a running server too", verbs: []command{
			{name: "list", form: "--data DIR [--json]", about: "every device and how it stands", run: listing("device-list")},
			{name: "register", form: "--data DIR --name NAME | --device ID", about: "a one-time address that registers the device at which it is opened", run: deviceRegister},
			{name: "lost", form: "--data DIR DEVICE --reason TEXT", about: "end all sessions at it now, and let nobody sign in at it", run: deviceLost},
			{name: "retire", form: "--data DIR DEVICE", about: "take it out of service: it counts as unknown", run: deviceRetire},
			{name: "enrol", form: "[--file F] [--lock 5m] ADDRESS", about: "on the device itself: make its machine's key, by an address of `register`, and report", run: deviceEnrol},
			{name: "report", form: "[--file F] [--show]", about: "on the device itself: report disk, screen lock and updates, signed; once an hour, for example", run: deviceReport},
			{name: "browser", form: "[--file F]", about: "on the device itself: a one-time address that ties a browser to it", run: deviceBrowser},
		}},
		{name: "client", about: "the apps and backend services of an installation, beside a running server too", verbs: []command{
			{name: "add", form: "--data DIR --id ID --name NAME [--jwks FILE] [--redirect URI ...] --scope \"SCOPES\" --owner PERSON [--first-party] [--json]", about: "register one; outside a sandbox a second person activates it", run: clientAdd},
			{name: "token", form: "--data DIR ID [--json]", about: "the lasting token of a directory, registered with --scope scim; the one before dies", run: clientToken},
			{name: "groups", form: "--data DIR ID|oidc:ISSUER [--group NAME --role ROLE [--remove]] [--json]", about: "which roles the groups of a directory, or at the identity provider, give", run: clientGroups},
			{name: "list", form: "--data DIR [--json]", about: "all of them, those that ended included", run: listing("client-list")},
			{name: "owner", form: "--data DIR ID --owner PERSON", about: "somebody else answers for one, for a year; outside a sandbox a second person approves it", run: clientOwner},
			{name: "revoke", form: "--data DIR ID [--reason TEXT] [--json]", about: "end one and all its tokens now", run: clientRevoke},
		}},
		{name: "audit", about: "the audit log, beside a running server too", verbs: []command{
			{name: "verify", form: "--data DIR | --bundle DIR [--head FILE] [--witness-key K ...] [--witness URL=K ...] [--offline] [--json]", about: "recompute everything and name each fault", run: auditVerify},
			{name: "export", form: "--data DIR --out DIR [--from T] [--to T] [--patient P] [--person P] [--payloads] [--reason TEXT | --approval N] [--json]", about: "what an outside verifier needs", run: auditExport},
			{name: "head", form: "--data DIR [--cosigned]", about: "the newest signed head", run: auditHead},
			{name: "schema", form: "[--json]", about: "where each field of ASTM E2147 stands in an entry", run: auditSchema},
		}},
		{name: "witness", about: "an independent witness of logs (C2SP tlog-witness), for another machine", verbs: []command{
			{name: "key", form: "--state DIR [--name NAME]", about: "print the witness's verifier key; makes the witness the first time", run: witnessKey},
			{name: "serve", form: "--state DIR --log VKEY ... [--listen ADDR] [--tls-cert F --tls-key F]", about: "cosign the heads of these logs", run: witnessServe},
		}},
		{name: "policy", about: "the rules of access", verbs: []command{
			{name: "check", form: "[--bundle DIR]", about: "load and lint them", run: policyCheck},
			{name: "test", form: "[--bundle DIR]", about: "run their scenarios", run: policyTest},
			{name: "explain", form: "--data DIR --person P --patient Q [--action A] [--at T]", about: "why one person may or may not open one chart", run: policyExplain},
			{name: "list", form: "--data DIR [--json]", about: "every bundle that is, was or will be in force", run: listing("policy-list")},
			{name: "show", form: "--data DIR [--bundle HASH] [--out DIR]", about: "the text of a bundle; without a hash, of the one in force", run: policyShow},
			{name: "simulate", form: "--data DIR --bundle DIR|HASH [--days 30] [--json]", about: "what other rules would have decided about accesses that happened; exit 1 when acts of care would have been blocked", run: policySimulate},
			{name: "publish", form: "--data DIR --bundle DIR --reason TEXT [--from T] [--answer KEY=TEXT ...] | --item N [--json]", about: "ask a second person that other rules decide", run: policyPublish},
			{name: "rollback", form: "--data DIR --to HASH --reason TEXT [--json]", about: "ask a second person that earlier rules decide again", run: policyRollback},
			{name: "matrix", form: "[--bundle DIR] [--against DIR] [--role ROLE] [--json]", about: "role by act by field group by relation, asked of the rules", run: policyMatrix},
			{name: "advice", form: "--data DIR [--days 90] [--json]", about: "roles and clearances that nobody used", run: policyAdvice},
		}},
		{name: "practice", about: "whether this site is a practice, beside a running server too", verbs: []command{
			{name: "show", form: "--data DIR [--json]", about: "how the site stands", run: listing("practice-show")},
			{name: "declare", form: "--data DIR [--reviewer PERSON] --reason TEXT | --item N [--json]", about: "ask a second person that everybody who treats stands to each patient of the last 24 months", run: practiceDeclare},
			{name: "end", form: "--data DIR", about: "the site is no practice any more, from now on", run: practiceEnd},
		}},
		{name: "undo", form: "--data DIR --person P --since T [--dry-run] [--reason TEXT] | --item N [--json]", about: "take back what a person wrote; two people want it", run: undo},
		{name: "shred", form: "--data DIR --patient P --reason TEXT | --item N", about: "erase a chart for good; two people want it", run: shred},
		{name: "backup", form: "--data DIR --out F --recipient age1... [--keys-out F] [--json]", about: "a sealed copy of everything, beside a running server too", run: backupNow},
		{name: "recovery-key", form: "--out F", about: "the pair of keys for copies; made and kept away from the server", run: recoveryKey},
		{name: "restore", form: "--from F --identity F --key-file F [--keys F] --data DIR | --drill [--head FILE] [--report FILE] [--json]", about: "an installation from its copy, verified", run: restore},
		{name: "move", form: "--data DIR --to postgres://...", about: "an installation from its directory to a database", run: move},
		{name: "simulate", form: "--out DIR [--seed N] [--staff N] [--patients N] [--days N] [--attacks all|none|NAME,...] [--missing FEED,...] [--noise X] [--stats] [--json] | --baseline NAME,... --context DIR --log F --out DIR", about: "write a hospital's files and log with labelled misuse, to judge detectors by", run: simulateHospital},
		{name: "replay", form: "--context DIR --log FILE [--log FILE ...] [--format NAME | --map FILE] [--zone ZONE] --out DIR [--budget 2] [--seed 1] [--json] | --print-map NAME", about: "judge a recorded access log, of this system or another", run: replay},
		{name: "convert", form: "--log FILE [--log FILE ...] [--format NAME | --map FILE] [--zone ZONE] [--context DIR] --out FILE [--rejected FILE] [--json]", about: "write another system's access log as AuditEvents", run: convert},
		{name: "collect", form: "[--udp ADDR] [--tls ADDR --tls-cert F --tls-key F [--client-ca F]] [--zone ZONE] --out FILE", about: "take ATNA audit messages from the network and append them as AuditEvents", run: collectMessages},
		{name: "watch", form: "--data DIR --context DIR [--incoming DIR] [--format NAME | --map FILE] [--zone ZONE] [--syslog-tls ADDR --syslog-cert F --syslog-key F [--syslog-client-ca F]] [--syslog-udp ADDR] [--silence 26h] [--listen ADDR] [--public-url URL] [--tls-cert F --tls-key F]", about: "watch another record system: take its log as it comes, judge it, and serve the privacy office's pages (docs/guides/other-ehr.md, section 6)", run: watchAnother},
		{name: "score", form: "--labels F --cases F [--verdicts F] [--context DIR] [--require AIMS] [--out F.md] [--json] | --mean F ...", about: "judge a detector's cases by a simulation's labels", run: scoreCases},
		{name: "config", about: "the effective configuration, as JSON", run: config},
		{name: "routes", form: "[--json]", about: "every route and the policy action that it names", run: routes},
		{name: "version", about: "the version", run: version},
	}
}

// dispatch runs the command of table that args name; path is what stood before.
func dispatch(ctx context.Context, path string, table []command, args []string, out io.Writer) error {
	args = nameFirst(table, args)
	if len(args) == 0 {
		return outcome.New(outcome.Required, "say what to do: "+path+" "+strings.Join(names(table), "|")+"; `chartwarden help` tells more")
	}
	name, rest := args[0], args[1:]
	if isHelp(name) {
		if len(rest) == 0 {
			return &wantsHelp{print: func(w io.Writer) { list(w, path, table) }}
		}
		return dispatch(ctx, path, table, append(slices.Clone(rest), "--help"), out)
	}
	c, ok := find(table, name)
	path += " " + name
	switch {
	case !ok:
		return outcome.New(outcome.Invalid, "there is no command `"+path+"`; `chartwarden help` lists them")
	case c.verbs != nil:
		return dispatch(ctx, path, c.verbs, rest, out)
	case c.run == nil:
		return outcome.New(outcome.NotSupported, "`"+path+"` is not in this version; `chartwarden help` lists what is")
	}
	return c.run(ctx, newLine(path, c, rest, out))
}

// nameFirst lets flags stand before the name: `person --data DIR list` is `person list --data DIR`.
func nameFirst(table []command, args []string) []string {
	if len(args) == 0 || !strings.HasPrefix(args[0], "-") || isHelp(args[0]) {
		return args
	}
	i := slices.IndexFunc(args, func(a string) bool { _, ok := find(table, a); return ok })
	if i < 0 {
		return args
	}
	return slices.Concat([]string{args[i]}, args[:i], args[i+1:])
}

func find(table []command, name string) (command, bool) {
	i := slices.IndexFunc(table, func(c command) bool { return c.name == name })
	if i < 0 {
		return command{}, false
	}
	return table[i], true
}

func isHelp(arg string) bool { return slices.Contains([]string{"help", "-h", "-help", "--help"}, arg) }

// names are the commands of this version.
func names(table []command) (out []string) {
	for _, c := range table {
		if c.run != nil || c.verbs != nil {
			out = append(out, c.name)
		}
	}
	return out
}

// list prints a table of commands for people.
func list(w io.Writer, path string, table []command) {
	if path == "chartwarden" {
		fmt.Fprint(w, "chartwarden: an electronic health record server that defends patient records against insiders\n\n")
	}
	var later []string
	for _, c := range table {
		switch {
		case c.verbs != nil:
			fmt.Fprintf(w, "  %s %-8s %s: %s\n", path, c.name, c.about, strings.Join(names(c.verbs), ", "))
		case c.run != nil:
			fmt.Fprintf(w, "  %s %-8s %s\n", path, c.name, c.about)
		default:
			later = append(later, c.name)
		}
	}
	fmt.Fprintf(w, "\n`%s COMMAND --help` lists the flags. CHARTWARDEN_DATA can stand for --data, and so for each flag of the installation.\n", path)
	if len(later) > 0 {
		fmt.Fprintln(w, "Not in this version: "+strings.Join(later, ", ")+".")
	}
	fmt.Fprintln(w, "Exit codes: 0 done, 1 the thing checked does not hold, 2 wrong use or cannot run.")
}
