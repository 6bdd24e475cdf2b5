# admin_users.t - staff list, create, change and delete users; the audit log records it.
use strict;
use warnings;
use utf8;
use IdentityImg::Admin;
use IdentityImg::Test;
use JSON::PP ();
use Test::More;

fresh_data();
sql('DELETE FROM audit_log');
expect_log(qr/AH01617/);    # mod_auth_basic: wrong password

my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
my $time = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/;
my ($true, $false, $null) = (JSON::PP::true, JSON::PP::false, JSON::PP::null);
my ($admin, $alice, $bob) = map { person($_) } qw(admin alice bob);

sub create { return call(POST => 'admin/users/', as => 'admin', json => { email => 'new@example.com', @_ }) }
sub patch { my ($id, %change) = @_; return call(PATCH => "admin/users/$id/", as => 'admin', json => \%change) }
sub remove { my ($id) = @_; return call(DELETE => "admin/users/$id/", as => 'admin') }

sub enters {
    my ($email, $password) = @_;
    return call(GET => 'users/me/', headers => [Authorization => login($email, $password)])->code;
}
sub row { my ($id) = @_; return (sql("SELECT * FROM users WHERE id = '$id'"))[0] }

check_access('admin/users/', $bob, { email => 'x@example.com' });
audit();

# Create ------------------------------------------------------------------------------------------

my $answer = create(
    password => 'correct horse', first_name => ' Nia ', last_name => 'Neu', id => $bob, created_at => 'never',
    has_password => $false, nonsense => [1]
);
is $answer->code, 201, 'a user is created' or diag $answer->content;
like $answer->content,
    qr/^\{"id":"$uuid","email":"new\@example.com","first_name":"Nia","last_name":"Neu","is_staff":false,"is_active":true,"has_password":true,"created_at":"$time"\}$/,
    'a created user has exactly these members; read-only and unknown ones are ignored';
my $new = json($answer);
my $made_by = $answer->header('X-Request-Id');
is $answer->header('Location'), base_url() . "/api/v1/admin/users/$new->{id}/", 'Location is the URL of the user';
is call(GET => $answer->header('Location'), as => 'admin')->content, $answer->content,
    'GET of the Location returns the same bytes';
is enters('new@example.com', 'correct horse'), 200, 'the new user can log in with the password';
is enters('new@example.com', 'Correct horse'), 401, 'a wrong password is refused';
like + (sql("SELECT password FROM users WHERE id = '$new->{id}'"))[0], qr/^\$2y\$\d\d\$.{53}$/,
    'the password is stored as bcrypt';
is join("\n", audit()), "admin\@example.com create users email,first_name,last_name,password $new->{id}",
    'the audit log has the actor and the names of the members';
is + (sql("SELECT request_id FROM audit_log WHERE row_id = '$new->{id}'"))[0], $made_by,
    'the audit log has the id of the request';
unlike join("\n", sql('SELECT * FROM audit_log')), qr/horse|Nia|\$2y/, 'the audit log contains no values';
unlike join("\n", log_lines('all')), qr/correct horse/, 'the error log contains no password';

$answer = create(email => 'plain@example.com', is_staff => $true, is_active => $false);
my $plain = json($answer);
is join(' ', $answer->code, map { $plain->{$_} ? 1 : 0 } qw(is_staff is_active has_password)), '201 1 0 0',
    'a user can be staff, inactive, and without a password';
is enters('plain@example.com', ''), 401, 'a user without a password cannot log in with an empty one';
is call(
    POST => 'admin/users/', as => 'admin',
    form => [email => 'form@example.com', is_staff => 'on', password => 'pass word ']
)->code, 201, 'a form creates a user';
is enters('form@example.com', 'pass word '), 200, 'a password keeps its trailing blank';
is enters('form@example.com', 'pass word'), 401, 'the password without its trailing blank is refused';
audit();

my $count = (sql('SELECT count(*) FROM users'))[0];
my $invalid = '400 invalid email: Enter a valid email address.';
for my $case (
    [{ email => $null }, '400 invalid email: This field may not be null.'],
    [{ email => '' }, '400 invalid email: This field may not be blank.'],
    [{ email => ' ' }, '400 invalid email: This field may not be blank.'],
    [{ email => 5 }, '400 invalid email: Not a valid string.'],
    [{ email => ['a@example.com'] }, '400 invalid email: Not a valid string.'],
    [{ email => "a\0\@example.com" }, '400 invalid email: Null characters are not allowed.'],
    [{ email => 'x' x 243 . '@example.com' }, '400 invalid email: Ensure this field has no more than 254 characters.'],
    (
        map { [{ email => $_ }, $invalid] } 'a', 'a@', '@a', '@', 'a@b@c', 'a b@example.com', "a\tb\@example.com",
        "a\n\@example.com", "a\x{a0}b\@example.com", "a\x{85}b\@example.com", "a\x{200a}b\@example.com",
        "a\x7f\@example.com", 'a@.example.com', 'a@example.com.', 'a@example..com', 'a:b@example.com',
        '"a"@example.com', '<a@example.com>', 'Ann <a@example.com>', 'a,b@example.com', 'a;b@example.com',
        'a(b)@example.com', 'a\\b@example.com', 'a[1]@example.com'
    ),
    [{ email => 'new@example.com' }, '400 email_in_use email: A user with this email exists already.'],
    [{ email => 'NEW@Example.COM' }, '400 email_in_use email: A user with this email exists already.'],
    [{ password => $null }, '400 invalid password: This field may not be null.'],
    [{ password => '' }, '400 invalid password: This field may not be blank.'],
    [{ password => ' ' x 10 }, '400 invalid password: This field may not be blank.'],
    [{ password => 12345678 }, '400 invalid password: Not a valid string.'],
    [{ password => 'seven77' }, '400 invalid password: Ensure this field has at least 8 characters.'],
    [{ password => '模' x 7 }, '400 invalid password: Ensure this field has at least 8 characters.'],
    [{ password => 'x' x 73 }, '400 invalid password: Ensure this field has no more than 72 bytes.'],
    [{ password => '模' x 25 }, '400 invalid password: Ensure this field has no more than 72 bytes.'],
    [{ password => 'x' x 1025 }, '400 invalid password: Ensure this field has no more than 72 bytes.'],
    [{ password => "1234567\0 9" }, '400 invalid password: Null characters are not allowed.'],
    [{ first_name => 'x' x 151 }, '400 invalid first_name: Ensure this field has no more than 150 characters.'],
    [{ last_name => '模' x 151 }, '400 invalid last_name: Ensure this field has no more than 150 characters.'],
    [{ last_name => {} }, '400 invalid last_name: Not a valid string.'],
    [{ is_staff => $null }, '400 invalid is_staff: This field may not be null.'],
    [{ is_staff => 'yes' }, '400 invalid is_staff: Must be a valid boolean.'],
    [{ is_active => 1 }, '400 invalid is_active: Must be a valid boolean.'],
) {
    my ($change, $expected) = @$case;
    my $what = JSON::PP->new->canonical->encode($change);
    $what = substr($what, 0, 60) . '...' if length $what > 60;
    my $unused = exists $change->{email} ? {} : { email => 'unused@example.com' };
    is refusal(create(%$unused, %$change)), $expected, "a new user with $what is refused";
    next if $expected =~ /in_use/;
    is refusal(patch($bob, %$change)), $expected, "a change of a user to $what is refused";
}
is refusal(call(POST => 'admin/users/', as => 'admin', json => { first_name => 'x' })),
    '400 invalid email: This field is required.', 'a create without an email is refused';
is refusal(patch($bob, email => 'New@example.com')), '400 email_in_use email: A user with this email exists already.',
    'an email of another user is refused';
is + (sql('SELECT count(*) FROM users'))[0], $count, 'refused creates leave no rows';
is join('', audit()), '', 'refused creates and changes are not in the audit log';
for my $email ('a@b', 'x' x 242 . '@example.com', q(o'brien+tag@example.com), 'müller@bücher.example', '用户@例子.example')
{
    my $made = create(email => $email);
    is $made->code, 201, 'an email can be ' . (length $email > 40 ? length($email) . ' characters' : $email);
    is json($made)->{email}, $email, 'the email is stored unchanged';
    remove(json($made)->{id});
}
my $long = json(create(email => 'long@example.com', password => '模' x 24));
is enters(
    'long@example.com',
    do { my $p = '模' x 24; utf8::encode($p); $p }
    ),
    200, 'a password of 72 bytes is accepted';
remove($long->{id});
audit();

# Change ------------------------------------------------------------------------------------------

my $before = row($new->{id});
for my $change (
    {},
    { email => 'new@example.com', first_name => 'Nia', last_name => ' Neu ', is_staff => $false, is_active => $true },
    { id => $bob, created_at => 1, has_password => $false, nonsense => 'x' }
) {
    my $same = patch($new->{id}, %$change);
    is $same->code . $same->content, '200' . call(GET => "admin/users/$new->{id}/", as => 'admin')->content,
        'a change without effect returns the row';
}
is row($new->{id}), $before, 'a change without effect leaves the row unchanged';
is join('', audit()), '', 'a change without effect is not in the audit log';

$answer = patch($new->{id}, email => 'New.Name@example.com', first_name => '', is_staff => $true);
is_deeply json($answer), { %$new, email => 'New.Name@example.com', first_name => '', is_staff => $true },
    'given members change, the others stay';
is enters('new.name@example.com', 'correct horse'), 200, 'the password stays valid after a change of the email';
is join("\n", audit()), "admin\@example.com change users email,first_name,is_staff $new->{id}",
    'the audit log has the names of the changed members';
is json(patch($new->{id}, email => 'new.name@EXAMPLE.com'))->{email}, 'new.name@EXAMPLE.com',
    'the case of an email can be changed';
is call(GET => 'admin/users/', headers => [Authorization => login('new.name@example.com', 'correct horse')])->code,
    200, 'a new member of staff may use staff routes at once';
patch($new->{id}, is_staff => $false);
is call(GET => 'admin/users/', headers => [Authorization => login('new.name@example.com', 'correct horse')])->code,
    403, 'a former member of staff is refused at once';
patch($new->{id}, is_active => $false);
is enters('new.name@example.com', 'correct horse'), 401, 'a deactivated user cannot log in';
patch($new->{id}, is_active => $true, password => 'another horse');
is enters('new.name@example.com', 'correct horse'), 401, 'the old password is refused after a change';
is enters('new.name@example.com', 'another horse'), 200, 'the new password is accepted after a change';
is + (audit())[-1], "admin\@example.com change users is_active,password $new->{id}",
    'the audit log names the password, without its value';
is json(patch($plain->{id}, password => 'now I have one'))->{has_password}, $true,
    'a user without a password can get one';

# Staff cannot lock themselves out
for my $case (
    [{ is_active => $false }, 'You cannot deactivate your own account. Ask another member of the staff.'],
    [
        { is_staff => $false },
        q(You cannot remove staff rights from your own account. Ask another member of the staff.)
    ],
    [
        { is_staff => $false, is_active => $false, first_name => 'x' },
        'You cannot deactivate your own account. Ask another member of the staff.'
    ],
) {
    my ($change, $sentence) = @$case;
    is refusal(patch($admin, %$change)), "409 own_account $sentence",
        'staff cannot lock themselves out by ' . JSON::PP->new->canonical->encode($change);
}
is refusal(remove($admin)), '409 own_account You cannot delete your own account. Ask another member of the staff.',
    'staff cannot delete themselves';
is json(patch($admin, first_name => 'Adam', is_staff => $true, is_active => $true))->{first_name}, 'Adam',
    'staff can change their own name';
is call(GET => 'users/me/', as => 'admin')->code, 200, 'the caller is still active staff';
patch($admin, first_name => 'Ada');

# List --------------------------------------------------------------------------------------------

check_query(
    'admin/users/', ['is_staff=x', '400 invalid is_staff: Must be a valid boolean.'],
    ['is_active=2', '400 invalid is_active: Must be a valid boolean.'],
    ['is_active=' . 'x' x 101, '400 invalid is_active: Ensure this field has no more than 100 characters.']
);
my $n = 0;
my $make = sub {
    my ($first) = @_;
    my $made = create(email => 'list' . ++$n . '@pages.example', first_name => $first);
    return json($made)->{id} // die $made->as_string;
};
check_search('admin/users/', $make, sub { remove(@_) });
check_pages('admin/users/', 'search=pages.example', $make, sub { remove(@_) });
sql("INSERT INTO users (email) SELECT 'many' || i || '\@example.com' FROM generate_series(1, 150) i");
is scalar(() = results('admin/users/')), 25, 'a page has 25 rows by default';
is scalar(() = results('admin/users/?limit=100')), 100, 'limit=100 gives a page of 100 rows';
sql("DELETE FROM users WHERE email LIKE 'many%'");

sub emails {
    my ($query) = @_;
    return join ' ', sort map { $_->{email} =~ s/@.*//r } results("admin/users/?$query");
}
patch($bob, is_active => $false);
is emails('is_staff=true'), 'admin form plain', 'is_staff=true lists staff only';
is emails('is_staff=1&is_active=false'), 'plain', 'is_staff=1 and is_active=false list inactive staff';
is emails('is_staff=no&is_active=0'), 'bob', 'is_staff=no and is_active=0 list other inactive users';
is emails('is_active=&is_staff=&search=scenario'), 'scenario-one scenario-two', 'empty filters are ignored';
is emails('search=LIDDELL+alice%40'), 'alice', 'search matches each word in email or names';
is emails('search=example.com+liddell&is_staff=true'), '', 'search and filters are combined';
is emails('search=com+Aliceliddell'), '', 'search does not match a word across two members';
patch($bob, is_active => $true);
audit();

check_retries(
    'admin/users/', { email => 'again@example.com', password => 'some password' }, { last_name => 'Again' },
    { email => 'other@example.com' }
);
unlike join("\n", sql('SELECT * FROM idempotency_keys')), qr/some password/,
    'stored idempotency keys contain no password';
is + (sql("SELECT count(DISTINCT fingerprint) FROM idempotency_keys WHERE key LIKE 'same%'"))[0], 0,
    'the keys have no fingerprints before the requests';
call(
    POST => 'admin/users/', as => 'admin', json => { email => 'print@example.com', password => "password $_" },
    headers => ['Idempotency-Key' => "same$_"]
) for 1, 2;
is + (sql("SELECT count(DISTINCT fingerprint) FROM idempotency_keys WHERE key LIKE 'same%'"))[0], 2,
    'requests with different passwords have different fingerprints';
sql("DELETE FROM users WHERE email LIKE 'print%'; DELETE FROM idempotency_keys");
audit();

# Delete ------------------------------------------------------------------------------------------

my $identity = identity_of('full');
my $one = person('scenario_one');
call(POST => 'reference-images/', as => 'scenario_one', parts => [image => [portrait()]]) for 1 .. 3;
my $kept = json(call(POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]]));
call(POST => "identities/$identity/upload-image/", as => 'scenario_one', parts => [image => [portrait()]]) for 1 .. 2;
my $job = json(call(
    POST => 'image-generation/generate/', as => 'admin',
    json => { identity_id => identity_of('plain'), user_id => $one, resolution => '1K', aspect_ratio => '1:1' }
))->{job};
is $job->{state}, 'succeeded', 'a user has photos, an identity with two pictures, and a generated picture';
is scalar(() = stored_files()), 3 * 4 + 4 + 8 + 1, 'the files of all these pictures exist';
is call(GET => "admin/users/$one/", as => 'admin')->code, 200, 'the user exists before the delete';
audit();
$answer = remove($one);
is $answer->code . $answer->content, '204', 'the user is deleted';
is refusal(remove($one)), '404 not_found Not found.', 'once';
is call(GET => "admin/users/$one/", as => 'admin')->code, 404, 'the deleted user is 404';
is join("\n", audit()), "admin\@example.com delete users $one" =~ s/users/users /r, 'the audit log has the delete';
is join(
    ' ',
    map { (sql("SELECT count(*) FROM $_ WHERE user_id = '$one'"))[0] }
        qw(reference_images identities test_scenarios generation_jobs)
    ),
    '0 0 0 0', 'no rows of the deleted user are left';
is + (sql("SELECT count(*) FROM test_scenarios"))[0], 3,
    'the test scenario of the deleted user remains, without a user';
is + (sql("SELECT image IS NULL AND prompt_used <> '' FROM generation_jobs WHERE id = '$job->{id}'"))[0], 't',
    'the generation job remains, without its picture';
is scalar(() = stored_files()), 4, 'the files of all pictures of the deleted user are gone';
is join(' ', sql('SELECT state, count(*) FROM stored_objects GROUP BY state')), 'live|4',
    "the manifest has only the other user's objects";
is join(' ', map { call(GET => $_)->code } values %{ $kept->{image} }), '200 200 200 200',
    'the pictures of another user are untouched';
is call(GET => 'users/me/', as => 'scenario_one')->code, 401, 'the deleted user cannot log in';
sql("DELETE FROM users WHERE id = '$admin'; \\i '$ENV{IIMG_SOURCE}/sql/demo.sql'");
is + (sql("SELECT count(*) > 0 FROM audit_log WHERE actor = '$admin'"))[0], 't',
    'audit log entries of a deleted user remain';
my ($allowed) = sql(
    q(SELECT string_agg(privilege, ' ') FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) privilege WHERE )
        . q(has_table_privilege('identityimg', 'audit_log', privilege)));
is $allowed, 'INSERT', "httpd's role can insert into the audit log, but not read or change it";

# Writes by staff through other routes
fresh_data();
audit();
my $photo = json(call(POST => 'reference-images/', as => 'admin', json => { user_id => $alice, name => 'x' }));
call(PATCH => "reference-images/$photo->{id}/?user_id=$alice", as => 'admin', json => { order => 3 });
call(
    POST => "reference-images/$photo->{id}/upload-image/?user_id=$alice", as => 'admin',
    parts => [image => [portrait()]]
);
call(DELETE => "reference-images/$photo->{id}/?user_id=$alice", as => 'admin');
call(POST => "identities/$identity/upload-image/", as => 'admin', parts => [image => [portrait()]]);
call(DELETE => "identities/$identity/delete-image/", as => 'admin');
call(POST => "identities/$identity/restore-image/", as => 'admin');
my $prompt =
    json(call(POST => 'prompts/', as => 'admin', json => { prompt_type => 'coach', body => 'secret words' }))->{id};
call(PATCH => "prompts/$prompt/", as => 'admin', json => { is_active => $false });
is_deeply [map { s/^admin\@example.com //r } audit()], [
    "create reference_images name $photo->{id}", "change reference_images order $photo->{id}",
    "change reference_images image $photo->{id}",
    "delete reference_images  $photo->{id}", ("change identities image $identity") x 3,
    "create prompts prompt_type,body,is_active $prompt", "change prompts is_active $prompt"
    ],
    'the audit log has the writes by staff through other routes';
call(
    DELETE => "reference-images/" . json(call(POST => 'reference-images/', as => 'alice', json => {}))->{id} . '/',
    as => 'alice'
);
is join('', audit()), '', 'writes of users to their own data are not in the audit log';
sql("DELETE FROM prompts WHERE id = '$prompt'");

# Concurrent requests -----------------------------------------------------------------------------

for my $round (1 .. 3) {
    my @answers = at_once(
        map {
            request_of(
                POST => 'admin/users/', 'admin',
                { email => ($_ % 2 ? 'Same' : 'same') . "$round\@example.com", password => 'a password' }
            )
        } 1 .. 8
    );
    is status_of(sort @answers), '201 400 400 400 400 400 400 400',
        "round $round: one of eight concurrent creates with the same email succeeds";
    is scalar(grep { /"code":"email_in_use","errors":\{"email":/ } @answers), 7,
        'the other creates are refused with email_in_use';
}
is + (sql("SELECT count(*) FROM users WHERE email ILIKE 'same%'"))[0], 3, 'each email exists once';
is scalar(grep { / create users / } audit()), 3, 'the audit log has one create for each email';

# Two members of staff remove each other's rights or delete each other: one always remains.
for my $case (['PATCH', { is_staff => $false }], ['DELETE']) {
    my ($method, $body) = @$case;
    for my $round (1 .. 4) {
        sql("UPDATE users SET is_staff = false WHERE id <> '$admin'; UPDATE users SET is_staff = true WHERE id IN "
                . "('$admin', '$alice')");
        my @answers = at_once(
            request_of($method, "admin/users/$alice/", 'admin', $body),
            request_of($method, "admin/users/$admin/", 'alice', $body)
        );
        is scalar(grep { /^HTTP\/1\.1 20/ } @answers), 1,
            "$method round $round: one of two mutual requests of staff succeeds";
        like status_of(@answers), qr/\b40[134]\b/, 'the other request is refused';
        sql("\\i '$ENV{IIMG_SOURCE}/sql/demo.sql'") if $method eq 'DELETE';
    }
}
sql("UPDATE users SET is_staff = (id = '$admin')");

# A user is deleted while uploads of that user are in progress.
my $jpeg = slurp(make_jpeg(800, 600));
my $body = "--XX\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.jpg\"\r\n\r\n$jpeg\r\n--XX--\r\n";
for my $round (1 .. 4) {
    reset_pictures();
    sql("DELETE FROM users WHERE id = '$one'; \\i '$ENV{IIMG_SOURCE}/sql/demo.sql'");
    my $slot = json(call(POST => 'reference-images/', as => 'scenario_one', parts => [image => [portrait()]]))->{id};
    my $multipart = 'multipart/form-data; boundary=XX';
    my @uploads = (
        request_of(POST => "reference-images/$slot/upload-image/", 'scenario_one', $body, $multipart),
        request_of(POST => 'reference-images/', 'scenario_one', $body, $multipart),
        request_of(POST => "identities/$identity/upload-image/", 'scenario_one', $body, $multipart),
        request_of(POST => "reference-images/$slot/upload-image/?user_id=$one", 'admin', $body, $multipart)
    );
    my @all = at_once(@uploads, request_of(DELETE => "admin/users/$one/", 'admin'), @uploads);
    is status_of($all[4]), '204', "round $round: a user is deleted during eight uploads";
    is join(' ', grep { !/^(?:200|201|401|404)$/ } map { status_of($_) } @all[0 .. 3, 5 .. 8]), '',
        'each upload succeeds before the delete or finds nothing after it';
    is scalar(() = stored_files()), 0, 'no files are left';
    is join(' ', sql('SELECT state, count(*) FROM stored_objects GROUP BY state')), '',
        'no objects are left in the manifest';
}
is + (sql('SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'))[0], 0,
    'the database had no deadlocks';

fresh_data();
finish();
