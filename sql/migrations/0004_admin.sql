-- 0004_admin.sql - what staff keep: the order of their lists, and a log of what they changed.

-- Lists are read from the newest on, and go on behind the last row seen.
CREATE INDEX users_newest ON users (created_at, id);
CREATE INDEX identities_newest ON identities (created_at, id);
CREATE INDEX test_scenarios_newest ON test_scenarios (created_at, id);
CREATE INDEX reference_images_newest ON reference_images (created_at, id);

-- Clients compare versions of what they change.
ALTER TABLE users ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE test_scenarios ADD COLUMN version integer NOT NULL DEFAULT 1;
CREATE TRIGGER users_version
    BEFORE UPDATE OF email, password, first_name, last_name, is_staff, is_active, created_at ON users
    FOR EACH ROW EXECUTE FUNCTION iimg_count_version();
CREATE TRIGGER test_scenarios_version BEFORE UPDATE ON test_scenarios
    FOR EACH ROW EXECUTE FUNCTION iimg_count_version();

-- A scenario is shown with its user's email.
CREATE FUNCTION iimg_count_scenarios_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE test_scenarios SET version = version + 1 WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER users_scenarios_version AFTER UPDATE OF email ON users
    FOR EACH ROW WHEN (NEW.email IS DISTINCT FROM OLD.email)
    EXECUTE FUNCTION iimg_count_scenarios_versions();

-- Who changed what, written in the transaction that changes it. Names of members, never their values.
-- No foreign keys: an entry outlives the rows it tells of, and who wrote it.
CREATE TABLE audit_log (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    actor       uuid NOT NULL,                      -- the id in users of who did it
    actor_email text NOT NULL,                      -- as it was then
    action      text NOT NULL CHECK (action IN ('create', 'change', 'delete')),
    kind        text NOT NULL,                      -- the table
    row_id      uuid NOT NULL,
    members     text[] NOT NULL,                    -- what was given or changed
    request_id  text NOT NULL
);
CREATE INDEX audit_log_at ON audit_log (at);
CREATE INDEX audit_log_row ON audit_log (row_id, at);
CREATE INDEX audit_log_actor ON audit_log (actor, at);

-- Generated pictures show the user whose photos they were made from: they go with him. The jobs stay,
-- as what was asked and what it cost.
CREATE FUNCTION iimg_drop_generated_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE generation_jobs SET image = NULL WHERE user_id = OLD.id AND image IS NOT NULL;
    RETURN OLD;
END
$$;
CREATE TRIGGER users_drop_generated BEFORE DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION iimg_drop_generated_images();

GRANT INSERT ON audit_log TO :"runtime_role";       -- it can neither read nor change what is written
