package passhash_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/passhash"
	"rollcall/ports"
	"rollcall/test/contract"
)

func devices(key byte) *passhash.Devices {
	return passhash.NewDevices(bytes.Repeat([]byte{key}, passhash.SecretSize))
}

func TestDevices(t *testing.T) { contract.Devices(t, devices(1)) }

func TestMarksBelongToASecretKey(t *testing.T) {
	text := devices(1).Sign(ports.Mark{User: 7})
	_, ok := devices(2).Verify(text)
	require.False(t, ok)
	mark, ok := devices(1).Verify(text)
	require.True(t, ok, "another instance recognises it")
	require.EqualValues(t, 7, mark.User)
}
