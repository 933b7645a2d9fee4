-- Tokens were for imports only. The previous version, which does not know of scopes, creates such tokens.
ALTER TABLE access_tokens ADD COLUMN scopes text[] NOT NULL DEFAULT '{useradd}';

COMMENT ON TABLE access_tokens IS 'tokens of clients';
COMMENT ON COLUMN access_tokens.scopes IS 'what the token permits: useradd, users:read, users:write';
