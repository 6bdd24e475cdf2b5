# identities.t - identities, their owners, and their picture: upload, replace, remove.
use strict;
use warnings;
use utf8;
use Digest::SHA 'sha256_hex';
use IdentityImg::Test;
use Test::More;

fresh_data();

my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
my $time = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/;
my $nowhere = '00000000-0000-4000-8000-0000000009ff';
my ($full, $bare) = map { identity_of($_) } qw(full bare);
my $not_found = '{"detail":"Not found.","code":"not_found"}';

sub picture { return (parts => [image => [$_[0] // portrait()]]) }

sub upload {
    my ($who, $id, $method, $file) = @_;
    return call($method // 'POST', "identities/$id/upload-image/", as => $who, picture($file));
}
sub take_off { my ($who, $id) = @_; return call(DELETE => "identities/$id/delete-image/", as => $who) }
sub line { my ($answer) = @_; return join ' ', $answer->code, (json($answer) // {})->{detail} // '' }

sub identity {
    my ($id, $who) = @_;
    my ($one) = grep { $_->{id} eq $id } @{ json(call(GET => 'users/me/identities/', as => $who // 'scenario_one')) };
    return $one;
}
# An identity without the signatures of its URLs, which change over time.
sub lasting {
    my ($identity) = @_;
    return {
        %$identity, image => join ' ',
        map { s/\?.*//r } map { $identity->{image}{$_} } sort keys %{ $identity->{image} }
    };
}
sub uuid_of { my ($identity) = @_; return $identity->{image}{original} =~ m{media/($uuid)/} ? $1 : die 'no picture' }

sub objects {
    my ($picture) = @_;
    return join ' ',
        sql("SELECT state, count(*) FROM stored_objects WHERE picture = '$picture' GROUP BY state ORDER BY state");
}

sub files {
    my ($picture) = @_;
    return scalar grep { /$picture/ } stored_files();
}

# Lists -------------------------------------------------------------------------------------------

my $mine = call(GET => 'users/me/identities/', as => 'scenario_one');
is $mine->code, 200, 'a user lists their identities';
is $mine->content =~ s/"$time"/"T"/gr,
    '[{"id":"'
    . $full
    . '","user":"'
    . person('scenario_one')
    . '","name":"Creative Visionary","category":"passions_and_talents",'
    . '"i_am_statement":"I am a creative force who {shapes} the future.","visualization":"Standing in a sunlit studio, '
    . 'surrounded by work.",'
    . '"notes":["paints daily","teaches on Sundays"],"image":null,"created_at":"T","updated_at":"T"},'
    . '{"id":"'
    . $bare
    . '","user":"'
    . person('scenario_one')
    . '","name":"Quiet \"Maker\"","category":"maker_of_money",'
    . '"i_am_statement":null,"visualization":"","notes":[],"image":null,"created_at":"T","updated_at":"T"}]',
    'the identities have exactly these members in order, with texts as stored';
is json(call(GET => 'users/me/identities/', as => 'scenario_two'))->[0]{i_am_statement},
    "I am naïve & proud.\nTwo lines.", 'line breaks and accents are preserved';
is call(GET => 'users/me/identities/', as => 'alice')->content, '[]', 'a user without identities gets an empty list';
is call(GET => "users/me/identities/?user_id=" . person('scenario_one'), as => 'admin')->content, '[]',
    'user_id is ignored here';

# Test users --------------------------------------------------------------------------------------

my $users = call(GET => 'test-users/', as => 'admin');
is $users->content,
    '[' . join(
    ',', map { qq({"id":"$_->[0]","email":"$_->[1]","first_name":"$_->[2]","last_name":"$_->[3]","is_staff":false}) }
        [person('scenario_one'), 'scenario-one@example.com', 'Sam', 'One'],
    [person('scenario_two'), 'scenario-two@example.com', 'Tia', 'Two']
    )
    . ']',
    'staff list the users of test scenarios; scenarios without a user are left out';
is call(GET => "test-users/$_/identities/", as => 'admin')->content,
    call(GET => 'users/me/identities/', as => 'scenario_one')->content, "staff see the same identities as the test user"
    for person('scenario_one'), uc person('scenario_one');

for my $case (
    # user, path                                            response
    [undef, 'test-users/', '401 Authentication credentials were not provided.'],
    ['alice', 'test-users/', '403 You do not have permission to perform this action.'],
    ['scenario_one', 'test-users/', '403 You do not have permission to perform this action.'],
    [
        undef, 'test-users/' . person('scenario_one') . '/identities/',
        '401 Authentication credentials were not provided.'
    ],
    [
        'alice', 'test-users/' . person('scenario_one') . '/identities/',
        '403 You do not have permission to perform this action.'
    ],
    [
        'scenario_one', 'test-users/' . person('scenario_one') . '/identities/',
        '403 You do not have permission to perform this action.'
    ],
    ['alice', "test-users/$nowhere/identities/", '403 You do not have permission to perform this action.'],
    ['admin', "test-users/$nowhere/identities/", '404 Not found.'],
    ['admin', 'test-users/' . person('alice') . '/identities/', '404 Not found.'],
    ['admin', 'test-users/' . person('admin') . '/identities/', '404 Not found.'],
    ['admin', 'test-users/00000000-0000-4000-8000-0000000000e1/identities/', '404 Not found.'],
    ['admin', 'test-users/not-an-id/identities/', '404 Not found.'],
    ['admin', 'test-users//identities/', '404 Not found.'],
) {
    my ($who, $path, $expected) = @$case;
    is line(call(GET => $path, $who ? (as => $who) : ())), $expected,
        ($who // 'a client without credentials') . " requests $path";
}
sql("INSERT INTO test_scenarios (name, user_id) VALUES ('A first one', '" . person('bob') . "')");
is_deeply [map { $_->{email} } @{ json(call(GET => 'test-users/', as => 'admin')) }],
    ['bob@example.com', 'scenario-one@example.com', 'scenario-two@example.com'],
    "a user of a new scenario is listed, sorted by the scenario's name";
is call(GET => 'test-users/' . person('bob') . '/identities/', as => 'admin')->content, '[]',
    'a test user without identities has an empty list';

# Uploads -----------------------------------------------------------------------------------------

my $before = identity($full);
my $answer = upload('scenario_one', $full);
is $answer->code, 200, 'an owner uploads a picture for their identity';
my $now = json($answer);
like $answer->content,
    qr/^\{"id":"$full","user":"[^"]+","name":.*,"category":.*,"i_am_statement":.*,"visualization":.*,"notes":\[.*\],"image":\{"original":"[^"]+","thumbnail":"[^"]+","medium":"[^"]+","large":"[^"]+"\},"created_at":"$time","updated_at":"$time"\}$/,
    'the response is the identity with its picture in four sizes';
is_deeply [@$now{qw(id user name category i_am_statement visualization notes created_at)}],
    [@$before{qw(id user name category i_am_statement visualization notes created_at)}],
    'the other members are unchanged';
ok $now->{updated_at} gt $before->{updated_at}, 'updated_at changes';
is_deeply lasting(identity($full)), lasting($now), 'the owner sees the picture';
sub pixels { my ($png) = @_; return sha256_hex(substr $png, index($png, 'IDAT'), 100_000) }
is pixels(call(GET => $now->{image}{original})->content), pixels(slurp(portrait())), 'the original has the same pixels';
is join(' ', map { call(GET => $_)->code } values %{ $now->{image} }), '200 200 200 200', 'all sizes can be fetched';
is identity($bare)->{image}, undef, "the owner's other identity has no picture";
is json(upload('scenario_one', uc $full, 'PATCH'))->{id}, $full, 'PATCH does the same, and the id may be in upper case';
is json(upload('admin', $full))->{user}, person('scenario_one'), 'staff upload a picture for any identity';
is json(upload('admin', $full, 'PATCH'))->{user}, person('scenario_one'),
    'staff upload a picture for any identity by PATCH';

my $kept = identity($full);
my @files = stored_files();
for my $case (
    # method, tail, user                 name
    [POST => 'upload-image/', picture()],
    [PATCH => 'upload-image/', picture()],
    [POST => 'upload-image/', body => 'no form', type => 'text/plain'],
    [DELETE => 'delete-image/'],
) {
    my ($method, $tail, @with) = @$case;
    my $what = "$method $tail" . (@with && $with[0] eq 'body' ? ' of nonsense' : '');
    is line(call($method => "identities/$full/$tail", @with)), '401 Authentication credentials were not provided.',
        "$what without credentials is 401";
    for my $who ('alice', 'scenario_two') {
        my $foreign = call($method => "identities/$full/$tail", as => $who, @with);
        is $foreign->code . $foreign->content, "404$not_found", "$what of another user's identity by $who is 404";
    }
    for my $id ($nowhere, 'not-an-id', person('scenario_one')) {
        my $unknown = call($method => "identities/$id/$tail", as => 'admin', @with);
        is $unknown->code . $unknown->content, "404$not_found",
            "$what of an unknown identity has the same 404";
    }
}
for my $case (
    ['no body', '400 No image file provided', []],
    ['a form without image', '400 No image file provided', [parts => [picture => [portrait()]]]],
    ['JSON', '400 No image file provided', [json => { image => 'x' }]],
    [
        'text',
        '400 The file is text, which is not an accepted format. '
            . 'Upload a valid JPEG, PNG, WebP, GIF, HEIC or AVIF picture.',
        [parts => [image => [undef, 'a.jpg', Content => 'words']]]
    ],
    [
        'half a picture',
        '400 The PNG picture is damaged or not a real PNG picture. Upload a valid JPEG, PNG, WebP, GIF, HEIC or AVIF '
            . 'picture.',
        [parts => [image => [undef, 'a.jpg', Content => substr slurp(portrait()), 0, 90_000]]]
    ],
    ['an unknown type', '415 Unsupported media type "image/png" in request.', [body => 'x', type => 'image/png']],
) {
    my ($what, $expected, $with) = @$case;
    is line(call($_ => "identities/$full/upload-image/", as => 'scenario_one', @$with)), $expected,
        "$_ of $what is refused" for 'POST', 'PATCH';
}
is_deeply lasting(identity($full)), lasting($kept), 'refused uploads change nothing';
is_deeply [stored_files()], \@files, 'refused uploads leave and delete no files';

# The previous picture is kept for a day -------------------------------------------------------------

reset_pictures();
my $first = uuid_of(json(upload('scenario_one', $full)));
is objects($first), 'live|4', 'the first picture is live';
my $second = uuid_of(json(upload('scenario_one', $full, undef, make_jpeg(300, 200))));
is objects($second), 'live|4', 'the second picture is live';
is objects($first), 'held|4', 'the first picture is held';
is files($first), 4, 'the files of the held picture exist';
is join(
    ' ',
    sql(
              "SELECT DISTINCT held_until BETWEEN now() + interval '23 hours' AND now() + interval '25 hours' FROM "
            . "stored_objects WHERE picture = '$first'"
    )
    ),
    't', 'the removed picture is held for a day';
my $third = uuid_of(json(upload('scenario_one', $full, 'PATCH')));
is objects($third) . ', ' . objects($second), 'live|4, held|4',
    'the third picture is live, the second is held';
is objects($first), '', 'the first picture is no longer in the manifest';
is files($first), 0, 'the files of the first picture are deleted';

my $off = take_off('scenario_one', $full);
is $off->code, 200, 'an owner removes the picture';
is json($off)->{image}, undef, 'the identity has no picture';
ok json($off)->{updated_at} gt identity($bare)->{updated_at}, 'updated_at changes on removal';
is objects($third), 'held|4', 'the removed picture is held';
is objects($second) . files($second), '0', 'the picture before it is deleted';
my $again = take_off('scenario_one', $full);
is $again->content, $off->content, 'a second removal has the same response and changes nothing';
is objects($third) . files($third), 'held|44', 'the removed picture is still held';
is take_off('scenario_one', $bare)->code, 200, 'removal from an identity without a picture succeeds';
my $fourth = uuid_of(json(upload('scenario_one', $full)));
is objects($fourth) . ', ' . objects($third), 'live|4, held|4',
    'a new picture is live, the removed one is still held';
is scalar(() = stored_files()), 8, 'an identity has at most two stored pictures';

my $others = uuid_of(json(upload('scenario_one', $bare)));
is json(take_off('admin', $full))->{image}, undef, 'staff remove the picture of any identity';
is objects($others) . files($others), 'live|44', 'the picture of another identity is unchanged';
sql("DELETE FROM identities WHERE id = '$full'");
like objects($fourth), qr/^(?:doomed\|4)?$/, 'deleting an identity in SQL dooms its pictures';
take_off('scenario_one', $bare);
sweep();
is files($fourth), 0, 'the next sweep deletes their files';
is files($others), 4, 'the held picture of the other identity stays';

finish();
