ALTER TABLE users ADD COLUMN password_used_by bytea;

COMMENT ON COLUMN users.password_used_by IS
    'SHA-256 of what the browser is known by in which a temporary password was first used; null for none';
