# prompts.t - prompt versions: list, add, activate, read, preview.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Test::More;
use Time::HiRes 'time';

fresh_data();
sql(q(DELETE FROM prompts WHERE prompt_type <> 'image_generation'));

my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
my $time = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/;
my $nowhere = '00000000-0000-4000-8000-0000000009ff';
my ($full, $bare, $unicode) = map { identity_of($_) } qw(full bare unicode);
my $good = "Show {identity_context}\nwith {additional_prompt}";
my $allowed =
      ' is not a placeholder. Allowed: {identity_context}, {additional_prompt}. '
    . 'Double the braces to keep them literally.';
my ($first) = sql(q(SELECT id FROM prompts WHERE prompt_type = 'image_generation' AND version = 1));

# "400 invalid body: sentence"
sub refusal {
    my ($answer) = @_;
    my $body = json($answer) // return $answer->as_string;
    my ($field) = ref $body eq 'HASH' ? keys %{ $body->{errors} // {} } : ();
    return join ' ', $answer->code,
        ref $body eq 'HASH' ? ($body->{code} // '', $field ? "$field:" : (), $body->{detail} // '') : ();
}
# Members replace or add to the usual ones; a member that is $none is removed.
my $none = \'left out';

sub with {
    my ($usual, %change) = @_;
    my %body = (%$usual, %change);
    delete $body{$_} for grep { ref $body{$_} && $body{$_} == $none } keys %body;
    return \%body;
}

sub create {
    return call(
        POST => 'prompts/', as => 'admin',
        json => with({ prompt_type => 'image_generation', body => $good }, @_)
    );
}

sub preview {
    return call(POST => 'prompts/preview/', as => 'admin', json => with({ body => $good, identity_id => $full }, @_));
}
sub patch { my ($id, $change, $who) = @_; return call(PATCH => "prompts/$id/", as => $who // 'admin', json => $change) }

sub versions {
    my ($type) = @_;
    return join ' ', sql("SELECT version FROM prompts WHERE prompt_type = '$type' ORDER BY version");
}
sub rows { return (sql('SELECT count(*) FROM prompts'))[0] }

# Access ------------------------------------------------------------------------------------------

for my $case (
    [GET => 'prompts/'],
    [GET => 'prompts/?prompt_type=nonsense'],
    [GET => 'prompts/?prompt_type=%zz'],
    [POST => 'prompts/', json => { prompt_type => 'coach', body => 'x' }],
    [POST => 'prompts/', body => 'no JSON', type => 'text/plain'],
    [GET => "prompts/$first/"],
    [GET => "prompts/$nowhere/"],
    [PATCH => "prompts/$first/", json => { is_active => JSON::PP::false }],
    [PATCH => "prompts/$first/", json => { body => 'x' }],
    [PATCH => "prompts/$nowhere/", body => '{', type => 'application/json'],
    [POST => 'prompts/preview/', json => { body => $good, identity_id => $full }],
    [POST => 'prompts/preview/', json => { identity_id => $nowhere }],
) {
    my ($method, $path, @with) = @$case;
    is refusal(call($method => $path, @with)), '401 not_authenticated Authentication credentials were not provided.',
        "$method $path without credentials is 401";
    is refusal(call($method => $path, @with, as => $_)),
        '403 permission_denied You do not have permission to perform this action.', "$method $path by $_ is 403"
        for qw(alice scenario_one);
}
is join(' ', sql('SELECT is_active FROM prompts')), 't', 'refused requests change nothing';

for my $case (
    ['prompts/', 'GET, HEAD, POST, OPTIONS'], ["prompts/$first/", 'GET, HEAD, PATCH, OPTIONS'],
    ["prompts/$nowhere/", 'GET, HEAD, PATCH, OPTIONS'], ['prompts/preview/', 'POST, OPTIONS']
) {
    my ($path, $allow) = @$case;
    is call(OPTIONS => $path)->header('Allow'), $allow, "OPTIONS $path returns the methods";
    for my $method (grep { $allow !~ /\b$_\b/ } qw(GET POST PUT PATCH DELETE)) {
        my $answer = call($method => $path, as => 'admin');
        is refusal($answer) . ' | ' . $answer->header('Allow'),
            "405 method_not_allowed Method \"$method\" not allowed. | $allow", "$method $path is 405";
    }
}
for my $path (
    "prompts/$nowhere/", 'prompts/not-an-id/', 'prompts/previews/', 'prompts/Preview/', "prompts/$full/",
    "prompts/$first/preview/"
) {
    is call(GET => $path, as => 'admin')->content, '{"detail":"Not found.","code":"not_found"}',
        "GET $path is 404";
}
for my $id ($nowhere, 'not-an-id') {
    is refusal(patch($id, { is_active => JSON::PP::false })), '404 not_found Not found.', "PATCH of $id is 404";
    is refusal(patch($id, { body => 'x' })), '404 not_found Not found.',
        'PATCH of a missing version is 404 with any body';
}
is join(' ', call(GET => 'prompts/preview', as => 'admin')->code, call(POST => 'prompts/preview', as => 'admin')->code),
    '301 404', 'a path without its slash is redirected for GET and 404 for POST';

# Reading -----------------------------------------------------------------------------------------

my $seeded = call(GET => "prompts/$first/", as => 'admin');
is $seeded->code, 200, 'staff read a version';
like $seeded->content,
    qr/^\{"id":"$first","prompt_type":"image_generation","version":1,"body":"We're creating an Identity Image for this person\.\\n\\n\{identity_context\}\\n\\nCreate [^"]*Additional instructions: \{additional_prompt\}","is_active":true,"required_context_keys":\["identity_for_image"\],"created_by":null,"created_at":"$time"\}$/,
    'a version has exactly these members in order';
is call(GET => 'prompts/', as => 'admin')->content, '[' . $seeded->content . ']',
    'the list has the version with the same bytes';
is call(GET => 'prompts/' . uc($first) . '/', as => 'admin')->content, $seeded->content, 'the id may be in upper case';

# New versions ------------------------------------------------------------------------------------

my $answer = create();
is $answer->code, 201, 'staff add a version' or diag $answer->content;
my $second = json($answer);
is $answer->header('Location'), base_url() . "/api/v1/prompts/$second->{id}/", 'Location is the URL of the version';
is call(GET => $answer->header('Location'), as => 'admin')->content, $answer->content,
    'GET of the Location returns the same bytes';
is_deeply { %$second, id => 1, created_at => 1 },
    {
    id => 1, prompt_type => 'image_generation', version => 2, body => $good, is_active => JSON::PP::true,
    required_context_keys => [], created_by => person('admin'), created_at => 1
    },
    'the new version has number 2, is active, and has its creator';
like $second->{created_at}, qr/^$time$/, 'created_at is a timestamp';
is json(create(
    is_active => JSON::PP::false, version => 77, id => $nowhere, created_by => person('alice'),
    required_context_keys => ['identity_for_image', 'additional_prompt']
    ))->{version}, 3,
    'the next version has number 3, whatever number was sent';
is join(
    ' ',
    sql(
              "SELECT is_active, required_context_keys, created_by = '"
            . person('admin')
            . q(' FROM prompts WHERE version = 3)
    )
    ),
    'f|{identity_for_image,additional_prompt}|t', 'the version is inactive, with its keys and its real creator';
is json(create(prompt_type => 'coach', body => 'a coach prompt starts at version 1 and may have any body'))->{version},
    1,
    'another type begins at 1, and its body is its own matter';
is json(create(prompt_type => 'coach', body => "c", required_context_keys => ['user_notes', ' spaced ']))
    ->{required_context_keys}[1], 'spaced', 'keys of a coach prompt are arbitrary and trimmed';
is json(create(prompt_type => 'sentinel', body => "s"))->{version}, 1, 'a sentinel prompt starts at version 1';

my $text = "  \n\tTabs, \"quotes\", \\backslashes\\, {{braces}}, 模範 🎨 {identity_context}{additional_prompt}\r\n \x{a0}";
is json(create(body => $text))->{body}, $text, 'a body is returned exactly as sent, including white space at its ends';
is(
    (sql("SELECT encode(convert_to(body, 'UTF8'), 'hex') FROM prompts WHERE version = 4"))[0],
    do { my $bytes = $text; utf8::encode($bytes); unpack 'H*', $bytes }, 'a body is stored exactly as sent'
);
my $long = $good . 'ü' x (100_000 - length $good);
is length json(create(body => $long))->{body}, 100_000, 'a body of 100,000 characters is accepted';
for my $way ('form', 'parts') {
    my $made = json(call(
        POST => 'prompts/', as => 'admin',
        $way => [prompt_type => 'coach', body => ' from a form ', is_active => 'false', required_context_keys => 'a,b']
    ));
    is join('|', map { ref $_ eq 'ARRAY' ? "@$_" : $_ } @$made{qw(body is_active required_context_keys)}),
        ' from a form |0|a b', "a form creates a version ($way)";
}

is join(' ', map { "$_->{prompt_type}/$_->{version}" } @{ json(call(GET => 'prompts/', as => 'admin')) }),
    'coach/4 coach/3 coach/2 coach/1 image_generation/5 image_generation/4 image_generation/3 image_generation/2 '
    . 'image_generation/1 sentinel/1',
    'the list has all versions, by type, newest first';
is join(
    ' ',
    map { "$_->{prompt_type}/$_->{version}" } @{ json(call(GET => 'prompts/?prompt_type=coach', as => 'admin')) }
    ),
    'coach/4 coach/3 coach/2 coach/1', 'prompt_type filters the list';
is scalar @{ json(call(GET => 'prompts/?prompt_type=', as => 'admin')) }, 10, 'an empty prompt_type is ignored';
is call(HEAD => 'prompts/?prompt_type=coach', as => 'admin')->code, 200, 'HEAD of the filtered list succeeds';
for my $case (
    ['nonsense', 'nonsense'], ['COACH', 'COACH'], ["coach'", 'coach%27'],
    ['coach,sentinel', 'coach,sentinel'], ['<b>', '%3Cb%3E']
) {
    my ($value, $query) = @$case;
    is refusal(call(GET => "prompts/?prompt_type=$query", as => 'admin')),
        "400 invalid prompt_type: \"$value\" is not a valid choice. Allowed: image_generation, sentinel, coach.",
        "the unknown type $value is refused";
}
is refusal(call(GET => "prompts/?prompt_type=%00", as => 'admin')), '400 invalid Null characters are not allowed.',
    'a NUL in the type is refused';

# Refused requests --------------------------------------------------------------------------------

my $before = rows();
for my $case (
    ['no type', { prompt_type => $none }, '400 invalid prompt_type: This field is required.'],
    [
        'an unknown type', { prompt_type => 'poem' },
        '400 invalid prompt_type: "poem" is not a valid choice. Allowed: image_generation, sentinel, coach.'
    ],
    [
        'an empty type', { prompt_type => '' },
        '400 invalid prompt_type: "" is not a valid choice. Allowed: image_generation, sentinel, coach.'
    ],
    ['a type of null', { prompt_type => JSON::PP::null }, '400 invalid prompt_type: This field may not be null.'],
    ['a type that is a list', { prompt_type => ['coach'] }, '400 invalid prompt_type: Not a valid string.'],
    ['no body', { body => $none }, '400 invalid body: This field is required.'],
    ['an empty body', { body => '' }, '400 invalid body: This field may not be blank.'],
    ['a body of white space', { body => " \n\t\x{a0}\x{2003}" }, '400 invalid body: This field may not be blank.'],
    [
        'a blank body of a coach', { prompt_type => 'coach', body => '  ' },
        '400 invalid body: This field may not be blank.'
    ],
    ['a body of null', { body => JSON::PP::null }, '400 invalid body: This field may not be null.'],
    ['a body that is a number', { body => 7 }, '400 invalid body: Not a valid string.'],
    ['a body with NUL', { body => "$good\0" }, '400 invalid body: Null characters are not allowed.'],
    [
        '100,001 characters', { body => "$long." },
        '400 invalid body: Ensure this field has no more than 100000 characters.'
    ],
    [
        '100,001 of a coach', { prompt_type => 'coach', body => 'x' x 100_001 },
        '400 invalid body: Ensure this field has no more than 100000 characters.'
    ],
    [
        'white space and 100,000 characters', { body => $good . ' ' x 100_000 },
        '400 invalid body: Ensure this field has no more than 100000 characters.'
    ],
    [
        'no placeholder', { body => 'A picture.' },
        '400 prompt_placeholders body: Required placeholders are missing: {identity_context}, {additional_prompt}.'
    ],
    [
        'one placeholder', { body => '{identity_context}' },
        '400 prompt_placeholders body: Required placeholders are missing: {additional_prompt}.'
    ],
    [
        'the other placeholder', { body => '{additional_prompt}' },
        '400 prompt_placeholders body: Required placeholders are missing: {identity_context}.'
    ],
    [
        'a placeholder as text', { body => '{{identity_context}} {additional_prompt}' },
        '400 prompt_placeholders body: Required placeholders are missing: {identity_context}.'
    ],
    ['an unknown placeholder', { body => "$good {name}" }, "400 prompt_placeholders body: {name}$allowed"],
    [
        'a misspelled placeholder', { body => '{identity_contxt} {additional_prompt}' },
        "400 prompt_placeholders body: {identity_contxt}$allowed"
    ],
    [
        'a Python attribute as placeholder', { body => "$good {identity_context.__class__}" },
        "400 prompt_placeholders body: {identity_context.__class__}$allowed"
    ],
    ['is_active of null', { is_active => JSON::PP::null }, '400 invalid is_active: This field may not be null.'],
    ['is_active that is a string', { is_active => 'true' }, '400 invalid is_active: Must be a valid boolean.'],
    [
        'keys that are not a list', { required_context_keys => 'identity_for_image' },
        '400 invalid required_context_keys: Expected a list of texts.'
    ],
    [
        'keys that are numbers', { required_context_keys => [1] },
        '400 invalid required_context_keys: Not a valid string.'
    ],
    [
        'an empty key', { required_context_keys => [' '] },
        '400 invalid required_context_keys: This field may not be blank.'
    ],
    [
        'an unknown key', { required_context_keys => ['identity_for_image', 'mood'] },
        '400 invalid required_context_keys: "mood" is not a valid choice. Allowed: identity_for_image, '
            . 'additional_prompt.'
    ],
    [
        'a long key of a coach', { prompt_type => 'coach', required_context_keys => ['x' x 101] },
        '400 invalid required_context_keys: Ensure this field has no more than 100 characters.'
    ],
    [
        '51 keys of a coach', { prompt_type => 'coach', required_context_keys => [('x') x 51] },
        '400 invalid required_context_keys: At most 50 items.'
    ],
) {
    my ($what, $change, $expected) = @$case;
    is refusal(create(%$change)), $expected, "$what is refused";
}
is refusal(call(
    POST => 'prompts/', as => 'admin', body => "{\"prompt_type\": \"coach\", \"body\": \"\\ud800\"}",
    type => 'application/json'
    )) =~ s/JSON parse error.*/JSON parse error/sr, '400 parse_error JSON parse error',
    'half a surrogate pair is refused';
is refusal(call(POST => 'prompts/', as => 'admin', body => '[]', type => 'application/json')),
    '400 invalid Invalid data. Expected a dictionary, but got list.', 'a list is refused';
is refusal(call(POST => 'prompts/', as => 'admin', body => 'x', type => 'text/plain')),
    '415 unsupported_media_type Unsupported media type "text/plain" in request.', 'text is refused';
is refusal(call(
    POST => 'prompts/', as => 'admin', parts => [prompt_type => 'coach', body => [undef, 'a.txt', Content => 'x']]
    )),
    '400 invalid body: Not a valid string.', 'a file as body is refused';
is rows(), $before, 'refused requests create no version';
for my $body (
    "$good {0} { } {} %s %(x)s \$y } {", "$good {{name}} {{{{", "$good { identity_context } {1st} {é} {a b}",
    '{{{identity_context}}} {additional_prompt}'
) {
    is create(body => $body)->code, 201, "'" . substr($body, -30) =~ s/\n/ /gr . "' has no unknown placeholder";
}

# On and off --------------------------------------------------------------------------------------

my $row = json(call(GET => "prompts/$second->{id}/", as => 'admin'));
for my $case (
    # sent                                             name
    [{ is_active => JSON::PP::false }, 0, 'turned off'],
    [{ is_active => JSON::PP::false }, 0, 'turned off again'],
    [{}, 0, 'unchanged by an empty object'],
    [
        {
            version => 9, prompt_type => 'coach', id => $nowhere, created_by => undef, required_context_keys => ['x'],
            nonsense => [1]
        },
        0,
        'unchanged by read-only or unknown members'
    ],
    [{ is_active => JSON::PP::true, version => 9 }, 1, 'turned on'],
) {
    my ($sent, $active, $what) = @$case;
    my $answer = patch($second->{id}, $sent);
    is $answer->code, 200, "a version is $what";
    is_deeply json($answer), { %$row, is_active => $active ? JSON::PP::true : JSON::PP::false },
        "a version is $what: nothing else changes";
    is call(GET => "prompts/$second->{id}/", as => 'admin')->content, $answer->content,
        "a version is $what: GET returns the same bytes";
}
is json(call(PATCH => "prompts/$second->{id}/", as => 'admin', form => [is_active => 'off']))->{is_active},
    JSON::PP::false, 'a form can turn the version off';
patch($second->{id}, { is_active => JSON::PP::true });
for my $case (
    [{ body => 'New words' }, 'body: A prompt\'s body cannot be changed; create a new version.'],
    [{ body => $good }, 'body: A prompt\'s body cannot be changed; create a new version.'],
    [{ body => JSON::PP::null }, 'body: A prompt\'s body cannot be changed; create a new version.'],
    [{ body => 'x', is_active => JSON::PP::false }, 'body: A prompt\'s body cannot be changed; create a new version.'],
    [{ is_active => JSON::PP::null }, 'is_active: This field may not be null.'],
    [{ is_active => 'no' }, 'is_active: Must be a valid boolean.'],
    [{ is_active => 0 }, 'is_active: Must be a valid boolean.'],
) {
    my ($sent, $expected) = @$case;
    is refusal(patch($second->{id}, $sent)), "400 invalid $expected",
        'a change of ' . JSON::PP->new->canonical->encode($sent) . ' is refused';
}
is refusal(call(PATCH => "prompts/$second->{id}/", as => 'admin', body => 'x', type => 'a/b')),
    '415 unsupported_media_type Unsupported media type "a/b" in request.', 'a body of an unknown type is refused';
is_deeply json(call(GET => "prompts/$second->{id}/", as => 'admin')), $row, 'refused changes change nothing';

# Preview -----------------------------------------------------------------------------------------

my $context =
    qq(Identity Name: "Creative Visionary"\nCategory: passions_and_talents\nI Am Statement: I am a creative force who )
    . qq({shapes} the future.\n)
    . "Visualization: Standing in a sunlit studio, surrounded by work.\nNotes: paints daily; teaches on Sundays";
$before = rows();
$answer = preview();
is $answer->code, 200, 'a body is rendered for an identity' or diag $answer->content;
is_deeply json($answer),
    {
    prompt => "Show $context\nwith None provided", prompt_id => undef, prompt_version => undef, identity => $full,
    warnings => []
    },
    'a preview equals the prompt of a generation';
like $answer->content,
    qr/^\{"prompt":"[^"\\]*(?:\\.[^"\\]*)*","prompt_id":null,"prompt_version":null,"identity":"$full","warnings":\[\]\}$/,
    'the preview has these members in order';
is json(preview(additional_prompt => ' In {identity_context} the {0} %s }} rain. '))->{prompt},
    "Show $context\nwith In {identity_context} the {0} %s }} rain.",
    'the additional prompt is inserted as it is, trimmed like in generate/';
is json(preview(body => ' {{identity_context}} {{{identity_context}}} {unknown} {0} { %s {additional_prompt}'))
    ->{prompt}, " {identity_context} {$context} {unknown} {0} { %s None provided",
    'doubled braces become single ones, unknown placeholders stay';
is_deeply json(preview(body => '{identity_context} {mood}'))->{warnings}, ["{mood}$allowed"],
    'an unknown placeholder is a warning';
is_deeply json(preview(body => 'x'))->{warnings},
    ['Required placeholders are missing: {identity_context}, {additional_prompt}.'],
    'missing placeholders are a warning';
$answer = json(preview(body => $none, prompt_id => uc $first, identity_id => $unicode));
is join(' ', @$answer{qw(prompt_id prompt_version identity)}), "$first 1 $unicode", 'a saved version can be previewed';
like $answer->{prompt},
    qr/^We're creating .*\n\nIdentity Name: "Café 模範 🎨"\nCategory: keeper_of_the_home\nI Am Statement: I am naïve & proud\.\nTwo lines\.\nNotes: one note\n\nCreate .*instructions: None provided$/s,
    'a preview works with any identity';
is json(
    call(POST => 'prompts/preview/', as => 'admin', form => [prompt_id => $first, body => '', identity_id => $bare]))
    ->{errors}{body}[0], 'This field may not be blank.', 'an empty body is refused, even beside a version';
is call(POST => 'prompts/preview/', as => 'admin', form => [prompt_id => $first, identity_id => $bare])->code, 200,
    'a form requests a preview';
sql(      "INSERT INTO identities (id, user_id, name, category, i_am_statement, visualization, notes) VALUES "
        . "('00000000-0000-4000-8000-0000000000f9', '"
        . person('alice')
        . q~', '{additional_prompt}', '{identity_context}', '{{x}} %s {0} \1 $1 }} {{', ~
        . q~E'{identity_context.__class__}\n"\\\\', ARRAY['{', '}', '{additional_prompt}'])~);
is json(preview(identity_id => '00000000-0000-4000-8000-0000000000f9', additional_prompt => '{additional_prompt}'))
    ->{prompt},
    qq(Show Identity Name: "{additional_prompt}"\nCategory: {identity_context}\nI Am Statement: {{x}} %s {0} \\1 \$1 )
    . qq(}} {{\nVisualization: {identity_context.__class__}\n"\\\nNotes: {; }; {additional_prompt}\n)
    . 'with {additional_prompt}',
    "braces in an identity's texts are preserved";

for my $case (
    ['no identity', { identity_id => $none }, '400 invalid identity_id: This field is required.'],
    ['an identity of null', { identity_id => JSON::PP::null }, '400 invalid identity_id: This field is required.'],
    ['no UUID', { identity_id => 'full' }, '400 invalid identity_id: Must be a valid UUID.'],
    ['neither body nor version', { body => $none }, '400 invalid body: Send a body or a prompt_id.'],
    [
        'both body and version', { prompt_id => $first },
        '400 invalid body: Send either a body or a prompt_id, not both.'
    ],
    ['a version that is not a UUID', { body => $none, prompt_id => 1 }, '400 invalid prompt_id: Must be a valid UUID.'],
    ['a blank body', { body => ' ' }, '400 invalid body: This field may not be blank.'],
    [
        'a long body', { body => 'x' x 100_001 },
        '400 invalid body: Ensure this field has no more than 100000 characters.'
    ],
    [
        'a long additional prompt', { additional_prompt => 'x' x 10_001 },
        '400 invalid additional_prompt: Ensure this field has no more than 10000 characters.'
    ],
    [
        'an additional prompt with a NUL', { additional_prompt => "\0" },
        '400 invalid additional_prompt: Null characters are not allowed.'
    ],
    ['an unknown identity', { identity_id => $nowhere }, '404 identity_not_found Identity not found'],
    [
        'an unknown identity and version', { identity_id => $nowhere, body => $none, prompt_id => $nowhere },
        '404 identity_not_found Identity not found'
    ],
    ['an unknown version', { body => $none, prompt_id => $nowhere }, '404 prompt_not_found Prompt not found'],
) {
    my ($what, $change, $expected) = @$case;
    is refusal(preview(%$change)), $expected, "a preview of $what is refused";
}
is rows(), $before, 'previews create no version';

# Concurrent creates ------------------------------------------------------------------------------

sub at_once {
    my (@requests) = @_;
    my @sockets =
        map { IO::Socket::INET->new(PeerAddr => base_url() =~ s{^http://}{}r) or die "connect: $!" } @requests;
    syswrite $sockets[$_], substr $requests[$_], 0, -1 for 0 .. $#requests;
    syswrite $sockets[$_], substr $requests[$_], -1 for 0 .. $#requests;
    my %answers = map { $_ => '' } @sockets;
    my ($select, $end) = (IO::Select->new(@sockets), time + 30);
    while ($select->count && time < $end) {
        for my $socket ($select->can_read(1)) {
            $select->remove($socket) if !sysread $socket, $answers{$socket}, 65536, length $answers{$socket};
        }
    }
    return map { $answers{$_} } @sockets;
}

sub request {
    my ($type) = @_;
    my $body = JSON::PP->new->encode({ prompt_type => $type, body => $good });
    return join "\r\n", 'POST /api/v1/prompts/ HTTP/1.1', 'Host: x', 'Connection: close',
        'Authorization: ' . login('admin'), 'Content-Type: application/json', 'Content-Length: ' . length $body, '',
        $body;
}
sql('DELETE FROM prompts WHERE version > 1');
for my $round (1 .. 3) {
    my @answers = at_once((request('image_generation')) x 10, (request('coach')) x 5);
    is scalar(grep { /^HTTP\/1\.1 201 / } @answers), 15,
        "round $round: ten concurrent creates of one type and five of another succeed";
    is join(' ', sort { $a <=> $b } map { /"version":(\d+)/ } @answers[0 .. 9]),
        join(' ', 10 * $round - 8 .. 10 * $round + 1), "round $round: each create gets a different number";
    is versions('image_generation'), join(' ', 1 .. 10 * $round + 1), "round $round: the numbers have no gaps";
    is versions('coach'), join(' ', 1 .. 5 * $round + 1), "round $round: the other type's numbers have no gaps";
}
is(
    (sql('SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'))[0], 0,
    'the database had no deadlocks'
);

# Use of versions ---------------------------------------------------------------------------------

fresh_data();
sql(q(DELETE FROM prompts WHERE prompt_type <> 'image_generation'));
call(POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]]);

sub generate {
    return call(
        POST => 'image-generation/generate/',
        as => 'admin',
        json => {
            identity_id => $full, user_id => person('alice'), resolution => '1K', aspect_ratio => '1:1',
            additional_prompt => 'In {the} rain.'
        }
    );
}
sub used { my $job = json(generate())->{job}; return "$job->{prompt_version} $job->{prompt_id}" }

is used(), "1 $first", 'a generation uses the first version while it is the only one';
my $new = json(create(body => "Second.\n$good "));
create(prompt_type => 'coach', body => 'not this') for 1 .. 3;
is used(), "2 $new->{id}", 'a new version is used at once';
my $job = json(generate())->{job};
is $job->{prompt_used},
    json(preview(body => $none, prompt_id => $new->{id}, additional_prompt => 'In {the} rain.'))->{prompt},
    'the prompt of the generation equals the preview';
my $inactive = json(create(is_active => JSON::PP::false));
is used(), "2 $new->{id}", 'an inactive version is not used';
patch($inactive->{id}, { is_active => JSON::PP::true });
is used(), "3 $inactive->{id}", 'a version is used after it is turned on';
patch($_, { is_active => JSON::PP::false }) for $inactive->{id}, $new->{id};
is used(), "1 $first", 'with the newer versions off, the first one is used again';
patch($first, { is_active => JSON::PP::false });
expect_log(qr/IIMG0003: POST \S+generate\/: No active image generation prompt found/);
is refusal(generate()), '503 no_active_prompt No active image generation prompt found',
    'without an active version of this type a generation is refused';
patch($first, { is_active => JSON::PP::true });
is used(), "1 $first", 'with an active version a generation succeeds';

sql(q(DELETE FROM users WHERE email = 'admin@example.com'));
is join(' ', sql('SELECT DISTINCT coalesce(created_by::text, \'-\') FROM prompts')), '-',
    'versions remain after their creator is deleted';
sql(q(DELETE FROM prompts WHERE prompt_type <> 'image_generation'));
fresh_data();
finish();
