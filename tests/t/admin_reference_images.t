# admin_reference_images.t - staff list, create, change and delete the photos of all users.
use strict;
use warnings;
use utf8;
use IdentityImg::Admin;
use IdentityImg::Test;
use JSON::PP ();
use Test::More;

fresh_data();
audit();

my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
my $time = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/;
my $nowhere = '00000000-0000-4000-8000-0000000009ff';
my $null = JSON::PP::null;
my ($admin, $alice, $bob) = map { person($_) } qw(admin alice bob);
my $list = 'admin/reference-images/';

sub create { return call(POST => $list, as => 'admin', json => { user_id => $alice, @_ }) }

sub patch {
    my ($id, $change, $query) = @_;
    return call(PATCH => "$list$id/" . ($query // ''), as => 'admin', json => $change);
}
sub remove { my ($id) = @_; return call(DELETE => "$list$id/", as => 'admin') }
sub row { my ($id) = @_; return (sql("SELECT * FROM reference_images WHERE id = '$id'"))[0] }

sub orders {
    my ($who) = @_;
    return join ' ', map { "$_->{name}$_->{order}" } @{ json(call(GET => 'reference-images/', as => $who)) };
}

my $photo = json(call(POST => 'reference-images/', as => 'bob', json => { name => 'Mine' }));
check_access($list, $photo->{id}, { user_id => $alice });
sql('DELETE FROM reference_images');

# Create ------------------------------------------------------------------------------------------

my $answer = create(name => ' Headshot ', order => 2, id => $nowhere, user => $bob, created_at => 1);
is $answer->code, 201, 'a photo is created for a user' or diag $answer->content;
like $answer->content,
    qr/^\{"id":"$uuid","user":"$alice","name":"Headshot","order":2,"image":null,"created_at":"$time","updated_at":"$time"\}$/,
    'a created photo has exactly these members';
my $made = json($answer);
is $answer->header('Location'), base_url() . "/api/v1/$list$made->{id}/", 'Location is the URL below admin/';
is call(GET => $answer->header('Location'), as => 'admin')->content, $answer->content,
    'GET of the Location returns the same bytes';
is call(GET => "reference-images/$made->{id}/", as => 'alice')->content, $answer->content,
    "the user's own route returns the same bytes";
is join("\n", audit()), "admin\@example.com create reference_images name,order $made->{id}",
    'the audit log has the create';
$answer = call(POST => $list, as => 'admin', parts => [user_id => $alice, name => 'With', image => [portrait()]]);
is $answer->code, 201, 'a photo can be created with its picture';
my $with = json($answer);
is join(' ', map { call(GET => $with->{image}{$_})->code } qw(original thumbnail medium large)), '200 200 200 200',
    'all sizes of the picture can be fetched';
is join("\n", audit()), "admin\@example.com create reference_images name,image $with->{id}",
    'the audit log has the create with a picture';
is json(call(POST => $list, as => 'admin', form => [user_id => uc $alice]))->{order}, 1,
    'a form creates a photo in the lowest free slot';
is json(create(user_id => $admin))->{user}, $admin, 'staff can have photos, too';

for my $case (
    [{ user_id => $null }, '400 invalid user_id: This field may not be null.'],
    [{ user_id => '' }, '400 invalid user_id: This field may not be null.'],
    [{ user_id => 'alice' }, '400 invalid user_id: Must be a valid UUID.'],
    [{ user_id => $nowhere }, "404 not_found User $nowhere not found"],
    [{ order => 2 }, '400 order_in_use order: Order 2 is already in use'],
    [{ order => 5 }, '400 order_range order: Order must be between 0 and 4'],
    [{ order => JSON::PP::true }, '400 invalid order: A valid integer is required.'],
    [{ name => 'x' x 256 }, '400 invalid name: Ensure this field has no more than 255 characters.'],
    [{ name => "\0" }, '400 invalid name: Null characters are not allowed.'],
) {
    my ($change, $expected) = @$case;
    my $what = substr JSON::PP->new->canonical->encode($change), 0, 50;
    is refusal(create(%$change)), $expected, "a new photo with $what is refused";
    is refusal(patch($with->{id}, $change)), $expected, "a change of a photo to $what is refused"
        if !exists $change->{user_id};
}
is refusal(call(POST => $list, as => 'admin', json => { name => 'x' })),
    '400 invalid user_id: This field is required.', 'a create without user_id is refused';
is refusal(call(POST => $list, as => 'admin', parts => [user_id => $nowhere, image => [portrait()]])),
    "404 not_found User $nowhere not found", 'a create for an unknown user is refused';
like refusal(call(
    POST => $list, as => 'admin', parts => [user_id => $alice, image => [undef, 'a.jpg', Content => 'no picture']]
    )),
    qr/^400 unsupported_image image: /, 'a text is refused as a picture';
create() for 1 .. 2;
is refusal(create()), '400 max_images Maximum 5 reference images allowed',
    "the limit of five photos applies to staff's creates";
is scalar(() = stored_files()), 4, 'refused creates leave no files';
sql("DELETE FROM reference_images WHERE name = '' AND user_id = '$alice'");
audit();

# Change ------------------------------------------------------------------------------------------

my $before = row($with->{id});
is_deeply undated(json(patch($with->{id}, $_))), undated($with), 'a change without effect returns the photo' for { }
, { user => $bob, user_id => $bob, id => $nowhere, image => $null };
is row($with->{id}), $before, 'a change without effect leaves the row unchanged';
is join('', audit()), '', 'a change without effect is not in the audit log';
is_deeply { %{ undated(json(patch($with->{id}, { name => 'New', order => 4 }))) }, updated_at => 0 },
    { %{ undated($with) }, name => 'New', order => 4, updated_at => 0 },
    'name and order change, the other members stay';
is refusal(patch($with->{id}, { order => 2 })), '400 order_in_use order: Order 2 is already in use',
    'a slot in use is refused';
is patch($with->{id}, { order => 2 }, '?swap=true')->code, 200, 'a slot in use is accepted with swap';
is orders('alice'), 'New2 Headshot4', 'swap exchanges the slots of two photos';
is join("\n", audit()),
    join("\n", map { "admin\@example.com change reference_images $_ $with->{id}" } 'name,order', 'order'),
    'the audit log has both changes';
is refusal(patch($with->{id}, { order => $null })), '400 invalid order: This field may not be null.',
    'an order of null is refused';
is refusal(patch($with->{id}, { order => 1 }, '?swap=maybe')), '400 invalid swap: Must be a valid boolean.',
    'an invalid value of swap is refused';
is call(
    POST => "reference-images/$with->{id}/upload-image/?user_id=$alice", as => 'admin',
    parts => [image => [portrait()]]
)->code, 200, 'the picture can be replaced through reference-images/';
audit();

# List --------------------------------------------------------------------------------------------

check_query(
    $list, ['user_id=x', '400 invalid user_id: Must be a valid UUID.'],
    ['has_image=x', '400 invalid has_image: Must be a valid boolean.']
);

sub found {
    my ($query) = @_;
    return join ' ', map { $_->{name} } results("$list?$query");
}
is found("user_id=$alice"), 'New Headshot', 'the photos of a user are listed newest first';
is found('has_image=true'), 'New', 'has_image=true lists photos with a picture';
is found("has_image=0&user_id=$alice"), 'Headshot', 'has_image=0 lists photos without a picture';
is found("has_image=&user_id="), ' New Headshot', 'empty filters list the photos of all users';
is found('search=ALICE%40example'), 'New Headshot', "search matches the user's email";
is found('search=alice+HEAD'), 'Headshot', 'search matches names';
is found('search=bob'), '', 'search for a user without photos finds nothing';
is found("user_id=$nowhere"), '', 'an unknown user_id gives an empty list';
like(
    (results("$list?has_image=1"))[0]{image}{medium}, qr/^http.*-300x300/,
    'photos in a list have URLs of their pictures'
);

# A user has only five slots, so the rows need many users.
sql(
    "INSERT INTO users (id, email) SELECT ('00000000-0000-4000-9000-' || lpad(i::text, 12, '0'))::uuid, 'slots' || i "
        . "|| '\@example.com' FROM generate_series(1, 20) i");
my $n = 0;
my $make = sub {
    return json(create(user_id => sprintf('00000000-0000-4000-9000-%012d', ++$n % 20 + 1), name => $_[0]))->{id};
};
check_search($list, $make, sub { remove(@_) });
check_pages($list, 'search=page', $make, sub { remove(@_) });
sql("DELETE FROM users WHERE email LIKE 'slots%'");

check_retries($list, { user_id => $alice, name => 'Again' }, { name => 'x' }, { user_id => $alice, name => 'Other' });

# Delete ------------------------------------------------------------------------------------------

audit();
is scalar(() = stored_files()), 4, 'a photo has four files';
$answer = remove($with->{id});
is $answer->code . $answer->content, '204', 'a photo is deleted';
is refusal(remove($with->{id})), '404 not_found Not found.', 'once';
is join("\n", audit()), "admin\@example.com delete reference_images  $with->{id}", 'the audit log has the delete';
is scalar(() = stored_files()), 0, 'the files of the deleted photo are gone';
is orders('alice'), 'Headshot4', 'the other photo is still there';

# Concurrent requests -----------------------------------------------------------------------------

sql('DELETE FROM reference_images');
my @answers = at_once(
    (request_of(POST => $list, 'admin', { user_id => $alice })) x 10,
    (request_of(POST => 'reference-images/', 'alice', {})) x 10
);
is status_of(sort { substr($a, 9, 3) <=> substr($b, 9, 3) } @answers), join(' ', (201) x 5, (400) x 15),
    'five of twenty concurrent creates by staff and user succeed';
is scalar(grep { / create reference_images / } audit()), scalar(grep { /^HTTP\/1\.1 201/ } @answers[0 .. 9]),
    'the audit log has exactly the creates by staff';

# A caller who loses staff rights before the transaction checks them is refused.
sql("UPDATE users SET is_staff = true WHERE id = '$bob'; DELETE FROM reference_images");
for my $round (1 .. 5) {
    @answers = at_once(
        request_of(PATCH => "admin/users/$bob/", 'admin', { is_staff => JSON::PP::false }),
        (request_of(POST => $list, 'bob', { user_id => $alice })) x 4
    );
    my ($created, $forbidden) = map {
        my $status = $_;
        scalar grep { /^HTTP\/1\.1 $status/ } @answers[1 .. 4]
    } 201, 403;
    is $created + $forbidden, 4, "round $round: each create succeeds or is forbidden";
    is + (sql("SELECT count(*) FROM audit_log WHERE actor = '$bob' AND action = 'create'"))[0],
        (sql("SELECT count(*) FROM reference_images"))[0], 'the audit log has exactly the successful creates';
    sql(
        "UPDATE users SET is_staff = true WHERE id = '$bob'; DELETE FROM reference_images; DELETE FROM audit_log WHERE "
            . "actor = '$bob'");
}

fresh_data();
finish();
