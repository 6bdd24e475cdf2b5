# idempotency.t - Idempotency-Key: a repeated request has one effect and one response.
use strict;
use warnings;
use utf8;
use IdentityImg::Server qw(in_parallel eventually);
use IdentityImg::Test;
use Test::More;
use Time::HiRes qw(sleep time);

fresh_data();

my $number = 0;
sub keyed { return headers => ['Idempotency-Key' => $_[0]] }
sub fresh { return 'key-' . $$ . '-' . $number++ }

sub create {
    my ($key, $fields, %with) = @_;
    return call(POST => 'reference-images/', as => 'alice', json => $fields // {}, keyed($key), %with);
}

sub line {
    my ($answer) = @_;
    return join ' ', $answer->code, json($answer)->{code} // 'fine', $answer->header('Idempotent-Replayed') // 'first';
}
sub photos { return (sql('SELECT count(*) FROM reference_images'))[0] }
sub keys_of { return join ',', sql("SELECT coalesce(status::text, 'open') FROM idempotency_keys WHERE key = '$_[0]'") }

# Repeated requests
my $key = fresh();
my $first = create($key, { name => 'a' });
my $again = create($key, { name => 'a' });
is line($first), '201 fine first', 'a request with a key succeeds';
is line($again), '201 fine true', 'a repeated request is marked as replayed';
is json($again)->{id}, json($first)->{id}, 'a repeated request returns the same row';
is $again->header('Location'), $first->header('Location'), 'a repeated request returns the same Location';
is photos(), 1, 'a repeated request creates no second row';
is line(create($key, { name => 'a' }, json => { name => 'a' })), '201 fine true', 'a third request is replayed, too';
call(PATCH => 'reference-images/' . json($first)->{id} . '/', as => 'alice', json => { name => 'changed since' });
is json(create($key, { name => 'a' }))->{name}, 'changed since', 'a replay shows the current row';
is line(create($key, { name => 'b' })), '422 idempotency_key_reused first', 'another body with the same key is refused';
is line(call(POST => 'reference-images/?x=1', as => 'alice', json => { name => 'a' }, keyed($key))),
    '422 idempotency_key_reused first', 'another path with the same key is refused';
is line(call(POST => 'reference-images/', as => 'alice', form => [name => 'a'], keyed($key))), '201 fine true',
    'the same fields in a form count as the same request';
is line(call(POST => 'reference-images/', as => 'bob', json => { name => 'a' }, keyed($key))), '201 fine first',
    'the same key of another user is a different key';
call(DELETE => 'reference-images/' . json($first)->{id} . '/', as => 'alice');
my $gone = create($key, { name => 'a' });
is line($gone), '410 gone true', 'a replay after the row was deleted is 410';
is json($gone)->{detail}, 'The row created with this Idempotency-Key has been deleted.', 'the 410 has a sentence';
is photos(), 1, 'a replay after the delete creates nothing';
is line(create(fresh(), { name => 'a' })), '201 fine first', 'another key is another request';
is line(call(POST => 'reference-images/', as => 'alice', json => {})), '201 fine first',
    'without a key each request counts';

# A password is part of the fingerprint, but nothing stored can be used to guess it.
my $secret = fresh();

sub make_user {
    my ($password) = @_;
    return call(
        POST => 'admin/users/', as => 'admin', json => { email => 'keyed@example.com', password => $password },
        keyed($secret)
    );
}
is line(make_user('the first one')), '201 fine first', 'a user with a password is created';
is line(make_user('the first one')), '201 fine true', 'the same request with the same password is replayed';
is line(make_user('another one')), '422 idempotency_key_reused first',
    'the same request with another password is refused';
sql("DELETE FROM users WHERE email = 'keyed\@example.com'");

# A form has a new boundary each time; its contents count.
sub form {
    my ($key, $name, $bytes) = @_;
    return call(
        POST => 'reference-images/', as => 'bob',
        parts => [name => $name, image => [undef, 'a.png', Content => $bytes]], keyed($key)
    );
}
my ($bytes, $form) = (slurp(portrait()), fresh());
my $sent = form($form, 'p', $bytes);
is line($sent), '201 fine first', 'a form with a file succeeds';
is line(form($form, 'p', $bytes)), '201 fine true', 'the same form with a new boundary is replayed';
is line(call(
    POST => 'reference-images/', as => 'bob', parts => [name => 'p', image => [undef, 'b.png', Content => $bytes]],
    keyed($form)
    )),
    '201 fine true', 'the same form with another file name is replayed';
is line(form($form, 'p', slurp(make_jpeg(64, 64)))), '422 idempotency_key_reused first',
    'the same form with another file is refused';
is scalar(grep { /^media/ } stored_files()), 4, 'one picture is stored';

# Errors
fresh_data();
for my $case (
    [{ order => 9 }, '400 order_range'],
    [{ name => "a\0" }, '400 invalid'],
    [{ user_id => '00000000-0000-4000-8000-0000000009ff' }, '404 not_found', 'admin'],
) {
    my ($fields, $expected, $who) = @$case;
    my $key = fresh();
    my ($one, $two) = map { create($key, $fields, as => $who // 'alice') } 1, 2;
    is line($one), "$expected first", "$expected is the first response";
    is line($two), "$expected true", "$expected is replayed";
    is $two->content, $one->content, "$expected is replayed word for word";
}
my $unparsed = fresh();
is line(call(POST => 'reference-images/', as => 'alice', body => '{', type => 'application/json', keyed($unparsed))),
    '400 parse_error first', 'a body that cannot be parsed is refused';
is line(create($unparsed)), '201 fine first', 'a body that cannot be parsed does not use the key';
for my $bad ('', ' ', "a b", 'é', 'x' x 256) {
    is line(call(POST => 'reference-images/', as => 'alice', json => {}, keyed($bad))),
        '400 idempotency_key_invalid first',
        'a key of ' . (length $bad > 9 ? '256 characters' : "'$bad'") . ' is refused';
}
is line(create('x' x 255)), '201 fine first', 'a key of 255 characters is accepted';
is line(create('"8e03978e-40d5-43dd-bc93-6894a57f9324"')), '201 fine first', 'a key in quotes is accepted';
is call(POST => 'reference-images/', json => {}, keyed(fresh()))->code, 401, 'a key without credentials is 401';

# Prompts
my $version = fresh();
my %prompt = (prompt_type => 'coach', body => 'Be kind.');
my @made = map { call(POST => 'prompts/', as => 'admin', json => \%prompt, keyed($version)) } 1, 2;
is join(' | ', map { line($_) } @made), '201 fine first | 201 fine true', 'a prompt version is created once';
is json($made[1])->{id}, json($made[0])->{id}, 'the replay returns the same version';
sql("DELETE FROM prompts WHERE prompt_type = 'coach'");
is line(call(POST => 'prompts/', as => 'admin', json => \%prompt, keyed($version))), '410 gone true',
    'a replay after the version was deleted is 410';

# Uploads and restores: repeated without a key, they would undo or double themselves.
fresh_data();
my $slot = json(call(POST => 'reference-images/', as => 'alice', json => {}));
my ($identity, $up) = ('identities/' . identity_of('full'), fresh());

sub put_in {
    my ($path, $key, %with) = @_;
    return call(POST => "$path/upload-image/", as => 'admin', parts => [image => [portrait()]], keyed($key), %with);
}
my @put = map {
    call(
        POST => "reference-images/$slot->{id}/upload-image/", as => 'alice', parts => [image => [portrait()]],
        keyed($up)
    )
} 1, 2;
is join(' | ', map { line($_) } @put), '200 fine first | 200 fine true', 'a repeated upload is replayed';
is_deeply undated(json($put[1])), undated(json($put[0])), 'the replay has the picture';
is(
    (sql("SELECT version FROM reference_images WHERE id = '$slot->{id}'"))[0], 2,
    'the repeated upload changes the photo once'
);
my $with = fresh();
my @named = map {
    call(
        POST => "reference-images/$slot->{id}/upload-image/", as => 'alice', parts => [image => [portrait()]],
        headers => ['Idempotency-Key' => $with, 'If-Match' => '"2"']
    )
} 1, 2;
is join(' | ', map { line($_) } @named), '200 fine first | 200 fine true',
    'a repeated upload with If-Match is replayed';
is line(call(
    POST => "reference-images/$slot->{id}/upload-image/", as => 'alice', parts => [image => [portrait()]],
    headers => ['Idempotency-Key' => fresh(), 'If-Match' => '"2"']
    )),
    '412 precondition_failed first', 'another request with the old If-Match is refused';
my @identity_keys = (fresh(), fresh());
is join(' | ', map { line(put_in($identity, $identity_keys[0])) } 1, 2), '200 fine first | 200 fine true',
    'a repeated upload for an identity is replayed';
my $present = json(put_in($identity, $identity_keys[1]))->{image}{original};
my $taking_back = fresh();
my @restored = map { call(POST => "$identity/restore-image/", as => 'admin', keyed($taking_back)) } 1, 2;
is join(' | ', map { line($_) } @restored), '200 fine first | 200 fine true', 'a repeated restore is replayed';
is_deeply undated(json($restored[1])), undated(json($restored[0])), 'the replay does not undo the restore';
isnt undated(json($restored[1])->{image}{original}), undated($present), 'the restored picture is the previous one';

# Concurrent requests with the same key
fresh_data();
for my $round (1 .. 3) {
    my $key = fresh();
    my @answers = in_parallel(
        8,
        sub {
            my $answer = create($key, { name => "twin $round" });
            return [$answer->code, json($answer)->{id}, $answer->header('Idempotent-Replayed') // 'first'];
        }
    );
    is join(' ', sort map { "$_->[0]$_->[2]" } @answers), join(' ', '201first', ('201true') x 7),
        'of eight concurrent requests one is executed and seven are replayed';
    my %ids = map { $_->[1] => 1 } @answers;
    is keys %ids, 1, 'all eight return the same row';
}
is photos(), 3, 'there is one row for each key';

# A request whose process died: its key is free after its lease, not before.
my $died = fresh();
sql(      "INSERT INTO idempotency_keys (user_id, key, fingerprint, claim, lease_expires_at) VALUES ('"
        . person('alice')
        . "', '$died', 'x', gen_random_uuid(), now() + interval '1 hour')");
is line(create($died)), '422 idempotency_key_reused first',
    'the key of a request in progress is refused for another request';
sql("UPDATE idempotency_keys SET lease_expires_at = now() - interval '1 second' WHERE key = '$died'");
is line(create($died)), '201 fine first', 'the key is free after the lease';
my $busy = fresh();
create($busy);
sql(
    "UPDATE idempotency_keys SET status = NULL, resource_id = NULL, lease_expires_at = now() + interval '1 hour' WHERE "
        . "key = '$busy'");
my ($began, $answer) = (time, create($busy));
is line($answer), '409 idempotency_key_in_use first', 'a request that waits too long for the first one is 409';
is $answer->header('Retry-After'), 1, 'the 409 has Retry-After';
ok time - $began < 60, 'the 409 comes in bounded time';
sql("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = '$busy'");
sql('DELETE FROM reference_images');
is line(create($busy)), '201 fine first', 'a key is free after a day';

# The lease applies to requests in progress. Results are kept for a day.
fresh_data();
for my $case (['a created photo', {}, '201 fine true'], ['a refusal', { order => 9 }, '400 order_range true']) {
    my ($what, $fields, $expected) = @$case;
    my $key = fresh();
    create($key, $fields);
    for my $age ('2 hours', '23 hours 50 minutes') {
        sql("UPDATE idempotency_keys SET lease_expires_at = now() - interval '$age', created_at = now() - interval "
                . "'$age' WHERE key = '$key'");
        is line(create($key, $fields)), $expected,
            "$what is replayed $age later, long after its lease";
    }
    sql("UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second' WHERE key = '$key'");
    unlike line(create($key, $fields)), qr/true/, "$what is a new request after a day";
}
is photos(), 2, 'there is one photo, and another one after its day';

# Two owners: a request whose lease expired, and the request that claimed its key since.
fresh_data();
my $taken = fresh();

sub taken_over {
    return "UPDATE idempotency_keys SET claim = '00000000-0000-4000-8000-00000000c1a1' WHERE key LIKE '$taken%'";
}
sql(      "CREATE FUNCTION test_taken() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS \$\$ BEGIN "
        . taken_over()
        . "; RETURN NEW; END \$\$;"
        . " CREATE TRIGGER test_taken AFTER INSERT ON reference_images FOR EACH ROW EXECUTE FUNCTION test_taken()");
is line(create($taken, { name => 'late' })), '409 idempotency_key_in_use first',
    'a request that lost its key is refused';
sql('DROP TRIGGER test_taken ON reference_images');
is photos(), 0, 'a request that lost its key creates no row';
sql("CREATE TRIGGER test_taken AFTER INSERT ON stored_objects FOR EACH ROW EXECUTE FUNCTION test_taken()");
sql(      "CREATE FUNCTION test_late() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION 'too late' USING "
        . "ERRCODE = '55P03'; END \$\$;"
        . " CREATE TRIGGER test_late BEFORE INSERT ON reference_images FOR EACH ROW EXECUTE FUNCTION test_late()");
is call(POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]], keyed($taken .= '-two'))->code,
    503, 'a request that fails after it lost its key is 503';
sql('DROP TRIGGER test_late ON reference_images; DROP FUNCTION test_late()');
is join(' ', sql("SELECT claim, coalesce(status::text, 'open') FROM idempotency_keys WHERE key = '$taken'")),
    '00000000-0000-4000-8000-00000000c1a1|open', 'the key stays with its new owner';
sql('DROP TRIGGER test_taken ON stored_objects; DROP FUNCTION test_taken()');

# Failures that a retry may fix are not stored.
fresh_data();
my $down = fresh();
my $root = state() . '/pictures';
rename $root, "$root.away" or die $!;
my $refused = call(POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]], keyed($down));
rename "$root.away", $root or die $!;
is $refused->code, 503, 'a store that cannot be written is a 503';
is keys_of($down), '', 'the key is free after the 503';
is line(call(POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]], keyed($down))),
    '201 fine first', 'the key can be used for a retry';

# Generations
fresh_data();
call(POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]]);
my %wanted = (identity_id => identity_of('full'), user_id => person('alice'), resolution => '1K');

sub generate {
    my ($key, %change) = @_;
    return call(POST => 'image-generation/generate/', as => 'admin', json => { %wanted, %change }, keyed($key));
}
sub jobs { return (sql('SELECT count(*) FROM generation_jobs'))[0] }
my $made = fresh();
my @pictures = map { generate($made, save_to_identity => \1) } 1, 2;
is join(' | ', map { line($_) } @pictures), '200 fine first | 200 fine true', 'a repeated generation is replayed';
is json($pictures[1])->{job}{id}, json($pictures[0])->{job}{id}, 'the replay has the same job';
is json($pictures[1])->{identity}{image}{original} =~ s/\?.*//r,
    json($pictures[0])->{identity}{image}{original} =~ s/\?.*//r, 'the replay has the identity';
is jobs(), 1, 'there is one job';
is line(generate($made, additional_prompt => 'other')), '422 idempotency_key_reused first',
    'another additional prompt with the same key is refused';
is join(' | ', map { line(generate($made . 'none', identity_id => '00000000-0000-4000-8000-0000000009ff')) } 1, 2),
    '404 identity_not_found first | 404 identity_not_found true', 'a refused generation is refused again';
my $twins = fresh();
my @both = in_parallel(
    3,
    sub {
        my $answer = generate($twins, aspect_ratio => '1:1');
        return [$answer->code, json($answer)->{job}{id}, $answer->header('Idempotent-Replayed') // 'first'];
    }
);
is join(' ', sort map { "$_->[0]$_->[2]" } @both), '200first 200true 200true',
    'concurrent generations with the same key attach to the running job';
is jobs(), 2, 'they are one job';

# The key refers to the job, whatever its result.
my $named = json($pictures[0])->{job}{id};

sub fails {
    my ($status) = @_;
    sql("UPDATE generation_jobs SET state = 'failed', image = NULL, error_code = 'refused', error_detail = 'No.', "
            . "error_status = $status WHERE id = '$named'");
    return;
}
fails(422);
is line(generate($made, save_to_identity => \1)), '422 refused true', 'the refusal of a job is replayed';
is jobs(), 2, 'the replayed refusal creates no job';
for my $status (500, 502, 503, 504, 408, 429) {
    fails($status);
    sql("UPDATE idempotency_keys SET resource_id = '$named' WHERE key = '$made'");
    my $count = jobs();
    for my $other (
        [additional_prompt => 'other'], [aspect_ratio => '1:1'], [save_to_identity => \0],
        [user_id => person('bob')]
    ) {
        is line(generate($made, save_to_identity => \1, @$other)), '422 idempotency_key_reused first',
            "with another $other->[0] the key of a job that failed with $status is refused";
    }
    is jobs(), $count, 'the refused requests create no job';
    is line(generate($made, save_to_identity => \1)), '200 fine first',
        "the key of a job that failed with $status can be used for a retry";
}
# The save failed the first time: the replay repeats it.
sql(      'UPDATE generation_jobs SET saved_at = NULL; UPDATE identities SET image = NULL, image_sized = NULL; UPDATE '
        . 'identities SET previous_image = NULL, previous_image_sized = NULL');
my $saved = generate($made, save_to_identity => \1);
is line($saved), '200 fine true', 'a generation whose picture was not saved is replayed';
like json($saved)->{identity}{image}{original}, qr{/media/}, 'the replay saves the picture';

expect_log(qr/IIMG0204: /, qr/IIMG0003: POST \/api\/v1\/reference-images/, qr/IIMG0103: .* No such file/)
    ;    # while the store was down
finish();
