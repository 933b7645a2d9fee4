package bootstrap

import (
	"log/slog"
	"time"

	"rollcall/adapters/postgres"
	"rollcall/application"
	"rollcall/ports"
)

const (
	// uploadsAtOnce is how many uploads an instance works on, uploadQueue how many it takes that have to wait. Of large imports
	// only one works at a time; the others are dry runs.
	uploadsAtOnce = 4
	uploadQueue   = 64

	// uploadsOfUser is how many times --max-body the files may have together that a user has not decided on.
	uploadsOfUser = 2

	// uploadBeat is how often an upload lets be known how far it is.
	uploadBeat = time.Second
)

func (cmd *serveCommand) newUploads(db *postgres.DB, registration ports.Registration, decoder ports.Decoder, spools ports.Spools, log *slog.Logger) *application.UploadFile {
	store := postgres.NewFileUploads(db)
	return application.NewUploadFile(application.UploadConfig{
		Uploads:      store,
		Jobs:         store,
		Registration: registration,
		Decoder:      decoder,
		Spools:       spools,
		Log:          log,
		Room:         cmd.room(),
		AtOnce:       uploadsAtOnce,
		MaxUser:      uploadsOfUser * int64(cmd.MaxBody),
		Queue:        uploadQueue,
		Beat:         uploadBeat,
	})
}
