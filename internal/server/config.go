package server

import (
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/posture"
	"chartwarden/internal/witness"
)

// Config is everything a site may set. Each field is also a flag of `serve` and a variable CHARTWARDEN_<NAME>, see [Settings];
// `chartwarden config` prints the effective values, and so does the page Configuration. Nothing here can switch the audit off, and rules of the hospital are not configuration: they live in
// policies/ and in the database, where changing them is audited.
type Config struct {
	Data           string `json:"data"`                      // data directory
	Listen         string `json:"listen"`                    // host:port
	PublicURL      string `json:"public_url,omitempty"`      // as browsers see us; https unless on loopback
	TLSCert        string `json:"tls_cert,omitempty"`        // PEM files; both or neither
	TLSKey         string `json:"tls_key,omitempty"`         //
	ACMEDomain     string `json:"acme_domain,omitempty"`     // name whose certificate is got and renewed by ACME, instead of files
	ACMEEmail      string `json:"acme_email,omitempty"`      // whom the authority writes to
	ACMEDirectory  string `json:"acme_directory,omitempty"`  // URL of the authority; Let's Encrypt when empty
	ACMERoots      string `json:"acme_roots,omitempty"`      // PEM file of a private authority's own roots
	TrustedProxy   string `json:"trusted_proxy,omitempty"`   // address of the proxy that ends TLS for us
	Zones          string `json:"zones,omitempty"`           // networks that are the hospital, its VPN, places: ZONE[/PLACE]=NETWORK[@IDLE], separated by commas; private ones are the hospital when empty
	ZoneHeader     string `json:"zone_header,omitempty"`     // by which the trusted proxy names the zone
	Posture        string `json:"posture,omitempty"`         // demands on a managed device; the usual when empty
	PassphraseFile string `json:"passphrase_file,omitempty"` // custodian's secret; otherwise the key file in Data
	HeadFile       string `json:"head_file"`                 // where each newest head is kept; best on another volume
	TrainingDir    string `json:"training_dir"`              // files that replace or add to the training modules
	JournalFile    string `json:"journal_file"`              // emergency journal; best on another volume
	TimeZone       string `json:"time_zone"`                 // of the site
	TellPatients   string `json:"tell_patients,omitempty"`   // days after which patients are written to of an opening with a reason, or never; 7 when empty
	MoveOverlap    string `json:"move_overlap,omitempty"`    // days for which movers keep their old roles; none when empty
	Database       string `json:"database,omitempty"`        // postgres://...; empty: SQLite in Data
	Node           string `json:"node"`                      // name of this node among those on one database
	Witnesses      string `json:"witnesses,omitempty"`       // outsiders who cosign heads: URL=KEY, separated by commas; empty: who did last; none
	MetricsFrom    string `json:"metrics_from,omitempty"`    // networks that may read /metrics, separated by commas; empty: this machine

	ClientQuota string `json:"client_quota,omitempty"` // requests/records that a backend service may have in an hour; the usual when empty

	BackupTo         string `json:"backup_to,omitempty"`         // folder that gets a copy each few minutes
	BackupEvery      string `json:"backup_every,omitempty"`      // a duration; five minutes when empty
	DrillReport      string `json:"drill_report,omitempty"`      // report of the last drill, put there by the recovery machine; drill/last.json in BackupTo when empty
	BackupRecipients string `json:"backup_recipients,omitempty"` // age public keys, separated by commas

	WebhookURL        string `json:"webhook_url,omitempty"`         // that is told of alerts
	WebhookSecretFile string `json:"webhook_secret_file,omitempty"` // by which it knows that it was this server
	MailServer        string `json:"mail_server,omitempty"`         // host:port, by which alerts are mailed
	MailFrom          string `json:"mail_from,omitempty"`           // sender
	MailTo            string `json:"mail_to,omitempty"`             // addresses, separated by commas
	MailLoginFile     string `json:"mail_login_file,omitempty"`     // name and password in two lines

	OIDCIssuer     string `json:"oidc_issuer,omitempty"`      // identity provider of the hospital; empty: none
	OIDCClient     string `json:"oidc_client,omitempty"`      // this server's name there
	OIDCSecretFile string `json:"oidc_secret_file,omitempty"` // secret shared with it, or
	OIDCKeyFile    string `json:"oidc_key_file,omitempty"`    // private key by which this server shows that it is itself
	OIDCName       string `json:"oidc_name,omitempty"`        // what people call their account there
	OIDCScopes     string `json:"oidc_scopes,omitempty"`      // beside openid, separated by commas
	OIDCACR        string `json:"oidc_acr,omitempty"`         // asked for, the best first
	OIDCTwoFactors string `json:"oidc_two_factors,omitempty"` // acr or amr values that count as two factors
	OIDCGroups     string `json:"oidc_groups,omitempty"`      // claim that lists groups
	OIDCLink       string `json:"oidc_link,omitempty"`        // CLAIM=SOURCE by which people are known without linking themselves
	OIDCHosts      string `json:"oidc_hosts,omitempty"`       // further hosts that its endpoints may be at
	OIDCMaxAge     string `json:"oidc_max_age,omitempty"`     // how old a proof may be at sign-in; 15 minutes when empty

	Origins map[string]string `json:"-"` // where values come from, by the flags of [Settings]: FromFlag, FromEnvironment; without: the default
}

// File names inside the data directory.
const (
	keyFileName = "custodian.key"
	keysDB      = "keys.db"
	recordsDB   = "records.db"
	auditDB     = "audit.db"
)

// withDefaults fills what was left empty.
func (c Config) withDefaults() Config {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8080"
	}
	if c.HeadFile == "" {
		c.HeadFile = filepath.Join(c.Data, "heads", "head.log")
	}
	if c.JournalFile == "" {
		c.JournalFile = filepath.Join(c.Data, "journal", "emergency.journal")
	}
	if c.TimeZone == "" {
		c.TimeZone = "UTC"
	}
	if strings.HasPrefix(c.Database, "sqlite:") {
		c.Database = ""
	}
	if c.Node = strings.ToLower(c.Node); c.Node == "" || c.Database == "" { // files have one node
		c.Node = audit.MainNode
	}
	if c.PublicURL == "" {
		scheme := "http"
		if c.encrypts() {
			scheme = "https"
		}
		host, port, _ := net.SplitHostPort(c.Listen)
		if c.ACMEDomain != "" {
			host = c.ACMEDomain
		}
		if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
			host = "localhost" // an IP address cannot be the relying party of a passkey
		}
		c.PublicURL = scheme + "://" + net.JoinHostPort(host, port)
		if port == map[string]string{"http": "80", "https": "443"}[scheme] { // which browsers leave out
			c.PublicURL = strings.TrimSuffix(c.PublicURL, ":"+port)
		}
	}
	return c
}

// Effective is the configuration with its defaults filled in.
func (c Config) Effective() Config { return c.withDefaults() }

// encrypts reports whether this server's own listener speaks TLS.
func (c Config) encrypts() bool { return c.TLSCert != "" || c.ACMEDomain != "" }

// backupEvery is the time between two copies.
func (c Config) backupEvery() time.Duration {
	if every, err := time.ParseDuration(c.BackupEvery); err == nil {
		return every
	}
	return 5 * time.Minute
}

// noWitness is the setting of a site that asks nobody, also not who cosigned before.
const noWitness = "none"

// witnesses are those of the configuration.
func (c Config) witnesses() (out []witness.Remote, err error) {
	if c.Witnesses == noWitness {
		return nil, nil
	}
	for one := range strings.FieldsFuncSeq(c.Witnesses, func(r rune) bool { return r == ',' || r == ' ' }) {
		r, err := witness.ParseRemote(one)
		if err != nil {
			return nil, outcome.Wrap("server: witness", outcome.Value, "", err).At("--witness")
		}
		if slices.ContainsFunc(out, func(o witness.Remote) bool { return o.Name() == r.Name() }) {
			return nil, outcome.New(outcome.Value, "two witnesses are named "+r.Name()+": each wants a name and a key of its own").At("--witness")
		}
		out = append(out, r)
	}
	return out, nil
}

// check names what is wrong and how to mend it.
func (c Config) check(sandbox bool) error {
	bad := func(field, mend string) error { return outcome.New(outcome.Invalid, mend).At(field) }
	if c.Data == "" {
		return bad("--data", "name the data directory with --data or CHARTWARDEN_DATA")
	}
	if err := c.checkDatabase(); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return bad("--listen", "write --listen as host:port, for example 127.0.0.1:8080")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return bad("--tls-cert", "give both --tls-cert and --tls-key, or neither")
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil {
		return bad("time_zone", "name a time zone of the IANA database, for example Europe/Vienna")
	}
	if _, err := c.moveOverlap(); err != nil {
		return bad("--move-overlap", err.Error())
	}
	if _, err := c.tellPatients(); err != nil {
		return bad("--tell-patients", err.Error())
	}
	if _, err := c.witnesses(); err != nil {
		return err
	}
	if _, err := zonePlan(c.Zones); err != nil {
		return err
	}
	if _, err := posture.ParseDemands(c.Posture); err != nil {
		return bad("--posture", err.Error())
	}
	if c.ZoneHeader != "" && c.TrustedProxy == "" {
		return bad("--zone-header", "only a proxy of this house may name a zone: name it with --trusted-proxy")
	}
	if c.ClientQuota != "" && c.quota() == (access.Quota{}) {
		return bad("--client-quota", "write --client-quota as requests/records in an hour, for example 20000/100000")
	}
	if n := len(strings.Split(c.MetricsFrom, ",")); c.MetricsFrom != "" && len(c.metricsFrom()) != n {
		return bad("--metrics-from", "write --metrics-from as networks, for example 10.1.0.0/16,::1/128")
	}
	if every, err := time.ParseDuration(c.BackupEvery); c.BackupEvery != "" && (err != nil || every < time.Second) {
		return bad("--backup-every", "write --backup-every as a duration of at least a second, for example 5m")
	}
	if _, err := recipients(c.recipients()); c.BackupTo != "" && err != nil {
		return bad("--backup-recipient", "copies are sealed to a key that opens them elsewhere: give its public part with --backup-recipient age1...")
	}
	if _, _, err := c.ways(); err != nil {
		return err
	}
	if _, err := c.provider(nil); err != nil {
		return err
	}
	public, err := url.Parse(c.PublicURL)
	if err != nil || public.Host == "" || public.Scheme != "http" && public.Scheme != "https" {
		return bad("--public-url", "write --public-url as https://host[:port]")
	}
	loopback := host == "localhost"
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		loopback = true
	}
	if !loopback && sandbox {
		return bad("--listen", "a sandbox serves this machine only: listen on 127.0.0.1, or make an installation without --sandbox")
	}
	if c.TLSCert != "" && c.ACMEDomain != "" {
		return bad("--acme-domain", "a certificate comes from files or by ACME: give --tls-cert and --tls-key, or --acme-domain")
	}
	if !loopback && !c.encrypts() && c.TrustedProxy == "" {
		return bad("--listen", "plain http leaves this machine only behind a proxy: give --tls-cert and --tls-key, or --acme-domain, or name the proxy with --trusted-proxy")
	}
	return nil
}

// quota reads ClientQuota; the zero Quota where it says nothing that can be read.
func (c Config) quota() (q access.Quota) {
	requests, records, _ := strings.Cut(c.ClientQuota, "/")
	var err, other error
	q.Requests, err = strconv.Atoi(requests)
	q.Records, other = strconv.Atoi(records)
	if err != nil || other != nil || q.Requests < 1 || q.Records < 1 {
		return access.Quota{}
	}
	return q
}
