CREATE TABLE idempotency_keys (
    key         bytea PRIMARY KEY,
    code_id     bigint NOT NULL REFERENCES codes ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    objects     bigint NOT NULL,
    fingerprint bytea NOT NULL,
    salt        bytea NOT NULL,
    expires     timestamptz NOT NULL
);

COMMENT ON TABLE idempotency_keys IS 'imports whose answer can be repeated';
COMMENT ON COLUMN idempotency_keys.key IS 'SHA-256 of the key';
COMMENT ON COLUMN idempotency_keys.objects IS 'number of records in the file';
COMMENT ON COLUMN idempotency_keys.fingerprint IS 'SHA-256 of the file and the options';
COMMENT ON COLUMN idempotency_keys.salt IS 'salt from which the passwords are derived, together with the secret key of the server';

CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires);
CREATE INDEX idempotency_keys_code_id ON idempotency_keys (code_id);

CREATE TABLE outcomes (
    key      bytea NOT NULL REFERENCES idempotency_keys ON DELETE CASCADE,
    part     integer NOT NULL,
    outcomes bytea NOT NULL,
    PRIMARY KEY (key, part)
);

ALTER TABLE outcomes ALTER outcomes SET STORAGE EXTERNAL;

COMMENT ON TABLE outcomes IS 'results of the records, without passwords, while the answer is stored';
COMMENT ON COLUMN outcomes.outcomes IS 'a part of the results, compressed by zstd';
