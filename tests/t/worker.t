# worker.t - the life cycle of identityimg-worker: httpd without it, deaths and their effects, queueing, deadlines,
# restarts, and all MPMs.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Test;
use Test::More;
use Time::HiRes qw(sleep time);

my $kind = ($ENV{IIMG_SANITIZE} // '') eq '1' ? 'sanitize' : 'plain';
my $rogue = "$ENV{IIMG_SOURCE}/build/$kind/identityimg-rogue-worker";
my $server = IdentityImg::Server->new('worker', env => { IIMG_WORKER => $rogue }, conf => <<'CONF')->start;
IdentityImgWorkers 2
IdentityImgWorkerTimeout 60
CONF
my $jpeg = slurp(make_jpeg(700, 500));
my %slots;

# Upload a picture to a new photo of a user on a server. Returns the response.
sub upload {
    my ($who, $bytes, $base) = @_;
    $base //= $server->base;
    my $slot = $slots{"$who $base"} //=
        json(call(POST => 'reference-images/', as => $who, base => $base, json => {}))->{id};
    return call(
        POST => "reference-images/$slot/upload-image/", as => $who, base => $base,
        parts => [image => [undef, 'a.jpg', Content => $bytes]]
    );
}
sub rogue { my ($who, $word, $base) = @_; return upload($who, "${jpeg}ROGUE:$word.", $base) }

sub refusal {
    my ($answer) = @_;
    my $body = json($answer);
    return join ' ', $answer->code, $body->{code} // '', $body->{detail} // '';
}
sub new_lines { my @lines = $server->log_lines(@_); $server->forget_log; return @lines }

sub parent { my ($of) = @_; return (split /\n/, slurp(($of // $server)->state . '/httpd/httpd.pid'))[0] }

sub zygotes {
    my $parent = parent(@_);
    return map { /^\s*(\d+) [^Z]\S*\s+identityimg-/ ? $1 : () } `ps -o pid=,stat=,comm= --ppid $parent`;
}

sub workers {
    return map { /^\s*(\d+)/ ? $1 : () } map { `ps -o pid= --ppid $_` } zygotes();
}
sub alive { my ($pid) = @_; return proc($pid, 'stat') =~ /\) [^Z]/ }
# The names of the files that a process has mapped, including those of httpd's modules folder.
sub mapped {
    my ($pid) = @_;
    return join "\n", map { m{(?:apache2/modules/)?[^/]+$} ? $& : () } grep { m{ /} } split /\n/, proc($pid, 'maps');
}

sub codes {
    return join ' ', map { ref $_ ? @$_ : $_ // 'none' } @_;
}

# Create all photos before the time-critical part.
upload($_, $jpeg) for qw(alice bob admin scenario_one);
call(DELETE => 'nowhere/', base => $server->base);

# httpd's processes ---------------------------------------------------------------------------------------

my ($zygote, @more) = zygotes();
ok $zygote, 'httpd has a worker';
is scalar(@more), 0, 'httpd has exactly one worker';
is call(
    POST => 'image-generation/generate/', as => 'admin', base => $server->base,
    json => { identity_id => identity_of('full'), user_id => person('alice'), resolution => '1K' }
    )->code, 200,
    'references and a poster are prepared';
cmp_ok scalar(my @serving = $server->children), '>=', 1, 'httpd has children';
for my $pid (@serving, parent()) {
    unlike mapped($pid), qr{^lib(?:vips|heif|jpeg|png|webp|de265|pango|rsvg|tiff|cairo)\b}m,
        'no codec is mapped in a process of httpd'
        if $> == 0;
}
like mapped($zygote), qr{^libvips\.so}m, 'libvips is mapped in the worker' if $> == 0;
unlike mapped($zygote), qr{vips-(?:magick|poppler|openslide|jxl)|apache2/modules|^mod_},
    'the worker has neither unused codecs nor modules of httpd'
    if $> == 0;
my ($uid) = proc($zygote, 'status') =~ /^Uid:\s*(\d+)/m;
is $uid, $> == 0 ? scalar getpwnam('www-data') : $>, "the worker runs as httpd's user";
like proc($zygote, 'status'), qr/^Threads:\s*1$/m, 'the worker has one thread';
is proc($zygote, 'environ') =~ s/[AU]\w*SAN_OPTIONS=[^\0]*\0//gr, '', 'the worker has no environment' if $> == 0;
my %open = map { m{/(\d+)$} ? ($1 => readlink) : () } glob "/proc/$zygote/fd/*";
is join(' ', grep { $_ > 3 && $open{$_} !~ /\.(?:ttf|ttc|otf|otc)$/i } sort keys %open), '',
    'the worker has only its socket and fonts open'
    if $> == 0;
is readlink("/proc/$zygote/cwd"), '/', 'the working directory of the worker is /' if $> == 0;

# Deaths -------------------------------------------------------------------------------------------------

my ($held, $others) = in_parallel(
    2,
    sub {
        $_[0] ? codes(map { upload(bob => $jpeg)->code } 1 .. 5) : refusal(rogue(alice => 'hang'));
    },
    sub {
        # The processes of other pictures come and go; the hanging one stays.
        my $hangs = eventually(
            sub {
                my ($pid) = grep { proc($_, 'stat') =~ /\) S/ } workers();
                sleep 0.5;
                return $pid && grep({ $_ == $pid } workers()) ? $pid : undef;
            },
            60
        );
        kill KILL => $hangs if $hangs;
    }
);
like $held, qr/^400 unsupported_image The JPEG picture is damaged/,
    'a picture whose process is killed is refused';
is $others, '200 200 200 200 200', 'other pictures are not affected';
like join("\n", new_lines()), qr/IIMG0130: .*signal 9/, 'the log has the signal';

kill KILL => $zygote;
is upload(alice => $jpeg)->code, 200, 'after the worker is killed the next picture waits for another worker';
my ($next) = zygotes();
isnt $next, $zygote, 'httpd starts another worker';
like join("\n", new_lines()),
    qr/IIMG0134: identityimg-worker \(pid $zygote\) ended by signal 9 \(Killed\); restarting in 0 ms/,
    'the log has the death and the restart';

my ($while, @rest) = in_parallel(
    4,
    sub {
        my @who = qw(alice bob admin scenario_one);
        return $_[0] == 0 ? rogue(alice => 'pause')->code : codes(map { upload($who[$_[0]], $jpeg)->code } 1 .. 8);
    },
    sub {
        eventually(sub { () = workers() });
        kill KILL => (zygotes())[0];
    }
);
is $while, 200, 'a picture in progress when the worker is killed is decoded by the next one';
is codes(@rest), join(' ', (200) x 24), 'pictures that arrive meanwhile are decoded';
is scalar(() = zygotes()), 1, 'there is one worker again';
ok eventually(sub { !workers() }), 'no process of the old worker is left';
like join("\n", new_lines()), qr/IIMG0134: .*signal 9/, 'the log has the signal';

for (1, 2) {
    my ($pid) = zygotes();
    kill KILL => $pid;
    eventually(sub { my ($now) = zygotes(); $now && $now != $pid });
}
my @delays = join("\n", new_lines()) =~ /restarting in (\d+) ms/g;
ok @delays == 2 && $delays[0] >= 250 && $delays[1] == 2 * $delays[0],
    "a worker that dies repeatedly is restarted with growing delays: @delays ms";
is upload(alice => $jpeg)->code, 200, 'pictures wait for the restart';
new_lines(1);

my ($first) = $server->children;
in_parallel(
    1,
    sub { rogue(alice => 'hang')->code },
    sub {
        eventually(sub { () = workers() });
        kill KILL => $server->children;
        ok eventually(sub { !workers() }, 25), 'the process of a picture ends when its client disconnects';
    }
);
ok eventually(sub { my $answer = upload(alice => $jpeg); $answer->code == 200 }),
    'new children of httpd use the worker';
new_lines();

# Queueing -----------------------------------------------------------------------------------------------

is $server->reload("IdentityImgWorkers 1\nIdentityImgWorkerWait 1\nIdentityImgWorkerTimeout 12\n"), '',
    'one concurrent picture and a wait of a second are accepted';
my ($slow, $late) = in_parallel(
    2,
    sub {
        return codes(rogue(alice => 'hang')->code) if $_[0] == 0;
        eventually(sub { () = workers() });
        my $answer = upload(bob => $jpeg);
        return refusal($answer) . ' ' . ($answer->header('Retry-After') // '');
    }
);
is $late, '503 pictures_busy The server is busy with other pictures. Try again in a moment. 15',
    'a picture that waits too long is a 503 with Retry-After';
is $slow, 400, 'the slow picture is stopped';
is upload(bob => $jpeg)->code, 200, 'the next picture is decoded after that';
is $server->reload("IdentityImgWorkers 1\nIdentityImgWorkerWait 60\n"), '', 'a wait of a minute is accepted';
is codes(
    in_parallel(6, sub { my @who = qw(alice bob admin scenario_one alice bob); upload($who[$_[0]], $jpeg)->code })),
    '200 200 200 200 200 200', 'six concurrent pictures take turns';
new_lines();

# Graceful restart ---------------------------------------------------------------------------------------

$server->reload("IdentityImgWorkers 2\nIdentityImgWorkerTimeout 30\n");
my ($old) = zygotes();
my $began = time;
my ($across, $after) = in_parallel(
    2,
    sub {
        return rogue(alice => 'pause')->code if $_[0] == 0;
        sleep 0.7;
        return codes(map { my $answer = upload(bob => $jpeg); sleep 0.1; $answer->code } 1 .. 8);
    },
    sub {
        eventually(sub { () = workers() });
        $server->script(serve => 'reload');
    }
);
is $across, 200, 'a picture in progress at a graceful restart is completed by its worker';
is $after, join(' ', (200) x 8), 'pictures that arrive meanwhile are decoded';
ok eventually(sub { !alive($old) }), 'the old worker ends with the last old child of httpd';
my ($new) = zygotes();
isnt $new, $old, 'the new children have a new worker';
unlike join("\n", new_lines(1)), qr/long lost child|IIMG/, 'the log has no line about the restart';
for (1 .. 3) { $server->script(serve => 'reload'); sleep 0.2 }
ok eventually(sub { zygotes() == 1 && upload(alice => $jpeg)->code == 200 }),
    'after several restarts there is one working worker';
unlike join("\n", new_lines(1)), qr/long lost child|IIMG/, 'the log has no line about the restarts';

# MaxConnectionsPerChild ------------------------------------------------------------------------------------

$server->restart("IdentityImgWorkers 2\nMaxConnectionsPerChild 3\nStartServers 1\n");
my ($same) = zygotes();
is codes(
    map {
        Apache::TestRequest::user_agent(reset => 1, keep_alive => 0, requests_redirectable => 0);
        upload(alice => $jpeg)->code
    } 1 .. 14
    ),
    join(' ', (200) x 14), 'with MaxConnectionsPerChild 3 all pictures are decoded';
is join(' ', zygotes()), $same, 'children come and go beside the same worker';

# End of httpd ---------------------------------------------------------------------------------------------

my $main = parent();
kill KILL => $main;
sleep 0.2;
kill KILL => grep { my $line = proc($_, 'cmdline'); $line =~ /apache2/ && index($line, $server->state) >= 0 }
    map { m{^/proc/(\d+)$} } glob '/proc/[0-9]*';
ok eventually(sub { !alive($same) }), 'the worker ends when all processes of httpd are killed';
$server->stop;
$server->judge(
    qr/IIMG0130: /, qr/IIMG0134: /, qr/AH00052: child pid \d+ exit signal Killed/,
    qr/AH10392: children are killed successively/
);
undef $server;

# Other MPMs --------------------------------------------------------------------------------------------------

for my $mpm (qw(worker prefork)) {
    my $other = IdentityImg::Server->new("mpm-$mpm", env => { MPM => $mpm, IIMG_WORKER => $rogue })->start;
    my $base = $other->base;
    is codes(in_parallel(
        4,
        sub {
            my @who = qw(alice bob admin scenario_one);
            codes(map { upload($who[$_[0]], $jpeg, $base)->code } 1 .. 3);
        }
        )),
        join(' ', (200) x 12), "pictures are decoded under mpm_$mpm";
    my ($one) = zygotes($other);
    kill KILL => $one;
    is upload(alice => $jpeg, $base)->code, 200, "mpm_$mpm: pictures are decoded after the worker is killed";
    my ($two) = zygotes($other);
    $other->script(serve => 'reload');
    ok eventually(sub { !alive($two) }), "mpm_$mpm: the old worker ends after a graceful restart";
    is upload(alice => $jpeg, $base)->code, 200, "mpm_$mpm: a new worker decodes pictures after the restart";
    $other->stop;
    ok !(grep { alive($_) } $one, $two), "mpm_$mpm: a stop leaves no worker";
    $other->judge(qr/IIMG0134: /);
}
finish();
