# admin_test_scenarios.t - staff list, create, change and delete test scenarios.
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
my ($alice, $one) = map { person($_) } qw(alice scenario_one);
my $first = '00000000-0000-4000-8000-0000000000e1';
my $list = 'admin/test-scenarios/';

sub create { return call(POST => $list, as => 'admin', json => { name => 'New', @_ }) }
sub patch { my ($id, %change) = @_; return call(PATCH => "$list$id/", as => 'admin', json => \%change) }
sub remove { my ($id) = @_; return call(DELETE => "$list$id/", as => 'admin') }
sub row { my ($id) = @_; return (sql("SELECT * FROM test_scenarios WHERE id = '$id'"))[0] }

sub players {
    return join ' ',
        map { $_->{name} } grep { $_->{is_test_user} } @{ json(call(GET => 'image-generation/users/', as => 'admin')) };
}

check_access($list, $first, { name => 'x' });

my $answer = create(id => $first, created_at => 1, user => $alice, nonsense => 1);
is $answer->code, 201, 'a scenario is created';
like $answer->content, qr/^\{"id":"$uuid","name":"New","user":null,"user_email":null,"created_at":"$time"\}$/,
    'a created scenario has exactly these members; read-only and unknown ones are ignored';
my $made = json($answer);
is $answer->header('Location'), base_url() . "/api/v1/$list$made->{id}/", 'Location is the URL of the scenario';
is call(GET => $answer->header('Location'), as => 'admin')->content, $answer->content,
    'GET of the Location returns the same bytes';
is_deeply [@{ json(create(user_id => uc $alice)) }{qw(user user_email)}], [$alice, 'alice@example.com'],
    'a scenario can have a user';
is_deeply [@{ json(create(user_id => $_)) }{qw(user user_email)}], [undef, undef],
    'a scenario can explicitly have no user' for $null, '';
is call(POST => $list, as => 'admin', form => [name => 'Form', user_id => $alice])->code, 201,
    'a form creates a scenario';
is call(POST => $list, as => 'admin', json => { name => '模' x 255 })->code, 201, 'a name of 255 characters is accepted';
my @told = audit();
is $told[0], "admin\@example.com create test_scenarios name $made->{id}", 'the audit log has the create';
like $told[1], qr/^admin\@example\.com create test_scenarios name,user_id $uuid$/,
    'the audit log has the create with a user';
is scalar(@told), 6, 'once';
is players(), 'Form New Scenario One Scenario Two', 'image-generation/users/ lists the scenarios with a user';

for my $case (
    [{ name => $null }, '400 invalid name: This field may not be null.'],
    [{ name => ' ' }, '400 invalid name: This field may not be blank.'],
    [{ name => 'x' x 256 }, '400 invalid name: Ensure this field has no more than 255 characters.'],
    [{ name => {} }, '400 invalid name: Not a valid string.'],
    [{ name => "\0x" }, '400 invalid name: Null characters are not allowed.'],
    [{ user_id => 'x' }, '400 invalid user_id: Must be a valid UUID.'],
    [{ user_id => [] }, '400 invalid user_id: Must be a valid UUID.'],
    [{ user_id => $nowhere }, "404 not_found User $nowhere not found"],
) {
    my ($change, $expected) = @$case;
    my $what = substr JSON::PP->new->canonical->encode($change), 0, 50;
    is refusal(create(%$change)), $expected, "a new scenario with $what is refused";
    is refusal(patch($first, %$change)), $expected, "a change of a scenario to $what is refused";
}
is refusal(call(POST => $list, as => 'admin', json => {})), '400 invalid name: This field is required.',
    'a create without a name is refused';

audit();
my $before = row($first);
my $now = call(GET => "$list$first/", as => 'admin')->content;
is patch($first, %$_)->content, $now, 'a change without effect returns the row' for { }
, { name => 'Scenario One ', user_id => $one }, { user => $alice, id => $nowhere, user_email => 'x' };
is row($first), $before, 'a change without effect leaves the row unchanged';
is join('', audit()), '', 'a change without effect is not in the audit log';
is_deeply [@{ json(patch($first, name => 'Renamed', user_id => $alice)) }{qw(name user user_email)}],
    ['Renamed', $alice, 'alice@example.com'], 'name and user can be changed';
is_deeply [@{ json(patch($first, user_id => $null)) }{qw(name user user_email)}], ['Renamed', undef, undef],
    'the user can be removed';
is join("\n", audit()),
    join("\n", map { "admin\@example.com change test_scenarios $_ $first" } 'name,user_id', 'user_id'),
    'the audit log has the names of the changed members';
is refusal(patch($nowhere, name => 'x')), '404 not_found Not found.', 'a change of a missing scenario is 404';

sql("DELETE FROM test_scenarios WHERE name IN ('New', 'Form')");
check_query($list);
my $make = sub { return json(create(name => $_[0]))->{id} };
check_search($list, $make, sub { remove(@_) });
check_pages($list, 'search=page', $make, sub { remove(@_) });
is join(' ', map { $_->{name} } results("$list?search=SCENARIO-two%40example")), 'Scenario Two',
    "search matches the user's email";

my $tag = call(GET => "$list$first/", as => 'admin')->header('ETag');
sub changed { return call(GET => "$list$first/", as => 'admin', headers => ['If-None-Match' => $tag])->code }
is changed(), 304, 'If-None-Match with the current ETag is 304';
patch($first, user_id => $alice);
is changed(), 200, 'another user changes the ETag';
$tag = call(GET => "$list$first/", as => 'admin')->header('ETag');
call(PATCH => "admin/users/$alice/", as => 'admin', json => { first_name => 'Alma' });
is changed(), 304, "a change of the user's first name does not change the ETag";
call(PATCH => "admin/users/$alice/", as => 'admin', json => { email => 'alma@example.com' });
is changed(), 200, "a change of the user's email changes the ETag";
call(PATCH => "admin/users/$alice/", as => 'admin', json => { email => 'alice@example.com', first_name => 'Alice' });

check_retries($list, { name => 'Again' }, { user_id => $alice }, { name => 'Other' });

audit();
patch($first, user_id => $alice);
$answer = remove($first);
is $answer->code . $answer->content, '204', 'a scenario is deleted';
is refusal(remove($first)), '404 not_found Not found.', 'once';
is + (audit())[-1], "admin\@example.com delete test_scenarios  $first", 'the audit log has the delete';
is call(GET => 'users/me/', as => 'alice')->code, 200, 'the user of a deleted scenario remains';

fresh_data();
finish();
