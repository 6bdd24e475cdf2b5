# admin_identities.t - staff list, create, change and delete the identities of all users.
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
my ($alice, $bob) = map { person($_) } qw(alice bob);
my ($full, $bare) = map { identity_of($_) } qw(full bare);
my $list = 'admin/identities/';

my $none = \'left out';

sub create {
    my %body = (user_id => $alice, name => 'Maker', category => 'maker_of_money', @_);
    delete $body{$_} for grep { ref $body{$_} && $body{$_} == $none } keys %body;
    return call(POST => $list, as => 'admin', json => \%body);
}
sub patch { my ($id, %change) = @_; return call(PATCH => "$list$id/", as => 'admin', json => \%change) }
sub remove { my ($id) = @_; return call(DELETE => "$list$id/", as => 'admin') }
sub row { my ($id) = @_; return (sql("SELECT * FROM identities WHERE id = '$id'"))[0] }

check_access($list, $full, { user_id => $alice, name => 'x', category => 'y' });

# Create ------------------------------------------------------------------------------------------

my $answer = create();
is $answer->code, 201, 'an identity is created' or diag $answer->content;
like $answer->content,
    qr/^\{"id":"$uuid","user":"$alice","name":"Maker","category":"maker_of_money","i_am_statement":null,"visualization":null,"notes":\[\],"image":null,"created_at":"$time","updated_at":"$time"\}$/,
    'a created identity has exactly these members';
my $made = json($answer);
is $answer->header('Location'), base_url() . "/api/v1/$list$made->{id}/", 'Location is the URL of the identity';
is call(GET => $answer->header('Location'), as => 'admin')->content, $answer->content,
    'GET of the Location returns the same bytes';
is join("\n", audit()), "admin\@example.com create identities user_id,name,category $made->{id}",
    'the audit log has the create';
my %words = (
    name => '模' x 255, category => "a\"b\\c", i_am_statement => 'é' x 10_000, visualization => "two\nlines",
    notes => ['a, b', ' {"c\\d"} ', 'NULL', '模' x 2000, ('n') x 96]
);
$answer = create(%words, id => $full, user => $bob, image => 'x', created_at => 1, nonsense => {});
is $answer->code, 201, 'texts and lists of the maximum size are accepted';
my $words = json($answer);
is_deeply { map { $_ => $words->{$_} } keys %words, 'user' },
    { %words, notes => [map { s/^\s+|\s+$//gr } @{ $words{notes} }], user => $alice },
    'texts are trimmed, read-only members are ignored';
is_deeply json(call(GET => "$list$words->{id}/", as => 'admin')), $words, 'GET returns the texts as stored';
$answer = call(
    POST => $list, as => 'admin',
    form =>
        [user_id => $bob, name => 'Form', category => 'c', notes => 'one, two', notes => 'three', i_am_statement => '']
);
is_deeply [$answer->code, @{ json($answer) }{qw(user notes i_am_statement visualization)}],
    [201, $bob, ['one, two', 'three'], '', undef], 'a form creates an identity, with one field per note';
is_deeply json(
    call(POST => $list, as => 'admin', form => [user_id => $bob, name => 'Form', category => 'c', notes => '']))
    ->{notes}, [], 'an empty notes field in a form means no notes';
is_deeply [map { $_->{name} } @{ json(call(GET => 'users/me/identities/', as => 'bob')) }], ['Form', 'Form'],
    'the user sees their new identities';
unlike join("\n", sql('SELECT * FROM audit_log')), qr/Form|one, two/, 'the audit log contains no texts';
audit();

my $count = (sql('SELECT count(*) FROM identities'))[0];
my @both = (
    [{ user_id => $null }, '400 invalid user_id: This field may not be null.'],
    [{ user_id => '' }, '400 invalid user_id: This field may not be null.'],
    [{ user_id => 'alice' }, '400 invalid user_id: Must be a valid UUID.'],
    [{ user_id => 1 }, '400 invalid user_id: Must be a valid UUID.'],
    [{ user_id => $nowhere }, "404 not_found User $nowhere not found"],
    [{ name => $null }, '400 invalid name: This field may not be null.'],
    [{ name => " \t" }, '400 invalid name: This field may not be blank.'],
    [{ name => 'x' x 256 }, '400 invalid name: Ensure this field has no more than 255 characters.'],
    [{ name => ['x'] }, '400 invalid name: Not a valid string.'],
    [{ name => "a\0b" }, '400 invalid name: Null characters are not allowed.'],
    [{ category => $null }, '400 invalid category: This field may not be null.'],
    [{ category => '' }, '400 invalid category: This field may not be blank.'],
    [{ category => 'x' x 256 }, '400 invalid category: Ensure this field has no more than 255 characters.'],
    [
        { i_am_statement => 'x' x 10_001 },
        '400 invalid i_am_statement: Ensure this field has no more than 10000 characters.'
    ],
    [{ i_am_statement => 1 }, '400 invalid i_am_statement: Not a valid string.'],
    [
        { visualization => '模' x 10_001 },
        '400 invalid visualization: Ensure this field has no more than 10000 characters.'
    ],
    [{ notes => $null }, '400 invalid notes: This field may not be null.'],
    [{ notes => 'text' }, '400 invalid notes: Expected a list of texts.'],
    [{ notes => {} }, '400 invalid notes: Expected a list of texts.'],
    [{ notes => [1] }, '400 invalid notes: Not a valid string.'],
    [{ notes => [$null] }, '400 invalid notes: Not a valid string.'],
    [{ notes => [['a']] }, '400 invalid notes: Not a valid string.'],
    [{ notes => ['a', ' '] }, '400 invalid notes: This field may not be blank.'],
    [{ notes => ["a\0"] }, '400 invalid notes: Null characters are not allowed.'],
    [{ notes => ['x' x 2001] }, '400 invalid notes: Ensure this field has no more than 2000 characters.'],
    [{ notes => [('x') x 101] }, '400 invalid notes: At most 100 items.'],
);
for my $case ((map { [{ $_ => $none }, "400 invalid $_: This field is required."] } qw(user_id name category)), @both) {
    my ($change, $expected) = @$case;
    my ($name, $value) = %$change;
    my $left_out = ref $value && $value == $none;
    my $what = $left_out ? "without $name" : 'with ' . substr JSON::PP->new->canonical->encode($change), 0, 50;
    is refusal(create(%$change)), $expected, "a new identity $what is refused";
    is refusal(patch($full, %$change)), $expected, "a change of an identity $what is refused" if !$left_out;
}
is refusal(call(
    POST => $list, as => 'admin',
    parts => [user_id => $bob, name => 'x', category => 'c', notes => [undef, 'a.txt', Content => 'x']]
    )),
    '400 invalid notes: Not a valid string.', 'a file is refused as a note';
is + (sql('SELECT count(*) FROM identities'))[0], $count, 'refused creates leave no rows';
is join('', audit()), '', 'refused creates and changes are not in the audit log';

# Change ------------------------------------------------------------------------------------------

my $now = json(call(GET => "$list$full/", as => 'admin'));
my $before = row($full);
for my $change (
    {}, { map { $_ => $now->{$_} } qw(name category i_am_statement visualization notes) },
    { user_id => uc $now->{user}, name => " $now->{name} " },
    { id => $bare, user => $alice, image => $null, updated_at => 1, version => 7 }
) {
    is_deeply json(patch($full, %$change)), $now, 'a change without effect returns the row';
}
is row($full), $before, 'a change without effect leaves the row and updated_at unchanged';
is join('', audit()), '', 'a change without effect is not in the audit log';
my $changed = json(patch($full, name => 'New', i_am_statement => $null, visualization => '', notes => []));
is_deeply { %$changed, updated_at => 0 },
    { %$now, name => 'New', i_am_statement => undef, visualization => '', notes => [], updated_at => 0 },
    'given members change, the others stay';
cmp_ok $changed->{updated_at}, 'gt', $now->{updated_at}, 'a change sets updated_at';
is join("\n", audit()), "admin\@example.com change identities name,i_am_statement,visualization,notes $full",
    'the audit log has the names of the changed members';
is json(patch($full, user_id => $bob))->{user}, $bob, 'an identity can be moved to another user';
is_deeply [map { $_->{id} } grep { $_->{id} eq $full } @{ json(call(GET => 'users/me/identities/', as => 'bob')) }],
    [$full], 'the new owner has the identity';
patch($full, user_id => $now->{user});
is refusal(patch($nowhere, name => 'x')), '404 not_found Not found.', 'a change of a missing identity is 404';
is join(
    ' ',
    map { status_of($_) } at_once(
        map { request_of(PATCH => "$list$full/", 'admin', $_) } { name => 'A' }, { category => 'b' },
        { visualization => 'c' }, { notes => ['d'] }
    )
    ),
    '200 200 200 200', 'concurrent changes of different members all succeed';
is_deeply [@{ json(call(GET => "$list$full/", as => 'admin')) }{qw(name category visualization notes)}],
    ['A', 'b', 'c', ['d']], 'concurrent changes do not overwrite one another';
audit();

# List --------------------------------------------------------------------------------------------

check_query(
    $list, ['user_id=x', '400 invalid user_id: Must be a valid UUID.'],
    ['category=' . 'x' x 256, '400 invalid category: Ensure this field has no more than 255 characters.'],
    ['category=%ff', '400 invalid category: Not a valid string.']
);
my $make = sub {
    my ($text) = @_;
    return json(create(user_id => $bob, name => 'n', category => 'c', i_am_statement => $text))->{id};
};
check_search($list, $make, sub { remove(@_) });
sql("DELETE FROM identities WHERE user_id = '$bob'");
check_pages($list, "user_id=$bob", $make, sub { remove(@_) });

sub names {
    my ($query) = @_;
    return join ' | ', map { $_->{name} } results("$list?$query");
}
fresh_data();
is names('search=RUNNER'), 'Runner', 'search matches names';
is names('search=keeper_of'), 'Café 模範 🎨', 'search matches categories';
is names('search=I+am+steady'), 'Runner', 'search matches statements';
is names('search=sunlit'), '', 'search ignores visualizations';
is names('category=maker_of_money'), 'Quiet "Maker"', 'the category filter matches a whole category';
is names('category=maker'), '', 'the category filter does not match a part of a category';
is names("user_id=" . uc person('scenario_two')), 'Runner | Café 模範 🎨', 'a user\'s alone';
is names("user_id=" . person('scenario_two') . '&search=caf%C3%A9&category=keeper_of_the_home'), 'Café 模範 🎨',
    'filters and search can be combined';
is names("user_id=$nowhere"), '', 'an unknown user_id gives an empty list';

check_retries(
    $list, { user_id => $bob, name => 'Again', category => 'c' }, { notes => ['x'] },
    { user_id => $bob, name => 'Other', category => 'c' }
);

# Delete ------------------------------------------------------------------------------------------

audit();
call(POST => "identities/$full/upload-image/", as => 'admin', parts => [image => [portrait()]]) for 1 .. 2;
call(POST => "identities/$bare/upload-image/", as => 'admin', parts => [image => [portrait()]]);
like json(call(GET => "$list$full/", as => 'admin'))->{image}{large}, qr/^http.*600x600/,
    'an identity has URLs of its picture';
like(
    (results("$list?search=quiet"))[0]{image}{original}, qr/^http/,
    'identities in a list have URLs of their pictures'
);
is scalar(() = stored_files()), 12, 'two identities have three pictures, one of them kept for a restore';
audit();
$answer = remove($full);
is $answer->code . $answer->content, '204', 'an identity is deleted';
is refusal(remove($full)), '404 not_found Not found.', 'once';
is join("\n", audit()), "admin\@example.com delete identities  $full", 'the audit log has the delete';
is scalar(() = stored_files()), 4, 'the files of the deleted pictures are gone, including the kept one';
is join(' ', sql('SELECT state, count(*) FROM stored_objects GROUP BY state')), 'live|4',
    "the manifest has only the other identity's objects";

fresh_data();
finish();
