# reference_images.t - a user's photos: list, create, read, change, delete.
use strict;
use warnings;
use utf8;
use IdentityImg::Server 'eventually';
use IdentityImg::Test;
use JSON::PP ();
use Test::More;

fresh_data();

my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
my $time = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/;
my $nowhere = '00000000-0000-4000-8000-0000000009ff';
my $upper = uc $nowhere;

# Text, encoded as sent.
sub bytes { my ($text) = @_; utf8::encode($text); return $text }

# Free all slots.
sub empty { sql('DELETE FROM reference_images') }

# The members of a new photo; dies if it is not created.
sub made {
    my ($who, %fields) = @_;
    my $answer = call(POST => 'reference-images/', as => $who, json => \%fields);
    die 'not created: ' . $answer->as_string if $answer->code != 201;
    return json($answer);
}

sub patch {
    my ($id, $fields, $who) = @_;
    return call(PATCH => "reference-images/$id/", as => $who // 'alice', json => $fields);
}
sub listed { my ($who, $query) = @_; return json(call(GET => 'reference-images/' . ($query // ''), as => $who)) }

# A refusal in one line: "400 order_range order: Order must be between 0 and 4".
sub refusal {
    my ($answer) = @_;
    my $body = json($answer) // return $answer->as_string;
    my ($field) = keys %{ $body->{errors} // {} };
    my $said = join ' ', $answer->code, $body->{code}, $field ? "$field:" : (), $body->{detail};
    $said .= ' (errors say otherwise)' if $field && "@{$body->{errors}{$field}}" ne $body->{detail};
    return $said;
}

# The headers of a response without those that differ between requests.
sub headers {
    my ($answer) = @_;
    return join "\n", sort grep { !/^(?:Date|X-Request-Id|Client-|Keep-Alive|Connection)/ } split /\n/,
        $answer->headers->as_string;
}

# Create: the response -------------------------------------------------------------------------------

my $alice;
subtest 'A new photo is returned with its members and its Location' => sub {
    my $answer = call(POST => 'reference-images/', as => 'alice', json => { name => 'Headshot 1' });
    is $answer->code, 201, 'a photo is created';
    is $answer->header('Content-Type'), 'application/json', 'the response is JSON';
    $alice = person('alice');
    like $answer->content,
        qr/^\{"id":"$uuid","user":"$alice","name":"Headshot 1","order":0,"image":null,"created_at":"$time","updated_at":"$time"\}$/,
        'the photo has exactly these members, in order and of these types';
    my $photo = json($answer);
    is $answer->header('Location'), base_url() . "/api/v1/reference-images/$photo->{id}/",
        'Location is the absolute URL of the photo';
    is call(GET => $answer->header('Location'), as => 'alice')->content, $answer->content,
        'GET of the Location returns the same bytes';
    is $photo->{created_at}, $photo->{updated_at}, 'updated_at of a new photo equals created_at';
    is(
        (sql("SELECT abs(extract(epoch FROM now() - '$photo->{created_at}'::timestamptz)) < 60"))[0], "t",
        "the timestamps are in UTC"
    );
};

subtest 'A body without fields creates a photo in the first slot' => sub {
    for my $case (
        ['an empty body', []],
        ['an empty object', [json => {}]],
        ['an empty form', [form => [], type => 'application/x-www-form-urlencoded']],
        ['an empty multipart form', [body => "--x--\r\n", type => 'multipart/form-data; boundary=x']],
        ['unknown members', [json => { unknown => 'member', id => $nowhere, created_at => 1 }]],
    ) {
        my ($what, $with) = @$case;
        empty();
        my $made = call(POST => 'reference-images/', as => 'alice', @$with);
        is join(' ', $made->code, @{ json($made) }{qw(name order)}), '201  0',
            "$what creates a photo without a name in the first slot";
    }
};

subtest 'JSON and forms can contain name and order' => sub {
    for my $case (
        ['JSON', [json => { name => 'Ünï 🎨', order => 3 }]],
        ['urlencoded', [form => [name => bytes('Ünï 🎨'), order => 3]]],
        ['multipart', [parts => [name => bytes('Ünï 🎨'), order => 3]]],
    ) {
        my ($what, $with) = @$case;
        empty();
        my $made = call(POST => 'reference-images/', as => 'alice', @$with);
        is join('|', $made->code, @{ json($made) }{qw(name order)}), '201|Ünï 🎨|3', "$what can contain name and order";
        is json($made)->{image}, undef, "$what without a file creates a photo without a picture";
    }
};

subtest 'A multipart form can contain a picture, or an empty file input' => sub {
    empty();
    my $answer = call(
        POST => 'reference-images/', as => 'alice',
        parts => [name => 'With picture', order => 2, image => [portrait()]]
    );
    is $answer->code, 201, 'a multipart form with a picture creates a photo';
    is join(' ', sort keys %{ json($answer)->{image} }), 'large medium original thumbnail',
        'the photo has the picture in four sizes';
    like $answer->content, qr/"image":\{"original":"[^"]+","thumbnail":"[^"]+","medium":"[^"]+","large":"[^"]+"\}/,
        'the sizes are in the documented order';
    is join(' ', map { call(GET => $_)->code } values %{ json($answer)->{image} }), '200 200 200 200',
        'all four sizes can be fetched';

    $answer = call(
        POST => 'reference-images/', as => 'alice',
        parts => [name => 'Nothing chosen', image => [undef, '', Content => '']]
    );
    is join(' ', $answer->code, json($answer)->{image} // 'null'), '201 null',
        'an empty file input creates a photo without a picture';
};

subtest 'A refused create leaves no photo and no file' => sub {
    my $files = join "\n", stored_files();
    is refusal(call(POST => 'reference-images/', as => 'alice', parts => [order => 2, image => [portrait()]])),
        '400 order_in_use order: Order 2 is already in use', 'a create with a picture for a slot in use is refused';
    is refusal(call(
        POST => 'reference-images/', as => 'alice', parts => [order => 4, image => [undef, 'a.jpg', Content => 'words']]
        )) =~ s/:.*//r,
        '400 unsupported_image image', 'a create with a file that is not a picture is refused';
    is scalar @{ listed('alice') }, 2, 'the refused creates make no photo';
    is join("\n", stored_files()), $files, 'the refused creates leave no file';
    reset_pictures();
};

# Names -------------------------------------------------------------------------------------------

subtest 'A valid name is trimmed and stored as sent' => sub {
    my $long = 'é' x 255;
    for my $case (
        ['plain', 'Anna', 'Anna'],
        ['255 characters of two bytes', $long, $long],
        ['255 characters of four bytes', '🎨' x 255, '🎨' x 255],
        ['surrounding white space', " \t\r\n Anna Bo \n ", 'Anna Bo'],
        ['surrounding Unicode white space', "\x{a0}\x{3000}Anna\x{2003}", 'Anna'],
        ['spaces around 255 characters', "  $long  ", $long],
        ['only spaces', "   ", ''],
        ['empty', '', ''],
        ['quotes, braces, markup', '"<b>{x}\\', '"<b>{x}\\'],
        ['a line break and a tab inside', "a\nb\tc", "a\nb\tc"],
        ['a control character inside', "a\x{1}b", "a\x{1}b"],
        ['joined emoji', "👩\x{200d}👧", "👩\x{200d}👧"],
    ) {
        my ($what, $sent, $kept) = @$case;
        empty();
        my $made = call(POST => 'reference-images/', as => 'alice', json => { name => $sent });
        is join(' ', $made->code, json($made)->{name}), "201 $kept", "name on create: $what";
        next if $made->code != 201;
        my $id = json($made)->{id};
        patch($id, { name => 'other' });
        is json(patch($id, { name => $sent }))->{name}, $kept, "name in PATCH: $what";
        empty();
        is json(call(POST => 'reference-images/', as => 'alice', parts => [name => bytes($sent)]))->{name}, $kept,
            "name in a form: $what";
    }
};

subtest 'An invalid name in JSON is refused' => sub {
    empty();
    my $named = made('alice', name => 'kept');
    for my $case (
        [
            '256 characters', '"' . 'a' x 256 . '"',
            '400 invalid name: Ensure this field has no more than 255 characters.'
        ],
        [
            '256 of two bytes', '"' . "\xc3\xa9" x 256 . '"',
            '400 invalid name: Ensure this field has no more than 255 characters.'
        ],
        ['a number', '12', '400 invalid name: Not a valid string.'],
        ['a boolean', 'true', '400 invalid name: Not a valid string.'],
        ['a list', '["a"]', '400 invalid name: Not a valid string.'],
        ['an object', '{}', '400 invalid name: Not a valid string.'],
        ['NUL', '"a\u0000b"', '400 invalid name: Null characters are not allowed.'],
        ['NUL alone', '"\u0000"', '400 invalid name: Null characters are not allowed.'],
        ['half a surrogate pair', '"a\ud83c"', qr/^400 parse_error JSON parse error - /],
        ['the other half of a surrogate pair', '"\udfa8a"', qr/^400 parse_error JSON parse error - /],
        ['bytes that are not UTF-8', "\"a\xff\"", qr/^400 parse_error JSON parse error - /],
        ['UTF-8 of a surrogate', "\"\xed\xa0\x80\"", qr/^400 parse_error JSON parse error - /],
    ) {
        my ($what, $json, $expected) = @$case;
        for my $way ([POST => 'reference-images/'], [PATCH => "reference-images/$named->{id}/"]) {
            my $said = refusal(call(@$way, as => 'alice', body => "{\"name\": $json}", type => 'application/json'));
            ref $expected ? like $said, $expected, "name in $way->[0]: $what is refused" : is $said, $expected,
                "name in $way->[0]: $what is refused";
        }
    }
};

subtest 'An invalid name in an urlencoded form is refused' => sub {
    for my $case (
        ['bytes that are not UTF-8', 'name=%ff%fe', '400 invalid name: Not a valid string.'],
        ['an overlong sequence', 'name=%c0%80', '400 invalid name: Not a valid string.'],
        ['NUL', 'name=a%00b', qr/^400 invalid .*Null characters are not allowed\.$/],
        ['a raw NUL', "name=a\0b", qr/^400 invalid .*Null characters are not allowed\.$/],
        [
            '256 characters', 'name=' . '%C3%A9' x 256,
            '400 invalid name: Ensure this field has no more than 255 characters.'
        ],
        ['half an escape', 'name=a%4', qr/^400 /],
    ) {
        my ($what, $form, $expected) = @$case;
        my $said = refusal(call(
            POST => 'reference-images/', as => 'alice', body => $form, type => 'application/x-www-form-urlencoded'
        ));
        ref $expected ? like $said, $expected, "name in a form: $what is refused" : is $said, $expected,
            "name in a form: $what is refused";
    }
};

subtest 'An invalid name in multipart is refused' => sub {
    for my $case (
        ['bytes that are not UTF-8', "\xff", '400 invalid name: Not a valid string.'],
        ['NUL', "a\0b", '400 invalid name: Null characters are not allowed.'],
        ['a file', [portrait()], '400 invalid name: Not a valid string.'],
    ) {
        my ($what, $value, $expected) = @$case;
        is refusal(call(POST => 'reference-images/', as => 'alice', parts => [name => $value, order => 4])), $expected,
            "name in multipart: $what is refused";
    }
};

subtest 'The last of two form fields counts, and refused requests change nothing' => sub {
    is json(call(
        POST => 'reference-images/', as => 'alice', body => 'name=a+b%2Bc&name=last+one',
        type => 'application/x-www-form-urlencoded'
        ))->{name},
        'last one', 'in a form plus signs are spaces, and the last of two fields counts';
    is_deeply [map { $_->{name} } @{ listed('alice') }], ['kept', 'last one'],
        'refused requests create and change nothing';
};

# Order -------------------------------------------------------------------------------------------

subtest 'An order is an integer from 0 to 4' => sub {
    my @orders = (
        # JSON                   on create                                   in PATCH of the photo in slot 1
        ['0', '201 0', '200 0'],
        ['4', '201 4', '200 4'],
        ['"2"', '201 2', '200 2'],
        ['" 2 "', '201 2', '200 2'],
        ['null', '201 0', '400 invalid order: This field may not be null.'],
        ['-1', '400 order_range order: Order must be between 0 and 4'],
        ['5', '400 order_range order: Order must be between 0 and 4'],
        ['"-1"', '400 order_range order: Order must be between 0 and 4'],
        ['"5"', '400 order_range order: Order must be between 0 and 4'],
        ['256', '400 order_range order: Order must be between 0 and 4'],
        ['65536', '400 order_range order: Order must be between 0 and 4'],
        ['4294967296', '400 order_range order: Order must be between 0 and 4'],
        ['9223372036854775807', '400 order_range order: Order must be between 0 and 4'],
        ['"99999999999999999999999999"', '400 order_range order: Order must be between 0 and 4'],
        ['99999999999999999999999999', qr/^400 /],
        ['"x"', '400 invalid order: A valid integer is required.'],
        ['""', '400 invalid order: A valid integer is required.'],
        ['"1.0"', '400 invalid order: A valid integer is required.'],
        ['"0x1"', '400 invalid order: A valid integer is required.'],
        ['"１"', '400 invalid order: A valid integer is required.'],
        ['"2\u0000"', '400 invalid order: A valid integer is required.'],
        ['true', '400 invalid order: A valid integer is required.'],
        ['false', '400 invalid order: A valid integer is required.'],
        ['1.5', '400 invalid order: A valid integer is required.'],
        ['1e0', '400 invalid order: A valid integer is required.'],
        ['[1]', '400 invalid order: A valid integer is required.'],
        ['{}', '400 invalid order: A valid integer is required.'],
    );
    empty();
    for my $case (@orders) {
        my ($json, $created, $patched) = @$case;
        (my $shown = $json) =~ s/^(.{28}).+/$1.../;
        empty();
        my $id = made('alice', order => 1)->{id};
        for my $way (
            ['create', POST => 'reference-images/', $created],
            ['PATCH', PATCH => "reference-images/$id/", $patched // $created]
        ) {
            my ($what, $method, $path, $expected) = @$way;
            my $answer =
                call($method => $path, as => 'alice', body => bytes("{\"order\": $json}"), type => 'application/json');
            my $said = $answer->is_success ? $answer->code . ' ' . json($answer)->{order} : refusal($answer);
            ref $expected ? like $said, $expected, "order $shown in $what" : is $said, $expected,
                "order $shown in $what";
            sql("DELETE FROM reference_images WHERE id <> '$id'");
        }
    }
};

subtest 'A user has five slots, and gaps are filled from the lowest' => sub {
    empty();
    is join(' ', map { made('alice')->{order} } 1 .. 5), '0 1 2 3 4',
        'photos without an order take the slots in order';
    is refusal(call(POST => 'reference-images/', as => 'alice', json => {})),
        '400 max_images Maximum 5 reference images allowed', 'a sixth photo is refused';
    is refusal(call(POST => 'reference-images/', as => 'alice', json => { order => 2 })),
        '400 max_images Maximum 5 reference images allowed',
        'a sixth photo with an order is refused by the limit';
    is refusal(call(POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]])),
        '400 max_images Maximum 5 reference images allowed',
        'a sixth photo with a picture is refused';
    is_deeply [stored_files()], [], 'the picture of the refused photo is not stored';
    is made('bob')->{order}, 0, 'another user has separate slots';
    my @five = @{ listed('alice') };
    call(DELETE => "reference-images/$five[$_]{id}/", as => 'alice') for 1, 3;
    is join(' ', map { made('alice')->{order} } 1, 2), '1 3', 'gaps are filled, the lowest first';
};

subtest 'The list is sorted by order, and a slot in use is refused' => sub {
    empty();
    made('alice', order => $_) for 4, 0, 2;
    is join(' ', map { $_->{order} } @{ listed('alice') }), '0 2 4', 'the list is sorted by order, not by age';
    is refusal(call(POST => 'reference-images/', as => 'alice', json => { order => 2 })),
        '400 order_in_use order: Order 2 is already in use', 'a slot in use is refused';
    is refusal(call(POST => 'reference-images/', as => 'alice', form => [order => '2'])),
        '400 order_in_use order: Order 2 is already in use', 'a slot in use is refused in a form';
    is refusal(call(POST => 'reference-images/', as => 'alice', parts => [order => '7'])),
        '400 order_range order: Order must be between 0 and 4', 'an order in multipart is checked';
};

# Lists -------------------------------------------------------------------------------------------

empty();
my $of_alice = made('alice', name => 'A');
my $of_bob = made('bob', name => 'B');
my $of_admin = made('admin', name => 'S');
my $bob = person('bob');
subtest 'Users list their own photos, and staff list those of a given user' => sub {
    for my $case (
        # user    query                            names, or the refusal
        ['alice', '', 'A'],
        ['bob', '', 'B'],
        ['admin', '', 'S'],
        ['scenario_one', '', ''],
        ['admin', "?user_id=$alice", 'A'],
        ['admin', '?user_id=' . uc $alice, 'A'],
        ['admin', "?a=1&user_id=$bob&b=2", 'B'],
        ['admin', "?user_id=$nowhere", ''],
        ['admin', '?user_id=' . person('scenario_one'), ''],
        ['admin', '?user_id=', 'S'],
        ['admin', '?user_id', 'S'],
        ['admin', '?USER_ID=' . $alice, 'S'],
        ['admin', '?user_id=abc', '400 invalid user_id: Must be a valid UUID.'],
        ['admin', "?user_id=$alice'", '400 invalid user_id: Must be a valid UUID.'],
        ['admin', '?user_id=' . substr($alice, 1), '400 invalid user_id: Must be a valid UUID.'],
        ['admin', "?user_id=$alice&user_id=$bob", qr/^400 invalid user_id: /],
        ['admin', "?user_id=&user_id=$bob", qr/^400 invalid user_id: /],
        ['admin', '?user_id=%zz', qr/^400 /],
        ['admin', '?user_id=%00', qr/^400 /],
        ['alice', "?user_id=$bob", 'A'],
        ['alice', "?user_id=$nowhere", 'A'],
        ['alice', '?user_id=abc', 'A'],
        ['alice', "?user_id=$bob&user_id=$bob", 'A'],
        ['alice', '?user_id=%zz', 'A'],
    ) {
        my ($who, $query, $expected) = @$case;
        my $answer = call(GET => "reference-images/$query", as => $who);
        my $said = $answer->code == 200 ? join ' ', map { $_->{name} } @{ json($answer) } : refusal($answer);
        (my $shown = $query) =~ s/$alice/<alice>/g;
        $shown =~ s/$bob/<bob>/g;
        my $name = "the list of $who " . ($query eq '' ? 'without a query' : "with $shown");
        ref $expected ? like $said, $expected, $name : is $said, $expected, $name;
    }
    is call(GET => 'reference-images/', as => 'scenario_one')->content, '[]', 'a list without photos is an empty array';
};

# Staff create for others -------------------------------------------------------------------------

sub owner_of { my ($answer) = @_; return $answer->code == 201 ? '201 ' . json($answer)->{user} : refusal($answer) }

subtest 'The user_id of a create counts only for staff' => sub {
    for my $case (
        # user    user_id (JSON)        expected
        ['admin', qq("$alice"), "201 $alice", 'for another user'],
        ['admin', '"' . uc($alice) . '"', "201 $alice", 'for another user, in upper case'],
        ['admin', 'null', '201 ' . person('admin'), 'without user_id'],
        ['admin', '""', '201 ' . person('admin'), 'without user_id in a form'],
        ['admin', qq("$nowhere"), "404 not_found User $nowhere not found", 'for an unknown user'],
        ['admin', qq("$upper"), "404 not_found User $nowhere not found", 'for an unknown user in upper case'],
        ['admin', '"abc"', '400 invalid user_id: Must be a valid UUID.', 'for an invalid UUID'],
        ['admin', '7', '400 invalid user_id: Must be a valid UUID.', 'for a number'],
        ['admin', qq(["$alice"]), '400 invalid user_id: Must be a valid UUID.', 'for a list'],
        ['alice', qq("$bob"), "201 $alice", 'for another user: the caller becomes the owner'],
        ['alice', qq("$nowhere"), "201 $alice", 'for an unknown user: the caller becomes the owner'],
        ['alice', '"abc"', "201 $alice", 'for an invalid UUID: the caller becomes the owner'],
        ['alice', '[7]', "201 $alice", 'for a list: the caller becomes the owner'],
    ) {
        my ($who, $json, $expected, $what) = @$case;
        empty();
        is owner_of(
            call(POST => 'reference-images/', as => $who, body => "{\"user_id\": $json}", type => 'application/json')),
            $expected, "$who creates $what";
    }
};

subtest 'Staff create photos for other users with a form' => sub {
    empty();
    is owner_of(call(POST => 'reference-images/', as => 'admin', form => [user_id => $alice])), "201 $alice",
        'staff create photos for other users with a form';
};

subtest 'Two values of user_id are refused' => sub {
    for my $way ('form', 'parts') {
        is owner_of(call(POST => 'reference-images/', as => 'admin', $way => [user_id => $alice, user_id => $bob])),
            '400 invalid user_id: Give user_id once only.', "two values of user_id in $way are refused";
        is owner_of(
            call(POST => 'admin/reference-images/', as => 'admin', $way => [user_id => $alice, user_id => $alice])),
            '400 invalid user_id: Give user_id once only.',
            'two values of user_id are refused even if they are equal, and below admin/';
    }
};

subtest 'Staff create photos with a picture for other users' => sub {
    is owner_of(call(POST => 'reference-images/', as => 'admin', parts => [user_id => $alice, image => [portrait()]])),
        "201 $alice", 'staff create photos with a picture for other users';
    is owner_of(
        call(POST => 'reference-images/', as => 'admin', parts => [user_id => $nowhere, image => [portrait()]])),
        "404 not_found User $nowhere not found",
        'a picture for an unknown user is refused';
    is scalar(() = stored_files()), 4, 'a picture for an unknown user is not stored';
};

subtest "A photo created for another user counts as the owner's" => sub {
    my $foreign = call(POST => 'reference-images/', as => 'admin', json => { user_id => $alice });
    is call(GET => $foreign->header('Location'), as => 'admin')->content, $foreign->content,
        'the Location of a photo for another user can be read by its creator';
    made('alice') for 1, 2;
    is refusal(call(POST => 'reference-images/', as => 'admin', json => { user_id => $alice })),
        '400 max_images Maximum 5 reference images allowed',
        'the limit counts the photos of the owner, not of the caller';
    reset_pictures();
};

# A single photo ----------------------------------------------------------------------------------

$of_alice = made('alice', name => 'A', order => 1);
$of_bob = made('bob', name => 'B');
my $id = $of_alice->{id};
subtest 'The owner reads a photo by its id in either case' => sub {
    is_deeply json(call(GET => "reference-images/$id/", as => 'alice')), $of_alice, 'GET returns the created photo';
    is_deeply json(call(GET => 'reference-images/' . uc($id) . '/', as => 'alice')), $of_alice,
        'the id may be in upper case';
    is json(patch(uc $id, { name => 'A2' }))->{name}, 'A2', 'the id may be in upper case in PATCH';
};

subtest "Another user's photo cannot be told from an unknown one" => sub {
    for my $way (
        [GET => ''], [PATCH => '', json => { name => 'stolen' }], [PATCH => '', json => { order => 9 }], [DELETE => ''],
        [POST => 'upload-image/', parts => [image => [portrait()]]]
    ) {
        my ($method, $tail, @with) = @$way;
        my $what =
            $method . ($tail ? " $tail" : '') . (@with && $with[0] eq 'json' ? ' ' . join '', keys %{ $with[1] } : '');
        my $unknown = call($method => "reference-images/$nowhere/$tail", as => 'alice', @with);
        is refusal($unknown), '404 not_found Not found.', "$what of an unknown photo is 404";
        my $others = call($method => "reference-images/$of_bob->{id}/$tail", as => 'alice', @with);
        is $others->code . $others->content, $unknown->code . $unknown->content,
            "$what of another user's photo returns the same bytes";
        is headers($others), headers($unknown), "$what of another user's photo returns the same headers";
        my $none = call($method => "reference-images/not-an-id/$tail", as => 'alice', @with);
        is $none->code . $none->content, $unknown->code . $unknown->content,
            "$what of an invalid id returns the same bytes";
        is call($method => "reference-images/$of_bob->{id}/$tail?user_id=$bob", as => 'alice', @with)->content,
            $unknown->content, "$what of another user's photo with ?user_id= is 404, too";
    }
};

subtest 'An invalid id is 404' => sub {
    for my $no_id (
        '1', substr($id, 1), $id . '0', "{$id}", $id =~ s/-/_/gr, $id =~ s/^./g/r, "$id%20", '%27', '-', 'null',
        'undefined', 'ü' =~ s/ü/%C3%BC/r
    ) {
        is refusal(call(GET => "reference-images/$no_id/", as => 'alice')), '404 not_found Not found.',
            "the id '$no_id' is 404";
    }
};

subtest "Refused requests for other users' photos change nothing" => sub {
    is_deeply listed('bob'), [$of_bob], "the other user's photo is unchanged";
    is_deeply [stored_files()], [], 'no files are left';
};

# Staff access other users' photos only with ?user_id=.
subtest "Staff access other users' photos only with ?user_id=" => sub {
    for my $case (
        # query                       expected
        ['', 404],
        ["?user_id=$alice", 200],
        ['?user_id=' . uc $alice, 200],
        ["?user_id=$bob", 404],
        ["?user_id=$nowhere", 404],
        ['?user_id=', 404],
        ['?user_id=abc', 400],
        ["?user_id=$alice&user_id=$alice", 400],
    ) {
        my ($query, $expected) = @$case;
        (my $shown = $query) =~ s/$alice/<alice>/g;
        $shown =~ s/$bob/<bob>/;
        my $path = "reference-images/$id/$query";
        is call(GET => $path, as => 'admin')->code, $expected,
            "staff look at Alice's photo " . ($shown || 'without a query');
        is call(PATCH => $path, as => 'admin', json => { name => 'by staff' })->code, $expected,
            "staff change Alice's photo " . ($shown || 'without a query');
    }
};

subtest 'Staff upload and delete pictures of other users only with ?user_id=' => sub {
    is json(call(
        POST => "reference-images/$id/upload-image/?user_id=$alice", as => 'admin', parts => [image => [portrait()]]
    ))->{user}, $alice, "staff upload a picture to Alice's photo";
    is call(POST => "reference-images/$id/upload-image/", as => 'admin', parts => [image => [portrait()]])->code, 404,
        'staff cannot upload to it without ?user_id=';
    is call(DELETE => "reference-images/$id/", as => 'admin')->code, 404, 'staff cannot delete it without ?user_id=';
    is call(DELETE => "reference-images/$id/?user_id=$alice", as => 'admin')->code, 204,
        'staff delete it with ?user_id=';
    is_deeply [stored_files()], [], 'its files are deleted';
};

# PATCH -------------------------------------------------------------------------------------------

empty();
my $one = made('alice', name => 'one', order => 1);
my $two = made('alice', name => 'two', order => 2);
sub path_of { "reference-images/$_[0]{id}/" }
sub now { call(GET => path_of($one), as => 'alice')->content }

subtest 'PATCH without known fields changes nothing' => sub {
    my $before = now();
    for my $case (
        ['an empty object', [json => {}]],
        ['no body', []],
        ['an empty form', [body => '', type => 'application/x-www-form-urlencoded']],
        ['unknown fields', [json => { nothing => 1, Name => 'x', ORDER => 4, 'name ' => 'x' }]],
        [
            'read-only fields',
            [
                json => {
                    id => $nowhere, user => $bob, user_id => $bob, image => undef, created_at => 'x', updated_at => 0
                }
            ]
        ],
        ['a field named image', [parts => [image => [portrait()]]]],
    ) {
        my ($what, $with) = @$case;
        my $answer = call(PATCH => path_of($one), as => 'alice', @$with);
        is $answer->code, 200, "PATCH with $what succeeds";
        is $answer->content, $before, "PATCH with $what changes nothing, updated_at included";
        is now(), $before, "PATCH with $what leaves the row unchanged";
    }
    is_deeply [stored_files()], [], 'PATCH stores no file';
};

subtest 'PATCH changes only the given fields' => sub {
    my $changed = json(patch($one->{id}, { name => 'new name' }));
    is_deeply [@$changed{qw(id user name order image created_at)}],
        [@$one{qw(id user)}, 'new name', 1, undef, $one->{created_at}], 'PATCH changes only the name';
    ok $changed->{updated_at} gt $one->{updated_at}, 'PATCH changes updated_at';
    is_deeply [@{ json(patch($one->{id}, { order => 4 })) }{qw(name order)}], ['new name', 4],
        'PATCH changes only the order';
    is_deeply [@{ json(patch($one->{id}, { order => 1, name => 'both' })) }{qw(name order)}], ['both', 1],
        'PATCH changes both';
    is_deeply [
        @{ json(call(PATCH => path_of($one), as => 'alice', form => [name => 'by form', order => 3])) }{qw(name order)}
    ], ['by form', 3], 'from a form';
    is_deeply [@{ json(call(PATCH => path_of($one), as => 'alice', parts => [name => 'by multipart', order => 1])) }
            {qw(name order)}
    ], ['by multipart', 1], 'PATCH accepts a form and multipart';
    is_deeply [@{ json(patch($one->{id}, { order => 1 })) }{qw(name order)}], ['by multipart', 1],
        'a photo can be assigned its own slot';
};

subtest 'A refused PATCH changes nothing' => sub {
    my $before = now();
    is refusal(patch($one->{id}, { order => 2, name => 'lost?' })), '400 order_in_use order: Order 2 is already in use',
        'the slot of another photo is refused';
    is refusal(patch($one->{id}, { order => 7, name => 'lost?' })),
        '400 order_range order: Order must be between 0 and 4',
        'a slot out of range is refused';
    is refusal(patch($one->{id}, { name => 5, order => 3 })), '400 invalid name: Not a valid string.',
        'a number as name is refused';
    is refusal(patch($one->{id}, { order => undef, name => 'lost?' })),
        '400 invalid order: This field may not be null.',
        'an order of null is refused';
    is now(), $before, 'refused changes change nothing';
};

subtest 'A name can be emptied, and other photos are unchanged' => sub {
    is json(patch($one->{id}, { name => '' }))->{name}, '', 'a name can be set to empty';
    patch($one->{id}, { name => 'back' });
    is json(patch($one->{id}, { name => undef }))->{name}, '', 'a name can be set to empty by null';
    is_deeply json(call(GET => path_of($two), as => 'alice')), $two, 'the other photo is unchanged';
};

# A body without files has its own limit: exactly that many bytes are accepted, one more is refused.
subtest 'A body without files has its own limit' => sub {
    for my $case ([1024 * 1024, 200], [1024 * 1024 + 1, 413]) {
        my ($bytes, $expected) = @$case;
        my $head = '{"name":"back"';
        is call(
            PATCH => path_of($one), as => 'alice', type => 'application/json',
            body => $head . ' ' x ($bytes - length($head) - 1) . '}'
            )->code, $expected,
            "a JSON body of $bytes bytes is " . ($expected == 200 ? 'accepted' : 'refused');
    }
};

# DELETE ------------------------------------------------------------------------------------------

subtest 'A deleted photo is gone, and its slot is free again' => sub {
    my $answer = call(DELETE => path_of($one), as => 'alice');
    is $answer->code, 204, 'a photo is deleted';
    is $answer->content, '', 'without a body';
    is $answer->header('Content-Type'), undef, 'the response has no Content-Type';
    is refusal(call(DELETE => path_of($one), as => 'alice')), '404 not_found Not found.', 'a second delete is 404';
    is refusal(call(GET => path_of($one), as => 'alice')), '404 not_found Not found.', 'GET of a deleted photo is 404';
    is_deeply listed('alice'), [$two], 'the other photo is still listed';
    is made('alice', order => 1)->{order}, 1, 'the slot is free again';
};

# Objects that another process has claimed stay in the manifest: it may not have deleted them yet.
sub manifest_of {
    my ($photo) = @_;
    my ($uuid) = $photo->{image}{original} =~ m{/media/([0-9a-f-]{36})/};
    return join ' ', sql("SELECT state, claim, count(*) FROM stored_objects WHERE picture = '$uuid' GROUP BY 1, 2");
}

subtest 'Objects that another process has claimed stay in the manifest' => sub {
    my ($lost, $own) =
        map { json(call(POST => 'reference-images/', as => 'bob', parts => [image => [portrait()]])) } 1 .. 2;

    my $theirs = '00000000-0000-4000-8000-00000000c1a1';
    sql(
        "CREATE FUNCTION test_claimed() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN NEW.claim := '$theirs'; RETURN "
            . "NEW; END \$\$;"
            . " CREATE TRIGGER test_claimed BEFORE UPDATE OF claim ON stored_objects FOR EACH ROW EXECUTE FUNCTION "
            . "test_claimed()");
    is call(DELETE => path_of($lost), as => 'bob')->code, 204,
        'a photo is deleted while another process claims its objects';
    sql('DROP TRIGGER test_claimed ON stored_objects; DROP FUNCTION test_claimed()');
    call(DELETE => path_of($own), as => 'bob');
    ok eventually(sub { manifest_of($own) eq '' }), 'the manifest forgets the objects that no other process claimed';
    is manifest_of($lost), "doomed|$theirs|4", 'the objects claimed by another process stay in the manifest';
    sql("DELETE FROM stored_objects WHERE claim = '$theirs'");
};

finish();
