# idempotency_deaths.t - a process dies at each step of a request with an Idempotency-Key. The repeated request
# has one row, one picture, one effect.
# Runs beside others.
use strict;
use warnings;
use IdentityImg::Fault;
use IdentityImg::Server 'in_parallel';
use IdentityImg::Test;
use Test::More;

my $faults = IdentityImg::Fault->new('keys');
my $children = join "\n", 'ThreadsPerChild 4', 'ServerLimit 24', 'MaxRequestWorkers 96', 'StartServers 10',
    'MinSpareThreads 40', 'MaxSpareThreads 60', 'DBDMax 4', 'DBDKeep 4';
my $server = IdentityImg::Server->new('keys', conf => "$children\n", env => $faults->environment)->start;

my $number = 0;

sub ask {
    my ($key, @request) = @_;
    return call(@request, headers => ['Idempotency-Key' => $key], base => $server->base, dies => 1);
}
sub count { my ($what) = @_; return ($server->sql("SELECT count(*) FROM $what"))[0] }
my $photo =
    json(call(POST => 'reference-images/', as => 'bob', parts => [image => [portrait()]], base => $server->base));
call(POST => 'reference-images/', as => 'scenario_one', parts => [image => [portrait()]], base => $server->base);
my $full = identity_of('full');

# name => [the action, a query that counts its effects]
my %requests = (
    'a photo' => [
        [POST => 'reference-images/', as => 'alice', parts => [name => 'x', image => [portrait()]]],
        "reference_images WHERE user_id = '" . person('alice') . "'", 201
    ],
    'a prompt' => [
        [POST => 'prompts/', as => 'admin', json => { prompt_type => 'coach', body => 'Be kind.' }],
        "prompts WHERE prompt_type = 'coach'", 201
    ],
    'a user' => [
        [POST => 'admin/users/', as => 'admin', json => { email => 'new@example.com', password => 'long enough' }],
        "users WHERE email = 'new\@example.com'", 201
    ],
    'an upload' => [
        [POST => "reference-images/$photo->{id}/upload-image/", as => 'bob', parts => [image => [portrait()]]],
        "generate_series(2, (SELECT version FROM reference_images WHERE id = '$photo->{id}'))", 200
    ],
    'a generation' => [
        [
            POST => 'image-generation/generate/', as => 'admin',
            json =>
                { identity_id => $full, user_id => person('scenario_one'), aspect_ratio => '1:1', resolution => '1K' }
        ],
        "generation_jobs WHERE state = 'succeeded'",
        200
    ],
);

sub clean {
    $server->sql("DELETE FROM reference_images WHERE user_id = '"
            . person('alice')
            . "'; DELETE FROM prompts WHERE prompt_type = 'coach'; DELETE FROM users WHERE email = 'new\@example.com';"
            . " DELETE FROM generation_jobs; UPDATE reference_images SET version = 1 WHERE id = '$photo->{id}'; DELETE "
            . "FROM idempotency_keys");
    return;
}
# The time after which a process is considered dead.
sub time_passes {
    $server->sql("UPDATE idempotency_keys SET lease_expires_at = now() - interval '1 second'");
    return;
}

for my $what (sort keys %requests) {
    my ($request, $counted, $status) = @{ $requests{$what} };
    clean();
    $faults->order('all 0 trace');
    my $answer = ask('trace', @$request);
    $faults->order('');
    is $answer->code, $status, "$what succeeds without a death" or diag $answer->content;
    my %passes;
    $passes{$_}++ for grep { /^(?:db|upload|generate|sweep)\./ } $faults->fired;
    cmp_ok scalar keys %passes, '>', 1, "$what passes fault points";
    my @wrong;
    for my $point (sort keys %passes) {
        for my $pass (1 .. $passes{$point}) {
            clean();
            my $key = 'key-' . $number++;
            $faults->order("$point $pass exit");
            ask($key, @$request);
            my $died = join ' ', $faults->fired;
            $faults->order('');
            time_passes();
            my @again = map { ask($key, @$request) } 1, 2;
            my $said = join ' ', map { $_->code . ($_->header('Idempotent-Replayed') ? '+' : '') } @again;
            my $times = count($counted);
            # The last pass may be that of the login, which each child does once.
            push @wrong, "$point $pass: it did not die" if $died ne $point && ($pass == 1 || $pass < $passes{$point});
            push @wrong, "$point $pass: $said, done $times times" if $said !~ /^$status\+? $status\+$/ || $times != 1;
        }
    }
    is join("\n", @wrong), '',
        "$what: after a death at any of the " . keys(%passes) . ' points it is done once';
}

# Concurrent requests with the same key, of which the first dies while the others wait.
clean();
$faults->order('db.committed 3 exit');
my @request = @{ $requests{'a photo'}[0] };
my @answers = in_parallel(6, sub { return ask('twins', @request)->code });
$faults->order('');
time_passes();
is ask('twins', @request)->code, 201, 'after a concurrent request dies the next one succeeds';
is count($requests{'a photo'}[1]), 1, 'there is one photo';

$server->judge(qr/AH10159|AH03490|IIMG0105/);
finish();
