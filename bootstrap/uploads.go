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

func (cmd *serveCommand) newUploads(store *postgres.FileUploads, importing ports.Importing, decoder ports.Decoder, spools ports.SpoolStore, log *slog.Logger) (*application.UploadFile, *application.UploadWorker) {
	worker := application.NewUploadWorker(application.UploadWorkerConfig{
		Jobs:      store,
		Importing: importing,
		Spools:    spools,
		Failed:    func(upload string, err error) { log.Error("upload job failed", "upload", upload, "error", err) },
		AtOnce:    uploadsAtOnce,
		Queue:     uploadQueue,
		Beat:      uploadBeat,
	})
	return application.NewUploadFile(application.UploadConfig{
		Uploads:   store,
		Worker:    worker,
		Importing: importing,
		Decoder:   decoder,
		Room:      cmd.room(),
		MaxUser:   uploadsOfUser * int64(cmd.MaxBody),
	}), worker
}
