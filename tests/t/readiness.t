# readiness.t - health/ready/ probes the bucket and the picture decoder. Failures make the server not ready; it becomes
# ready again without a restart. Probes are bounded in time and do not pile up.
# Runs beside others.
use strict;
use warnings;
use IdentityImg::FaultProxy;
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Store;
use IdentityImg::Test;
use Test::More;

my $place = IdentityImg::Store->new('plain');
plan skip_all => $place->missing if $place->missing;
my $few = "StartServers 1\nServerLimit 1\nMaxRequestWorkers 25\nIdentityImgSweepInterval 86400\n";
my $server = IdentityImg::Server->new('readiness', env => $place->env, conf => $few)->start;

sub ready { my ($which) = @_; return call(GET => 'health/ready/', base => ($which // $server)->base)->code }

sub becomes {
    my ($status, $what) = @_;
    ok eventually(sub { ready() == $status }, 60), $what;
    return;
}

# The bucket --------------------------------------------------------------------------------------------------

becomes(200, 'a server with its bucket is ready');
$place->tell(hang => 1);
becomes(503, 'a bucket that does not respond makes the server not ready');
my $began = time;
is join(' ', sort map { $_ // 'none' } in_parallel(20, sub { ready() })), join(' ', (503) x 20),
    'twenty concurrent probes are answered';
cmp_ok time - $began, '<', 60, 'concurrent probes take the deadline of one';
$place->tell(hang => 0);
becomes(200, 'a bucket that responds again makes the server ready without a restart');
my @lines = grep { /IIMG0150/ } $server->log_lines('all');
is scalar(@lines), 1, 'the log has one line about it';
like $lines[0], qr/IIMG0150: not ready: the store: GET pictures\/\.identityimg-store: 0 /, 'the line has the cause';

my $port = $place->{port};
close $place->{stdin};
waitpid delete $place->{pid}, 0;
becomes(503, 'a bucket that is down makes the server not ready');
is call(GET => 'reference-images/', as => 'alice', base => $server->base)->code, 200,
    'lists still work while the bucket is down';
is call(GET => 'health/live/', base => $server->base)->code, 200, 'the server is alive while the bucket is down';
$place->start_plain;
is $place->{port}, $port, 'the bucket is up again on the same port';
# The double keeps objects in memory, so the bucket is empty now.
becomes(503, 'an empty bucket makes the server not ready');
ok eventually(sub {
    ready();
    grep { /IIMG0204: .*bucket pictures has no \.identityimg-store, the database belongs to the store/ }
        $server->log_lines;
    }),
    'the log says that the bucket is empty';
is scalar(my @left = $place->objects), 0, 'nothing is written to the empty bucket';
like $server->script(ctl => 'adopt-store'), qr/^The database now belongs to the store /,
    "adopt-store writes the marker of the database's store";
becomes(200, 'the server is ready after adopt-store');
$server->judge(qr/IIMG0150|IIMG0204|AH10159/);
undef $server;

# An unreadable marker is ignored if it was right before, but not if it was missing.
my $other = IdentityImg::Store->new('plain', bucket => 'no-conditions');
my $proxy = IdentityImg::FaultProxy->new($other->{port});
my $strict = IdentityImg::Server->new('marker', env => $other->env($proxy->port), conf => $few)->start;
my @busy =
    { fault => 'error', method => 'GET', path => 'identityimg-store', status => 503, code => 'SlowDown', times => 0 };

sub add {
    return call(
        POST => 'reference-images/', as => 'bob', parts => [image => [make_jpeg(64, 48)]],
        base => $strict->base
    )->code;
}
is add(), 201, 'a bucket that refuses conditional writes gets its marker and accepts photos';
$proxy->rules(@busy);
ok eventually(sub { ready($strict) == 503 }, 60), 'a throttled marker makes the server not ready';
is add(), 201, 'photos are accepted while the marker is throttled';
$proxy->rules;
ok eventually(sub { ready($strict) == 200 }, 60), 'a marker that can be read again makes the server ready';
$other->request(DELETE => "$other->{prefix}.identityimg-store");
ok eventually(sub { ready($strict) == 503 }, 60), 'a missing marker makes the server not ready';
my $before = () = $other->objects;
$proxy->rules(@busy);
is join(' ', map { add() } 1 .. 2), '503 503', 'photos are refused while the marker is missing';
is scalar(my @after = $other->objects), $before, 'nothing is written while the marker is missing';
$strict->judge(qr/IIMG0150|IIMG0204|IIMG0003|AH10159/);
undef $strict;

# The worker -----------------------------------------------------------------------------------------------------

# A program with missing libraries: the loader exits with 127.
my $broken = "$ENV{IIMG_WORK}/broken-worker";
my $build = "$ENV{IIMG_SOURCE}/build/" . ($ENV{IIMG_SANITIZE} ? 'sanitize' : 'plain');
my $source = "$ENV{IIMG_WORK}/absent.c";
open my $file, '>', $source or die $!;
print $file "int absent(void) { return 0; }\n";
close $file;
system(
    "gcc -shared -fPIC -o '$ENV{IIMG_WORK}/libabsent.so' '$source' && echo 'int absent(void); int main(void) { return "
        . "absent(); }' | gcc -x c - -x none -o '$broken' '$ENV{IIMG_WORK}/libabsent.so' && rm "
        . "'$ENV{IIMG_WORK}/libabsent.so'") == 0
    or die 'gcc';
my $without = IdentityImg::Server->new('without-worker', env => { IIMG_WORKER => $broken }, conf => $few)->start;
is ready($without), 503, 'a worker that cannot load its libraries makes the server not ready';

sub ended {
    return grep { /IIMG0134/ } $without->log_lines;
}
ok eventually(sub { ended() >= 5 }, 120), 'the worker is restarted repeatedly';
my @ends = ended();
is scalar(grep { m{ended with status 127: /\S.*/broken-worker cannot be loaded; run ldd} } @ends), scalar @ends,
    "the log has the worker's exit status";
my @delays = map { /restarting in (\d+) ms/ } @ends;
is "@delays[0 .. 4]", '0 250 500 1000 2000', 'the delays between restarts grow';
# Timestamps of the lines: the logged delays are the actual ones.
my @times = map { /:(\d\d):(\d\d\.\d+)/ ? $1 * 60 + $2 : () } @ends;
is join(
    ' ',
    grep { my $gap = ($times[$_ + 1] - $times[$_] + 3600) % 3600 * 1000 + 1000; $gap < $delays[$_] } 0 .. $#times - 1
    ),
    '', 'the logged delays are kept';
is call(POST => 'reference-images/', as => 'alice', parts => [image => [make_jpeg(64, 48)]], base => $without->base)
    ->code, 503, 'an upload is refused';
$without->judge(qr/IIMG0134|IIMG0150|IIMG0132|IIMG0003|AH10159|error while loading shared libraries/);
undef $without;

# A worker that cannot be executed at all.
my $absent = IdentityImg::Server->new('gone-worker', conf => $few);
$absent->{env} = { IIMG_WORKER => "$ENV{IIMG_WORK}/copied-worker" };
system(
    "cp '$build/identityimg-worker' '$ENV{IIMG_WORK}/copied-worker' && ln -sfn '$build/vips' '$ENV{IIMG_WORK}/vips'");
$absent->start;
ok eventually(sub { ready($absent) == 200 }), 'a copied worker works';
chomp(my $parent = slurp($absent->state . '/httpd/httpd.pid'));
my ($worker) = map { /(\d+)/ } grep { /copied-worker|identityimg-wor/ } `ps -o pid=,args= --ppid $parent`;
unlink "$ENV{IIMG_WORK}/copied-worker";
kill KILL => $worker;
ok eventually(sub { ready($absent) == 503 }, 60), 'a missing worker program makes the server not ready';
ok eventually(sub {
    grep { /ended by signal 9 \(Killed\)/ } $absent->log_lines;
    }),
    'the log names the signal';
ok eventually(sub {
    grep { /ended with status 127/ } $absent->log_lines;
    }),
    'the log has the exit status';
system("cp '$build/identityimg-worker' '$ENV{IIMG_WORK}/copied-worker'");
ok eventually(sub { ready($absent) == 200 }, 90), 'a restored worker program makes the server ready';
$absent->judge(qr/IIMG0134|IIMG0150|AH10159/);
done_testing();
