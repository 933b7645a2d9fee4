package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"rollcall/ports"
)

// The SQLSTATEs that this package handles.
const (
	invalidParameterValue = "22023"
	uniqueViolation       = "23505"
	serializationFailure  = "40001"
	deadlockDetected      = "40P01"
	diskFull              = "53100"
	tooManyConnections    = "53300"
	lockNotAvailable      = "55P03"
	insufficientPrivilege = "42501"
)

// sqlState returns the SQLSTATE of an error; empty if the server did not send one.
func sqlState(err error) string {
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pgErr.Code
	}
	return ""
}

// isContention reports whether another transaction made this one fail.
func isContention(err error) bool {
	switch sqlState(err) {
	case uniqueViolation, serializationFailure, deadlockDetected, lockNotAvailable:
		return true
	}
	return false
}

// isAway reports whether the database is unreachable, is starting or stopping, or has no connection left.
func isAway(err error) bool {
	// A connection attempt has its own timeout, which is not the caller's.
	_, isConnecting := errors.AsType[*pgconn.ConnectError](err)
	if !isConnecting && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return false
	}
	state := sqlState(err)
	return state == "" || state == tooManyConnections || strings.HasPrefix(state, "08") || strings.HasPrefix(state, "57P")
}

// unavailable marks an error of the database as ports.ErrUnavailable if the same request may succeed later.
func unavailable(err error) error {
	if sqlState(err) == diskFull {
		return fmt.Errorf("%w: %w", ports.ErrNoRoom, err)
	}
	if isAway(err) || isContention(err) {
		return fmt.Errorf("%w: %w", ports.ErrUnavailable, err)
	}
	return err
}
