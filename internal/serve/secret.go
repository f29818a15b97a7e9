package serve

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/holdfast-pay/holdfast/internal/config"
)

// secretFile is the file in the data folder that holds the server's secret when
// the settings name none.
const secretFile = "secret.key"

// serverSecret is the key from which tokens and links are derived: that of the
// settings, or one in the data folder, which is made at the first start. made is
// the file of a secret that is new.
func serverSecret(c *config.Config) (secret []byte, made string, err error) {
	switch {
	case c.SecretKey != "":
		secret, err = hex.DecodeString(string(c.SecretKey))
		return secret, "", err
	case c.SecretFile != "":
		secret, err = readSecret(c.SecretFile)
		return secret, "", err
	}
	if err := os.MkdirAll(c.Data, 0o750); err != nil {
		return nil, "", fmt.Errorf("make the data folder: %w", err)
	}
	path := filepath.Join(c.Data, secretFile)
	secret, err = readSecret(path)
	if errors.Is(err, os.ErrNotExist) {
		made = path
		if err := makeSecret(path); err != nil {
			return nil, made, fmt.Errorf("make the server's secret: %w", err)
		}
		secret, err = readSecret(path)
	}
	return secret, made, err
}

// readSecret reads a secret of 32 bytes, or of 64 hexadecimal digits.
func readSecret(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the server's secret: %w", err)
	}
	if len(raw) == config.SecretBytes {
		return raw, nil
	}
	secret, err := hex.DecodeString(string(bytes.TrimSpace(raw)))
	if err != nil || len(secret) != config.SecretBytes {
		return nil, fmt.Errorf("%s is damaged: it must have %d bytes or %d hexadecimal digits; restore it from a backup", path, config.SecretBytes, 2*config.SecretBytes)
	}
	return secret, nil
}

// makeSecret makes a secret in a file that does not exist. Of several processes
// that do so at once one wins, none sees half a file, and a power cut leaves the
// whole or nothing.
func makeSecret(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), secretFile+"-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	secret := make([]byte, config.SecretBytes)
	if _, err := rand.Read(secret); err != nil {
		return errors.Join(err, f.Close())
	}
	_, err = f.Write(secret)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
