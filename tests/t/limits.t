# limits.t - limits of generations: concurrent, concurrent and daily per user, and by cost. They are counted in the
# database and hold for all servers together, under any concurrency.
# Runs beside others.
use strict;
use warnings;
use utf8;
use IdentityImg::Admin;
use IdentityImg::Gemini;
use IdentityImg::Server qw(in_parallel eventually);
use IdentityImg::Test;
use HTTP::Tiny;
use JSON::PP ();
use Test::More;

my $json = JSON::PP->new->utf8;
my $gemini = IdentityImg::Gemini->new;

# Two servers on one database: the second one uses the first one's cluster.
my $one = IdentityImg::Server->new('limits', env => { $gemini->environment })->start;
my ($cluster) = map { /^(?:export )?PGHOST='?([^';]+)/ ? $1 : () } split /[\n;] */, $one->script(cluster => 'env');
my ($port) = map { /^(?:export )?PGPORT='?([^';]+)/ ? $1 : () } split /[\n;] */, $one->script(cluster => 'env');
my $shared =
      qq{DBDParams "host=$cluster}
    . ($port ? " port=$port" : '')
    . qq{ dbname=identityimg user=identityimg connect_timeout=2 options='-c statement_timeout=5000 -c timezone=UTC'"\n};
$shared .= 'IdentityImgStorageRoot "' . $one->state . qq{/pictures"\n};
my $two = IdentityImg::Server->new('limits-two', env => { $gemini->environment }, conf => $shared)->start;
my @servers = ($one, $two);

sub limit {
    my (@directives) = @_;
    my $conf = join '', map { "IdentityImg$_\n" } @directives;
    in_parallel(2, sub { my ($n) = @_; $servers[$n]->reload($n ? $shared . $conf : $conf) });
    return;
}

# Another admin; both have one photo.
$one->sql("UPDATE users SET is_staff = true WHERE id = '" . person('bob') . "'");
is call(
    POST => 'reference-images/', as => 'alice', base => $one->base, headers => [Connection => 'close'],
    parts => [image => [make_jpeg(64, 48)]]
)->code, 201, 'a photo is uploaded';

# A generation: [status, Retry-After, data]. It may run in a child process. With held => 1 the provider answers
# when the test releases it.
sub ask {
    my ($server, $who, %more) = @_;
    my $held = delete $more{held};
    my $body = {
        identity_id => identity_of('full'), user_id => person('alice'), aspect_ratio => '1:1', resolution => '1K',
        additional_prompt => $held ? '[[scenario:hold]]' : '', %more
    };
    my $answer = HTTP::Tiny->new(keep_alive => 0, timeout => 100)->request(
        POST => $server->base . '/api/v1/image-generation/generate/',
        {
            headers => { Authorization => login($who), 'Content-Type' => 'application/json' },
            content => $json->encode($body)
        }
    );
    return [
        $answer->{status}, $answer->{headers}{'retry-after'},
        eval { $json->decode($answer->{content}) } // { detail => $answer->{content} }
    ];
}
sub said { my ($answer) = @_; return join ' ', $answer->[0], $answer->[2]{code} // (), $answer->[2]{detail} // () }
sub forget { $one->sql('DELETE FROM generation_jobs'); return }

sub count {
    my ($where) = @_;
    return ($one->sql('SELECT count(*) FROM generation_jobs' . ($where ? " WHERE $where" : '')))[0];
}

# COUNT concurrent requests, alternating between both servers. TAKEN of them should be in progress until all others
# have their responses. Returns the sorted statuses, and how many were in progress then.
sub at_once_by {
    my ($count, $taken, @who) = @_;
    my ($file, $most) = ("$ENV{IIMG_WORK}/limits-answered", 0);
    unlink $file;
    $gemini->hold;
    my @answers = in_parallel(
        $count,
        sub {
            my ($n) = @_;
            my $answer = ask($servers[$n % 2], $who[$n % @who], held => 1);
            open my $answered, '>>', $file or die $!;
            syswrite $answered, '.';
            return $answer;
        },
        sub {
            $gemini->holds($taken);
            eventually(sub { (-s $file // 0) >= $count - $taken });
            $most = count("state IN ('queued', 'running')");
            $gemini->release;
        }
    );
    return (join(' ', map { "$_->[1]x$_->[0]" } counted(map { $_->[0] } @answers)), $most, @answers);
}

sub counted {
    my %n;
    $n{$_}++ for @_;
    return map { [$_, $n{$_}] } sort keys %n;
}

# Without limits every generation runs.
is((ask($two, 'admin'))->[0], 200, "the second server uses the first one's database");
is count(), 1, 'the job is in the shared database';
forget();

# Concurrent generations ----------------------------------------------------------------------------

limit('GenerationsAtOnce 3', 'GenerationQueue 0');
my ($statuses, $most, @answers) = at_once_by(10, 3, 'admin', 'bob');
is $statuses, '3x200 7x429', 'three of ten concurrent generations at two servers are accepted';
is $most, 3, 'exactly three are in progress';
is count(), 3, 'refused generations create no jobs';
my ($refused) = grep { $_->[0] == 429 } @answers;
like said($refused),
    qr/^429 generations_at_once Limit reached: 3 pictures being generated\. Try again in \d+ seconds\.$/,
    'the refusal has the reason';
like $refused->[1], qr/^([1-9]|[12]\d|30)$/, 'Retry-After is at most half a minute without statistics';
is((ask($one, 'admin'))->[0], 200, 'a generation is accepted after one has ended');
$gemini->hold;
my ($slow) = in_parallel(
    1,
    sub { ask($one, 'bob', held => 1) },
    sub {
        $gemini->holds(1) or die 'no job is running';
        $one->sql(
            "UPDATE generation_jobs SET state = 'succeeded', image = 'x', finished_at = started_at + interval '100 "
                . "seconds' WHERE state <> 'running'");
        $one->sql(
            "INSERT INTO generation_jobs (state, owner, lease_expires_at, started_at, prompt_used, generator, model, "
                . "aspect_ratio, resolution, reference_image_ids, attempts)"
                . " SELECT 'running', 'x', now() + interval '1 hour', now() - interval '30 seconds', '', 'gemini', "
                . "'m', '1:1', '1K', '{}', 1 FROM generate_series(1, 2)");
        my $answer = ask($two, 'bob');
        is $answer->[0], 429, 'jobs of other nodes count';
        cmp_ok abs($answer->[1] - 70), '<=', 20,
            'Retry-After is the duration of recent pictures less the elapsed time';
        like said($answer), qr/Try again in (?:\d+ seconds|[12] minutes)\.$/, 'the sentence has the time, too';
        $one->sql("UPDATE generation_jobs SET lease_expires_at = now() - interval '1 second' WHERE owner = 'x'");
        is((ask($two, 'bob'))->[0], 200, 'jobs of dead processes do not count');
        $gemini->release;
    }
);
is $slow->[0], 200, 'the running generation succeeds';
forget();

limit('GenerationsPerUser 2');
($statuses, $most, @answers) = at_once_by(8, 4, 'admin', 'admin', 'bob', 'bob');
is $statuses, '4x200 4x429', 'two users have two generations each';
is $most, 4, 'the limit per user applies concurrently';
is count("requested_by = '" . person('bob') . "'"), 2, 'the limit per user applies to both servers together';
($refused) = grep { $_->[0] == 429 } @answers;
like said($refused),
    qr/^429 user_generations_at_once Limit reached: 2 pictures being generated for you\. Try again in \d+ seconds\.$/,
    'the refusal names the limit per user';
forget();

# Daily limit -----------------------------------------------------------------------------------------

limit('GenerationsPerDay 3');
($statuses) = at_once_by(8, 3, 'admin');
is $statuses, '3x200 5x429', 'one user may have three generations a day';
is((ask($one, 'bob'))->[0], 200, 'another user has a separate daily limit');
$one->sql(
    "UPDATE generation_jobs SET created_at = now() - interval '20 hours' - n * interval '1 hour' FROM (SELECT id, "
        . "row_number() OVER (ORDER BY id) AS n FROM generation_jobs WHERE requested_by = '"
        . person('admin')
        . "') x WHERE x.id = generation_jobs.id");
my $answer = ask($two, 'admin');
is said($answer),
    '429 user_generations_per_day Daily limit reached: 3 pictures in 24 hours. Try again in 60 minutes.',
    'the refusal has the daily limit and the time';
cmp_ok abs($answer->[1] - 3600), '<=', 20, 'Retry-After is the time until the oldest is a day old';
$one->sql("UPDATE generation_jobs SET created_at = created_at - interval '61 minutes'");
is((ask($one, 'admin'))->[0], 200, 'a generation is accepted when the oldest is a day old');
is((ask($one, 'admin'))->[0], 429, 'one');
$one->sql(
    "UPDATE generation_jobs SET state = 'failed', image = NULL, error_code = 'provider_down', error_billed = false "
        . "WHERE id = (SELECT id FROM generation_jobs WHERE requested_by = '"
        . person('admin')
        . "' ORDER BY created_at DESC LIMIT 1)");
is((ask($one, 'admin'))->[0], 200, 'failed generations that were not billed do not count');
$one->sql(
    "UPDATE generation_jobs SET state = 'failed', image = NULL, error_code = 'timeout', error_billed = NULL WHERE id = "
        . "(SELECT id FROM generation_jobs WHERE requested_by = '"
        . person('admin')
        . "' ORDER BY created_at DESC LIMIT 1)");
is((ask($one, 'admin'))->[0], 429, 'failed generations that may have been billed count');
forget();

# Budget ------------------------------------------------------------------------------------------------

limit('GenerationBudget 1', 'GenerationCost 0.30');
($statuses) = at_once_by(8, 3, 'admin', 'bob');
is $statuses, '3x200 5x429', 'a budget of a dollar allows three pictures at thirty cents, for all users together';
is join(' ', $one->sql('SELECT DISTINCT expected_cost FROM generation_jobs')), '0.300000',
    'the jobs have the expected cost';
$one->sql("UPDATE generation_jobs SET cost = 0.05");
is((ask($two, 'admin'))->[0], 200, 'the actual cost replaces the expected cost');
$one->sql("UPDATE generation_jobs SET cost = 0.40, created_at = now() - interval '23 hours' WHERE cost IS NOT NULL");
$answer = ask($one, 'admin');
is said($answer),
    '429 generation_budget Budget reached: $1 in 24 hours, including pictures in progress. Try '
    . 'again in 60 minutes.',
    'the refusal has the budget and the time';
cmp_ok abs($answer->[1] - 3600), '<=', 20, 'Retry-After is the time until enough of the budget is free';
$one->sql("UPDATE generation_jobs SET cost = NULL, expected_cost = 0");
is((ask($one, 'admin'))->[0], 200, 'generations without cost use no budget');
forget();
limit('GenerationBudget 0.10', 'GenerationCost 0.30');
$answer = ask($one, 'admin');
is said($answer),
    '429 generation_budget This picture is expected to cost more than the budget, $0.10 in 24 hours. Ask the operator '
    . 'to raise it.',
    'a budget smaller than one picture is reported';
is $answer->[1], 86400, 'the refusal has Retry-After';
# To the cent, without errors of binary fractions.
for my $case (
    # budget  cost of a picture     spent before       statuses
    ['0.30', ['GenerationCost 0.30'], [], '200 429', 'a picture that costs the whole budget is allowed'],
    ['0.29', ['GenerationCost 0.30'], [], '429', 'a picture that costs a cent more is refused'],
    ['0.30', ['GenerationCost 0.10'], [], '200 200 200 429', 'three pictures at ten cents fit into thirty'],
    ['0.29', ['GenerationCost 0.10'], [], '200 200 429', 'two pictures at ten cents fit into twenty-nine'],
    ['0.30', ['GenerationCost 0.20'], ['0.1'], '200 429', 'a tenth and two tenths are three tenths'],
    ['0.30', ['GenerationCost 0.20'], ['0.1', '0.01'], '429', 'a cent over three tenths is refused'],
    ['0.8', ['GenerationCost 0.1'], ['0.7'], '200 429', 'seven tenths and one tenth are eight tenths'],
    [
        '1.10', ['GenerationCost 9', 'GeminiPrice gemini-3-pro-image 1K 0.55'], [], '200 200 429',
        'a known price replaces the expected cost, to the cent'
    ],
    [
        '1.09', ['GenerationCost 9', 'GeminiPrice gemini-3-pro-image 1K 0.55'], [], '200 429',
        'a cent too little is refused'
    ],
) {
    my ($budget, $cost, $spent, $statuses, $what) = @$case;
    forget();
    $one->sql("INSERT INTO generation_jobs (state, prompt_used, generator, model, aspect_ratio, resolution, "
            . "reference_image_ids, attempts, created_at, started_at, finished_at, cost)"
            . " VALUES ('succeeded', '', 'gemini', 'm', '1:1', '1K', '{}', 1, now(), now(), now(), $_)")
        for @$spent;
    limit("GenerationBudget $budget", @$cost);
    is join(' ', map { (ask($one, 'admin'))->[0] } split ' ', $statuses), $statuses, "a budget of \$$budget: $what";
}
forget();
limit('GenerationBudget 0.10', 'GenerationCost 0.30', 'Generator preview');
is((ask($one, 'admin'))->[0], 200, 'a preview costs nothing');

# The key is free again, so the request can be repeated later.
limit('GenerationsPerDay 1');
$answer = call(
    POST => 'image-generation/generate/', as => 'admin', base => $one->base,
    headers => [Connection => 'close', 'Idempotency-Key' => 'later'],
    json => { identity_id => identity_of('full'), user_id => person('alice'), resolution => '1K' }
);
is refusal($answer),
    '429 user_generations_per_day Daily limit reached: 1 picture in 24 hours. Try again in 24 hours.',
    'a request over the daily limit is refused';
like $answer->header('Retry-After'), qr/^86[34]\d\d$/, 'the refusal has Retry-After';
forget();
is call(
    POST => 'image-generation/generate/', as => 'admin', base => $one->base,
    headers => [Connection => 'close', 'Idempotency-Key' => 'later'],
    json => { identity_id => identity_of('full'), user_id => person('alice'), resolution => '1K' }
    )->code, 200,
    'the same request with its key succeeds later';
$_->judge for @servers;
finish();
