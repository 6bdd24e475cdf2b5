# random_kills.t - while photos are added, replaced, swapped, deleted and saved, random processes of httpd and
# PostgreSQL are killed, and once httpd as a whole. No picture is lost, and none is left over.
#
# SOAK_SECONDS=600 sets the duration, as in `make soak`. IIMG_STORE=s3 stores pictures in a bucket.
# Runs beside others.
use strict;
use warnings;
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Audit;
use IdentityImg::Store;
use IdentityImg::Test;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{SOAK_SECONDS} // ($ENV{IIMG_SANITIZE} ? 12 : 5);    # children with sanitizers start slowly
my $clients = 6;
my $place = IdentityImg::Store->chosen;
plan skip_all => $place->missing if $place->missing;
my $seed = $ENV{SEED} // int(rand(1e6));
# A process that dies during a login leaves it counted as a failure.
my $server = IdentityImg::Server->new(
    'random', env => { %{ $place->env } }, conf => join "\n", 'ThreadsPerChild 6', 'ServerLimit 16',
    'MaxRequestWorkers 96', 'StartServers 6',
    'MinSpareThreads 24', 'MaxSpareThreads 96', 'DBDMax 4', 'DBDKeep 4', 'IdentityImgSweepInterval 2',
    'IdentityImgGeminiTimeout 5', 'IdentityImgLoginFailures 1000000', ''
)->start;
my $store = IdentityImg::Audit->new($server, $place);
srand $seed;
diag "SEED=$seed SOAK_SECONDS=$seconds";

my @sources = (make_jpeg(64, 48), make_jpeg(120, 90), make_jpeg(300, 200));
my $one = person('scenario_one');
my @identities = map { identity_of($_) } qw(full bare);
my @people = qw(alice bob);
my %status;

sub ask { return call(@_, base => $server->base, dies => 1) }
sub image { return (parts => [image => [$sources[rand @sources]]]) }

sub rows {
    my ($who) = @_;
    my $answer = ask(GET => 'reference-images/', as => $who);
    my $rows = $answer->code == 200 ? eval { json($answer) } : undef;
    return $rows ? @$rows : ();
}

my @work = (
    [5, sub { my ($who) = @_; ask(POST => 'reference-images/', as => $who, image()) }],
    [5, sub { my ($who, $row) = @_; ask(POST => "reference-images/$row->{id}/upload-image/", as => $who, image()) }],
    [3, sub { my ($who, $row) = @_; ask(DELETE => "reference-images/$row->{id}/", as => $who) }],
    [
        2,
        sub {
            my ($who, $row) = @_;
            ask(PATCH => "reference-images/$row->{id}/?swap=true", as => $who, json => { order => int rand 5 });
        }
    ],
    [3, sub { ask(POST => "identities/$identities[rand 2]/upload-image/", as => 'admin', image()) }],
    [1, sub { ask(DELETE => "identities/$identities[rand 2]/delete-image/", as => 'admin') }],
    [1, sub { ask(POST => "identities/$identities[rand 2]/restore-image/", as => 'admin') }],
    [
        1,
        sub {
            ask(
                POST => 'image-generation/generate/', as => 'admin',
                json => {
                    identity_id => $identities[0], user_id => $one, aspect_ratio => '1:1', resolution => '1K',
                    save_to_identity => JSON::PP::true()
                }
            );
        }
    ],
);
my @lottery = map { my $what = $_->[1]; ($what) x $_->[0] } @work;

# One client until the end. Returns the number of each status; 0 is no response.
sub client {
    my ($number, $over, $deadline) = @_;
    srand $seed + $number;
    my %count;
    while (!-e $over && time < $deadline) {
        my $who = $people[rand @people];
        my @rows = rows($who);
        my $answer =
            $lottery[rand @lottery]->($who, $rows[rand @rows] // { id => '00000000-0000-4000-8000-0000000009ff' });
        my $lost = ($answer->header('Client-Warning') // '') eq 'Internal response';
        $count{ $lost ? 0 : $answer->code }++;
        sleep 0.2 if $lost || $answer->code == 503;
    }
    return \%count;
}

sub kill_one {
    my ($pids) = @_;
    return 0 if !@$pids;
    return kill KILL => $pids->[rand @$pids];
}

# The database's processes. If one is killed, PostgreSQL restarts and all connections are lost.
sub backends {
    return [map { /^(\d+)$/ ? $1 : () }
            eval { $store->sql("SELECT pid FROM pg_stat_activity WHERE usename = 'identityimg'") }];
}

ask(POST => 'reference-images/', as => 'alice', parts => [image => [$_]]) for @sources;
ask(POST => 'reference-images/', as => 'admin', parts => [user_id => $one, image => [$sources[0]]]);
$store->learn;

my %killed = (child => 0, backend => 0, httpd => 0);
my $end = time + $seconds;
# On a loaded machine the kills need longer than $seconds: the work goes on until there were enough of each kind.
my $deadline = $end + 120;
my $over = $server->state . '/over';
sub were_enough { return $killed{child} > 2 && $killed{backend} > 0 && $killed{httpd} > 0 }
my $whole = time + $seconds / 2;
my $next_backend = time + 1 + rand 2;
my @counts = in_parallel(
    $clients,
    sub { return client($_[0], $over, $deadline) },
    sub {
        while (time < $end || (!were_enough() && time < $deadline)) {
            sleep 0.1 + rand 0.5;
            if ($whole && time > $whole) {
                chomp(my $parent = slurp($server->state . '/httpd/httpd.pid'));
                kill KILL => $parent, $server->children;
                $killed{httpd}++;
                $server->stop->start;
                $whole = 0;
            }
            elsif (time > $next_backend) {
                $killed{backend} += kill_one(backends());
                $next_backend = time + 2 + rand($seconds > 60 ? 20 : 3);
            }
            else {
                $killed{child} += kill_one([eval { $server->children }]);
                sleep 1 if $ENV{IIMG_SANITIZE};
            }
        }
        open my $file, '>', $over or die "$over: $!";
    },
    $seconds + 240
);
for my $count (@counts) { $status{$_} += $count->{$_} for keys %{ ref $count ? $count : {} } }
diag 'killed: ', join(', ', map { "$killed{$_} x $_" } sort keys %killed), '; answers: ', join ', ',
    map { ($_ || 'none') . " x $status{$_}" } sort { $a <=> $b } keys %status;

is scalar(grep { !ref } @counts), 0, 'all clients ran to their end';
cmp_ok $killed{child}, '>', 2, 'more than two children of httpd were killed';
cmp_ok $killed{backend}, '>', 0, 'processes of PostgreSQL were killed';
is $killed{httpd}, 1, 'httpd was killed once as a whole';
cmp_ok $status{200} + $status{201}, '>', 5, 'requests succeeded meanwhile';
# 410: this cluster commits asynchronously, so a killed PostgreSQL may lose the row of a generation.
# 429: on a busy machine so many new children hash passwords that some logins have to wait.
is join(' ', grep { !/^(?:0|200|201|204|400|404|409|410|429|503)$/ } sort keys %status), '',
    'all responses have documented statuses';
is join(' ', grep { $_ == 500 } keys %status), '', 'no response is a 500';

# Unsaved pictures of dead processes are saved by others after two minutes, which must not happen during the checks.
my $unsaved = "state = 'succeeded' AND save_to_identity AND saved_at IS NULL";
ok eventually(sub {
    eval { $store->sql("UPDATE generation_jobs SET finished_at = now() WHERE $unsaved"); 1 }
    }),
    'the database responds afterwards';
$server->stop;
my $stopped = time;
$server->start;
ok eventually(
    sub {
        !eval { $store->sql(q{SELECT 1 FROM generation_jobs WHERE state IN ('queued', 'running')}) }
    },
    60
    ),
    'all generations end afterwards';
ok eventually(
    sub {
        !eval {
            $store->sql("SELECT 1 FROM generation_jobs WHERE $unsaved AND finished_at > to_timestamp($stopped)");
        }
    },
    60
    ),
    'all pictures are saved to their identity';
ok eventually(sub {
    eval { $store->sql('SELECT 1') } && ask(GET => 'reference-images/', as => 'alice')->code == 200;
    }),
    'the server responds afterwards';
is $store->quarrels, '', 'no picture is lost, and none is left over';
my @seen = map { $_->{image} ? values %{ $_->{image} } : () } map { rows($_) } @people;
is scalar(grep { ask(GET => $_)->code != 200 } @seen), 0,
    'all listed pictures can be fetched in each size (' . @seen . ')';
my $compared = $store->ctl('reconcile', '--verbose');
is $?, 0, 'identityimgctl reconcile finds no differences' or diag $compared;

$server->judge(
    qr/AH10392|AH00052|AH00051|AH10159|AH03490|AH00045|AH00046/, qr/IIMG0(?:003|10\d|11\d)/,
    qr/AH00632|AH00631|AH00629|dbd/, qr/terminating connection|server closed|SSL|^\s|FATAL|WARNING|HINT|DETAIL/
);
done_testing();
