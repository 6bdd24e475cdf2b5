# park.t - requests that wait without a thread: many in a child of few threads, under any failure of connections or
# httpd. None is lost, and nothing is left over.
# Runs beside others.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use IdentityImg::Gemini;
use IdentityImg::Server qw(in_parallel eventually free_port);
use IdentityImg::Test;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->utf8;
my $gemini = IdentityImg::Gemini->new;
my %provider = $gemini->environment;
my $modules = '/usr/lib/apache2/modules';
my $tls = free_port();

# One child of four threads. Waiting requests use none. (No directive turns this on: it is the default.)
my $conf = join "\n", 'StartServers 1', 'ServerLimit 4', 'ThreadsPerChild 4', 'MinSpareThreads 1',
    'MaxSpareThreads 16', 'MaxRequestWorkers 16', 'AsyncRequestWorkerFactor 200',
    'KeepAliveTimeout 60', 'IdentityImgMaxWaiting 1', 'IdentityImgBasicCacheTime 3600', 'DBDMax 4', 'DBDKeep 4', '';
my $server = IdentityImg::Server->new('park', env => {%provider});
my $key = $server->state . '/tls.pem';
system(
    "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -days 2 -keyout '$key' -out '$key.crt' 2>/dev/null")
    and die 'no certificate';
$conf .= join "\n", "LoadModule status_module $modules/mod_status.so", '<Location "/server-status">',
    'SetHandler server-status', 'Require all granted', '</Location>', "LoadModule ssl_module $modules/mod_ssl.so",
    "LoadModule filter_module $modules/mod_filter.so", "LoadModule deflate_module $modules/mod_deflate.so",
    'SetOutputFilter DEFLATE', "Listen 127.0.0.1:$tls",
    "<VirtualHost 127.0.0.1:$tls>", 'SSLEngine on', "SSLCertificateFile '$key.crt'", "SSLCertificateKeyFile '$key'",
    '</VirtualHost>', '';
$server->start($conf);
my ($port) = $server->base =~ /(\d+)$/;
my $photo = call(
    POST => 'reference-images/', as => 'alice', base => $server->base, headers => [Connection => 'close'],
    parts => [image => [make_jpeg(64, 48)]]
);
is $photo->code, 201, 'a photo is uploaded';

my $number = 0;
# The provider answers after so many milliseconds, or ("hold") when the test releases it.
sub scene { my ($ms) = @_; return $ms eq 'hold' ? '[[scenario:hold]] ' : "[[scenario:slow:$ms]] " }

sub wish {
    my ($ms) = @_;
    return $json->encode({
        identity_id => identity_of('full'), user_id => person('alice'), aspect_ratio => '1:1', resolution => '1K',
        additional_prompt => scene($ms) . $number++
    });
}

sub head {
    my ($line, @more) = @_;
    return join "\r\n", $line, "Host: 127.0.0.1:$port", 'Authorization: ' . login('admin'), @more, '', '';
}

sub post {
    my ($ms, @more) = @_;
    my $body = wish($ms);
    return head(
        'POST /api/v1/image-generation/generate/ HTTP/1.1', 'Content-Type: application/json',
        'Content-Length: ' . length($body), @more
    ) . $body;
}
sub get { my ($path, @more) = @_; return head("GET /api/v1/$path HTTP/1.1", @more) }
sub dial { return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $_[0] // $port) // die "connect: $!" }

# Read one response from a connection: [status, headers, body], within SECONDS.
sub answer_of {
    my ($socket, $seconds) = @_;
    my $text = ${*$socket}{left} // '';
    my $end = time + ($seconds // 60);
    while (1) {
        if ($text =~ /^(HTTP\/1\.1 (\d+).*?\r\n\r\n)/s) {
            my ($head, $status) = ($1, $2);
            my ($length) = $head =~ /^Content-Length: (\d+)/mi;
            if (defined $length && length($text) >= length($head) + $length) {
                ${*$socket}{left} = substr $text, length($head) + $length;
                return [$status, $head, substr $text, length $head, $length];
            }
            if ($head =~ /^Transfer-Encoding: chunked/mi && $text =~ /\r\n0\r\n\r\n$/) {
                ${*$socket}{left} = '';
                return [$status, $head, substr $text, length $head];
            }
        }
        my $left = $end - time;
        return [0, '', "nothing after $text"]
            if $left <= 0 || !IO::Select->new($socket)->can_read($left) || !sysread $socket, $text, 65536,
            length $text;
    }
}
sub under_way { return ($server->sql("SELECT count(*) FROM generation_jobs WHERE state IN ('queued', 'running')"))[0] }

sub all_end {
    return eventually(sub { !under_way() }, 120);
}
# Send COUNT requests that the provider holds. Returns when TAKEN of them (all) have reached it.
sub held {
    my ($count, $taken, @more) = @_;
    $gemini->hold;
    my @sockets = map { my $socket = dial(); print $socket post('hold', @more); $socket } 1 .. $count;
    $gemini->holds($taken // $count) or diag 'the provider holds only ' . $gemini->held;
    return @sockets;
}
# How many of these connections have a response; waits until COUNT have.
sub answered {
    my ($count, @sockets) = @_;
    my $select = IO::Select->new(@sockets);
    my @ready;
    eventually(sub { @ready = $select->can_read(0); @ready >= $count });
    return scalar @ready;
}

sub states {
    return join ' ',
        map { my ($state, $n) = split /\|/; "${n}x$state" }
        $server->sql('SELECT state, count(*) FROM generation_jobs GROUP BY 1 ORDER BY 1');
}
sub forget { $gemini->release; all_end(); $server->sql('DELETE FROM generation_jobs'); return }

sub descriptors {
    my ($child) = $server->children;
    my %kinds;
    for (glob "/proc/$child/fd/*") { my $to = readlink // next; $kinds{ $to =~ /eventfd/ ? 'eventfd' : 'all' }++ }
    return \%kinds;
}

sub counted {
    my %n;
    $n{$_}++ for @_;
    return join ' ', map { "$n{$_}x$_" } sort keys %n;
}

# Many in few threads ------------------------------------------------------------------------------------

# (Create lazily initialized objects of the process before measuring.)
my @many = map { my $socket = dial(); print $socket post(200); $socket } 1 .. 60;
answer_of($_) for @many;
close $_ for @many;
all_end();
sleep 1;
my $before = descriptors();
$server->sql('DELETE FROM generation_jobs');
@many = held(60);
is under_way(), 60, 'a child of four threads accepts sixty requests';
my $me = dial();
print $me get('users/me/');
is answer_of($me)->[0], 200, 'the child still answers other requests';
is $gemini->held, 60, 'all sixty requests are waiting';
$gemini->release;
is counted(map { answer_of($_)->[0] } @many), '60x200', 'all sixty requests get their pictures';
close $_ for @many, $me;
# (When all threads are busy, the MPM closes idle kept-alive connections: only one exists now.)
my ($on) = held(1);
$gemini->release;
is answer_of($on)->[0], 200, 'a parked request is answered';
print $on get('users/me/');
is answer_of($on)->[0], 200, 'the connection can be reused';
$gemini->hold;
print $on post('hold');
$gemini->holds(1);
$gemini->release;
is answer_of($on)->[0], 200, 'the connection can be parked again';
close $on;
ok eventually(sub {
    my $now = descriptors();
    ($now->{eventfd} // 0) == ($before->{eventfd} // 0) && $now->{all} <= $before->{all} + 12;
    }),
    'no descriptors are left over'
    or diag explain [$before, descriptors()];

# Connections ----------------------------------------------------------------------------------------------

forget();
my $one = dial();
print $one post(800), get('users/me/'), post(300), get('users/me/');
is join(' ', map { answer_of($one)->[0] } 1 .. 4), '200 200 200 200',
    'pipelined requests are answered one after the other';
is answer_of($one, 0.3)->[0], 0, 'no other bytes follow';

$one = dial();
print $one post(800, 'Accept-Encoding: gzip');
my $answer = answer_of($one);
like $answer->[1], qr/^Content-Encoding: gzip/mi, 'a compressed response is compressed';
is $answer->[0], 200, 'a compressed response has status 200';

$one = dial();
print $one post(1200);
shutdown $one, 1;
is answer_of($one)->[0], 200, 'a client that closed only its sending side gets its response';

forget();
$server->forget_log;
my @gone = held(5);
setsockopt $_, SOL_SOCKET, SO_LINGER, pack 'II', 1, 0 for @gone;
close $_ for @gone;
$gemini->release;
ok all_end(), 'the jobs of disconnected clients end';
is states(), '5xsucceeded', 'the jobs of disconnected clients succeed';
ok eventually(sub { (() = slurp($server->state . '/httpd/access.log') =~ /generate\/ HTTP\/1.1" 499 /g) == 5 }),
    'the access log has them as 499';

forget();
$one = dial();
$gemini->hold;
print $one post('hold', 'Prefer: respond-async');
my $job = $json->decode(answer_of($one)->[2])->{id};
print $one get("image-generation/jobs/$job/", 'Prefer: wait=1');
$answer = answer_of($one);
is $answer->[0] . ' ' . $json->decode($answer->[2])->{state}, '200 running',
    'a request that waits a second for a job is answered after it';
$gemini->release;
print $one get("image-generation/jobs/$job/", 'Prefer: wait=20');
$answer = answer_of($one);
is $answer->[0] . ' ' . $json->decode($answer->[2])->{state}, '200 succeeded',
    'a request that waits for a job is answered when it ends';

my @curl = (
    'curl', '-q', '-sk', '-m', 30, '-o', '/dev/null', '-w', '%{http_code} ', '-H', 'Content-Type: application/json',
    '-u', 'admin@example.com:pw-admin'
);
is
    `@{[join ' ', map { "'$_'" } @curl, '-d', wish(1200), "https://127.0.0.1:$tls/api/v1/image-generation/generate/", '--next', @curl[1 .. $#curl], "https://127.0.0.1:$tls/api/v1/users/me/"]}`,
    '200 200 ', 'parked requests over TLS get their pictures';

# Limits ---------------------------------------------------------------------------------------------------

forget();
is $server->reload("${conf}IdentityImgMaxParked 5\n"), '', 'five requests may be parked';
@many = held(8, 6);
is answered(2, @many), 2, 'two of eight requests are answered at once';
$gemini->release;
my @answers = map { answer_of($_) } @many;
is counted(map { $_->[0] } @answers), '6x200 2x503', 'one more request waits in a thread, the others are refused';
my ($refused) = grep { $_->[0] == 503 } @answers;
like $refused->[1], qr/^Retry-After: 15\r/m, 'the refusal has Retry-After';
is $json->decode($refused->[2])->{code}, 'generations_busy', 'the refusal has its code';

is $server->reload($conf =~ s/AsyncRequestWorkerFactor 200/AsyncRequestWorkerFactor 4/r), '',
    'a child may have 4 + 4 x 4 connections';
@many = held(13, 11);
is answered(2, @many), 2, 'two of thirteen requests are answered at once';
$gemini->release;
is counted(map { answer_of($_)->[0] } @many), '11x200 2x503', 'ten requests are parked, and one waits in a thread';

SKIP: {
    skip 'only root can raise the limit of descriptors again', 2 if $>;
    my $log = $server->stop->state . '/httpd/error.log';
    # (In a separate process, whose children inherit the limit.)
    in_parallel(
        1,
        sub {
            system 'prlimit', '--pid', $$, '--nofile=1000:1000';
            $server->start("${conf}IdentityImgMaxParked 300\n");
            1;
        }
    );
    like slurp($log),
        qr/IIMG0172: IdentityImgMaxParked 300 needs 1156 file descriptors, .*: at most 248 requests are parked in a child/,
        'a limit of descriptors that is too low causes a warning';
    $one = dial();
    print $one post(300);
    is answer_of($one)->[0], 200, 'as many requests are parked as the descriptors allow';
}

is $server->reload("${conf}Timeout 4\n"), '', 'a Timeout of four seconds is accepted';
@many = held(20);
# (The MPM updates its numbers when a timeout has passed.)
ok eventually(sub { `curl -qs 'http://127.0.0.1:$port/server-status?auto'` =~ /^ConnsAsyncWaitIO: 20$/m }, 60),
    '/server-status counts parked requests as waiting for I/O';
sleep 5;
is answered(0, @many), 0, 'no parked request is answered by the timeout';
$gemini->release;
is counted(map { answer_of($_)->[0] } @many), '20x200', 'httpd does not close parked requests after its Timeout';

# Restarts and deaths ----------------------------------------------------------------------------------------

forget();
is $server->reload($conf), '', 'the previous configuration is accepted';
@many = held(200);
my %old = map { $_ => 1 } $server->children;
$server->script(serve => 'reload');
$gemini->release;
is counted(map { answer_of($_)->[0] } @many), '200x200',
    'after a graceful restart two hundred parked requests get their pictures';
ok eventually(
    sub {
        !grep { $old{$_} } $server->children;
    },
    60
    ),
    'the old child has exited';

forget();
@many = held(100);
my ($stopped) = in_parallel(
    1,
    sub { $server->stop; 1 },
    sub {
        eventually(sub { !IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) }, 60);
        $gemini->release;
        is counted(map { answer_of($_)->[0] } @many), '100x200',
            'during a graceful stop a hundred parked requests get their pictures';
    }
);
$server->start("${conf}MaxConnectionsPerChild 20\n");

@many = map { my $socket = dial(); print $socket post(1500, 'Connection: close'); $socket } 1 .. 90;
is counted(map { answer_of($_)->[0] } @many), '90x200',
    'with MaxConnectionsPerChild 20 all requests get their pictures';

forget();
$server->restart($conf);
@many = held(20);
kill KILL => $server->children;
is counted(map { answer_of($_)->[0] } @many), '20x0', 'the clients of a killed child get no response';
$gemini->release;
ok all_end(), 'the jobs of a killed child end';
is states(), '20xsucceeded', 'the jobs of a killed child succeed in another one';

$server->judge(qr/AH0005[12]|AH10159|AH03490|AH00501|AH0[19]|AH1|IIMG0172/, qr/IIMG0105/);
$server->stop;

# Without parking ----------------------------------------------------------------------------------------------

my $other = IdentityImg::Server->new(
    'park-worker', env => { %provider, MPM => 'worker' },
    conf => "IdentityImgParkRequests on\n"
)->start;
call(
    POST => 'reference-images/', as => 'alice', base => $other->base, headers => [Connection => 'close'],
    parts => [image => [make_jpeg(64, 48)]]
);
($port) = $other->base =~ /(\d+)$/;
$one = dial();
print $one post(500);
is answer_of($one)->[0], 200, 'without parking, requests wait in a thread';
is scalar(grep { /IIMG0171: IdentityImgParkRequests has no effect: this MPM cannot wait/ } $other->log_lines), 1,
    'IdentityImgParkRequests without support causes a warning';
$other->judge(qr/IIMG0171|AH10159|AH03490/);
$other->restart('');
is scalar(grep { /IIMG0171/ } $other->log_lines), 1, 'the warning appears only if parking was requested';
$other->judge(qr/IIMG0171|AH10159|AH03490/);
finish();
