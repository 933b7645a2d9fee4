-- Users with several first names are found by the first of them and the last name.
ALTER TABLE directory ADD COLUMN further_key text COLLATE "C";

COMMENT ON COLUMN directory.further_key IS 'one first name, the last name, and the further first names, folded; null for users with one first name';

CREATE INDEX directory_further ON directory (further_key, user_id) WHERE further_key IS NOT NULL;

-- The server adds the keys of these users again when it starts, as it does for those of the previous version.
UPDATE directory d SET name_key = NULL
FROM profiles p
WHERE p.user_id = d.user_id AND (p.fname LIKE '% %' OR concat(p.lname, p.fname, p.patr) ~ '[’‘ʼʹ′`‐‑‒–—−]');
