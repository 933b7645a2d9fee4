package bootstrap_test

import (
	"os"
	"testing"
)

// TestMain keeps the tests out of the configuration folder of the user who runs them.
func TestMain(m *testing.M) {
	config, err := os.MkdirTemp("", "rollcall-config-*")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_CONFIG_HOME", config)
	status := m.Run()
	_ = os.RemoveAll(config)
	os.Exit(status)
}
