package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// ChangeMany makes a change of many users for an operator, and reports its progress. The change is atomic: after an error nothing has
// changed. ChangeMany returns domain.ErrSelectionChanged, and the errors of ports.DirectoryStore.
func (d *Directory) ChangeMany(
	ctx context.Context, operator int64, key domain.ImportKey, change *ports.BulkChange, report func(domain.Progress),
) (*ports.ImportResult, error) {
	result, err := d.changeMany(ctx, operator, key, change, report)
	if err != nil {
		return nil, fmt.Errorf("change users: %w", err)
	}
	return result, nil
}

func (d *Directory) changeMany(
	ctx context.Context, operator int64, key domain.ImportKey, change *ports.BulkChange, report func(domain.Progress),
) (result *ports.ImportResult, err error) {
	b := &bulkChange{DirectoryConfig: d.cfg, BulkChange: change, operator: operator, now: d.cfg.Now(), group: domain.RestoreGroup(change.Group)}
	if change.Action == domain.BulkPassword {
		b.salt = d.cfg.Passwords.Salt()
		b.issuer, err = d.cfg.Passwords.Issue(b.salt)
		if err != nil {
			return nil, fmt.Errorf("issue passwords: %w", err)
		}
	}
	if change.Selection.IDs == nil {
		err = d.listAll(ctx)
		if err != nil {
			return nil, err
		}
	}
	mode := ports.BulkMode{Selection: change.Selection, Terms: d.searchTerms(), Key: key}
	err = d.cfg.Store.ChangeMany(ctx, mode, func(ctx context.Context, tx ports.BulkTx) error { return b.run(ctx, tx, report) })
	if err != nil {
		return nil, errors.Join(err, b.dropLog())
	}
	result = resultOf(b.Outcomes, b.log, b.issuer)
	result.Tally = b.tally
	return result, nil
}

// A bulkChange is a running change of many users.
type bulkChange struct {
	DirectoryConfig
	*ports.BulkChange

	operator int64
	now      time.Time
	group    domain.Group
	salt     []byte       // nil for a change that gives no passwords
	issuer   ports.Issuer // nil for such a change
	log      ports.OutcomeLog
	tally    domain.Tally
}

// run makes the change in tx.
func (b *bulkChange) run(ctx context.Context, tx ports.BulkTx, report func(domain.Progress)) error {
	err := b.dropLog() // of an earlier run that the database undid
	if err != nil {
		return err
	}
	b.log, b.tally = b.Outcomes.NewLog(), domain.Tally{}
	selected := tx.Selected()
	if selected != b.BulkChange.Users {
		return fmt.Errorf("%w: %d instead of %d", domain.ErrSelectionChanged, selected, b.BulkChange.Users)
	}
	users, err := tx.Next(ctx)
	for ; err == nil && len(users) > 0; users, err = tx.Next(ctx) {
		changes := make([]ports.AccountChange, len(users))
		for i := range users {
			changes[i], err = b.decide(&users[i])
			if err != nil {
				return err
			}
		}
		err = tx.Change(ctx, changes)
		if err != nil {
			return fmt.Errorf("change batch: %w", err)
		}
		report(domain.Progress{Tally: b.tally, Bytes: int64(b.tally.Records), Size: int64(selected)})
	}
	if err != nil {
		return fmt.Errorf("read batch: %w", err)
	}
	err = b.log.Flush()
	if err != nil {
		return fmt.Errorf("store outcomes: %w", err)
	}
	answer := &ports.Answer{Salt: b.salt, Expires: b.Now().Add(b.KeepAnswers), Outcomes: b.log.Reader()}
	return tx.Finish(ctx, b.tally, answer, domain.AuditEntry{Action: domain.ActionManyChanged, After: b.facts()})
}

func (b *bulkChange) dropLog() error {
	if b.log == nil {
		return nil
	}
	err := b.log.Close()
	b.log = nil
	if err != nil {
		return fmt.Errorf("drop outcomes: %w", err)
	}
	return nil
}

// decide returns the change of a user, and records the outcome.
func (b *bulkChange) decide(selected *ports.SelectedUser) (change ports.AccountChange, err error) {
	b.tally.Records++
	var outcome domain.Outcome
	user, code := selected.User, domain.CodeDeleted
	if user != nil {
		name := domain.NameTexts{Last: user.LastName, First: user.FirstName, Patronymic: user.Patronymic}
		outcome = domain.Outcome{Login: user.Login, Name: domain.RestoreFullName(name), Group: domain.RestoreGroup(user.Group)}
		change, code = b.changeOf(user, selected.Left)
	}
	if code == "" {
		b.tally.Registered++
		if b.Action == domain.BulkGroup {
			outcome.Group = b.group
		}
	} else {
		b.tally.Rejected++
		outcome.Violations = domain.Violations{{Code: code}}
	}
	err = b.log.Append(outcome)
	if err != nil {
		return change, fmt.Errorf("store outcome: %w", err)
	}
	return change, nil
}

// changeOf returns the change of a user, or why the user is left out.
func (b *bulkChange) changeOf(user *domain.User, left bool) (change ports.AccountChange, code domain.Code) {
	switch {
	case left:
		return change, domain.CodeUnselected
	case b.Action.SparesOperators() && user.ID == b.operator:
		return change, domain.CodeOwnAccount
	case b.Action.SparesOperators() && slices.Contains(user.Roles, domain.RoleOperator):
		return change, domain.CodeOperator
	}
	switch b.Action {
	case domain.BulkPassword:
		return newPassword(user, b.issuer.Hash(b.tally.Records), b.now), ""
	case domain.BulkSuspend:
		change, code = suspension(user, b.now), domain.CodeSuspended
	case domain.BulkRestore:
		change, code = restoration(user), domain.CodeNotSuspended
	case domain.BulkRequireChange:
		change, code = requirement(user), domain.CodeChangeRequired
	case domain.BulkDelete:
		change = deletion
	case domain.BulkGroup:
		code = domain.CodeSameGroup
		if user.Group != b.group.String() {
			change = ports.AccountChange{Action: domain.ActionAccountEdited, Fields: []domain.Field{domain.FieldGroup}, Group: &b.group}
		}
	}
	if change.Action != "" {
		code = ""
	}
	return change, code
}

// facts returns what the audit says about the change.
func (b *bulkChange) facts() map[string]any {
	facts := factsOf(&b.Selection)
	facts["action"], facts["selected"], facts["changed"] = b.Action, b.tally.Records, b.tally.Registered
	return facts
}

// factsOf returns what the audit says about a selection. Like all entries it names no person, so it leaves out the text that was searched for.
func factsOf(selection *ports.UserSelection) map[string]any {
	facts := map[string]any{}
	filter := selection.Filter
	if selection.IDs != nil {
		facts["ticked"] = true
		return facts
	}
	for name, value := range map[string]string{"status": string(filter.Status), "group": filter.Group} {
		if value != "" {
			facts[name] = value
		}
	}
	if filter.Import != 0 {
		facts["import"] = filter.Import
	}
	for name, value := range map[string]time.Time{
		"registered_from": filter.From, "registered_to": filter.Until, "signed_in_before": filter.SignedInBefore,
	} {
		if !value.IsZero() {
			facts[name] = value.UTC().Format(time.RFC3339)
		}
	}
	if filter.Text != "" {
		facts["q"] = "…"
	}
	return facts
}
