# store_identity.t - the store must be the database's: with another one, an empty mount point or a copy that is out
# of date nothing is written, nothing is deleted and nothing is forgotten, until the right one is back.
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
    ;    # one child: what is said once is said by each process
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
}    # httpd escapes bytes beyond ASCII

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

# In place of the pictures there is what MAKE makes, while CODE runs.
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

ok eventually(sub { -e "$pictures/$marker" }), 'a new store is marked when the server starts';
my ($id) = slurp("$pictures/$marker") =~ /"store": "([0-9a-f-]{36})"/;
ok eventually(sub { join('', $store->sql('SELECT id, marked_at IS NOT NULL FROM picture_store')) eq "$id|t" }),
    '... with the id that the database knows';
is join(' ', grep { /~/ } there()), '', '... and nothing else is left there';
is + (stat "$pictures/$marker")[4], (stat $pictures)[4], '... it belongs to the user whose directory that is';
is ready(), 200, 'the server is ready';
$server->restart;
is slurp("$pictures/$marker") =~ /"store": "(.*?)"/ ? $1 : '', $id, 'a restart leaves it as it is';
for my $path ("/pictures/$marker", "/pictures/media/../$marker") {
    like call(GET => $path, base => $server->base)->code, qr/^40[034]$/, "$path is not served";
}

my $photo = json(add());
my $gone = json(add());
$store->learn;
is states(), 'live|8', 'two photos are there';
is tool('reconcile'),
    "0 8 objects in the store, 0 of them unknown to the manifest\n8 referenced objects, 0 of them missing in the "
    . "store\n0 rows with pictures that the manifest lacks\n",
    'the marker is no object of it';

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
    ['a marker that is damaged', sub { spew("$_[0]/$marker", '{"store": "5c0') }, qr/\Q$marker\E cannot be understood/],
    ['a marker that is empty', sub { spew("$_[0]/$marker", '') }, qr/\Q$marker\E cannot be understood/],
    ['a marker without end', sub { spew("$_[0]/$marker", 'x' x 100_000) }, qr/\Q$marker\E cannot be understood/],
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
            like $answer->header('Retry-After') // '', qr/^[1-9]\d*$/, '... with Retry-After';
            ok eventually(sub { ready() == 503 }), '... the server is not ready';
            is states(), 'live|8', '... nothing is announced';
            is join(' ', there()), '', '... nothing is written';
            like tool('sweep'), qr/^2 identityimgctl: .*$why/m, 'identityimgctl sweep says why it does not';
            like tool('reconcile', '--delete', '--force'), qr/^2 .*$why/s,
                '... nor does reconcile --delete, whatever its options';
            is scalar(grep { /IIMG0204: / } $server->log_lines), 1, '... the log says it once';
            like told(),
                qr/IIMG0204: the picture store is not the database's; nothing is written or deleted there: .*$why/,
                '... and what to do';
        }
    );
    ok eventually(sub { ready() == 200 }), 'with the right store it is ready again, without a restart';
    ok eventually(sub { add('bob')->code == 201 }), '... and takes photos';
    $store->sql("DELETE FROM reference_images WHERE user_id = '" . person('bob') . "'");
    is tool('sweep'), "0 4 objects deleted\n", '... which can be deleted';
}

# A photo that is deleted meanwhile does not come back with its store.
away(
    sub { },
    sub {
        is ask(DELETE => "reference-images/$gone->{id}/", as => 'alice')->code, 204,
            'a photo can be deleted while its store is unmounted';
        is states(), 'doomed|4 live|4', '... its objects stay in the manifest';
    }
);
ok eventually(sub { ready() == 200 }), 'the store is mounted again';
is tool('sweep'), "0 4 objects deleted\n", '... and what was doomed goes';
is $store->quarrels, '', '... nothing is lost, nothing came back';

# ... also when it is unmounted between the deletion and its note.
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
like $told, qr/^[12] /, 'a store that is unmounted during a sweep: the sweep does not report its objects as deleted';
is states(), 'doomed|4 live|4', '... and keeps all rows';
remove_tree($pictures);
rename "$pictures.away", $pictures or die $!;
is $store->quarrels, '', '... it goes when the store is back';

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
like strange('sweep'), qr/^2 .*is the store $id/s, '... so is sweep';
like strange('adopt-store'),
    qr/^2 identityimgctl: \Q$pictures\E holds pictures that the database does not know, such as media\/\S+\. Nothing was changed\. .*--force\.$/m,
    '... and adopt-store, as long as it is not forced';
rename "$pictures/$marker", "$pictures/../marker" or die $!;
like strange('reconcile', '--delete', '--force', '--min-age 0'),
    qr/^2 .*has no \Q$marker\E and holds pictures that the database does not know, such as media\//s,
    'without a marker the pictures show that the store belongs to another database';
ok !-e "$pictures/$marker", '... and none is made';
rename "$pictures/../marker", "$pictures/$marker" or die $!;
is join(' ', stored_in()), $before, '... nothing was deleted';

# Adopting -----------------------------------------------------------------------------------------------------------

# An installation from before there were markers.
sub forget { $store->sql('DELETE FROM picture_store'); unlink "$pictures/$marker"; return }
forget();
$server->restart;
ok eventually(sub { -e "$pictures/$marker" }),
    'an installation without a marker whose pictures are there is adopted by its first start';
ok eventually(sub { ready() == 200 }), '... and ready';
my ($new) = slurp("$pictures/$marker") =~ /"store": "(.*?)"/;
isnt $new, $id, '... with an id of its own';

forget();
rename $pictures, "$pictures.away" or die $!;
mkdir $pictures or die $!;
chown +(stat "$pictures.away")[4, 5], $pictures;
$server->restart;
ok eventually(sub { ready() == 503 }), '... one whose pictures are not there is not';
like told(), qr/IIMG0204: .*has no \Q$marker\E and holds 0 of 4 pictures that the database shows/,
    '... as the log says';
ok !-e "$pictures/$marker", '... nor is anything marked';
like tool('adopt-store'), qr/^2 .*holds 0 of 4 pictures that the database shows\. Nothing was changed/,
    '... nor does adopt-store do it';
rmdir $pictures;
rename "$pictures.away", $pictures or die $!;
like tool('adopt-store'), qr/^0 The database now belongs to the store [0-9a-f-]{36}$/,
    'adopt-store adopts a store that has the pictures';
ok eventually(sub { ready() == 200 }), '... and the server is ready';
like tool('adopt-store'), qr/^0 /, '... twice is no mistake';

# The database was restored: it knows an id that the store does not have.
$store->sql("UPDATE picture_store SET id = '$other_id'");
$server->restart;
ok eventually(sub { ready() == 503 }), 'a database with another id: not ready';
like tool('adopt-store'), qr/^0 /, '... adopt-store takes over the id of the store, whose pictures are the right ones';
ok eventually(sub { ready() == 200 }), '... and it is ready';
is $store->quarrels, '', '... nothing is lost';

# The marker was lost.
unlink "$pictures/$marker";
ok eventually(sub { ready() == 503 }), 'a marker that is deleted: not ready';
like tool('adopt-store'), qr/^0 /, '... adopt-store writes it again';
ok eventually(sub { ready() == 200 }), '... and it is ready';

# Deaths and races ------------------------------------------------------------------------------------------------------

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
        'a process that died '
        . ($row =~ /SELECT/ ? 'behind' : 'before')
        . ' its marker: the next start resumes from there';
    is join('', $store->sql('SELECT id, marked_at IS NOT NULL FROM picture_store')), "$other_id|t",
        '... with the same id';
}
forget();
my @ids = in_parallel(6, sub { tool('reconcile') =~ s/\n.*//sr });
is join("\n", @ids), join("\n", ('0 0 objects in the store, 0 of them unknown to the manifest') x 6),
    'six processes that find a new store at the same time';
is slurp("$pictures/$marker") =~ /"store": "(.*?)"/ ? $1 : '', join('', $store->sql('SELECT id FROM picture_store')),
    '... agree about one marker';
is join(' ', grep { /~/ } there()), '', '... and leave nothing else';

$server->judge(qr/IIMG0204|IIMG0150|IIMG0003/, qr/AH10159/);
done_testing();
