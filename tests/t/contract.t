# contract.t - rules for every route: authentication, methods, paths, bodies, errors, request ids.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes 'time';

fresh_data();
$SIG{PIPE} = 'IGNORE';
expect_log(qr/AH01617/, qr/AH01614/);    # mod_auth_basic: wrong password; another scheme

my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
my $nowhere = '00000000-0000-4000-8000-0000000009ff';
my $photo = json(call(POST => 'reference-images/', as => 'admin', json => {}))->{id};
my $identity = identity_of('full');
my $scenario = '00000000-0000-4000-8000-0000000000e1';
my ($prompt) = sql('SELECT id FROM prompts WHERE version = 1 ORDER BY prompt_type LIMIT 1');
my $job = '00000000-0000-4000-8000-00000000ab01';

sub make_job {
    sql(      "INSERT INTO generation_jobs (id, state, prompt_used, generator, model, aspect_ratio, resolution, "
            . "reference_image_ids, finished_at) VALUES ('$job', 'failed', '', 'preview', 'm', '1:1', '1K', '{}', "
            . "now())");
    return;
}
make_job();

# path                                       Allow                                       id of a row
my @routes = (
    ['reference-images/', 'GET, HEAD, POST, OPTIONS'],
    ["reference-images/$photo/", 'GET, HEAD, PATCH, DELETE, OPTIONS', 'reference-images/%s/'],
    ["reference-images/$photo/upload-image/", 'POST, OPTIONS', 'reference-images/%s/upload-image/'],
    ['auth/logout/', 'POST, OPTIONS'],
    ['auth/tokens/', 'GET, HEAD, OPTIONS'],
    ["auth/tokens/$nowhere/", 'DELETE, OPTIONS', 'auth/tokens/%s/'],
    ['users/me/', 'GET, HEAD, OPTIONS'],
    ['users/me/identities/', 'GET, HEAD, OPTIONS'],
    ['test-users/', 'GET, HEAD, OPTIONS'],
    ['test-users/' . person('scenario_one') . '/identities/', 'GET, HEAD, OPTIONS', 'test-users/%s/identities/'],
    ["identities/$identity/upload-image/", 'POST, PATCH, OPTIONS', 'identities/%s/upload-image/'],
    ["identities/$identity/delete-image/", 'DELETE, OPTIONS', 'identities/%s/delete-image/'],
    ["identities/$identity/restore-image/", 'POST, OPTIONS', 'identities/%s/restore-image/'],
    ['image-generation/users/', 'GET, HEAD, OPTIONS'],
    ['image-generation/options/', 'GET, HEAD, OPTIONS'],
    ['image-generation/generate/', 'POST, OPTIONS'],
    ['image-generation/jobs/', 'GET, HEAD, OPTIONS'],
    ["image-generation/jobs/$job/", 'GET, HEAD, OPTIONS', 'image-generation/jobs/%s/'],
    ["image-generation/jobs/$job/cancel/", 'POST, OPTIONS', 'image-generation/jobs/%s/cancel/'],
    ["image-generation/jobs/$job/save-to-identity/", 'POST, OPTIONS', 'image-generation/jobs/%s/save-to-identity/'],
    ['prompts/', 'GET, HEAD, POST, OPTIONS'],
    ["prompts/$prompt/", 'GET, HEAD, PATCH, OPTIONS', 'prompts/%s/'],
    ['prompts/preview/', 'POST, OPTIONS'],
    ['core/enums/', 'GET, HEAD, OPTIONS'],
    ['admin/users/', 'GET, HEAD, POST, OPTIONS'],
    ['admin/users/' . person('bob') . '/', 'GET, HEAD, PATCH, DELETE, OPTIONS', 'admin/users/%s/'],
    ['admin/identities/', 'GET, HEAD, POST, OPTIONS'],
    ["admin/identities/$identity/", 'GET, HEAD, PATCH, DELETE, OPTIONS', 'admin/identities/%s/'],
    ['admin/test-scenarios/', 'GET, HEAD, POST, OPTIONS'],
    ["admin/test-scenarios/$scenario/", 'GET, HEAD, PATCH, DELETE, OPTIONS', 'admin/test-scenarios/%s/'],
    ['admin/reference-images/', 'GET, HEAD, POST, OPTIONS'],
    ["admin/reference-images/$photo/", 'GET, HEAD, PATCH, DELETE, OPTIONS', 'admin/reference-images/%s/'],
);
# Open to anyone.
my @open = (
    ['schema/', 'GET, HEAD, OPTIONS'],
    ['health/live/', 'GET, HEAD, OPTIONS'],
    ['health/ready/', 'GET, HEAD, OPTIONS'],
);
my @login = (['auth/login/', 'POST, OPTIONS']);

sub shown { my ($path) = @_; return $path =~ s/$uuid/{id}/gr }

sub headers {
    my ($answer) = @_;
    return join "\n", sort grep { !/^(?:Date|X-Request-Id|Client-|Keep-Alive|Connection)/ } split /\n/,
        $answer->headers->as_string;
}

sub line {
    my ($answer) = @_;
    my $body = json($answer) // {};
    return join ' ', $answer->code, $body->{code} // '', $body->{detail} // '';
}

# Send a request in pieces: its head, then parts of a body until there is a response. Returns the response and
# the elapsed seconds.
sub raw {
    my ($head, @pieces) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => base_url() =~ s{^http://}{}r, Timeout => 10) or die "connect: $!";
    my $select = IO::Select->new($socket);
    my ($began, $text) = (time, '');
    syswrite $socket, join("\r\n", @$head, 'Host: x', '', '');
    for my $piece (@pieces) {
        last if $select->can_read(0.02);
        syswrite($socket, $piece) // last;
    }
    while ($select->can_read(10)) {
        last if !sysread $socket, $text, 65536, length $text;
        last if $text =~ /\r\n\r\n.*\}/s;
    }
    return ($text, time - $began);
}

subtest 'This test covers each path of the table of routes' => sub {
    my ($table) = slurp("$ENV{IIMG_SOURCE}/mod_identityimg/routes.c") =~ /route_t routes\[\] = \{(.*?)^\};/ms;
    my %paths = map { ($_ => 1) } $table =~ /\{ M_\w+,\s*"([^"]+)"/g;
    is join("\n", sort map { $_->[0] =~ s/$uuid/{id}/r } @routes, @open, @login), join("\n", sort keys %paths),
        'this test covers each path of routes.c';
};

# Credentials -------------------------------------------------------------------------------------

my $anonymous = '401 not_authenticated Authentication credentials were not provided.';
my $wrong = '401 authentication_failed Invalid username/password.';
subtest 'Each route asks for credentials before it checks anything else' => sub {
    for my $route (@routes) {
        my ($path, $allow) = @$route;
        for my $method (grep { $_ ne 'OPTIONS' } split /, /, $allow) {
            my $what = "$method " . shown($path);
            my $answer = call($method => $path);
            if ($method eq 'HEAD') {
                is $answer->code . $answer->content, '401', "$what without credentials is 401";
                next;
            }
            is line($answer), $anonymous, "$what without credentials has Django's sentence";
            is $answer->header('Content-Type'), 'application/json', 'the 401 is JSON';
            is $answer->header('WWW-Authenticate'), 'Bearer realm="api"',
                'the 401 offers Bearer, not Basic';
            is line(call($method => $path, headers => [Authorization => login('alice@example.com', 'wrong')])), $wrong,
                "$what with a wrong password is refused";
        }
        is line(call(PUT => $path)), $anonymous, 'PUT ' . shown($path) . ' without credentials is 401 before 405';
        is line(call(POST => $path =~ s{/$}{}r, body => '{', type => 'text/plain')), $anonymous,
            'a wrong path with a wrong body and no credentials is 401';
    }
};

subtest 'Unknown paths ask for credentials, too' => sub {
    for my $path ('', 'nothing/', 'nothing', 'reference-images/x/y/', 'admin/', '%ff/') {
        is line(call(GET => $path)), $anonymous, "/$path without credentials is 401, with or without such a route";
        is line(call(POST => $path, body => 'x', type => 'a/b')), $anonymous,
            'POST of that path without credentials is 401';
    }
};

subtest 'Only complete and correct credentials are accepted' => sub {
    my $basic = login('alice') =~ s/^Basic //r;
    for my $case (
        # Authorization                      expected
        ["Basic $basic", '200'],
        ["basic $basic", '200', 'the scheme in lower case'],
        ["Basic  $basic", '200', 'two spaces'],
        ['Basic', '401', 'only a scheme'],
        ['Basic ', '401', 'only a scheme and a space'],
        ['Basic ====', '401', 'invalid base64'],
        ['Basic ' . MIME::Base64::encode_base64('alice@example.com', ''), '401', 'no colon'],
        [login('alice@example.com', ''), '401', 'an empty password'],
        [login('', 'pw-alice'), '401', 'an empty name'],
        [login('alice@example.com', 'PW-ALICE'), '401', 'a password in upper case'],
        [login('alice@example.com', "pw-alice\n"), '401', 'a newline after the password'],
        [login('alice@example.com ', 'pw-alice'), '401', 'a space after the name'],
        [login("alice\@example.com' OR '1'='1", 'pw-alice'), '401', 'an SQL injection in the name'],
        [login("\xff\xfe", 'x'), '401', 'a name that is not UTF-8'],
        [login('%@example.com', 'pw-alice'), '401', 'a pattern as a name'],
        [login('a' x 3000, 'x'), '401', 'a name of 3000 characters'],
        [login('alice@example.com', 'x' x 3000), '401', 'a password of 3000 characters'],
        ['Bearer ' . 'x' x 40, '401 invalid_token Invalid token.', 'a bearer token of another form'],
        ['Digest username="alice@example.com"', $anonymous, 'another scheme'],
        [login('ALICE@Example.COM', 'pw-alice'), '200', 'the email in another case'],
        [login('alice@example.com', 'pw-bob'), '401', 'the password of another user'],
    ) {
        my ($header, $expected, $what) = @$case;
        my $answer = call(GET => 'users/me/', headers => [Authorization => $header]);
        is $answer->code, $expected =~ s/ .*//r, 'credentials with ' . ($what // 'nothing unusual');
        is line($answer), $expected eq '401' ? $wrong : $expected, 'the response is that of a wrong password'
            if $expected =~ /^401/;
    }
    is json(call(GET => 'users/me/', headers => [Authorization => login('ALICE@EXAMPLE.COM', 'pw-alice')]))->{email},
        'alice@example.com', 'the response has the email as stored';
};

subtest 'Open routes need no credentials and ignore wrong ones' => sub {
    for my $route (@open) {
        my ($path, $allow) = @$route;
        my $bare = $path =~ s{/$}{}r;
        is call(GET => $path)->code, 200, "$path is open to anyone";
        is call(GET => $path, headers => [Authorization => login('alice@example.com', 'wrong')])->code, 200,
            "$path ignores wrong credentials";
        my $answer = call(PUT => $path, body => 'x', type => 'text/plain');
        is line($answer) . ' ' . $answer->header('Allow'), "405 method_not_allowed Method \"PUT\" not allowed. $allow",
            "$path refuses PUT with the allowed methods";
        is call(GET => $bare)->header('Location'), base_url() . "/api/v1/$path",
            "$path without its slash is redirected without credentials";
        is line(call(GET => "${path}x/")), $anonymous, 'a path below $path needs credentials';
    }
};

# A wrong password and an unknown user must look the same.
subtest 'An unknown user and a wrong password look the same' => sub {
    my ($known, $unknown) =
        map { call(GET => 'users/me/', headers => [Authorization => login($_, 'wrong')]) } 'alice@example.com',
        'unknown@example.com';
    is $unknown->content, $known->content, 'an unknown user and a wrong password get the same body';
    is headers($unknown), headers($known), 'an unknown user and a wrong password get the same headers';
};

# Revocation is immediate, although credentials are cached for a minute.
my $bob = person('bob');
subtest 'A deactivated user is refused by each route at once' => sub {
    for my $case (
        ['GET', 'users/me/'], ['GET', 'users/me/identities/'], ['GET', 'reference-images/'],
        ['POST', 'reference-images/'],
        ['GET', "reference-images/$nowhere/"],
        ['PATCH', "reference-images/$nowhere/"], ['DELETE', "reference-images/$nowhere/"],
        ['POST', "reference-images/$nowhere/upload-image/"], ['GET', 'test-users/'],
        ['GET', "test-users/$nowhere/identities/"], ['POST', "identities/$nowhere/upload-image/"],
        ['DELETE', "identities/$nowhere/delete-image/"],
        ['GET', 'image-generation/users/'], ['POST', 'image-generation/generate/'], ['GET', 'nothing/'],
        ['POST', 'auth/logout/'], ['GET', 'auth/tokens/'], ['DELETE', "auth/tokens/$nowhere/"],
        ['PATCH', "identities/$nowhere/upload-image/"], ['POST', "identities/$nowhere/restore-image/"],
        ['GET', 'prompts/'], ['POST', 'prompts/'], ['GET', "prompts/$nowhere/"], ['PATCH', "prompts/$nowhere/"],
        ['POST', 'prompts/preview/'], ['GET', 'core/enums/'], ['PUT', 'users/me/'],
        map { (
            ['GET', "admin/$_/"], ['GET', "admin/$_/?limit=x"], ['POST', "admin/$_/"], ['GET', "admin/$_/$nowhere/"],
            ['PATCH', "admin/$_/$nowhere/"], ['DELETE', "admin/$_/$nowhere/"]
        ) } qw(users identities test-scenarios reference-images)
    ) {
        my ($method, $path) = @$case;
        is call(GET => 'users/me/', as => 'bob')->code, 200, 'an active user is accepted' if $path eq 'users/me/';
        sql("UPDATE users SET is_active = false WHERE id = '$bob'");
        my $answer = call($method => $path, as => 'bob');
        is line($answer), '401 user_inactive User inactive or deleted.',
            "$method " . shown($path) . ' by a user who was just deactivated is refused';
        ok $answer->header('WWW-Authenticate'), 'the refusal offers a login' if $path eq 'users/me/';
        sql("UPDATE users SET is_active = true WHERE id = '$bob'");
    }
    is call(GET => 'users/me/', as => 'bob')->code, 200, 'a reactivated user is accepted at once';
};

my $old_hash;
subtest 'A changed password takes effect at once' => sub {
    my $hash = crypt 'new password', '$2y$04$abcdefghijklmnopqrstuu';
    like $hash, qr/^\$2y\$/, 'this machine can hash with bcrypt';
    ($old_hash) = sql("SELECT password FROM users WHERE id = '$bob'");
    for my $path ('users/me/', 'reference-images/', "reference-images/$nowhere/", 'nothing/') {
        call(GET => 'users/me/', as => 'bob') for 1 .. 3;
        sql("UPDATE users SET password = '$hash' WHERE id = '$bob'");
        is line(call(GET => $path, as => 'bob')), $wrong, "$path refuses a password that was just changed";
        is line(call(GET => $path, as => 'bob')), $wrong, "$path keeps refusing the old password";
        isnt call(GET => $path, headers => [Authorization => login('bob@example.com', 'new password')])->code, 401,
            "$path accepts the new password";
        sql("UPDATE users SET password = '$old_hash' WHERE id = '$bob'");
        is line(call(GET => $path, headers => [Authorization => login('bob@example.com', 'new password')])), $wrong,
            "$path refuses the new password after it is changed back";
    }
};

subtest 'Changes of email and role take effect at once, and a deleted user is refused' => sub {
    sql("UPDATE users SET password = '' WHERE id = '$bob'");
    is line(call(GET => 'users/me/', headers => [Authorization => login('bob@example.com', '')])), $wrong,
        'a user without a password cannot log in with an empty one';
    sql("UPDATE users SET password = '$old_hash', email = 'Bob\@Example.com' WHERE id = '$bob'");
    is json(call(GET => 'users/me/', as => 'bob'))->{email}, 'Bob@Example.com',
        'an email stored with capitals is found';
    sql("UPDATE users SET email = 'bob\@example.com', is_staff = true WHERE id = '$bob'");
    is call(GET => 'test-users/', as => 'bob')->code, 200, 'a new member of staff may use staff routes at once';
    sql("UPDATE users SET is_staff = false WHERE id = '$bob'");
    is call(GET => 'test-users/', as => 'bob')->code, 403, 'a former member of staff is refused at once';
    sql("DELETE FROM users WHERE id = '$bob'");
    like line(call(GET => 'users/me/', as => 'bob')), qr/^401 (?:user_inactive|authentication_failed) /,
        'a deleted user is refused';
};

fresh_data();
make_job();
$photo = json(call(POST => 'reference-images/', as => 'admin', json => {}))->{id};
$routes[1][0] = "reference-images/$photo/";
$routes[2][0] = "reference-images/$photo/upload-image/";
$routes[-1][0] = "admin/reference-images/$photo/";

# Methods -----------------------------------------------------------------------------------------

subtest 'Each route allows exactly its methods' => sub {
    for my $route (@routes, @open, @login) {
        my ($path, $allow, $pattern) = @$route;
        my %allowed = map { $_ => 1 } split /, /, $allow;
        for my $method (grep { !$allowed{$_} } qw(GET POST PUT PATCH DELETE PROPFIND LOCK BREW)) {
            my $answer =
                call($method => $path, as => 'admin', $method =~ /^P/ ? (body => 'x', type => 'text/plain') : ());
            is line($answer), "405 method_not_allowed Method \"$method\" not allowed.",
                "$method " . shown($path) . ' is 405';
            is $answer->header('Allow'), $allow, 'the 405 has Allow';
        }
        is line(call(PUT => sprintf($pattern, $nowhere), as => 'admin')),
            '405 method_not_allowed Method "PUT" not allowed.',
            '405 takes precedence over 404 of a row: ' . shown($path)
            if $pattern;
        my $options = call(OPTIONS => $path);
        is join('|', $options->code, $options->header('Allow'), $options->content), "204|$allow|",
            'OPTIONS ' . shown($path) . ' needs no credentials and has no body';
        is call(OPTIONS => $path, as => 'alice')->header('Allow'), $allow, 'OPTIONS is the same with credentials';
        next unless $allowed{GET};
        my ($get, $head) = map { call($_ => $path, as => 'admin') } qw(GET HEAD);
        is $get->code, 200, 'GET ' . shown($path);
        is headers($head), headers($get), 'HEAD has the same headers as GET, Content-Length included';
        is $head->content, '', 'HEAD has no body';
        ok $get->header('Content-Length') == length $get->content, 'Content-Length is right';
    }
};

# Responses are never partial: a part of JSON is useless, and httpd would refuse a range with its own page.
subtest 'A Range header never gets a partial response' => sub {
    for my $range ('bytes=0-3', 'bytes=0-3,5-6', 'bytes=-4', 'bytes=999999-', 'bytes=x') {
        my $whole = call(GET => 'users/me/', as => 'alice', headers => [Range => $range, 'Request-Range' => $range]);
        is join('|', $whole->code, $whole->header('Content-Type'), json($whole)->{email}),
            '200|application/json|alice@example.com', "Range: $range gets the whole response";
        is call(GET => 'schema/', headers => [Range => $range])->code, 200, "Range: $range gets the whole schema";
        is line(call(GET => 'users/me/', headers => [Range => $range])), $anonymous,
            "Range: $range gets the whole error";
    }
};

subtest 'Each Accept header gets JSON' => sub {
    is call(GET => 'users/me/', as => 'alice', headers => [Accept => $_])->header('Content-Type'), 'application/json',
        "Accept: $_ gets JSON" for 'text/html', 'image/png', '*/*;q=0';
};

subtest 'HEAD of a missing path or row has no body' => sub {
    is call(HEAD => 'nothing/', as => 'alice')->code, 404, 'HEAD of an unknown path is 404';
    is call(HEAD => "reference-images/$nowhere/", as => 'alice')->content, '', 'HEAD of a missing row has no body';
};

# Pages of other origins --------------------------------------------------------------------------

subtest 'Writes from pages of other origins are refused' => sub {
    my $rows =
          'SELECT (SELECT count(*) FROM reference_images), (SELECT count(*) FROM users), (SELECT count(*) FROM '
        . 'identities), (SELECT count(*) FROM test_scenarios), (SELECT count(*) FROM auth_tokens)';
    my @before = sql($rows);
    for my $route (@routes, @login) {
        my ($path, $allow) = @$route;
        for my $method (grep { /^(?:POST|PATCH|DELETE)$/ } split /, /, $allow) {
            my $what = "$method " . shown($path) . ' from a page of another origin is refused';
            my @from = (headers => ['Sec-Fetch-Site' => 'cross-site', Origin => 'https://evil.example'], json => {});
            is substr(line(call($method => $path, as => 'admin', @from)), 0, 14), '403 cross_site', $what;
            is line(call($method => $path, @from)), $anonymous, 'the same write without credentials is 401'
                if $path ne 'auth/login/';
        }
    }
    is "@{[sql($rows)]}", "@before", 'none of these writes changed anything';
};

# Paths -------------------------------------------------------------------------------------------

subtest 'A path without its slash is redirected for reads and is 404 for writes' => sub {
    for my $route (@routes, @open, @login) {
        my ($path, $allow) = @$route;
        my $bare = $path =~ s{/$}{}r;
        for my $method (qw(GET HEAD)) {
            my $answer = call($method => "$bare?a=b&c=%20", as => 'admin');
            is join(' ', $answer->code, $answer->header('Location')), '301 ' . base_url() . "/api/v1/$path?a=b&c=%20",
                "$method " . shown($bare) . ' without its slash is redirected with its query';
        }
        for my $method (qw(POST PATCH DELETE PUT)) {
            my $answer = call($method => $bare, as => 'admin', body => '{}', type => 'application/json');
            is $answer->code, 404, "$method " . shown($bare) . ' without its slash is 404';
            like json($answer)->{detail}, qr{/api/v1/\Q$path\E$}, 'the 404 names the right path';
            is $answer->header('Location'), undef, 'the 404 has no Location';
        }
    }
};

subtest 'An unknown path is 404 for each method' => sub {
    for my $path (
        '', 'nothing/', 'nothing', 'Reference-Images/', 'reference-images/x/y/', 'users/', 'users/you/',
        'users/me/x/', 'identities/', "identities/$identity/", "test-users/$nowhere/", 'image-generation/', '/api/v1',
        '%E2%82%AC/', '%ff/', 'a%3Cscript%3E/', '..%2f..%2fetc/'
    ) {
        for my $method (qw(GET POST DELETE)) {
            next if $path eq '/api/v1' && $method eq 'GET';
            my $answer = call($method => $path, as => 'alice');
            is $answer->code, 404, "$method of '$path' is 404";
            is $answer->header('Content-Type'), 'application/json', 'the 405 is JSON';
            ok ref json($answer) eq 'HASH' && json($answer)->{detail}, 'the 405 has a sentence' if $method eq 'GET';
        }
    }
};

subtest 'Slashes and dots in a path are resolved' => sub {
    is call(GET => '/api//v1/users///me/', as => 'alice')->code, 200, 'repeated slashes count as one';
    is call(GET => 'users/../users/me/', as => 'alice')->code, 200, 'dots in a path are resolved';
    like call(GET => '/identityimg-error', as => 'alice')->content, qr/"code":"not_found"/,
        'the internal path of errors is 404';
};

# Before the body ---------------------------------------------------------------------------------

my $twenty = 20 << 20;
my $megabyte = 'x' x (1 << 20);
subtest 'A request that must fail is refused before its body is read' => sub {
    for my $case (
        [
            "POST /api/v1/reference-images/$photo/upload-image/", 'multipart/form-data; boundary=x', undef,
            '401 Unauthorized', 'an upload without credentials'
        ],
        [
            'POST /api/v1/reference-images/', 'multipart/form-data; boundary=x', undef, '401 Unauthorized',
            'a create without credentials'
        ],
        [
            "PATCH /api/v1/identities/$identity/upload-image/", 'multipart/form-data; boundary=x', undef,
            '401 Unauthorized', 'an identity\'s upload without credentials'
        ],
        [
            "POST /api/v1/reference-images/$photo/upload-image/", 'multipart/form-data; boundary=x',
            login('alice', 'x'),
            '401 Unauthorized', 'an upload with a wrong password'
        ],
        [
            'PUT /api/v1/reference-images/', 'multipart/form-data; boundary=x', login('alice'),
            '405 Method Not Allowed',
            'an upload with a wrong method'
        ],
        [
            'POST /api/v1/nothing/', 'multipart/form-data; boundary=x', login('alice'), '404 Not Found',
            'an upload to an unknown path'
        ],
        [
            "POST /api/v1/reference-images/$nowhere/upload-image/", 'multipart/form-data; boundary=x', login('alice'),
            '404 Not Found', 'an upload to a missing row'
        ],
        [
            "POST /api/v1/identities/$identity/upload-image/", 'multipart/form-data; boundary=x', login('alice'),
            '404 Not Found', "an upload to another user's identity"
        ],
        [
            'POST /api/v1/image-generation/generate/', 'application/json', login('alice'), '403 Forbidden',
            'a generation by a user who is not staff'
        ],
        [
            'POST /api/v1/reference-images/', 'application/json', login('alice'), '413 Request Entity Too Large',
            '20 MB of JSON'
        ],
        [
            'POST /api/v1/reference-images/', 'application/x-www-form-urlencoded', login('alice'),
            '413 Request Entity Too Large', '20 MB of a form'
        ],
        ['POST /api/v1/reference-images/', 'video/mp4', login('alice'), '415 Unsupported Media Type', 'a video'],
    ) {
        my ($line, $type, $login, $status, $what) = @$case;
        my @head =
            ("$line HTTP/1.1", "Content-Type: $type", "Content-Length: $twenty", $login ? "Authorization: $login" : ());
        my ($text, $seconds) = raw(\@head);
        like $text, qr/^HTTP\/1\.1 \Q$status\E\r\n/, "$what is answered after its head";
        cmp_ok $seconds, '<', 3, "$what is answered within 3 seconds";
        like $text, qr/\r\nConnection: close\r\n.*\r\n\r\n\{"detail":/s,
            'the response is JSON and closes the connection';
        ($text) = raw([@head, 'Expect: 100-continue']);
        like $text, qr/^HTTP\/1\.1 \Q$status\E\r\n/, 'a client with Expect: 100-continue gets no 100';
        ($text) = raw(\@head, ($megabyte) x 20);
        like $text, qr/^HTTP\/1\.1 \Q$status\E\r\n/, 'a client that sends the body anyway gets the response, too';
    }
};

subtest 'A request with a complete body keeps the connection open' => sub {
    my ($text) = raw(['GET /api/v1/users/me/ HTTP/1.1', 'Authorization: ' . login('alice'), 'Connection: close']);
    like $text, qr/^HTTP\/1\.1 200 /, 'the server responds after that';
    ($text) = raw(
        [
            "PATCH /api/v1/reference-images/$photo/ HTTP/1.1", 'Authorization: ' . login('admin'),
            'Content-Type: application/json', 'Content-Length: 2'
        ],
        '{}'
    );
    like $text, qr/^HTTP\/1\.1 200 /, 'a request with a complete body is 200';
    unlike $text, qr/\r\nConnection: close/, 'a request with a complete body keeps the connection open';
};

# Request ids -------------------------------------------------------------------------------------

subtest 'A valid X-Request-Id is kept, and an invalid one is replaced' => sub {
    for my $case (
        ['abc', 1], ['a.b-c_D9', 1], ['x' x 64, 1], ['0', 1],
        ['x' x 65, 0], ['', 0], ['a b', 0], ['a;b', 0], ['a/b', 0], ['"a"', 0], ["\xc3\xa9", 0], ['a,b', 0], ['{}', 0],
    ) {
        my ($id, $taken) = @$case;
        my $shown = length $id > 20 ? length($id) . ' characters' : "'$id'" =~ s/[^ -~]/?/gr;
        for my $with ([as => 'alice'], []) {
            my $answer = call(GET => 'users/me/', headers => ['X-Request-Id' => $id], @$with);
            my $got = $answer->header('X-Request-Id') // '';
            $taken ? is $got, $id, "X-Request-Id $shown is accepted (" . $answer->code . ')' : like $got, qr/^$uuid$/,
                "X-Request-Id $shown is replaced (" . $answer->code . ')';
        }
    }
};

subtest 'Each response has a request id of its own' => sub {
    for my $case (
        [GET => 'users/me/'], [GET => 'nothing/'], [PUT => 'users/me/'], [GET => 'users/me'],
        [OPTIONS => 'users/me/'], [DELETE => "reference-images/$nowhere/"]
    ) {
        my %ids = map { (call(@$case, as => 'alice')->header('X-Request-Id') // 'none') => 1 } 1 .. 3;
        is scalar(grep { /^$uuid$/ } keys %ids), 3, "each response to @$case has a different id" =~ s/$nowhere/{id}/r;
    }
};

# Bodies ------------------------------------------------------------------------------------------

subtest 'Invalid JSON is refused by each route that reads it' => sub {
    my $bad_json = qr/^400 parse_error JSON parse error - \S/;
    for my $case (
        ['half an object', '{', $bad_json],
        ['a member without a value', '{"name":}', $bad_json],
        ['a trailing comma', '{"name": "a",}', $bad_json],
        ['single quotes', "{'name': 'a'}", $bad_json],
        ['a name without quotes', '{name: "a"}', $bad_json],
        ['two documents', '{} {}', $bad_json],
        ['text after the document', '{"name": "a"} x', $bad_json],
        ['words', 'hello', $bad_json],
        ['spaces', '   ', $bad_json],
        ['an unterminated string', '{"name": "a', $bad_json],
        ['a raw line break in a string', "{\"name\": \"a\nb\"}", $bad_json],
        ['an unknown escape', '{"name": "\x"}', $bad_json],
        ['a comment', '{/* */"name": "a"}', $bad_json],
        ['NaN', '{"order": NaN}', $bad_json],
        ['a number with a leading zero', '{"order": 01}', $bad_json],
        ['a number beyond the range of doubles', '{"order": 1e999}', $bad_json],
        ['bytes that are not UTF-8', "{\"name\": \"\xff\xfe\"}", $bad_json],
        ['Latin-1', "{\"name\": \"\xe9\"}", $bad_json],
        ['UTF-16', "\xff\xfe{\0}\0", $bad_json],
        ['a byte order mark', "\xef\xbb\xbf{}", $bad_json],
        ['a NUL after the document', "{}\0", $bad_json],
        ['a NUL in a member\'s name', '{"na\u0000me": "a"}', $bad_json],
        ['a repeated member', '{"name": "a", "name": "b"}', $bad_json],
        ['a repeated unknown member', '{"x": {"y": 1, "y": 2}}', $bad_json],
        ['10000 nested lists', '[' x 10000, $bad_json],
        ['10000 nested objects', '{"a":' x 10000 . '1' . '}' x 10000, $bad_json],
        ['a list', '[]', '400 invalid Invalid data. Expected a dictionary, but got list.'],
        ['a string', '"name"', '400 invalid Invalid data. Expected a dictionary, but got str.'],
        ['a number', '1', '400 invalid Invalid data. Expected a dictionary, but got int.'],
        ['a malformed number', '1.5', '400 invalid Invalid data. Expected a dictionary, but got float.'],
        ['true', 'true', '400 invalid Invalid data. Expected a dictionary, but got bool.'],
        ['null', 'null', '400 invalid Invalid data. Expected a dictionary, but got NoneType.'],
    ) {
        my ($what, $body, $expected) = @$case;
        for my $way (
            [POST => 'reference-images/'], [PATCH => "reference-images/$photo/"],
            [POST => 'image-generation/generate/'],
            [POST => 'prompts/'], [PATCH => "prompts/$prompt/"], [POST => 'prompts/preview/'],
            [POST => 'admin/users/'], [PATCH => 'admin/users/' . person('bob') . '/'], [POST => 'admin/identities/']
        ) {
            my $said = line(call(@$way, as => 'admin', body => $body, type => 'application/json'));
            my $name = "$what as JSON to $way->[0] " . shown($way->[1]);
            ref $expected ? like $said, $expected, $name : is $said, $expected, $name;
        }
    }
    sql("DELETE FROM reference_images WHERE id <> '$photo'");
    is json(call(GET => 'reference-images/', as => 'admin'))->[0]{name}, '', 'none of these bodies changed anything';
};

subtest 'The Content-Type decides how a body is read' => sub {
    for my $case (
        ['application/json', '{}', 201],
        ['APPLICATION/JSON', '{}', 201],
        ['application/json;charset=utf-8', '{}', 201],
        ['application/json ; charset="UTF-8"', '{}', 201],
        ['application/x-www-form-urlencoded; charset=UTF-8', 'name=a', 201],
        ['Multipart/Form-Data; boundary=x', "--x--\r\n", 201],
        ['application/json', '', 201],
        ['text/plain', '', 201],
        [undef, '', 201],
        ['text/plain', '{}', '415 unsupported_media_type Unsupported media type "text/plain" in request.'],
        [
            'application/jsonx', '{}',
            '415 unsupported_media_type Unsupported media type "application/jsonx" in request.'
        ],
        ['application/xml', '<a/>', '415 unsupported_media_type Unsupported media type "application/xml" in request.'],
        [
            'application/problem+json', '{}',
            '415 unsupported_media_type Unsupported media type "application/problem+json" in request.'
        ],
        [
            'application/octet-stream', 'x',
            '415 unsupported_media_type Unsupported media type "application/octet-stream" in request.'
        ],
        ['json', '{}', '415 unsupported_media_type Unsupported media type "json" in request.'],
        ['a"b<c>', 'x', '415 unsupported_media_type Unsupported media type "a"b<c>" in request.'],
        ["text/\xff", 'x', '415 unsupported_media_type Unsupported media type "text/?" in request.'],
        ['', '{}', '415 unsupported_media_type Unsupported media type "" in request.'],
        [undef, '{}', '415 unsupported_media_type Unsupported media type "" in request.'],
        ['multipart/form-data', 'x', qr/^400 parse_error Multipart form parse error - /],
        ['multipart/form-data; boundary=y', "--x--\r\n", qr/^400 parse_error Multipart form parse error - /],
    ) {
        my ($type, $body, $expected) = @$case;
        sql("DELETE FROM reference_images WHERE id <> '$photo'");
        my $answer = call(POST => 'reference-images/', as => 'admin', body => $body, type => $type);
        my $name =
              ($body eq '' ? 'an empty body' : 'a body')
            . ' of type '
            . (defined $type ? "'" . $type =~ s/[^ -~]/?/gr . "'" : 'nothing');
        if (ref $expected) { like line($answer), $expected, $name }
        elsif ($expected eq '201') { is $answer->code, 201, $name }
        else { is line($answer), $expected, $name }
    }
};

subtest 'A body without files of more than 1 MB is refused' => sub {
    for my $case (
        ['application/json', '{"name": "' . 'a' x (1 << 20) . '"}'],
        ['application/x-www-form-urlencoded', 'name=' . 'a' x (1 << 20)],
    ) {
        my ($type, $body) = @$case;
        is line(call(POST => 'reference-images/', as => 'admin', body => $body, type => $type)),
            '413 upload_too_large The upload has ' . length($body) . ' bytes; at most 1048576 (1.0 MB) are allowed.',
            "more than 1 MB of $type is refused";
    }
    my ($text) = raw(
        [
            'POST /api/v1/reference-images/ HTTP/1.1', 'Authorization: ' . login('admin'),
            'Content-Type: application/json', 'Transfer-Encoding: chunked'
        ],
        sprintf("%x\r\n%s\r\n", 1 << 20, $megabyte),
        sprintf("%x\r\n%s\r\n", 1 << 20, $megabyte)
    );
    like $text, qr/^HTTP\/1\.1 413 /, 'more than 1 MB in chunks is refused';
};

# Errors ------------------------------------------------------------------------------------------

subtest 'An error has a sentence, a code, and the sentences by field' => sub {
    my $field = call(PATCH => "reference-images/$photo/", as => 'admin', json => { order => 9 });
    is $field->content,
        '{"detail":"Order must be between 0 and 4","code":"order_range","errors":{"order":["Order must be between 0 '
        . 'and 4"]}}',
        'a field error has a sentence, a code and the sentences by field';
    is call(GET => 'nothing/', as => 'admin')->content, '{"detail":"Not found.","code":"not_found"}',
        'another error has a sentence and a code';
};

subtest 'Each response is JSON with the headers of the API' => sub {
    for my $case (
        [200, GET => 'users/me/'], [400, PATCH => "reference-images/$photo/", json => []], [404, GET => 'nothing/'],
        [405, PUT => 'users/me/'], [415, POST => 'reference-images/', body => 'x', type => 'x/y'],
    ) {
        my ($status, @request) = @$case;
        my $answer = call(@request, as => 'admin');
        is join(
            '|', $answer->code, map { $answer->header($_) // '-' } 'Content-Type', 'Cache-Control',
            'X-Content-Type-Options'
            ),
            "$status|application/json|private, no-cache|nosniff",
            "a response of $status is JSON with Cache-Control and nosniff";
        unlike $answer->headers->as_string, qr/Apache\/\d|PHP|identityimg\//,
            "a response of $status reveals no versions";
    }
};

subtest 'A request that httpd itself refuses gets our JSON' => sub {
    expect_log(qr/AH10244: invalid URI path/);
    for my $case (
        ['a header without a name', ['GET /api/v1/users/me/ HTTP/1.1', ': x'], 400],
        ['a header of 20 KB', ['GET /api/v1/users/me/ HTTP/1.1', 'X-Long: ' . 'x' x 20000], 431],
        ['a URL of 20 KB', ['GET /api/v1/' . 'x' x 20000 . ' HTTP/1.1'], 414],
        ['an invalid escape', ['GET /api/v1/%zz/ HTTP/1.1'], 400],
        ['TRACE without credentials', ['TRACE /api/v1/users/me/ HTTP/1.1'], 401],
        ['TRACE', ['TRACE /api/v1/users/me/ HTTP/1.1', 'Authorization: ' . login('alice')], 405],
        ['TRACE of a picture', ['TRACE /pictures/media/x HTTP/1.1'], 403],
    ) {
        my ($what, $head, $status) = @$case;
        my ($text) = raw($head);
        like $text, qr/^HTTP\/1\.1 $status .*\r\n\r\n\{"detail":"(?:[^"\\]|\\.)+\.","code":"\w+"\}$/s,
            "$what is refused with our JSON";
    }
};

# Preflights carry no credentials, so an unknown path must be 404 for them.
subtest 'OPTIONS of an unknown path is 404 without credentials' => sub {
    is line(call(OPTIONS => 'nothing/')), '404 not_found Not found.', 'OPTIONS of an unknown path is 404, not 401';
    is line(call(OPTIONS => 'reference-images')),
        '404 not_found Not found. The path ends in a slash: /api/v1/reference-images/',
        'OPTIONS of a path without its slash names the right path';
};

subtest 'A compressed body is refused' => sub {
    is line(call(POST => 'reference-images/', as => 'alice', json => {}, headers => ['Content-Encoding' => 'gzip'])),
        '415 unsupported_media_type Unsupported content encoding "gzip" in request.', 'a compressed body is refused';
    is call(POST => 'reference-images/', as => 'alice', json => {}, headers => ['Content-Encoding' => 'identity'])
        ->code,
        201, 'Content-Encoding: identity is accepted';
};

subtest 'A string as picture is refused, and an empty value is accepted' => sub {
    for my $case (
        ['JSON', json => { image => 'data:image/png;base64,AA' }], ['a form', form => [image => 'portrait.png']],
        ['a part without a file name', parts => [image => 'words']]
    ) {
        my ($what, @body) = @$case;
        is line(call(POST => 'reference-images/', as => 'bob', @body)),
            '400 no_image The submitted data was not a file. Check the encoding type on the form.',
            "a string as picture in $what is refused";
    }
    is call(POST => 'reference-images/', as => 'bob', json => { image => $_ })->code, 201,
        'an empty value as picture is accepted' for undef, '';
};

finish();
