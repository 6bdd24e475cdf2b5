# login.t - auth/login/ and auth/logout/: sessions, tokens, the cookie's attributes, and the takeover of Django's
# password hashes.
use strict;
use warnings;
use utf8;
use IdentityImg::Server qw(in_parallel eventually);
use IdentityImg::Test;
use Test::More;

fresh_data();
sql('DELETE FROM auth_tokens; DELETE FROM login_failures;');

my %right = (email => 'alice@example.com', password => 'pw-alice');
sub log_in { my (%with) = @_; return call(POST => 'auth/login/', json => { %right, %with }) }

sub line {
    my ($answer) = @_;
    my $body = json($answer) // {};
    return join ' ', $answer->code, $body->{code} // '', $body->{detail} // '';
}
sub cookie { my ($answer) = @_; return ($answer->header('Set-Cookie') // '') =~ /^([^;]*)/ ? $1 : '' }

sub with {
    my ($secret) = @_;
    return headers => [$secret =~ /^iimg_/ ? (Authorization => "Bearer $secret") : (Cookie => $secret)];
}

sub headers {
    my ($answer) = @_;
    return join "\n", sort grep { !/^(?:Date|X-Request-Id|Client-|Keep-Alive|Connection|Set-Cookie)/ } split /\n/,
        $answer->headers->as_string;
}

# A session ----------------------------------------------------------------------------------------

my $me = call(GET => 'users/me/', as => 'alice');
my $in = log_in();
is $in->code, 200, 'an email and its password log in, without credentials in the header';
is $in->content, $me->content, 'the response is the user, as in users/me/';
like $in->header('Set-Cookie'),
    qr/^identityimg_session=iimg_[\w-]{43}; Path=\/; Max-Age=1209600; HttpOnly; SameSite=Strict$/,
    'the cookie is HttpOnly and SameSite=Strict';
is scalar(my @cookies = $in->header('Set-Cookie')), 1, 'a login sets one cookie';
unlike $in->content, qr/iimg_/, 'the token is in the cookie only';
is $in->header('Cache-Control'), 'no-store', 'the response is not cacheable';
is call(GET => 'auth/tokens/', as => 'alice')->header('Cache-Control'), 'no-store',
    'the list of tokens is not cacheable';
is call(GET => 'admin/users/', as => 'admin')->header('Cache-Control'), 'no-store',
    'responses of staff routes are not cacheable';
my $moved = call(GET => 'users/me', as => 'alice');
is join(' ', map { $moved->header($_) // '-' } 'Cache-Control', 'X-Content-Type-Options'), 'private, no-cache nosniff',
    'the redirect of a path without its slash is private';
my $session = cookie($in);
is call(GET => 'users/me/', with($session))->content, $me->content, 'the cookie authenticates the user';
is call(GET => 'reference-images/', headers => [Cookie => "a=b; $session; c=d"])->code, 200,
    'the cookie works among other cookies';
is call(GET => 'test-users/', with($session))->code, 403, "the cookie gives the user's role";
isnt cookie(log_in()), $session, 'another login is another session';
is call(GET => 'users/me/', with($session))->code, 200, 'both sessions are valid';
is json(log_in(email => ' ALICE@Example.COM '))->{email}, 'alice@example.com',
    'the email is trimmed, and its case is ignored';
my $all = join ' ', sql('SELECT * FROM auth_tokens');
unlike $all, qr/\Q@{[$session =~ s{.*=}{}r]}\E/, 'the table does not contain the token';

for my $case ([form => [%right]], [parts => [%right]], [form => [%right, token => 'false']]) {
    my $answer = call(POST => 'auth/login/', @$case);
    is $answer->code, 200, "fields as $case->[0] log in, too";
    like cookie($answer), qr/^identityimg_session=iimg_/, "fields as $case->[0] get a cookie";
}

# A token ------------------------------------------------------------------------------------------

my $out = log_in(token => \1);
is $out->code, 200, 'a login for a token succeeds';
is $out->header('Set-Cookie'), undef, 'a login for a token sets no cookie';
my $given = json($out);
is join(' ', sort keys %$given), 'email expires_at first_name id is_staff last_name token',
    'the response has the user, the token and its expiry';
like $given->{token}, qr/^iimg_[\w-]{43}$/, 'the token has the documented form';
like $given->{expires_at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/, 'expires_at is a timestamp';
is join(
    '|',
    sql(
        "SELECT kind, round(extract(epoch FROM expires_at - created_at)) FROM auth_tokens ORDER BY created_at DESC "
            . "LIMIT 1"
    )
    ),
    'bearer|7776000', 'the token is valid for 90 days';
is call(GET => 'users/me/', with($given->{token}))->content, $me->content, 'the token authenticates the user';
is call(GET => 'users/me/', headers => [Authorization => "bearer   $given->{token}"])->code, 200,
    'the scheme Bearer is accepted in any case';
like $out->content, qr/^\Q@{[$me->content =~ s{\}$}{}r]}\E,"token":"iimg_[^"]+","expires_at":"[^"]+"\}$/,
    'the members are in the documented order';
my @keyed =
    map { call(POST => 'auth/login/', json => { %right, token => \1 }, headers => ['Idempotency-Key' => 'login-1']) } 1,
    2;
is join(' ', map { $_->code . ($_->header('Idempotent-Replayed') // '') } @keyed), '200 200',
    'an Idempotency-Key is ignored at login';
isnt json($keyed[0])->{token}, json($keyed[1])->{token}, 'a repeated login returns a new token';
is call(
    POST => 'auth/logout/', with(json($_)->{token}),
    headers => [Authorization => 'Bearer ' . json($_)->{token}, 'Idempotency-Key' => 'logout-1']
    )->code, 204,
    'an Idempotency-Key is ignored at logout' for @keyed;
is call(GET => 'users/me/', with(json($_)->{token}))->code, 401, 'the tokens have ended after the logout' for @keyed;
my $form = call(POST => 'auth/login/', form => [%right, token => 'true']);
like json($form)->{token}, qr/^iimg_/, 'a form can ask for a token';

# Wrong credentials --------------------------------------------------------------------------------

my $wrong = log_in(password => 'pw-bob');
is line($wrong), '401 authentication_failed Invalid username/password.', 'a wrong password is refused';
is $wrong->header('Set-Cookie'), undef, 'a refused login sets no cookie';
is $wrong->header('WWW-Authenticate'), 'Bearer realm="api"', 'a refused login does not offer Basic';
for my $case (
    [email => 'unknown@example.com'], [email => 'x'], [email => "' OR true --"], [password => ' pw-alice'],
    [password => 'pw-alice '], [password => 'PW-ALICE'],
    [password => 'p' x 1024], [email => '%@example.com'], [email => "\x{1F600}"]
) {
    my $answer = log_in(@$case);
    is $answer->content, $wrong->content, "the response for $case->[0] is the same " . substr($case->[1], 0, 20);
    is headers($answer), headers($wrong), "the headers for $case->[0] are the same";
}
sql("UPDATE users SET is_active = false WHERE id = '" . person('bob') . "'");
is line(log_in(email => 'bob@example.com', password => 'pw-bob')), '401 user_inactive User inactive or deleted.',
    'an inactive user with the right password is told so';
is log_in(email => 'bob@example.com', password => 'wrong')->content, $wrong->content,
    'an inactive user with a wrong password gets the usual response';
sql("UPDATE users SET is_active = true, password = '' WHERE id = '" . person('bob') . "'");
is log_in(email => 'bob@example.com', password => 'pw-bob')->content, $wrong->content,
    'an account without a password cannot log in';

my $field = qr/^400 invalid /;
for my $case (
    [{ password => 'x' }, '400 invalid This field is required.', 'no email'],
    [{ email => 'alice@example.com' }, '400 invalid This field is required.', 'no password'],
    [{ email => ' ', password => 'x' }, '400 invalid This field may not be blank.', 'a blank email'],
    [{ email => 'alice@example.com', password => '' }, '400 invalid This field may not be blank.', 'an empty password'],
    [
        { email => 'a' x 255, password => 'x' }, '400 invalid Ensure this field has no more than 254 characters.',
        'a long email is refused'
    ],
    [
        { %right, password => 'p' x 1025 }, '400 invalid Ensure this field has no more than 1024 characters.',
        'a long password is refused'
    ],
    [{ %right, password => "pw-alice\0" }, '400 invalid Null characters are not allowed.', 'a NUL in the password'],
    [{ %right, email => "alice\0\@example.com" }, '400 invalid Null characters are not allowed.', 'a NUL in the email'],
    [{ %right, email => undef }, $field, 'null as the email'],
    [{ %right, password => undef }, $field, 'null as the password'],
    [{ %right, email => 1 }, $field, 'a number as the email'],
    [{ %right, password => ['pw-alice'] }, $field, 'a list as the password'],
    [{ %right, password => { a => 1 } }, $field, 'an object as the password'],
    [{ %right, token => 'maybe' }, $field, 'a token that is not a boolean'],
    [[], $field, 'a list'],
) {
    my ($json, $expected, $what) = @$case;
    my $said = line(call(POST => 'auth/login/', json => $json));
    ref $expected ? like $said, $expected, "$what is refused" : is $said, $expected, "$what is refused";
}
is line(call(POST => 'auth/login/', body => '')), '400 invalid This field is required.', 'an empty body is refused';
is call(POST => 'auth/login/', body => 'x', type => 'text/plain')->code, 415, 'text is refused';
is call(POST => 'auth/login/', parts => [%right, filler => 'x' x 2_000_000])->code, 413,
    'a form of 2 MB is too large for a login';
is line(call(GET => 'auth/login/')), '405 method_not_allowed Method "GET" not allowed.',
    'GET is 405 without credentials';
is call(OPTIONS => 'auth/login/')->header('Allow'), 'POST, OPTIONS', 'POST is';
is call(GET => 'auth/login')->header('Location'), base_url() . '/api/v1/auth/login/',
    'a path without its slash is redirected';
is call(POST => 'auth/login', json => \%right)->code, 404, 'a POST without its slash is 404';
is call(GET => 'auth/login/x/')->code, 401, 'paths below auth/login/ need credentials';
is call(
    POST => 'auth/login/', json => \%right,
    headers => [Authorization => login('alice', 'x'), Cookie => 'identityimg_session=x']
    )->code, 200,
    'a login ignores invalid credentials in its headers';

# Logout -------------------------------------------------------------------------------------------

is call(POST => 'auth/logout/')->code, 401, 'a logout without credentials is 401';
is line(call(POST => 'auth/logout/', headers => [Cookie => 'identityimg_session=iimg_' . 'A' x 43])),
    '401 invalid_token Invalid token.', 'a logout with an unknown session is 401';
my $other = cookie(log_in());
my $done = call(POST => 'auth/logout/', with($session));
is $done->code . $done->content, '204', 'a logout returns 204';
is $done->header('Set-Cookie'), 'identityimg_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict',
    'a logout clears the cookie';
is line(call(GET => 'users/me/', with($session))), '401 invalid_token Invalid token.',
    'the session is refused after the logout';
is call(GET => 'users/me/', with($other))->code, 200, 'other sessions stay valid';
is call(POST => 'auth/logout/', with($given->{token}))->code, 204, 'a logout with a bearer token succeeds';
is call(GET => 'users/me/', with($given->{token}))->code, 401, 'the bearer token is refused after the logout';
is call(POST => 'auth/logout/', as => 'alice')->code, 204, 'a logout with Basic succeeds';
is call(GET => 'users/me/', with($other))->code, 200, 'a logout with Basic ends no session';

# Passwords that change ----------------------------------------------------------------------------

my $bob = person('bob');
my $bcrypt = crypt 'new', '$2y$04$abcdefghijklmnopqrstuu';
sql("UPDATE users SET password = '$bcrypt' WHERE id = '$bob'");
my @secrets = (
    cookie(log_in(email => 'bob@example.com', password => 'new')),
    json(log_in(email => 'bob@example.com', password => 'new', token => \1))->{token}
);
is scalar(grep { defined && length } @secrets), 2, 'bob has a session and a token';
is call(GET => 'users/me/', with($_))->code, 200, 'the session and the token are valid' for @secrets;
sql("UPDATE users SET password = password, first_name = 'Bob' WHERE id = '$bob'");
is call(GET => 'users/me/', with($_))->code, 200, 'they stay valid after another change of the row' for @secrets;
sql("UPDATE users SET password = '" . crypt('newer', '$2y$04$abcdefghijklmnopqrstuu') . "' WHERE id = '$bob'");
is line(call(GET => 'users/me/', with($_))), '401 invalid_token Invalid token.',
    'a new password set in psql ends it' for @secrets;
is join('', sql("SELECT count(*) FROM auth_tokens WHERE user_id = '$bob'")), 0,
    'the rows of the ended tokens are deleted';

# A login that has verified the old password just before the new one is set.
my $main = IdentityImg::Server->main;
my $commit = $main->hold("UPDATE users SET password = '$bcrypt' WHERE id = '$bob'");
my ($raced) = in_parallel(
    1,
    sub { line(log_in(email => 'bob@example.com', password => 'newer')) },
    sub {
        ok eventually(sub {
            ($main->sql(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'identityimg' AND wait_event_type = 'Lock'",
                'postgres'
            ))[0];
            }),
            'the login waits for the password change';
        $commit->('COMMIT');
    }
);
is $raced, '401 authentication_failed Invalid username/password.',
    'a password change during a login makes the login fail';
is join('', sql("SELECT count(*) FROM auth_tokens WHERE user_id = '$bob'")), 0, 'the failed login leaves no token';

# By Python: base64(hashlib.pbkdf2_hmac('sha256', b'letmein', b'seasalt', 10000)); 80 times p with 1,000.
my $django = 'pbkdf2_sha256$10000$seasalt$FQCNpiZpTb0zub+HBsH6TOwyRxJ19FwvjbweatNmK/Y=';
my $long = 'pbkdf2_sha256$1000$long$oVXeLNdCOq6FsxbZ9XgZe9jYFx8bs+vnjtS6u3MSLZM=';
sub password_of { return join '', sql("SELECT password FROM users WHERE id = '$bob'") }
sub set_password { my ($hash) = @_; sql("UPDATE users SET password = '$hash' WHERE id = '$bob'"); return }
set_password($django);
is log_in(email => 'bob@example.com', password => 'letmeim')->code, 401,
    'a wrong password for a Django hash is refused';
is password_of(), $django, 'a wrong password does not change the hash';
my $first = log_in(email => 'bob@example.com', password => 'letmein');
is $first->code, 200, 'the right password for a Django hash is accepted';
like password_of(), qr/^\$2y\$10\$/, 'the hash is bcrypt after the login';
is call(GET => 'users/me/', with(cookie($first)))->code, 200, 'the rehash does not end the new session';
is log_in(email => 'bob@example.com', password => 'letmein')->code, 200,
    'the same password is accepted with the bcrypt hash';
is call(GET => 'users/me/', with(cookie($first)))->code, 200, 'a later login does not end the session';
set_password($django);
is call(GET => 'users/me/', headers => [Authorization => login('bob@example.com', 'letmein')])->code, 200,
    'Basic accepts the password of a Django hash';
like password_of(), qr/^\$2y\$10\$/, 'the hash is bcrypt after Basic';
is call(GET => 'users/me/', headers => [Authorization => login('bob@example.com', 'letmein')])->code, 200,
    'the same password is accepted again';
set_password($long);
is log_in(email => 'bob@example.com', password => 'p' x 80)->code, 200,
    "a password longer than bcrypt's limit is accepted for a Django hash";
is password_of(), $long, 'a long password keeps its Django hash';
is log_in(email => 'bob@example.com', password => 'p' x 79)->code, 401, 'a long password is compared as a whole';
set_password($django);
is join(' ', in_parallel(4, sub { log_in(email => 'bob@example.com', password => 'letmein')->code })),
    '200 200 200 200', 'four concurrent first logins succeed';

# https --------------------------------------------------------------------------------------------

my $server = IdentityImg::Server->new(
    'login',
    conf => "ServerName https://api.example.com\nIdentityImgBaseURL https://api.example.com\nIdentityImgSessionAge 6\n"
        . "IdentityImgTokenAge 6\n"
)->start;
my @there = (base => $server->base);
$in = call(POST => 'auth/login/', json => \%right, @there);
like $in->header('Set-Cookie'),
    qr/^__Host-identityimg_session=iimg_[\w-]{43}; Path=\/; Max-Age=6; HttpOnly; SameSite=Strict; Secure$/,
    'over https the cookie has the __Host- prefix and Secure';
my $host = cookie($in);
is call(GET => 'users/me/', with($host), @there)->code, 200, 'the __Host- cookie is accepted';
is call(GET => 'users/me/', with($host =~ s/^__Host-//r), @there)->code, 401,
    'the cookie without the prefix is refused over https: another site of the domain could have set it';
$out = json(call(POST => 'auth/login/', json => { %right, token => \1 }, @there))->{token};
is call(GET => 'users/me/', with($out), @there)->code, 200, 'a token is valid within its six seconds';
sleep 7;
is line(call(GET => 'users/me/', with($_), @there)), '401 invalid_token Invalid token.',
    'a token is refused after its six seconds, although cached' for $host, $out;
$server->judge;
undef $server;

finish();
