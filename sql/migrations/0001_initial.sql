-- 0001_initial.sql - the tables, the manifest of stored objects and its triggers, prompt version 1.

CREATE TABLE users (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email       text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
    password    text NOT NULL DEFAULT '',           -- a crypt(3) hash; '' lets nobody in
    first_name  text NOT NULL DEFAULT '' CHECK (char_length(first_name) <= 150),
    last_name   text NOT NULL DEFAULT '' CHECK (char_length(last_name) <= 150),
    is_staff    boolean NOT NULL DEFAULT false,
    is_active   boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email_ci ON users (lower(email));

CREATE TABLE test_scenarios (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 255),
    user_id     uuid REFERENCES users ON DELETE SET NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX test_scenarios_user ON test_scenarios (user_id);

-- A picture is one original and three derivatives; rows name the original's key and the ending of
-- the derivatives, from which all four keys follow ("media/<uuid>/<name>.<ext>").
CREATE TABLE identities (
    id                      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id                 uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name                    text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 255),
    category                text NOT NULL CHECK (char_length(category) BETWEEN 1 AND 255),
    i_am_statement          text,
    visualization           text,
    notes                   text[] NOT NULL DEFAULT '{}',
    image                   text,                   -- key of the original
    image_sized             text,                   -- ending of the derivatives: jpg, png, webp
    previous_image          text,                   -- the picture before the last change, held a day
    previous_image_sized    text,
    version                 integer NOT NULL DEFAULT 1,
    created_at              timestamptz NOT NULL DEFAULT now(),
    updated_at              timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT identities_image_whole CHECK ((image IS NULL) = (image_sized IS NULL)),
    CONSTRAINT identities_previous_whole
        CHECK ((previous_image IS NULL) = (previous_image_sized IS NULL))
);
CREATE INDEX identities_user ON identities (user_id, created_at, id);

CREATE TABLE prompts (
    id                      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    prompt_type             text NOT NULL
                            CHECK (prompt_type IN ('image_generation', 'sentinel', 'coach')),
    version                 integer NOT NULL CHECK (version >= 1),
    body                    text NOT NULL,
    is_active               boolean NOT NULL DEFAULT true,
    required_context_keys   text[] NOT NULL DEFAULT '{}',
    created_by              uuid REFERENCES users ON DELETE SET NULL,
    created_at              timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT prompts_type_version UNIQUE (prompt_type, version)
);

CREATE TABLE reference_images (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name        text NOT NULL DEFAULT '' CHECK (char_length(name) <= 255),
    "order"     smallint NOT NULL,
    image       text,                               -- key of the original
    image_sized text,                               -- ending of the derivatives
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reference_images_order_range CHECK ("order" BETWEEN 0 AND 4),
    CONSTRAINT reference_images_image_whole CHECK ((image IS NULL) = (image_sized IS NULL)),
    -- Deferrable, so that two pictures can exchange their slots in one transaction.
    CONSTRAINT unique_user_image_order UNIQUE (user_id, "order") DEFERRABLE INITIALLY IMMEDIATE
);

-- A generation is a row first and a provider call second.
CREATE TABLE generation_jobs (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    state               text NOT NULL DEFAULT 'queued'
                        CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'canceled')),
    identity_id         uuid REFERENCES identities ON DELETE SET NULL,
    user_id             uuid REFERENCES users ON DELETE SET NULL,       -- whose references
    requested_by        uuid REFERENCES users ON DELETE SET NULL,
    prompt_id           uuid REFERENCES prompts ON DELETE SET NULL,
    prompt_version      integer,
    prompt_used         text NOT NULL,
    additional_prompt   text NOT NULL DEFAULT '',
    save_to_identity    boolean NOT NULL DEFAULT false,
    generator           text NOT NULL,
    model               text NOT NULL,
    aspect_ratio        text NOT NULL,
    resolution          text NOT NULL,
    reference_image_ids uuid[] NOT NULL,
    image               text,                       -- key of the result
    media_type          text,
    width               integer,
    height              integer,
    warnings            text[] NOT NULL DEFAULT '{}',
    error_code          text,
    error_detail        text,
    error_billed        boolean,
    usage               jsonb,
    cost                numeric(12, 6),             -- US dollars; NULL: unknown
    attempts            integer NOT NULL DEFAULT 0,
    owner               text,                       -- who runs it: node and process
    lease_expires_at    timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now(),
    started_at          timestamptz,
    finished_at         timestamptz,
    CONSTRAINT generation_jobs_finished
        CHECK ((state IN ('succeeded', 'failed', 'canceled')) = (finished_at IS NOT NULL)),
    CONSTRAINT generation_jobs_running
        CHECK (state <> 'running' OR (owner IS NOT NULL AND lease_expires_at IS NOT NULL))
);
CREATE INDEX generation_jobs_waiting ON generation_jobs (created_at) WHERE state = 'queued';
CREATE INDEX generation_jobs_leases ON generation_jobs (lease_expires_at) WHERE state = 'running';
CREATE INDEX generation_jobs_identity ON generation_jobs (identity_id, created_at DESC);
CREATE INDEX generation_jobs_user ON generation_jobs (user_id, created_at DESC);
CREATE INDEX generation_jobs_newest ON generation_jobs (created_at DESC, id DESC);

-- The manifest: every object in the store has a row here before it is written and until it is gone.
--   pending  being written; swept when older than an hour
--   live     a row shows it
--   held     an identity's picture before the last change; doomed when held_until has passed
--   doomed   to be deleted from the store, then forgotten
CREATE TABLE stored_objects (
    key         text PRIMARY KEY,
    picture     uuid NOT NULL,                      -- the uuid within the key; one upload's objects share it
    state       text NOT NULL CHECK (state IN ('pending', 'live', 'held', 'doomed')),
    held_until  timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT stored_objects_held CHECK ((state = 'held') = (held_until IS NOT NULL))
);
CREATE INDEX stored_objects_picture ON stored_objects (picture);
CREATE INDEX stored_objects_to_sweep ON stored_objects (state, changed_at) WHERE state <> 'live';

-- Arguments by number: a column of the same name would win over a named one.
CREATE FUNCTION iimg_picture_of(text) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT substring($1 FROM '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')::uuid
$$;

CREATE FUNCTION iimg_doom(text) RETURNS void LANGUAGE sql AS $$
    UPDATE stored_objects SET state = 'doomed', held_until = NULL, changed_at = now()
     WHERE picture = iimg_picture_of($1) AND state <> 'doomed'
$$;

-- Whoever takes a picture's key out of a row - the API, a cascade, a hand in psql - dooms its objects.
CREATE FUNCTION iimg_doom_image() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.image IS NOT NULL AND (TG_OP = 'DELETE' OR NEW.image IS DISTINCT FROM OLD.image) THEN
        PERFORM iimg_doom(OLD.image);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER reference_images_doom AFTER DELETE OR UPDATE OF image ON reference_images
    FOR EACH ROW EXECUTE FUNCTION iimg_doom_image();
CREATE TRIGGER generation_jobs_doom AFTER DELETE OR UPDATE OF image ON generation_jobs
    FOR EACH ROW EXECUTE FUNCTION iimg_doom_image();

-- An identity's picture is held for a day when it is replaced, so that the change can be taken back.
CREATE FUNCTION iimg_hold_identity_image() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.image IS DISTINCT FROM OLD.image AND OLD.image IS NOT NULL
       AND NEW.previous_image IS NOT DISTINCT FROM OLD.previous_image THEN
        NEW.previous_image := OLD.image;
        NEW.previous_image_sized := OLD.image_sized;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER identities_hold BEFORE UPDATE OF image ON identities
    FOR EACH ROW EXECUTE FUNCTION iimg_hold_identity_image();

CREATE FUNCTION iimg_sort_identity_objects() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old_key text;
BEGIN
    FOREACH old_key IN ARRAY ARRAY[OLD.image, OLD.previous_image] LOOP
        CONTINUE WHEN old_key IS NULL;
        IF TG_OP = 'DELETE' THEN
            PERFORM iimg_doom(old_key);
        ELSIF old_key IS NOT DISTINCT FROM NEW.image THEN
            UPDATE stored_objects SET state = 'live', held_until = NULL, changed_at = now()
             WHERE picture = iimg_picture_of(old_key) AND state = 'held';
        ELSIF old_key IS NOT DISTINCT FROM NEW.previous_image THEN
            UPDATE stored_objects
               SET state = 'held', held_until = now() + interval '24 hours', changed_at = now()
             WHERE picture = iimg_picture_of(old_key) AND state = 'live';
        ELSE
            PERFORM iimg_doom(old_key);
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
CREATE TRIGGER identities_sort AFTER DELETE OR UPDATE OF image, previous_image ON identities
    FOR EACH ROW EXECUTE FUNCTION iimg_sort_identity_objects();

INSERT INTO prompts (prompt_type, version, body, required_context_keys) VALUES (
    'image_generation', 1,
    $prompt$We're creating an Identity Image for this person.

{identity_context}

Create a professional, confident, and inspiring image for this Identity.
It is critical that the person's face remains intact and recognizable.
The image should be an ideal visualization of them living as this Identity.
Give it a movie poster quality aesthetic.
Nothing negative should be conveyed - this is an aspirational image.

Additional instructions: {additional_prompt}$prompt$,
    ARRAY['identity_for_image']);

GRANT USAGE ON SCHEMA public TO :"runtime_role";
GRANT SELECT, INSERT, UPDATE, DELETE ON
    users, test_scenarios, identities, prompts, reference_images, generation_jobs, stored_objects
    TO :"runtime_role";
