-- No references: entries outlive the users, tokens and imports that they concern.
CREATE TABLE audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    xid        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    actor      text NOT NULL,
    actor_name text,
    action     text NOT NULL,
    user_id    bigint,
    import_id  bigint,
    address    text,
    request    text,
    before     jsonb,
    after      jsonb,
    left_out   bigint NOT NULL DEFAULT 0
);

COMMENT ON TABLE audit IS 'who did what, to whom, when and from where; append-only, except that old entries are deleted';
COMMENT ON COLUMN audit.xid IS 'the transaction that added the entry: ids are not in the order of commits';
COMMENT ON COLUMN audit.actor IS 'kind of the actor, with the id of a user or token: user:17, token:3, command, visitor, system';
COMMENT ON COLUMN audit.actor_name IS 'name of the token, or the account of the operating system that ran the command';
COMMENT ON COLUMN audit.user_id IS 'the user whom the entry concerns';
COMMENT ON COLUMN audit.address IS 'address of the client, or its IPv6 network';
COMMENT ON COLUMN audit.left_out IS 'number of events without entries, because too many came together';

-- A page finds the entries of a filter by one of these, once for each action.
CREATE INDEX audit_action ON audit (action, id);
CREATE INDEX audit_actor ON audit ((actor || ' ' || action), id);
CREATE INDEX audit_user ON audit ((user_id::text || ' ' || action), id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_user_actor ON audit ((user_id::text || ' ' || actor || ' ' || action), id) WHERE user_id IS NOT NULL;

CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_xid ON audit (xid);
