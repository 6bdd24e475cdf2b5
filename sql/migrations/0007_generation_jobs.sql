-- 0007_generation_jobs.sql - jobs have versions, are canceled while they run, and count against limits.

ALTER TABLE generation_jobs
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD COLUMN cancel_requested_at timestamptz,
    ADD COLUMN expected_cost numeric(12, 6) NOT NULL DEFAULT 0;    -- counts as long as cost is unknown

-- Clients compare versions of what they can see; leases that are renewed are no news.
CREATE TRIGGER generation_jobs_version
    BEFORE UPDATE OF state, identity_id, user_id, requested_by, prompt_id, prompt_version, prompt_used,
        additional_prompt, model, aspect_ratio, resolution, reference_image_ids, image, media_type,
        width, height, warnings, error_code, error_detail, error_billed, usage, cost, attempts,
        created_at, started_at, finished_at
    ON generation_jobs FOR EACH ROW EXECUTE FUNCTION iimg_count_version();

-- Histories by filter, how long pictures took, who has how many.
CREATE INDEX generation_jobs_requested_by ON generation_jobs (requested_by, created_at DESC);
CREATE INDEX generation_jobs_prompt ON generation_jobs (prompt_id, created_at DESC);
CREATE INDEX generation_jobs_succeeded ON generation_jobs (generator, model, resolution, created_at DESC)
    WHERE state = 'succeeded';

-- A queued job that has a lease is given up when that ends: those that were inserted before jobs were
-- claimed in the same transaction, by processes that may have died in between.
DROP INDEX generation_jobs_leases;
CREATE INDEX generation_jobs_leases ON generation_jobs (lease_expires_at)
    WHERE state IN ('queued', 'running');
UPDATE generation_jobs SET lease_expires_at = now() + interval '2 minutes'
 WHERE state = 'queued' AND lease_expires_at IS NULL;
