# authentication.t - who comes in: by our passwords, by another module's, and at what cost.
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

# One child: what is remembered is remembered in each child for itself.
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

# How often passwords were hashed meanwhile.
sub hashes {
    my ($code) = @_;
    my $before = () = grep { /step hash/ } $server->log_lines(1);
    @codes = $code->();
    return (() = grep { /step hash/ } $server->log_lines(1)) - $before;
}

# A password that costs something to check, by bcrypt. (Costs differ by two to their difference.)
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
is $me->code, 200, 'an email and its password come in';
is code('users/me/', 'ALICE@Example.COM', 'pw-alice'), 200, 'the email is compared without case';
my $none = ask('users/me/');
is $none->code, 401, 'nobody does not';
is json($none)->{detail}, 'Authentication credentials were not provided.', '... and hears why';
is $none->header('WWW-Authenticate'), 'Bearer realm="api"', '... and how, by no password box of a browser';
my $wrong = ask('users/me/', 'alice@example.com', 'pw-bob');
is $wrong->code, 401, 'a wrong password does not';
is json($wrong)->{detail}, 'Invalid username/password.', '... and hears why';
like $wrong->header('WWW-Authenticate'), qr/^Basic realm="api"/, '... and how';
is ask('users/me/', 'nobody@example.com', 'pw-alice')->content, $wrong->content,
    'an unknown email gets the same answer';

my %strange = (
    'a password of 2,000 bytes' => 'alice@example.com:' . 'p' x 2000,
    'the password and 2,000 bytes' => 'alice@example.com:pw-alice' . 'p' x 2000,
    'a NUL behind the password' => "alice\@example.com:pw-alice\0",
    'a NUL and more behind it' => "alice\@example.com:pw-alice\0more",
    'a NUL before it' => "alice\@example.com:\0pw-alice",
    'a NUL in the email' => "alice\@example.com\0:pw-alice",
    'an email that is no UTF-8' => "al\xffice\@example.com:pw-alice",
    'an email of 5,000 bytes' => 'a' x 5000 . ':pw-alice',
    'an email like a statement' => "' OR true --:pw-alice",
    'no password' => 'alice@example.com:',
    'no colon' => 'alice@example.com',
    'nothing' => '',
    'a line end in the email' => "alice\@example.com\n:pw-alice",
    'a space behind the password' => 'alice@example.com:pw-alice ',
    'a password in another case' => 'alice@example.com:PW-ALICE',
    'a password that is no UTF-8' => "alice\@example.com:\xff\xfe",
);
for my $what (sort keys %strange) {
    my $answer = asked('users/me/', 'Basic ' . encode_base64($strange{$what}, ''));
    is $answer->code, 401, "$what: 401";
    is $answer->header('Content-Type'), 'application/json', '... in JSON';
}
is asked('users/me/', $_)->code, 401, "401 for Authorization: $_"
    for 'Basic', 'Basic !!!', 'Bearer abc', 'Negotiate x', '';

# Hashed once, remembered under the stored hash --------------------------------------------------------

cmp_ok hashes(sub { code('users/me/', 'bob@example.com', 'pw-bob') }), '==', 1,
    'the first request with a password hashes it';
cmp_ok hashes(sub {
    map { code($_, 'bob@example.com', 'pw-bob') } ('users/me/', 'reference-images/') x 3;
    }),
    '==', 0, 'the next ones do not';
is "@codes", join(' ', (200) x 6), '... and come in';
cmp_ok hashes(sub { code('users/me/', 'Bob@example.com', 'pw-bob') }), '==', 0, 'nor in another case of the email';
cmp_ok hashes(sub {
    map { code('users/me/', 'bob@example.com', 'wrong') } 1 .. 2;
    }),
    '==', 2, 'a wrong password is hashed each time';
cmp_ok hashes(sub { code('users/me/', 'nobody@example.com', 'wrong') }), '==', 1,
    'and one of nobody, so that time does not tell who exists';
my $token = json(call(
    POST => 'auth/login/', base => $server->base,
    json => { email => 'alice@example.com', password => 'pw-alice', token => \1 }
))->{token};
cmp_ok hashes(sub {
    map { asked($_, "Bearer $token")->code } ('users/me/', 'reference-images/', 'static/none') x 3;
    }),
    '==', 0, 'a token is never hashed as a password is';
is "@codes", join(' ', (200, 200, 404) x 3), '... and comes in';
set_password(bob => 'changed', 4);
is code('users/me/', 'bob@example.com', 'pw-bob'), 401, 'a changed password ends the old one at once';
is code('users/me/', 'bob@example.com', 'pw-bob'), 401, '... for good';
is code('users/me/', 'bob@example.com', 'changed'), 200, '... and the new one comes in';
set_password(bob => 'changed', 5);
is code('users/me/', 'bob@example.com', 'changed'), 200, 'the same password, hashed anew, comes in';
$server->sql("UPDATE users SET is_active = false WHERE id = '" . person('bob') . "'");
my $inactive = ask('users/me/', 'bob@example.com', 'changed');
is $inactive->code . json($inactive)->{detail}, '401User inactive or deleted.',
    'who is made inactive is out with the next request';
$server->sql("UPDATE users SET is_active = true WHERE id = '" . person('bob') . "'");
is code('users/me/', 'bob@example.com', 'changed'), 200, 'and in again when he is active again';
$server->sql("UPDATE users SET password = '' WHERE id = '" . person('bob') . "'");
is code('users/me/', 'bob@example.com', $_), 401, "an empty hash lets nobody in, with password '$_'" for '', 'changed';

# Other pages of the same httpd -------------------------------------------------------------------------

set_password(bob => 'pw-bob', 4);
my $page = ask('/static/page.txt', 'bob@example.com', 'pw-bob');
is $page->code . $page->content, "200a page\n", 'our passwords guard other pages too';
is code('/static/page.txt'), 401, '... from nobody';
is code('/static/page.txt', 'bob@example.com', 'wrong'), 401, '... from wrong passwords';
is code('/static/page.txt', 'nobody@example.com', 'wrong'), 401, '... from strangers';
cmp_ok hashes(sub {
    map { code('/static/page.txt', 'bob@example.com', 'pw-bob') } 1 .. 3;
    }),
    '==', 0, '... and are remembered there as well';
set_password(bob => 'changed again', 4);
is code('/static/page.txt', 'bob@example.com', 'pw-bob'), 401, '... until they change';
is code('/static/page.txt', 'bob@example.com', 'changed again'), 200, '... to what they are now';
$server->sql("UPDATE users SET is_active = false WHERE id = '" . person('bob') . "'");
is code('/static/page.txt', 'bob@example.com', 'changed again'), 401, '... and not from who is inactive, remembered';
set_password(bob => 'fresh', 4);
is code('/static/page.txt', 'bob@example.com', 'fresh'), 401, '... or not';
$server->sql("UPDATE users SET is_active = true WHERE id = '" . person('bob') . "'");
set_password(bob => 'pw-bob', 4);
is code('/static/page.txt', 'bob@example.com', 'pw-bob'), 200, '... but from him when he is active again';

# Another handler's pages below the API's Location ---------------------------------------------------------

for my $path ('/ours/status', '/ours/rewritten') {
    set_password(bob => 'pw-bob', 4);
    is code($path, 'bob@example.com', 'pw-bob'), 200, "our passwords guard $path";
    is code($path, 'bob@example.com', 'pw-bob'), 200, '... remembered';
    is code($path, 'bob@example.com', 'wrong'), 401, '... from wrong ones';
    set_password(bob => 'pw-bob', 5);
    is code($path, 'bob@example.com', 'pw-bob'), 200, '... hashed anew';
    set_password(bob => 'changed', 4);
    my $out = ask($path, 'bob@example.com', 'pw-bob');
    is $out->code . json($out)->{detail}, '401Invalid username/password.', '... until they change';
    is code($path, 'bob@example.com', 'changed'), 200, '... to what they are now';
    $server->sql("UPDATE users SET is_active = false WHERE id = '" . person('bob') . "'");
    $out = ask($path, 'bob@example.com', 'changed');
    is $out->code . json($out)->{detail}, '401User inactive or deleted.',
        '... and not from who is inactive, remembered';
    set_password(bob => 'fresh', 4);
    is code($path, 'bob@example.com', 'fresh'), 401, '... or not';
    $server->sql("UPDATE users SET is_active = true WHERE id = '" . person('bob') . "'");
}
set_password(bob => 'pw-bob', 4);

# Another module's word ---------------------------------------------------------------------------------

my $theirs = ask('/by-file/users/me/', 'alice@example.com', 'from-the-file');
is $theirs->code, 200, 'whom another module lets in is in';
is $theirs->content, $me->content, '... as the user with that email';
is json(ask('/by-file/users/me/', 'BOB@Example.com', 'from-the-file'))->{id}, person('bob'),
    '... compared without case';
is code('/by-file/users/me/', 'alice@example.com', 'pw-alice'), 401, '... our passwords are not asked there';
is code('/by-file/test-users/', 'alice@example.com', 'from-the-file'), 403, '... and roles are those of our table';
for my $path ('users/me/', 'reference-images/', 'no-such-route/', 'test-users/') {
    my $stranger = ask("/by-file/$path", 'stranger@example.com', 'from-the-file');
    is $stranger->code . json($stranger)->{detail}, '401User inactive or deleted.',
        "whom our table does not know is out at $path";
}
is code('/by-either/users/me/', @$_), 200, "two providers, one after the other: $_->[1]"
    for ['alice@example.com', 'from-the-file'], ['scenario-one@example.com', 'pw-scenario-one'];

# A thousand guesses -------------------------------------------------------------------------------------

sub memory { my ($pid) = @_; return slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m ? $1 : die }

my ($child) = $server->children;
set_password(bob => 'bob himself', 4);
is code('users/me/', 'alice@example.com', 'pw-alice'), 200, 'alice is remembered';
in_parallel(4, sub { my ($n) = @_; guess("warm-$n-$_") for 1 .. 50; 1 });
my $before = memory($child);
my @guesses = in_parallel(4, sub { my ($n) = @_; my %seen; $seen{ guess("$n-$_") }++ for 1 .. 250; \%seen });
is join(' ', map { %$_ } @guesses), '401 250 ' x 3 . '401 250', 'a thousand wrong passwords: a thousand times 401';
cmp_ok memory($child) - $before, '<', $ENV{IIMG_SANITIZE} ? 200_000 : 20_000, 'the child has not grown by 20 MB';
is "$child", join(' ', $server->children), 'and it is the same one';
is code('users/me/', 'bob@example.com', 'bob himself'), 200, 'nobody is locked out';
cmp_ok hashes(sub { code('users/me/', 'alice@example.com', 'pw-alice') }), '==', 0,
    'and nobody who was remembered is forgotten';

sub guess {
    my ($password) = @_;
    require HTTP::Tiny;
    our $agent //= HTTP::Tiny->new(keep_alive => 1, timeout => 60);
    return $agent->get(
        $server->base . '/api/v1/users/me/',
        { headers => { Authorization => login('bob@example.com', $password) } }
    )->{status};
}

# No connection while hashing ----------------------------------------------------------------------------

# Were it held, the last of nine would wait for the eight before: far longer than a second.
$server->restart("$conf\nDBDKeep 1\nDBDMax 1\nIdentityImgDatabaseWait 1000\nIdentityImgBasicCacheTime 1\n");
is code('users/me/', 'alice@example.com', 'pw-alice'), 200, 'with one connection in all';
set_password(bob => 'slow', 15);
my @others;
my @logins = in_parallel(
    8,
    sub { code_of('bob@example.com', 'slow') },
    sub {
        @others = map { code_of('scenario-one@example.com', 'pw-scenario-one') } 1 .. 4;
    }
);
is join(' ', @logins), join(' ', (200) x 8), 'eight slow logins at once come in';
is "@others", '200 200 200 200', '... and others meanwhile';
is + (grep { /database_busy|IIMG0003/ } $server->log_lines), 0, '... nobody waited too long for the connection';

# (A client that is refused as login_busy retries.)
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

# After IdentityImgBasicCacheTime seconds.
set_password(bob => 'pw-bob', 4);
is code('users/me/', 'bob@example.com', 'pw-bob'), 200, 'bob is remembered';
sleep 2;
cmp_ok hashes(sub { code('users/me/', 'bob@example.com', 'pw-bob') }), '==', 1,
    'for IdentityImgBasicCacheTime seconds; then his password is hashed again';
is "@codes", 200, '... and still right';

unlink $passwords;
$server->judge(qr/\[auth_basic:error\]/, qr/\[core:error\].*AH00026/);
undef $server;
finish();
