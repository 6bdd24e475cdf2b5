-- demo.sql - users, test scenarios and identities to try the API with.
--
-- Logins, each an email and a password (bcrypt below):
--   admin@example.com          pw-admin          staff
--   alice@example.com          pw-alice
--   bob@example.com            pw-bob
--   scenario-one@example.com   pw-scenario-one
--   scenario-two@example.com   pw-scenario-two

INSERT INTO users (id, email, password, first_name, last_name, is_staff) VALUES
    ('00000000-0000-4000-8000-00000000000a', 'admin@example.com',
     '$2y$10$MTWEl3IZanxwKs9uwSVJTuGXjD0c4BLSN/iB3pk7LbV./Tq1f.Xky', 'Ada', 'Admin', true),
    ('00000000-0000-4000-8000-00000000000b', 'alice@example.com',
     '$2y$10$rFPjuWCzTVvqhRZKLC0rHu0yrmAfcvC6Kk9PwRYTlXD/KPnKK9PR.', 'Alice', 'Liddell', false),
    ('00000000-0000-4000-8000-00000000000c', 'bob@example.com',
     '$2y$10$exPStBr3aCntenTtRTV/RuMvorEhKZSKqe1NF.N4I05l1/6Cth8Sy', '', '', false),
    ('00000000-0000-4000-8000-0000000000d1', 'scenario-one@example.com',
     '$2y$10$KPr8fErw3MAPtMfRmRaDQuQfESAexq0YvYndJ1Z.jbOIzkvFibYJi', 'Sam', 'One', false),
    ('00000000-0000-4000-8000-0000000000d2', 'scenario-two@example.com',
     '$2y$10$HeVigV05ccpH9FJC/5TOcuil2G5XnGrR5WTLKu.5YHfSWIFlSvkaS', 'Tia', 'Two', false)
ON CONFLICT DO NOTHING;

INSERT INTO test_scenarios (id, name, user_id) VALUES
    ('00000000-0000-4000-8000-0000000000e1', 'Scenario One', '00000000-0000-4000-8000-0000000000d1'),
    ('00000000-0000-4000-8000-0000000000e2', 'Scenario Two', '00000000-0000-4000-8000-0000000000d2'),
    ('00000000-0000-4000-8000-0000000000e3', 'Scenario Without User', NULL)
ON CONFLICT DO NOTHING;

INSERT INTO identities (id, user_id, name, category, i_am_statement, visualization, notes) VALUES
    ('00000000-0000-4000-8000-0000000000f1', '00000000-0000-4000-8000-0000000000d1', 'Creative Visionary', 'passions_and_talents',
     'I am a creative force who {shapes} the future.', 'Standing in a sunlit studio, surrounded by work.',
     ARRAY['paints daily', 'teaches on Sundays']::text[]),
    ('00000000-0000-4000-8000-0000000000f2', '00000000-0000-4000-8000-0000000000d1', 'Quiet "Maker"', 'maker_of_money',
     NULL, '',
     '{}'),
    ('00000000-0000-4000-8000-0000000000f3', '00000000-0000-4000-8000-0000000000d2', 'Café 模範 🎨', 'keeper_of_the_home',
     E'I am naïve & proud.\nTwo lines.', NULL,
     ARRAY['one note']::text[]),
    ('00000000-0000-4000-8000-0000000000f4', '00000000-0000-4000-8000-0000000000d2', 'Runner', 'physical_expression',
     'I am steady.', 'Crossing the line at dawn.',
     ARRAY['a', 'b', 'c']::text[])
ON CONFLICT DO NOTHING;
