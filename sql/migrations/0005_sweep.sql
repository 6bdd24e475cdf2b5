-- 0005_sweep.sql - who deletes a doomed object, and when it is tried again.

-- Whoever deletes objects claims them first, so that no two do the same work, on one node or on
-- several. A claim is its own back-off: when nothing comes of it, the object is due again at retry_at.
ALTER TABLE stored_objects
    ADD COLUMN claim    uuid,
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN retry_at timestamptz NOT NULL DEFAULT now();

CREATE INDEX stored_objects_due ON stored_objects (retry_at) WHERE state = 'doomed';
