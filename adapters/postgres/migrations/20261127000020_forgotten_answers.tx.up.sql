-- A request that is repeated after its answer was deleted with a person must not register the person again.
ALTER TABLE idempotency_keys ADD COLUMN forgotten boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN idempotency_keys.forgotten IS 'a person whom the answer named was deleted, and with the person its outcomes and its salt';
