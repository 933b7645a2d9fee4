package bootstrap

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"rollcall/adapters/postgres"
	"rollcall/domain"
)

// sweepInterval is how often is removed what means nothing any more, and what is not to be kept any longer.
const sweepInterval = 10 * time.Minute

// sweep tidies the database when the program starts, and then now and then, until ctx ends. Several instances may do so at
// once.
func sweep(ctx context.Context, db *postgres.DB, keepRefused, keepAnswers time.Duration, log *slog.Logger) {
	limits, reports, imports := postgres.NewLimits(db), postgres.NewReports(db), postgres.NewImports(db, time.Now)
	uploads, setupCodes := postgres.NewFileUploads(db), postgres.NewSetupCodes(db)
	for {
		now := time.Now()
		err := errors.Join(
			limits.Sweep(ctx),
			imports.Sweep(ctx),
			setupCodes.Sweep(ctx),
			uploads.Sweep(ctx, now.Add(-keepAnswers)),
			reports.EraseOriginals(ctx, now.Add(-keepRefused)),
			reports.MergeShards(ctx, domain.DateOf(now)))
		if err != nil && ctx.Err() == nil {
			log.Error("the database was not tidied", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(sweepInterval):
		}
	}
}
