# store_identity.t - the store must belong to the database. With another store, an empty mount point or an outdated
# copy nothing is written, deleted or forgotten until the right store is back.
# Runs beside others.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use File::Path qw(make_path remove_tree);
use IdentityImg::Audit;
use IdentityImg::Fault;
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Store;
use IdentityImg::Test;
use Test::More;

my $marker = '.identityimg-store';
my $jpeg = make_jpeg(64, 48);
my $faults = IdentityImg::Fault->new('identity');
my $conf = "IdentityImgSweepInterval 86400\nStartServers 1\nServerLimit 1\nMaxRequestWorkers 25\n"
    ;    # one child: each process logs a message once
my $server = IdentityImg::Server->new('identity', conf => $conf, env => $faults->environment)->start;
my $pictures = $server->state . '/pictures';
my $store = IdentityImg::Audit->new(
    $server, IdentityImg::Store->new('file'), build => $faults->build,
    env => $faults->environment
);

sub ask { return call(@_, base => $server->base) }
sub add { my ($who) = @_; return ask(POST => 'reference-images/', as => $who // 'alice', parts => [image => [$jpeg]]) }
sub ready { return ask(GET => 'health/ready/')->code }
sub states { return join ' ', $store->sql('SELECT state, count(*) FROM stored_objects GROUP BY 1 ORDER BY 1') }
sub tool { my (@arguments) = @_; my $out = $store->ctl(@arguments); return ($? >> 8) . " $out" }

sub told {
    return join("\n", $server->log_lines) =~ s/\\x([0-9a-f]{2})/chr hex $1/ger;
}    # httpd escapes non-ASCII bytes

sub there {
    return grep { !m{/(?:\.\.?|\Q$marker\E)$} } glob("$pictures/.*"), glob "$pictures/*";
}

sub spew {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "$path: $!";
    print $file $text;
    close $file;
    return;
}

# Run CODE while MAKE's folder replaces the pictures.
sub away {
    my ($make, $code) = @_;
    rename $pictures, "$pictures.away" or die $!;
    mkdir $pictures or die $!;
    chown +(stat "$pictures.away")[4, 5], $pictures;
    chmod 0700, $pictures;
    $make->($pictures);
    $code->();
    remove_tree($pictures);
    rename "$pictures.away", $pictures or die $!;
    return;
}

# The first start -----------------------------------------------------------------------------------------

ok eventually(sub { -e "$pictures/$marker" }), 'a new store gets its marker at the start';
my ($id) = slurp("$pictures/$marker") =~ /"store": "([0-9a-f-]{36})"/;
ok eventually(sub { join('', $store->sql('SELECT id, marked_at IS NOT NULL FROM picture_store')) eq "$id|t" }),
    'the marker has the id of the database';
is join(' ', grep { /~/ } there()), '', 'no temporary files are left';
is + (stat "$pictures/$marker")[4], (stat $pictures)[4], 'the marker belongs to the owner of the folder';
is ready(), 200, 'the server is ready';
$server->restart;
is slurp("$pictures/$marker") =~ /"store": "(.*?)"/ ? $1 : '', $id, 'a restart does not change the marker';
for my $path ("/pictures/$marker", "/pictures/media/../$marker") {
    like call(GET => $path, base => $server->base)->code, qr/^40[034]$/, "$path is not served";
}

my $photo = json(add());
my $gone = json(add());
$store->learn;
is states(), 'live|8', 'two photos are stored';
is tool('reconcile'),
    "0 8 objects in the store, 0 of them unknown to the manifest\n8 referenced objects, 0 of them missing in the "
    . "store\n0 rows with pictures that the manifest lacks\n",
    'the marker is not counted as an object';

# Another store --------------------------------------------------------------------------------------------

my $other_id = '5c000000-0000-4000-8000-000000000001';
for my $case (
    [
        'an unmounted directory', sub { },
        qr/\Q$pictures\E has no \Q$marker\E, the database belongs to the store $id: mount it/
    ],
    [
        'the store of another database', sub { spew("$_[0]/$marker", qq({"store": "$other_id"}\n)) },
        qr/\Q$pictures\E is the store $other_id, the database belongs to $id: correct/
    ],
    ['a damaged marker', sub { spew("$_[0]/$marker", '{"store": "5c0') }, qr/\Q$marker\E is not valid/],
    ['an empty marker', sub { spew("$_[0]/$marker", '') }, qr/\Q$marker\E is not valid/],
    ['a truncated marker', sub { spew("$_[0]/$marker", 'x' x 100_000) }, qr/\Q$marker\E is not valid/],
) {
    my ($what, $make, $why) = @$case;
    $server->forget_log;
    away(
        $make,
        sub {
            my $answer = add('bob');
            is join(' ', $answer->code, json($answer)->{code}, json($answer)->{detail}),
                '503 store_down The picture store is not available at the moment. Nothing was changed.',
                "$what: an upload is refused";
            like $answer->header('Retry-After') // '', qr/^[1-9]\d*$/, "$what: the refusal has Retry-After";
            ok eventually(sub { ready() == 503 }), "$what: the server is not ready";
            is states(), 'live|8', "$what: nothing is announced";
            is join(' ', there()), '', "$what: nothing is written";
            like tool('sweep'), qr/^2 identityimgctl: .*$why/m,
                "$what: identityimgctl sweep is refused with the reason";
            like tool('reconcile', '--delete', '--force'), qr/^2 .*$why/s,
                "$what: identityimgctl reconcile --delete is refused with any option";
            is scalar(grep { /IIMG0204: / } $server->log_lines), 1, "$what: the log has one line";
            like told(),
                qr/IIMG0204: the picture store is not the database's; nothing is written or deleted: .*$why/,
                "$what: the line has the reason and the remedy";
        }
    );
    ok eventually(sub { ready() == 200 }), "$what: with the right store the server is ready without a restart";
    ok eventually(sub { add('bob')->code == 201 }), "$what: photos are accepted with the right store";
    $store->sql("DELETE FROM reference_images WHERE user_id = '" . person('bob') . "'");
    is tool('sweep'), "0 4 objects deleted\n", "$what: sweeps work with the right store";
}

# A photo deleted meanwhile does not come back with its store.
away(
    sub { },
    sub {
        is ask(DELETE => "reference-images/$gone->{id}/", as => 'alice')->code, 204,
            'a photo can be deleted while its store is unmounted';
        is states(), 'doomed|4 live|4', 'its objects stay in the manifest';
    }
);
ok eventually(sub { ready() == 200 }), 'the store is mounted again';
is tool('sweep'), "0 4 objects deleted\n", 'the doomed objects are deleted after the mount';
is $store->quarrels, '', 'nothing is lost, and nothing came back';

# The same when the store is unmounted between the deletion and the update of the manifest.
my $late = json(add())->{id};
$store->sql("DELETE FROM reference_images WHERE id = '$late'");
$faults->order('sweep.claimed 1 wait');
my ($told) = in_parallel(
    1,
    sub { tool('sweep') },
    sub {
        eventually(sub { $faults->has_fired }, 60) or die 'nothing is claimed';
        rename $pictures, "$pictures.away" or die $!;
        mkdir $pictures or die $!;
        $faults->order('');
    }
);
$faults->fired;
like $told, qr/^[12] /, 'a sweep does not report objects as deleted if the store is unmounted during it';
is states(), 'doomed|4 live|4', 'the sweep keeps all rows';
remove_tree($pictures);
rename "$pictures.away", $pictures or die $!;
is $store->quarrels, '', 'the objects are deleted when the store is back';

# Another database ---------------------------------------------------------------------------------------------

my %two = $server->cluster_environment;
$server->sql('CREATE DATABASE stranger TEMPLATE template0', 'postgres');
{
    local @ENV{ keys %two } = values %two;
    local $ENV{PGDATABASE} = 'stranger';
    $server->sql(
        "GRANT ALL ON DATABASE stranger TO identityimg_owner; ALTER DATABASE stranger OWNER TO identityimg_owner",
        'postgres'
    );
    my $out = `'$ENV{IIMG_SOURCE}/scripts/migrate' 2>&1`;
    is $?, 0, 'a database of another instance' or diag $out;
}
my $stranger = IdentityImg::Audit->new(
    $server, IdentityImg::Store->new('file'), build => $faults->build,
    env => { PGDATABASE => 'stranger' }
);
sub strange { my (@arguments) = @_; my $out = $stranger->ctl(@arguments); return ($? >> 8) . " $out" }
my $before = join ' ', stored_in();
sub stored_in { my @found = sort `find '$pictures' -type f`; chomp @found; return @found }
like strange('reconcile', '--delete', '--force', '--min-age 0'),
    qr/^2 .*is the store $id, the database belongs to none yet: .*adopt-store/s,
    'reconcile --delete with another database is refused';
like strange('sweep'), qr/^2 .*is the store $id/s, 'sweep with another database is refused';
like strange('adopt-store'),
    qr/^2 identityimgctl: \Q$pictures\E holds pictures that the database does not know, such as media\/\S+\. Nothing was changed\. .*--force\.$/m,
    'adopt-store with another database is refused without --force';
rename "$pictures/$marker", "$pictures/../marker" or die $!;
like strange('reconcile', '--delete', '--force', '--min-age 0'),
    qr/^2 .*has no \Q$marker\E and holds pictures that the database does not know, such as media\//s,
    'without a marker, the pictures show that the store belongs to another database';
ok !-e "$pictures/$marker", 'no marker is written';
rename "$pictures/../marker", "$pictures/$marker" or die $!;
is join(' ', stored_in()), $before, 'nothing is deleted';

# Adopting -----------------------------------------------------------------------------------------------------------

# An installation from before markers existed.
sub forget { $store->sql('DELETE FROM picture_store'); unlink "$pictures/$marker"; return }
forget();
$server->restart;
ok eventually(sub { -e "$pictures/$marker" }),
    'an installation without a marker that has its pictures is adopted at its first start';
ok eventually(sub { ready() == 200 }), 'the adopted installation is ready';
my ($new) = slurp("$pictures/$marker") =~ /"store": "(.*?)"/;
isnt $new, $id, 'the adopted installation has its own id';

forget();
rename $pictures, "$pictures.away" or die $!;
mkdir $pictures or die $!;
chown +(stat "$pictures.away")[4, 5], $pictures;
$server->restart;
ok eventually(sub { ready() == 503 }), 'an installation without a marker and without its pictures is not ready';
like told(), qr/IIMG0204: .*has no \Q$marker\E and holds 0 of 4 pictures that the database shows/,
    'the log has the reason';
ok !-e "$pictures/$marker", 'no marker is written';
like tool('adopt-store'), qr/^2 .*holds 0 of 4 pictures that the database shows\. Nothing was changed/,
    'adopt-store is refused, too';
rmdir $pictures;
rename "$pictures.away", $pictures or die $!;
like tool('adopt-store'), qr/^0 The database now belongs to the store [0-9a-f-]{36}$/,
    'adopt-store adopts a store that has the pictures';
ok eventually(sub { ready() == 200 }), 'the server is ready after adopt-store';
like tool('adopt-store'), qr/^0 /, 'a second adopt-store succeeds';

# The database was restored and has an id that the store does not have.
$store->sql("UPDATE picture_store SET id = '$other_id'");
$server->restart;
ok eventually(sub { ready() == 503 }), 'a database with another id makes the server not ready';
like tool('adopt-store'), qr/^0 /, 'adopt-store takes over the id of a store with the right pictures';
ok eventually(sub { ready() == 200 }), 'the server is ready after adopt-store';
is $store->quarrels, '', 'nothing is lost';

# The marker was lost.
unlink "$pictures/$marker";
ok eventually(sub { ready() == 503 }), 'a deleted marker makes the server not ready';
like tool('adopt-store'), qr/^0 /, 'adopt-store writes the marker again';
ok eventually(sub { ready() == 200 }), 'the server is ready after adopt-store';

# Deaths and races --------------------------------------------------------------------------------

$store->sql('DELETE FROM reference_images');
like tool('sweep'), qr/^0 /, 'all photos are deleted';
for my $row (
    "INSERT INTO picture_store (id) VALUES ('$other_id')",
    "INSERT INTO picture_store (id) VALUES ('$other_id'); SELECT 1"
) {
    forget();
    $store->sql($row);
    spew("$pictures/$marker", qq({"store": "$other_id"}\n)) if $row =~ /SELECT/;
    chown +(stat $pictures)[4, 5], "$pictures/$marker";
    $server->restart;
    ok eventually(sub { ready() == 200 }),
        'a process that died ' . ($row =~ /SELECT/ ? 'behind' : 'before') . "the id is the same after the death";
    is join('', $store->sql('SELECT id, marked_at IS NOT NULL FROM picture_store')), "$other_id|t",
        "the id is the same after the death";
}
forget();
my @ids = in_parallel(6, sub { tool('reconcile') =~ s/\n.*//sr });
is join("\n", @ids), join("\n", ('0 0 objects in the store, 0 of them unknown to the manifest') x 6),
    'six processes that find a new store concurrently succeed';
is slurp("$pictures/$marker") =~ /"store": "(.*?)"/ ? $1 : '', join('', $store->sql('SELECT id FROM picture_store')),
    'the six processes agree on one marker';
is join(' ', grep { /~/ } there()), '', 'the six processes leave no temporary files';

$server->judge(qr/IIMG0204|IIMG0150|IIMG0003/, qr/AH10159/);
done_testing();
