# authentication.t - authentication by our passwords and by other modules, and its cost.
use strict;
use warnings;
use utf8;
use IdentityImg::Server qw(in_parallel eventually);
use IdentityImg::Test;
use MIME::Base64 'encode_base64';
use Test::More;

my $passwords = "$ENV{IIMG_WORK}/passwords";
open my $file, '>', $passwords or die $!;
for ('alice@example.com', 'BOB@Example.com', 'stranger@example.com') {
    chomp(my $hash = `openssl passwd -apr1 from-the-file`);
    print $file "$_:$hash\n";
}
close $file;
chmod 0644, $passwords;

# One child, because each child has its own credential cache.
my $conf = <<"CONF";
StartServers 1
ServerLimit 1
MaxRequestWorkers 25
MinSpareThreads 1
MaxSpareThreads 25
LogLevel identityimg:debug
IdentityImgLoginFailures 1000000
LoadModule authn_file_module /usr/lib/apache2/modules/mod_authn_file.so
<Location "/by-file">
    IdentityImg on
    AuthType Basic
    AuthName "file"
    AuthBasicProvider file
    AuthUserFile "$passwords"
    Require valid-user
</Location>
<Location "/by-either">
    IdentityImg on
    AuthType Basic
    AuthName "either"
    AuthBasicProvider file identityimg
    AuthUserFile "$passwords"
    Require valid-user
</Location>
LoadModule status_module /usr/lib/apache2/modules/mod_status.so
<Location "/ours">
    IdentityImg on
    AuthType Basic
    AuthName "ours"
    AuthBasicProvider identityimg
    Require valid-user
</Location>
<Location "/ours/status">
    SetHandler server-status
</Location>
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
<Location "/ours/rewritten">
    RewriteEngine On
    RewriteRule .* - [H=server-status]
</Location>
<Location "/static">
    AuthType Basic
    AuthName "static"
    AuthBasicProvider identityimg
    Require valid-user
</Location>
CONF
my $server = IdentityImg::Server->new('authentication', conf => $conf)->start;
$server->add_page;

my @codes;
sub ask { my ($path, $email, $password) = @_; return asked($path, defined $email ? login($email, $password) : undef) }

sub asked {
    my ($path, $authorization) = @_;
    return call(
        GET => $path, base => $server->base,
        headers => $authorization ? [Authorization => $authorization] : []
    );
}
sub code { return ask(@_)->code }

# The number of passwords hashed during CODE.
sub hashes {
    my ($code) = @_;
    my $before = () = grep { /step hash/ } $server->log_lines(1);
    @codes = $code->();
    return (() = grep { /step hash/ } $server->log_lines(1)) - $before;
}

# A bcrypt hash of a given cost. (Time doubles with each step of the cost.)
sub set_password {
    my ($who, $password, $cost) = @_;
    my $hash = crypt $password, sprintf '$2y$%02d$%s', $cost,
        substr join('', map { ('.', '/', 0 .. 9, 'A' .. 'Z', 'a' .. 'z')[rand 64] } 1 .. 21) . 'u', 0, 22;
    die 'this system has no bcrypt' if length $hash != 60;
    $server->sql("UPDATE users SET password = '$hash' WHERE id = '" . person($who) . "'");
    return;
}

# Our own passwords ------------------------------------------------------------------------------------

my $me = ask('users/me/', 'alice@example.com', 'pw-alice');
is $me->code, 200, 'an email and its password are accepted';
is code('users/me/', 'ALICE@Example.COM', 'pw-alice'), 200, 'the case of the email is ignored';
my $none = ask('users/me/');
is $none->code, 401, 'a request without credentials is 401';
is json($none)->{detail}, 'Authentication credentials were not provided.',
    "a request without credentials gets Django's sentence";
is $none->header('WWW-Authenticate'), 'Bearer realm="api"',
    'a request without credentials is offered Bearer, not Basic';
my $wrong = ask('users/me/', 'alice@example.com', 'pw-bob');
is $wrong->code, 401, 'a wrong password is 401';
is json($wrong)->{detail}, 'Invalid username/password.', "a wrong password gets Django's sentence";
like $wrong->header('WWW-Authenticate'), qr/^Basic realm="api"/, 'a wrong password is offered Basic';
is ask('users/me/', 'unknown@example.com', 'pw-alice')->content, $wrong->content,
    'an unknown email gets the same response as a wrong password';

my %strange = (
    'a password of 2,000 bytes' => 'alice@example.com:' . 'p' x 2000,
    'the password and 2,000 bytes' => 'alice@example.com:pw-alice' . 'p' x 2000,
    'a NUL after the password' => "alice\@example.com:pw-alice\0",
    'a NUL and more after the password' => "alice\@example.com:pw-alice\0more",
    'a NUL before the password' => "alice\@example.com:\0pw-alice",
    'a NUL in the email' => "alice\@example.com\0:pw-alice",
    'an email that is not UTF-8' => "al\xffice\@example.com:pw-alice",
    'an email of 5,000 bytes' => 'a' x 5000 . ':pw-alice',
    'an SQL injection in the email' => "' OR true --:pw-alice",
    'no password' => 'alice@example.com:',
    'no colon' => 'alice@example.com',
    'nothing' => '',
    'a newline in the email' => "alice\@example.com\n:pw-alice",
    'a space after the password' => 'alice@example.com:pw-alice ',
    'a password in another case' => 'alice@example.com:PW-ALICE',
    'a password that is not UTF-8' => "alice\@example.com:\xff\xfe",
);
for my $what (sort keys %strange) {
    my $answer = asked('users/me/', 'Basic ' . encode_base64($strange{$what}, ''));
    is $answer->code, 401, "$what: 401";
    is $answer->header('Content-Type'), 'application/json', 'the refusal is JSON';
}
is asked('users/me/', $_)->code, 401, "401 for Authorization: $_"
    for 'Basic', 'Basic !!!', 'Bearer abc', 'Negotiate x', '';

# Hashed once, cached by the stored hash -----------------------------------------------------------------

cmp_ok hashes(sub { code('users/me/', 'bob@example.com', 'pw-bob') }), '==', 1,
    'the first request with a password hashes it';
cmp_ok hashes(sub {
    map { code($_, 'bob@example.com', 'pw-bob') } ('users/me/', 'reference-images/') x 3;
    }),
    '==', 0, 'the next requests with the password hash nothing';
is "@codes", join(' ', (200) x 6), 'requests with a cached password are accepted';
cmp_ok hashes(sub { code('users/me/', 'Bob@example.com', 'pw-bob') }), '==', 0,
    'another case of the email hashes nothing';
cmp_ok hashes(sub {
    map { code('users/me/', 'bob@example.com', 'wrong') } 1 .. 2;
    }),
    '==', 2, 'a wrong password is hashed each time';
cmp_ok hashes(sub { code('users/me/', 'unknown@example.com', 'wrong') }), '==', 1,
    'an unknown email costs one hash, so that the time does not reveal it';
my $token = json(call(
    POST => 'auth/login/', base => $server->base,
    json => { email => 'alice@example.com', password => 'pw-alice', token => \1 }
))->{token};
cmp_ok hashes(sub {
    map { asked($_, "Bearer $token")->code } ('users/me/', 'reference-images/', 'static/none') x 3;
    }),
    '==', 0, 'a bearer token is not hashed like a password';
is "@codes", join(' ', (200, 200, 404) x 3), 'requests with a bearer token are accepted';
set_password(bob => 'changed', 4);
is code('users/me/', 'bob@example.com', 'pw-bob'), 401, 'after a password change the old password is refused at once';
is code('users/me/', 'bob@example.com', 'pw-bob'), 401, 'the old password stays refused';
is code('users/me/', 'bob@example.com', 'changed'), 200, 'the new password is accepted';
set_password(bob => 'changed', 5);
is code('users/me/', 'bob@example.com', 'changed'), 200, 'a new hash of the same password is accepted';
$server->sql("UPDATE users SET is_active = false WHERE id = '" . person('bob') . "'");
my $inactive = ask('users/me/', 'bob@example.com', 'changed');
is $inactive->code . json($inactive)->{detail}, '401User inactive or deleted.',
    'a deactivated user is refused from the next request on';
$server->sql("UPDATE users SET is_active = true WHERE id = '" . person('bob') . "'");
is code('users/me/', 'bob@example.com', 'changed'), 200, 'a reactivated user is accepted again';
$server->sql("UPDATE users SET password = '' WHERE id = '" . person('bob') . "'");
is code('users/me/', 'bob@example.com', $_), 401, "a user with an empty hash cannot log in with password '$_'"
    for '', 'changed';

# Other pages of the same httpd -------------------------------------------------------------------------

set_password(bob => 'pw-bob', 4);
my $page = ask('/static/page.txt', 'bob@example.com', 'pw-bob');
is $page->code . $page->content, "200a page\n", 'our passwords protect other pages of the same httpd';
is code('/static/page.txt'), 401, 'another page refuses requests without credentials';
is code('/static/page.txt', 'bob@example.com', 'wrong'), 401, 'another page refuses wrong passwords';
is code('/static/page.txt', 'unknown@example.com', 'wrong'), 401, 'another page refuses unknown users';
cmp_ok hashes(sub {
    map { code('/static/page.txt', 'bob@example.com', 'pw-bob') } 1 .. 3;
    }),
    '==', 0, 'credentials for another page are cached';
set_password(bob => 'changed again', 4);
is code('/static/page.txt', 'bob@example.com', 'pw-bob'), 401, 'another page refuses the old password after a change';
is code('/static/page.txt', 'bob@example.com', 'changed again'), 200, 'another page accepts the new password';
$server->sql("UPDATE users SET is_active = false WHERE id = '" . person('bob') . "'");
is code('/static/page.txt', 'bob@example.com', 'changed again'), 401,
    'another page refuses a cached user who was deactivated';
set_password(bob => 'fresh', 4);
is code('/static/page.txt', 'bob@example.com', 'fresh'), 401,
    'another page refuses an uncached user who was deactivated';
$server->sql("UPDATE users SET is_active = true WHERE id = '" . person('bob') . "'");
set_password(bob => 'pw-bob', 4);
is code('/static/page.txt', 'bob@example.com', 'pw-bob'), 200, 'another page accepts a reactivated user';

# Another handler's pages below the API's Location ---------------------------------------------------------

for my $path ('/ours/status', '/ours/rewritten') {
    set_password(bob => 'pw-bob', 4);
    is code($path, 'bob@example.com', 'pw-bob'), 200, "our passwords protect $path";
    is code($path, 'bob@example.com', 'pw-bob'), 200, "$path accepts the password from the cache";
    is code($path, 'bob@example.com', 'wrong'), 401, "$path refuses a wrong password";
    set_password(bob => 'pw-bob', 5);
    is code($path, 'bob@example.com', 'pw-bob'), 200, "$path accepts a new hash of the same password";
    set_password(bob => 'changed', 4);
    my $out = ask($path, 'bob@example.com', 'pw-bob');
    is $out->code . json($out)->{detail}, '401Invalid username/password.',
        "$path refuses the old password after a change";
    is code($path, 'bob@example.com', 'changed'), 200, "$path accepts the new password";
    $server->sql("UPDATE users SET is_active = false WHERE id = '" . person('bob') . "'");
    $out = ask($path, 'bob@example.com', 'changed');
    is $out->code . json($out)->{detail}, '401User inactive or deleted.',
        "$path refuses a cached user who was deactivated";
    set_password(bob => 'fresh', 4);
    is code($path, 'bob@example.com', 'fresh'), 401, "$path refuses an uncached user who was deactivated";
    $server->sql("UPDATE users SET is_active = true WHERE id = '" . person('bob') . "'");
}
set_password(bob => 'pw-bob', 4);

# Users authenticated by another module -----------------------------------------------------------------

my $theirs = ask('/by-file/users/me/', 'alice@example.com', 'from-the-file');
is $theirs->code, 200, 'a user authenticated by another module is accepted';
is $theirs->content, $me->content, 'the user is the row with the authenticated email';
is json(ask('/by-file/users/me/', 'BOB@Example.com', 'from-the-file'))->{id}, person('bob'),
    'the case of the authenticated email is ignored';
is code('/by-file/users/me/', 'alice@example.com', 'pw-alice'), 401,
    'our passwords are refused where only the other module counts';
is code('/by-file/test-users/', 'alice@example.com', 'from-the-file'), 403, 'roles come from our table';
for my $path ('users/me/', 'reference-images/', 'no-such-route/', 'test-users/') {
    my $stranger = ask("/by-file/$path", 'stranger@example.com', 'from-the-file');
    is $stranger->code . json($stranger)->{detail}, '401User inactive or deleted.',
        "an authenticated user without a row is refused at $path";
}
is code('/by-either/users/me/', @$_), 200, "two providers in a row: $_->[1] is accepted"
    for ['alice@example.com', 'from-the-file'], ['scenario-one@example.com', 'pw-scenario-one'];

# A thousand wrong passwords -----------------------------------------------------------------------------

sub memory { my ($pid) = @_; return slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m ? $1 : die }

my ($child) = $server->children;
set_password(bob => 'bob himself', 4);
is code('users/me/', 'alice@example.com', 'pw-alice'), 200, "alice's password is cached";
in_parallel(4, sub { my ($n) = @_; guess("warm-$n-$_") for 1 .. 50; 1 });
my $before = memory($child);
my @guesses = in_parallel(4, sub { my ($n) = @_; my %seen; $seen{ guess("$n-$_") }++ for 1 .. 250; \%seen });
is join(' ', map { %$_ } @guesses), '401 250 ' x 3 . '401 250', 'a thousand wrong passwords are 401 each';
cmp_ok memory($child) - $before, '<', $ENV{IIMG_SANITIZE} ? 200_000 : 20_000, 'the child grows by less than 20 MB';
is "$child", join(' ', $server->children), 'the child is still the same process';
is code('users/me/', 'bob@example.com', 'bob himself'), 200, 'bob can still log in';
cmp_ok hashes(sub { code('users/me/', 'alice@example.com', 'pw-alice') }), '==', 0,
    "alice's password is still cached";

sub guess {
    my ($password) = @_;
    require HTTP::Tiny;
    our $agent //= HTTP::Tiny->new(keep_alive => 1, timeout => 60);
    return $agent->get(
        $server->base . '/api/v1/users/me/',
        { headers => { Authorization => login('bob@example.com', $password) } }
    )->{status};
}

# No connection is held during hashing -------------------------------------------------------------------

# Otherwise the last of nine would wait for the eight before it: far longer than a second.
$server->restart("$conf\nDBDKeep 1\nDBDMax 1\nIdentityImgDatabaseWait 1000\nIdentityImgBasicCacheTime 1\n");
is code('users/me/', 'alice@example.com', 'pw-alice'), 200, 'a request is accepted with only one connection';
set_password(bob => 'slow', 15);
my @others;
my @logins = in_parallel(
    8,
    sub { code_of('bob@example.com', 'slow') },
    sub {
        @others = map { code_of('scenario-one@example.com', 'pw-scenario-one') } 1 .. 4;
    }
);
is join(' ', @logins), join(' ', (200) x 8), 'eight slow concurrent logins are accepted';
is "@others", '200 200 200 200', 'other requests are accepted during the slow logins';
is + (grep { /database_busy|IIMG0003/ } $server->log_lines), 0, 'no request waited too long for the connection';

# (A client retries when it is refused as login_busy.)
sub code_of {
    my (@who) = @_;
    require HTTP::Tiny;
    my $answer;
    eventually(
        sub {
            $answer = HTTP::Tiny->new(timeout => 100)
                ->get($server->base . '/api/v1/users/me/', { headers => { Authorization => login(@who) } });
            return $answer->{status} != 429 || $answer->{content} !~ /login_busy/;
        },
        120
    );
    return $answer->{status};
}

# IdentityImgBasicCacheTime has passed.
set_password(bob => 'pw-bob', 4);
is code('users/me/', 'bob@example.com', 'pw-bob'), 200, "bob's password is cached";
sleep 2;
cmp_ok hashes(sub { code('users/me/', 'bob@example.com', 'pw-bob') }), '==', 1,
    'the password is hashed again after IdentityImgBasicCacheTime seconds';
is "@codes", 200, 'the password is still accepted after that time';

unlink $passwords;
$server->judge(qr/\[auth_basic:error\]/, qr/\[core:error\].*AH00026/);
undef $server;
finish();
