# park_soak.t - parked requests for a long time: some clients disconnect, httpd restarts now and then. All others get
# their pictures, all jobs succeed, and nothing is left over. For `make soak`; SOAK_SECONDS is the duration.
# Runs beside others.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use IdentityImg::Server 'eventually';
use IdentityImg::Test;
use IO::Select;
use IO::Socket::INET;
use IPC::Open2 'open2';
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'make soak runs it' if !$ENV{SOAK_SECONDS};
my $pid = open2(my $out, my $in, 'node', "$ENV{IIMG_DOUBLES}/gemini.mjs", '--with-stdin', '--key', 'k');
my ($double) = (readline($out) // '') =~ /^listening (\d+)/ or die 'gemini.mjs does not start';
my $owner = $$;

END {
    my $status = $?;
    if ($in && $owner == $$) { close $in; waitpid $pid, 0 }
    $? = $status;
}
my $conf = join "\n", 'StartServers 1', 'ServerLimit 6', 'ThreadsPerChild 8', 'MinSpareThreads 1',
    'MaxSpareThreads 48', 'MaxRequestWorkers 48', 'AsyncRequestWorkerFactor 200',
    'IdentityImgParkRequests on', 'IdentityImgMaxWaiting 1', 'DBDMax 6', 'DBDKeep 6', '';
my $server = IdentityImg::Server->new(
    'park-soak', conf => $conf,
    env => { GEMINI_ENDPOINT => "http://127.0.0.1:$double/", GEMINI_API_KEY => 'k' }
)->start;
my ($port) = $server->base =~ /(\d+)$/;
call(
    POST => 'reference-images/', as => 'alice', base => $server->base, headers => [Connection => 'close'],
    parts => [image => [make_jpeg(64, 48)]]
);
# (A token: after a restart all passwords would be hashed at once, and some logins refused as busy.)
my $token = json(call(
    POST => 'auth/login/', base => $server->base, headers => [Connection => 'close'],
    json => { email => 'admin@example.com', password => 'pw-admin', token => \1 }
))->{token};

my (%open, %count, @wrong);
my $number = 0;

sub begin {
    my $body = JSON::PP->new->utf8->encode({
        identity_id => identity_of('full'), user_id => person('alice'), aspect_ratio => '1:1', resolution => '1K',
        additional_prompt => '[[scenario:slow:' . int(200 + rand 3000) . ']] ' . $number++
    });
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or do { push @wrong, "connect: $!"; return };
    print $socket
        "POST /api/v1/image-generation/generate/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
        . "$token\r\nContent-Type: application/json\r\nContent-Length: "
        . length($body)
        . "\r\n\r\n$body";
    $open{ fileno $socket } =
        { socket => $socket, text => '', leaves => rand() < 0.15 ? time + rand 2 : 0, began => time };
    return;
}

# Some hundred at a time, until the end.
sub keep_busy {
    my ($end, $restarts) = @_;
    my $restart = $restarts ? time + 5 + rand 10 : 1e12;
    while (time < $end || %open) {
        begin() while time < $end && keys %open < 150;
        for my $socket (IO::Select->new(map { $_->{socket} } values %open)->can_read(0.1)) {
            my $one = $open{ fileno $socket };
            next if sysread $socket, $one->{text}, 65536, length $one->{text};
            my ($status) = $one->{text} =~ /^HTTP\/1\.1 (\d+)/;
            $count{ $status // 'none' }++;
            push @wrong, 'a response is ' . substr($one->{text} || 'none', 0, 200) if ($status // 0) != 200;
            delete $open{ fileno $socket };
        }
        for my $key (grep { my $at = $open{$_}{leaves}; $at && $at < time } keys %open) {
            $count{left}++;
            close delete($open{$key})->{socket};
        }
        push @wrong, 'no answer for 60 s' and delete $open{$_} for grep { time - $open{$_}{began} > 60 } keys %open;
        if (time > $restart && time < $end) {
            $server->script(serve => 'reload');
            $count{restarts}++;
            $restart = time + 10 + rand 10;
        }
    }
    return;
}

sub state_of_child {
    my ($child) = $server->children;
    my ($pss) = slurp("/proc/$child/smaps_rollup") =~ /^Pss:\s+(\d+)/m;
    return {
        child => $child, descriptors => scalar(() = glob "/proc/$child/fd/*"),
        events => scalar(grep { (readlink($_) // '') =~ /eventfd/ } glob "/proc/$child/fd/*"), pss => $pss
    };
}

keep_busy(time + $ENV{SOAK_SECONDS} / 2, 1);
is "@wrong[0 .. ($#wrong < 4 ? $#wrong : 4)]", '', 'all remaining clients get their pictures across restarts';
# (One child: of several, the MPM would end one that is idle.)
$server->restart($conf =~ s/ServerLimit \K6/1/r =~ s/MaxRequestWorkers \K48/8/r =~ s/MaxSpareThreads \K48/8/r);
keep_busy(time + $ENV{SOAK_SECONDS} / 8, 0);
sleep 2;
my $before = state_of_child();
keep_busy(time + $ENV{SOAK_SECONDS} * 3 / 8, 0);
sleep 2;
my $after = state_of_child();
is "@wrong[0 .. ($#wrong < 4 ? $#wrong : 4)]", '', 'all remaining clients get their pictures';
is $after->{child}, $before->{child}, 'the child is still the same';
is $after->{events}, $before->{events}, 'the child has no additional eventfds';
cmp_ok $after->{descriptors}, '<=', $before->{descriptors} + 3, 'the child has no additional descriptors';
cmp_ok $after->{pss}, '<=', $before->{pss} * 1.1 + 2048, 'the child uses about the same memory';
ok eventually(sub { !($server->sql("SELECT 1 FROM generation_jobs WHERE state IN ('queued', 'running')"))[0] }, 60),
    'all jobs have ended';
is join(' ', $server->sql('SELECT DISTINCT state FROM generation_jobs')), 'succeeded', 'all jobs succeed';
is join(' ', $server->sql('SELECT max(attempts) FROM generation_jobs')), 1, 'no job was paid for twice';
diag join ', ', (map { "$count{$_} x $_" } sort keys %count), sprintf 'PSS %d then %d kB, descriptors %d then %d',
    @$before{qw(pss)}, @$after{qw(pss)}, $before->{descriptors}, $after->{descriptors};
$server->judge(qr/AH10159|AH03490|AH00045|AH00484/);
finish();
