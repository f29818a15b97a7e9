// Package config is the one struct of settings: defaults, then a YAML file,
// then environment variables with the prefix HOLDFAST_, each over the one before.
// An unknown key or variable is an error, because a setting that is silently
// ignored is worse than a server that does not start.
package config

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"go.yaml.in/yaml/v3"
)

// Mode is what the server may do with money.
type Mode string

// The modes (docs/architecture.md). Only the sandbox runs without data about
// the licence.
const (
	Sandbox     Mode = "sandbox"
	Orchestrate Mode = "orchestrate"
	Licensed    Mode = "licensed"
)

// Secret is a text that never shows in logs or dumps.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString hides the secret from dumps.
func (s Secret) GoString() string { return s.String() }

// Config is every setting of the server.
type Config struct {
	Listen  string `yaml:"listen" env:"LISTEN"`
	BaseURL string `yaml:"base_url" env:"BASE_URL"`
	Data    string `yaml:"data" env:"DATA"`
	// Database is a PostgreSQL connection string; empty for a SQLite file in Data.
	Database Secret `yaml:"database" env:"DATABASE"`
	// DatabasePatience is how long the database server may leave a question
	// without an answer. After that it counts as not answering.
	DatabasePatience time.Duration `yaml:"database_patience" env:"DATABASE_PATIENCE"`
	// Lease is how long a node has for work that it has taken (a mail, an order at
	// the bank) before another one may take it over; for a call to a shop it is
	// five times that.
	Lease time.Duration `yaml:"lease" env:"LEASE"`
	Mode  Mode          `yaml:"mode" env:"MODE"`
	Seed  bool          `yaml:"seed" env:"SEED"`
	// SeedWebhook is where the demonstration merchant is told of events; empty for the
	// example shop at its usual address.
	SeedWebhook string `yaml:"seed_webhook" env:"SEED_WEBHOOK"`
	AdminToken  Secret `yaml:"admin_token" env:"ADMIN_TOKEN"`
	LogLevel    string `yaml:"log_level" env:"LOG_LEVEL"`
	// SecretKey (64 hexadecimal digits) or the file SecretFile is the secret from
	// which tokens and links are derived; the same on all nodes of a database.
	// Without either a server keeps one in Data.
	SecretKey  Secret `yaml:"secret_key" env:"SECRET_KEY"`
	SecretFile string `yaml:"secret_file" env:"SECRET_FILE"`
	// ReplaceSecret lets a server start whose secret is not the database's.
	ReplaceSecret bool `yaml:"-"`
	// Drain is how long a server that was told to stop goes on answering while
	// balancers learn that it is not ready; nil for the default (see DrainTime).
	Drain *time.Duration `yaml:"drain" env:"DRAIN"`
	// TrustedProxies are the networks (CIDR) of proxies in front whose
	// X-Forwarded-For is believed; none means that nobody's is.
	TrustedProxies []string `yaml:"trusted_proxies" env:"TRUSTED_PROXIES"`
	// V1Hosts and V2Hosts are names of this server under which one PortOne dialect
	// alone is spoken, without a port. Under every other name the credentials decide.
	V1Hosts  []string `yaml:"v1_hosts" env:"V1_HOSTS"`
	V2Hosts  []string `yaml:"v2_hosts" env:"V2_HOSTS"`
	Backup   Backup   `yaml:"backup" envPrefix:"BACKUP_"`
	Operator Operator `yaml:"operator" envPrefix:"OPERATOR_"`
	Mail     Mail     `yaml:"mail" envPrefix:"MAIL_"`
	Licence  Licence  `yaml:"licence" envPrefix:"LICENCE_"`
}

// Backup says how often the server backs its SQLite file up by itself.
type Backup struct {
	Every  time.Duration `yaml:"every" env:"EVERY"`   // 0 for never
	Keep   int           `yaml:"keep" env:"KEEP"`     // older ones are removed
	Folder string        `yaml:"folder" env:"FOLDER"` // backups in the data folder when empty
}

// leastBackup bounds how often: each backup reads the whole file.
const leastBackup = time.Minute

// Operator is the escrow agent as buyers see it.
type Operator struct {
	Name         string `yaml:"name" env:"NAME"`
	Registration string `yaml:"registration" env:"REGISTRATION"`
	Contact      string `yaml:"contact" env:"CONTACT"`
	URL          string `yaml:"url" env:"URL"`
}

// Mail is the mail server. Without a host, mail is kept in the mailbox alone,
// which only a sandbox may do.
type Mail struct {
	Host     string `yaml:"host" env:"HOST"`
	Port     int    `yaml:"port" env:"PORT"`
	Security string `yaml:"security" env:"SECURITY"` // none, starttls, tls
	User     string `yaml:"user" env:"USER"`
	Password Secret `yaml:"password" env:"PASSWORD"`
	From     string `yaml:"from" env:"FROM"`
	FromName string `yaml:"from_name" env:"FROM_NAME"`
}

// Licence is what the law asks of whoever holds buyers' money.
type Licence struct {
	Registration  string `yaml:"registration" env:"REGISTRATION"`
	EscrowAccount string `yaml:"escrow_account" env:"ESCROW_ACCOUNT"`
	Insurer       string `yaml:"insurer" env:"INSURER"`
	InsuredWon    int64  `yaml:"insured_won" env:"INSURED_WON"`
}

// Default are the settings of a sandbox on a laptop.
func Default() Config {
	return Config{
		Listen: "127.0.0.1:8080", Data: "data", Mode: Sandbox, LogLevel: "info",
		DatabasePatience: 30 * time.Second, Lease: 2 * time.Minute,
		Backup:   Backup{Keep: 24},
		Operator: Operator{Name: "Holdfast Sandbox", Registration: "TEST-00000", Contact: "sandbox@holdfast.example"},
		Mail:     Mail{Port: 587, Security: "starttls", From: "no-reply@holdfast.example", FromName: "Holdfast"},
	}
}

// SecretBytes is the length of the server's secret.
const SecretBytes = 32

const (
	// drainShared is how long a node among several goes on answering.
	drainShared = 3 * time.Second
	// drainMost bounds the setting.
	drainMost = 5 * time.Minute
)

// DrainTime is Drain, or its default: none on SQLite, where there is no other
// process that could answer.
func (c *Config) DrainTime() time.Duration {
	switch {
	case c.Drain != nil:
		return *c.Drain
	case c.Database != "":
		return drainShared
	}
	return 0
}

const prefix = "HOLDFAST_"

// clientVariables are read by the command line's clients, not by the server.
var clientVariables = []string{"HOLDFAST_SERVER", "HOLDFAST_KEY", "HOLDFAST_SECRET", "HOLDFAST_CONFIG", "HOLDFAST_URL"}

// Load reads the settings. An empty file name reads no file.
func Load(file string, environ []string) (Config, error) {
	c := Default()
	if file != "" {
		raw, err := os.ReadFile(file)
		if err != nil {
			return c, fmt.Errorf("read the configuration: %w", err)
		}
		dec := yaml.NewDecoder(bytes.NewReader(raw))
		dec.KnownFields(true)
		if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
			return c, fmt.Errorf("%s: %w", file, err)
		}
	}
	if err := c.fromEnv(environ); err != nil {
		return c, err
	}
	if c.BaseURL == "" {
		c.BaseURL = "http://" + reachable(c.Listen)
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	return c, c.Check()
}

// reachable is how this machine reaches an address to listen on: one that means
// every interface is no address to send anybody to.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func (c *Config) fromEnv(environ []string) error {
	vars := map[string]string{}
	for _, kv := range environ {
		k, v, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(k, prefix) {
			vars[k] = v
		}
	}
	known, err := env.GetFieldParamsWithOptions(c, env.Options{Prefix: prefix})
	if err != nil {
		return err
	}
	for k := range vars {
		if slices.Contains(clientVariables, k) {
			continue
		}
		if !slices.ContainsFunc(known, func(p env.FieldParams) bool { return p.Key == k }) {
			return fmt.Errorf("environment variable %s names no setting", k)
		}
	}
	if err := env.ParseWithOptions(c, env.Options{Prefix: prefix, Environment: vars}); err != nil {
		return named(err, vars)
	}
	return nil
}

// named says which variable cannot be read. The library names the field of a
// struct, so every variable is tried alone.
func named(err error, vars map[string]string) error {
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		var alone Config
		var wrong env.ParseError
		if errors.As(env.ParseWithOptions(&alone, env.Options{Prefix: prefix, Environment: map[string]string{k: vars[k]}}), &wrong) {
			want := "a whole number"
			switch {
			case wrong.Type == reflect.TypeFor[time.Duration](), wrong.Type == reflect.TypeFor[*time.Duration]():
				want = "a time span such as 30s or 2m"
			case wrong.Type.Kind() == reflect.Bool:
				want = "true or false"
			}
			return fmt.Errorf("environment variable %s: %q is not %s", k, vars[k], want)
		}
	}
	return err
}

// Proxies are the networks of TrustedProxies.
func (c *Config) Proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range c.TrustedProxies {
		network, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies %q: must be networks such as 10.0.0.0/8, 192.0.2.7/32 or fd00::/8", text)
		}
		out = append(out, network.Masked())
	}
	return out, nil
}

// Hosts are names of this server in small letters.
func (c *Config) Hosts(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strings.ToLower(strings.TrimSpace(name))
	}
	return out
}

// checkHosts refuses names that no request carries, or that mean two dialects.
func (c *Config) checkHosts() error {
	v1, v2 := c.Hosts(c.V1Hosts), c.Hosts(c.V2Hosts)
	for _, name := range slices.Concat(v1, v2) {
		if name == "" || strings.ContainsAny(name, "/:@ ") {
			return fmt.Errorf("v1_hosts, v2_hosts %q: must be host names without a scheme or port, such as v2.pay.example", name)
		}
		if slices.Contains(v1, name) && slices.Contains(v2, name) {
			return fmt.Errorf("v1_hosts, v2_hosts %q: a name can mean one dialect only", name)
		}
	}
	return nil
}

// Check refuses settings that cannot work or would be unsafe.
func (c *Config) Check() error {
	u, err := url.Parse(c.BaseURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || (u.Path != "" && u.Path != "/") {
		return fmt.Errorf("base_url %q: must be http(s)://host[:port] without a path", c.BaseURL)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel) {
		return fmt.Errorf("log_level %q: must be debug, info, warn or error", c.LogLevel)
	}
	if w, err := url.Parse(c.SeedWebhook); c.SeedWebhook != "" && (err != nil || w.Scheme != "http" && w.Scheme != "https" || w.Host == "") {
		return fmt.Errorf("seed_webhook %q: must be an http or https address", c.SeedWebhook)
	}
	if c.AdminToken != "" && len(c.AdminToken) < 16 {
		return errors.New("admin_token: must have at least 16 characters")
	}
	if _, err := mail.ParseAddress(c.Mail.From); err != nil || strings.ContainsAny(c.Mail.From, "<> ") {
		return fmt.Errorf("mail.from %q: must be a mail address alone, such as no-reply@shop.example", c.Mail.From)
	}
	if _, err := c.Proxies(); err != nil {
		return err
	}
	if err := c.checkHosts(); err != nil {
		return err
	}
	if c.DatabasePatience < time.Second || c.Lease < time.Second {
		return errors.New("database_patience and lease: must be at least 1s")
	}
	if err := c.checkNode(); err != nil {
		return err
	}
	if d := string(c.Database); d != "" && !strings.HasPrefix(d, "postgres://") && !strings.HasPrefix(d, "postgresql://") && !strings.Contains(d, "=") {
		return errors.New("database: must be a PostgreSQL connection string such as postgres://user:password@host1,host2/name, or empty for a SQLite file in the data folder")
	}
	if err := c.checkBackup(); err != nil {
		return err
	}
	switch c.Mode {
	case Sandbox:
		return nil
	case Licensed, Orchestrate:
		return c.checkLive(u)
	}
	return fmt.Errorf("mode %q: must be sandbox, orchestrate or licensed", c.Mode)
}

// checkNode refuses settings of a node among several that cannot work.
func (c *Config) checkNode() error {
	if raw, err := hex.DecodeString(string(c.SecretKey)); c.SecretKey != "" && (err != nil || len(raw) != SecretBytes) {
		return fmt.Errorf("secret_key: must have %d hexadecimal digits, such as openssl rand -hex %d prints", 2*SecretBytes, SecretBytes)
	}
	if c.SecretKey != "" && c.SecretFile != "" {
		return errors.New("secret_key and secret_file: give one of them")
	}
	if d := c.DrainTime(); d < 0 || d > drainMost {
		return fmt.Errorf("drain %s: must be between 0s and %s", d, drainMost)
	}
	return nil
}

func (c *Config) checkBackup() error {
	switch b := c.Backup; {
	case b.Every == 0:
		return nil
	case b.Every < leastBackup:
		return fmt.Errorf("backup.every %s: must be at least %s, or 0 for never", b.Every, leastBackup)
	case b.Keep < 1:
		return fmt.Errorf("backup.keep %d: must be at least 1", b.Keep)
	case c.Database != "":
		return errors.New("backup.every is for the SQLite file; PostgreSQL is backed up from outside (docs/backup.md)")
	}
	return nil
}

// checkLive refuses to start with other people's money before the operator has
// named the licence and the safeguards (E-finance Act art. 28(2)5; Act on
// Consumer Protection in Electronic Commerce, decree art. 19-3).
func (c *Config) checkLive(u *url.URL) error {
	var missing []string
	want := func(name string, ok bool) {
		if !ok {
			missing = append(missing, name)
		}
	}
	if c.Mode == Licensed {
		want("licence.registration", c.Licence.Registration != "")
		want("licence.escrow_account", c.Licence.EscrowAccount != "")
		want("licence.insurer", c.Licence.Insurer != "")
		want("licence.insured_won", c.Licence.InsuredWon > 0)
	}
	want("operator.name", c.Operator.Name != "" && c.Operator.Name != Default().Operator.Name)
	want("operator.contact", c.Operator.Contact != Default().Operator.Contact)
	want("mail.host", c.Mail.Host != "")
	want("admin_token", c.AdminToken != "")
	want("an https base_url", u.Scheme == "https")
	if c.Seed {
		return fmt.Errorf("mode %s does not seed demonstration merchants", c.Mode)
	}
	if len(missing) > 0 {
		return fmt.Errorf("mode %s needs: %s", c.Mode, strings.Join(missing, ", "))
	}
	return fmt.Errorf("mode %s: this version has no bank rail for real money; run the sandbox", c.Mode)
}
