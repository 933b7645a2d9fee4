package passhash_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"rollcall/adapters/passhash"
	"rollcall/test/contract"
)

func devices(key byte) *passhash.Devices {
	return passhash.NewDevices(bytes.Repeat([]byte{key}, passhash.SecretSize))
}

func TestDevices(t *testing.T) { contract.Devices(t, devices(1)) }

func TestMarksBelongToASecretKey(t *testing.T) {
	mark := devices(1).Mark(7)
	_, ok := devices(2).Owner(mark)
	assert.False(t, ok)
	owner, ok := devices(1).Owner(mark)
	assert.True(t, ok, "another instance knows it")
	assert.EqualValues(t, 7, owner)
}
