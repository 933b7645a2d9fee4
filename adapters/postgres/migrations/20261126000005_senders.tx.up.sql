-- No reference: the record of an import outlives the account, and deleting an account need not look for its imports.
ALTER TABLE codes ADD COLUMN user_id bigint;

COMMENT ON COLUMN codes.user_id IS 'the user who sent the request with a browser; null for none';
