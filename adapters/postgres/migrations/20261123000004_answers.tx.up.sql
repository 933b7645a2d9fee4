CREATE TABLE idempotency_keys (
    key         bytea PRIMARY KEY,
    code_id     bigint NOT NULL REFERENCES codes ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    objects     bigint NOT NULL,
    fingerprint bytea NOT NULL,
    salt        bytea NOT NULL,
    expires     timestamptz NOT NULL
);

COMMENT ON TABLE idempotency_keys IS 'imports whose answer can be given once more';
COMMENT ON COLUMN idempotency_keys.key IS 'SHA-256 of the key';
COMMENT ON COLUMN idempotency_keys.objects IS 'how many the file had';
COMMENT ON COLUMN idempotency_keys.fingerprint IS 'SHA-256 of what was asked for';
COMMENT ON COLUMN idempotency_keys.salt IS 'of which, with the secret key of the server, the passwords are made';

CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires);
CREATE INDEX idempotency_keys_code_id ON idempotency_keys (code_id);

CREATE TABLE outcomes (
    key      bytea NOT NULL REFERENCES idempotency_keys ON DELETE CASCADE,
    part     integer NOT NULL,
    outcomes bytea NOT NULL,
    PRIMARY KEY (key, part)
);

ALTER TABLE outcomes ALTER outcomes SET STORAGE EXTERNAL;

COMMENT ON TABLE outcomes IS 'what came of each object, without passwords, while its answer is kept';
COMMENT ON COLUMN outcomes.outcomes IS 'a part of them, compressed by zstd';
