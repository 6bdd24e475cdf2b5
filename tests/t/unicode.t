# unicode.t - texts are stored in form NFC, whichever form clients send; searches with and without accents; migration
# 0012.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use IdentityImg::Admin;
use IdentityImg::Test;
use Test::More;
use Unicode::Normalize qw(NFC NFD);

fresh_data();

my $alice = person('alice');
my $zoe = 'Zoë Ångström 한글';

sub made {
    my ($path, $body) = @_;
    my $answer = call(POST => $path, as => 'admin', json => $body);
    is $answer->code, 201, "POST $path succeeds" or diag $answer->content;
    return json($answer);
}

# Storage ------------------------------------------------------------------------------------------

isnt NFD($zoe), $zoe, 'the text has another form in NFD';
my $photo = made('admin/reference-images/', { user_id => $alice, name => NFD($zoe) });
my $identity = made(
    'admin/identities/',
    {
        user_id => $alice, name => NFD($zoe), category => NFD($zoe), i_am_statement => NFD($zoe),
        visualization => NFD($zoe), notes => [NFD($zoe), 'b']
    }
);
my $user = made(
    'admin/users/',
    {
        email => NFD('zoë@example.com'), first_name => NFD($zoe), last_name => NFD($zoe),
        password => NFD('Zoë is secret')
    }
);
my $scenario = made('admin/test-scenarios/', { name => NFD($zoe) });
my $prompt = made('prompts/', { prompt_type => 'coach', body => NFD(" $zoe\n") });
is $photo->{name}, $zoe, "an identity's texts and notes are stored in form NFC";
is_deeply [@$identity{qw(name category i_am_statement visualization)}, @{ $identity->{notes} }], [($zoe) x 5, 'b'],
    "a user's email and names are stored in form NFC";
is_deeply [@$user{qw(email first_name last_name)}], ['zoë@example.com', $zoe, $zoe], "a user's email and names";
is $scenario->{name}, $zoe, "a test scenario's name is stored in form NFC";
is $prompt->{body}, " $zoe\n", "a prompt's body is stored in form NFC, with its blanks";
is json(call(
    POST => 'reference-images/',
    as => 'bob',
    parts => [
        name => do { my $bytes = NFD($zoe); utf8::encode($bytes); $bytes }
    ]
))->{name}, $zoe, 'a text in a form is stored in form NFC';

sub enters {
    my ($email, $password) = @_;
    return call(POST => 'auth/login/', json => { email => $email, password => $password })->code;
}
is enters(NFD('zoë@example.com'), NFD('Zoë is secret')), 200, 'an email in any form logs in';
is enters('zoë@example.com', 'Zoë is secret'), 401, 'a password in another form is refused';

sub basic {
    my ($email, $password) = @_;
    utf8::encode($_) for $email, $password;
    return call(GET => 'users/me/', headers => [Authorization => login($email, $password)])->code;
}
is basic(NFD('zoë@example.com'), NFD('Zoë is secret')), 200,
    'Basic accepts an email in any form with the exact password';

# Limits count characters of NFC.
is json(call(PATCH => "admin/reference-images/$photo->{id}/", as => 'admin', json => { name => NFD('ë' x 255) }))
    ->{name}, 'ë' x 255, '255 characters sent as 510 in NFD are accepted';
is call(PATCH => "admin/reference-images/$photo->{id}/", as => 'admin', json => { name => NFD('ë' x 256) })->code, 400,
    '256 characters sent in NFD are refused';
is refusal(call(PATCH => "admin/reference-images/$photo->{id}/", as => 'admin', json => { name => "\x{958}" x 128 })),
    '400 invalid name: Ensure this field has no more than 255 characters.',
    '128 characters that become 256 in NFC are refused';
is call(PATCH => "admin/reference-images/$photo->{id}/", as => 'admin', json => { name => 'a' . "\x{301}" x 64 })->code,
    200, 'a letter with 64 combining marks is accepted';
for my $towers ('a' . "\x{301}" x 64 . "\x{327}", 'a' . "\x{301}\x{327}" x 120) {
    is json(call(PATCH => "admin/reference-images/$photo->{id}/", as => 'admin', json => { name => $towers }))->{name},
        $towers, length($towers) - 1 . ' marks in a row are stored as sent';
}

# Search -------------------------------------------------------------------------------------------

call(PATCH => "admin/reference-images/$photo->{id}/", as => 'admin', json => { name => $zoe });
my %lists = (
    'admin/reference-images/' => $photo->{id}, 'admin/identities/' => $identity->{id}, 'admin/users/' => $user->{id},
    'admin/test-scenarios/' => $scenario->{id}
);

sub finds {
    my ($list, $words) = @_;
    return scalar grep { $_->{id} eq $lists{$list} } results("$list?limit=100&search=" . escaped($words));
}
for my $list (sort keys %lists) {
    is finds($list, $_), 1, "$list: a search for the word in either form finds it" for 'zoë', NFD('ZOË'), NFD('한글');
    is finds($list, 'zoe'), 0, "$list: a search without the accent finds nothing"
        if !(sql("SELECT to_regprocedure('unaccent(text)') IS NOT NULL"))[0] eq 't';
}
is scalar(results('admin/identities/?category=' . escaped(NFD($zoe)))), 1, 'a filter by category accepts either form';
sql("UPDATE identities SET name = normalize('naïve', NFD) WHERE id = '$identity->{id}'");
is finds('admin/identities/', 'naïve'), 1, 'a text written in SQL is found';
sql('CREATE EXTENSION unaccent');

END {
    eval { sql('DROP EXTENSION IF EXISTS unaccent') }
}
for my $list (sort keys %lists) {
    my @words = $list eq 'admin/identities/' ? qw(naive angstrom) : qw(zoe ANGSTROM);
    is finds($list, $_), 1, "$list: with the extension unaccent $_ finds it"
        for $words[0], NFD($words[0]), "@words", 'ångstrom';
    is finds($list, 'zob'), 0, "$list: with unaccent another word finds nothing";
}
my @odd = map { made('admin/test-scenarios/', { name => $_ })->{id} } '５０％ off', '50% off', 'a＼b', 'a\\b', 'x＿y',
    'x_y', 'plain';
for my $case (['％', 0, 1], ['%', 0, 1], ['＼', 2, 3], ['\\', 2, 3], ['＿', 4, 5], ['_', 4, 5], ['﹪', 0, 1]) {
    my ($word, @found) = @$case;
    my %there = map { $_->{id} => 1 } results('admin/test-scenarios/?limit=100&search=' . escaped($word));
    is join(' ', grep { $there{ $odd[$_] } } 0 .. $#odd), "@found",
        "$word is not a wildcard, even without accents";
}
sql('DROP EXTENSION unaccent');
is finds('admin/users/', 'zoe'), 0, 'without unaccent accents count';
is finds('admin/users/', 'zoë'), 1, 'without unaccent searches still work';

# Migration ----------------------------------------------------------------------------------------

my ($migration) = glob "$ENV{IIMG_SOURCE}/sql/migrations/0012_*.sql";
my ($updates) = slurp($migration) =~ /\A(.*?\n)-- A text as searches see it/s or die 'the migration has no such part';
utf8::decode($updates);
sql("UPDATE reference_images SET name = normalize(name, NFD); UPDATE test_scenarios SET name = normalize(name, NFD);"
        . "UPDATE users SET first_name = normalize(first_name, NFD), email = normalize(email, NFD); UPDATE prompts SET "
        . "body = normalize(body, NFD);"
        . "UPDATE identities SET name = normalize(name, NFD), notes = "
        . "ARRAY[normalize('ä', NFD), 'b', normalize('ö', NFD)], visualization = NULL;"
        . "INSERT INTO users (email) VALUES (normalize('sosië\@example.com', NFD)), ('SOSIË\@example.com');"
        . "INSERT INTO reference_images (user_id, name, \"order\") VALUES ('$alice', repeat(E'\\u0958', 255), 4);");
my $before = join ',', sql("SELECT version, updated_at FROM identities WHERE id = '$identity->{id}'");
my $same = join ',', sql("SELECT version FROM test_scenarios WHERE name = 'plain'");
my $said = join "\n", eval { sql("BEGIN;\n$updates\nCOMMIT;") };
is $@, '', 'the migration runs with emails that differ only in their form, and with a name that would become too long';
like $said, qr/1 user\(s\) cannot log in: their email in Unicode's form NFC belongs to another user; change it/,
    'the migration warns of the emails';
for my $column ('reference_images.name', 'test_scenarios.name', 'users.first_name', 'prompts.body', 'identities.name') {
    my ($table, $name) = split /\./, $column;
    is join(
        ' ',
        sql(
            "SELECT left($name, 20) FROM $table WHERE $name IS NOT NFC NORMALIZED AND char_length(normalize($name)) <= "
                . "255"
        )
        ),
        '', "$column is in form NFC";
}
is join(' ', sql("SELECT notes FROM identities WHERE id = '$identity->{id}'")), '{ä,b,ö}',
    'notes are in form NFC, in their order';
is join(' ', sql("SELECT email FROM users WHERE email IS NOT NFC NORMALIZED")), NFD('sosië@example.com'),
    'emails are in form NFC, except the conflicting one';
is join(' ', sql("SELECT char_length(name) FROM reference_images WHERE name IS NOT NFC NORMALIZED")), '255',
    'the name that would be too long is unchanged';
my ($version, $updated) = split /\|/, (split /,/, $before)[0];
is join('|', sql("SELECT version, updated_at FROM identities WHERE id = '$identity->{id}'")),
    join('|', $version + 1, $updated), 'a migrated row has a new version and the old updated_at';
is join(',', sql("SELECT version FROM test_scenarios WHERE name = 'plain'")), $same,
    'a row in form NFC keeps its version';

fresh_data();
finish();
