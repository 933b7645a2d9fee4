package bootstrap

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"rollcall/adapters/exports"
	"rollcall/adapters/postgres"
)

const (
	// sweepInterval is the time between two removals of expired data.
	sweepInterval = 10 * time.Minute

	// rollUpInterval is the time between two roll-ups of the statistics. A page counts the imports since the last one itself, in about
	// 2 ms for 1,000 imports.
	rollUpInterval = 5 * time.Second

	// listInterval is the time between two additions of new users to those that operators find. A page adds a few new users itself.
	listInterval = 5 * time.Second

	// reconcileInterval is the time between two searches for users whom another version of the program has registered or changed.
	reconcileInterval = time.Hour
)

// sweep rolls up the statistics, makes new users findable and removes expired data, immediately and then at intervals, until ctx ends.
// Several instances may sweep one database concurrently.
func sweep(ctx context.Context, db *postgres.DB, retention retentionFlags, folder *exports.Folder, log *slog.Logger) {
	logFailure(ctx, log, "cleanup of exports folder failed", folder.Sweep())
	limits, reports, imports := postgres.NewLimits(db), postgres.NewReports(db), postgres.NewImports(db, time.Now)
	uploads, setupCodes, audit := postgres.NewFileUploads(db), postgres.NewSetupCodes(db), postgres.NewAudit(db)
	users := postgres.NewUsers(db)
	go repeat(ctx, rollUpInterval, func() {
		logFailure(ctx, log, "roll-up of statistics failed", reports.RollUp(ctx))
	})
	go repeat(ctx, listInterval, func() {
		logFailure(ctx, log, "listing of new users failed", listAll(ctx, db, users))
	})
	go repeat(ctx, reconcileInterval, func() {
		logFailure(ctx, log, "reconciliation of listed users failed", users.Reconcile(ctx))
	})
	repeat(ctx, sweepInterval, func() {
		now := time.Now()
		logFailure(ctx, log, "database cleanup failed", errors.Join(
			limits.Sweep(ctx),
			imports.Sweep(ctx),
			setupCodes.Sweep(ctx),
			audit.Sweep(ctx, now.Add(-retention.KeepAudit)),
			uploads.Sweep(ctx, now.Add(-retention.KeepAnswers)),
			reports.EraseOriginals(ctx, now.Add(-retention.KeepRejected))))
	})
}

// listAll lists all new users. It pauses a quarter as long as it works, and twice as long while PostgreSQL works for others, so that imports and
// pages keep most of the processors.
func listAll(ctx context.Context, db *postgres.DB, users *postgres.Users) error {
	for {
		began := time.Now()
		unlisted, err := users.List(ctx)
		if err != nil || unlisted == 0 {
			return err
		}
		pause := time.Since(began) / 4
		isBusy, err := db.IsBusy(ctx)
		if err != nil {
			return err
		}
		if isBusy {
			pause *= 8
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// repeat calls f immediately and then at intervals, until ctx ends.
func repeat(ctx context.Context, interval time.Duration, f func()) {
	for {
		f()
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
	}
}

func logFailure(ctx context.Context, log *slog.Logger, message string, err error) {
	if err != nil && ctx.Err() == nil {
		log.Error(message, "error", err)
	}
}
