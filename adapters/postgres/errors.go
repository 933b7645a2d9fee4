package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"rollcall/ports"
)

// The SQLSTATEs that mean something here.
const (
	invalidParameterValue = "22023"
	uniqueViolation       = "23505"
	serializationFailure  = "40001"
	deadlockDetected      = "40P01"
	diskFull              = "53100"
	tooManyConnections    = "53300"
	lockNotAvailable      = "55P03"
)

// sqlState is empty for an error that the server did not send.
func sqlState(err error) string {
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pgErr.Code
	}
	return ""
}

// isContention tells of a transaction that came to nothing because of another one.
func isContention(err error) bool {
	switch sqlState(err) {
	case uniqueViolation, serializationFailure, deadlockDetected, lockNotAvailable:
		return true
	}
	return false
}

// isAway tells of a database that cannot be reached, is starting or going down, or has no connection left.
func isAway(err error) bool {
	// one that was not let in has waited for as long as it may, whatever the caller's patience
	_, isOutside := errors.AsType[*pgconn.ConnectError](err)
	if !isOutside && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return false
	}
	state := sqlState(err)
	return state == "" || state == tooManyConnections || strings.HasPrefix(state, "08") || strings.HasPrefix(state, "57P")
}

// unavailable marks an error of the database as ports.ErrUnavailable if it may be gone when asked again.
func unavailable(err error) error {
	if sqlState(err) == diskFull {
		return fmt.Errorf("%w: %w", ports.ErrNoRoom, err)
	}
	if isAway(err) || isContention(err) {
		return fmt.Errorf("%w: %w", ports.ErrUnavailable, err)
	}
	return err
}
