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
)

// sweep rolls up the statistics and removes expired data, immediately and then at intervals, until ctx ends. Several instances may
// sweep one database concurrently.
func sweep(ctx context.Context, db *postgres.DB, retention retentionFlags, folder *exports.Folder, log *slog.Logger) {
	logFailure(ctx, log, "cleanup of exports folder failed", folder.Sweep())
	limits, reports, imports := postgres.NewLimits(db), postgres.NewReports(db), postgres.NewImports(db, time.Now)
	uploads, setupCodes, audit := postgres.NewFileUploads(db), postgres.NewSetupCodes(db), postgres.NewAudit(db)
	go repeat(ctx, rollUpInterval, func() {
		logFailure(ctx, log, "roll-up of statistics failed", reports.RollUp(ctx))
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
