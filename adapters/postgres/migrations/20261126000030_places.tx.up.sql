-- The previous version leaves both columns null.
ALTER TABLE bad_users
    ADD COLUMN sheet text,
    ADD COLUMN line bigint;

COMMENT ON COLUMN bad_users.sheet IS 'name of the sheet of the workbook';
COMMENT ON COLUMN bad_users.line IS 'number of the line of the file, or of the row in the sheet; null if the file is one value of JSON';
