package passhash_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/passhash"
)

func TestParseSecret(t *testing.T) {
	secret := bytes.Repeat([]byte{0xfb, 0xff}, passhash.SecretSize/2)
	for _, test := range []struct{ name, text string }{
		{"hexadecimal", hex.EncodeToString(secret)},
		{"base64", base64.StdEncoding.EncodeToString(secret)},
		{"base64 without padding", base64.RawStdEncoding.EncodeToString(secret)},
		{"base64 for URLs", base64.RawURLEncoding.EncodeToString(secret)},
		{"with white space around it", " " + hex.EncodeToString(secret) + "\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := passhash.ParseSecret(test.text)
			require.NoError(t, err)
			require.Equal(t, secret, got)
		})
	}
	for _, test := range []struct{ name, text string }{
		{"empty", ""},
		{"short", base64.StdEncoding.EncodeToString(secret[1:])},
		{"neither encoding", "not a key, but still a secret"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := passhash.ParseSecret(test.text)
			require.EqualError(t, err, "invalid secret key: expected 32 or more bytes, in base64 or hexadecimal")
		})
	}
}

func TestLoadOrCreateSecret(t *testing.T) {
	dir := t.TempDir()
	const programs = 8
	secrets := make(chan []byte, programs)
	for range programs {
		go func() {
			secret, err := passhash.LoadOrCreateSecret(dir)
			if err != nil {
				t.Error(err)
			}
			secrets <- secret
		}()
	}
	first := <-secrets
	require.Len(t, first, passhash.SecretSize)
	for range programs - 1 {
		require.Equal(t, first, <-secrets, "concurrent programs use one secret")
	}
	again, err := passhash.LoadOrCreateSecret(dir)
	require.NoError(t, err)
	require.Equal(t, first, again)

	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
	info, err := files[0].Info()
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode(), "only its owner can read the file")
}

func TestSecretFileThatIsInvalid(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret.key"), []byte("short"), 0o600))
	_, err := passhash.LoadOrCreateSecret(dir)
	require.ErrorContains(t, err, "secret.key: invalid secret key")
	content, err := os.ReadFile(filepath.Join(dir, "secret.key"))
	require.NoError(t, err)
	require.Equal(t, "short", string(content), "an invalid file is not replaced")

	_, err = passhash.LoadOrCreateSecret(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "create secret key: ")
}
