# concurrency.t - concurrent requests for the same slots, photos and identities, and their files.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes 'time';

fresh_data();
cheap_logins();
$SIG{PIPE} = 'IGNORE';

my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
my $jpeg = slurp(make_jpeg(800, 600));
my $server = base_url() =~ s{^http://}{}r;

# One request as bytes.
sub request {
    my ($method, $path, $who, $type, $body) = @_;
    $body //= '';
    return join(
        "\r\n", "$method /api/v1/$path HTTP/1.1", 'Host: x', 'Connection: close', 'Authorization: ' . login($who),
        $type ? ("Content-Type: $type") : (), 'Content-Length: ' . length $body, '', $body
    );
}

sub upload {
    my ($method, $path, $who, $bytes) = @_;
    return request(
        $method, $path, $who, 'multipart/form-data; boundary=XX',
        "--XX\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.jpg\"\r\n\r\n$bytes\r\n--XX--\r\n"
    );
}
sub patch { my ($id, $json) = @_; return request(PATCH => "reference-images/$id/", 'alice', 'application/json', $json) }

# Send requests concurrently: each on its own socket, all but the last byte first; then the last bytes in quick
# succession. Returns the responses in the same order.
sub at_once {
    my (@requests) = @_;
    my @sockets = map { IO::Socket::INET->new(PeerAddr => $server) or die "connect: $!" } @requests;
    for my $i (0 .. $#requests) {
        my ($at, $end) = (0, length($requests[$i]) - 1);
        while ($at < $end) { $at += syswrite($sockets[$i], $requests[$i], $end - $at, $at) // die "write: $!" }
    }
    syswrite $sockets[$_], substr $requests[$_], -1 for 0 .. $#requests;
    my %place = map { $sockets[$_] => $_ } 0 .. $#sockets;
    my @answers = ('') x @sockets;
    my ($select, $end) = (IO::Select->new(@sockets), time + 300);
    while ($select->count && time < $end) {
        for my $socket ($select->can_read(1)) {
            my $n = sysread $socket, $answers[$place{$socket}], 65536, length $answers[$place{$socket}];
            $select->remove($socket) if !$n;
        }
    }
    return @answers;
}

# The number of each status: "201 x 5, 400 x 45".
sub statuses {
    my %count;
    $count{ /^HTTP\/1\.1 (\d+)/ ? $1 : 'none' }++ for @_;
    return join ', ', map { "$_ x $count{$_}" } sort keys %count;
}
sub detail { return $_[0] =~ /"detail":"([^"]*)"/ ? $1 : '' }

sub orders {
    return join ' ',
        sql(qq(SELECT "order" FROM reference_images WHERE user_id = ') . person('alice') . q(' ORDER BY 1));
}

sub same {
    my %seen = map { $_ => 1 } @_;
    return join ' | ', sort keys %seen;
}
sub manifest { return join ', ', sql('SELECT state, count(*) FROM stored_objects GROUP BY state ORDER BY state') }

# 50 creates: five slots --------------------------------------------------------------------------

for my $case (
    [
        'without a picture', 0,
        (request(POST => 'reference-images/', 'alice', 'application/json', '{"name": "one of many"}')) x 50
    ],
    ['with a picture', 4, (upload(POST => 'reference-images/', 'alice', $jpeg)) x 50],
    [
        'with and without pictures', undef,
        (request(POST => 'reference-images/', 'alice'), upload(POST => 'reference-images/', 'alice', $jpeg)) x 25
    ],
    [
        'for the same slots', 0,
        map { request(POST => 'reference-images/', 'alice', 'application/json', '{"order": ' . $_ % 5 . '}') } 1 .. 50
    ],
) {
    my ($what, $files, @requests) = @$case;
    reset_pictures();
    my @answers = at_once(@requests);
    is statuses(@answers), '201 x 5, 400 x 45', "five of 50 concurrent creates $what succeed";
    my @refused = map { detail($_) } grep { /^HTTP\/1\.1 400/ } @answers;
    like same(@refused), qr/^(?:(?:Maximum 5 reference images allowed|Order \d is already in use)(?: \| |$))+$/,
        'the other creates get the reason';
    is same(@refused), 'Maximum 5 reference images allowed', 'all refused creates get the same sentence'
        if $what !~ /slots/;
    is orders(), '0 1 2 3 4', 'each slot is used once';
    is join(' ', sort map { /"order":(\d)/ } grep { /^HTTP\/1\.1 201/ } @answers), '0 1 2 3 4',
        'the responses have the five slots';
    my $pictures = grep { /^HTTP\/1\.1 201/ && /"original":/ } @answers;
    is $pictures * 4, 5 * $files, 'each successful create with a picture stored it' if defined $files;
    is scalar(() = stored_files()), 4 * $pictures, 'each picture has four files, and no other files are left';
    is manifest(), $pictures ? 'live|' . 4 * $pictures : '', 'the manifest has only the objects of these pictures';
}

# Requests of different users do not block one another.
reset_pictures();
my @people = qw(alice bob admin scenario_one scenario_two);
is statuses(at_once(map { (request(POST => 'reference-images/', $_)) x 6 } @people)), '201 x 25, 400 x 5',
    'five users fill their five slots concurrently';

# A slot that several photos compete for ----------------------------------------------------------

reset_pictures();
my @ids = map { json(call(POST => 'reference-images/', as => 'alice', json => { order => $_ }))->{id} } 0 .. 3;
my $free = 4;
for my $round (1 .. 10) {
    my @before = map { json(call(GET => "reference-images/$_/", as => 'alice'))->{order} } @ids;
    my @answers = at_once(map { patch($_, qq({"order": $free})) } @ids);
    is statuses(@answers), '200 x 1, 400 x 3', "round $round: one of four photos gets the free slot $free";
    is same(map { detail($_) } grep { /^HTTP\/1\.1 400/ } @answers), "Order $free is already in use",
        'the other photos get order_in_use';
    ($free) = map { $before[$_] } grep { $answers[$_] =~ /^HTTP\/1\.1 200/ } 0 .. 3;
}
my @answers = at_once(map { patch($_, qq({"order": $free, "name": "x"})) } (@ids) x 5);
my @winners = grep { $answers[$_] =~ /^HTTP\/1\.1 200/ } 0 .. 19;
is statuses(@answers), '200 x 5, 400 x 15', 'of 20 changes, five for each photo, those of one photo succeed';
is same(map { $_ % 4 } @winners), $winners[0] % 4, 'all successful changes are of the same photo';
is scalar(() = sql('SELECT DISTINCT "order" FROM reference_images')), 4, 'no two photos have the same slot';

my ($taken) = grep {
    my $o = $_;
    !grep { $o == $_ } split / /, orders()
} 0 .. 4;
@answers = at_once(
    (map { patch($_, qq({"order": $taken})) } @ids),
    (request(POST => 'reference-images/', 'alice', 'application/json', qq({"order": $taken}))) x 8
);
is same(map { /^HTTP\/1\.1 (2|4)/ ? $1 : substr $_, 0, 30 } @answers), '2 | 4',
    'concurrent creates and changes for the same slot succeed or are refused';
is scalar(grep { /^HTTP\/1\.1 2/ } @answers), 1, 'exactly one of them succeeds';

# Concurrent uploads for the same photo or identity -----------------------------------------------

reset_pictures();
my $photo = json(call(POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]]));
my $other = json(call(POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]]));
@answers = at_once((upload(POST => "reference-images/$photo->{id}/upload-image/", 'alice', $jpeg)) x 16);
is statuses(@answers), '200 x 16', '16 concurrent uploads for the same photo succeed';
my $now = json(call(GET => "reference-images/$photo->{id}/", as => 'alice'));
my ($shown) = $now->{image}{original} =~ m{media/($uuid)};
is scalar(grep { /\Q$shown\E.*"thumbnail"/ } @answers), 1, 'exactly one response shows the final picture';
is join(' ', map { call(GET => $_)->code } values %{ $now->{image} }), '200 200 200 200',
    'all sizes of the final picture can be fetched';
is scalar(grep { /$shown/ } stored_files()), 4, 'the final picture has four files';
is scalar(() = stored_files()), 8, 'the files of the 15 other uploads are gone';
is manifest(), 'live|8', 'the manifest has only the final picture and the other photo';
is join(' ', map { call(GET => $_)->code } values %{ $other->{image} }), '200 200 200 200',
    'the pictures of the other photo are untouched';

my $identity = identity_of('full');
@answers = at_once((upload(POST => "identities/$identity/upload-image/", 'scenario_one', $jpeg)) x 10);
is statuses(@answers), '200 x 10', 'ten concurrent uploads for the same identity succeed';
is manifest(), 'held|4, live|12', 'one picture of the identity is live, one is kept for a restore';
is scalar(() = stored_files()), 16, 'no other files are left';

# Concurrent uploads and deletes of a photo.
for my $round (1 .. 3) {
    reset_pictures();
    my $id = json(call(POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]]))->{id};
    my @all = (
        (upload(POST => "reference-images/$id/upload-image/", 'alice', $jpeg)) x 4,
        (request(DELETE => "reference-images/$id/", 'alice')) x 2
    );
    @answers = at_once(@all);
    is statuses(@answers[4, 5]), '204 x 1, 404 x 1',
        "round $round: one of two deletes during four uploads finds the photo";
    is same(map { /^HTTP\/1\.1 (200|404)/ ? 'fine' : $_ } @answers[0 .. 3]), 'fine',
        'each upload succeeds before the delete or finds nothing after it';
    is scalar(() = stored_files()), 0, 'no files are left';
    is manifest(), '', 'no objects are left in the manifest';
}

# Concurrent creates and deletes of a user's photos.
reset_pictures();
for my $round (1 .. 3) {
    my @there = map { $_->{id} } @{ json(call(GET => 'reference-images/', as => 'alice')) };
    @answers = at_once(
        (map { request(DELETE => "reference-images/$_/", 'alice') } @there),
        (upload(POST => 'reference-images/', 'alice', $jpeg)) x 10
    );
    is same(map { /^HTTP\/1\.1 (?:201|204|400)/ ? 'fine' : $_ } @answers), 'fine',
        "round $round: concurrent creates and deletes succeed or are refused";
    my $count = my @left = split / /, orders();
    is scalar(() = stored_files()), 4 * $count, "exactly the $count remaining photos have files";
}

is(
    (sql('SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'))[0], 0,
    'the database had no deadlocks'
);

finish();
