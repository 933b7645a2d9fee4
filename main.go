// Rollcall registers people: one in a browser, or a million from one HTTP request.
package main

import (
	"os"

	"rollcall/bootstrap"
)

func main() { os.Exit(bootstrap.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
