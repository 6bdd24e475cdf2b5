# store_faults.t - a store that resets, fails, throttles, redirects, stalls or is down: short faults are retried,
# lasting ones are a 503 that names the store. No picture is lost or left over.
#
# STORE_FAULTS=all tries each fault with each operation, otherwise with one of them.
# Runs beside others.
use strict;
use warnings;
use IdentityImg::Audit;
use IdentityImg::FaultProxy;
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Store;
use IdentityImg::Test;
use Test::More;
use Time::HiRes qw(sleep time);

my $place = IdentityImg::Store->new('radosgw');
plan skip_all => $place->missing if $place->missing;
my $proxy = IdentityImg::FaultProxy->new($place->{port});
my $server = IdentityImg::Server->new(
    'faults', env => $place->env($proxy->port),
    conf => "IdentityImgS3Timeout 6\nIdentityImgS3ConnectTimeout 1\nIdentityImgSweepInterval 86400\n"
)->start;
my $store = IdentityImg::Audit->new($server, $place);

my @sources = (make_jpeg(64, 48), make_jpeg(120, 90));
my $turn = 0;
my ($full, $one) = (identity_of('full'), person('scenario_one'));
sub ask { return call(@_, base => $server->base) }
sub image { return (parts => [image => [$sources[$turn++ % 2]]]) }
sub photos { return @{ json(ask(GET => 'reference-images/', as => 'alice')) } }
sub add { return ask(POST => 'reference-images/', as => 'alice', image()) }
sub change { return ask(POST => 'reference-images/' . (photos())[0]{id} . '/upload-image/', as => 'alice', image()) }
sub remove { return ask(DELETE => 'reference-images/' . (photos())[1]{id} . '/', as => 'alice') }
sub dress { return ask(POST => "identities/$full/upload-image/", as => 'admin', image()) }

sub make {
    return ask(
        POST => 'image-generation/generate/', as => 'admin',
        json => {
            identity_id => $full, user_id => $one, aspect_ratio => '1:1', resolution => '1K',
            save_to_identity => JSON::PP::true()
        }
    );
}
# Wait for generations, which continue after their clients are answered. Returns failures. An unsaved picture is
# retried after two minutes, which must not happen during other faults.
sub settle {
    my $unsaved = "state = 'succeeded' AND save_to_identity AND saved_at IS NULL";
    eventually(sub { !$server->sql("SELECT 1 FROM generation_jobs WHERE state IN ('queued', 'running')") }, 60)
        or return 'a generation does not end';
    eventually(
        sub {
            !$server->sql(
                "SELECT 1 FROM generation_jobs WHERE $unsaved AND warnings::text NOT LIKE '%could not be saved%'");
        },
        60
    ) or return 'a picture is not saved to its identity';
    $server->sql("UPDATE generation_jobs SET finished_at = now() WHERE $unsaved");
    return
        map { "a generation has $_" }
        $server->sql(
        "SELECT state || ' ' || coalesce(error_detail, '') FROM generation_jobs WHERE state <> 'succeeded'");
}

sub fresh {
    my $photo = json(ask(GET => "reference-images/?user_id=$one", as => 'admin'))->[0]{id};
    ask(POST => "reference-images/$photo/upload-image/?user_id=$one", as => 'admin', image());
    return;
}

sub room {
    my @there = photos();
    ask(DELETE => "reference-images/$_->{id}/", as => 'alice') for @there[1 .. $#there];
    return;
}

sub rows {
    return join ' ',
        $server->sql(
        "SELECT id, image, version FROM reference_images UNION ALL SELECT id, image, version FROM identities ORDER BY 1"
        );
}

add();
dress();
ask(POST => 'reference-images/', as => 'admin', parts => [user_id => $one, image => [$sources[0]]]);
$store->learn;
is $store->quarrels, '', 'before any fault rows, manifest and store agree';

# fault => number that a retry survives, number that is too much (0: forever). The first 301 is not an attempt: it
# names the bucket's region. A request on a kept-alive connection that is reset is sent again at once.
my @faults = (
    ['reset', 2, 0, {}],
    ['reset-body', 2, 0, {}],
    ['reset-reply', 2, 0, {}],
    ['truncate', 2, 3, {}],
    ['error', 2, 3, {}],
    ['slow-down', 2, 3, { retryAfter => 1 }],
    ['redirect', 3, 4, { region => 'eu-west-1' }],
    ['stall', 2, 3, {}],
    ['slow', 9, undef, { seconds => 0.5 }],    # slowness is not a failure
);

# Operations: name, method and objects that fail, preparation, action, status.
my $original = 'media/[^/]+/[^/_][^/]*$';
my @work = (
    ['a photo is created', PUT => $original, \&room, \&add, 201],
    ['a photo is replaced', PUT => '-thumbnail-300x300', sub { }, \&change, 200],
    ['an identity is changed', PUT => $original, sub { }, \&dress, 200],
    ['a generation is stored', PUT => '/generated_images/', sub { }, \&make, 200],
    ['a generation is saved', PUT => $original, sub { }, \&make, 200],
    ['a generation reads photos', GET => $original, \&fresh, \&make, 200],    # that no process has cached
    ['a photo is deleted', DELETE => $original, sub { room(); add() }, \&remove, 204],
);

sub attempts {
    my ($method, $path) = @_;
    return scalar grep { $_->{method} eq $method && $_->{path} =~ /$path/ } $proxy->journal;
}

my @table;

sub try_fault {
    my ($fault, $times, $more, $work, $fails) = @_;
    my ($what, $method, $path, $prepare, $act, $status) = @$work;
    $prepare->();
    my $before = rows();
    $proxy->rules({ fault => $fault, method => $method, path => $path, times => $times, %$more });
    my $answer = $act->();
    my $attempts = attempts($method, $path);
    $proxy->rules;
    my @wrong = settle();
    my $kept = $what =~ /generation is (?:stored|saved)/;    # a delete is retried until the fault is permanent
    if ($kept && $fails && !$times) {
        push @wrong, 'the status is ' . $answer->as_string
            if $answer->code != 503
            || json($answer)->{code} ne ($what =~ /is stored/ ? 'generation_unfinished' : 'store_down');
    }
    elsif (!$fails || $kept || $method eq 'DELETE') {
        push @wrong, 'the status is ' . $answer->as_string if $answer->code != $status;
    }
    else {
        push @wrong, 'the status is ' . $answer->as_string
            if $answer->code != 503
            || ($answer->header('Retry-After') // '') !~ /^\d+$/
            || json($answer)->{code} ne 'store_down'
            || json($answer)->{detail} !~ /\bstore\b/;
        push @wrong, 'rows have changed' if rows() ne $before;
    }
    my $quarrels = $store->quarrels;
    push @wrong, $quarrels if $quarrels;
    is join(' | ', @wrong), '',
        "$what, $fault x " . ($times || 'ever') . ': ' . ($fails ? 'fails as it should' : 'succeeds after retries');
    push @table, [$what, $fault, $times || 'ever', $attempts, $answer->code, @wrong ? 'WRONG' : 'whole'];
    return;
}

my $chosen = 0;
for my $one_fault (@faults) {
    my ($fault, $most, $too_often, $more) = @$one_fault;
    my $all = ($ENV{STORE_FAULTS} // '') eq 'all';
    my @chosen = $all ? @work : (@work[0, 1 + $chosen++ % $#work]);
    for my $work (@chosen) {
        try_fault($fault, $most, $more, $work, 0);
        try_fault($fault, $too_often, $more, $work, 1) if defined $too_often && ($all || $work == $chosen[1]);
    }
}
diag sprintf '%-26s %-12s %-6s %-9s %-7s %s', @$_
    for ['operation', 'fault', 'times', 'requests', 'status', 'afterwards'], @table;

# All four objects of a picture fail twice.
for my $fault ('reset-reply', 'slow-down') {
    room();
    $proxy->rules({ fault => $fault, method => 'PUT', times => 8 });
    is add()->code, 201, "an upload succeeds although each object has $fault twice";
    $proxy->rules;
    is $store->quarrels, '', "after $fault the picture is complete";
}

# Saving takes longer than the interval of the engine's polls. The waiting request must not save the picture again,
# or the previous picture of the identity would be the same one.
settle();
my ($shown) = $server->sql("SELECT image FROM identities WHERE id = '$full'");
$proxy->rules({ fault => 'slow', method => 'PUT', path => 'media/', times => 4, seconds => 3.5 });
is make()->code, 200, 'a generation whose picture is saved slowly succeeds';
my %originals = map { $_->{path} => 1 }
    grep { $_->{method} eq 'PUT' && $_->{path} =~ /$original/ } $proxy->journal;    # (a slow request is repeated)
is scalar(keys %originals), 1, 'the picture is saved once' or diag explain \%originals;
is join(' ', $server->sql("SELECT previous_image FROM identities WHERE id = '$full'")), $shown,
    'the previous picture can be restored';
$proxy->rules;
is $store->quarrels, '', 'nothing is left over';

# The store is down -----------------------------------------------------------------------------------

sub down {
    my ($what, $begin, $end) = @_;
    room();
    my $before = rows();
    $begin->();
    my $began = time;
    # Concurrent uploads in two processes and lists in two others.
    my @done = in_parallel(
        4,
        sub {
            my ($number) = @_;
            return [
                map {
                    my $answer = add();
                    join ' ', $answer->code, $answer->header('Retry-After') // '-', json($answer)->{code} // ''
                } 1
                ]
                if $number < 2;
            return [map { ask(GET => 'reference-images/', as => 'alice')->code } 1 .. 25];
        }
    );
    is scalar(grep { ref } @done), 4, "$what: all requests end";
    is scalar(grep { /^503 \d+ store_down$/ } map { @{ $_ // [] } } @done[0, 1]), 2,
        "$what: each upload is a 503 store_down with Retry-After";
    is scalar(grep { $_ eq 200 } map { @{ $_ // [] } } @done[2, 3]), 50, "$what: lists are answered meanwhile";
    cmp_ok time - $began, '<', 240, "$what: no request hangs";
    my $answer =
        ask(PATCH => 'reference-images/' . (photos())[0]{id} . '/', as => 'alice', json => { name => "while $what" });
    is $answer->code, 200, "$what: names can be changed";
    is ask(DELETE => 'reference-images/' . (photos())[0]{id} . '/', as => 'alice')->code, 204,
        "$what: photos can be deleted";
    $end->();
    is add()->code, 201, "$what: uploads work after the end";
    is $store->quarrels, '', "$what: nothing is lost or left over";
    return;
}
down('the store is down', sub { $proxy->refuse }, sub { $proxy->accept });
down('the store hangs', sub { $proxy->rules({ fault => 'stall', times => 0 }) }, sub { $proxy->rules });

# The store dies during uploads: each photo is complete or not there.
my %count;
for my $delay (0.02, 0.06, 0.12, 0.2, 0.35) {
    room();
    $proxy->rules(
        { fault => 'slow', method => 'PUT', path => '600x600', times => 0, seconds => 0.1 },
        { fault => 'slow', method => 'PUT', times => 0, seconds => 0.02 }
    );
    my @answers = in_parallel(3, sub { return add()->code }, sub { sleep $delay; $proxy->refuse });
    $count{ $_ // 'none' }++ for @answers;
    $proxy->accept;
    $proxy->rules;
    is join(' ', grep { ($_ // '') !~ /^(?:201|503)$/ } @answers), '',
        "the store dies $delay s into three uploads: each succeeds or is a 503";
    is $store->quarrels, '', "the store dies $delay s into three uploads: photos are complete or not there";
    is scalar(grep { $_ eq '201' } @answers), scalar(photos()) - 1,
        "the store dies $delay s into three uploads: clients got the right status";
}
diag 'uploads in progress when the store died: ', join ', ', map { "$count{$_} x $_" } sort keys %count;

$server->judge(qr/IIMG011[26]/, qr/IIMG0003: .*(?:picture store|PUT|GET)/, qr/IIMG010[127]: /);
done_testing();
