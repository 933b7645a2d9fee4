-- A table of its own, and no column of users: imports, which write users by the million, know nothing of it.
CREATE TABLE roles (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    role    text NOT NULL,
    PRIMARY KEY (user_id, role)
);

COMMENT ON TABLE roles IS 'what lets users do more than others';
