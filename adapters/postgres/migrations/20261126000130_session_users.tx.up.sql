-- Sessions of the previous version keep null until they are extended. There is no reference: an account is deleted with its sessions, and one
-- that begins meanwhile has no user.
ALTER TABLE sessions
    ADD COLUMN user_id bigint,
    ADD COLUMN password_date timestamptz,
    ADD COLUMN began timestamptz,
    ADD COLUMN used timestamptz,
    ADD COLUMN address text,
    ADD COLUMN browser text;

CREATE INDEX sessions_user_id ON sessions (user_id) WHERE user_id IS NOT NULL;

COMMENT ON COLUMN sessions.user_id IS 'the user who is signed in; null if it is unknown';
COMMENT ON COLUMN sessions.password_date IS 'the password_date of the user when the session began; the session is over if the user has another one';
COMMENT ON COLUMN sessions.used IS 'when the session was last extended, at most a twentieth of --session-idle before its latest request';
COMMENT ON COLUMN sessions.address IS 'address of the client''s network at that time';
COMMENT ON COLUMN sessions.browser IS 'the client''s User-Agent at that time';
