package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"rollcall/domain"
)

// A sourcePerson is a user of the first service with the first of the user's profiles.
type sourcePerson struct {
	id                         int64
	login, hash, email, phone  *string
	registered                 timestamp
	hasRegistered              bool
	profile                    int64 // id; 0 for none
	first, last, patronymic    *string
	birthday                   timestamp
	hasBirthday, isEndlessDate bool

	account  domain.Account
	claim    domain.Identity // contacts of other users that the login reads as
	findings []Finding
}

// readPerson reads a row of the query of copyPeople.
func readPerson(row sourceRow) sourcePerson {
	p := sourcePerson{
		id: row.bigint(0), login: row.text(1), hash: row.text(2), email: row.text(3),
		profile: row.bigint(6), first: row.text(7), last: row.text(8), patronymic: row.text(9),
	}
	if !row.isNull(4) {
		digits := strconv.FormatInt(row.bigint(4), 10)
		p.phone = &digits
	}
	p.registered, p.hasRegistered = row.timestamp(5)
	p.birthday, p.hasBirthday = row.timestamp(10)
	p.isEndlessDate = !p.hasBirthday && !row.isNull(10)
	return p
}

// copyPeople copies users and profiles.
func (t *takeover) copyPeople(ctx context.Context) error {
	t.claims = map[int64]domain.Identity{}
	now := timestamp(time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).Microseconds())
	users := "users (id, reg_date, " + columnNames(userColumns) + ")"
	profiles := "profiles (id, user_id, " + columnNames(profileColumns) + ")"
	return batches(ctx, t, fmt.Sprintf(`
		select u.id::bigint, u.login::text, u.password_hash::text, u.email::text, u.phone::bigint, u.reg_date,
			p.id::bigint, p.fname::text, p.lname::text, p.patr::text, p.birthday
		from %[1]s.users u
			left join (select distinct on (user_id) * from %[1]s.profiles where user_id is not null order by user_id, id) p on p.user_id = u.id
		order by u.id`, t.source), readPerson, t.prepare, func(people []sourcePerson) error {
		for i := range people {
			p := &people[i]
			for _, finding := range p.findings {
				err := t.found(finding)
				if err != nil {
					return err
				}
			}
			if !p.hasRegistered {
				p.registered = now
			}
			if p.claim != (domain.Identity{}) {
				t.claims[p.id] = p.claim
			}
		}
		err := t.copy(ctx, users, len(people), func(b copyRow, i int) copyRow {
			return b.fields(2+len(userColumns)).bigint(people[i].id).timestamp(people[i].registered).columns(userColumns, &people[i].account)
		})
		if err != nil {
			return err
		}
		t.result.Users += len(people)
		withProfile := make([]*sourcePerson, 0, len(people))
		for i := range people {
			if people[i].profile != 0 {
				withProfile = append(withProfile, &people[i])
			}
		}
		t.result.Profiles += len(withProfile)
		return t.copy(ctx, profiles, len(withProfile), func(b copyRow, i int) copyRow {
			p := withProfile[i]
			return b.fields(2+len(profileColumns)).bigint(p.profile).bigint(p.id).columns(profileColumns, &p.account)
		})
	})
}

// prepare makes the account of a person, with the values that the first service has, and finds what is wrong with them. Keys are those
// by which NewIdentity finds the account.
func (t *takeover) prepare(p *sourcePerson) {
	rules := t.cfg.Rules
	reg := &p.account.Registration
	reg.Name = domain.RestoreFullName(domain.NameTexts{First: orEmpty(p.first), Last: orEmpty(p.last), Patronymic: orEmpty(p.patronymic)})
	reg.Email = domain.RestoreEmail(orEmpty(p.email))
	if p.login != nil {
		reg.Login = domain.RestoreLogin(*p.login)
	}
	if reg.Login.Key() == "" {
		reg.Login = domain.MissingLogin(p.id)
	}
	var candidate domain.Candidate
	give := func(field domain.PersonField, text *string) {
		if text != nil {
			candidate.Given[field] = domain.Given{Text: *text, Kind: domain.KindText}
		}
	}
	give(domain.PersonLogin, p.login)
	give(domain.PersonEmail, p.email)
	if p.phone != nil {
		var violations domain.Violations
		reg.Phone, violations = domain.RestorePhone(*p.phone, rules.Region)
		text := *p.phone
		if violations == nil {
			text = "+" + reg.Phone.String()
		}
		give(domain.PersonPhone, &text)
	}
	give(domain.PersonFirstName, p.first)
	give(domain.PersonLastName, p.last)
	give(domain.PersonPatronymic, p.patronymic)
	violations := rules.Check(&candidate).Violations
	if p.profile == 0 {
		p.find(Finding{Kind: FindingNoProfile})
		violations = withoutNames(violations)
	}
	if p.hasBirthday {
		violations = p.takeBirthday(rules.Today, violations)
	}
	if p.isEndlessDate {
		p.find(Finding{Kind: FindingNoBirthday, Value: "infinity"})
	}
	if len(violations) > 0 {
		p.find(Finding{Kind: FindingInvalid, Violations: violations})
	}
	p.account.PasswordHash = orEmpty(p.hash)
	if !t.cfg.CanSignIn(p.account.PasswordHash) {
		p.account.PasswordHash = "" // it matches no password
		p.find(Finding{Kind: FindingNoPassword})
	}
	if !p.hasRegistered {
		p.find(Finding{Kind: FindingNoDate})
	}
	p.claim = othersContact(reg, rules.Region)
}

// takeBirthday sets the birthday, and adds the violation of one that today's rules reject, or take for none.
func (p *sourcePerson) takeBirthday(today domain.Date, violations domain.Violations) domain.Violations {
	date := p.birthday.date()
	p.account.Registration.Birthday = domain.RestoreBirthday(date)
	_, month, day := date.Time().Date()
	if day <= 12 && day != int(month) {
		p.find(Finding{Kind: FindingDoubtfulBirthday, Value: date.Time().Format(time.DateOnly)})
	}
	read, more := domain.NewBirthday(date.Time().Format(time.DateOnly), today)
	if read != p.account.Registration.Birthday && more == nil {
		more = domain.Violations{{Field: domain.FieldBirthday, Code: domain.CodeInvalid}}
	}
	return append(violations, more...)
}

// othersContact returns the email and phone that an account's login reads as, unless they are the account's own.
func othersContact(reg *domain.Registration, region string) (contact domain.Identity) {
	read := domain.NewIdentity(reg.Login.String(), region)
	if read.Email != reg.Email.Key() {
		contact.Email = read.Email
	}
	if read.Phone != reg.Phone.String() {
		contact.Phone = read.Phone
	}
	return contact
}

// withoutNames returns violations without those of names.
func withoutNames(violations domain.Violations) (others domain.Violations) {
	for _, v := range violations {
		switch v.Field {
		case domain.FieldFirstName, domain.FieldLastName, domain.FieldPatronymic:
		default:
			others = append(others, v)
		}
	}
	return others
}

// find adds a finding.
func (p *sourcePerson) find(f Finding) {
	f.ID, f.Login = p.id, orEmpty(p.login)
	p.findings = append(p.findings, f)
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// findOtherProfiles finds the profiles that were not copied.
func (t *takeover) findOtherProfiles(ctx context.Context) error {
	return batches(ctx, t, fmt.Sprintf(`
		select p.id::bigint, p.user_id::bigint
		from %s.profiles p left join profiles copied on copied.id = p.id
		where copied.id is null
		order by p.id`, t.source), func(row sourceRow) Finding {
		return Finding{Kind: FindingOtherProfile, ID: row.bigint(0), Other: row.bigint(1)}
	}, func(*Finding) {}, func(found []Finding) error {
		for _, finding := range found {
			err := t.found(finding)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
