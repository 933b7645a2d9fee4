ALTER TABLE users ADD COLUMN password_used_by bytea;

COMMENT ON COLUMN users.password_used_by IS
    'SHA-256 of the identifier of the browser that first used the temporary password; null for none';
