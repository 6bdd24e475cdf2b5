# health.t - liveness and readiness: the responses for load balancers, and the log lines for operators.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use IdentityImg::Server qw(eventually);
use IdentityImg::Test;
use IO::Socket::INET ();
use Test::More;

fresh_data();

is call(GET => "health/$_/")->content, '{"status":"ok"}', "health/$_/ of a healthy server" for qw(live ready);
my ($newest) = sort { $b <=> $a } map { m{/(\d{4})_} } glob "$ENV{IIMG_SOURCE}/sql/migrations/*.sql";
my ($needed) = slurp("$ENV{IIMG_SOURCE}/mod_identityimg/models/schema_migration.h") =~ /^#define IIMG_MIGRATION (\d+)/m;
is $needed, $newest + 0, 'the build needs the newest migration';

# A server whose database and store can fail. One child, because each process has its own state.
my $other_port = IdentityImg::Server::free_port();
my $other_store = "$ENV{IIMG_WORK}/other-store";
my $server = IdentityImg::Server->new('health', proxy => 1, conf => <<"CONF");
StartServers 1
ServerLimit 1
MaxRequestWorkers 25
Listen 127.0.0.1:$other_port
<VirtualHost 127.0.0.1:$other_port>
    ServerName other.example
    IdentityImgStorageRoot "$other_store"
</VirtualHost>
CONF
# Another path to the same pictures, because a database belongs to one store.
mkdir $server->state . '/pictures' or die $!;
symlink $server->state . '/pictures', $other_store or die $!;
$server->start;
my $base = $server->base;
my $not_ready = '{"detail":"This server is not ready.","code":"not_ready"}';
my ($answer, @lines);

sub ask { my ($which) = @_; return $answer = call(GET => "health/$which/", base => $base) }

sub told {
    return grep { /IIMG0150|ready again/ } $server->log_lines('all');
}

# Wait until the server is ready or not, then check that it stays so.
sub becomes {
    my ($status, $what) = @_;
    ok eventually(sub { ask('ready')->code == $status }), $what;
    my %codes = map { (ask('ready')->code => 1) } 1 .. 5;
    is join(' ', keys %codes), $status, "$what: it stays so";
    return;
}

# Break and repair something. The log has one line with the cause, and one line at the end.
sub trouble {
    my ($what, $take, $reason, $give) = @_;
    my $before = told();
    $take->();
    becomes(503, "without $what it is not ready");
    is $answer->content, $not_ready, "without $what the response does not reveal the cause";
    like $answer->header('Retry-After') // '', qr/^[1-9]\d*$/, "without $what the response has Retry-After";
    is ask('live')->code, 200, "without $what it is still alive";
    @lines = told();
    is @lines - $before, 1, "without $what the log has one line";
    like $lines[-1], qr/:error\].*IIMG0150: not ready: $reason/, "without $what the log has the cause";
    $give->();
    becomes(200, "with $what it is ready again");
    @lines = told();
    is @lines - $before, 2, "with $what the log has one more line";
    like $lines[-1], qr/:info\].*ready again/, "with $what the line has level info";
    return;
}

becomes(200, 'it is ready');
unlink $other_store or die $!;
my $other = "http://127.0.0.1:$other_port";
ok eventually(sub { call(GET => 'health/ready/', base => $other)->code == 503 }),
    'a virtual host whose own store is missing is not ready';
is ask('ready')->code, 200, 'the main server is ready meanwhile';
symlink $server->state . '/pictures', $other_store or die $!;
ok eventually(sub { call(GET => 'health/ready/', base => $other)->code == 200 }),
    'the virtual host is ready when its store is back';
$server->forget_log;
is + (told())[0], undef, 'the log has no line about a healthy server';
trouble(
    'the database', sub { $server->line('refuse'); $server->line('cut') }, 'the database: ',
    sub { $server->line('pass') }
);
trouble(
    'a response of the database', sub { $server->line('swallow') }, 'the database: ',
    sub { $server->line('pass'); $server->line('cut') }
);
trouble(
    'a table of the newest migration',
    sub { $server->sql("UPDATE schema_migrations SET version = version - $needed WHERE version = $needed") },
    "the database has migration \\d+, this build needs $needed: run scripts/migrate",
    sub { $server->sql("UPDATE schema_migrations SET version = $needed WHERE version = 0") }
);
trouble(
    'any migrations', sub { $server->sql('ALTER TABLE schema_migrations RENAME TO elsewhere') },
    'the database: .*schema_migrations', sub { $server->sql('ALTER TABLE elsewhere RENAME TO schema_migrations') }
);
my $pictures = $server->state . '/pictures';
trouble(
    'the store\'s directory', sub { rename $pictures, "$pictures.away" or die $! },
    "the store: \Q@{[logged($pictures)]}\E: No such file or directory",
    sub { rename "$pictures.away", $pictures or die $! }
);
my $mode = (stat $pictures)[2] & 07777;
trouble(
    'write permission there', sub { chmod 0500, $pictures or die $! },
    "the store: \Q@{[logged($pictures)]}\E: Permission denied", sub { chmod $mode, $pictures or die $! }
);
trouble(
    'a compatible schema',
    sub {
        $server->sql(
            "INSERT INTO schema_migrations (version, name, sha256) VALUES ($needed + 1, 'of a later build', '')");
    },
    "the database has migration @{[$needed + 1]}, which does not declare itself compatible with this build, made for "
        . "$needed: install the newer mod_identityimg",
    sub { $server->sql("UPDATE schema_migrations SET compatible_from = $needed WHERE version = $needed + 1") }
);
$server->sql("DELETE FROM schema_migrations WHERE version = $needed + 1");

# A stopping child: it serves its connections to the end, but load balancers should use other servers.
my ($port) = $base =~ /(\d+)$/;
my %half =
    map { my $path = $_; ($path => IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 10)) }
    qw(ready live);
syswrite $half{$_}, "GET /api/v1/health/$_/ HTTP/1.1\r\nHost: x\r\n" for keys %half;
is ask('live')->code, 200, 'two requests have started: a later connection is already answered';
chomp(my $parent = slurp($server->state . '/httpd/httpd.pid'));
kill WINCH => $parent;
ok eventually(sub { !IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 1) }),
    'a stopping server accepts no new connections';
my %got;
for my $path (keys %half) {
    syswrite $half{$path}, "\r\n";
    local $SIG{ALRM} = sub { die 'no response' };
    alarm 30;
    { local $/; $got{$path} = readline $half{$path} }
    alarm 0;
}
like $got{ready}, qr/^HTTP\/1\.1 503 .*\Q$not_ready\E$/s, 'a stopping server is not ready';
like $got{live}, qr/^HTTP\/1\.1 200 /, 'a stopping server is alive';

$server->judge(qr/IIMG0150/, qr/AH10159/, qr/\[dbd:error\]/);
undef $server;
finish();
