package domain

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Action is an event and its outcome, with a full stop between. Events and outcomes have the names
// that security events have in the log. Actions are stable: they are stored, and translated at the edge.
type Action string

// The actions.
const (
	ActionSignedIn              Action = "sign_in.succeeded"
	ActionSignInFailed          Action = "sign_in.failed"
	ActionSignInLimited         Action = "sign_in.limited"
	ActionSignInPasswordExpired Action = "sign_in.password_expired"
	ActionSignInPasswordUsed    Action = "sign_in.password_used"
	ActionSignInSuspended       Action = "sign_in.suspended"
	ActionRegistered            Action = "registration.succeeded"
	ActionPasswordChanged       Action = "password_change.succeeded"
	ActionPasswordChangeFailed  Action = "password_change.failed"
	ActionAccountEdited         Action = "account.edited"
	ActionPasswordReplaced      Action = "account.password_replaced"
	ActionChangeRequired        Action = "account.change_required"
	ActionSuspended             Action = "account.suspended"
	ActionRestored              Action = "account.restored"
	ActionSessionsEnded         Action = "account.sessions_ended"
	ActionDeleted               Action = "account.deleted"
	ActionManyChanged           Action = "bulk_change.made"
	ActionRoleGranted           Action = "role.granted"
	ActionRoleRevoked           Action = "role.revoked"
	ActionTokenCreated          Action = "token.created"
	ActionTokenRevoked          Action = "token.revoked"
	ActionImported              Action = "import.succeeded"
	ActionImportFailed          Action = "import.failed"
	ActionExported              Action = "export.made"
	ActionServerStarted         Action = "server.started"
)

var actions = []Action{
	ActionSignedIn, ActionSignInFailed, ActionSignInLimited, ActionSignInPasswordExpired, ActionSignInPasswordUsed,
	ActionSignInSuspended, ActionRegistered, ActionPasswordChanged, ActionPasswordChangeFailed,
	ActionAccountEdited, ActionPasswordReplaced, ActionChangeRequired, ActionSuspended, ActionRestored,
	ActionSessionsEnded, ActionDeleted, ActionManyChanged,
	ActionRoleGranted, ActionRoleRevoked,
	ActionTokenCreated, ActionTokenRevoked, ActionImported, ActionImportFailed, ActionExported, ActionServerStarted,
}

// Actions returns every action, those of an event together.
func Actions() []Action { return slices.Clone(actions) }

// ImportAction returns the action of an import that is recorded with a status.
func ImportAction(status int) Action {
	if status == statusRegistered {
		return ActionImported
	}
	return ActionImportFailed
}

// ErrAction is returned for a text that is neither an action nor an event.
var ErrAction = errors.New("unknown action")

// ParseActions returns the action with a name, or all actions of the event with that name. It returns ErrAction.
func ParseActions(name string) (found []Action, err error) {
	for _, action := range actions {
		event, _, _ := strings.Cut(string(action), ".")
		if name == string(action) || name == event {
			found = append(found, action)
		}
	}
	if found == nil {
		return nil, ErrAction
	}
	return found, nil
}

// An ActorKind is a kind of actors.
type ActorKind string

// The kinds of actors.
const (
	ActorSystem  ActorKind = "system"  // the program itself
	ActorVisitor ActorKind = "visitor" // a client that is neither signed in nor has a token
	ActorUser    ActorKind = "user"
	ActorToken   ActorKind = "token"
	ActorCommand ActorKind = "command" // a command of the program, or the start of the server
)

// An Actor is a user, program or command that acted. Its zero value is the program itself.
type Actor struct {
	Kind ActorKind // empty means ActorSystem
	ID   int64     // of the user or token; 0 for other kinds
	Name string    // of the token, or the account of the operating system that ran the command; when read, the login of a user who exists
}

// UserActor returns the actor of a user.
func UserActor(id int64) Actor { return Actor{Kind: ActorUser, ID: id} }

// Key returns the text that identifies an actor: the kind, with the id of a user or token.
func (a Actor) Key() string {
	switch {
	case a.Kind == "":
		return string(ActorSystem)
	case a.ID == 0:
		return string(a.Kind)
	}
	return string(a.Kind) + ":" + strconv.FormatInt(a.ID, 10)
}

// ErrActor is returned for a text that is not the key of an actor.
var ErrActor = errors.New("unknown actor")

// ParseActor returns the actor with a key, without a name. It returns ErrActor.
func ParseActor(key string) (Actor, error) {
	kind, id, hasID := strings.Cut(key, ":")
	actor := Actor{Kind: ActorKind(kind)}
	switch actor.Kind {
	case ActorSystem, ActorVisitor, ActorCommand:
		if !hasID {
			return actor, nil
		}
	case ActorUser, ActorToken:
		n, err := strconv.ParseInt(id, 10, 64)
		if err == nil && n > 0 {
			actor.ID = n
			return actor, nil
		}
	}
	return Actor{}, ErrActor
}

// An AuditEntry records who did what, to whom, when and from where. It contains no secrets, and ids instead of the names of people.
type AuditEntry struct {
	ID      int64
	Time    time.Time // to the microsecond
	Actor   Actor
	Action  Action
	User    int64  // id of the user whom it concerns; 0 for none
	Login   string // of that user, when it is read; empty for a deleted account
	Import  int64  // id of the import that it concerns; 0 for none
	Address string // of the client's network; empty for none
	Request string // id of the request; empty for none

	Before, After map[string]any // what changed, as JSON has it; nil for nothing

	// LeftOut is the number of other events of the action that have no entries, because too many came together. An entry with it records
	// only them.
	LeftOut int
}

// An AuditFilter selects audit entries. Its zero value selects all.
type AuditFilter struct {
	User    int64     // id of the user whom they concern; 0 for all
	Actor   Actor     // by kind and id; zero for all
	Actions []Action  // nil for all
	From    time.Time // earliest time; zero for none
	Until   time.Time // end of the times, exclusive; zero for none
}
