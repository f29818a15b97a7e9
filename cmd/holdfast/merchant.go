package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
)

// merchantCmd changes merchants in a running server through its admin API.
type merchantCmd struct {
	adminFlags
	JSON bool `name:"json" help:"Print the server's answer as JSON."`

	List     merchantListCmd     `cmd:"" help:"List merchants."`
	Show     merchantShowCmd     `cmd:"" help:"Show a merchant's settings."`
	Create   merchantCreateCmd   `cmd:"" help:"Create a merchant."`
	Set      merchantSetCmd      `cmd:"" help:"Change a merchant's settings."`
	Contract merchantContractCmd `cmd:"" help:"Show the escrow contracts, or apply for one."`
	Keys     merchantKeysCmd     `cmd:"" help:"List, create or revoke API keys."`
	Secrets  merchantSecretsCmd  `cmd:"" help:"List, create or revoke secrets of the V2 API."`
	Staff    merchantStaffCmd    `cmd:"" help:"Let a person sign in to the merchant's console."`
}

// Help tells the exit codes.
func (*merchantCmd) Help() string {
	return "MERCHANT is an id (mrc_...) or a shop code (imp...).\n\n" +
		clientExitCodes
}

// Bounds of a conversation with the server.
const (
	adminTimeout  = 30 * time.Second
	adminReplyMax = 4 << 20 // bytes
	adminPage     = 100     // merchants in one answer
	adminPages    = 1000    // answers to one list
)

// adminClient calls the admin API.
type adminClient struct {
	base  *url.URL
	token string
	json  bool
	out   io.Writer
	http  *http.Client
}

// adminFlags say which server is meant and open its admin API.
type adminFlags struct {
	Server string `placeholder:"URL" env:"HOLDFAST_SERVER" default:"http://127.0.0.1:8080" help:"The running server (${default})."`
	Token  string `placeholder:"T" env:"HOLDFAST_ADMIN_TOKEN" help:"The operator's token."`
}

// client is the client that the flags describe.
func (f *adminFlags) client(out io.Writer) (*adminClient, error) {
	base, err := httpURL("--server", f.Server)
	if err != nil {
		return nil, err
	}
	if f.Token == "" {
		return nil, &failure{exitUsage, "--token: is missing; give the operator's token (admin_token in the server's settings), or set HOLDFAST_ADMIN_TOKEN"}
	}
	return &adminClient{
		base: base.JoinPath("admin", "v1"), token: f.Token, out: out,
		http: &http.Client{Timeout: adminTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// AfterApply gives every command below the client that the flags describe.
func (c *merchantCmd) AfterApply(k *kong.Context) error {
	client, err := c.client(k.Stdout)
	if err != nil {
		return err
	}
	client.json = c.JSON
	k.Bind(client)
	return nil
}

// call makes one call and decodes the answer into v, if there is one.
func (c *adminClient) call(method string, path []string, query string, sent, v any) error {
	var body io.Reader
	if sent != nil {
		raw, err := json.Marshal(sent)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	for i, part := range path {
		path[i] = url.PathEscape(part)
	}
	address := *c.base.JoinPath(path...)
	address.RawQuery = query
	req, err := http.NewRequest(method, address.String(), body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := c.http.Do(req)
	if err != nil {
		return unreachable("the server cannot be reached: %v", err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, adminReplyMax))
	if err != nil {
		return unreachable("the server's answer broke off: %v", err)
	}
	if res.StatusCode/100 != 2 {
		return refusedBy(res.StatusCode, raw)
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return unreachable("the server's answer cannot be read: %v", err)
	}
	return nil
}

// refusedBy turns a refusal into words and an exit code.
func refusedBy(status int, raw []byte) error {
	var said struct {
		Error struct {
			Code, Field, Message string
			Problems             []struct{ Field, Message string }
		}
	}
	if json.Unmarshal(raw, &said) != nil || said.Error.Message == "" {
		return unreachable("the server answered %d; is it a Holdfast server?", status)
	}
	code := exitFailed
	switch {
	case status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge:
		code = exitUsage
	case status >= http.StatusInternalServerError:
		code = exitUnreachable
	}
	e := said.Error
	lines := []string{fieldText(e.Field, e.Message)}
	if len(e.Problems) > 0 {
		lines = nil
		for _, p := range e.Problems {
			lines = append(lines, fieldText(p.Field, p.Message))
		}
	}
	return &failure{code, strings.Join(lines, "\n")}
}

func fieldText(field, message string) string {
	if field == "" {
		return message
	}
	return field + ": " + message
}

// print writes an answer as JSON if that was asked for, else by text.
func (c *adminClient) print(answer json.RawMessage, text func(io.Writer) error) error {
	if c.json {
		var out bytes.Buffer
		if err := json.Indent(&out, answer, "", "  "); err != nil {
			return err
		}
		_, err := fmt.Fprintln(c.out, out.String())
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	if err := text(w); err != nil {
		return err
	}
	return w.Flush()
}

// merchantJSON is what the commands read of a merchant; --json prints all of it.
type merchantJSON struct {
	ID, Code, Name, Mode, BusinessNumber, Phone, Email string
	BankAccount                                        *struct{ Bank, Number, Holder string }
	Contracts                                          []contractJSON
	Fees                                               map[string]feeJSON
	RefundFee                                          feeJSON
	Cycle                                              struct {
		Rhythm                   string
		Days                     []int
		FromPayment, FromConfirm int
	}
	Policy    map[string]json.RawMessage
	Webhook   struct{ URL string }
	Origins   []string
	Now       time.Time
	CreatedAt time.Time
}

type feeJSON struct{ Rate, Flat, Min int64 }

// text writes a fee as people say it; rates are hundred-thousandths.
func (f feeJSON) text() string {
	parts := []string{}
	if f.Rate > 0 {
		parts = append(parts, fmt.Sprintf("%g%%", float64(f.Rate)/1000))
	}
	if f.Flat > 0 || f.Rate == 0 {
		parts = append(parts, fmt.Sprintf("%d won", f.Flat))
	}
	text := strings.Join(parts, " + ")
	if f.Min > 0 {
		text += fmt.Sprintf(", at least %d won", f.Min)
	}
	return text
}

type contractJSON struct {
	Method            string
	Offered, CashLike bool
	State             string
	Since             time.Time
	Terms             string
	ByItself          bool
}

type merchantListCmd struct{}

// Run prints every merchant, one a line.
func (merchantListCmd) Run(c *adminClient) error {
	var rows []json.RawMessage
	for page := range adminPages {
		var list struct {
			Items []json.RawMessage
			More  bool
		}
		if err := c.call(http.MethodGet, []string{"merchants"}, fmt.Sprintf("offset=%d&limit=%d", page*adminPage, adminPage), nil, &list); err != nil {
			return err
		}
		if rows = append(rows, list.Items...); !list.More {
			break
		}
	}
	if rows == nil {
		rows = []json.RawMessage{}
	}
	all, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return c.print(all, func(w io.Writer) error {
		var merchants []merchantJSON
		if err := json.Unmarshal(all, &merchants); err != nil {
			return err
		}
		fmt.Fprintln(w, "ID\tCODE\tMODE\tESCROW\tNAME")
		for _, m := range merchants {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", m.ID, m.Code, m.Mode, escrowed(m.Contracts), m.Name)
		}
		return nil
	})
}

// escrowed names the methods on offer that have an escrow contract.
func escrowed(contracts []contractJSON) string {
	var on []string
	for _, k := range contracts {
		if k.Offered && k.State == "in_force" {
			on = append(on, k.Method)
		}
	}
	if on == nil {
		return "-"
	}
	return strings.Join(on, ",")
}

type merchantShowCmd struct {
	Merchant string `arg:"" help:"Id or shop code."`
}

// Run prints the settings.
func (s merchantShowCmd) Run(c *adminClient) error {
	return c.merchant(http.MethodGet, []string{"merchants", s.Merchant}, nil)
}

// merchant makes a call that answers with a merchant, and prints it.
func (c *adminClient) merchant(method string, path []string, sent any) error {
	var raw json.RawMessage
	if err := c.call(method, path, "", sent, &raw); err != nil {
		return err
	}
	var m merchantJSON
	if err := json.Unmarshal(raw, &m); err != nil {
		return err
	}
	return c.print(raw, m.write)
}

func (m *merchantJSON) write(w io.Writer) error {
	line := func(name, format string, args ...any) {
		if text := fmt.Sprintf(format, args...); text != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, text)
		}
	}
	line("id", "%s", m.ID)
	line("code", "%s", m.Code)
	line("name", "%s", m.Name)
	line("mode", "%s", m.Mode)
	line("business number", "%s", m.BusinessNumber)
	line("phone", "%s", m.Phone)
	line("email", "%s", m.Email)
	if a := m.BankAccount; a != nil {
		line("bank account", "%s %s %s", a.Bank, a.Number, a.Holder)
	}
	line("cycle", "%s %s, %d business days after the payment, %d after the confirmation", m.Cycle.Rhythm, strings.Trim(fmt.Sprint(m.Cycle.Days), "[]"), m.Cycle.FromPayment, m.Cycle.FromConfirm)
	line("webhook", "%s", m.Webhook.URL)
	line("origins", "%s", strings.Join(m.Origins, " "))
	for _, name := range slices.Sorted(maps.Keys(m.Policy)) {
		line("policy."+name, "%s", strings.Trim(string(m.Policy[name]), `"`))
	}
	line("clock", "%s", m.Now.Format(time.RFC3339))
	for _, k := range m.Contracts {
		line(k.Method, "%s; fee %s; escrow %s", offered(k.Offered), m.Fees[k.Method].text(), k.state())
	}
	return nil
}

func offered(yes bool) string {
	if yes {
		return "offered"
	}
	return "not offered"
}

// state says whether an escrow contract is in force, since when and how it came.
func (k contractJSON) state() string {
	if k.State != "in_force" {
		return "none"
	}
	how := "applied for"
	if k.ByItself {
		how = "with the method"
	}
	return fmt.Sprintf("in force since %s (terms %s, %s)", k.Since.Format(time.RFC3339), k.Terms, how)
}

type merchantCreateCmd struct {
	Name     string   `arg:"" help:"The shop's name."`
	Settings []string `arg:"" optional:"" placeholder:"SETTING=VALUE" help:"Settings, as in \"merchant set\"."`
	Code     string   `placeholder:"IMP" help:"Shop code for IMP.init; made when absent."`
	Mode     string   `enum:"sandbox,live" default:"sandbox" help:"sandbox or live (${default})."`
}

// Run creates a merchant and prints it.
func (s merchantCreateCmd) Run(c *adminClient) error {
	body, err := settingsOf(s.Settings)
	if err != nil {
		return err
	}
	body["name"], body["mode"] = s.Name, s.Mode
	if s.Code != "" {
		body["code"] = s.Code
	}
	return c.merchant(http.MethodPost, []string{"merchants"}, body)
}

type merchantSetCmd struct {
	Merchant string   `arg:"" help:"Id or shop code."`
	Settings []string `arg:"" placeholder:"SETTING=VALUE" help:"Settings by their names in the admin API."`
}

// Help gives examples of settings.
func (merchantSetCmd) Help() string {
	return `A value is JSON, or else a text. A dot leads into an object:

  holdfast merchant set imp00000001 phone=02-1234-5678 webhook.url=https://shop.example/hook
  holdfast merchant set imp00000001 'methods=["virtual_account","bank_transfer"]' fees.card.rate=2500
  holdfast merchant set imp00000001 'bankAccount={"bank":"004","number":"12345678901234","holder":"한빛상점"}'
  holdfast merchant set imp00000001 policy.autoConfirmTrackedDays=5 policy.cancelAfterShip=after_hold cycle.rhythm=daily`
}

// Run changes settings and prints the merchant.
func (s merchantSetCmd) Run(c *adminClient) error {
	body, err := settingsOf(s.Settings)
	if err != nil {
		return err
	}
	return c.merchant(http.MethodPatch, []string{"merchants", s.Merchant}, body)
}

// settingsOf reads SETTING=VALUE into the object that the server wants.
func settingsOf(args []string) (map[string]any, error) {
	settings := map[string]any{}
	for _, arg := range args {
		name, text, given := strings.Cut(arg, "=")
		if !given || name == "" {
			return nil, refusef("%.60q is no setting; want SETTING=VALUE", arg)
		}
		var value any = text
		if json.Valid([]byte(text)) {
			value = json.RawMessage(text)
		}
		if err := put(settings, strings.Split(name, "."), value); err != nil {
			return nil, refusef("%s: %w", name, err)
		}
	}
	return settings, nil
}

// put sets the member at the end of a path, making objects on the way.
func put(object map[string]any, path []string, value any) error {
	last := len(path) - 1
	for _, name := range path[:last] {
		inner, ok := object[name].(map[string]any)
		if !ok && object[name] != nil {
			return errors.New("is given both whole and in part")
		}
		if inner == nil {
			inner = map[string]any{}
			object[name] = inner
		}
		object = inner
	}
	if _, twice := object[path[last]]; twice {
		return errors.New("is given twice")
	}
	object[path[last]] = value
	return nil
}

type merchantContractCmd struct {
	Merchant string `arg:"" help:"Id or shop code."`
	Apply    string `placeholder:"METHOD" help:"Apply for the contract of a method: virtual_account, bank_transfer or card."`
}

// Run applies if asked to, and prints the contracts.
func (s merchantContractCmd) Run(c *adminClient) error {
	if s.Apply != "" {
		if err := c.call(http.MethodPost, []string{"merchants", s.Merchant, "contracts", s.Apply}, "", nil, nil); err != nil {
			return err
		}
	}
	var raw json.RawMessage
	if err := c.call(http.MethodGet, []string{"merchants", s.Merchant, "contracts"}, "", nil, &raw); err != nil {
		return err
	}
	return c.print(raw, func(w io.Writer) error {
		var list struct{ Items []contractJSON }
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		fmt.Fprintln(w, "METHOD\tOFFERED\tESCROW CONTRACT")
		for _, k := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\n", k.Method, map[bool]string{true: "yes", false: "no"}[k.Offered], k.state())
		}
		return nil
	})
}

type merchantKeysCmd struct {
	List   keysListCmd   `cmd:"" help:"List API keys."`
	Create keysCreateCmd `cmd:"" help:"Create an API key. The secret is shown this once."`
	Revoke keysRevokeCmd `cmd:"" help:"Revoke an API key and its tokens."`
}

type keysListCmd struct {
	Merchant string `arg:"" help:"Id or shop code."`
}

// Run prints the keys, one a line.
func (s keysListCmd) Run(c *adminClient) error { return c.listCredentials(s.Merchant, "keys") }

type keysCreateCmd struct {
	Merchant string `arg:"" help:"Id or shop code."`
	Key      string `placeholder:"KEY" help:"Keep this key, from another gateway; made when absent."`
}

// Run prints the key and its secret.
func (s keysCreateCmd) Run(c *adminClient) error {
	body := map[string]string{}
	if s.Key != "" {
		body["key"] = s.Key
	}
	return c.createCredential(s.Merchant, "keys", body)
}

type keysRevokeCmd struct {
	Merchant string `arg:"" help:"Id or shop code."`
	Key      string `arg:"" help:"The key."`
}

// Run ends the key at once.
func (s keysRevokeCmd) Run(c *adminClient) error {
	return c.revokeCredential(s.Merchant, "keys", s.Key)
}

type merchantStaffCmd struct {
	Merchant string `arg:"" help:"Id or shop code."`
	Email    string `arg:"" help:"The person's mail address, with which they sign in."`
}

// Run prints the password, which is made by the server and shown this once.
func (s merchantStaffCmd) Run(c *adminClient) error {
	var raw json.RawMessage
	if err := c.call(http.MethodPost, []string{"merchants", s.Merchant, "staff"}, "", map[string]string{"email": s.Email}, &raw); err != nil {
		return err
	}
	var made struct{ Email, Password string }
	if err := json.Unmarshal(raw, &made); err != nil {
		return err
	}
	return c.print(raw, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "email\t%s\npassword\t%s\n", made.Email, made.Password)
		return err
	})
}
