# jobs.t - the history of generations, single jobs, canceling, and saving a past result.
use strict;
use warnings;
use utf8;
use IdentityImg::Admin;
use IdentityImg::Server qw(in_parallel eventually);
use IdentityImg::Gemini;
use IdentityImg::Test;
use HTTP::Tiny;
use JSON::PP ();
use Test::More;

fresh_data();

my $list = 'image-generation/jobs/';
my $nowhere = '00000000-0000-4000-8000-0000000009ff';
my ($full, $bare) = map { identity_of($_) } qw(full bare);
my ($admin, $alice) = map { person($_) } qw(admin alice);
my $true = JSON::PP::true;
sub get { my ($path, @more) = @_; return call(GET => $path, as => 'admin', @more) }
sub post { my ($path, @more) = @_; return call(POST => $path, as => 'admin', @more) }

sub state_of {
    my ($id) = @_;
    return (sql(
        "SELECT state || ' ' || coalesce(error_code, '-') || ' ' || (image IS NOT NULL) || ' ' || coalesce(owner, "
            . "'-') FROM generation_jobs WHERE id = '$id'"
    ))[0];
}

# Insert a job that was not generated. Returns its id.
sub row {
    my (%with) = @_;
    my %row = (
        state => "'succeeded'", additional_prompt => "''", prompt_used => "''", generator => "'preview'",
        model => "'m'", aspect_ratio => "'1:1'", resolution => "'1K'", reference_image_ids => "'{}'", %with
    );
    $row{finished_at} //= 'now()' if $row{state} !~ /queued|running/;
    my @names = sort keys %row;
    return (sql(
              'INSERT INTO generation_jobs ('
            . join(', ', @names)
            . ') VALUES ('
            . join(', ', @row{@names})
            . ') RETURNING id'
    ))[0];
}
sub remove { my ($id) = @_; sql("DELETE FROM generation_jobs WHERE id = '$id'"); return }

# Access ------------------------------------------------------------------------------------------

my $some = row();
for my $case (
    [GET => $list], [GET => "$list?limit=0"], [GET => "$list$some/"], [GET => "$list$nowhere/"],
    [POST => "$list$some/cancel/"], [POST => "$list$some/save-to-identity/"]
) {
    my ($method, $path) = @$case;
    is refusal(call($method => $path)), '401 not_authenticated Authentication credentials were not provided.',
        "$method $path without credentials is 401";
    is refusal(call($method => $path, as => $_)),
        '403 permission_denied You do not have permission to perform this action.', "$method $path by $_ is 403"
        for qw(alice scenario_one);
}
for my $id ($nowhere, 'x', '1') {
    is refusal(get("$list$id/")), '404 not_found Not found.', "job $id is 404";
    is refusal(post("$list$id/$_/")), '404 not_found Not found.', "POST to $_ of job $id is 404"
        for qw(cancel save-to-identity);
}
remove($some);

# The history ---------------------------------------------------------------------------------------

is get($list)->content, '{"results":[],"next":null}', 'the history is empty at first';
is call(POST => 'reference-images/', as => 'alice', parts => [image => [make_jpeg(400, 300)]])->code, 201,
    'a photo is uploaded';

sub generate {
    my (%with) = @_;
    return json(post(
        'image-generation/generate/', json => { identity_id => $full, user_id => $alice, resolution => '1K', %with }
    ));
}
my $first = generate(additional_prompt => 'The first.');
my $second = generate(identity_id => $bare, save_to_identity => $true);
my ($one, $two) = map { $_->{job}{id} } $first, $second;
my @history = results($list);
is join(' ', map { $_->{id} } @history), "$two $one", 'jobs are listed newest first';
is_deeply undated($history[1]), undated($first->{job}), 'a listed job equals the job of the response';
is_deeply undated(json(get("$list$one/"))), undated($first->{job}), 'a single job equals the job of the response';
my $prompt = $first->{job}{prompt_id};
my $failed = row(state => "'failed'", error_code => "'refused'", error_detail => "'No.'", identity_id => "'$full'");
for my $case (
    ["identity_id=$full", $failed, $one],
    ["identity_id=$bare", $two],
    ["identity_id=$nowhere"],
    ["user_id=$alice", $two, $one],
    ["user_id=$admin"],
    ["requested_by=$admin", $two, $one],
    ["requested_by=$alice"],
    ["requested_by=$admin&identity_id=$full", $one],
    ["prompt_id=$prompt", $two, $one],
    ["prompt_id=$nowhere"],
    ['state=succeeded', $two, $one],
    ['state=failed', $failed],
    ['state=queued'],
    ["state=succeeded&identity_id=$full&user_id=$alice&prompt_id=$prompt", $one],
    ["state=failed&user_id=$alice"],
    ['identity_id=&user_id=&requested_by=&prompt_id=&state=', $failed, $two, $one],
    ['search=first', $one],
    ['search=creative+visionary', $failed, $one],
) {
    my ($query, @ids) = @$case;
    is join(' ', map { $_->{id} } results("$list?$query")), "@ids", "?$query finds " . @ids;
}
check_query(
    $list, map({ ["${_}_id=x", "400 invalid ${_}_id: Must be a valid UUID."] } qw(identity user prompt)),
    ['requested_by=x', '400 invalid requested_by: Must be a valid UUID.'],
    [
        'state=ended',
        '400 invalid state: "ended" is not a valid choice. Allowed: queued, running, succeeded, failed, canceled.'
    ],
    ['state=%00', '400 invalid Null characters are not allowed.']
);
sub of_text { my ($text) = @_; return row(additional_prompt => "'" . ($text =~ s/'/''/gr) . "'") }
check_search($list, \&of_text, \&remove);
check_pages($list, 'search=page', \&of_text, \&remove);
remove($failed);

# Versions ------------------------------------------------------------------------------------------

steady(10);
my $tag = get("$list$one/")->header('ETag');
like $tag, qr/^"\d+\.n[0-9a-f]+\.\d+"$/, 'a job has an ETag';
my $unchanged = get("$list$one/", headers => ['If-None-Match' => $tag]);
is $unchanged->code . $unchanged->content, '304', 'If-None-Match with the current ETag is 304';
sql("UPDATE generation_jobs SET owner = 'x', lease_expires_at = now() WHERE id = '$one'");
is get("$list$one/", headers => ['If-None-Match' => $tag])->code, 304, 'a renewed lease does not change the ETag';
sql("UPDATE generation_jobs SET owner = NULL, lease_expires_at = NULL, cost = 0.134 WHERE id = '$one'");
my $news = get("$list$one/", headers => ['If-None-Match' => $tag]);
is $news->code, 200, 'a new cost changes the ETag';
like $news->content, qr/"cost":0\.134000,/, 'the cost is a JSON number';

# The queue -------------------------------------------------------------------------------------------

my $called = json(get("$list$one/"))->{identity_name};
is call(PATCH => "admin/identities/$full/", as => 'admin', json => { name => 'Renamed Visionary' })->code, 200,
    'the identity is renamed';
my $renamed = get("$list$one/", headers => ['If-None-Match' => $news->header('ETag')]);
is $renamed->code . ' ' . json($renamed)->{identity_name}, '200 Renamed Visionary',
    'the new name of the identity changes the job';
is call(PATCH => "admin/identities/$full/", as => 'admin', json => { name => $called })->code, 200,
    'the identity gets its old name back';
is get("$list$one/", headers => ['If-None-Match' => $news->header('ETag')])->code, 304,
    'the old name restores the ETag';

my @queue = map {
    row(
        state => "'queued'", created_at => "now() - interval '1 hour' + interval '$_ minutes'",
        lease_expires_at => "now() + interval '1 hour'"
    )
} 1 .. 3;
is join(' ', map { json(get("$list$_/"))->{queue_position} } @queue), '1 2 3', 'queued jobs have positions';
is join(' ', map { $_->{queue_position} // 'null' } results($list)), 'null null 3 2 1',
    'the history has the positions; other jobs have none';
$tag = get("$list$queue[2]/")->header('ETag');
is get("$list$queue[2]/", headers => ['If-None-Match' => $tag])->code, 304,
    'an unchanged position does not change the ETag';
audit();
my $canceled = post("$list$queue[0]/cancel/");
is $canceled->code . ' ' . json($canceled)->{state} . ' ' . (json($canceled)->{queue_position} // 'null'),
    '200 canceled null', 'a queued job is canceled at once';
is_deeply [map { json($_)->{cancel_requested} ? 1 : 0 } $canceled, get("$list$queue[1]/")], [1, 0],
    'cancel_requested is set for the canceled job only';
is state_of($queue[0]), 'canceled - false -', 'the canceled job has no owner';
is join("\n", audit()), "admin\@example.com change generation_jobs state $queue[0]", 'the audit log has the cancel';
is get("$list$queue[2]/", headers => ['If-None-Match' => $tag])->code, 200, 'the job behind it has another position';
is refusal(post("$list$queue[2]/cancel/", headers => ['If-Match' => '"7"'])),
    '412 precondition_failed This row has changed: it has version 1, which If-Match does not name. Read it '
    . 'again, then repeat the change.',
    'a cancel with an old version is refused';
is post("$list$queue[2]/cancel/", headers => ['If-Match' => $tag])->code, 200,
    'a cancel with the current version succeeds at any position';
my $again = post("$list$queue[0]/cancel/");
is $again->code . ' ' . $again->content, '200 ' . $canceled->content, 'canceling a canceled job succeeds';
is scalar(() = audit()), 1, 'the second cancel is not in the audit log';
is refusal(post("$list$one/cancel/")), '409 job_finished This generation has already succeeded.',
    'a succeeded job cannot be canceled';
is refusal(post("$list" . row(state => "'failed'") . '/cancel/')),
    '409 job_finished This generation has already failed.', 'a failed job cannot be canceled';
is join(' ', sort(map { post("$list$queue[1]/cancel/")->code } 1 .. 3)), '200 200 200',
    'three concurrent cancels succeed';

# A past result -----------------------------------------------------------------------------------------

sub objects {
    my ($url) = @_;
    my ($uuid) = $url =~ m{/(?:media|generated_images)/([0-9a-f-]{36})};
    return join ' ',
        sql("SELECT state, count(*) FROM stored_objects WHERE picture = '$uuid' GROUP BY state ORDER BY state");
}
is json(post("identities/$full/upload-image/", parts => [image => [make_jpeg(64, 48)]]))->{image} ? 1 : 0, 1,
    'an identity gets an uploaded picture';
my $before = json(get("admin/identities/$full/"));
audit();
my $saved = post("$list$one/save-to-identity/");
is $saved->code, 200, 'a past result is saved to the identity';
my $after = json($saved);
is $after->{id}, $full, 'the identity is that of the job';
sub version_of { my ($answer) = @_; return $answer->header('ETag') =~ /^"(\d+)\.\d+"$/ ? $1 : 'none' }
is version_of($saved), version_of(get("admin/identities/$full/")), 'the response is the identity with its version';
is join("\n", audit()), "admin\@example.com change identities image $full", 'the audit log has the save';
my ($name) = $first->{image_url} =~ m{generated_images/([0-9a-f-]+)};
like $after->{image}{original}, qr{/media/(?!\Q$name\E)[0-9a-f-]{36}/\Q$name\E\.jpg\?},
    "the copy has its own key and the name of the job's picture";
ok get($after->{image}{original})->content eq get($first->{image_url})->content, 'the copy is the same picture';
is objects($after->{image}{original}) . ', ' . objects($first->{image_url}), 'live|4, live|1',
    'the copy has its own objects, with derivatives';
is get($after->{image}{thumbnail})->code, 200, 'the derivatives can be fetched';
is objects($before->{image}{original}), 'held|4', 'the previous picture is held';
is json(post("identities/$full/restore-image/"))->{image}{original} =~ s/\?.*//r,
    $before->{image}{original} =~ s/\?.*//r, 'the previous picture can be restored';
is undated(json(get("$list$one/"))->{image_url}), undated($first->{image_url}), 'the job keeps its own picture';

my @key = ('Idempotency-Key' => 'save-' . time);
my @both = map { post("$list$one/save-to-identity/", headers => [@key]) } 1, 2;
is join(' ', map { $_->code . ($_->header('Idempotent-Replayed') // '') } @both), '200 200true',
    'a repeated save with the same key is replayed';
is_deeply undated(json($both[1])), undated(json($both[0])), 'the repeated save has one effect';
is refusal(post("$list$two/save-to-identity/", headers => [@key])),
    '422 idempotency_key_reused This Idempotency-Key was used for another request. Send a new key with a new request.',
    'the same key for another job is refused';
$tag = get("admin/identities/$full/")->header('ETag');
is refusal(post("$list$one/save-to-identity/", headers => ['If-Match' => '"999"'])) =~ s/ .*//r, '412',
    'If-Match refers to the identity';
is post("$list$one/save-to-identity/", headers => ['If-Match' => $tag])->code, 200,
    'the current ETag of the identity is accepted';
is post("$list$one/save-to-identity/", body => 'x' x 1000, type => 'text/plain')->code, 200,
    'a body is ignored';
is json(post("$list$two/save-to-identity/"))->{id}, $bare, 'a saved result can be saved again';

is refusal(post("$list" . row(state => "'failed'", identity_id => "'$full'") . '/save-to-identity/')),
    '409 job_no_picture This generation has no picture.', 'a failed job has nothing to save';
is refusal(post(
          "$list"
        . row(state => "'queued'", lease_expires_at => "now() + interval '1 hour'", identity_id => "'$full'")
        . '/save-to-identity/'
    )),
    '409 job_no_picture This generation has no picture yet.', 'a queued job has nothing to save';
is refusal(post(
          "$list"
        . row(identity_id => "'$full'", user_id => "'$alice'", image => "'generated_images/$nowhere.png'")
        . '/save-to-identity/'
    )),
    '409 job_no_picture This generation has no picture.', 'a job whose object is gone has nothing to save';
sql("DELETE FROM identities WHERE id = '$bare'");
is refusal(post("$list$two/save-to-identity/")), '404 identity_not_found Identity not found',
    'a save to a deleted identity is 404';
is_deeply [@{ json(get("$list$two/")) }{qw(identity identity_name)}], [undef, undef],
    'the job of a deleted identity has no identity';
sql("DELETE FROM users WHERE id = '$alice'");
is refusal(post("$list$one/save-to-identity/")), '409 job_no_picture This generation has no picture.',
    'a save after the user was deleted is refused';
is json(get("$list$one/"))->{state}, 'succeeded', 'the record of the job remains';

# A generator without costs bills nothing, whatever the result of a job.
my $unmade = row(state => "'queued'");
ok eventually(sub { state_of($unmade) =~ /^failed user_deleted/ }), 'a job without a user fails';
is_deeply json(get("$list$unmade/"))->{error}{billed}, $JSON::PP::false, 'the failed job was not billed';
remove($unmade);

# Cancel of a running job -------------------------------------------------------------------------------

my $json = JSON::PP->new->utf8->canonical;
my $gemini = IdentityImg::Gemini->new;
my $server =
    IdentityImg::Server->new('jobs', env => { $gemini->environment }, conf => "IdentityImgSweepInterval 1\n")->start;
my @there = (as => 'admin', base => $server->base, headers => [Connection => 'close']);
is call(
    POST => 'reference-images/', as => 'alice', base => $server->base, headers => [Connection => 'close'],
    parts => [image => [make_jpeg(64, 48)]]
)->code, 201, 'a photo is uploaded on another server';

# Generate with SCENARIO and a key, and cancel it meanwhile. Returns both responses.
sub cancel_while {
    my ($scenario, $key) = @_;
    my $answer;
    my ($made) = in_parallel(
        1,
        sub { ask_with($scenario, $key) },
        sub {
            $gemini->holds(1) or die 'no job is running';
            my ($running) = $server->sql("SELECT id FROM generation_jobs WHERE state = 'running'");
            my $before = call(GET => "$list$running/", @there);
            $answer = call(POST => "$list$running/cancel/", @there);
            my $now = call(
                GET => "$list$running/", @there[0 .. 3],
                headers => [Connection => 'close', 'If-None-Match' => $before->header('ETag')]
            );
            is_deeply [map { json($_)->{cancel_requested} } $before, $now], [$JSON::PP::false, $true],
                'cancel_requested is visible at once';
            is json($answer)->{id}, $running, 'a running job accepts a cancel';
            is call(POST => "$list$running/cancel/", @there)->code, 202, 'a second cancel is accepted';
            $gemini->release;
        }
    );
    return ($made, $answer);
}

sub ask_with {
    my ($scenario, $key) = @_;
    my $body = {
        identity_id => $full, user_id => $alice, resolution => '1K', aspect_ratio => '1:1',
        save_to_identity => $true, additional_prompt => "[[scenario:$scenario]]"
    };
    my $answer = HTTP::Tiny->new(keep_alive => 0, timeout => 100)->request(
        POST => $server->base . '/api/v1/image-generation/generate/',
        {
            headers =>
                { Authorization => login('admin'), 'Content-Type' => 'application/json', 'Idempotency-Key' => $key },
            content => $json->encode($body)
        }
    );
    return [$answer->{status}, eval { $json->decode($answer->{content}) } // $answer->{content}];
}
my ($made, $answer) = cancel_while('hold', 'one');
is $answer->code . ' ' . json($answer)->{state}, '202 running', 'the running job continues to its next step';
my $id = json($answer)->{id};
is "$made->[0] $made->[1]{code} $made->[1]{detail}",
    '409 generation_canceled The generation was canceled after the provider had been called. '
    . "Its picture is stored with job $id.",
    'the waiting client is told that the generation was canceled';
my $job = json(call(GET => "$list$id/", @there));
is $job->{state}, 'canceled', 'the job ends as canceled';
ok $job->{image_url}, 'the paid picture is kept with the job';
is(HTTP::Tiny->new->get($job->{image_url})->{status}, 200, 'the picture can be fetched');
like "@{$job->{warnings}}", qr/was canceled after the picture had been requested. It is stored with this job only/,
    'the job has a warning about the cancel';
is json(call(GET => "admin/identities/$full/", @there))->{image}, undef, 'the identity does not get the picture';
is ask_with('hold', 'one')->[1]{code}, 'generation_canceled', 'a repeated request with the key gets the same refusal';
is(($server->sql('SELECT count(*) FROM generation_jobs'))[0], 1, 'the repeated request creates no job');
is refusal(call(POST => "$list$id/cancel/", @there)), refusal(call(POST => "$list$id/cancel/", @there)),
    'a canceled job stays canceled';
is call(POST => "$list$id/save-to-identity/", @there)->code, 200,
    'the kept picture can be saved afterwards';

# Jobs of a dead process are started again, up to the limit of attempts.
chomp(my $node = `hostname`);
my @left = $server->sql(
          "INSERT INTO generation_jobs (state, lease_expires_at, owner, attempts, cancel_requested_at, prompt_used, "
        . "generator, model, aspect_ratio, resolution, reference_image_ids)"
        . " VALUES ('running', now() - interval '1 second', '$node/1/dead', 2, NULL, '', 'gemini', 'm', '1:1', '1K', "
        . "'{}'), ('running', now() - interval '1 second', '$node/1/dead', 1, NULL, '', 'gemini', 'm', '1:1', '1K', "
        . "'{}'),"
        . " ('running', now() - interval '1 second', '$node/1/dead', 1, now(), '', 'gemini', 'm', '1:1', '1K', '{}'), "
        . "('queued', NULL, NULL, 0, NULL, '', 'gemini', 'm', '1:1', '1K', '{}'),"
        . " ('running', now() - interval '1 second', 'elsewhere/1/dead', 1, NULL, '', 'gemini', 'm', '1:1', '1K', "
        . "'{}') RETURNING id");
eventually(sub {
    ($server->sql(
              "SELECT count(*) FROM generation_jobs WHERE id IN ('"
            . join("','", @left)
            . "') AND state NOT IN ('queued', 'running')"
    ))[0] == 4;
});
my @jobs = map { json(call(GET => "$list$_/", @there)) } @left;
is_deeply [$jobs[0]{state}, $jobs[0]{error}],
    [
    'failed',
    {
        code => 'lost',
        detail => 'The server stopped 2 times before the picture was finished. Request it again.',
        billed => undef
    }
    ],
    'a job with the maximum of attempts fails as lost, billed unknown';
is "$jobs[1]{state} $jobs[1]{attempts} $jobs[1]{error}{code}", 'failed 2 user_deleted',
    'a job with one attempt is started again; here it fails without a user';
is "$jobs[2]{state} $jobs[2]{error}{code}", 'canceled generation_canceled', 'a job with a requested cancel is canceled';
is "$jobs[3]{state} $jobs[3]{attempts}", 'failed 1', 'a queued job runs';
is $jobs[4]{state}, 'running', 'a job of another node is left to it for a while';
$server->judge(qr/IIMG0117/);
finish();
