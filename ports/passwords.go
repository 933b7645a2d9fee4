package ports

import "errors"

// ErrOtherSecret is returned when passwords were made by a server with another secret key.
var ErrOtherSecret = errors.New("passwords were made with another secret key")

// Passwords makes the passwords that an import hands out.
type Passwords interface {
	// Salt returns a new salt, which no other import has.
	Salt() []byte

	// Issue returns the maker of the passwords of the import that has a salt: always the same ones, while those of two
	// salts have nothing in common. It returns ErrOtherSecret for a salt of a server with another secret key.
	Issue(salt []byte) (Issuer, error)
}

// Issuer makes the passwords of one import.
type Issuer interface {
	// Password returns the password of an object, always the same one.
	Password(object int) string

	// Hash returns what is stored of that password.
	Hash(object int) string
}
