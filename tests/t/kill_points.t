# kill_points.t - a process dies at any point of an upload, a replacement, a delete, a generation or a sweep. No
# picture is lost and none is left over; clients see the old picture or the new one.
#
# IIMG_STORE=s3 stores pictures in a bucket. KILL_POINTS=all (as in `make soak`) dies at each pass of each point
# in each scenario; otherwise at a selection that includes each point. KILL_ONLY='versions.*s3\.pur' selects by
# a regular expression for "SCENARIO: POINT"; KILL_TIMES=20 repeats each pass.
# Runs beside others.
use strict;
use warnings;
use IdentityImg::Fault;
use IdentityImg::FaultProxy;
use IdentityImg::Server 'eventually';
use IdentityImg::Audit;
use IdentityImg::Store;
use IdentityImg::Test;
use Test::More;
use Time::HiRes 'sleep';

my $place = IdentityImg::Store->chosen;
plan skip_all => $place->missing if $place->missing;
my $faults = IdentityImg::Fault->new('kill');
my $proxy = $place->is_s3 ? IdentityImg::FaultProxy->new($place->{port}) : undef;
my $all = ($ENV{KILL_POINTS} // '') eq 'all';
my ($only, $times) = ($ENV{KILL_ONLY}, $ENV{KILL_TIMES} // 1);
# Enough children to survive deaths that are faster than httpd's new children.
my $children = join "\n", 'ThreadsPerChild 4', 'ServerLimit 24', 'MaxRequestWorkers 96', 'StartServers 10',
    'MinSpareThreads 40', 'MaxSpareThreads 60', 'DBDMax 4', 'DBDKeep 4';
my $server = IdentityImg::Server->new(
    'kill', conf => "$children\nIdentityImgSweepInterval 86400\n",
    env => { %{ $faults->environment }, %{ $place->env($proxy && $proxy->port) } }
);
$server->start;
my $store = IdentityImg::Audit->new($server, $place, build => $faults->build, env => $faults->environment);
my @points = split /\n/, $store->ctl('faults');
cmp_ok scalar @points, '>', 20, 'the build has more than 20 fault points';

# Requests --------------------------------------------------------------------------------------------

my @sources = (make_jpeg(64, 48), make_jpeg(120, 90));
my $turn = 0;
my $full = identity_of('full');
my $one = person('scenario_one');
sub ask { return call(@_, base => $server->base, dies => 1) }

# A read, repeated if a dying child had accepted the connection.
sub look {
    my $answer;
    for (1 .. 5) {
        $answer = ask(GET => @_);
        last if ($answer->header('Client-Warning') // '') ne 'Internal response';
        sleep 0.2;
    }
    return $answer;
}
sub image { return (parts => [name => $_[0] // '', image => [$sources[$turn++ % 2]]]) }
sub photos { return @{ json(look('reference-images/', as => 'alice')) } }
sub add { return ask(POST => 'reference-images/', as => 'alice', image()) }
sub set { my ($id) = @_; return ask(POST => "reference-images/$id/upload-image/", as => 'alice', image()) }
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

sub room {
    my @there = photos();
    ask(DELETE => "reference-images/$_->{id}/", as => 'alice') for @there[1 .. $#there];
    return;
}

sub remove { return ask(DELETE => 'reference-images/' . (photos())[1]{id} . '/', as => 'alice') }
sub orphan { my $photo = json(add()); $store->sql("DELETE FROM reference_images WHERE id = '$photo->{id}'"); return }
sub fails { $proxy->rules({ fault => 'error', method => $_[0], times => $_[1] }); return }

# name, preparation, action
my @scenarios = (
    ['a photo is replaced', \&room, sub { set((photos())[0]{id}) }],
    ['a photo is created', \&room, \&add],
    ['a photo is deleted', sub { room(); add() }, \&remove],
    ['an upload is refused', \&room, sub { ask(POST => 'reference-images/', as => 'alice', image('refused')) }],
    ['an identity is changed', sub { }, \&dress],
    ['a picture is generated', sub { }, \&make],
    ['the sweeper runs', \&orphan, sub { $store->ctl('sweep') }],
);
push @scenarios, ['the store fails once', sub { room(); fails(PUT => 1) }, \&add],
    ['the store is down', sub { room(); fails(PUT => 12) }, \&add],
    ['versions are deleted', sub { $place->keep_versions; room(); add() }, \&remove],
    ['versions are swept', sub { orphan() }, sub { $store->ctl('sweep') }]
    if $proxy;

# A row that the database refuses at commit.
$server->sql(
    q{
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
        AS $$BEGIN RAISE 'no room' USING ERRCODE = 'disk_full'; END$$;
    CREATE TRIGGER refuse BEFORE INSERT ON reference_images
        FOR EACH ROW WHEN (NEW.name = 'refused') EXECUTE FUNCTION refuse()}
);
add();
dress() for 1 .. 4;
ask(POST => 'reference-images/', as => 'admin', parts => [user_id => $one, image => [$sources[0]]]);
$store->learn;
is $store->quarrels, '', 'before any death rows, manifest and store agree';

# Whether clients see complete data: each photo and the identity, with pictures that can be fetched.
sub seen {
    my @rows = (photos(), @{ json(look("test-users/$one/identities/", as => 'admin')) });
    return join ' ',
        map { look($_)->code } map { @{ $_->{image} }{qw(original large)} } grep { $_->{image} } @rows;
}

# All passes of a point. Points in the file driver repeat for each object: only its first and last object, and
# all of them in one scenario. For a bucket: the first and last pass of each point that no earlier scenario had.
sub passes {
    my ($point, $count, $scenario, $before) = @_;
    return 1 .. $count if $all;
    return
          $before ? ($point =~ /^s3\./ && $scenario =~ /refused|versions/ ? $count : ())
        : $count > 1 ? (1, $count)
        : 1
        if $proxy;
    return 1 .. $count if $point !~ /^file\./ || $point eq 'file.object' && $scenario =~ /created|replaced/;
    return if $scenario !~ /replaced/;
    return $count > 1 ? (1, $count) : 1;
}

# Jobs whose picture exists but is not saved to the identity.
my $unsaved = "state = 'succeeded' AND save_to_identity AND saved_at IS NULL";
sub unsaved { return $store->sql("SELECT id FROM generation_jobs WHERE $unsaved") }

# Wait until other processes finish the jobs of dead ones. Returns failures. Unsaved pictures are saved by others
# after two minutes, which must not happen while rows and store are compared.
sub settle {
    my %left = map { $_ => 1 } unsaved();
    eventually(sub { !$store->sql("SELECT 1 FROM generation_jobs WHERE state IN ('queued', 'running')") }, 60)
        or return 'a generation does not end';
    eventually(
        sub {
            !grep { !$left{$_} } unsaved();
        },
        60
    ) or return 'a picture is not saved to its identity';
    $store->sql("UPDATE generation_jobs SET finished_at = now() WHERE $unsaved");
    return
        map { "a generation has $_" }
        $store->sql(
        "SELECT state || ' ' || coalesce(error_detail, '') FROM generation_jobs WHERE state <> 'succeeded'");
}

# End those two minutes. A new child checks at once.
sub saved_by_others {
    my ($scenario) = @_;
    my $left = unsaved() or return;
    my $changes = "SELECT count(*) FROM audit_log WHERE row_id = '$full' AND 'image' = ANY (members)";
    my ($before) = $store->sql($changes);
    # (A later picture is not replaced by an earlier unsaved one.)
    $store->sql("UPDATE generation_jobs SET saved_at = saved_at - interval '1 hour' WHERE saved_at IS NOT NULL");
    $store->sql("UPDATE generation_jobs SET finished_at = now() - interval '3 minutes' WHERE $unsaved");
    $server->reload;
    ok eventually(sub { !unsaved() && ($store->sql($changes))[0] >= $before + $left }, 180),
        "$scenario: other processes save the unsaved pictures of dead ones ($left pictures)";
    # (The previous picture is deleted after the response.)
    my $quarrels;
    eventually(sub { ($quarrels = $store->quarrels) eq '' }, 60);
    is $quarrels, '', "$scenario: nothing is lost or left over after the saves";
    return;
}

# The points that an action passes without a death.
sub points_of {
    my ($prepare, $act) = @_;
    $prepare->();
    $faults->order('all 0 trace');
    $act->();
    settle();
    $faults->order('');
    $proxy->rules if $proxy;
    return $faults->fired;
}

my (%died, @table);
for (@scenarios) {
    my ($scenario, $prepare, $act) = @$_;
    my %count;
    if ($only && !grep { "$scenario: $_" =~ /$only/ } @points) {
        $prepare->();
        $proxy->rules if $proxy;
        next;
    }
    $count{$_}++ for points_of($prepare, $act);
    is $store->quarrels, '', "$scenario: without a death nothing is lost or left over";
    for my $point (grep { $count{$_} && (!$only || "$scenario: $_" =~ /$only/) } @points) {
        my @passes = map { ($_) x $times } passes($point, $count{$point}, $scenario, $died{$point});
        my @wrong;
        next if !@passes;
        for my $pass (@passes) {
            # Random keys sometimes share a prefix: then the folder exists, and the points of creating it are
            # passed less often than counted. More pictures mean more folders.
            my ($died, @badly);
            for (1 .. 5) {
                $prepare->();
                $faults->order("$point $pass exit");
                $act->();
                $proxy->rules if $proxy;
                push @badly, settle();
                $died = join(' ', $faults->fired) eq $point;
                $faults->order('');
                last if $died;
            }
            push @wrong, "pass $pass: it did not die"
                if !$died && (grep { $_ eq $point } points_of($prepare, $act)) >= $pass;
            push @wrong, map { "pass $pass: $_" } @badly;
            my $seen = seen();
            push @wrong, "pass $pass: a client sees $seen" if $seen !~ /^200(?: 200)*$/;
            my $quarrels = $store->quarrels;
            push @wrong, "pass $pass: $quarrels" if $quarrels;
        }
        is join(' | ', @wrong), '', "$scenario, death at $point (pass @passes of $count{$point})";
        push @table, [$scenario, $point, "@passes", @wrong ? 'WRONG' : 'whole'];
        $died{$point}++;
    }
    saved_by_others($scenario);
}
my $others =
    $proxy ? qr/^(?:file\.|generate\.answered)/ : qr/^(?:(?:s3|http)\.|generate\.answered)/;    # engine.t dies there
is join(' ', grep { !$died{$_} && !/$others/ } @points), '', 'each point of the build was the last of a process'
    if !$only;
diag sprintf '%-24s %-18s %-12s %s', @$_ for ['scenario', 'death at', 'passes', 'afterwards'], @table;

# The server's own sweeper, in mod_watchdog's thread.
$store->sql("DELETE FROM reference_images WHERE user_id = '" . person('alice') . "'");
$faults->order('sweep.removed 1 exit');
$server->reload("$children\nIdentityImgSweepInterval 1\n");
ok eventually(sub { $faults->has_fired }), 'the sweeper dies within its run';
$store->sql("UPDATE stored_objects SET retry_at = now()");
ok eventually(sub { !$store->sql("SELECT 1 FROM stored_objects WHERE state = 'doomed'") }),
    'another child continues the sweep';
is $store->quarrels, '', 'nothing is left over after the sweep';

$server->judge(
    qr/AH10159|AH03490/, qr/IIMG0105/, qr/IIMG0003: .* no room/,
    $proxy ? qr/IIMG0003: .* 500 InternalError/ : ()
);
done_testing();
