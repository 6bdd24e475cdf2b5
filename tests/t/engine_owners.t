# engine_owners.t - generations with two owners: which lease counts, for which node, and what a process may still
# do to a job whose lease it lost. Rows in SQL simulate other processes and nodes; no test waits for a lease.
# Runs beside others.
use strict;
use warnings;
use utf8;
use File::Glob ':bsd_glob';
use IdentityImg::Gemini;
use IdentityImg::Server qw(eventually);
use IdentityImg::Test;
use Test::More;

my $list = 'image-generation/jobs/';
my $gemini = IdentityImg::Gemini->new;
my $children = "StartServers 1\nServerLimit 8\nMinSpareThreads 1\nMaxSpareThreads 100\n";
my $server = IdentityImg::Server->new('engine-owners', env => { $gemini->environment }, conf => $children)->start;
my @there = (as => 'admin', base => $server->base);
is call(
    POST => 'reference-images/', as => 'alice', base => $server->base, headers => [Connection => 'close'],
    parts => [image => [make_jpeg(64, 48)]]
)->code, 201, 'a photo is uploaded';

my $number = 0;

sub order {
    my ($scenario) = @_;
    return call(
        POST => 'image-generation/generate/', @there, headers => [Connection => 'close', Prefer => 'respond-async'],
        json => {
            identity_id => identity_of('full'), user_id => person('alice'), aspect_ratio => '1:1', resolution => '1K',
            additional_prompt => "[[scenario:$scenario]] " . $number++
        }
    );
}

sub ordered {
    my $answer = order(@_);
    is $answer->code, 202, "a generation is accepted (@_)";
    return json($answer)->{id};
}
sub row { my ($id, $columns) = @_; return ($server->sql("SELECT $columns FROM generation_jobs WHERE id = '$id'"))[0] }
sub change { my ($id, $set) = @_; $server->sql("UPDATE generation_jobs SET $set WHERE id = '$id'"); return }

sub forget {
    $gemini->release;
    eventually(sub {
        my %own = map { $_ => 1 } own_names();
        !grep { $own{$_} }
            $server->sql("SELECT owner FROM generation_jobs WHERE state = 'running' AND prompt_used <> ''");
    });
    $server->sql('DELETE FROM generation_jobs');
    $gemini->forget;
    $gemini->hold;
    return;
}

# Create jobs in one statement: [STATE, OWNER, seconds until the lease expires, or undef]. Returns their ids.
sub rows {
    my @values = map {
        my ($state, $owner, $seconds) = @$_;
        "('$state', "
            . (defined $owner ? "'$owner'" : 'NULL') . ', '
            . (defined $seconds ? "now() + interval '$seconds seconds'" : 'NULL') . ', '
            . ($state eq 'running' ? '1, now()' : '0, NULL')
            . ", '', 'gemini', 'm', '1:1', '1K', '{}')"
    } @_;
    return $server->sql(
        'INSERT INTO generation_jobs (state, owner, lease_expires_at, attempts, started_at, prompt_used, generator, '
            . 'model, aspect_ratio, resolution, reference_image_ids) VALUES '
            . join(', ', @values)
            . ' RETURNING id');
}
my ($spool) = glob $server->state . '/httpd/*spool*';

sub own_names {
    return map { slurp($_) } glob "$spool/*.alive";
}
my ($node) = (own_names())[0] =~ m{^([^/]+)/} or die 'no process has a name';

# Which jobs are claimed -------------------------------------------------------------------------------

# A job without a user ends as soon as it is claimed. All rows exist before the first poll, and one statement
# claims all eligible jobs.
my @cases = (
    ['running', "$node/1/dead", -1, 'taken', 'a job of this node, one second after its lease'],
    ['running', "$node/1/alive", 3600, 'left', 'a job of this node within its lease'],
    ['running', 'elsewhere/1/dead', -61, 'taken', 'a job of another node, 61 seconds after its lease'],
    ['running', 'elsewhere/1/away', -40, 'left', 'a job of another node, 40 seconds after its lease'],
    ['running', 'elsewhere/1/alive', 3600, 'left', 'a job of another node within its lease'],
    ['running', "$node-two/1/away", -40, 'left', "a job of a node whose name begins like this node's"],
    [
        'running', substr($node, 0, -1) . '/1/away', -40, 'left',
        'a job of a node whose name is a prefix of this one'
    ],
    ['running', (own_names())[0], -100, 'left', "the process's own job, whose lease was not renewed in time"],
    ['queued', undef, undef, 'taken', 'a queued job'],
    ['queued', undef, -1, 'taken', 'a queued job whose claim has expired'],
    ['queued', undef, 3600, 'left', 'a queued job that another process is claiming'],
);
my @ids = rows(map { [@$_[0 .. 2]] } @cases);
my @taken = map { "'$ids[$_]'" } grep { $cases[$_][3] eq 'taken' } 0 .. $#cases;
ok eventually(sub {
    ($server->sql(
        'SELECT count(*) FROM generation_jobs WHERE id IN (' . join(',', @taken) . ") AND state = 'failed'"
    ))[0] == @taken;
    }),
    'all eligible jobs are claimed';
for my $n (0 .. $#cases) {
    my ($state, $owner, undef, $expected, $what) = @{ $cases[$n] };
    my $attempts = $state eq 'running' ? 1 : 0;
    is row($ids[$n], 'state, attempts, owner'),
        $expected eq 'taken' ? 'failed|' . ($attempts + 1) . '|' : "$state|$attempts|" . ($owner // ''),
        "$what is $expected";
}
forget();

# Only its owner renews a lease ----------------------------------------------------------------------------

my $own = ordered('hold');
ok $gemini->holds(1), 'the provider has the request';
my ($foreign, $neighbor) = rows(['running', 'elsewhere/1/alive', 1800], ['running', "$node/1/alive", 1800]);
my %before = map { $_ => row($_, 'lease_expires_at') } $foreign, $neighbor;
change($own, "lease_expires_at = now() + interval '20 seconds'");
ok eventually(sub { row($own, "lease_expires_at > now() + interval '30 seconds'") eq 't' }, 60),
    'a process renews the lease of its own job';
is row($_, 'lease_expires_at'), $before{$_}, 'a process renews no other lease' for $foreign, $neighbor;
forget();

# A process that lost its lease ------------------------------------------------------------------------

my @lost = (
    [
        'hold:status:400', "owner = 'elsewhere/1/new'", 'running|elsewhere/1/new|',
        "after the lease is lost a failure does not end the new owner's job"
    ],
    [
        'hold:refused:IMAGE_SAFETY', "owner = 'elsewhere/1/new'", 'running|elsewhere/1/new|',
        "after the lease is lost a refusal does not end the new owner's job"
    ],
    [
        'hold:not-a-picture', "owner = 'elsewhere/1/new'", 'running|elsewhere/1/new|',
        "after the lease is lost a response without a picture does not end the new owner's job"
    ],
    [
        'hold:status:400', "owner = 'elsewhere/1/new', cancel_requested_at = now()", 'running|elsewhere/1/new|',
        "after the lease is lost a requested cancel does not end the new owner's job"
    ],
    [
        'hold:status:400',
        "owner = NULL, lease_expires_at = NULL, state = 'failed', finished_at = now(), error_code = 'lost'",
        'failed||lost', 'a failure does not replace the error of a job that has ended'
    ],
    [
        'hold', "owner = 'elsewhere/1/new'", 'succeeded||',
        'a picture completes the job of the process that lost its lease'
    ],
    [
        'hold', "owner = NULL, lease_expires_at = NULL, state = 'failed', finished_at = now(), error_code = 'lost'",
        'succeeded||', 'a picture completes a job that was given up as lost'
    ],
    [
        'hold', "owner = NULL, lease_expires_at = NULL, state = 'failed', finished_at = now(), error_code = 'timeout'",
        'failed||timeout', 'a picture does not complete a job that failed for another reason'
    ],
    [
        'hold', "owner = NULL, lease_expires_at = NULL, state = 'canceled', finished_at = now()", 'canceled||',
        'a picture does not complete a canceled job'
    ],
);
my @held = map { ordered($_->[0]) } @lost;
ok $gemini->holds(scalar @lost), 'the provider has all requests';
change($held[$_], $lost[$_][1] =~ /lease/ ? $lost[$_][1] : "lease_expires_at = now() + interval '1 hour', $lost[$_][1]")
    for 0 .. $#lost;
my $answer = "$spool/$held[0].reply";
open my $file, '>', $answer or die $!;
print $file 'what the new owner received';
close $file;
$gemini->release;
is $server->reload, '', 'the process ends gracefully, and all its jobs with it';
is row($held[$_], 'state, owner, error_code'), $lost[$_][2], $lost[$_][3] for 0 .. $#lost;
is slurp($answer), 'what the new owner received', 'the spooled response of the new owner stays';
unlink $answer;
is join(' ', $server->sql("SELECT count(*) FROM generation_jobs WHERE image IS NOT NULL")), 2,
    'two jobs have their pictures';
is join(
    ' ',
    $server->sql("SELECT count(*) FROM stored_objects WHERE key LIKE 'generated_images/%' AND state = 'live'")
    ),
    2,
    'no other generated picture is live';
is join(' ', $server->sql("SELECT count(*) FROM stored_objects WHERE state = 'pending'")), 0, 'no object is pending';
forget();

# Spooled responses -----------------------------------------------------------------------------------------

# A spooled response of another process is used, whatever it is. The provider is not asked again.
my ($adopted, $claimed) = rows(['queued', undef, 3600], ['running', 'elsewhere/1/alive', 3600]);
my $unknown = '00000000-0000-4000-8000-00000000abcd';
for my $id ($adopted, $claimed, $unknown) {
    open my $reply, '>', "$spool/$id.reply" or die $!;
    print $reply '{"candidates": []}';
    close $reply;
}
$gemini->forget;
change($adopted, 'lease_expires_at = NULL');
ok eventually(sub { row($adopted, 'state') eq 'failed' }, 60), 'a job with a spooled response is claimed';
is row($adopted, 'error_code'), 'no_image', 'the job fails with the spooled response';
is $gemini->asked, 0, 'the provider is not asked again';
ok !-e "$spool/$adopted.reply", 'the spooled response is removed';
ok eventually(sub { !-e "$spool/$unknown.reply" }, 90),
    'a spooled response without a job in the database is removed';
ok -e "$spool/$claimed.reply", "the spooled response of another process's running job stays";
unlink "$spool/$claimed.reply";
forget();

# Pictures that a process had to save to their identities --------------------------------------------------

my @identities = $server->sql('SELECT id FROM identities ORDER BY id LIMIT 4');
is scalar @identities, 4, 'there are four identities';
my @unsaved = map { ordered('ok') } 1 .. 5;
ok eventually(
    sub {
        !grep { row($_, 'state') ne 'succeeded' } @unsaved;
    },
    120
    ),
    'five pictures are unsaved';
my @ages = ('3 minutes', '1 minute', '11 minutes', '3 minutes', '2 minutes');
$server->sql(
    'BEGIN; ' . join(
        ' ',
        map {
                  "UPDATE generation_jobs SET save_to_identity = true, identity_id = '$identities[$_ < 3 ? $_ : 3]', "
                . "finished_at = now() - interval '$ages[$_]', saved_at = "
                . ($_ == 4 ? 'now()' : 'NULL')
                . " WHERE id = '$unsaved[$_]';"
        } 0 .. 4
        )
        . ' COMMIT'
);
ok eventually(sub { row($unsaved[0], 'saved_at IS NOT NULL') eq 't' }, 90),
    'a picture that its process did not save within two minutes is saved by another process';
is row($unsaved[1], 'saved_at IS NULL'), 't', 'a picture that is a minute old is left to its process';
is row($unsaved[2], 'saved_at IS NULL'), 't', 'a picture that is older than ten minutes is not saved';
is row($unsaved[3], 'saved_at IS NULL'), 't', 'a picture is not saved over a later one';
is join(
    '',
    $server->sql(
        "SELECT count(*) FROM identities WHERE id IN ('$identities[1]', '$identities[2]', '$identities[3]') AND image "
            . "IS NOT NULL"
    )
    ),
    0, 'the identities of the unsaved pictures are unchanged';
forget();

# Limits across nodes ------------------------------------------------------------------------------------

# The state of a new job: [rows of other running and queued jobs, GenerationsAtOnce, GenerationQueue, its state].
for my $case (
    [1, 1, 2, 5, 'queued', 'one slot is free and one job waits: the new one waits behind it'],
    [1, 1, 3, 5, 'running', 'two slots are free and one job waits: the new one runs'],
    [1, 0, 2, 5, 'running', 'one slot is free and no job is queued: the new job runs'],
    [2, 0, 2, 5, 'queued', 'no slot is free: the new job is queued'],
    [2, 1, 2, 2, 'queued', 'one place in the queue is left: the new job is queued'],
    [2, 2, 2, 2, 'generation_queue_full', 'no place in the queue is left: the new job is refused'],
    [0, 2, 2, 2, 'generation_queue_full', 'the queue is full, but all slots are free: the new job is refused'],
) {
    my ($running, $queued, $at_once, $queue, $expected, $what) = @$case;
    is $server->reload($children . "IdentityImgGenerationsAtOnce $at_once\nIdentityImgGenerationQueue $queue\n"), '',
        "limits of $at_once concurrent and $queue queued generations are accepted";
    rows((map { ['running', 'elsewhere/1/alive', 3600] } 1 .. $running), map { ['queued', undef, 3600] } 1 .. $queued)
        if $running + $queued;
    my $made = json(order('hold'));
    is $made->{state} // $made->{code}, $expected, $what;
    forget();
}

# A job canceled before it was billed does not count against the daily limit. A job that may have been billed does.
is $server->reload($children . "IdentityImgGenerationsPerDay 1\n"), '', 'a daily limit of one is accepted';
for my $case (
    ["state = 'canceled', attempts = 0, error_billed = NULL", 202, 'canceled while it was queued'],
    ["state = 'canceled', attempts = 1, error_billed = false", 202, 'canceled before the provider was asked'],
    ["state = 'canceled', attempts = 1, error_billed = NULL", 429, 'canceled and possibly billed'],
    ["state = 'canceled', attempts = 1, error_billed = false, image = 'x'", 429, 'canceled with its picture'],
    ["state = 'failed', attempts = 0, error_billed = NULL", 202, 'failed without an attempt'],
    ["state = 'failed', attempts = 1, error_billed = false", 202, 'failed and was not billed'],
    ["state = 'failed', attempts = 1, error_billed = true", 429, 'failed and was billed'],
    ["state = 'failed', attempts = 1, error_billed = NULL", 429, 'failed and possibly billed'],
) {
    my ($set, $expected, $what) = @$case;
    my ($id) = rows(['running', 'elsewhere/1/x', 3600]);
    change(
        $id,
        "requested_by = '" . person('admin') . "', owner = NULL, lease_expires_at = NULL, finished_at = now(), $set"
    );
    is order('ok')->code, $expected,
        "a job of today that was $what " . ($expected == 202 ? 'does not count' : 'counts');
    forget();
}

# Whether a failure was billed: no after a refusal, unknown if the provider may have generated the picture.
is $server->reload($children . "IdentityImgGeminiRetries 0\n"), '', 'retries are off';
my @failures = (
    ['status:400', 'f'], ['status:429', 'f'], ['status:503', 'f'], ['status:408', ''], ['status:504', ''],
    ['reset', ''], ['short-body', '']
);
my @failed = map { ordered($_->[0]) } @failures;
ok eventually(
    sub {
        !grep { row($_, 'state') ne 'failed' } @failed;
    },
    60
    ),
    'each of these generations fails';
is row($failed[$_], 'error_billed') // '', $failures[$_][1],
    "$failures[$_][0]: " . ($failures[$_][1] ? 'not billed' : 'unknown whether it was billed') for 0 .. $#failures;
forget();

# An expired lease of another node, which may still come back, takes no slot from queued jobs.
is $server->reload($children . "IdentityImgGenerationsAtOnce 1\nIdentityImgGenerationQueue 5\n"), '',
    'one concurrent generation is allowed';
my ($away, $waiting) = rows(['running', 'elsewhere/1/away', -5], ['queued', undef, undef]);
ok eventually(sub { row($waiting, 'state') eq 'failed' }, 40),
    'a queued job runs while the lease of another node has expired';
is row($away, 'state, attempts'), 'running|1', 'the job of the other node is left to it for a while';

$server->judge(qr/IIMG0(?:114|117)/);
finish();
