-- The job of a bulk change has the state of an upload, and its answer that of an import.
ALTER TABLE uploads ADD change jsonb;

COMMENT ON COLUMN uploads.change IS 'the change of many users that the job makes; null for a file';

ALTER TABLE idempotency_keys
    ALTER code_id DROP NOT NULL,
    ADD COLUMN registered bigint,
    ADD COLUMN rejected bigint,
    ADD COLUMN users bigint[];

COMMENT ON COLUMN idempotency_keys.registered IS 'number of records that were registered, or users who were changed; null in answers of earlier versions';
COMMENT ON COLUMN idempotency_keys.rejected IS 'number of records that were rejected, or users who were left out; null in answers of earlier versions';
COMMENT ON COLUMN idempotency_keys.users IS 'ids of the users whom the answer of a bulk change names; null for an import';

-- A deletion finds the answers that name a user.
CREATE INDEX idempotency_keys_users ON idempotency_keys (key) WHERE users IS NOT NULL;
