# client_habits.t - unusual input of clients: null, numbers as strings, big numbers, unknown members, several
# invalid fields at once; and the sentences about limits, at odd limits.
use strict;
use warnings;
use utf8;
use IdentityImg::Admin;
use IdentityImg::Bombs ();
use IdentityImg::Server;
use IdentityImg::Test;
use JSON::PP ();
use Test::More;

fresh_data();
my ($alice, $bob) = map { person($_) } qw(alice bob);
my $null = JSON::PP::null;
my $big = '9' x 40;

sub body {
    my ($method, $path, $body, $as) = @_;
    return call($method => $path, as => $as // 'admin', body => $body, type => 'application/json');
}
# "400 code: detail | field: sentence; sentence | ..."
sub all_errors {
    my ($answer) = @_;
    my $said = json($answer);
    return join ' | ', $answer->code . " $said->{code}: $said->{detail}",
        map { "$_: " . join '; ', @{ $said->{errors}{$_} } } sort keys %{ $said->{errors} // {} };
}

# All invalid fields ------------------------------------------------------------------------------

my $long = 'x' x 300;
my $too = sub { "Ensure this field has no more than $_[0] characters." };
my ($string, $uuid, $integer, $bool, $blank, $required) = (
    'Not a valid string.', 'Must be a valid UUID.', 'A valid integer is required.', 'Must be a valid boolean.',
    'This field may not be blank.', 'This field is required.'
);
my $range = 'Order must be between 0 and 4';
my $photo = json(call(POST => 'reference-images/', as => 'alice', json => {}))->{id};
for my $case (
    [
        POST => 'reference-images/', { name => $long, order => 'x', user_id => 'y', image => 'z' },
        "400 invalid: $uuid | image: The submitted data was not a file. Check the encoding type on the form. | name: "
            . "@{[$too->(255)]} | order: $integer | user_id: $uuid"
    ],
    [POST => 'reference-images/', { name => 5, order => 9 }, "400 invalid: $string | name: $string | order: $range"],
    [
        PATCH => "admin/reference-images/$photo/?swap=x", { name => 5, order => 9 },
        "400 invalid: $string | name: $string | order: $range | swap: $bool"
    ],
    [
        POST => 'admin/reference-images/', { name => 5, order => 9 },
        "400 invalid: $required | name: $string | order: $range | user_id: $required"
    ],
    [
        POST => 'admin/identities/',
        { user_id => 'x', name => '', category => $long, i_am_statement => 1, visualization => [], notes => [1] },
        "400 invalid: $uuid | category: @{[$too->(255)]} | i_am_statement: $string | name: $blank | notes: $string | "
            . "user_id: $uuid | visualization: $string"
    ],
    [
        POST => 'admin/identities/', {},
        "400 invalid: $required | category: $required | name: $required | user_id: $required"
    ],
    [
        POST => 'admin/users/',
        { email => 'x', first_name => 1, last_name => $long, is_staff => 'x', is_active => $null, password => 'short' },
        "400 invalid: $string | email: Enter a valid email address. | first_name: $string | is_active: This field may "
            . "not be null. | is_staff: $bool | last_name: @{[$too->(150)]} | password: Ensure this field has at least "
            . "8 characters."
    ],
    [
        POST => 'admin/users/', { password => 'short' },
        "400 invalid: $required | email: $required | password: Ensure this field has at least 8 characters."
    ],
    [POST => 'admin/test-scenarios/', { user_id => 'x' }, "400 invalid: $required | name: $required | user_id: $uuid"],
    [
        POST => 'prompts/',
        { prompt_type => 'image_generation', body => 'x', is_active => 5, required_context_keys => ['x'] },
        qr/^400 prompt_placeholders|^400 invalid: $bool \| body: .*\| is_active: $bool \| required_context_keys: "x" is not a valid choice/
    ],
    [
        POST => 'prompts/preview/', { identity_id => 'x', prompt_id => 'y', additional_prompt => [] },
        "400 invalid: $uuid | additional_prompt: $string | identity_id: $uuid | prompt_id: $uuid"
    ],
    [
        POST => 'image-generation/generate/',
        {
            user_id => 'x', additional_prompt => 1, save_to_identity => 'x', aspect_ratio => '1:7', resolution => '9K',
            model => 'x', reference_image_ids => ['x']
        },
        qr/^400 invalid: $required \| additional_prompt: $string \| aspect_ratio: .* \| identity_id: $required \| model: .* \| reference_image_ids: $uuid \| resolution: .* \| save_to_identity: $bool \| user_id: $uuid$/
    ],
    [
        POST => 'auth/login/', { token => 'x' },
        "400 invalid: $required | email: $required | password: $required | token: $bool"
    ],
    [
        GET => 'admin/users/?limit=0&before=x&is_staff=x', undef,
        qr/^400 invalid: Must be from 1 to 100\. \| before: .* \| is_staff: $bool \| limit: /
    ],
    [
        GET => 'image-generation/jobs/?state=x&user_id=y&identity_id=z', undef,
        qr/^400 invalid: $uuid \| identity_id: $uuid \| state: .* \| user_id: $uuid$/
    ],
) {
    my ($method, $path, $body, $expected) = @$case;
    my $said = all_errors(call($method => $path, as => 'admin', $body ? (json => $body) : ()));
    ref $expected ? like $said, $expected, "$method $path names every field at fault" : is $said, $expected,
        "$method $path names every invalid field";
}
is all_errors(call(POST => 'reference-images/', as => 'alice', form => [name => $long, order => 'x'])),
    "400 invalid: @{[$too->(255)]} | name: @{[$too->(255)]} | order: $integer",
    'a response to a form names every invalid field';
is all_errors(call(POST => 'reference-images/', as => 'alice', parts => [name => $long, order => '7'])),
    "400 invalid: @{[$too->(255)]} | name: @{[$too->(255)]} | order: $range",
    'a response to a multipart form names every invalid field';

# null --------------------------------------------------------------------------------------------

my $named =
    call(POST => 'reference-images/', as => 'alice', json => { name => $null, order => $null, extra => { a => [1] } });
is join(' ', $named->code, json($named)->{name}), '201 ', 'a name of null becomes empty';
is json(call(
    POST => 'admin/users/', as => 'admin',
    json => { email => 'n@example.com', first_name => $null, last_name => $null }
))->{first_name}, '', 'a first name of null becomes empty';
is call(
    POST => 'prompts/preview/',
    as => 'admin',
    json => {
        identity_id => identity_of('full'), body => '{identity_context}{additional_prompt}', additional_prompt => $null
    }
)->code, 200, 'an additional prompt of null is accepted in a preview';
call(POST => 'reference-images/', as => 'bob', parts => [image => [portrait()]]);
my $made = call(
    POST => 'image-generation/generate/',
    as => 'admin',
    json => {
        identity_id => identity_of('full'), user_id => $bob, additional_prompt => $null, aspect_ratio => $null,
        resolution => $null, model => $null, save_to_identity => $null, reference_image_ids => $null
    }
);
is $made->code, 200, 'optional members of generate/ may be null' or diag $made->content;
is json($made)->{job}{additional_prompt}, '', 'an additional prompt of null is stored as empty';

# Integers ----------------------------------------------------------------------------------------

my $order = "400 order_range order: $range";
for my $number (
    $big, "-$big", '9223372036854775808', '-9223372036854775809', '9223372036854775807', 4294967296,
    4294967297, -4294967295
) {
    is refusal(body(POST => 'reference-images/', "{\"order\": $number}", 'bob')), $order,
        "an order of $number is out of range";
    is refusal(body(PATCH => "reference-images/$photo/", "{\"order\" :$number }", 'alice')), $order,
        "an order of $number is out of range in a PATCH";
    is refusal(call(POST => 'reference-images/', as => 'bob', form => [order => $number])), $order,
        "an order of $number is out of range in a form";
    is body(
        PATCH => "reference-images/$photo/",
        "{\"unknown\":[$number,{\"a\":$number}],\"name\":\"has $number in it\"}", 'alice'
        )->code, 200,
        "$number is ignored in an unknown member";
    is json(call(GET => "reference-images/$photo/", as => 'alice'))->{name}, "has $number in it",
        "$number in a string stays unchanged";
}
like refusal(body(POST => 'reference-images/', $_, 'bob')), qr/^400 parse_error JSON parse error - /, "$_ is not JSON"
    for "{\"order\":0$big}", "{\"order\":-}", "{\"order\":+$big}", "{\"order\":$big$big-}", "{\"a\":1e999}";
is refusal(body(POST => 'reference-images/', "{\"name\":$big}", 'bob')), "400 invalid name: $string",
    'a big number is not a string';
like refusal(body(POST => 'reference-images/', "{\"order\":$big,\n \"x\" 1}", 'bob')), qr/line 2 column \d/,
    'a syntax error after a big number is reported with its position';
my @key = (headers => ['Idempotency-Key' => 'big']);
is call(POST => 'reference-images/', as => 'bob', body => "{\"x\":$big}", type => 'application/json', @key)->code, 201,
    'a request with a big number and a key is accepted';
is call(POST => 'reference-images/', as => 'bob', body => "{\"x\":${big}1}", type => 'application/json', @key)->code,
    422, 'a bigger number with the same key is a different request';

# Five photos -------------------------------------------------------------------------------------

reset_pictures();
call(POST => 'reference-images/', as => 'alice', json => {}) for 1 .. 5;
my $max = '400 max_images Maximum 5 reference images allowed';
is refusal(call(POST => 'reference-images/', as => 'alice', json => { order => $_ })), $max,
    "with five photos a create with order $_ is refused by the limit" for 0, 4, 5, -1, '17';
is refusal(body(POST => 'reference-images/', "{\"order\":$big}", 'alice')), $max,
    'with five photos a create with a big order is refused by the limit';
is refusal(call(POST => 'reference-images/', as => 'alice', parts => [order => 9, image => [portrait()]])), $max,
    'with five photos a create with a picture is refused by the limit';

# Slashes -----------------------------------------------------------------------------------------

my $server =
    IdentityImg::Server->new('odd', conf => "MergeSlashes Off\nIdentityImgMaxUpload 983041\nIdentityImgMaxPixels 1 1\n")
    ->start;
my @there = (base => $server->base);
for my $case (
    ['GET', 'users//me/', 200], ['GET', '/users/me//', 200], ['GET', 'reference-images//' . 'x/', 404],
    ['PATCH', 'users//me/', 405], ['GET', 'admin//users/', 403], ['GET', 'nothing//', 404]
) {
    my ($method, $path, $status) = @$case;
    my ($merged, $kept) = map { call($method => "/api/v1/$path", as => 'alice', @$_) } [], \@there;
    is join(' ', $merged->code, $kept->code), "$status $status",
        "$method $path: repeated slashes count as one, with MergeSlashes on and off";
    is undated(json($merged))->{detail} // '', undated(json($kept))->{detail} // '',
        "$method $path: the responses are the same with MergeSlashes on and off";
}
is call(GET => '/api/v1//users/me/', @there)->code, 401, 'repeated slashes do not bypass authentication';

# Limits in sentences -----------------------------------------------------------------------------

sub upload {
    my ($bytes) = @_;
    return refusal(
        call(POST => 'reference-images/', as => 'bob', @there, parts => [image => [undef, 'x.png', Content => $bytes]])
    );
}
like upload('x' x 983041), qr/^400 unsupported_image/, 'a file at the limit is decoded';
is upload('x' x 983042), '413 upload_too_large The upload has 983042 bytes; at most 983041 are allowed.',
    'a file one byte over the limit: the sentence names the true limit';
like upload('x' x 1_100_000), qr/^413 upload_too_large The upload has 1100\d{3} bytes; at most 983041 are allowed\.$/,
    'a request that is too large as a whole is 413 with the limit';
is upload(IdentityImg::Bombs::png(1000, 1001)),
    '413 too_many_pixels image: The picture has 1.1 megapixels (1000 x 1001); at most 1 are allowed.',
    'a picture with one row too many is 413 with its megapixels';
for my $case ([65536, '65536'], [104_858, '104858'], [1_048_576, '1.0 MB'], [524_288, '0.5 MB']) {
    my ($limit, $said) = @$case;
    is $server->reload("IdentityImgMaxUpload $limit\n"), '', "the limit $limit is accepted by the configuration";
    like upload('x' x ($limit + 200_000)),
        qr/^413 upload_too_large The upload has (?:\d+ bytes|\d+\.\d MB); at most \Q$said\E are allowed\.$/,
        "the limit $limit is shown as $said";
    like upload('x' x ($limit + 1)),
        qr/^413 upload_too_large The upload has @{[$limit + 1]} bytes; at most $limit(?: \(\d\.\d MB\))? are allowed\.$/,
        "one byte more than $limit is shown in bytes";
}
$server->judge;

finish();
