-- A table and not a column of users, so that imports, which write users by the million, need not write it.
CREATE TABLE roles (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    role    text NOT NULL,
    PRIMARY KEY (user_id, role)
);

COMMENT ON TABLE roles IS 'permissions of users beyond their own accounts';
