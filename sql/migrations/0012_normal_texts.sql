-- 0012_normal_texts.sql - texts in Unicode's form NFC, a search that ignores accents, the model that was named.

-- From this version on texts are stored in form NFC: what looks alike is found alike, whichever keyboard it
-- came from. Rows that change get a new version by their triggers, since what clients have of them differs.
-- A text that is longer in that form than its column allows stays as it is.
UPDATE reference_images SET name = normalize(name)
 WHERE name IS NOT NFC NORMALIZED AND char_length(normalize(name)) <= 255;
UPDATE test_scenarios SET name = normalize(name)
 WHERE name IS NOT NFC NORMALIZED AND char_length(normalize(name)) <= 255;
UPDATE identities
   SET name = CASE WHEN char_length(normalize(name)) <= 255 THEN normalize(name) ELSE name END,
       category = CASE WHEN char_length(normalize(category)) <= 255 THEN normalize(category) ELSE category END,
       i_am_statement = normalize(i_am_statement), visualization = normalize(visualization),
       notes = ARRAY(SELECT normalize(note) FROM unnest(notes) WITH ORDINALITY n (note, place) ORDER BY place)
 WHERE name IS NOT NFC NORMALIZED OR category IS NOT NFC NORMALIZED OR i_am_statement IS NOT NFC NORMALIZED
    OR visualization IS NOT NFC NORMALIZED OR array_to_string(notes, E'\n') IS NOT NFC NORMALIZED;
UPDATE prompts SET body = normalize(body) WHERE body IS NOT NFC NORMALIZED;
UPDATE generation_jobs SET additional_prompt = normalize(additional_prompt)
 WHERE additional_prompt IS NOT NFC NORMALIZED;
UPDATE users SET first_name = CASE WHEN char_length(normalize(first_name)) <= 150 THEN normalize(first_name) ELSE first_name END,
                 last_name = CASE WHEN char_length(normalize(last_name)) <= 150 THEN normalize(last_name) ELSE last_name END
 WHERE first_name IS NOT NFC NORMALIZED OR last_name IS NOT NFC NORMALIZED;

-- Of two users whose emails become the same neither is changed: which of them it belongs to is not for us to say.
UPDATE users u SET email = normalize(email)
 WHERE email IS NOT NFC NORMALIZED AND char_length(normalize(email)) BETWEEN 3 AND 254
   AND NOT EXISTS (SELECT FROM users o
                    WHERE o.id <> u.id AND lower(normalize(o.email)) = lower(normalize(u.email)));
DO $$
DECLARE
    kept bigint;
BEGIN
    SELECT count(*) INTO kept FROM users WHERE email IS NOT NFC NORMALIZED;
    IF kept > 0 THEN
        RAISE WARNING '% user(s) cannot log in: their email in Unicode''s form NFC belongs to another user; change it', kept;
    END IF;
END
$$;

-- A text as searches see it: without accents where the extension unaccent is installed, in a schema that
-- search_path names. Looked up at each call, since it may come and go.
CREATE FUNCTION iimg_search_form(text) RETURNS text LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF to_regprocedure('unaccent(text)') IS NULL THEN
        RETURN normalize($1);
    END IF;
    RETURN unaccent(normalize($1));
END
$$;

-- The same for patterns of LIKE. unaccent makes %, _ and \ of characters that look alike: these stand for themselves.
CREATE FUNCTION iimg_search_patterns(text[]) RETURNS text[] LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
    SELECT ARRAY(SELECT iimg_search_form(regexp_replace(pattern, '([∖﹨﹪％＿＼])', '\\\1', 'g')) FROM unnest($1) pattern)
$$;

-- `model` is the model that is asked, for an alias its successor; this is what the request named.
ALTER TABLE generation_jobs ADD COLUMN requested_model text;    -- null: the same
