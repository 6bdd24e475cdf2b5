# admin_reference_images.t - staff list, make, change and delete all users' photos.
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
is $answer->code, 201, 'a photo is made for a user' or diag $answer->content;
like $answer->content,
    qr/^\{"id":"$uuid","user":"$alice","name":"Headshot","order":2,"image":null,"created_at":"$time","updated_at":"$time"\}$/,
    'with exactly these members';
my $made = json($answer);
is $answer->header('Location'), base_url() . "/api/v1/$list$made->{id}/", 'Location is its address here';
is call(GET => $answer->header('Location'), as => 'admin')->content, $answer->content, 'which answers the same bytes';
is call(GET => "reference-images/$made->{id}/", as => 'alice')->content, $answer->content, 'as does the user\'s own';
is join("\n", audit()), "admin\@example.com create reference_images name,order $made->{id}",
    'the audit log tells of it';
$answer = call(POST => $list, as => 'admin', parts => [user_id => $alice, name => 'With', image => [portrait()]]);
is $answer->code, 201, 'one may come with its picture';
my $with = json($answer);
is join(' ', map { call(GET => $with->{image}{$_})->code } qw(original thumbnail medium large)), '200 200 200 200',
    'which opens in all sizes';
is join("\n", audit()), "admin\@example.com create reference_images name,image $with->{id}",
    'the audit log tells of that too';
is json(call(POST => $list, as => 'admin', form => [user_id => uc $alice]))->{order}, 1,
    'a form will do; the lowest free slot is taken';
is json(create(user_id => $admin))->{user}, $admin, 'staff have photos as well';

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
    is refusal(patch($with->{id}, $change)), $expected, 'so is a change to that' if !exists $change->{user_id};
}
is refusal(call(POST => $list, as => 'admin', json => { name => 'x' })),
    '400 invalid user_id: This field is required.', 'a photo is of a user';
is refusal(call(POST => $list, as => 'admin', parts => [user_id => $nowhere, image => [portrait()]])),
    "404 not_found User $nowhere not found", 'of one who is there';
like refusal(call(
    POST => $list, as => 'admin', parts => [user_id => $alice, image => [undef, 'a.jpg', Content => 'no picture']]
    )),
    qr/^400 unsupported_image image: /, 'a text is no picture';
create() for 1 .. 2;
is refusal(create()), '400 max_images Maximum 5 reference images allowed', 'the limit is everybody\'s';
is scalar(() = stored_files()), 4, 'what was refused has left no files';
sql("DELETE FROM reference_images WHERE name = '' AND user_id = '$alice'");
audit();

# Change ------------------------------------------------------------------------------------------

my $before = row($with->{id});
is_deeply undated(json(patch($with->{id}, $_))), undated($with), 'a change of nothing answers the photo' for { }
, { user => $bob, user_id => $bob, id => $nowhere, image => $null };
is row($with->{id}), $before, 'and changes nothing';
is join('', audit()), '', 'nor tells the audit log';
is_deeply { %{ undated(json(patch($with->{id}, { name => 'New', order => 4 }))) }, updated_at => 0 },
    { %{ undated($with) }, name => 'New', order => 4, updated_at => 0 }, 'name and order change, the rest stays';
is refusal(patch($with->{id}, { order => 2 })), '400 order_in_use order: Order 2 is already in use',
    'a slot that is taken is not';
is patch($with->{id}, { order => 2 }, '?swap=true')->code, 200, 'but with swap';
is orders('alice'), 'New2 Headshot4', 'two photos exchange theirs';
is join("\n", audit()),
    join("\n", map { "admin\@example.com change reference_images $_ $with->{id}" } 'name,order', 'order'),
    'the audit log tells of it';
is refusal(patch($with->{id}, { order => $null })), '400 invalid order: This field may not be null.',
    'a photo has a slot';
is refusal(patch($with->{id}, { order => 1 }, '?swap=maybe')), '400 invalid swap: Must be a valid boolean.',
    'a swap is or is not';
is call(
    POST => "reference-images/$with->{id}/upload-image/?user_id=$alice", as => 'admin',
    parts => [image => [portrait()]]
)->code, 200, 'another picture is put in as ever';
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
is found("user_id=$alice"), 'New Headshot', 'a user\'s photos, the newest first';
is found('has_image=true'), 'New', 'those with a picture';
is found("has_image=0&user_id=$alice"), 'Headshot', 'those without';
is found("has_image=&user_id="), ' New Headshot', 'all users\'';
is found('search=ALICE%40example'), 'New Headshot', 'searched for by their user\'s email';
is found('search=alice+HEAD'), 'Headshot', 'and name';
is found('search=bob'), '', 'who has none has none';
is found("user_id=$nowhere"), '', 'nor has nobody';
like((results("$list?has_image=1"))[0]{image}{medium}, qr/^http.*-300x300/, 'lists show pictures');

# Five slots a user: many users.
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
is scalar(() = stored_files()), 4, 'a photo has its four files';
$answer = remove($with->{id});
is $answer->code . $answer->content, '204', 'it is deleted';
is refusal(remove($with->{id})), '404 not_found Not found.', 'once';
is join("\n", audit()), "admin\@example.com delete reference_images  $with->{id}", 'the audit log tells of it';
is scalar(() = stored_files()), 0, 'its files are gone';
is orders('alice'), 'Headshot4', 'the other photo is there';

# At the same time --------------------------------------------------------------------------------

sql('DELETE FROM reference_images');
my @answers = at_once(
    (request_of(POST => $list, 'admin', { user_id => $alice })) x 10,
    (request_of(POST => 'reference-images/', 'alice', {})) x 10
);
is status_of(sort { substr($a, 9, 3) <=> substr($b, 9, 3) } @answers), join(' ', (201) x 5, (400) x 15),
    'of twenty creates, by staff and by the user, five are made';
is scalar(grep { / create reference_images / } audit()), scalar(grep { /^HTTP\/1\.1 201/ } @answers[0 .. 9]),
    'those by staff are in the audit log';

# Who is staff no more when the transaction looks, is not.
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
    is $created + $forbidden, 4, "round $round: photos are made by staff, or refused";
    is + (sql("SELECT count(*) FROM audit_log WHERE actor = '$bob' AND action = 'create'"))[0],
        (sql("SELECT count(*) FROM reference_images"))[0], 'and each that is made is in the audit log';
    sql(
        "UPDATE users SET is_staff = true WHERE id = '$bob'; DELETE FROM reference_images; DELETE FROM audit_log WHERE "
            . "actor = '$bob'");
}

fresh_data();
finish();
