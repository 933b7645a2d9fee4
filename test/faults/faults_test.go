// Package faults_test kills, cuts off, fills up and floods what Rollcall runs on, and looks for what was lost. The program is
// the built one and the database a real PostgreSQL, both with processes of their own.
package faults_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"rollcall/test/pgtest"
)

var (
	long = flag.Bool("long", false, "try everything as often as 'make faults' does")
	seed = flag.Uint64("seed", rand.Uint64(), "of what is random")
)

// binary is the program.
var binary = os.Getenv(binaryVariable)

// binaryVariable names the program to tests in a process of their own. Else it is built.
const binaryVariable = "ROLLCALL_TEST_BINARY"

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	fmt.Printf("seed %d\n", *seed)
	if binary != "" {
		return pgtest.Run(m)
	}
	dir, err := os.MkdirTemp("", "faults-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "rollcall")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "rollcall")
	build.Stderr = os.Stderr
	err = build.Run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		return 1
	}
	return pgtest.Run(m)
}

// either is how often, or of what size, something is tried: in every test run, and by 'make faults'.
func either(bounded, atLength int) int {
	if *long {
		return atLength
	}
	return bounded
}

// random is the same for a test and a seed.
func random(t *testing.T) *rand.Rand {
	var name uint64
	for _, c := range t.Name() {
		name = name*31 + uint64(c)
	}
	return rand.New(rand.NewPCG(*seed, name))
}
