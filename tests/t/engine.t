# engine.t - generations as jobs: asynchronous, with waiting, queued, canceled; and never lost or paid for
# twice, whatever ends in between: the client, a child of httpd, httpd, PostgreSQL.
# With IIMG_PARK=1, waiting requests are parked.
# Runs beside others.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use IdentityImg::Fault;
use IdentityImg::Gemini;
use IdentityImg::Server qw(in_parallel eventually);
use IdentityImg::Test;
use HTTP::Tiny;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->utf8;
my $list = 'image-generation/jobs/';
my $gemini = IdentityImg::Gemini->new;
my $faults = IdentityImg::Fault->new('engine');
my %provider = $gemini->environment;
my $children = join "\n", 'StartServers 2', 'ServerLimit 8', 'ThreadsPerChild 16', 'MinSpareThreads 16',
    'MaxRequestWorkers 128', 'IdentityImgMaxWaiting 12',
    $ENV{IIMG_PARK} ? ('IdentityImgParkRequests on', 'AsyncRequestWorkerFactor 100') : 'IdentityImgParkRequests off',
    '';
my $server =
    IdentityImg::Server->new('engine', env => { %provider, %{ $faults->environment } }, conf => $children)->start;
our $base = $server->base;
is call(
    POST => 'reference-images/', as => 'alice', base => $base, headers => [Connection => 'close'],
    parts => [image => [make_jpeg(64, 48)]]
)->code, 201, 'a photo is uploaded';

my $agent = HTTP::Tiny->new(keep_alive => 0, timeout => 120);

sub ask {
    my ($method, $path, $headers, $body) = @_;
    my $answer = $agent->request(
        $method,
        $path =~ /^http/ ? $path : "$base/api/v1/$path",
        {
            headers => { Authorization => login('admin'), 'Content-Type' => 'application/json', %{ $headers // {} } },
            $body ? (content => $json->encode($body)) : ()
        }
    );
    $answer->{data} = eval { $json->decode($answer->{content}) };
    return $answer;
}

sub wish {
    my ($words, %more) = @_;
    return {
        identity_id => identity_of('full'), user_id => person('alice'), aspect_ratio => '1:1', resolution => '1K',
        additional_prompt => $words, %more
    };
}
my $number = 0;
# The provider answers after so many milliseconds, or ("hold") when the test releases it.
sub words { my ($ms) = @_; return ($ms eq 'hold' ? '[[scenario:hold]] ' : "[[scenario:slow:$ms]] ") . $number++ }

sub order {
    my ($ms, %headers) = @_;
    return ask(POST => 'image-generation/generate/', { Prefer => 'respond-async', %headers }, wish(words($ms)));
}
sub job { my ($id, %headers) = @_; return ask(GET => "$list$id/", \%headers) }

sub count {
    my ($where) = @_;
    return ($server->sql('SELECT count(*) FROM generation_jobs' . ($where ? " WHERE $where" : '')))[0];
}
# A job after it has ended, however long that takes on this machine.
sub ended {
    my ($id) = @_;
    my $now;
    eventually(
        sub { $now = job($id, Prefer => 'wait=30'); ($now->{data}{state} // '') =~ /^(?:succeeded|failed|canceled)$/ },
        120
    );
    return $now;
}
sub under_way { return count("state IN ('queued', 'running')") }

sub all_end {
    return eventually(sub { !under_way() }, 120);
}

sub forget {
    $gemini->release;
    all_end();
    $server->sql('DELETE FROM generation_jobs');
    $gemini->forget;
    $gemini->hold;
    return;
}
sub asked { return $gemini->asked }

sub states {
    return join ' ',
        map { my ($state, $n) = split /\|/; "${n}x$state" }
        $server->sql('SELECT state, count(*) FROM generation_jobs GROUP BY 1 ORDER BY 1');
}

sub refusal {
    my ($answer) = @_;
    return join ' ', $answer->{status}, $answer->{data}{code} // (), $answer->{data}{detail} // ();
}

sub limit {
    my (@directives) = @_;
    is $server->reload($children . join '', map { "IdentityImg$_\n" } @directives), '',
        "the server accepts @directives";
    return;
}

# Asynchronous requests -----------------------------------------------------------------------------

my $answer = order('hold');
is $answer->{status}, 202, 'an asynchronous request is answered at once with 202';
my $id = $answer->{data}{id};
is $answer->{headers}{location}, "$base/api/v1/$list$id/", 'the 202 has the URL of the job';
is $answer->{headers}{'preference-applied'}, 'respond-async', 'the 202 has Preference-Applied';
is "$answer->{data}{state} " . ($answer->{data}{image_url} // 'none'), 'running none', 'the 202 has the running job';
is ask(GET => $answer->{headers}{location})->{data}{id}, $id, 'the URL of the job works';
my $tag = job($id)->{headers}{etag};

# The header Prefer (RFC 7240), as httpd splits it: the wait that is applied, if any.
my @prefer = (
    ['wait=2' => 'wait=2'],
    ['respond-async, wait=2' => 'wait=2'],
    ['Wait=2,respond-async' => 'wait=2'],
    [' wait = 2 ; foo=bar , respond-async ; x' => 'wait=2'],
    ['wait="3"' => 'wait=3'],
    ['wait=2, wait=9' => 'wait=2'],
    ['foo="a\\", wait=3", wait=4' => 'wait=4'],
    ['wait' => undef],
    ['wait=' => undef],
    ['wait=0' => undef],
    ['wait=-1' => undef],
    ['wait=1.5' => undef],
    ['wait=ten' => undef],
    ['foo="respond-async, wait=3"' => undef],
    ['foo="unfinished, wait=3' => undef],
    ['return=minimal, handling=strict' => undef],
);
my @applied = in_parallel(
    scalar @prefer,
    sub { my ($n) = @_; return job($id, Prefer => $prefer[$n][0])->{headers}{'preference-applied'} }
);
is $applied[$_], $prefer[$_][1], "Prefer: $prefer[$_][0]" for 0 .. $#prefer;
for my $prefer ('Respond-Async', ',,;,=, ,respond-async', 'respond-async; x') {
    is order('hold', Prefer => $prefer)->{headers}{'preference-applied'}, 'respond-async', "Prefer: $prefer";
}
$answer = job($id, Prefer => 'wait=1');
is "$answer->{status} $answer->{data}{state} $answer->{headers}{'preference-applied'}", '200 running wait=1',
    'a client that waits as long as it prefers gets the job\'s state and the applied preference';
($answer) = in_parallel(1, sub { job($id, Prefer => 'wait=60') }, sub { sleep 0.5; $gemini->release });
is "$answer->{status} $answer->{data}{state}", '200 succeeded',
    'a request that waits is answered when the job has ended';
is $agent->get($answer->{data}{image_url})->{status}, 200, 'the finished job has its picture';
is job($id, Prefer => 'wait=20', 'If-None-Match' => $tag)->{status}, 200,
    'a request does not wait for a job that has ended';
is job($id, Prefer => 'wait=20', 'If-None-Match' => $answer->{headers}{etag})->{status}, 304,
    'a request with the ETag of an ended job does not wait';

$gemini->hold;
($answer) = in_parallel(
    1, sub { order('hold', Prefer => 'respond-async, wait=20') },
    sub { $gemini->holds(1); $gemini->release }
);
is "$answer->{status} $answer->{data}{job}{state}", '200 succeeded',
    'a request with a wait time gets a picture that is ready in time';
$gemini->hold;
is order('hold', Prefer => 'respond-async, wait=1')->{status}, 202,
    'a request with a wait time gets the job if the picture is late';
is order('hold', Prefer => 'respond-async, wait=0')->{status}, 202, 'a request with wait=0 gets the job at once';
($answer) = in_parallel(
    1, sub { ask(POST => 'image-generation/generate/', { Prefer => 'wait=1' }, wish(words('hold'))) },
    sub { $gemini->holds(3); sleep 1.5; $gemini->release }
);
is $answer->{status}, 200, 'a request with a wait time only waits for the picture';
is ask(POST => 'image-generation/generate/', { Prefer => 'respond-async' }, wish('', user_id => person('bob')))
    ->{status}, 400, 'invalid asynchronous requests are refused at once';

# A change of state during a wait: from queued to running.
limit('GenerationsAtOnce 1');
forget();
my ($first, $second) = map { order('hold') } 1, 2;
is $second->{data}{state} . $second->{data}{queue_position}, 'queued1', 'the second job is queued when one is allowed';
$tag = job($second->{data}{id})->{headers}{etag};
($answer) = in_parallel(
    1, sub { job($second->{data}{id}, Prefer => 'wait=30', 'If-None-Match' => $tag) },
    sub { $gemini->holds(1); $gemini->release(1) }
);
is "$answer->{status} $answer->{data}{state}", '200 running', 'a request with the ETag of a state gets the next state';
$answer = job($second->{data}{id}, Prefer => 'wait=1', 'If-None-Match' => $answer->{headers}{etag});
is $answer->{status}, 304, 'a request with the ETag of a state gets 304 if the state stays';
$gemini->release;
is job($second->{data}{id}, Prefer => 'wait=30')->{data}{state}, 'succeeded',
    'a request without an ETag waits for the end';

# Queue ---------------------------------------------------------------------------------------------

forget();
limit('GenerationsAtOnce 3', 'GenerationQueue 5');
my @orders = map { order('hold') } 1 .. 8;
is join(' ', map { $_->{status} } @orders), join(' ', (202) x 8), 'three jobs run and five are queued';
is join(' ', map { $_->{data}{state} . ($_->{data}{queue_position} // '') } @orders),
    'running running running queued1 queued2 queued3 queued4 queued5', 'queued jobs have their positions';
my $full = order(100);
like refusal($full),
    qr/^503 generation_queue_full The queue is full: 5 pictures waiting\. Try again in \d+ \w+\.$/,
    'one more job is refused';
like $full->{headers}{'retry-after'}, qr/^\d+$/, 'the refusal has Retry-After';
my $canceled = $orders[6]{data}{id};
is ask(POST => "$list$canceled/cancel/")->{data}{state}, 'canceled', 'a queued job is canceled at once';
is job($orders[7]{data}{id})->{data}{queue_position}, 4, 'the jobs behind a canceled one move up';
$gemini->holds(3);
for my $calls (4 .. 7) {
    $gemini->release(1);
    eventually(sub { asked() == $calls }, 60);
}
is $gemini->most, 3, 'never more than three jobs run';
$gemini->release;
ok all_end(), 'all jobs end';
is states(), '1xcanceled 7xsucceeded', 'all other jobs succeed';
is join(
    ' ',
    $server->sql(
              "SELECT count(*) FROM (SELECT started_at < lag(started_at) OVER (ORDER BY created_at) AS wrong FROM "
            . "generation_jobs WHERE state = 'succeeded') x WHERE wrong"
    )
    ),
    0, 'queued jobs run in their order';
is asked(), 7, 'the provider is asked once for each job';
my ($waited) = in_parallel(
    1, sub { ask(POST => 'image-generation/generate/', {}, wish(words(500)))->{status} },
    sub { order(300) for 1 .. 3 }
);
is $waited, 200, 'a synchronous request waits in the queue, too';

# Limits of a child.
forget();
limit('EngineJobs 1');
my ($most, $serving) = (0, 0);
@orders = map { order(700) } 1 .. 12;
is join(' ', map { $_->{status} } @orders), join(' ', (202) x 12),
    'twelve jobs are accepted when each child may run one';
# (The MPM may start and end children meanwhile.)
eventually(
    sub {
        my $now = count("state = 'running'");
        my @pids = $server->children;
        $most = $now if $now > $most;
        $serving = @pids if @pids > $serving;
        return !under_way();
    },
    120
);
cmp_ok $most, '<=', $serving, 'no child runs more than one job';
is states(), '12xsucceeded', 'all twelve jobs succeed';
limit('EngineMemory 1', 'ReferenceSide 4096');
is order(500)->{status}, 202, 'a job is accepted while the memory limit is reached' for 1 .. 3;
ok all_end(), 'all jobs end in spite of the memory limit';

# Twenty concurrent requests with the same key are one job.
forget();
my @twins = in_parallel(
    20,
    sub {
        my $answer = order('hold', 'Idempotency-Key' => 'twenty');
        return [$answer->{status}, $answer->{data}{id} // $answer->{data}{job}{id}];
    },
    sub { }
);
is join(' ', map { $_->[0] } @twins), join(' ', (202) x 20),
    'twenty concurrent requests with the same key are accepted';
my %jobs = map { $_->[1] => 1 } @twins;
is scalar(keys %jobs), 1, 'they are one job';
$gemini->release;
all_end();
is asked(), 1, 'the job is paid for once';

# The spool is full: the provider is not asked, and the client gets the reason.
forget();
my ($spool) = glob $server->state . '/httpd/*spool*';
my ($owner_of, $group_of) = (stat $spool)[4, 5];
SKIP: {
    skip 'this needs root', 2 if $>;
    chown 0, 0, $spool or die $!;
    my $refused = ask(POST => 'image-generation/generate/', {}, wish(words(100)));
    chown $owner_of, $group_of, $spool or die $!;
    like refusal($refused), qr/^503 spool_down /, 'a generation is refused when the spool cannot be written';
    is asked(), 0, 'the provider is not asked when the picture could not be stored';
}

# A cancel between two attempts, when no request is in progress.
forget();
limit('GeminiRetries 5');
$answer = ask(POST => 'image-generation/generate/', { Prefer => 'respond-async' }, wish('[[scenario:first:4:503]]'));
eventually(sub { asked() >= 2 });
is ask(POST => "$list$answer->{data}{id}/cancel/")->{status}, 202, 'a running job is marked for canceling';
$answer = ended($answer->{data}{id});
is "$answer->{data}{state} $answer->{data}{error}{code} $answer->{data}{error}{billed}",
    'canceled generation_canceled 0', 'a job that waits for its next attempt ends without it';

# Waiting requests, one thread each ------------------------------------------------------------------------------------

forget();
is $server->reload($children =~ s/ParkRequests on/ParkRequests off/r =~ s/MaxWaiting 12/MaxWaiting 1/r =~
        s/StartServers 2/StartServers 1/r =~ s/ServerLimit 8/ServerLimit 1/r =~
        s/MaxRequestWorkers 128/MaxRequestWorkers 16/r), '', 'one request may wait';
my @refused;
my ($one) = in_parallel(
    1,
    sub { ask(POST => 'image-generation/generate/', {}, wish(words('hold')))->{status} },
    sub {
        $gemini->holds(1);
        my $other = ask(POST => 'image-generation/generate/', {}, wish(words(10)));
        push @refused, refusal($other), $other->{headers}{'retry-after'};
        my ($running) = $server->sql("SELECT id FROM generation_jobs WHERE state = 'running'");
        my $now = job($running, Prefer => 'wait=30');
        push @refused, "$now->{status} $now->{data}{state} " . ($now->{headers}{'preference-applied'} // 'not applied');
        push @refused, order(10)->{status};
        $gemini->release;
    }
);
is $one, 200, 'the waiting request gets its picture';
is $refused[0],
    '503 generations_busy Too many requests are waiting for a picture. Try again in a moment, or send "Prefer: '
    . 'respond-async".',
    'another waiting request is refused';
is $refused[1], 15, 'the refusal has Retry-After';
is $refused[2], '200 running not applied', 'a request that would wait for a job gets its state at once';
is $refused[3], 202, 'an asynchronous request is accepted';

# Graceful restart with many jobs in progress -------------------------------------------------------------

forget();
is $server->reload($children), '', 'many requests may wait again';
my %old = map { $_ => 1 } $server->children;
my @statuses = map { $_->{status} } map { order('hold') } 1 .. 200;
is scalar(grep { $_ == 202 } @statuses), 200, 'two hundred jobs are accepted';
is under_way(), 200, 'two hundred jobs are in progress';
my @waiting = in_parallel(
    8,
    sub { ask(POST => 'image-generation/generate/', {}, wish(words('hold')))->{status} },
    sub {
        eventually(sub { under_way() == 208 }, 60);
        $server->script(serve => 'reload');
        $gemini->release;
    }
);
is "@waiting", join(' ', (200) x 8), 'after a graceful restart waiting requests get their pictures';
ok all_end(), 'after a graceful restart all jobs end';
is states(), '208xsucceeded', 'all 208 jobs succeed';
is asked(), 208, 'no job is paid for twice';
ok eventually(
    sub {
        !grep { $old{$_} } $server->children;
    },
    60
    ),
    'the old children have exited';

# A child is killed --------------------------------------------------------------------------------------

forget();
order('hold') for 1 .. 40;
$gemini->holds(40);
my @victims = $server->children;
kill KILL => $victims[0];
$gemini->release;
ok all_end(), 'after a child is killed all jobs end';
is states(), '40xsucceeded', 'the jobs of the dead child succeed in another one';
is join(' ', $server->sql('SELECT max(attempts) FROM generation_jobs')), 2,
    'the jobs of the dead child have two attempts';
cmp_ok count('attempts = 2'), '>', 0, 'some jobs have two attempts';
is asked(), 40 + count('attempts = 2'), 'only the jobs of the dead child are paid for twice';

# The response had arrived when the child died.
for my $point ('generate.answered', 'generate.made', 'picture.stored', 'generate.kept') {
    forget();
    $faults->order("$point 1 exit");
    $answer = order(50);
    ok eventually(sub { $faults->has_fired }, 60), "a child dies at $point";
    $faults->fired;
    $answer = ended($answer->{data}{id});
    is "$answer->{status} $answer->{data}{state}", '200 succeeded', "$point: another child stores the picture";
    is asked(), 1, "$point: the picture is paid for once";
}
# All of httpd is killed -----------------------------------------------------------------------------------

forget();
order('hold') for 1 .. 20;
$gemini->holds(20);
chomp(my $parent = slurp($server->state . '/httpd/httpd.pid'));
kill KILL => $parent, $server->children;
$gemini->release;
$server->stop->start;
ok all_end(), 'after httpd is killed and started again all jobs end';
is states(), '20xsucceeded', 'all 20 jobs succeed';
cmp_ok asked(), '<=', 40, 'each job made at most two calls';

# The number of attempts is limited.
forget();
$faults->order('generate.made always exit');
$server->sql("UPDATE generation_jobs SET attempts = 0");
$answer = ask(POST => 'image-generation/generate/', { Prefer => 'respond-async' }, wish('[[scenario:first:3:503]]'));
$answer = ended($answer->{data}{id});
$faults->order('');
cmp_ok scalar(my @deaths = $faults->fired), '>', 1, 'processes that make a job die again and again';
is "$answer->{data}{state} $answer->{data}{error}{code} $answer->{data}{attempts}", 'failed lost 3',
    'a job that repeatedly kills its process fails as lost';

# PostgreSQL is down ---------------------------------------------------------------------------------------

forget();
order('hold') for 1 .. 30;
$gemini->holds(30);
$server->script(cluster => 'stop');
$gemini->release;
sleep($ENV{IIMG_LONG} ? 20 : 6);
$server->script(cluster => 'start');
ok all_end(), 'after the database was down when the pictures arrived all jobs end';
is states(), '30xsucceeded', 'all 30 jobs succeed';
is asked(), 30, 'no job is paid for twice';
$server->forget_log;

# Two servers ------------------------------------------------------------------------------------------------

forget();
my %place = map { /^(?:export )?(PG\w+)='?([^';]+)/ ? ($1 => $2) : () } split /[\n;] */,
    $server->script(cluster => 'env');
my $two = IdentityImg::Server->new(
    'engine-two', env => {%provider},
    conf =>
        qq{DBDParams "host=$place{PGHOST} port=$place{PGPORT} dbname=identityimg user=identityimg connect_timeout=2 }
        . qq{options='-c statement_timeout=5000 -c timezone=UTC'"\n}
        . 'IdentityImgStorageRoot "'
        . $server->state
        . qq{/pictures"\n}
)->start;
{
    local $base = $two->base;
    order('hold') for 1 .. 10;
    $gemini->holds(10);
    is order(100)->{status}, 202, 'another server on the same database takes jobs';
}
chomp($parent = slurp($two->state . '/httpd/httpd.pid'));
kill KILL => $parent, $two->children;
my $left = count("state = 'running'");
cmp_ok $left, '>', 5, 'the other server is killed while it runs jobs';
is count("state = 'running' AND lease_expires_at < now()"), 0, 'its leases have not expired yet';
$server->sql("UPDATE generation_jobs SET lease_expires_at = now() - interval '2 minutes' WHERE state = 'running'");
$gemini->release;
ok all_end(), 'the first server finishes the jobs of the killed one';
is states(), '11xsucceeded', 'all 11 jobs succeed';
is count('attempts = 2'), $left, 'these jobs have two attempts';
$two->stop;

ok eventually(sub { !(() = glob $server->state . '/httpd/*spool*/*.reply') }, 120), 'no spooled responses are left';

$server->judge(
    qr/\[dbd:error\]/, qr/AH00501|AH0005[12]|AH10159|AH03490|AH00045|AH00046/,
    qr/IIMG0(?:105|117|112|113|003)/
);
finish();
1;
