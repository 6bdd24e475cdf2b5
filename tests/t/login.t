# login.t - auth/login/ and auth/logout/: who gets a session or a token, how the cookie looks, and that
# Django's password hashes are taken over.
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
is $in->code, 200, 'an email and its password come in, without any credentials in the header';
is $in->content, $me->content, 'the answer is the user, as users/me/ has him';
like $in->header('Set-Cookie'),
    qr/^identityimg_session=iimg_[\w-]{43}; Path=\/; Max-Age=1209600; HttpOnly; SameSite=Strict$/,
    'and a cookie that no script reads and no other site sends';
is scalar(my @cookies = $in->header('Set-Cookie')), 1, '... one';
unlike $in->content, qr/iimg_/, 'the token is in the cookie alone';
is $in->header('Cache-Control'), 'no-store', 'nobody keeps it';
is call(GET => 'auth/tokens/', as => 'alice')->header('Cache-Control'), 'no-store', '... nor the list of tokens';
is call(GET => 'admin/users/', as => 'admin')->header('Cache-Control'), 'no-store', '... nor what staff see';
my $moved = call(GET => 'users/me', as => 'alice');
is join(' ', map { $moved->header($_) // '-' } 'Cache-Control', 'X-Content-Type-Options'), 'private, no-cache nosniff',
    'where a path without its slash leads to is no proxy\'s either';
my $session = cookie($in);
is call(GET => 'users/me/', with($session))->content, $me->content, 'with the cookie the user is in';
is call(GET => 'reference-images/', headers => [Cookie => "a=b; $session; c=d"])->code, 200, '... also among others';
is call(GET => 'test-users/', with($session))->code, 403, '... as what he is';
isnt cookie(log_in()), $session, 'another login is another session';
is call(GET => 'users/me/', with($session))->code, 200, '... and both live';
is json(log_in(email => ' ALICE@Example.COM '))->{email}, 'alice@example.com',
    'the email is compared without case, and trimmed';
my $all = join ' ', sql('SELECT * FROM auth_tokens');
unlike $all, qr/\Q@{[$session =~ s{.*=}{}r]}\E/, 'the table does not know the token itself';

for my $case ([form => [%right]], [parts => [%right]], [form => [%right, token => 'false']]) {
    my $answer = call(POST => 'auth/login/', @$case);
    is $answer->code, 200, "fields as $case->[0] log in too";
    like cookie($answer), qr/^identityimg_session=iimg_/, '... with a cookie';
}

# A token ------------------------------------------------------------------------------------------

my $out = log_in(token => \1);
is $out->code, 200, 'whoever wants a token';
is $out->header('Set-Cookie'), undef, '... gets no cookie';
my $given = json($out);
is join(' ', sort keys %$given), 'email expires_at first_name id is_staff last_name token',
    '... but the user, the token and when it ends';
like $given->{token}, qr/^iimg_[\w-]{43}$/, '... a text of one form';
like $given->{expires_at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/, '... and a time';
is join(
    '|',
    sql(
        "SELECT kind, round(extract(epoch FROM expires_at - created_at)) FROM auth_tokens ORDER BY created_at DESC "
            . "LIMIT 1"
    )
    ),
    'bearer|7776000', 'it lives for 90 days';
is call(GET => 'users/me/', with($given->{token}))->content, $me->content, 'with it the user is in';
is call(GET => 'users/me/', headers => [Authorization => "bearer   $given->{token}"])->code, 200,
    '... the scheme in any case';
like $out->content, qr/^\Q@{[$me->content =~ s{\}$}{}r]}\E,"token":"iimg_[^"]+","expires_at":"[^"]+"\}$/,
    '... in this order';
my @keyed =
    map { call(POST => 'auth/login/', json => { %right, token => \1 }, headers => ['Idempotency-Key' => 'login-1']) } 1,
    2;
is join(' ', map { $_->code . ($_->header('Idempotent-Replayed') // '') } @keyed), '200 200',
    'an Idempotency-Key means nothing here';
isnt json($keyed[0])->{token}, json($keyed[1])->{token}, '... a token is shown once, never again';
is call(
    POST => 'auth/logout/', with(json($_)->{token}),
    headers => [Authorization => 'Bearer ' . json($_)->{token}, 'Idempotency-Key' => 'logout-1']
    )->code, 204,
    '... nor when one logs out' for @keyed;
is call(GET => 'users/me/', with(json($_)->{token}))->code, 401, '... who is out then' for @keyed;
my $form = call(POST => 'auth/login/', form => [%right, token => 'true']);
like json($form)->{token}, qr/^iimg_/, 'a form may ask for one as well';

# Wrong ones ---------------------------------------------------------------------------------------

my $wrong = log_in(password => 'pw-bob');
is line($wrong), '401 authentication_failed Invalid username/password.', 'a wrong password';
is $wrong->header('Set-Cookie'), undef, '... gets no cookie';
is $wrong->header('WWW-Authenticate'), 'Bearer realm="api"', '... and opens no password box';
for my $case (
    [email => 'nobody@example.com'], [email => 'x'], [email => "' OR true --"], [password => ' pw-alice'],
    [password => 'pw-alice '], [password => 'PW-ALICE'],
    [password => 'p' x 1024], [email => '%@example.com'], [email => "\x{1F600}"]
) {
    my $answer = log_in(@$case);
    is $answer->content, $wrong->content, "the same answer for $case->[0] " . substr($case->[1], 0, 20);
    is headers($answer), headers($wrong), '... under the same headers';
}
sql("UPDATE users SET is_active = false WHERE id = '" . person('bob') . "'");
is line(log_in(email => 'bob@example.com', password => 'pw-bob')), '401 user_inactive User inactive or deleted.',
    'an inactive user hears that he is';
is log_in(email => 'bob@example.com', password => 'wrong')->content, $wrong->content,
    '... when he knows his password: nobody else learns of him';
sql("UPDATE users SET is_active = true, password = '' WHERE id = '" . person('bob') . "'");
is log_in(email => 'bob@example.com', password => 'pw-bob')->content, $wrong->content,
    'an account without a password lets nobody in';

my $field = qr/^400 invalid /;
for my $case (
    [{ password => 'x' }, '400 invalid This field is required.', 'no email'],
    [{ email => 'alice@example.com' }, '400 invalid This field is required.', 'no password'],
    [{ email => ' ', password => 'x' }, '400 invalid This field may not be blank.', 'a blank email'],
    [{ email => 'alice@example.com', password => '' }, '400 invalid This field may not be blank.', 'an empty password'],
    [
        { email => 'a' x 255, password => 'x' }, '400 invalid Ensure this field has no more than 254 characters.',
        'a long email'
    ],
    [
        { %right, password => 'p' x 1025 }, '400 invalid Ensure this field has no more than 1024 characters.',
        'a long password'
    ],
    [{ %right, password => "pw-alice\0" }, '400 invalid Null characters are not allowed.', 'a NUL in the password'],
    [{ %right, email => "alice\0\@example.com" }, '400 invalid Null characters are not allowed.', 'a NUL in the email'],
    [{ %right, email => undef }, $field, 'null as the email'],
    [{ %right, password => undef }, $field, 'null as the password'],
    [{ %right, email => 1 }, $field, 'a number as the email'],
    [{ %right, password => ['pw-alice'] }, $field, 'a list as the password'],
    [{ %right, password => { a => 1 } }, $field, 'an object as the password'],
    [{ %right, token => 'maybe' }, $field, 'a token that is neither wanted nor not'],
    [[], $field, 'a list'],
) {
    my ($json, $expected, $what) = @$case;
    my $said = line(call(POST => 'auth/login/', json => $json));
    ref $expected ? like $said, $expected, "$what is refused" : is $said, $expected, "$what is refused";
}
is line(call(POST => 'auth/login/', body => '')), '400 invalid This field is required.', 'and so is nothing at all';
is call(POST => 'auth/login/', body => 'x', type => 'text/plain')->code, 415, 'and text';
is call(POST => 'auth/login/', parts => [%right, filler => 'x' x 2_000_000])->code, 413,
    'a form of 2 MB is too large for a login';
is line(call(GET => 'auth/login/')), '405 method_not_allowed Method "GET" not allowed.',
    'GET is not allowed, to nobody';
is call(OPTIONS => 'auth/login/')->header('Allow'), 'POST, OPTIONS', 'POST is';
is call(GET => 'auth/login')->header('Location'), base_url() . '/api/v1/auth/login/', 'the path ends in a slash';
is call(POST => 'auth/login', json => \%right)->code, 404, '... for logins too';
is call(GET => 'auth/login/x/')->code, 401, 'below it nothing is open';
is call(
    POST => 'auth/login/', json => \%right,
    headers => [Authorization => login('alice', 'x'), Cookie => 'identityimg_session=x']
    )->code, 200,
    'who logs in may bring old credentials: they do not matter';

# Out again ----------------------------------------------------------------------------------------

is call(POST => 'auth/logout/')->code, 401, 'nobody cannot log out';
is line(call(POST => 'auth/logout/', headers => [Cookie => 'identityimg_session=iimg_' . 'A' x 43])),
    '401 invalid_token Invalid token.', '... nor an unknown session';
my $other = cookie(log_in());
my $done = call(POST => 'auth/logout/', with($session));
is $done->code . $done->content, '204', 'logging out answers nothing';
is $done->header('Set-Cookie'), 'identityimg_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict',
    '... and takes the cookie away';
is line(call(GET => 'users/me/', with($session))), '401 invalid_token Invalid token.',
    'the session has ended, whoever kept the cookie';
is call(GET => 'users/me/', with($other))->code, 200, 'others go on';
is call(POST => 'auth/logout/', with($given->{token}))->code, 204, 'a bearer token logs out';
is call(GET => 'users/me/', with($given->{token}))->code, 401, '... and has ended';
is call(POST => 'auth/logout/', as => 'alice')->code, 204, 'with Basic there is nothing to end';
is call(GET => 'users/me/', with($other))->code, 200, '... and nothing ends';

# Passwords that change ----------------------------------------------------------------------------

my $bob = person('bob');
my $bcrypt = crypt 'new', '$2y$04$abcdefghijklmnopqrstuu';
sql("UPDATE users SET password = '$bcrypt' WHERE id = '$bob'");
my @secrets = (
    cookie(log_in(email => 'bob@example.com', password => 'new')),
    json(log_in(email => 'bob@example.com', password => 'new', token => \1))->{token}
);
is scalar(grep { defined && length } @secrets), 2, 'bob has a session and a token';
is call(GET => 'users/me/', with($_))->code, 200, '... which let the user in' for @secrets;
sql("UPDATE users SET password = password, first_name = 'Bob' WHERE id = '$bob'");
is call(GET => 'users/me/', with($_))->code, 200, '... also after another change of his row' for @secrets;
sql("UPDATE users SET password = '" . crypt('newer', '$2y$04$abcdefghijklmnopqrstuu') . "' WHERE id = '$bob'");
is line(call(GET => 'users/me/', with($_))), '401 invalid_token Invalid token.',
    'a new password, set by hand in psql, ends it' for @secrets;
is join('', sql("SELECT count(*) FROM auth_tokens WHERE user_id = '$bob'")), 0, '... in the table';

# A login that has verified the old password when the new one is about to come.
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
            'a login waits for the new password';
        $commit->('COMMIT');
    }
);
is $raced, '401 authentication_failed Invalid username/password.',
    'a password that changes during a login ends that too';
is join('', sql("SELECT count(*) FROM auth_tokens WHERE user_id = '$bob'")), 0, '... and no token is left of it';

# By Python: base64(hashlib.pbkdf2_hmac('sha256', b'letmein', b'seasalt', 10000)); 80 times p with 1,000.
my $django = 'pbkdf2_sha256$10000$seasalt$FQCNpiZpTb0zub+HBsH6TOwyRxJ19FwvjbweatNmK/Y=';
my $long = 'pbkdf2_sha256$1000$long$oVXeLNdCOq6FsxbZ9XgZe9jYFx8bs+vnjtS6u3MSLZM=';
sub password_of { return join '', sql("SELECT password FROM users WHERE id = '$bob'") }
sub set_password { my ($hash) = @_; sql("UPDATE users SET password = '$hash' WHERE id = '$bob'"); return }
set_password($django);
is log_in(email => 'bob@example.com', password => 'letmeim')->code, 401, 'a wrong password for a hash of Django\'s';
is password_of(), $django, '... changes nothing';
my $first = log_in(email => 'bob@example.com', password => 'letmein');
is $first->code, 200, 'the right one comes in';
like password_of(), qr/^\$2y\$10\$/, '... and the hash is bcrypt now';
is call(GET => 'users/me/', with(cookie($first)))->code, 200, '... which does not end the session just made';
is log_in(email => 'bob@example.com', password => 'letmein')->code, 200, '... and knows the same password';
is call(GET => 'users/me/', with(cookie($first)))->code, 200, '... which ends no session either';
set_password($django);
is call(GET => 'users/me/', headers => [Authorization => login('bob@example.com', 'letmein')])->code, 200,
    'by Basic it comes in as well';
like password_of(), qr/^\$2y\$10\$/, '... and the hash is bcrypt then';
is call(GET => 'users/me/', headers => [Authorization => login('bob@example.com', 'letmein')])->code, 200,
    '... and the same password';
set_password($long);
is log_in(email => 'bob@example.com', password => 'p' x 80)->code, 200, 'a password longer than bcrypt looks comes in';
is password_of(), $long, '... and keeps its hash';
is log_in(email => 'bob@example.com', password => 'p' x 79)->code, 401, '... which looks to its end';
set_password($django);
is join(' ', in_parallel(4, sub { log_in(email => 'bob@example.com', password => 'letmein')->code })),
    '200 200 200 200', 'four first logins at once all come in';

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
    'over https the cookie is for this host alone';
my $host = cookie($in);
is call(GET => 'users/me/', with($host), @there)->code, 200, '... and lets in';
is call(GET => 'users/me/', with($host =~ s/^__Host-//r), @there)->code, 401,
    '... by that name alone: another site of the domain could have set the other';
$out = json(call(POST => 'auth/login/', json => { %right, token => \1 }, @there))->{token};
is call(GET => 'users/me/', with($out), @there)->code, 200, 'a token for six seconds';
sleep 7;
is line(call(GET => 'users/me/', with($_), @there)), '401 invalid_token Invalid token.',
    '... and not longer, though it is remembered' for $host, $out;
$server->judge;
undef $server;

finish();
