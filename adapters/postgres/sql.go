package postgres

import "embed"

//go:embed sql/*.sql
var sqlFiles embed.FS

// readSQL returns the query in sql/name.sql. Its parameters are pgx.NamedArgs: @limit in the file, "limit" in Go.
func readSQL(name string) string {
	text, err := sqlFiles.ReadFile("sql/" + name + ".sql")
	if err != nil {
		panic(err) // a misspelled name stops every test and the program itself when it starts
	}
	return string(text)
}
