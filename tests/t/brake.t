# brake.t - guessing passwords: so many failures of an account from an address, by login and Basic
# together; then 429 without hashing. And no more than two passwords are hashed at once.
use strict;
use warnings;
use utf8;
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Test;
use JSON::PP ();
use Test::More;

# One child, so that hashes can be counted; addresses come in a header.
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

# What came of a login (or, with Basic, of a request) with these credentials from an address.
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

# The same in a process of its own, which must not share this one's connection: [line, Retry-After].
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

# Five, and no more --------------------------------------------------------------------------------

for my $case (['a user', 'alice'], ['nobody', 'nobody@example.com']) {
    my ($what, $who) = @$case;
    is line(log_in($who, "wrong $_")), $wrong, "guess $_ at $what" for 1 .. 5;
    my $answer;
    is hashes(sub { $answer = log_in($who, 'wrong again') }), 0, 'the sixth is not even hashed';
    like line($answer), $limited, '... and told to wait';
    my ($seconds) = line($answer) =~ $limited;
    cmp_ok $seconds, '>', 800, '... for the rest of a quarter of an hour';
    cmp_ok $seconds, '<=', 900, '... not more';
    is $answer->header('Retry-After'), $seconds, '... in the header as well';
    is $answer->header('Set-Cookie'), undef, '... without a cookie';
}
my $locked;
is hashes(sub { $locked = log_in('alice', 'pw-alice') }), 0, 'the right password is not hashed either';
like line($locked), $limited, '... and has to wait too';
like line(log_in('ALICE@Example.com', 'pw-alice')), $limited, '... in any case of the email';
my $by_basic = basic('alice', 'pw-alice');
like line($by_basic), $limited, '... and by Basic';
cmp_ok $by_basic->header('Retry-After'), '>', 800, '... with the header';
like line(basic('alice', 'pw-alice', undef, '/static/page.txt')), $limited, '... on other pages as well';
is log_in('alice', 'pw-alice', '192.0.2.2')->code, 200, 'another address is not held up';
is basic('alice', 'pw-alice', '192.0.2.3')->code, 200, '... nor by Basic';
is log_in('bob', 'pw-bob')->code, 200, 'nor is another account from this one';
$server->sql("UPDATE login_failures SET ends_at = now() WHERE account = 'alice\@example.com'");
is line(log_in('alice', 'wrong')), $wrong, 'when the time is over, guesses count anew';
is join('', $server->sql("SELECT failures FROM login_failures WHERE account = 'alice\@example.com'")), 1,
    '... from one';
is log_in('alice', 'pw-alice')->code, 200, 'and the right password comes in';
like failures(), qr/^alice\@example\.com\|192\.0\.2\.1\|1 nobody/, '... and is no failure';

forget();
is line(basic('alice', "wrong $_")), $wrong, "guess $_ by Basic" for 1 .. 3;
is line(log_in('alice', "wrong $_")), $wrong, "guess $_ by login" for 4 .. 5;
like line(basic('alice', 'wrong 6')), $limited, 'both are counted together';
forget();
forget();
log_in('alice', "wrong $_") for 1 .. 4;
is log_in('alice', 'pw-alice')->code, 200, 'four wrong ones and a right one';
is failures(), 'alice@example.com|192.0.2.1|2', '... of five forgive half';
is line(log_in('alice', "wrong $_")), $wrong, '... so that he may mistype again' for 1 .. 2;
is log_in('alice', 'pw-alice')->code, 200, '... and come in';
is failures(), 'alice@example.com|192.0.2.1|4', '... which forgives no more';
is line(log_in('alice', 'wrong')), $wrong, '... so that his neighbour cannot guess for ever';
like line(log_in('alice', 'wrong')), $limited, '... however often he logs in';
ok + (grep { /IIMG0160: 5 wrong passwords for "alice\@example\.com" from 192\.0\.2\.1: / } $server->log_lines),
    'the log tells of an address that has to wait, and with what account';
ok + (grep { /wrong password for "nobody\@example\.com" from 192\.0\.2\.1, 3 of 5/ } $server->log_lines(1)),
    '... and of each failure, at info';
$server->sql("UPDATE login_failures SET ends_at = now() WHERE account = 'alice\@example.com'");
log_in('alice', "wrong $_") for 1 .. 4;
log_in('alice', 'pw-alice');
is failures(), 'alice@example.com|192.0.2.1|2', 'in the next window half is forgiven again';
forget();
log_in(qq(a"\n\\b) . 'x' x 150 . '@example.com', 'wrong');
ok + (grep { /wrong password for "a\?\?\?bx{95}" from/ } $server->log_lines(1)),
    'nothing that is sent can forge a line';
forget();
log_in('alice', 'wrong');
log_in('alice', 'pw-alice');
is failures(), 'alice@example.com|192.0.2.1|1', 'one failure stays until the window ends';
forget();
log_in('alice', 'pw-alice');
is failures(), '', 'and without failures there is no row';

# Who is in already is not held up.
is basic('bob', 'pw-bob', '192.0.2.7')->code, 200, 'bob is remembered';
log_in('bob', "wrong $_", '192.0.2.7') for 1 .. 6;
like line(log_in('bob', 'pw-bob', '192.0.2.7')), $limited, 'while somebody at his address has guessed his password';
is basic('bob', 'pw-bob', '192.0.2.7')->code, 200, '... his remembered password goes on';
my $token = json(call(
    POST => 'auth/login/', base => $server->base, from('192.0.2.8'),
    json => { email => 'bob@example.com', password => 'pw-bob', token => \1 }
))->{token};
is call(GET => 'users/me/', base => $server->base, from('192.0.2.7', Authorization => "Bearer $token"))->code, 200,
    '... and so does his token';

# Addresses ----------------------------------------------------------------------------------------

forget();
is line(log_in('alice', 'wrong', "2001:db8::$_")), $wrong, "guess $_ over IPv6" for 1 .. 5;
like line(log_in('alice', 'wrong', '2001:db8::ffff:1')), $limited, 'all addresses of a /64 are one client';
is line(log_in('alice', 'wrong', '2001:db8:0:1::1')), $wrong, '... the next /64 is another';
is failures(), 'alice@example.com|2001:db8:0:1::/64|1 alice@example.com|2001:db8::/64|5',
    '... and so they are written down';

# At once ------------------------------------------------------------------------------------------

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
is $hashed, 5, 'of fifty guesses at once five are hashed';
is + (grep { $_ eq $wrong } @said), 5, '... five are told that they are wrong';
is + (grep { $_ =~ $limited } @said), 45, '... and the others to wait';

forget();
$hashed = hashes(sub {
    @said = in_parallel(
        40,
        sub { alone(GET => 'users/me/', { Authorization => login('scenario_one') })->[0] =~ s/ .*//r }
    );
});
is "@said", join(' ', (200) x 40), 'forty first requests of a page, at once, by Basic, all come in';
is $hashed, 1, '... for one hash';

# Two at once: the others wait, but not for ever.
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
            select undef, undef, undef, 0.05;
        }
    }
);
my @busy = grep { $_->[0] =~ /^429 login_busy / } @said;
my $guesses = grep { $_->[0] eq $wrong } @said;
is @busy + $guesses, 12, 'of twelve slow logins at once each is looked at or told to come again';
cmp_ok scalar(@busy), '>', 0, '... some are told, within two seconds';
cmp_ok $guesses, '>=', 2, '... and some are looked at';
is join(' ', map { $_->[1] } @busy), join(' ', (2) x @busy), '... when to come again';
is join('', $server->sql("SELECT count(*) || ' ' || sum(failures) FROM login_failures")), "$guesses $guesses",
    '... which is not counted as a failure, and leaves no row';
is "@meanwhile", join(' ', (200) x 20), '... and who is in goes on meanwhile';

# A flood of guesses from one address: who comes from another has his turn.
forget();
my @own;
$slow = crypt 'slow', '$2y$12$abcdefghijklmnopqrstuu';
$server->sql("UPDATE users SET password = '$slow' WHERE email LIKE 'slow%'");
in_parallel(
    16,
    sub { my ($n) = @_; guess('slow' . ($n + $_) % 12, "flood $n") for 1 .. 4; 1 },
    sub {
        select undef, undef, undef, 0.7;
        push @own, log_in('bob', 'pw-bob', '192.0.2.99')->code for 1 .. 3;
    }
);
is "@own", '200 200 200', 'while one address floods the queue, a login from another one comes in';

# Our own death ------------------------------------------------------------------------------------

# A login that takes long, and while it is compared CODE. Returns what it was told: '599' when nothing.
sub while_compared {
    my ($password, $code) = @_;
    my ($told) = in_parallel(
        1,
        sub {
            eval { guess('alice', $password)->[0] } // '599';
        },
        sub {
            eventually(sub { $server->sql("SELECT 1 FROM login_failures WHERE under_way <> '{}'") })
                or die 'nothing is compared';
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
    'a login whose process is killed gets no answer';
set_password(alice => 'pw-alice', 4);
is row(), '1|1', '... and counts, since nobody knows better';
ok eventually(sub {
    call(GET => 'health/live/', base => $server->base, dies => 1, headers => [Connection => 'close'])->code == 200;
    }),
    '... until another process is there';
is line(log_in('alice', 'wrong')), $wrong, 'a wrong one after it';
is row(), '2|1', '... is the second';
later();
is line(log_in('alice', 'wrong')), $wrong, 'but a minute later';
is row(), '2|0', '... the first one counts no longer, and those that were wrong do';

$server->sql("UPDATE login_failures SET failures = 5, under_way = array_fill(now() + interval '30 seconds', ARRAY[4])");
my $held = log_in('alice', 'pw-alice');
like line($held), $limited, 'when four have died and one was wrong the account has to wait';
cmp_ok $held->header('Retry-After'), '<=', 30, '... for as long as those may be under way, not for the window';
later();
is log_in('alice', 'pw-alice')->code, 200, '... and then comes in';
is row(), '1|0', '... with one failure';
is join(' ', map { log_in('alice', "wrong $_")->code } 1 .. 5), '401 401 401 401 429', '... and four to go';

# Were a guess told that counts no longer, it would have been for nothing.
set_password(alice => 'pw-alice', 15);
for my $password ('pw-alice', 'wrong') {
    forget();
    like while_compared($password, sub { $server->sql("UPDATE login_failures SET failures = 0, under_way = '{}'") }),
        qr/^429 login_busy /, "$password: a login that counts no longer is told nothing";
}
set_password(alice => 'pw-alice', 4);

# Each attempt costs one hash, whether the user exists or not: otherwise the time would reveal it.
forget();
$server->sql(
    "INSERT INTO users (email, password, is_active) SELECT kind || '\@example.com', CASE kind WHEN 'without' THEN '' "
        . "ELSE password END, kind <> 'inactive' FROM users, unnest(ARRAY['without', 'inactive']) kind WHERE id = '"
        . person('alice')
        . "'");
for my $case (
    ['alice', 'a wrong password'], ['nobody', 'an unknown user'], ['without', 'a user without a password'],
    ['inactive', 'an inactive user'], ["x' OR true --", 'an email that is none']
) {
    my ($who, $what) = @$case;
    is hashes(sub { log_in($who, 'wrong', '192.0.2.77') }), 1, "a login with $what costs one hash";
    is hashes(sub { basic($who, 'wrong', '192.0.2.78') }), 1, '... and so does a request with Basic';
}

unlike join("\n", $server->log_lines(1)), qr/iimg_[\w-]{43}|pw-alice|guess \d|sha256:|\$2y\$/,
    'the log holds no password, no token and no hash, at debug';

$server->judge(qr/AH01617/, qr/IIMG0160: 5 wrong passwords for /, qr/AH0005[12]/);
undef $server;
finish();
