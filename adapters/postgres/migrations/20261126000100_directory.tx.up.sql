-- Accounts of the previous version, which may have come by an import or by the form, keep null as their import.
ALTER TABLE users
    ADD COLUMN code_id bigint,
    ADD COLUMN suspended_at timestamptz,
    ADD COLUMN must_change boolean;

COMMENT ON COLUMN users.code_id IS 'the import that registered the user; 0 for a user who registered with a browser, null if it is unknown';
COMMENT ON COLUMN users.suspended_at IS 'since when the user cannot sign in; null for a user who can';
COMMENT ON COLUMN users.must_change IS 'whether an operator requires a new password at the next sign-in; null for no';

CREATE TABLE sign_ins (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    at      timestamptz NOT NULL,
    address text NOT NULL,
    browser text NOT NULL
);

CREATE INDEX sign_ins_user_id ON sign_ins (user_id, at);

COMMENT ON TABLE sign_ins IS 'the latest sign-ins of each user';
COMMENT ON COLUMN sign_ins.address IS 'address of the client''s network';
COMMENT ON COLUMN sign_ins.browser IS 'the client''s User-Agent';
