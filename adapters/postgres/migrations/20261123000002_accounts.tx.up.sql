-- Temporary passwords that exist already expire as if they were made now: their users did not know that they would expire.
ALTER TABLE users ADD COLUMN password_date timestamptz NOT NULL DEFAULT now();

COMMENT ON COLUMN users.password_date IS 'the time at which the password was set; sessions that began with an earlier one have ended';

-- The table of gofiber/storage/postgres, with the types that it requires.
CREATE TABLE sessions (
    k varchar(64) PRIMARY KEY NOT NULL DEFAULT '',
    v bytea NOT NULL,
    e bigint NOT NULL DEFAULT 0
);

CREATE INDEX sessions_e ON sessions (e);

COMMENT ON COLUMN sessions.k IS 'SHA-256 of the session''s id, in hexadecimal';
COMMENT ON COLUMN sessions.e IS 'the time at which the session expires, in seconds since 1970';

-- Unlogged: an attempt need not wait for the disk, and a crash of the server may fill all buckets. Without an index on full_at, an
-- attempt changes no index.
CREATE UNLOGGED TABLE limits (
    key     bytea PRIMARY KEY,
    full_at timestamptz NOT NULL,
    refused boolean NOT NULL DEFAULT false
);

COMMENT ON TABLE limits IS 'buckets of attempts that are not full';
COMMENT ON COLUMN limits.key IS 'SHA-256 of the name of the bucket';
COMMENT ON COLUMN limits.full_at IS 'the time at which the bucket will be full';
COMMENT ON COLUMN limits.refused IS 'whether the last attempt was refused, as a result for the statement that made it';
