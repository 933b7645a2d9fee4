package postgres_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rollcall/adapters/postgres"
	"rollcall/domain"
	"rollcall/ports"
	"rollcall/test/contract"
	"rollcall/test/pgtest"
)

func TestFileUploads(t *testing.T) {
	contract.Uploads(t, func(t *testing.T) contract.UploadsSubject {
		t.Helper()
		url := pgtest.New(t)
		store, anna, boris := uploadStore(t, url)
		return contract.UploadsSubject{
			Store: store, Anna: anna, Boris: boris,
			Pass: func(by time.Duration) {
				pgtest.Query[struct{}](t, url, `
					update uploads set started_at = started_at - make_interval(secs => $1), updated_at = updated_at - make_interval(secs => $1)`,
					by.Seconds())
			},
		}
	})
}

// uploadStore returns a store, and two users who may upload.
func uploadStore(t *testing.T, url string) (store *postgres.FileUploads, anna, boris int64) {
	t.Helper()
	db := open(t, url)
	var ids [2]int64
	for i := range ids {
		var err error
		ids[i], err = postgres.NewRegistrations(db).Create(t.Context(), accountOf(t, i))
		require.NoError(t, err)
	}
	return postgres.NewFileUploads(db), ids[0], ids[1]
}

func TestUploadsAreSweptWithTheirFiles(t *testing.T) {
	url := pgtest.New(t)
	store, anna, boris := uploadStore(t, url)
	for id, user := range map[string]int64{"old": anna, "new": anna, "of Boris": boris, "imported": anna, "long ago": anna} {
		upload := &ports.Upload{ID: id, User: user, State: domain.UploadChecking, Job: id, Size: 1}
		require.NoError(t, store.Create(t.Context(), upload, ports.UploadShare{Uploads: 100, Bytes: 1 << 20}, strings.NewReader("x")))
	}
	pgtest.Query[struct{}](t, url, `update uploads set updated_at = updated_at - interval '2 days' where id in ('old', 'imported')`)
	pgtest.Query[struct{}](t, url, `update uploads set updated_at = updated_at - interval '9 days' where id = 'long ago'`)
	pgtest.Query[struct{}](t, url, `update uploads set state = 'imported' where id in ('imported', 'long ago')`)
	require.NoError(t, store.Sweep(t.Context(), time.Now().AddDate(0, 0, -1)))
	for id, want := range map[string]error{"old": ports.ErrNotFound, "new": nil, "imported": nil, "long ago": ports.ErrNotFound} {
		_, err := store.Find(t.Context(), anna, id)
		require.ErrorIs(t, err, want, id)
	}
	require.ErrorIs(t, store.Load(t.Context(), "old", io.Discard), ports.ErrNotFound)
	require.NoError(t, store.Load(t.Context(), "new", io.Discard))

	pgtest.Query[struct{}](t, url, `delete from users where id = $1`, boris)
	left := pgtest.Query[struct{ ID string }](t, url, `select upload_id from upload_parts order by 1`)
	require.Equal(t, []struct{ ID string }{{"imported"}, {"new"}}, left)
}
