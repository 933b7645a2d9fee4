package postgres

import (
	"context"
	"fmt"

	"rollcall/domain"
)

// A dryRun holds the keys that the accounts of a dry run would take. Only the dry run itself may find them taken. They are stored when
// another batch comes: a dry run of one batch writes no keys.
type dryRun struct {
	pending [][2]string // kinds and keys of the last batch
	stored  bool        // whether the temporary table with the keys of the batches before exists
}

func (d *dryRun) add(accounts []domain.Account) {
	d.pending = make([][2]string, 0, 3*len(accounts))
	for i := range accounts {
		reg := &accounts[i].Registration
		for _, key := range [...][2]string{{"login", reg.Login.Key()}, {"email", reg.Email.Key()}, {"phone", reg.Phone.String()}} {
			if key[1] != "" {
				d.pending = append(d.pending, key)
			}
		}
	}
}

const takenInDryRunSQL = takenSQL + ` union all
	select kind, key from dry_run where kind = 'login' and key = any($1) union all
	select kind, key from dry_run where kind = 'email' and key = any($2) union all
	select kind, key from dry_run where kind = 'phone' and key = any($3)`

func (tx *importTx) takenSQL() string {
	if tx.dryRun.stored {
		return takenInDryRunSQL
	}
	return takenSQL
}

// storeDryRun stores the pending keys. It sends the queue first: the table must exist when the statement that reads it is prepared.
func (tx *importTx) storeDryRun(ctx context.Context) error {
	keys := tx.dryRun.pending
	if len(keys) == 0 {
		return nil
	}
	tx.queue.Queue(`create temporary table if not exists dry_run (kind text, key text collate "C", primary key (kind, key)) on commit drop`)
	err := tx.send(ctx)
	if err != nil {
		return fmt.Errorf("create table of dry run: %w", err)
	}
	tx.dryRun = dryRun{stored: true}
	return tx.copy(ctx, "dry_run (kind, key)", len(keys),
		func(b copyRow, i int) copyRow { return b.fields(2).text(keys[i][0]).text(keys[i][1]) })
}
