-- 0002_tokens.sql - sessions and bearer tokens, and the brake on guessing passwords.

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
