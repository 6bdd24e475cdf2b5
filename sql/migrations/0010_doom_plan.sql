-- 0010_doom_plan.sql - a picture that is replaced is doomed by a plan that is kept.

-- A function in SQL is parsed and planned each time, which took longer than what it does; one in PL/pgSQL
-- once a session.
CREATE OR REPLACE FUNCTION iimg_doom(text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE stored_objects SET state = 'doomed', held_until = NULL, changed_at = now()
     WHERE picture = iimg_picture_of($1) AND state <> 'doomed';
END
$$;
