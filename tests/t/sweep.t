# sweep.t - a sweep survives a bucket that fails briefly, reports the store's response for each object that it cannot
# delete, and waits for objects that other processes are deleting.
# Runs beside others.
use strict;
use warnings;
use IdentityImg::Audit;
use IdentityImg::Fault;
use IdentityImg::FaultProxy;
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Store;
use IdentityImg::Test;
use Test::More;

my $place = IdentityImg::Store->new('radosgw');
plan skip_all => $place->missing if $place->missing;
my $faults = IdentityImg::Fault->new('sweep');
my $proxy = IdentityImg::FaultProxy->new($place->{port});
my $server = IdentityImg::Server->new('sweep', env => $place->env, conf => "IdentityImgSweepInterval 86400\n")->start;
my $store = IdentityImg::Audit->new(
    $server, $place, build => $faults->build,
    env => {
        %{ $faults->environment }, IDENTITYIMG_S3_ENDPOINT => $place->endpoint($proxy->port),
        IDENTITYIMG_S3_TIMEOUT => 20
    }
);

my $source = make_jpeg(64, 48);

sub add {
    my ($who) = @_;
    return json(
        call(POST => 'reference-images/', as => $who // 'alice', parts => [image => [$source]], base => $server->base))
        ->{id};
}
sub orphan { $store->sql("DELETE FROM reference_images WHERE id = '" . add(@_) . "'"); return }
sub doomed { return $store->sql("SELECT key FROM stored_objects WHERE state = 'doomed' ORDER BY key") }
sub run_sweep { my $out = $store->ctl('sweep'); return ($? >> 8) . " $out" }
add();
$store->learn;

# Short failures ----------------------------------------------------------------------------------------

# Three objects fail, after which a sweeper considers the store down, each in all three attempts.
sub outlived {
    my ($what, $rule) = @_;
    orphan();
    $proxy->rules($rule);
    is run_sweep(), "0 4 objects deleted\n", "a sweep survives $what";
    $proxy->rules;
    is $store->quarrels, '', "nothing is left over after $what";
    return;
}
outlived('a store that fails', { fault => 'error', method => 'DELETE', times => 9 });
outlived(
    'an unavailable store',
    { fault => 'error', method => 'DELETE', times => 9, status => 503, code => 'ServiceUnavailable' }
);
outlived(
    'a concurrent operation on the same objects',
    { fault => 'error', method => 'DELETE', times => 9, status => 409, code => 'OperationAborted' }
);
outlived(
    'connections reset after the store completed the request',
    { fault => 'reset-reply', method => 'DELETE', times => 9 }
);
$place->keep_versions;
outlived(
    'a store that fails in the list of versions',
    { fault => 'error', method => 'DELETE', path => 'versionId', times => 9 }
);
outlived('a failed list of versions', { fault => 'error', method => 'GET', path => 'versions', times => 9 });

orphan();
my ($key) = doomed();
$proxy->rules(
    { fault => 'error', method => 'DELETE', path => "\Q$key\E\$", status => 404, code => 'NoSuchKey', times => 0 });
is run_sweep(), "0 4 objects deleted\n", 'objects that are already gone from the store count as deleted';
$proxy->rules;
$store->sql("INSERT INTO stored_objects (key, picture, state) VALUES ('$key', gen_random_uuid(), 'doomed')");
run_sweep();
is $store->quarrels, '', 'nothing is left over after the lost responses';

# Lasting failures ----------------------------------------------------------------------------------------

orphan();
my @keys = doomed();
my ($picture) = $keys[0] =~ m{^(media/[^/]+)};
$proxy->rules({ fault => 'error', method => 'DELETE', status => 403, code => 'AccessDenied', times => 0 });
my $told = run_sweep();
like $told, qr/^1 .*^0 objects deleted\n4 objects could not be deleted yet\n/ms,
    'a sweep that cannot delete reports it';
is scalar(grep { $told =~ /IIMG0102: cannot delete \Q$_\E: DELETE pictures\/\Q$_\E: 403 AccessDenied: / } @keys), 4,
    "the log has the store's response for each object: status, code, key";
is scalar(() = $told =~ /IIMG01/g), 4, 'each object has one line, regardless of the attempts';
$proxy->rules({ fault => 'error', method => 'GET', path => 'versions', times => 0 });
like run_sweep(),
    qr/IIMG0102: cannot delete \Q$picture\E\/\S+: GET pictures\/\?\S*prefix=\S+&versions=: 500 InternalError: /,
    'a failed list of versions is reported, too';
$proxy->rules;
is $store->quarrels, '', 'the next sweep deletes the objects';

# Other processes -----------------------------------------------------------------------------------------

# One batch is ours: while we delete it, another process claims the others for MINUTES.
sub with_another {
    my ($minutes, $meanwhile) = @_;
    orphan($_) for qw(alice alice alice bob bob bob);
    $faults->order('sweep.claimed 1 wait');
    my ($told) = in_parallel(
        1,
        \&run_sweep,
        sub {
            eventually(sub { $faults->has_fired }, 60) or die 'nothing is claimed';
            $store->sql('UPDATE stored_objects SET claim = gen_random_uuid(), attempts = 1, retry_at = now() + '
                    . "interval '$minutes minutes' WHERE state = 'doomed' AND claim IS NULL");
            $faults->order('');
            eventually(sub { doomed() <= 4 }, 60) or die 'our batch is not deleted';
            $meanwhile->();
        }
    );
    $faults->fired;
    return $told;
}
is with_another(
    30,
    sub {
        sleep 1;
        for my $version ($place->versions) {
            $place->request(DELETE => $version->{key}, query => { versionId => $version->{id} })
                if grep { $_ eq $version->{key} } doomed();
        }
        $store->sql("DELETE FROM stored_objects WHERE state = 'doomed'");
    }
    ),
    "0 20 objects deleted\n", 'a sweep waits for objects that another process is deleting, without failure';
is $store->quarrels, '', 'nothing is left over after both';
is with_another(1, sub { }), "0 24 objects deleted\n",
    'objects claimed by a dead process are deleted by the sweep';
is $store->quarrels, '', 'nothing is left over after the dead process';

# One of them is the server's own sweeper.
$server->reload("IdentityImgSweepInterval 1\n");
for my $round (1 .. 2) {
    orphan($_) for qw(alice alice alice alice bob bob bob bob);
    like run_sweep(), qr/^0 \d+ objects deleted\n$/,
        'a sweep beside that of a running server ends without leftovers';
    is $store->quarrels, '', 'nothing is left over in the store';
}

$server->judge;
done_testing();
