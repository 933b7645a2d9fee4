-- Generated passwords that are there already expire as if they were made now: nobody was told that they would.
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

-- Unlogged: an attempt need not wait for the disk, and that a crash of the server fills all buckets is no harm. Without an
-- index on full_at an attempt changes no index.
CREATE UNLOGGED TABLE limits (
    key     bytea PRIMARY KEY,
    full_at timestamptz NOT NULL,
    refused boolean NOT NULL DEFAULT false
);

COMMENT ON TABLE limits IS 'buckets of attempts that are not full';
COMMENT ON COLUMN limits.key IS 'SHA-256 of what the bucket is called';
COMMENT ON COLUMN limits.full_at IS 'when the bucket is full again';
COMMENT ON COLUMN limits.refused IS 'whether the last attempt was refused, for the statement that took it to tell';
