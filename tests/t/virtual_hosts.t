# virtual_hosts.t - virtual hosts with their own databases do not share cached data or failures.
# Runs beside others.
use strict;
use warnings;
use utf8;
use IdentityImg::Server qw(in_parallel eventually free_port);
use IdentityImg::Test;
use Test::More;

# One child, so that all hosts share its caches.
my $conf = <<'CONF';
StartServers 1
ServerLimit 1
MaxRequestWorkers 25
MinSpareThreads 1
MaxSpareThreads 25
DBDMin 0
DBDKeep 2
DBDMax 2
IdentityImgDatabaseWait 1000
CONF
my $server = IdentityImg::Server->new('hosts', conf => $conf)->start;
my %port = map { $_ => free_port() } qw(copy dead twin spelled);

# A full copy of the database, like staging from production.
$server->sql(
    q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'identityimg'; CREATE DATABASE }
        . q{copy TEMPLATE identityimg},
    'postgres'
);
my $params =
      q{DBDParams "host=${IIMG_PG_HOST} port=%s dbname=%s user=identityimg connect_timeout=2 options='-c }
    . q{statement_timeout=120000 -c timezone=UTC'"};

sub host {
    my ($name, @lines) = @_;
    return join "\n", "Listen 127.0.0.1:$port{$name}", "<VirtualHost 127.0.0.1:$port{$name}>",
        "ServerName $name.example", @lines, "</VirtualHost>", '';
}
is $server->reload($conf
        . host('copy', sprintf $params, '${IIMG_PG_PORT}', 'copy')
        . host('dead', sprintf $params, free_port(), 'identityimg')
        . host('twin')
        . host('spelled', '<IfModule mod_dbd.c>', 'DBDMax 2', '</IfModule>')), '',
    'four virtual hosts, two with their own databases, are accepted';

my $main = $server->base;
sub at { my ($name) = @_; return base => $port{$name} ? "http://127.0.0.1:$port{$name}" : $main }
sub me { my ($name, %with) = @_; return call(GET => 'users/me/', at($name), %with) }
sub bearer { my ($token) = @_; return headers => [Authorization => "Bearer $token"] }
ok eventually(sub { me('copy', as => 'bob')->code == 200 }), 'the copy responds';

# Caches ---------------------------------------------------------------------------------------------

my $token = json(call(
    POST => 'auth/login/', at('main'), json => { email => 'alice@example.com', password => 'pw-alice', token => \1 }
))->{token};
is me('main', bearer($token))->code, 200, 'a token of the main server is accepted there' for 1 .. 2;
is me('copy', bearer($token))->code, 401, 'the token is refused at the host with the copied database';
is me('twin', bearer($token))->code, 200, 'the token is accepted at a host with the same database';
is me('main', as => 'alice')->code, 200, 'a password of the main server is accepted there';
$server->sql(
    "\\c copy\nUPDATE users SET email = 'alicia\@example.com', password = '' WHERE id = '" . person('alice') . "'");
is me('copy', as => 'alice')->code, 401, 'the password is refused at the host where it differs';
is me('main', as => 'alice')->code, 200, 'the password is still accepted at the main server';

# Picture URLs are cached, too: those of each host begin with its own name.
sub photos {
    my ($name) = @_;
    return join ' ',
        map { $_->{image}{original} } @{ json(call(GET => 'reference-images/', at($name), as => 'alice')) };
}
is call(POST => 'reference-images/', at('main'), as => 'alice', parts => [image => [portrait()]])->code, 201, 'a photo';
my ($mine, $twins) = (photos('main'), photos('twin'));
like $twins, qr{^http://twin\.example/pictures/media/}, 'URLs of a virtual host begin with its name';
is photos('main'), $mine, 'the main server does not return URLs of the virtual host' for 1 .. 2;
is photos('twin'), $twins, 'the virtual host does not return URLs of the main server' for 1 .. 2;

# Failures -------------------------------------------------------------------------------------------

my (@dead, @alive);
for my $n (1 .. 5) {
    my $answer = me('dead', as => 'alice');
    push @dead, $answer->code;
    push @alive, map { me($_, as => 'alice')->code } qw(main twin);
}
is "@dead", '503 503 503 503 503', 'a host whose database is down returns 503';
is "@alive", join(' ', (200) x 10), 'the other hosts keep working';

# Shared pools ---------------------------------------------------------------------------------------

# mod_dbd uses one pool for hosts with the same directives, and waits forever when it is empty.
me($_, as => $_ eq 'main' ? 'alice' : 'bob') for qw(main twin spelled);
my $release = $server->hold("SELECT 1 FROM users WHERE id = '" . person('alice') . "' FOR UPDATE");
my @late;
my @stuck = in_parallel(
    2,
    sub { call(POST => 'reference-images/', at('main'), as => 'alice', json => { name => 'waits' })->code },
    sub {
        eventually(sub {
            ($server->sql(
                q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'identityimg' AND wait_event_type = 'Lock'},
                'postgres'
            ))[0] == 2;
        });
        @late = map { my $answer = me($_, as => 'bob'); $answer->code . ' ' . (json($answer)->{code} // '') }
            qw(twin spelled copy);
        $release->();
    }
);
is "@late", '503 database_busy 503 database_busy 200 ',
    'hosts that share an empty pool return 503 database_busy; the host with its own pool works';
is "@stuck", '201 201', 'the requests that waited succeed in the end';

$server->judge(
    qr/IIMG0003: .*(?:database)/, qr/\[dbd:(?:error|crit)\]/, qr/AH0161[78]/,
    qr/^FATAL:  terminating connection due to administrator command$/, qr/IIMG010[34]/
);
undef $server;
finish();
