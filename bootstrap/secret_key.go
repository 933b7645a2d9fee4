package bootstrap

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

	"rollcall/adapters/passhash"
)

// secretKeyFile is in the data folder.
const secretKeyFile = "secret.key"

// secretKey is a key given by its owner; empty for the one in the data folder.
type secretKey []byte

var errSecretKey = fmt.Errorf("a secret key has %d bytes or more, in base64 or hexadecimal", passhash.SecretSize)

// parseSecretKey reads a key as its owner writes it. Its error does not repeat the text, which is secret even if it is wrong.
func parseSecretKey(written string) (secretKey, error) {
	written = strings.TrimSpace(written)
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		key, err := decode(written)
		if err == nil && len(key) >= passhash.SecretSize {
			return key, nil
		}
	}
	return nil, errSecretKey
}

// load returns the key, or that of a data folder, which is made when there is none.
func (k secretKey) load(dataDir string) ([]byte, error) {
	if len(k) > 0 {
		return k, nil
	}
	path := filepath.Join(dataDir, secretKeyFile)
	for {
		text, err := os.ReadFile(path)
		if err == nil {
			k, err = parseSecretKey(string(text))
		}
		if err == nil {
			return k, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read secret key %s: %w", path, err)
		}
		err = makeSecretKey(path)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("make secret key: %w", err)
		}
	}
}

// makeSecretKey makes the file whole or not at all; of two programs that do so at once one finds that it exists.
func makeSecretKey(path string) error {
	key := make([]byte, passhash.SecretSize)
	_, _ = rand.Read(key)                                              // never fails: it ends the program instead
	file, err := os.CreateTemp(filepath.Dir(path), secretKeyFile+"-*") // for its owner only
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
	folder, err := os.Open(filepath.Dir(path)) // or a loss of power could take the name, and with it what was answered by then
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
