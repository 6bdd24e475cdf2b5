# brake.t - password guessing: after five failures of an account from an address, by login and Basic together,
# the response is 429 without hashing. No more than two passwords are hashed concurrently.
use strict;
use warnings;
use utf8;
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Test;
use JSON::PP ();
use Test::More;
use Time::HiRes 'sleep';

# One child, so that hashes can be counted. Addresses come from a header.
my $conf = <<'CONF';
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
MinSpareThreads 1
MaxSpareThreads 64
LogLevel identityimg:debug
IdentityImgLoginFailures 5
LoadModule remoteip_module /usr/lib/apache2/modules/mod_remoteip.so
RemoteIPHeader X-Client
RemoteIPInternalProxy 127.0.0.1
<Location "/static">
    AuthType Basic
    AuthName "static"
    AuthBasicProvider identityimg
    Require valid-user
</Location>
CONF
my $server = IdentityImg::Server->new('brake', conf => $conf)->start;

# The response to a login (or to a Basic request) with these credentials from an address.
sub log_in {
    my ($who, $password, $from) = @_;
    return call(
        POST => 'auth/login/', base => $server->base,
        json => { email => $who =~ /@/ ? $who : "$who\@example.com", password => $password }, from($from)
    );
}

sub basic {
    my ($who, $password, $from, $path) = @_;
    return call(
        GET => $path // 'users/me/', base => $server->base,
        from($from, Authorization => login($who =~ /@/ ? $who : "$who\@example.com", $password))
    );
}
sub from { my ($from, @more) = @_; return (headers => ['X-Client' => $from // '192.0.2.1', @more]) }

sub line {
    my ($answer) = @_;
    my $body = json($answer) // {};
    return join ' ', $answer->code, $body->{code} // '', $body->{detail} // '';
}
sub forget { $server->sql('DELETE FROM login_failures'); return }
sub failures { return join ' ', $server->sql('SELECT account, address, failures FROM login_failures ORDER BY 1, 2') }

# The same in a child process with its own connection: [line, Retry-After].
sub alone {
    my ($method, $path, $headers, $json) = @_;
    require HTTP::Tiny;
    my $answer = HTTP::Tiny->new(timeout => 100)->request(
        $method, $server->base . "/api/v1/$path",
        {
            headers => { 'X-Client' => '192.0.2.1', %$headers, $json ? ('Content-Type' => 'application/json') : () },
            $json ? (content => JSON::PP::encode_json($json)) : ()
        }
    );
    my $body = JSON::PP::decode_json($answer->{content});
    return [
        join(' ', $answer->{status}, $body->{code} // '', $body->{detail} // ''),
        $answer->{headers}{'retry-after'}
    ];
}

sub guess {
    my ($who, $password) = @_;
    return alone(POST => 'auth/login/', {}, { email => "$who\@example.com", password => $password });
}

sub hashes {
    my ($code) = @_;
    my $before = () = grep { /step hash/ } $server->log_lines(1);
    $code->();
    return (() = grep { /step hash/ } $server->log_lines(1)) - $before;
}

sub set_password {
    my ($who, $password, $cost) = @_;
    my $hash = crypt $password, sprintf '$2y$%02d$abcdefghijklmnopqrstuu', $cost;
    $server->sql("UPDATE users SET password = '$hash' WHERE id = '" . person($who) . "'");
    return;
}
set_password($_ => "pw-$_", 4) for qw(alice bob);

my $limited = qr/^429 login_limited Too many failed logins\. Try again in (\d+) seconds\.$/;
my $wrong = '401 authentication_failed Invalid username/password.';

# Five failures ------------------------------------------------------------------------------------

for my $case (['a user', 'alice'], ['an unknown user', 'unknown@example.com']) {
    my ($what, $who) = @$case;
    is line(log_in($who, "wrong $_")), $wrong, "guess $_ at $what is 401" for 1 .. 5;
    my $answer;
    is hashes(sub { $answer = log_in($who, 'wrong again') }), 0, 'the sixth guess is not hashed';
    like line($answer), $limited, 'the sixth guess is 429';
    my ($seconds) = line($answer) =~ $limited;
    cmp_ok $seconds, '>', 800, 'Retry-After is the rest of 15 minutes';
    cmp_ok $seconds, '<=', 900, 'Retry-After is at most 15 minutes';
    is $answer->header('Retry-After'), $seconds, 'the Retry-After header has the seconds of the sentence';
    is $answer->header('Set-Cookie'), undef, 'a limited login sets no cookie';
}
my $locked;
is hashes(sub { $locked = log_in('alice', 'pw-alice') }), 0, 'the right password is not hashed after five failures';
like line($locked), $limited, 'the right password is 429 after five failures';
like line(log_in('ALICE@Example.com', 'pw-alice')), $limited, 'the limit applies in any case of the email';
my $by_basic = basic('alice', 'pw-alice');
like line($by_basic), $limited, 'the limit applies to Basic';
cmp_ok $by_basic->header('Retry-After'), '>', 800, 'the response to Basic has Retry-After';
like line(basic('alice', 'pw-alice', undef, '/static/page.txt')), $limited, 'the limit applies to other pages';
is log_in('alice', 'pw-alice', '192.0.2.2')->code, 200, 'another address can log in';
is basic('alice', 'pw-alice', '192.0.2.3')->code, 200, 'another address can use Basic';
is log_in('bob', 'pw-bob')->code, 200, 'another account can log in from the limited address';
$server->sql("UPDATE login_failures SET ends_at = now() WHERE account = 'alice\@example.com'");
is line(log_in('alice', 'wrong')), $wrong, 'a guess after the window is 401 again';
is join('', $server->sql("SELECT failures FROM login_failures WHERE account = 'alice\@example.com'")), 1,
    'failures are counted from one after the window';
is log_in('alice', 'pw-alice')->code, 200, 'the right password is accepted after the window';
like failures(), qr/^alice\@example\.com\|192\.0\.2\.1\|1 unknown/, 'a right password is not counted as a failure';

forget();
is line(basic('alice', "wrong $_")), $wrong, "guess $_ by Basic is 401" for 1 .. 3;
is line(log_in('alice', "wrong $_")), $wrong, "guess $_ by login is 401" for 4 .. 5;
like line(basic('alice', 'wrong 6')), $limited, 'failures of login and Basic are counted together';
forget();
forget();
log_in('alice', "wrong $_") for 1 .. 4;
is log_in('alice', 'pw-alice')->code, 200, 'the right password is accepted after four failures';
is failures(), 'alice@example.com|192.0.2.1|2', 'a success halves the count of failures';
is line(log_in('alice', "wrong $_")), $wrong, "guess $_ after the success is 401" for 1 .. 2;
is log_in('alice', 'pw-alice')->code, 200, 'the right password is accepted again';
is failures(), 'alice@example.com|192.0.2.1|4', 'a second success in the window forgives nothing';
is line(log_in('alice', 'wrong')), $wrong, 'a further guess is 401';
like line(log_in('alice', 'wrong')), $limited, 'successes in between do not allow unlimited guesses';
ok + (grep { /IIMG0160: 5 wrong passwords for "alice\@example\.com" from 192\.0\.2\.1: / } $server->log_lines),
    'the log names the limited address and its account';
ok + (grep { /wrong password for "unknown\@example\.com" from 192\.0\.2\.1, 3 of 5/ } $server->log_lines(1)),
    'the log has each failure at level info';
$server->sql("UPDATE login_failures SET ends_at = now() WHERE account = 'alice\@example.com'");
log_in('alice', "wrong $_") for 1 .. 4;
log_in('alice', 'pw-alice');
is failures(), 'alice@example.com|192.0.2.1|2', 'in the next window a success halves the count again';
forget();
log_in(qq(a"\n\\b) . 'x' x 150 . '@example.com', 'wrong');
ok + (grep { /wrong password for "a\?\?\?bx{95}" from/ } $server->log_lines(1)),
    'control characters in the email cannot forge a log line';
forget();
log_in('alice', 'wrong');
log_in('alice', 'pw-alice');
is failures(), 'alice@example.com|192.0.2.1|1', 'one failure stays until the window ends';
forget();
log_in('alice', 'pw-alice');
is failures(), '', 'a success without failures leaves no row';

# Authenticated callers are not limited.
is basic('bob', 'pw-bob', '192.0.2.7')->code, 200, "bob's password is cached";
log_in('bob', "wrong $_", '192.0.2.7') for 1 .. 6;
like line(log_in('bob', 'pw-bob', '192.0.2.7')), $limited, "a login of bob's account from the address is limited";
is basic('bob', 'pw-bob', '192.0.2.7')->code, 200, "bob's cached password is still accepted";
my $token = json(call(
    POST => 'auth/login/', base => $server->base, from('192.0.2.8'),
    json => { email => 'bob@example.com', password => 'pw-bob', token => \1 }
))->{token};
is call(GET => 'users/me/', base => $server->base, from('192.0.2.7', Authorization => "Bearer $token"))->code, 200,
    "bob's token is still accepted";

# Addresses ----------------------------------------------------------------------------------------

forget();
is line(log_in('alice', 'wrong', "2001:db8::$_")), $wrong, "guess $_ over IPv6 is 401" for 1 .. 5;
like line(log_in('alice', 'wrong', '2001:db8::ffff:1')), $limited, 'all addresses of a /64 count as one client';
is line(log_in('alice', 'wrong', '2001:db8:0:1::1')), $wrong, 'another /64 is another client';
is failures(), 'alice@example.com|2001:db8:0:1::/64|1 alice@example.com|2001:db8::/64|5',
    'the table has the /64 networks';

# Concurrent logins --------------------------------------------------------------------------------

forget();
my @said;
my $hashed = hashes(sub {
    @said = in_parallel(
        10,
        sub {
            my ($n) = @_;
            [map { guess('alice', "guess $n $_")->[0] } 1 .. 5];
        }
    );
});
@said = map { @$_ } @said;
is $hashed, 5, 'five of fifty concurrent guesses are hashed';
is + (grep { $_ eq $wrong } @said), 5, 'five of fifty concurrent guesses are 401';
is + (grep { $_ =~ $limited } @said), 45, 'the other concurrent guesses are 429';

forget();
$hashed = hashes(sub {
    @said = in_parallel(
        40,
        sub { alone(GET => 'users/me/', { Authorization => login('scenario_one') })->[0] =~ s/ .*//r }
    );
});
is "@said", join(' ', (200) x 40), 'forty concurrent first requests with Basic are all accepted';
is $hashed, 1, 'forty concurrent first requests cost one hash';

# Two at a time; the others wait for a limited time.
forget();
my $slow = crypt 'slow', '$2y$15$abcdefghijklmnopqrstuu';
$server->sql(
    "INSERT INTO users (email, password) SELECT 'slow' || n || '\@example.com', '$slow' FROM generate_series(0, 11) n");
my $alices = log_in('alice', 'pw-alice')->header('Set-Cookie') =~ /^([^;]+)/ ? $1 : '';
my @meanwhile;
@said = in_parallel(
    12,
    sub { my ($n) = @_; guess("slow$n", "guess $n") },
    sub {
        for (1 .. 20) {
            push @meanwhile, call(GET => 'users/me/', base => $server->base, headers => [Cookie => $alices])->code;
            sleep 0.05;
        }
    }
);
my @busy = grep { $_->[0] =~ /^429 login_busy / } @said;
my $guesses = grep { $_->[0] eq $wrong } @said;
is @busy + $guesses, 12, 'twelve slow concurrent logins are checked or refused as busy';
cmp_ok scalar(@busy), '>', 0, 'some of the slow logins are refused as busy';
cmp_ok $guesses, '>=', 2, 'some of the slow logins are checked';
is join(' ', map { $_->[1] } @busy), join(' ', (2) x @busy), 'a busy response has Retry-After: 2';
is join('', $server->sql("SELECT count(*) || ' ' || sum(failures) FROM login_failures")), "$guesses $guesses",
    'a busy response is not counted as a failure and leaves no row';
is "@meanwhile", join(' ', (200) x 20), 'authenticated requests continue during the slow logins';

# A flood of guesses from one address does not block logins from another one.
forget();
my @own;
$slow = crypt 'slow', '$2y$12$abcdefghijklmnopqrstuu';
$server->sql("UPDATE users SET password = '$slow' WHERE email LIKE 'slow%'");
in_parallel(
    16,
    sub { my ($n) = @_; guess('slow' . ($n + $_) % 12, "flood $n") for 1 .. 4; 1 },
    sub {
        sleep 0.7;
        push @own, log_in('bob', 'pw-bob', '192.0.2.99')->code for 1 .. 3;
    }
);
is "@own", '200 200 200', 'a login from another address succeeds while one address floods the queue';

# Death of a process during a login ----------------------------------------------------------------

# Run CODE while a slow login is being checked. Returns the login's response; '599' if there was none.
sub while_compared {
    my ($password, $code) = @_;
    my ($told) = in_parallel(
        1,
        sub {
            eval { guess('alice', $password)->[0] } // '599';
        },
        sub {
            eventually(sub { $server->sql("SELECT 1 FROM login_failures WHERE under_way <> '{}'") })
                or die 'the login is not being checked';
            $code->();
        }
    );
    return $told;
}

sub later {
    $server->sql(
        "UPDATE login_failures SET under_way = ARRAY(SELECT u - interval '61 seconds' FROM unnest(under_way) u)");
    return;
}
sub row { return join ' ', $server->sql('SELECT failures, cardinality(under_way) FROM login_failures') }

forget();
set_password(alice => 'pw-alice', 15);
is while_compared('pw-alice', sub { kill KILL => $server->children }), '599',
    'a login whose process is killed gets no response';
set_password(alice => 'pw-alice', 4);
is row(), '1|1', 'a login whose process died counts as a failure';
ok eventually(sub {
    call(GET => 'health/live/', base => $server->base, dies => 1, headers => [Connection => 'close'])->code == 200;
    }),
    'a new child accepts requests';
is line(log_in('alice', 'wrong')), $wrong, 'a wrong guess after the dead login is 401';
is row(), '2|1', 'the wrong guess is the second failure';
later();
is line(log_in('alice', 'wrong')), $wrong, 'a wrong guess a minute later is 401';
is row(), '2|0', 'the dead login is no longer counted, the wrong guesses are';

$server->sql("UPDATE login_failures SET failures = 5, under_way = array_fill(now() + interval '30 seconds', ARRAY[4])");
my $held = log_in('alice', 'pw-alice');
like line($held), $limited, 'four dead logins and a failure limit the account';
cmp_ok $held->header('Retry-After'), '<=', 30, 'Retry-After is the time of the dead logins, not of the window';
later();
is log_in('alice', 'pw-alice')->code, 200, 'the right password is accepted after that time';
is row(), '1|0', 'one failure remains';
is join(' ', map { log_in('alice', "wrong $_")->code } 1 .. 5), '401 401 401 401 429', 'four more guesses are allowed';

# Otherwise a guess that is no longer counted would be free.
set_password(alice => 'pw-alice', 15);
for my $password ('pw-alice', 'wrong') {
    forget();
    like while_compared($password, sub { $server->sql("UPDATE login_failures SET failures = 0, under_way = '{}'") }),
        qr/^429 login_busy /, "$password: a login that is no longer counted gets login_busy";
}
set_password(alice => 'pw-alice', 4);

# Each attempt costs one hash, whether the user exists or not. Otherwise the time would reveal it.
forget();
$server->sql(
    "INSERT INTO users (email, password, is_active) SELECT kind || '\@example.com', CASE kind WHEN 'without' THEN '' "
        . "ELSE password END, kind <> 'inactive' FROM users, unnest(ARRAY['without', 'inactive']) kind WHERE id = '"
        . person('alice')
        . "'");
for my $case (
    ['alice', 'a wrong password'], ['unknown', 'an unknown user'], ['without', 'a user without a password'],
    ['inactive', 'an inactive user'], ["x' OR true --", 'an invalid email']
) {
    my ($who, $what) = @$case;
    is hashes(sub { log_in($who, 'wrong', '192.0.2.77') }), 1, "a login with $what costs one hash";
    is hashes(sub { basic($who, 'wrong', '192.0.2.78') }), 1, "a Basic request with $what costs one hash";
}

unlike join("\n", $server->log_lines(1)), qr/iimg_[\w-]{43}|pw-alice|guess \d|sha256:|\$2y\$/,
    'the log contains no password, token or hash, even at level debug';

$server->judge(qr/AH01617/, qr/IIMG0160: 5 wrong passwords for /, qr/AH0005[12]/);
undef $server;
finish();
