package passhash

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	// SecretSize is the least length of a secret key, in bytes.
	SecretSize = 32

	// secretFile is the name of a secret key's file in its folder.
	secretFile = "secret.key"
)

var errSecret = fmt.Errorf("invalid secret key: expected %d or more bytes, in base64 or hexadecimal", SecretSize)

// ParseSecret decodes a secret key from base64 or hexadecimal. Its error does not repeat the text, which may be secret even
// if it is invalid.
func ParseSecret(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		key, err := decode(text)
		if err == nil && len(key) >= SecretSize {
			return key, nil
		}
	}
	return nil, errSecret
}

// LoadOrCreateSecret returns the secret key of a folder, and creates it if it is missing.
func LoadOrCreateSecret(dir string) ([]byte, error) {
	path := filepath.Join(dir, secretFile)
	for {
		text, err := os.ReadFile(path)
		var key []byte
		if err == nil {
			key, err = ParseSecret(string(text))
		}
		if err == nil {
			return key, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read secret key %s: %w", path, err)
		}
		err = createSecret(path)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("create secret key: %w", err)
		}
	}
}

// createSecret creates a whole file or none. If two programs create it concurrently, one of them gets fs.ErrExist.
func createSecret(path string) error {
	key := make([]byte, SecretSize)
	_, _ = rand.Read(key)                                           // never fails: it ends the program instead
	file, err := os.CreateTemp(filepath.Dir(path), secretFile+"-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return err
	}
	err = os.Link(file.Name(), path)
	if err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path)) // without a sync a power failure could lose the name, and with it every kept answer
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
