//go:build !linux

package postgres

import "syscall"

// boundSilence is for systems that can bound it.
func boundSilence(string, string, syscall.RawConn) error { return nil }
