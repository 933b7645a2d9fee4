ALTER TABLE users ADD COLUMN password_date timestamptz NOT NULL DEFAULT now();

COMMENT ON COLUMN users.password_date IS 'when the password was made; sessions that began with an earlier one are over';

-- The table of gofiber/storage/postgres, in the types that it asks for.
CREATE TABLE sessions (
    k varchar(64) PRIMARY KEY NOT NULL DEFAULT '',
    v bytea NOT NULL,
    e bigint NOT NULL DEFAULT 0
);

CREATE INDEX sessions_e ON sessions (e);

COMMENT ON COLUMN sessions.k IS 'SHA-256 of the session''s id, in hexadecimal';
COMMENT ON COLUMN sessions.e IS 'when it expires, in seconds since 1970';

CREATE TABLE limits (
    key     bytea PRIMARY KEY,
    full_at timestamptz NOT NULL
);

CREATE INDEX limits_full_at ON limits (full_at);

COMMENT ON TABLE limits IS 'buckets of attempts that are not full';
COMMENT ON COLUMN limits.key IS 'SHA-256 of what the bucket is called';
COMMENT ON COLUMN limits.full_at IS 'when the bucket is full again';
