-- No reference: an import outlives its sender's account, and deleting an account need not look up its imports.
ALTER TABLE codes ADD COLUMN user_id bigint;

COMMENT ON COLUMN codes.user_id IS 'the user who sent the import with a browser; null for none';
