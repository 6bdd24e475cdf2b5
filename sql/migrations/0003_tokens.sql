-- 0003_tokens.sql - sessions and bearer tokens, and the brake on guessing passwords.

-- A token itself is nowhere: only its SHA-256 is kept, so nobody can come in with a copy of this table.
CREATE TABLE auth_tokens (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    hash            text NOT NULL,                  -- "sha256:" and 64 hexadecimal digits
    kind            text NOT NULL CHECK (kind IN ('session', 'bearer')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    last_used_at    timestamptz,                    -- to the minute
    expires_at      timestamptz NOT NULL,
    CONSTRAINT auth_tokens_hash UNIQUE (hash),
    CONSTRAINT auth_tokens_hash_form CHECK (hash ~ '^sha256:[0-9a-f]{64}$')
);
CREATE INDEX auth_tokens_user ON auth_tokens (user_id, created_at);
CREATE INDEX auth_tokens_expired ON auth_tokens (expires_at);

-- What stays the same as long as no token of the user ends. A child of httpd that remembers a token
-- remembers this with it and compares it in the statement that does the work: no second table is
-- looked into, and a token that ended is out everywhere.
ALTER TABLE users ADD COLUMN token_epoch text NOT NULL DEFAULT 'epoch:' || gen_random_uuid();

-- Whoever ends a token before its time - the API, a hand in psql - begins a new epoch of its user.
CREATE FUNCTION iimg_begin_token_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET token_epoch = 'epoch:' || gen_random_uuid() WHERE id = OLD.user_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER auth_tokens_ended AFTER DELETE ON auth_tokens
    FOR EACH ROW WHEN (OLD.expires_at > now()) EXECUTE FUNCTION iimg_begin_token_epoch();
CREATE TRIGGER auth_tokens_changed AFTER UPDATE OF user_id, hash, expires_at ON auth_tokens
    FOR EACH ROW EXECUTE FUNCTION iimg_begin_token_epoch();

CREATE FUNCTION iimg_begin_all_token_epochs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET token_epoch = 'epoch:' || gen_random_uuid();
    RETURN NULL;
END
$$;
CREATE TRIGGER auth_tokens_emptied AFTER TRUNCATE ON auth_tokens
    FOR EACH STATEMENT EXECUTE FUNCTION iimg_begin_all_token_epochs();

-- A new password ends all sessions and tokens of its user, whoever sets it.
CREATE FUNCTION iimg_end_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM auth_tokens WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER users_end_tokens AFTER UPDATE OF password ON users
    FOR EACH ROW WHEN (NEW.password IS DISTINCT FROM OLD.password)
    EXECUTE FUNCTION iimg_end_tokens();

-- Attempts to log in that did not succeed, or whose end is not known yet. A row stands for an account
-- - also one that does not exist - and an address; without a row nothing is held back.
CREATE TABLE login_failures (
    account         text NOT NULL,                  -- the email as it was typed, lower case
    address         text NOT NULL,                  -- of the client; of IPv6 its /64
    failures        integer NOT NULL,
    ends_at         timestamptz NOT NULL,           -- then they are forgotten
    PRIMARY KEY (account, address)
);
CREATE INDEX login_failures_ended ON login_failures (ends_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON auth_tokens, login_failures TO :"runtime_role";
