# etag.t - ETag, If-None-Match and If-Match, also behind mod_deflate.
use strict;
use warnings;
use HTTP::Request::Common ();
use IdentityImg::Server qw(in_parallel);
use IdentityImg::Test;
use Test::More;

fresh_data();

sub line { my ($answer) = @_; return join ' ', $answer->code, @{ json($answer) }{qw(code detail)} }
sub get { my ($path, %with) = @_; return call(GET => $path, as => 'alice', %with) }
sub if_match { return headers => ['If-Match' => $_[0]] }
sub if_none { return headers => ['If-None-Match' => $_[0]] }

# No picture URL expires during this part.
steady(60);
my $created = call(POST => 'reference-images/', as => 'alice', parts => [name => 'a', image => [portrait()]]);
my $photo = json($created);
my $path = "reference-images/$photo->{id}/";
my $tag = get($path)->header('ETag');
like $tag, qr/^"1\.\d+"$/, 'an ETag is the version and the window of the URLs';
is $created->header('ETag'), $tag, 'the response to a create has the same ETag';
is call(HEAD => $path, as => 'alice')->header('ETag'), $tag, 'HEAD has the same ETag';

# If-None-Match
my $same = get($path, if_none($tag));
is $same->code . $same->content, '304', 'If-None-Match with the current ETag gets 304 and no body';
is $same->header('ETag'), $tag, 'the 304 has the ETag';
is $same->header('Cache-Control'), 'private, no-cache', 'the 304 has Cache-Control';
is call(HEAD => $path, as => 'alice', if_none($tag))->code, 304, 'HEAD too';
is get($path, if_none($_))->code, 304, "$_ matches"
    for "W/$tag", '*', qq("x", $tag), $tag =~ s/"$/-gzip"/r, $tag =~ s/"$/-br"/r;
is get($path, if_none($_))->code, 200, "$_ does not match" for '"1"', '"2.1"', $tag =~ s/"//gr, $tag =~ s/"$/0"/r;
is call(GET => $path, if_none($tag))->code, 401, 'If-None-Match without credentials is 401';
is call(GET => $path, as => 'bob', if_none($tag))->code, 404, 'If-None-Match by another user is 404';
is call(PATCH => $path, as => 'alice', json => {}, if_none($tag))->code, 200, 'a write ignores If-None-Match';

# If-Match
is line(call(PATCH => $path, as => 'alice', json => { name => 'x' }, if_match('"7.1"'))),
    '412 precondition_failed This row has changed: it has version 1, which If-Match does not name. Read it '
    . 'again, then repeat the change.',
    'a change with an old version is refused';
is json(get($path))->{name}, 'a', 'the refused change changes nothing';
my $changed = call(PATCH => $path, as => 'alice', json => { name => 'b' }, if_match($tag));
is $changed->code, 200, 'a change with the current version succeeds';
like $changed->header('ETag'), qr/^"2\.\d+"$/, 'the response to the change has the new ETag';
is get($path, if_none($tag))->code, 200, 'If-None-Match with the old ETag gets the whole row';
is call(PATCH => $path, as => 'alice', json => { name => 'c' }, if_match($tag))->code, 412,
    'a change with the old ETag is refused';
is call(PATCH => $path, as => 'alice', json => { name => "for $_->[0]" }, if_match($_->[0]))->code, $_->[1],
    "If-Match: $_->[0] is $_->[1]"
    for ['"2.1"', 200], ['"3"', 200], ['"4.9-gzip"', 200], ['W/"5.1"', 200], ['W/"6.1-gzip"', 200], ['"7-zstd"', 200],
    ['W/"1.1", W/"8.0-br"', 200], ['W/"1.0"', 412], ['W/9', 412], ['*', 200], ['"x", "10.0"', 200], ['11', 412],
    ['', 412];
is line(call(PATCH => $path, as => 'bob', json => {}, if_match('"1.1"'))), '404 not_found Not found.',
    'If-Match by another user is 404';
is call(PATCH => $path, as => 'alice', json => {}, if_match('"1.1"'))->code, 412,
    'an empty change with an old version is refused';

my @upload = (parts => [image => [portrait()]]);
is call(POST => "${path}upload-image/", as => 'alice', @upload, if_match('"1.1"'))->code, 412,
    'an upload with an old version is refused';
my $version = (sql("SELECT version FROM reference_images WHERE id = '$photo->{id}'"))[0];
my @files = stored_files();
is call(
    POST => "${path}upload-image/", as => 'alice', body => 'never looked at', type => 'multipart/form-data',
    if_match('"1.1"')
)->code, 412, 'the refusal comes before the body is read';
is_deeply [stored_files()], \@files, 'the refused uploads store nothing';
is call(POST => "${path}upload-image/", as => 'alice', @upload, if_match(qq("$version.1")))->code, 200,
    'an upload with the current version succeeds';
is call(DELETE => $path, as => 'alice', if_match(qq("$version.1")))->code, 412,
    'a delete with an old version is refused';
sql("UPDATE reference_images SET name = 'by hand' WHERE id = '$photo->{id}'");
$version += 2;
is call(DELETE => $path, as => 'alice', if_match(qq("@{[$version - 1]}.1")))->code, 412,
    'a change of the row in psql counts as a new version';
is call(DELETE => $path, as => 'alice', if_match(qq("$version.1")))->code, 204,
    'a delete with the current version succeeds';

# A row without picture URLs does not age: its ETag depends on its version only.
my $pictureless = call(POST => 'reference-images/', as => 'bob', json => { name => 'no picture' });
is $pictureless->header('ETag'), '"1.0"', 'a photo without a picture has window 0';
my $slot = 'reference-images/' . json($pictureless)->{id} . '/';
is call(GET => $slot, as => 'bob', if_none('"1.0"'))->code, 304, 'If-None-Match matches a photo without a picture';
my ($job) = sql(
    "INSERT INTO generation_jobs (state, prompt_used, generator, model, aspect_ratio, resolution, reference_image_ids, "
        . "finished_at) VALUES ('failed', '', 'preview', 'm', '1:1', '1K', '{}', now()) RETURNING id");
for my $path (
    'admin/users/' . person('bob'), 'admin/test-scenarios/00000000-0000-4000-8000-0000000000e1',
    'admin/identities/' . identity_of('plain'), "image-generation/jobs/$job"
) {
    like call(GET => "$path/", as => 'admin')->header('ETag'), qr/^"\d+\.0"$/, "$path without a picture has window 0";
}
my $put_in = call(POST => "${slot}upload-image/", as => 'bob', parts => [image => [portrait()]]);
like $put_in->header('ETag'), qr/^"2\.[1-9]\d+"$/, 'a photo with a picture has a window';

# Identities
my $identity = identity_of('full');
my $shown = call(POST => "identities/$identity/upload-image/", as => 'admin', @upload);
like $shown->header('ETag'), qr/^"2\.\d+"$/, 'an identity has a version';
for my $case ([PATCH => 'upload-image', @upload], [DELETE => 'delete-image'], [POST => 'restore-image']) {
    my ($method, $action, @with) = @$case;
    is call($method => "identities/$identity/$action/", as => 'admin', @with, if_match('"1.1"'))->code, 412,
        "$action with an old version is refused";
    my ($now) = sql("SELECT version FROM identities WHERE id = '$identity'");
    is call($method => "identities/$identity/$action/", as => 'admin', @with, if_match(qq("$now.1")))->code, 200,
        "$action with the current version succeeds";
}

# Prompts: a version of a prompt is on or off.
my $prompt = json(call(POST => 'prompts/', as => 'admin', json => { prompt_type => 'coach', body => 'Be kind.' }));
sub prompt { my ($method, %with) = @_; return call($method => "prompts/$prompt->{id}/", as => 'admin', %with) }
my $on = prompt('GET')->header('ETag');
like $on, qr/^"1-on\.0"$/, 'a prompt has an ETag with window 0';
is prompt(GET => if_none($on))->code, 304, 'If-None-Match matches a prompt';
is prompt(PATCH => json => { is_active => \0 }, if_match('"1-off.1"'))->code, 412,
    'a change with the ETag of the other state is refused';
my $off = prompt(PATCH => json => { is_active => \0 }, if_match($on));
is $off->code, 200, 'a change with the current ETag succeeds';
like $off->header('ETag'), qr/^"1-off\.0"$/, 'a prompt that is off has another ETag';
is prompt(PATCH => json => { is_active => \0 }, if_match($on))->code, 412,
    'a second change with the old ETag is refused';

# Concurrent changes: each version is changed once.
my $raced = json(call(POST => 'reference-images/', as => 'alice', json => {}));
my @codes = in_parallel(
    12,
    sub {
        call(PATCH => "reference-images/$raced->{id}/", as => 'alice', json => { name => "n$_[0]" }, if_match('"1.0"'))
            ->code;
    }
);
is join(' ', sort @codes), join(' ', 200, (412) x 11), 'one of twelve concurrent changes of a version succeeds';

# Behind mod_deflate, which adds a suffix to the ETag.
my $server = IdentityImg::Server->new('deflate', conf => <<'CONF')->start;
LoadModule filter_module  /usr/lib/apache2/modules/mod_filter.so
AddOutputFilterByType DEFLATE application/json
CONF
my @there = (as => 'alice', base => $server->base);
steady(20);
my $there = json(call(POST => 'reference-images/', @there, parts => [name => 'z' x 200, image => [portrait()]]));
my $zipped = call(GET => "reference-images/$there->{id}/", @there, headers => ['Accept-Encoding' => 'gzip']);
is $zipped->header('Content-Encoding'), 'gzip', 'mod_deflate compresses the response';
like $zipped->header('ETag'), qr/^"1\.\d+-gzip"$/, 'mod_deflate adds -gzip to the ETag';
is call(
    GET => "reference-images/$there->{id}/", @there,
    headers => ['Accept-Encoding' => 'gzip', 'If-None-Match' => $zipped->header('ETag')]
    )->code, 304,
    'If-None-Match matches the ETag with the suffix';
is call(PATCH => "reference-images/$there->{id}/", @there, json => { name => 'y' }, if_match($zipped->header('ETag')))
    ->code, 200, 'If-Match matches the ETag with the suffix';
$server->judge();

finish();
