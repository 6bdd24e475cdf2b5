# log.t - the error log: the time of each step, the source position of each bug, and no secrets.
use strict;
use warnings;
use utf8;
use IdentityImg::Server qw(eventually free_port);
use IdentityImg::Test;
use MIME::Base64 'encode_base64';
use Test::More;

my $server = IdentityImg::Server->new('log', conf => "LogLevel identityimg:debug\n")->start;
my %all_requests;    # id => answer

# Make one request. Returns the response and the log lines with its request id.
sub traced {
    my ($method, $path, %with) = @_;
    my $answer = call($method, $path, base => $server->base, %with);
    my $id = $answer->header('X-Request-Id') // '';
    $all_requests{$id} = $answer;
    my @lines = grep { /\(request \Q$id\E\)/ } $server->log_lines(1);
    my ($job) = map { /: generation (\S+) was requested/ ? $1 : / generation (\S+) was requested/ ? $1 : () } @lines;
    return ($answer, @lines, $job ? grep { /\(request \Q$job\E\)/ } $server->log_lines(1) : ());
}

# The steps in log lines, without their times.
sub steps {
    return map { / step (.*?) \d+\.\d{3} ms \(request / ? $1 : () } @_;
}

sub has_steps {
    my ($lines, $sentence, @patterns) = @_;
    my @steps = steps(@$lines);
    my @missing = grep {
        my $pattern = $_;
        !grep { /^$pattern$/ } @steps
    } @patterns;
    is "@missing", '', "$sentence: the log has the time of @patterns" or diag "steps in the log: @steps";
    return;
}

# Steps -------------------------------------------------------------------------------------------------

my ($answer, @lines) = traced(GET => 'users/me/', as => 'admin');
like $answer->header('X-Request-Id'), qr/^[0-9a-f-]{36}$/, 'a response has a request id';
has_steps(
    \@lines, 'a first login', 'sql iimg_login_attempt_begin', 'hash', 'sql iimg_login_attempt_succeed',
    'sql iimg_user_of_caller'
);
($answer, @lines) = traced(GET => 'users/me/', as => 'admin', headers => ['X-Request-Id' => 'Mine.42_a-b']);
is $answer->header('X-Request-Id'), 'Mine.42_a-b', "the client's own request id is kept";
has_steps(\@lines, "a request with the client's id", 'sql iimg_user_of_caller');
for my $bad ("two words", 'a' x 65, 'a;b', '"quoted"', "\xc3\xa9", '$(id)', '') {
    ($answer) = traced(GET => 'users/me/', as => 'admin', headers => ['X-Request-Id' => $bad]);
    like $answer->header('X-Request-Id'), qr/^[0-9a-f-]{36}$/,
        'an invalid request id is replaced: ' . substr($bad, 0, 20) =~ s/[^ -~]/?/gr;
}

my $trace = '0af7651916cd43dd8448eb211c80319c';
for my $case (
    ["00-$trace-b7ad6b7169203331-01", ", trace $trace", 'the trace id of traceparent is logged'],
    ["00-$trace-b7ad6b7169203331", '', 'an invalid traceparent is ignored']
) {
    my ($parent, $logged, $sentence) = @$case;
    my $id = call(GET => 'users/me/', as => 'admin', base => $server->base, headers => [traceparent => $parent])
        ->header('X-Request-Id');
    ok scalar(grep { /\(request \Q$id$logged\E\)/ } $server->log_lines(1)), $sentence;
}

($answer, @lines) = traced(
    POST => 'reference-images/', as => 'admin',
    parts => [user_id => person('scenario_one'), image => [portrait(), 'portrait.png']]
);
is $answer->code, 201, 'a photo is uploaded';
has_steps(
    \@lines, 'an upload', 'body multipart/form-data.*', 'derivatives PNG', 'store put media/.*/portrait\.png',
    'store put media/.*-300x300\.(?:png|jpg)',
    'sql iimg_stored_object_announce', 'sql iimg_reference_image_insert', 'transaction', 'serialize'
);
my $photo = json($answer);
($answer, @lines) = traced(GET => 'reference-images/?user_id=' . person('scenario_one'), as => 'admin');
has_steps(\@lines, 'a list', 'sql iimg_reference_image_list', 'serialize');
($answer, @lines) = traced(
    POST => 'image-generation/generate/', as => 'admin',
    json => {
        identity_id => identity_of('full'), user_id => person('scenario_one'), resolution => '1K',
        save_to_identity => JSON::PP::true
    }
);
is $answer->code, 200, 'a picture is generated' or diag $answer->content;
has_steps(
    \@lines, 'a generation', 'body application/json', 'store get media/.*', 'provider preview.*',
    'store put generated_images/.*', 'reference .*', 'poster .*', 'inspect .*', 'derivatives .*',
    'sql iimg_generation_job_.*'
);
my $generated = json($answer);
($answer, @lines) = traced(DELETE => "reference-images/$photo->{id}/?user_id=" . person('scenario_one'), as => 'admin');
is $answer->code, 204, 'the photo is deleted';
has_steps(\@lines, 'a deletion', 'sql iimg_reference_image_delete', 'store remove media/.*');
is + (grep { !/\d+\.\d{3} ms/ && /\] step / } $server->log_lines(1)), 0,
    'each step has milliseconds with three decimals';
my @without =
    grep { /identityimg:debug/ && !/\(request [\w.-]{1,64}(?:, trace [0-9a-f]{32})?\)/ } $server->log_lines(1);
is "@without[0 .. ($#without < 2 ? $#without : 2)]", '', 'each of our debug lines has a request id';

# Client errors, logged at debug only -------------------------------------------------------------------

my @mistakes = (
    [404, GET => 'reference-images/00000000-0000-4000-8000-000000000000/', as => 'alice'],
    [403, GET => 'test-users/', as => 'alice'],
    [405, PUT => 'users/me/', as => 'alice'],
    [400, POST => 'reference-images/', as => 'alice', body => '{"name": ', type => 'application/json'],
    [415, POST => 'reference-images/', as => 'alice', body => 'x', type => 'text/plain'],
    [401, GET => 'users/me/'],
);
for (@mistakes) {
    my ($code, @request) = @$_;
    ($answer, @lines) = traced(@request);
    is $answer->code, $code, "a client error returns $code";
    is
        scalar(grep { /\[identityimg:debug\].*\.c\(\d+\): .*\] $request[0] \/api\/v1\/\Q$request[1]\E: \S.*\(request / }
            @lines), 1, "the client error $code has one line with its source position"
        or diag "@lines";
    is scalar(grep { !/\[identityimg:debug\]/ } @lines), 0, "the client error $code is logged at debug";
}
is_deeply [$server->log_lines], [], 'client errors cause no lines of level warn and above';

# Bugs -----------------------------------------------------------------------------------------------------

my $row = 'a name that only a row has';
$server->sql("ALTER TABLE reference_images ADD CONSTRAINT surprise CHECK (name NOT LIKE '%only a row has')");
$server->sql('REVOKE SELECT ON identities FROM identityimg');
my %bugs = (
    '42501' => [GET => 'users/me/identities/', as => 'alice'],
    '23514' => [POST => 'reference-images/', as => 'alice', json => { name => $row }],
);
for my $state (sort keys %bugs) {
    ($answer, @lines) = traced(@{ $bugs{$state} });
    my $id = $answer->header('X-Request-Id');
    is $answer->code, 500, "an unexpected database error is a 500 (SQLSTATE $state)";
    is $answer->header('Content-Type'), 'application/json', 'the 500 is JSON';
    is_deeply json($answer), { detail => 'Internal server error', code => 'internal', request_id => $id },
        'the 500 has the request id and nothing else';
    my @errors = grep { /\[identityimg:error\]/ } @lines;
    is scalar(@errors), 1, 'the 500 has one error line in the log';
    like $errors[0] // '',
        qr/\] IIMG0001: $bugs{$state}[0] \/api\/v1\/$bugs{$state}[1]: Internal server error \| iimg_\w+: .* \[SQLSTATE $state\] at mod_identityimg\/\S+\.c:\d+ \(request $id\)$/,
        'the line has source position, tag, statement, SQLSTATE and request id';
}
is + (grep { /only a row has/ } $server->log_lines(1)), 0, 'the log has no values of the row';
$server->sql('GRANT SELECT ON identities TO identityimg; ALTER TABLE reference_images DROP CONSTRAINT surprise');
is call(GET => 'users/me/identities/', as => 'alice', base => $server->base)->code, 200,
    'the server works after the error';

# Secrets --------------------------------------------------------------------------------------------------

# At the highest log level, with a key and a provider that cannot be reached.
my $key = 'AIzaSy-a-secret-key-0123456789';
$server->{env}{GEMINI_API_KEY} = $key;
$server->{env}{GEMINI_ENDPOINT} = 'http://127.0.0.1:' . free_port();
$server->restart("LogLevel identityimg:trace8\n");
($answer) = traced(
    POST => 'reference-images/', as => 'admin',
    parts => [user_id => person('scenario_one'), image => [portrait(), 'portrait.png']]
);
is $answer->code, 201, 'a photo';
my $photo_two = json($answer);
($answer, @lines) = traced(
    POST => 'image-generation/generate/', as => 'admin',
    json => { identity_id => identity_of('full'), user_id => person('scenario_one'), resolution => '1K' }
);
like $answer->code, qr/^50[234]$/, 'a generation with Gemini unreachable fails';
has_steps(\@lines, 'a failed generation', 'provider gemini.*');
my @urls = map { values %{ $_->{image} } } $photo, $photo_two;
call(GET => $_) for @urls;
call(GET => $_ =~ s/s=./s=_/r) for @urls;
call(GET => $generated->{image_url}) if $generated->{image_url};
call(
    GET => 'users/me/', base => $server->base,
    headers => [Authorization => login('admin@example.com', 'a-wrong-password')]
);
call(GET => $urls[0] =~ s/pictures/pictures\/../r);

my ($secret) = slurp($server->state . '/secret') =~ /([0-9a-f]{64})/;
my @signatures = map { /[?&]s=([\w-]{22})/g } @urls, $generated->{image_url} // ();
cmp_ok scalar(@signatures), '>', 8, 'more than eight signatures were issued';
my %secrets = (
    'a password' => ['pw-admin', 'pw-alice', 'a-wrong-password'],
    'an Authorization header' => [map({ substr login($_), 6, 20 } 'admin', 'alice'), encode_base64('pw-admin', '')],
    'a signature' => \@signatures, 'the key of Gemini' => [$key], 'the signing key' => [$secret],
    'a hash' => ['$2y$', '$2a$'],
);
for my $log ('httpd/error.log', 'httpd/access.log', 'httpd/start.log') {
    my $text = -f $server->state . "/$log" ? slurp($server->state . "/$log") : '';
    cmp_ok length $text, '>', 1000, "$log is not empty" if $log !~ /start/;
    for my $what (sort keys %secrets) {
        is join(' ', grep { index($text, $_) >= 0 } @{ $secrets{$what} }), '', "$log does not contain $what";
    }
}

$server->judge(
    qr/IIMG011[27]: /, qr/IIMG0001: (?:GET|POST) .*SQLSTATE (?:42501|23514)/,
    qr/IIMG000[234]: POST \S*generate/, qr/\[auth_basic:error\]/, qr/AH01630/
);
undef $server;
finish();
