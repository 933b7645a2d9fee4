CREATE TABLE setup_codes (
    hash    bytea PRIMARY KEY,
    expires timestamptz NOT NULL
);

COMMENT ON TABLE setup_codes IS 'one-time codes that make a user the first operator';
COMMENT ON COLUMN setup_codes.hash IS 'SHA-256 of the code';
