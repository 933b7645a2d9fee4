package ports

// Passwords makes the passwords that an import hands out.
type Passwords interface {
	// Issue returns the maker of one import's passwords. Two never make the same ones.
	Issue() Issuer
}

// Issuer makes the passwords of one import.
type Issuer interface {
	// Password returns the password of an object, always the same one.
	Password(object int) string

	// Hash returns what is stored of that password.
	Hash(object int) string
}
