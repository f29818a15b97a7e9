package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

type merchantSecretsCmd struct {
	List   secretsListCmd   `cmd:"" help:"List API secrets by their ids."`
	Create secretsCreateCmd `cmd:"" help:"Create an API secret, which is shown this once. A merchant may have several at a time."`
	Revoke secretsRevokeCmd `cmd:"" help:"Revoke an API secret and its tokens."`
}

type secretsListCmd struct {
	Merchant string `arg:"" help:"Id or shop code."`
}

// Run prints the secrets' ids, one a line.
func (s secretsListCmd) Run(c *adminClient) error { return c.listCredentials(s.Merchant, "secrets") }

type secretsCreateCmd struct {
	Merchant string `arg:"" help:"Id or shop code."`
}

// Run prints the secret and its id.
func (s secretsCreateCmd) Run(c *adminClient) error {
	return c.createCredential(s.Merchant, "secrets", nil)
}

type secretsRevokeCmd struct {
	Merchant string `arg:"" help:"Id or shop code."`
	ID       string `arg:"" help:"The secret's id."`
}

// Run ends the secret at once.
func (s secretsRevokeCmd) Run(c *adminClient) error {
	return c.revokeCredential(s.Merchant, "secrets", s.ID)
}

// listCredentials prints a merchant's keys or secrets, one a line. Both have an own
// name for what tells them apart.
func (c *adminClient) listCredentials(merchant, kind string) error {
	var raw json.RawMessage
	if err := c.call(http.MethodGet, []string{"merchants", merchant, kind}, "", nil, &raw); err != nil {
		return err
	}
	return c.print(raw, func(w io.Writer) error {
		var list struct {
			Items []struct {
				Key, ID              string
				CreatedAt, RevokedAt time.Time
			}
		}
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\tCREATED\tREVOKED\n", map[string]string{"keys": "KEY", "secrets": "ID"}[kind])
		for _, k := range list.Items {
			revoked := "-"
			if !k.RevokedAt.IsZero() {
				revoked = k.RevokedAt.Format(time.RFC3339)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", k.Key+k.ID, k.CreatedAt.Format(time.RFC3339), revoked)
		}
		return nil
	})
}

// createCredential makes a key or a secret and prints it.
func (c *adminClient) createCredential(merchant, kind string, body map[string]string) error {
	var raw json.RawMessage
	if err := c.call(http.MethodPost, []string{"merchants", merchant, kind}, "", body, &raw); err != nil {
		return err
	}
	var made struct{ Key, ID, Secret string }
	if err := json.Unmarshal(raw, &made); err != nil {
		return err
	}
	return c.print(raw, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s\t%s\nsecret\t%s\n", map[string]string{"keys": "key", "secrets": "id"}[kind], made.Key+made.ID, made.Secret)
		return err
	})
}

// revokeCredential ends a key or a secret.
func (c *adminClient) revokeCredential(merchant, kind, id string) error {
	if err := c.call(http.MethodDelete, []string{"merchants", merchant, kind, id}, "", nil, nil); err != nil {
		return err
	}
	return c.print(json.RawMessage(`{"revoked":true}`), func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "revoked", strings.TrimSpace(id))
		return err
	})
}
