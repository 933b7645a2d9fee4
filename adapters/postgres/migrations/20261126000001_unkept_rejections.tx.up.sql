ALTER TABLE codes ADD COLUMN unkept bigint NOT NULL DEFAULT 0;

COMMENT ON COLUMN codes.unkept IS 'number of rejected records that are counted and have no row in bad_users';
