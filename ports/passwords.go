package ports

import "errors"

// ErrOtherSecret is returned for passwords that were derived from another secret key than the server's.
var ErrOtherSecret = errors.New("passwords were made with another secret key")

// TemporaryScheme is the beginning of the hash of every temporary password, and of no other. Stores find users by it.
const TemporaryScheme = "$sha256$"

// Passwords makes the temporary passwords of imports.
type Passwords interface {
	// Salt returns a new salt, unique to an import.
	Salt() []byte

	// Issue returns the issuer of the passwords of the import with a salt. A salt always gives the same passwords, and those of
	// two salts are unrelated. It returns ErrOtherSecret for a salt of a server with another secret key.
	Issue(salt []byte) (Issuer, error)
}

// Issuer makes the passwords of one import.
type Issuer interface {
	// Password returns the password of a record, the same one each time.
	Password(record int) string

	// Hash returns the hash under which that password is stored.
	Hash(record int) string
}
