# store_file.t - the store "file" with a full disk, a read-only folder or slow writes; the sweeper on one node and on
# two.
use strict;
use warnings;
use File::Path ();
use IdentityImg::Fault;
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Audit;
use IdentityImg::Store;
use IdentityImg::Test;
use Test::More;

my $faults = IdentityImg::Fault->new('store');
my $conf = "IdentityImgSweepInterval 86400\n";
my $server = IdentityImg::Server->new('store', conf => $conf, env => $faults->environment)->start;
my $store = IdentityImg::Audit->new(
    $server, IdentityImg::Store->new('file'), build => $faults->build,
    env => $faults->environment
);
my ($small, $other) = (make_jpeg(64, 48), make_jpeg(120, 90));

sub ask { return call(@_, base => $server->base) }

sub add {
    my ($file) = @_;
    return ask(POST => 'reference-images/', as => 'alice', parts => [image => [$file // $small]]);
}

sub set {
    my ($id, $file) = @_;
    return ask(POST => "reference-images/$id/upload-image/", as => 'alice', parts => [image => [$file]]);
}
sub photo { my ($id) = @_; return ask(GET => "reference-images/$id/", as => 'alice')->content }
sub states { return join ', ', $store->sql('SELECT state, count(*) FROM stored_objects GROUP BY state ORDER BY state') }
sub pending { return $store->sql("SELECT key FROM stored_objects WHERE state = 'pending'") }
sub keys_of { return join ' ', sort keys %{ $store->objects } }

my $id = json(add())->{id};
add($other);
$store->learn;
my ($shown, $stored) = (photo($id), keys_of());
is $store->quarrels, '', 'two photos are stored';

# Write failures ----------------------------------------------------------------------------------------

my ($ENOSPC, $EDQUOT, $EIO, $EROFS) = (28, 122, 5, 30);
for my $point (qw(file.mkdir file.create file.write file.fsync file.rename file.syncdir)) {
    for my $pass (1, 3) {
        $faults->order("$point $pass $ENOSPC");
        my $answer = set($id, $other);
        is join(' ', $faults->fired), $point, "$point fails for object $pass with a full disk";
        is join(' ', $answer->code, json($answer)->{detail}, $answer->header('Retry-After')),
            '503 The picture store is full. Nothing was changed. 5',
            "$point $pass: the response has the sentence and Retry-After";
        is json($answer)->{code}, 'store_down', "$point $pass: the response has the code";
        is photo($id), $shown, "$point $pass: the photo shows the previous picture";
        is keys_of(), $stored, "$point $pass: the store has no partial files";
        is states(), 'live|8', "$point $pass: the manifest is unchanged";
    }
}
for (
    [$EDQUOT, 'The picture store is full. Nothing was changed.'],
    [$EIO, 'The picture store is not available at the moment. Nothing was changed.'],
    [$EROFS, 'The picture store is not available at the moment. Nothing was changed.']
) {
    $faults->order("file.write 2 $_->[0]");
    my $answer = set($id, $other);
    is join(' ', $answer->code, json($answer)->{detail}), "503 $_->[1]", "errno $_->[0] has its sentence";
}
$faults->fired;
is $store->quarrels, '', 'nothing is left over';
is ask(GET => json(ask(GET => "reference-images/$id/", as => 'alice'))->{image}{large})->code, 200,
    'the picture can be fetched';

# A folder made read-only by the operator: only root can write there.
my $pictures = $server->state . '/pictures';
my ($uid, $gid) = (stat $pictures)[4, 5];
if ($> == 0) {
    my @folders = split /\n/, `find '$pictures' -type d`;
    chown 0, $gid, @folders;
    chmod 0550, @folders;
    my $answer = add();
    is join(' ', $answer->code, json($answer)->{detail}, $answer->header('Retry-After')),
        '503 The picture store is not available at the moment. Nothing was changed. 5',
        'a photo cannot be added while the folder is read-only';
    is ask(GET => 'reference-images/', as => 'alice')->code, 200, 'the list works while the folder is read-only';
    $answer = ask(DELETE => "reference-images/$id/", as => 'alice');
    is $answer->code, 204, 'a photo can be deleted while the folder is read-only';
    is states(), 'doomed|4, live|4', 'the objects of the deleted photo are doomed';
    chown $uid, $gid, @folders;
    chmod 0700, @folders;
    is $store->quarrels, '', 'the doomed objects are deleted when the folder is writable';
}
else {
    ask(DELETE => "reference-images/$id/", as => 'alice');
}

# Sweeping ----------------------------------------------------------------------------------------------

# A key that can never be deleted: there is a folder at its path.
my @gone = map { json(add())->{id} } 1 .. 3;
my ($bad) = $store->sql("SELECT image FROM reference_images WHERE id = '$gone[0]'");
my $path = "$pictures/" . $bad =~ s{^media/((..)(..))}{media/$2/$3/$1}r;
unlink $path;
mkdir $path;
$store->sql("DELETE FROM reference_images WHERE id = '$_'") for @gone;
$store->ctl('sweep');
is $? >> 8, 1, 'identityimgctl sweep exits with 1 if objects are left';
is states(), 'doomed|1, live|4', 'an object that cannot be deleted does not block the others';
is join(
    '|',
    $store->sql("SELECT attempts, retry_at > now() + interval '30 seconds' FROM stored_objects WHERE state = 'doomed'")
    ),
    '1|t', 'an object that cannot be deleted is retried later';
$store->sql("UPDATE stored_objects SET attempts = 20, retry_at = now() - interval '1 second' WHERE state = 'doomed'");
like $store->ctl('sweep'), qr/IIMG0102: cannot delete \Q$bad\E/, 'a warning names the object that cannot be deleted';
is join(
    '|',
    $store->sql("SELECT attempts, retry_at < now() + interval '16 minutes' FROM stored_objects WHERE state = 'doomed'")
    ),
    '21|t', 'retries are at most a quarter of an hour apart';
rmdir $path;
is $store->quarrels, '', 'the object is deleted when its path is free';

# An upload that takes longer than the sweeper waits, at each of its stages.
for my $point (qw(picture.announced file.renamed picture.stored picture.published)) {
    $faults->order("$point 1 wait");
    my ($answer) = in_parallel(
        1,
        sub { my $late = add(); return [$late->code, json($late)->{detail}] },
        sub {
            eventually(sub { $faults->has_fired }) or die "$point is not reached";
            $store->sql(
                "SET lock_timeout = '1s'; UPDATE stored_objects SET changed_at = now() - interval '2 hours' WHERE key "
                    . "IN (SELECT key FROM stored_objects WHERE state = 'pending' FOR UPDATE SKIP LOCKED)");
            $store->ctl('sweep');
            $faults->order('');
        }
    );
    $faults->fired;
    if ($point eq 'picture.published') {
        is $answer->[0], 201, "an upload swept at $point succeeds: its objects are already in a transaction";
        ask(
            DELETE => 'reference-images/' . json(ask(GET => 'reference-images/', as => 'alice'))->[-1]{id} . '/',
            as => 'alice'
        );
    }
    else {
        is $answer->[0], 503, "an upload swept at $point fails";
        like $answer->[1], qr/Nothing was changed\.$/,
            "an upload swept at $point: the response says that nothing was changed";
    }
    is states() . ' ' . keys %{ $store->objects }, 'live|4 4',
        "an upload swept at $point leaves nothing in manifest and store";
}

# Concurrent deletes remove only their own objects.
my @many = map { json(add())->{id} } 1 .. 4;
$faults->order('all 0 trace');
in_parallel(4, sub { ask(DELETE => "reference-images/$many[$_[0]]/", as => 'alice')->code });
my %passes;
$passes{$_}++ for $faults->fired;
$faults->order('');
is $passes{'file.rmdir'}, 16,
    'four concurrent deletes of photos make sixteen deletions in the store, one for each object';
is states(), 'live|4', 'nothing is left after the deletes';

# Two nodes, one database, one store.
my %database = $server->cluster_environment;
my $second = IdentityImg::Server->new('store2', env => $faults->environment);
$server->restart("IdentityImgSweepInterval 1\n");
$second->start(<<"CONF");
IdentityImgSweepInterval 1
IdentityImgStorageRoot "$pictures"
IdentityImgSecretFile "@{[$server->state]}/secret"
DBDParams "host=$database{PGHOST} port=$database{PGPORT} dbname=identityimg user=identityimg"
CONF
sub there { return call(@_, base => $second->base) }
my $photo = json(there(POST => 'reference-images/', as => 'bob', parts => [image => [$small]]));
is ask(GET => $photo->{image}{original} =~ s{^http://[^/]+}{}r)->code, 200,
    'one node serves a picture stored by the other';
is there(DELETE => "reference-images/$photo->{id}/", as => 'bob')->code, 204,
    'one node deletes a photo stored by the other';
for my $round (1 .. 2) {
    for my $who (qw(alice bob)) {
        ask(POST => 'reference-images/', as => $who, parts => [image => [$_]]) for $small, $other, $small;
    }
    my ($wanted) = $store->sql("SELECT count(*) FROM stored_objects WHERE state = 'live'");
    $faults->fired;
    $faults->order('all 0 trace');
    $store->sql('DELETE FROM reference_images');
    ok eventually(sub { states() eq '' }),
        "round $round: the sweepers of two nodes delete the $wanted doomed objects";
    %passes = ();
    $passes{$_}++ for $faults->fired;
    $faults->order('');
    is $passes{'file.rmdir'}, $wanted, "round $round: each object is deleted once";
}
is $store->quarrels, '', 'nothing is left over';
$second->judge;
$second->stop;

$server->judge(qr/IIMG0003: .* (?:writing|of \d objects)/, qr/IIMG0003:/, qr/IIMG010[27]:/);
done_testing();
