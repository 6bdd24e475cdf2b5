-- 0002_idempotency.sql - keys of requests that may be sent again; rows' versions count every change.

-- A key says what came of a request, for a day. Without a status the request is under way, until its
-- lease ends; a generation is under way as long as its job is.
CREATE TABLE idempotency_keys (
    user_id             uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key                 text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    fingerprint         text NOT NULL,              -- SHA-256 of method, path, caller and fields
    claim               uuid NOT NULL,              -- the request that works under the key
    lease_expires_at    timestamptz NOT NULL,
    status              integer,                    -- HTTP status of the answer; NULL: none yet
    resource_id         uuid,                       -- the row that was made: a replay shows it anew
    error_detail        text,                       -- what an answer without a row said
    error_code          text,
    error_field         text,
    created_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO :"runtime_role";

-- Clients compare versions: a change by hand in psql counts as well.
CREATE FUNCTION iimg_count_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version = OLD.version AND NEW IS DISTINCT FROM OLD THEN
        NEW.version := OLD.version + 1;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER reference_images_version BEFORE UPDATE ON reference_images
    FOR EACH ROW EXECUTE FUNCTION iimg_count_version();
CREATE TRIGGER identities_version BEFORE UPDATE ON identities
    FOR EACH ROW EXECUTE FUNCTION iimg_count_version();
