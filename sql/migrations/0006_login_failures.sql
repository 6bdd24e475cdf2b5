-- 0006_login_failures.sql - a successful login forgives half of what failed before, once in a window.

ALTER TABLE login_failures ADD COLUMN forgiven boolean NOT NULL DEFAULT false;
