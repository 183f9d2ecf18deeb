package server

import (
	"cmp"
	"strings"

	"chartwarden/internal/web"
)

// Setting is one thing that a site may set: a flag of the command line, and a variable CHARTWARDEN_<NAME>. None holds a secret; some say
// where one lies.
type Setting struct {
	Flag    string  // without its dashes
	Usage   string  // for the command line, the kind of value in backquotes
	Group   string  // for people
	Means   string  // a sentence for people
	Change  string  // how a change takes effect; empty: at the next start
	Value   *string // in the configuration
	Listens bool    // only commands that listen need it
	Many    bool    // the flag may be repeated; in the variable the values stand with commas
}

// Variable is the name of the setting in the environment.
func (s Setting) Variable() string {
	return "CHARTWARDEN_" + strings.ToUpper(strings.ReplaceAll(s.Flag, "-", "_"))
}

// Groups of settings, in the order in which people read them.
const (
	ofPlace   = "Place and keys"
	ofAddress = "Address and certificate"
	ofProof   = "Proof"
	ofCopies  = "Copies"
	ofWatch   = "Watching and limits"
	ofSignIn  = "Sign-in through the hospital's identity provider"
	ofAlerts  = "Alerts for those who are away"
)

// Settings are all settings of c; a Value that is written through changes c.
func Settings(c *Config) []Setting {
	return []Setting{
		{Flag: "data", Value: &c.Data, Group: ofPlace, Usage: "`DIR` of the installation", Means: "The directory that holds this installation, and that no other server uses."},
		{Flag: "database", Value: &c.Database, Group: ofPlace, Usage: "postgres://... `URL` of records, keys and log; empty: SQLite in the data directory",
			Means: "Where records, keys and log lie: a PostgreSQL database, or, when empty, files in the data directory. Passwords in it are not shown."},
		{Flag: "node", Value: &c.Node, Group: ofPlace, Usage: "`NAME` of this node among those on one database; main when empty", Means: "The name of this server among those that share a database. Each has a log of its own."},
		{Flag: "passphrase-file", Value: &c.PassphraseFile, Group: ofPlace, Usage: "`FILE` with the passphrase that protects the keys; without, the key file in the data directory does",
			Means: "The file whose passphrase unwraps all keys. When empty the key file in the data directory does. What is in either is never shown."},
		{Flag: "head-file", Value: &c.HeadFile, Group: ofProof, Usage: "`FILE` that keeps each newest head of the log; best on another volume", Means: "The file that gets each newest head of the log. On another volume it shows when the first was set back."},
		{Flag: "training-dir", Value: &c.TrainingDir, Group: ofWatch, Usage: "`DIR` of files that replace the training modules or add to them", Means: "The folder with this house's own training modules (docs/formats/training.md). One of the same name replaces that of the program."},
		{Flag: "journal-file", Value: &c.JournalFile, Group: ofProof, Usage: "`FILE` of the emergency journal; best on another volume", Means: "The file, set aside at start, that takes entries while the log cannot be written. Best on another volume."},
		{Flag: "time-zone", Value: &c.TimeZone, Group: ofPlace, Usage: "`ZONE` of the site, such as Europe/Vienna", Means: "The time zone in which this site reads its days and clocks."},
		{Flag: "move-overlap", Value: &c.MoveOverlap, Group: ofPlace, Usage: "`DAYS` for which people who move keep their old roles beside the new ones; 0 when empty", Means: "For how many days people who move keep their old roles beside the new ones, where neither the HR file nor who sets the move says."},
		{Flag: "tell-patients", Listens: true, Value: &c.TellPatients, Group: ofAlerts, Usage: "`DAYS` after which patients are written to that somebody opened their chart with a reason: 0 at once, never; 7 when empty", Means: "How many days after somebody opened a closed chart with a reason its patient is written to, or never. It stands on her page at once, whatever is set."},
		{Flag: "listen", Listens: true, Value: &c.Listen, Group: ofAddress, Usage: "`ADDR`, host:port", Means: "The address and port on which this server listens."},
		{Flag: "public-url", Listens: true, Value: &c.PublicURL, Group: ofAddress, Usage: "`URL` as browsers see this server", Means: "The address as browsers and apps see it. It stands in references, sign-in links and discovery."},
		{Flag: "tls-cert", Listens: true, Value: &c.TLSCert, Group: ofAddress, Usage: "PEM `FILE`", Means: "The file with this server's certificate.", Change: "A renewed file within a minute; another path at the next start"},
		{Flag: "tls-key", Listens: true, Value: &c.TLSKey, Group: ofAddress, Usage: "PEM `FILE`", Means: "The file with the certificate's key. What is in it is never shown.", Change: "A renewed file within a minute; another path at the next start"},
		{Flag: "acme-domain", Listens: true, Value: &c.ACMEDomain, Group: ofAddress, Usage: "`NAME` whose certificate is got and renewed by ACME", Means: "The name whose certificate this server gets and renews by itself, instead of from files."},
		{Flag: "acme-email", Listens: true, Value: &c.ACMEEmail, Group: ofAddress, Usage: "`ADDRESS` that the certificate authority may write to", Means: "Whom the certificate authority may write to."},
		{Flag: "acme-directory", Listens: true, Value: &c.ACMEDirectory, Group: ofAddress, Usage: "`URL` of the certificate authority; Let's Encrypt when empty", Means: "The certificate authority; Let's Encrypt when empty."},
		{Flag: "acme-roots", Listens: true, Value: &c.ACMERoots, Group: ofAddress, Usage: "PEM `FILE` of a private authority's roots", Means: "The file with the root certificates of a private authority."},
		{Flag: "trusted-proxy", Listens: true, Value: &c.TrustedProxy, Group: ofAddress, Usage: "`ADDR` of the proxy that ends TLS", Means: "The proxy that ends TLS before this server, and whose word about a caller's address counts."},
		{Flag: "network", Listens: true, Many: true, Value: &c.Zones, Group: ofAddress, Usage: "`ZONE=NETWORK`, repeatable: hospital=10.0.0.0/8, vpn=10.8.0.0/16, or a place with its idle time, and the longer one while something is being written, hospital/ward-3=10.1.3.0/24@5m-15m; +shared behind it where people take turns at one screen. When empty, private addresses are the hospital",
			Means: "Which networks are the hospital, its own network from outside, and places in them with the time after which an idle screen locks. When empty, this machine and private addresses are the hospital; all else is the internet."},
		{Flag: "zone-header", Listens: true, Value: &c.ZoneHeader, Group: ofAddress, Usage: "`HEADER` by which the trusted proxy names the zone", Means: "The header by which the trusted proxy says from which zone a request comes. From anybody else it is not read."},
		{Flag: "posture", Listens: true, Value: &c.Posture, Group: ofAddress, Usage: "`DEMANDS` on a device that is to count as managed, with commas; disk,lock=15m,updated=60d,age=24h when empty", Means: "What the machine of a device has to report to count as managed: an encrypted disk, a screen that locks, updates, and how old its report may be. Without a report a device counts as registered."},
		{Flag: "witness", Listens: true, Many: true, Value: &c.Witnesses, Group: ofProof, Usage: "`URL=KEY` of a witness on another machine that cosigns the log's heads; repeatable. Those that cosigned last when empty; none asks nobody",
			Means: "Outsiders who cosign the heads of the log, each with its address and public key. When empty, those that cosigned last are asked; none asks nobody. Without one on another machine the record is self-witnessed."},
		{Flag: "client-quota", Listens: true, Value: &c.ClientQuota, Group: ofWatch, Usage: "`REQUESTS/RECORDS` that a backend service may have in an hour; 20000/100000 when empty", Means: "How many requests and records a backend service may have in an hour; 20000/100000 when empty."},
		{Flag: "metrics-from", Listens: true, Value: &c.MetricsFrom, Group: ofWatch, Usage: "`NETWORKS` that may read /metrics, with commas; this machine when empty", Means: "The networks that may read this server's figures; only this machine when empty."},
		{Flag: "backup-to", Listens: true, Value: &c.BackupTo, Group: ofCopies, Usage: "`DIR` that gets a sealed copy each few minutes; best on another machine, where files can only be added", Means: "The folder that gets sealed copies. When empty this server makes none by itself."},
		{Flag: "backup-every", Listens: true, Value: &c.BackupEvery, Group: ofCopies, Usage: "`DURATION` between two copies; 5m when empty", Means: "The time between two copies; five minutes when empty."},
		{Flag: "drill-report", Listens: true, Value: &c.DrillReport, Group: ofCopies, Usage: "`FILE` that the recovery machine writes by `restore --drill --report`, for the page Integrity; drill/last.json in the folder of copies when empty", Means: "The report of the last restore drill. Nothing signs it: it is the word of the recovery machine."},
		{Flag: "backup-recipient", Listens: true, Value: &c.BackupRecipients, Group: ofCopies, Usage: "age public `KEY` to which these copies are sealed; several with commas", Means: "The public keys to which copies are sealed. Their other halves are not on this machine."},
		{Flag: "oidc-issuer", Listens: true, Value: &c.OIDCIssuer, Group: ofSignIn, Usage: "https `URL` by which the hospital's identity provider calls itself", Means: "The identity provider through which people may sign in. When empty there is none."},
		{Flag: "oidc-client", Listens: true, Value: &c.OIDCClient, Group: ofSignIn, Usage: "`NAME` of this server at the identity provider", Means: "What the identity provider calls this server."},
		{Flag: "oidc-secret-file", Listens: true, Value: &c.OIDCSecretFile, Group: ofSignIn, Usage: "`FILE` with the secret shared with the identity provider", Means: "The file with the secret that this server shares with the identity provider. What is in it is never shown."},
		{Flag: "oidc-key-file", Listens: true, Value: &c.OIDCKeyFile, Group: ofSignIn, Usage: "`FILE` with a private key, PEM or JWK, of which the identity provider has the public half", Means: "The file with the key by which this server shows the identity provider that it is itself, in place of a secret. What is in it is never shown."},
		{Flag: "oidc-name", Listens: true, Value: &c.OIDCName, Group: ofSignIn, Usage: "`WORDS` by which people know their account there; hospital account when empty", Means: "What people call their account at the identity provider."},
		{Flag: "oidc-scopes", Listens: true, Value: &c.OIDCScopes, Group: ofSignIn, Usage: "`SCOPES` to ask for beside openid, with commas; profile when empty", Means: "What the identity provider is asked for beside who it is."},
		{Flag: "oidc-acr", Listens: true, Value: &c.OIDCACR, Group: ofSignIn, Usage: "`VALUES` of acr to ask for, with commas, the best first", Means: "Which kinds of proof the identity provider is asked for."},
		{Flag: "oidc-two-factors", Listens: true, Value: &c.OIDCTwoFactors, Group: ofSignIn, Usage: "`VALUES` of acr, or among amr, that count as two factors, with commas", Means: "Which of the identity provider's words count as two factors. After any other the own second factor is asked for."},
		{Flag: "oidc-groups", Listens: true, Value: &c.OIDCGroups, Group: ofSignIn, Usage: "`CLAIM` that lists a person's groups", Means: "The claim that lists groups. Which role a group gives is kept by this house, and changed by chartwarden client groups oidc:ISSUER."},
		{Flag: "oidc-link", Listens: true, Value: &c.OIDCLink, Group: ofSignIn, Usage: "`CLAIM=SOURCE`: whose the account is, by the key that a directory (its client id) or the HR file (hr:) gave; people link their accounts themselves when empty",
			Means: "The claim by which somebody is known whom a directory or the HR file brought. When empty people link their accounts themselves."},
		{Flag: "oidc-hosts", Listens: true, Value: &c.OIDCHosts, Group: ofSignIn, Usage: "`HOSTS` beside the issuer's that its endpoints may be at, with commas", Means: "Further hosts that this server may ask on the identity provider's word."},
		{Flag: "oidc-max-age", Listens: true, Value: &c.OIDCMaxAge, Group: ofSignIn, Usage: "`DURATION` that a proof at the identity provider may be old at sign-in; 15m when empty", Means: "How long ago somebody may have proved herself to the identity provider when she signs in here. Unlocking and confirming always ask anew."},
		{Flag: "webhook-url", Listens: true, Value: &c.WebhookURL, Group: ofAlerts, Usage: "https `URL` that is told of each case that opens", Means: "The address that is told, signed and without any patient, of each case that opens. What stands behind its ? is not shown."},
		{Flag: "webhook-secret-file", Listens: true, Value: &c.WebhookSecretFile, Group: ofAlerts, Usage: "`FILE` with the secret by which what the webhook gets is signed", Means: "The file with the secret of the webhook's signature. What is in it is never shown."},
		{Flag: "mail-server", Listens: true, Value: &c.MailServer, Group: ofAlerts, Usage: "`HOST:PORT` with STARTTLS, by which cases that nobody took are mailed", Means: "The mail server by which cases that nobody took within five minutes are told, several in one mail and without any patient."},
		{Flag: "mail-from", Listens: true, Value: &c.MailFrom, Group: ofAlerts, Usage: "`ADDRESS` of the sender", Means: "From whom these mails are."},
		{Flag: "mail-to", Listens: true, Value: &c.MailTo, Group: ofAlerts, Usage: "`ADDRESSES` of the privacy office, with commas", Means: "To whom these mails go."},
		{Flag: "mail-login-file", Listens: true, Value: &c.MailLoginFile, Group: ofAlerts, Usage: "`FILE` with name and password at the mail server, in two lines", Means: "The file with the name and password at the mail server. What is in it is never shown."},
	}
}

// Where the value of a setting comes from.
const (
	FromFlag        = "command line"
	FromEnvironment = "environment"
	FromDefault     = "default"
)

// settings are those of this process as the page shows them.
func (s *Server) settings() []web.Setting {
	shown := s.Config.Shown()
	var out []web.Setting
	for _, one := range Settings(&shown) {
		out = append(out, web.Setting{Group: one.Group, Name: "--" + one.Flag, Variable: one.Variable(), Value: *one.Value,
			Origin: cmp.Or(s.Config.Origins[one.Flag], FromDefault), Means: one.Means, Change: cmp.Or(one.Change, "At the next start")})
	}
	return out
}
