-- What operators find users by, one row for each. Imports do not write it: they say which ids their users may have, and a sweep adds the rows.
-- No reference to users, which would lock every user that is added. A statement that deletes users deletes their rows, too.
CREATE TABLE directory (
    user_id         bigint PRIMARY KEY,
    name_key        text COLLATE "C",
    first_key       text COLLATE "C",
    group_key       text COLLATE "C",
    import          bigint,
    registered      timestamptz NOT NULL,
    last_sign_in    timestamptz,
    standing        smallint NOT NULL,
    temporary_since timestamptz
) WITH (fillfactor = 50);

COMMENT ON TABLE directory IS 'what users are found and sorted by, beside their logins, emails and phones';
COMMENT ON COLUMN directory.name_key IS 'last name, first name and patronymic, folded; null until the sweep adds the keys';
COMMENT ON COLUMN directory.first_key IS 'first name and last name, folded';
COMMENT ON COLUMN directory.group_key IS 'the group, folded; null for none';
COMMENT ON COLUMN directory.import IS 'the import that registered the user; null for none';
COMMENT ON COLUMN directory.standing IS '0: suspended, 1: never signed in, 2: has used a temporary password, 3: has a chosen password';
COMMENT ON COLUMN directory.temporary_since IS 'the time at which the temporary password was made; null for a chosen one';

-- A page reads users in an order, either all or those of a group, of an import or with a standing.
CREATE INDEX directory_name ON directory (name_key, user_id);
CREATE INDEX directory_first ON directory (first_key, user_id);
CREATE INDEX directory_group_name ON directory (group_key, name_key, user_id) WHERE group_key IS NOT NULL;
CREATE INDEX directory_import_name ON directory (import, name_key, user_id) WHERE import IS NOT NULL;
CREATE INDEX directory_standing_name ON directory (standing, name_key, user_id);

CREATE INDEX directory_registered ON directory (registered, user_id);
CREATE INDEX directory_group_registered ON directory (group_key, registered, user_id) WHERE group_key IS NOT NULL;
CREATE INDEX directory_import_registered ON directory (import, registered, user_id) WHERE import IS NOT NULL;
CREATE INDEX directory_standing_registered ON directory (standing, registered, user_id);

CREATE INDEX directory_sign_in ON directory (last_sign_in, user_id);
CREATE INDEX directory_group_sign_in ON directory (group_key, last_sign_in, user_id) WHERE group_key IS NOT NULL AND last_sign_in IS NOT NULL;
CREATE INDEX directory_import_sign_in ON directory (import, last_sign_in, user_id) WHERE import IS NOT NULL AND last_sign_in IS NOT NULL;
CREATE INDEX directory_standing_sign_in ON directory (standing, last_sign_in, user_id) WHERE last_sign_in IS NOT NULL;

-- No index has temporary_since: a new temporary password changes nothing else, so that PostgreSQL need not touch any index.

-- Users of the previous version, which leaves both columns null, are added when a server of this version starts, and once an hour.
ALTER TABLE codes
    ADD COLUMN unlisted_after bigint,
    ADD COLUMN unlisted_until bigint;

COMMENT ON COLUMN codes.unlisted_until IS
    'users of the import who are not in directory yet have ids after unlisted_after, up to this one; null once all are';

CREATE INDEX codes_unlisted ON codes (created, id) WHERE unlisted_until IS NOT NULL;
