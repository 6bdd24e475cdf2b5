-- 0011_picture_store.sql - which picture store belongs to this database.

-- One row at most. The store has the same id in its marker object: an empty mount point, another instance's
-- bucket or a mistyped path do not, and nothing is written or deleted there.
CREATE TABLE picture_store (
    singleton   boolean PRIMARY KEY DEFAULT true CONSTRAINT picture_store_singleton CHECK (singleton),
    id          uuid NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    marked_at   timestamptz                         -- when its marker was first seen; null: it may still have to be written
);

GRANT SELECT, INSERT, UPDATE ON picture_store TO :"runtime_role";
