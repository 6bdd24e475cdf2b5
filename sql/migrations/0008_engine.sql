-- 0008_engine.sql - jobs wait, are taken by any process, and are answered from their rows.

ALTER TABLE generation_jobs
    ADD COLUMN error_status integer,            -- HTTP status that a request for this picture was answered with
    ADD COLUMN error_retry_after integer,       -- seconds
    ADD COLUMN saved_at timestamptz;            -- when the picture was saved to the identity, where that was asked for

CREATE INDEX generation_jobs_owner ON generation_jobs (owner) WHERE state = 'running';

-- Those that wait are nobody's.
UPDATE generation_jobs SET lease_expires_at = NULL WHERE state = 'queued';
UPDATE generation_jobs SET saved_at = finished_at WHERE save_to_identity AND state = 'succeeded';
