-- 0009_logins_under_way.sql - a login whose own process dies counts as a failure for a minute, not for the window.

ALTER TABLE login_failures
    ADD COLUMN under_way timestamptz[] NOT NULL DEFAULT '{}';   -- attempts without an end yet: until when each of them counts
