-- Unlogged: after a crash no import runs.
CREATE UNLOGGED TABLE running_imports (
    id         text PRIMARY KEY,
    started_at timestamptz NOT NULL,
    objects    bigint NOT NULL,
    created    bigint NOT NULL,
    refused    bigint NOT NULL,
    bytes      bigint NOT NULL,
    size       bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON TABLE running_imports IS 'imports that take a while, with their progress, until they end';
COMMENT ON COLUMN running_imports.updated_at IS 'the time of the last heartbeat';
