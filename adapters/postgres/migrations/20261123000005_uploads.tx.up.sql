CREATE TABLE uploads (
    id         text PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    name       text NOT NULL,
    hint       jsonb NOT NULL,
    size       bigint NOT NULL,
    layout     jsonb NOT NULL,
    state      text NOT NULL,
    strict     boolean NOT NULL,
    job        text,
    cancelled  boolean NOT NULL DEFAULT false,
    objects    bigint NOT NULL DEFAULT 0,
    created    bigint NOT NULL DEFAULT 0,
    refused    bigint NOT NULL DEFAULT 0,
    bytes      bigint NOT NULL DEFAULT 0,
    code_id    bigint,
    failure    text NOT NULL DEFAULT '',
    detail     text NOT NULL DEFAULT '',
    refusals   jsonb NOT NULL DEFAULT 'null',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON TABLE uploads IS 'files that users uploaded in the browser, and their results';
COMMENT ON COLUMN uploads.job IS 'the job that processes the file; null for none';
COMMENT ON COLUMN uploads.cancelled IS 'whether cancellation of the job was requested';
COMMENT ON COLUMN uploads.code_id IS 'the import; null before it';
COMMENT ON COLUMN uploads.refusals IS 'the first rejections of the dry run';
COMMENT ON COLUMN uploads.started_at IS 'the time at which the job began';
COMMENT ON COLUMN uploads.updated_at IS 'the time of the last change or heartbeat';

CREATE INDEX uploads_user_id ON uploads (user_id, created_at);
CREATE INDEX uploads_updated_at ON uploads (updated_at);

CREATE TABLE upload_parts (
    upload_id text NOT NULL REFERENCES uploads ON DELETE CASCADE,
    part      integer NOT NULL,
    data      bytea NOT NULL,
    PRIMARY KEY (upload_id, part)
);

ALTER TABLE upload_parts ALTER data SET STORAGE EXTERNAL;

COMMENT ON TABLE upload_parts IS 'parts of uploaded files, until they are imported';
