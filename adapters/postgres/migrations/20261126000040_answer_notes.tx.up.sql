ALTER TABLE idempotency_keys ADD notes jsonb NOT NULL DEFAULT '{}';

COMMENT ON COLUMN idempotency_keys.notes IS 'what the import ignored in its file; empty for answers of earlier versions';
