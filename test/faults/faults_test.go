// Package faults_test kills processes, cuts networks, fills disks and floods servers under Rollcall, and checks that nothing is
// lost. It runs the built program and a real PostgreSQL, each in its own processes.
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
	long = flag.Bool("long", false, "repeat each fault as often as 'make faults' does")
	seed = flag.Uint64("seed", rand.Uint64(), "seed of the random choices")
)

// binary is the path of the program.
var binary = os.Getenv(binaryVariable)

// binaryVariable passes the path of the program to tests that run in another process. Without it, TestMain builds the program.
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

// either returns a count or a size: the first in every test run, the second in 'make faults'.
func either(short, full int) int {
	if *long {
		return full
	}
	return short
}

// random returns a source of random numbers that depends on the test and the seed only.
func random(t *testing.T) *rand.Rand {
	var name uint64
	for _, c := range t.Name() {
		name = name*31 + uint64(c)
	}
	return rand.New(rand.NewPCG(*seed, name))
}
