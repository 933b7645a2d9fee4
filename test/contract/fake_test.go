package contract_test

import (
	"testing"

	"rollcall/test/contract"
	"rollcall/test/fake"
)

func TestFakeImports(t *testing.T) {
	contract.Imports(t, func(*testing.T) contract.ImportsSubject {
		store := &fake.Imports{}
		return contract.ImportsSubject{Store: store, Accounts: store.Accounts, Records: store.Records}
	})
}

func TestFakeSpools(t *testing.T)    { contract.Spools(t, &fake.Spools{}) }
func TestFakeDecoder(t *testing.T)   { contract.Decoder(t, fake.Decoder{}) }
func TestFakePasswords(t *testing.T) { contract.Passwords(t, &fake.Passwords{}) }
func TestFakeSentences(t *testing.T) { contract.Sentences(t, fake.Sentences{}) }
