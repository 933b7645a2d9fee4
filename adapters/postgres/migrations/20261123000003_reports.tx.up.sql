-- Reports read codes in the order of ids, which must be the order of dates, too. So the date is the time at which the id is made, not
-- the time at which the transaction began, which may have waited for others.
ALTER TABLE codes
    ALTER COLUMN date SET DEFAULT clock_timestamp(),
    ADD COLUMN created bigint NOT NULL DEFAULT 0,
    ADD COLUMN refused bigint NOT NULL DEFAULT 0,
    ADD COLUMN originals boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN codes.created IS 'number of registered records';
COMMENT ON COLUMN codes.refused IS 'number of rejected records';
COMMENT ON COLUMN codes.originals IS 'whether bad_users has originals of the import';

-- An import writes its row in codes last, when its result is known.
ALTER TABLE bad_users ALTER CONSTRAINT bad_users_code_id_fkey DEFERRABLE INITIALLY DEFERRED;

CREATE INDEX codes_date ON codes (date, id);
CREATE INDEX codes_code ON codes (code, id);
CREATE INDEX codes_originals ON codes (id) WHERE originals;

ALTER TABLE bad_users
    ADD COLUMN login_key text COLLATE "C",
    ADD COLUMN original jsonb;

COMMENT ON COLUMN bad_users.login_key IS 'the key of the login, which does not depend on case';
COMMENT ON COLUMN bad_users.original IS 'the record as it was sent; erased after some days';

CREATE INDEX bad_users_login_key ON bad_users (login_key, code_id);

CREATE TABLE code_reasons (
    field   text COLLATE "C" NOT NULL,
    code    text COLLATE "C" NOT NULL,
    code_id bigint NOT NULL REFERENCES codes ON DELETE CASCADE,
    objects bigint NOT NULL,
    PRIMARY KEY (field, code, code_id)
);

CREATE INDEX code_reasons_code_id ON code_reasons (code_id);

COMMENT ON TABLE code_reasons IS 'numbers of rejected records, by import and reason';

-- Imports add to the row of their connection's shard, so that concurrent ones rarely wait for each other.
CREATE TABLE statistics (
    day      date NOT NULL,
    shard    smallint NOT NULL,
    requests bigint NOT NULL,
    created  bigint NOT NULL,
    refused  bigint NOT NULL,
    PRIMARY KEY (day, shard)
) WITH (fillfactor = 50);

CREATE TABLE reason_statistics (
    day     date NOT NULL,
    shard   smallint NOT NULL,
    field   text COLLATE "C" NOT NULL,
    code    text COLLATE "C" NOT NULL,
    objects bigint NOT NULL,
    PRIMARY KEY (day, shard, field, code)
) WITH (fillfactor = 50);

COMMENT ON TABLE statistics IS 'numbers of imports and records, by day';
COMMENT ON TABLE reason_statistics IS 'numbers of rejected records, by day and reason';

-- Fill the new columns and tables from existing rows.
UPDATE codes SET
    refused = (SELECT count(*) FROM bad_users WHERE code_id = codes.id),
    created = coalesce(substring(description FROM '(\d+) of \d+ users\)$')::bigint, 0);

UPDATE bad_users SET login_key = lower(login) WHERE login IS NOT NULL;

INSERT INTO code_reasons (field, code, code_id, objects)
SELECT coalesce(v ->> 'field', ''), v ->> 'code', code_id, count(DISTINCT b.id)
FROM bad_users b, jsonb_array_elements(violations) v
GROUP BY 1, 2, 3;

INSERT INTO statistics
SELECT date::date, 0, count(*), sum(created), sum(refused) FROM codes GROUP BY 1;

INSERT INTO reason_statistics
SELECT date::date, 0, field, r.code, sum(objects) FROM code_reasons r JOIN codes c ON c.id = code_id GROUP BY 1, 3, 4;
