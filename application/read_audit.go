package application

import (
	"context"
	"fmt"
	"strconv"

	"rollcall/domain"
	"rollcall/ports"
)

// ReadAudit reads the audit.
type ReadAudit struct {
	ports.AuditReading

	accounts ports.AccountStore
}

// NewReadAudit returns the use case.
func NewReadAudit(audit ports.AuditReading, accounts ports.AccountStore) *ReadAudit {
	return &ReadAudit{audit, accounts}
}

// FindPerson implements ports.ReadingAudit. A number is an id, because the accounts of some entries are deleted.
func (r *ReadAudit) FindPerson(ctx context.Context, name string) (int64, error) {
	id, err := strconv.ParseInt(name, 10, 64)
	if err == nil && id > 0 {
		return id, nil
	}
	user, err := r.accounts.Find(ctx, domain.Identity{Login: domain.LoginKey(name)})
	if err != nil {
		return 0, fmt.Errorf("find person: %w", err)
	}
	return user.ID, nil
}
