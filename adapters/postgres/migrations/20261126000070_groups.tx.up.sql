ALTER TABLE profiles ADD COLUMN group_name text;

COMMENT ON COLUMN profiles.group_name IS 'the group of the user, such as a class or a department; null for none';
