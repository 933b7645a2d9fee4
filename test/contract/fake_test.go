package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/fake"
)

func TestFakeImports(t *testing.T) {
	contract.Imports(t, func(*testing.T) contract.ImportsSubject {
		store := &fake.Imports{}
		return contract.ImportsSubject{Store: store, Accounts: store.Accounts, Recorded: store.Recorded}
	})
}

func TestFakeRegistrations(t *testing.T) { contract.Registrations(t, fakeAccounts) }
func TestFakeAccounts(t *testing.T)      { contract.Accounts(t, fakeAccounts) }
func TestFakeRoles(t *testing.T)         { contract.Roles(t, fakeAccounts) }

func TestFakeSetupCodes(t *testing.T) {
	contract.SetupCodes(t, func(t *testing.T) contract.SetupCodesSubject {
		accounts := fakeAccounts(t)
		return contract.SetupCodesSubject{AccountsSubject: accounts, Codes: &fake.SetupCodes{Store: accounts.Roles.(fake.Roles).Store}}
	})
}

func fakeAccounts(*testing.T) contract.AccountsSubject {
	store := &fake.Imports{}
	return contract.AccountsSubject{
		Registrations: fake.Registrations{Store: store}, Accounts: fake.Accounts{Store: store}, Imports: store, Roles: fake.Roles{Store: store},
		Directory: fake.Directory{Store: store}, Users: fake.Users{Store: store}, Sessions: fake.Sessions{Store: store},
		SaveSession: func(t *testing.T, key string, lifetime time.Duration) {
			t.Helper()
			require.NoError(t, fake.Sessions{Store: store}.SetWithContext(t.Context(), key, []byte("x"), lifetime))
		},
	}
}

func TestFakeUsers(t *testing.T) { contract.Users(t, fakeAccounts) }

func TestFakeDirectory(t *testing.T) { contract.Directory(t, fakeAccounts) }

func TestFakeReports(t *testing.T) {
	contract.Reports(t, func(*testing.T) contract.ReportsSubject {
		var now time.Time
		store := &fake.Imports{Now: func() time.Time { return now }}
		return contract.ReportsSubject{
			Store: fake.Reports{Store: store}, Running: fake.RunningImports{Store: store}, Imports: store, People: fake.Registrations{Store: store}, SetNow: func(at time.Time) { now = at }, SetDate: store.SetDate,
		}
	})
}

func TestFakeExports(t *testing.T) {
	contract.Exports(t, func(*testing.T) contract.ExportsSubject {
		store := &fake.Exports{}
		return contract.ExportsSubject{Store: store, Names: store.Names}
	})
}

func TestFakeLimits(t *testing.T) {
	contract.Limits(t, func(*testing.T) contract.LimitsSubject {
		var passed time.Duration
		return contract.LimitsSubject{
			Store: &fake.Limits{Now: func() time.Time { return time.Now().Add(passed) }},
			Pass:  func(d time.Duration) { passed += d },
		}
	})
}

func TestFakeAccessTokens(t *testing.T) {
	contract.AccessTokens(t, func(*testing.T) ports.TokenStore { return &fake.AccessTokens{} })
}

func TestFakeAudit(t *testing.T) {
	contract.Audit(t, func(*testing.T) ports.AuditStore { return &fake.Audit{} })
}

func TestFakeHasher(t *testing.T) {
	contract.Hasher(t, contract.HasherSubject{Hasher: &fake.Hasher{}, Stronger: &fake.Hasher{Strength: 1}, Passwords: &fake.Passwords{}})
}

func TestFakeUploads(t *testing.T) {
	contract.Uploads(t, func(*testing.T) contract.UploadsSubject {
		var passed time.Duration
		store := &fake.Uploads{Now: func() time.Time { return time.Now().Add(passed) }}
		return contract.UploadsSubject{
			Store: store, Anna: 1, Boris: 2, Pass: func(by time.Duration) { passed += by },
		}
	})
}

func TestFakeSpools(t *testing.T)    { contract.Spools(t, &fake.Spools{}) }
func TestFakeOutcomes(t *testing.T)  { contract.Outcomes(t, &fake.Spools{}) }
func TestFakeDecoder(t *testing.T)   { contract.Decoder(t, fake.Decoder{}) }
func TestFakePasswords(t *testing.T) { contract.Passwords(t, &fake.Passwords{}) }
func TestFakeSecrets(t *testing.T)   { contract.Secrets(t, &fake.Secrets{}) }
func TestFakeDevices(t *testing.T)   { contract.Devices(t, &fake.Devices{}) }
func TestFakeSentences(t *testing.T) { contract.Sentences(t, fake.Sentences{}) }
