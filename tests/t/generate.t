# generate.t - making an identity's picture, with the built-in preview generator.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use JSON::PP ();
use POSIX ();
use Test::More;

fresh_data();

my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
my $time = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/;
my $nowhere = '00000000-0000-4000-8000-0000000009ff';
my ($full, $bare, $unicode, $plain) = map { identity_of($_) } qw(full bare unicode plain);
my ($admin, $alice, $bob) = map { person($_) } qw(admin alice bob);

# A generation; members of the body replace or add to the usual ones, undef leaves one out.
sub generate {
    my (%change) = @_;
    my %body = (identity_id => $full, user_id => $alice, resolution => '1K', %change);
    delete $body{$_} for grep { !defined $body{$_} } keys %body;
    return call(POST => 'image-generation/generate/', as => 'admin', json => \%body);
}

# "400 no_references user_id: sentence"
sub refusal {
    my ($answer) = @_;
    my $body = json($answer) // return $answer->as_string;
    my ($field) = keys %{ $body->{errors} // {} };
    return join ' ', $answer->code, $body->{code} // '', $field ? "$field:" : (), $body->{detail} // '';
}
sub jobs { return (sql('SELECT count(*) FROM generation_jobs'))[0] }

sub column {
    my ($job, $expression) = @_;
    return join "\n", sql("SELECT $expression FROM generation_jobs WHERE id = '$job->{id}'");
}

sub photo {
    my ($who, @image) = @_;
    return json(call(POST => 'reference-images/', as => $who, parts => [image => @image ? [@image] : [portrait()]]));
}

sub file_of {
    my ($url) = @_;
    my ($key) = $url =~ m{/pictures/([^?]+)};
    return $key =~ s{^(media|generated_images)/((..)(..).*)}{$1/$3/$4/$2}r;
}

# The names of an object's members in their order, from JSON text.
sub members {
    my ($text) = @_;
    my ($depth, @names) = (0);
    while ($text =~ /"((?:[^"\\]|\\.)*)"(:?)|([\[{])|([\]}])/g) {
        if (defined $3) { $depth++ }
        elsif (defined $4) { last if !--$depth }
        elsif ($2 eq ':' && $depth == 1) { push @names, $1 }
    }
    return "@names";
}

# Width and height of a picture's bytes.
sub size_of {
    my ($bytes) = @_;
    my $file = "$ENV{IIMG_WORK}/generated";
    open my $out, '>:raw', $file or die $!;
    print $out $bytes;
    close $out;
    return `vipsheader '$file'` =~ /: (\d+x\d+) uchar, 3 bands, srgb, (\w+)load/ ? "$1 $2" : 'no picture';
}

# For whom ----------------------------------------------------------------------------------------

sub choices { return call(GET => 'image-generation/users/', as => 'admin')->content }
my $test_users =
      '{"id":"'
    . person('scenario_one')
    . '","email":"scenario-one@example.com","name":"Scenario One","is_current_user":false,"is_test_user":true},'
    . '{"id":"'
    . person('scenario_two')
    . '","email":"scenario-two@example.com","name":"Scenario Two","is_current_user":false,"is_test_user":true}]';
is choices(),
    qq([{"id":"$admin","email":"admin\@example.com","name":"Ada Admin","is_current_user":true,"is_test_user":false},$test_users),
    'staff choose among themselves and the test scenarios that have a user';
for my $case (
    ['Ada', '', 'Ada'], ['', 'Admin', 'Admin'], ['', '', 'admin@example.com'],
    [' ', "\x{a0}", 'admin@example.com'], ['Åsa ', ' Ö', 'Åsa   Ö']
) {
    my ($first, $last, $name) = @$case;
    sql("UPDATE users SET first_name = '$first', last_name = '$last' WHERE id = '$admin'");
    is json(call(GET => 'image-generation/users/', as => 'admin'))->[0]{name}, $name,
        "first name '$first' and last name '$last' make the name '$name'";
}
sql("UPDATE users SET first_name = 'Ada', last_name = 'Admin' WHERE id = '$admin'");

# Who may -----------------------------------------------------------------------------------------

for my $case (
    [GET => 'image-generation/users/'],
    [POST => 'image-generation/generate/'],
) {
    my ($method, $path) = @$case;
    my @with = $method eq 'POST' ? (json => { identity_id => $full, user_id => $alice }) : ();
    is refusal(call($method => $path, @with)), '401 not_authenticated Authentication credentials were not provided.',
        "$path by nobody";
    is refusal(call($method => $path, @with, as => $_)),
        '403 permission_denied You do not have permission to perform this action.', "$path by $_"
        for qw(alice scenario_one);
}
is refusal(call(POST => 'image-generation/generate/', as => 'alice', body => 'no JSON', type => 'text/plain')),
    '403 permission_denied You do not have permission to perform this action.',
    'who may not is told so before his body is looked at';
for my $method (qw(GET PUT PATCH DELETE)) {
    my $answer = call($method => 'image-generation/generate/', as => 'admin');
    is refusal($answer) . ' ' . $answer->header('Allow'),
        "405 method_not_allowed Method \"$method\" not allowed. POST, OPTIONS", "$method generates nothing";
}

# What is refused ---------------------------------------------------------------------------------

is refusal(generate(identity_id => $nowhere)), '404 identity_not_found Identity not found',
    'an unknown identity, though the user has no photos either';
is refusal(generate()), '400 no_references No reference images found for this user', 'a user without photos';
my $slot = json(call(POST => 'reference-images/', as => 'alice', json => {}));
is refusal(generate()), '400 no_references No reference images found for this user',
    'a user whose photos have no picture';
is refusal(generate(user_id => $nowhere)), '400 no_references No reference images found for this user',
    'an unknown user';
call(DELETE => "reference-images/$slot->{id}/", as => 'alice');

my @photos = map { photo('alice', $_) } portrait(), make_jpeg(400, 600), make_jpeg(640, 480);
my $bobs = photo('bob');
my $bare_slot = json(call(POST => 'reference-images/', as => 'alice', json => { name => 'no picture' }));
my $ids = [map { $_->{id} } @photos];

my $ratios = '1:1, 2:3, 3:2, 3:4, 4:3, 4:5, 5:4, 9:16, 16:9, 21:9';
for my $case (
    ['no identity', { identity_id => undef }, '400 invalid identity_id: This field is required.'],
    ['no user', { user_id => undef }, '400 invalid user_id: This field is required.'],
    ['an empty identity', { identity_id => '' }, qr/^400 invalid identity_id: /],
    ['an identity of null', { identity_id => JSON::PP::null }, qr/^400 invalid identity_id: /],
    ['an identity that is no UUID', { identity_id => 'abc' }, '400 invalid identity_id: Must be a valid UUID.'],
    ['an identity that is a number', { identity_id => 7 }, '400 invalid identity_id: Must be a valid UUID.'],
    ['a user that is no UUID', { user_id => "$alice'" }, '400 invalid user_id: Must be a valid UUID.'],
    ['a list of users', { user_id => [$alice] }, '400 invalid user_id: Must be a valid UUID.'],
    [
        'an unknown aspect ratio', { aspect_ratio => '16:10' },
        "400 invalid aspect_ratio: \"16:10\" is not a valid choice. Allowed: $ratios."
    ],
    [
        'an empty aspect ratio', { aspect_ratio => '' },
        "400 invalid aspect_ratio: \"\" is not a valid choice. Allowed: $ratios."
    ],
    ['an aspect ratio as number', { aspect_ratio => 1.5 }, '400 invalid aspect_ratio: Not a valid string.'],
    [
        'an unknown resolution', { resolution => '8K' },
        '400 invalid resolution: "8K" is not a valid choice. Allowed: 1K, 2K, 4K.'
    ],
    [
        'a resolution in lower case', { resolution => '1k' },
        '400 invalid resolution: "1k" is not a valid choice. Allowed: 1K, 2K, 4K.'
    ],
    [
        'an unknown model', { model => 'gpt' },
        qr/^400 invalid model: "gpt" is not a valid choice\. Allowed: .*gemini-3-pro-image/
    ],
    ['words that are a number', { additional_prompt => 5 }, '400 invalid additional_prompt: Not a valid string.'],
    [
        'words with NUL', { additional_prompt => "a\0b" },
        '400 invalid additional_prompt: Null characters are not allowed.'
    ],
    [
        'more than 10000 characters', { additional_prompt => 'ü' x 10001 },
        '400 invalid additional_prompt: Ensure this field has no more than 10000 characters.'
    ],
    [
        'a save that is no boolean', { save_to_identity => 'maybe' },
        '400 invalid save_to_identity: Must be a valid boolean.'
    ],
    ['a save that is a list', { save_to_identity => [] }, '400 invalid save_to_identity: Must be a valid boolean.'],
    [
        'a save of "true" in JSON', { save_to_identity => 'true' },
        '400 invalid save_to_identity: Must be a valid boolean.'
    ],
    ['a save of 1 in JSON', { save_to_identity => 1 }, '400 invalid save_to_identity: Must be a valid boolean.'],
    ['an empty choice of photos', { reference_image_ids => [] }, qr/^400 invalid reference_image_ids: /],
    ['photos that are no list', { reference_image_ids => $ids->[0] }, qr/^400 invalid reference_image_ids: /],
    [
        'a photo that is no UUID', { reference_image_ids => ['x'] },
        '400 invalid reference_image_ids: Must be a valid UUID.'
    ],
    [
        'a photo that is a number', { reference_image_ids => [1] },
        '400 invalid reference_image_ids: Must be a valid UUID.'
    ],
    [
        'another user\'s photo', { reference_image_ids => [$ids->[0], $bobs->{id}] },
        qr/^400 invalid reference_image_ids: $bobs->{id} /
    ],
    ['an unknown photo', { reference_image_ids => [$nowhere] }, qr/^400 invalid reference_image_ids: $nowhere /],
    [
        'a photo without a picture', { reference_image_ids => [$bare_slot->{id}] },
        qr/^400 invalid reference_image_ids: $bare_slot->{id} /
    ],
    ['more photos than slots', { reference_image_ids => [@$ids, @$ids] }, qr/^400 invalid reference_image_ids: /],
    ['an unknown identity', { identity_id => $nowhere }, '404 identity_not_found Identity not found'],
) {
    my ($what, $change, $expected) = @$case;
    my $said = refusal(generate(%$change));
    ref $expected ? like $said, $expected, "$what is refused" : is $said, $expected, "$what is refused";
}
is jobs(), 0, 'what was refused is no job';
is scalar(grep { /^generated_images/ } stored_files()), 0, 'and no picture';

# A picture ---------------------------------------------------------------------------------------

my $answer = generate(additional_prompt => 'In the rain.');
is $answer->code, 200, 'a picture is generated' or diag $answer->content;
is members($answer->content), 'success image_url job', 'the answer has these members in this order';
my ($job_text) = $answer->content =~ /"job":(.*)\}$/s;
is members($job_text),
    'id state queue_position identity user requested_by prompt_id prompt_version prompt_used additional_prompt model '
    . 'requested_model aspect_ratio resolution width height media_type '
    . 'reference_image_ids image_url download_url warnings error usage cost attempts created_at started_at finished_at '
    . 'cancel_requested identity_name',
    'and its job these';
like $answer->content, qr/^\{"success":true,"image_url":"http/, 'success is true';
my $body = json($answer);
my $job = $body->{job};
my ($prompt_id) = sql("SELECT id FROM prompts WHERE prompt_type = 'image_generation' AND version = 1");
my %expected = (
    state => 'succeeded', queue_position => undef, identity => $full, user => $alice, requested_by => $admin,
    prompt_id => $prompt_id, prompt_version => 1,
    additional_prompt => 'In the rain.', model => 'preview', aspect_ratio => '16:9', resolution => '1K', width => 1376,
    height => 768, media_type => 'image/jpeg',
    reference_image_ids => $ids, error => undef, cost => undef, attempts => 1, image_url => $body->{image_url},
    cancel_requested => JSON::PP::false, identity_name => 'Creative Visionary',
);
is_deeply $job->{$_}, $expected{$_}, "the job's $_ is right" for sort keys %expected;
like $job_text, qr/"prompt_version":1,.*"width":1376,"height":768,.*"attempts":1,/s, 'numbers are numbers';
like $job->{$_}, qr/^$time$/, "$_ is a time" for qw(created_at started_at finished_at);
ok $job->{created_at} le $job->{started_at} && $job->{started_at} le $job->{finished_at}, 'that come after one another';
like "@{$job->{warnings}}", qr/preview/, 'the preview says that it is one';
like $job->{image_url}, qr{^\Q@{[base_url()]}\E/.*/generated_images/$uuid\.jpg\?},
    'the picture stands below generated_images';
is scalar(grep { /^generated_images/ } stored_files()), 1, 'as one file';
my $picture = call(GET => $body->{image_url});
is size_of($picture->content), '1376x768 jpeg', 'it opens and has the size that was asked for';
is $picture->header('Content-Disposition'), 'inline', 'image_url is for looking at';
my $download = call(GET => $job->{download_url});
my $day = $job->{created_at} =~ s/^(\d+)-(\d+)-(\d+).*/$1$2$3/r;
is $download->header('Content-Disposition'), qq(attachment; filename="creative-visionary-$day.jpg"),
    'download_url is for saving, under a sensible name';
is $download->content, $picture->content, 'and is the same picture';
is column(
    $job,
    "state || ' ' || generator || ' ' || image || ' ' || save_to_identity || ' ' || coalesce(owner, '-') || ' ' || "
        . "coalesce(lease_expires_at::text, '-')"
    ),
    'succeeded preview ' . ($body->{image_url} =~ s{^.*?/(generated_images/[^?]+).*}{$1}r) . ' false - -',
    'the row says so too, and nobody holds it any more';
is column($job, 'prompt_used'), $job->{prompt_used}, 'and has the prompt that was used';
is json(call(GET => 'users/me/identities/', as => 'scenario_one'))->[0]{image}, undef,
    'the identity has no picture: nobody asked for that';
is jobs(), 1, 'it was one job';

# Sizes: Google's, for each ratio at 1K.
my %sizes = (
    '1:1' => '1024x1024', '2:3' => '848x1264', '3:2' => '1264x848', '3:4' => '896x1200', '4:3' => '1200x896',
    '4:5' => '928x1152', '5:4' => '1152x928',
    '9:16' => '768x1376', '16:9' => '1376x768', '21:9' => '1584x672'
);
for my $ratio (sort keys %sizes) {
    my $body = json(generate(aspect_ratio => $ratio, identity_id => $unicode, reference_image_ids => [$ids->[1]]));
    is "$body->{job}{aspect_ratio} $body->{job}{width}x$body->{job}{height} "
        . size_of(call(GET => $body->{image_url})->content), "$ratio $sizes{$ratio} $sizes{$ratio} jpeg",
        "a picture of $ratio is $sizes{$ratio} pixels";
}
my $default = call(
    POST => 'image-generation/generate/', as => 'admin',
    form => [identity_id => $plain, user_id => $alice, reference_image_ids => $ids->[0]]
);
is join(' ', @{ json($default)->{job} }{qw(aspect_ratio resolution width height)}), '16:9 4K 5504 3072',
    'without a choice it is 16:9 in 4K';

# The prompt, to the character --------------------------------------------------------------------

sub prompt {
    my ($context, $additional) = @_;
    return
          "We're creating an Identity Image for this person.\n\n$context\n\n"
        . "Create a professional, confident, and inspiring image for this Identity.\n"
        . "It is critical that the person's face remains intact and recognizable.\n"
        . "The image should be an ideal visualization of them living as this Identity.\n"
        . "Give it a movie poster quality aesthetic.\n"
        . "Nothing negative should be conveyed - this is an aspirational image.\n\n"
        . "Additional instructions: $additional";
}
my %context = (
    full =>
        "Identity Name: \"Creative Visionary\"\nCategory: passions_and_talents\nI Am Statement: I am a creative force "
        . "who {shapes} the future.\n"
        . "Visualization: Standing in a sunlit studio, surrounded by work.\nNotes: paints daily; teaches on Sundays",
    bare => "Identity Name: \"Quiet \"Maker\"\"\nCategory: maker_of_money",
    unicode =>
        "Identity Name: \"Café 模範 🎨\"\nCategory: keeper_of_the_home\nI Am Statement: I am naïve & proud.\nTwo lines.\n"
        . "Notes: one note",
    plain => "Identity Name: \"Runner\"\nCategory: physical_expression\nI Am Statement: I am steady.\nVisualization: "
        . "Crossing the line at dawn.\nNotes: a; b; c",
);
is $job->{prompt_used}, prompt($context{full}, 'In the rain.'),
    'the prompt is the template, the identity and the words, to the character';

sub used {
    my $job = json(generate(aspect_ratio => '1:1', reference_image_ids => [$ids->[0]], @_))->{job};
    return $job->{prompt_used};
}
is used(identity_id => identity_of($_)), prompt($context{$_}, 'None provided'),
    "the prompt of the identity '$_', with no words" for sort keys %context;
for my $case (
    ['no words', '', 'None provided'],
    ['words of spaces', " \n ", 'None provided'],
    ['spaces around', "  a  b \n", 'a  b'],
    ['placeholders', '{identity_context} {additional_prompt} {x}', '{identity_context} {additional_prompt} {x}'],
    ['doubled braces', '{{a}} {{{b}}} %s \1 $1', '{{a}} {{{b}}} %s \1 $1'],
    ['several lines, emoji', "one\ntwo 🎨", "one\ntwo 🎨"],
) {
    my ($what, $words, $rendered) = @$case;
    is used(identity_id => $bare, additional_prompt => $words), prompt($context{bare}, $rendered),
        "additional words: $what";
}
sql("UPDATE identities SET visualization = '{additional_prompt} {{y}} {identity_context}' WHERE id = '$bare'");
is used(identity_id => $bare, additional_prompt => 'words'),
    prompt("$context{bare}\nVisualization: {additional_prompt} {{y}} {identity_context}", 'words'),
    'placeholders in an identity stay as they are written';
sql(
          q(INSERT INTO prompts (prompt_type, version, body) VALUES )
        . q(('image_generation', 2, 'v2 {{literal}} {unknown} { {additional_prompt}|)
        . q({additional_prompt}} }} {{additional_prompt}} {'),)
        . q( ('image_generation', 3, 'v3 {identity_context}'), ('coach', 9, 'another kind'); UPDATE prompts SET )
        . q(is_active = false WHERE version = 3)
);
my $second = json(generate(aspect_ratio => '1:1', additional_prompt => 'x'))->{job};
is $second->{prompt_used}, 'v2 {literal} {unknown} { x|x} } {additional_prompt} {',
    'a template\'s doubled braces are braces, unknown ones stay';
is $second->{prompt_version}, 2, 'and the highest active version of this kind was taken';

# Save --------------------------------------------------------------------------------------------

fresh_data();
@photos = map { photo('alice', $_) } portrait(), make_jpeg(400, 600), make_jpeg(640, 480);
$ids = [map { $_->{id} } @photos];
my @small = (aspect_ratio => '1:1', reference_image_ids => [$ids->[1]]);

sub of_full {
    my ($one) = grep { $_->{id} eq $full } @{ json(call(GET => 'users/me/identities/', as => 'scenario_one')) };
    return $one->{image} && $one->{image}{original} =~ s/\?.*//r;
}

$answer = generate(@small, save_to_identity => JSON::PP::true);
is members($answer->content), 'success image_url identity job', 'with save_to_identity the answer has the identity too';
$body = json($answer);
is join(' ', sort keys %{ $body->{identity}{image} }), 'large medium original thumbnail',
    'with the picture in four sizes';
my ($made) = $body->{image_url} =~ m{generated_images/($uuid)\.jpg};
like $body->{identity}{image}{original}, qr{/media/(?!$made)$uuid/$made\.jpg\?},
    'a copy under an address of its own, called as the generated picture';
is call(GET => $body->{identity}{image}{original})->content, call(GET => $body->{image_url})->content,
    'of the same bytes';
is of_full(), $body->{identity}{image}{original} =~ s/\?.*//r, 'its owner sees it';
is column($body->{job}, 'save_to_identity'), 't', 'the job knows';
call(DELETE => "identities/$full/delete-image/", as => 'admin') for 1, 2;
is call(GET => $body->{image_url})->code, 200, 'taking it off the identity leaves the job\'s picture alone';

is exists json(generate(@small, save_to_identity => $_))->{identity}, '',
    'save_to_identity ' . JSON::PP->new->allow_nonref->encode($_) . ' does not save'
    for JSON::PP::false, JSON::PP::null;
for my $case (['false', 0], ['true', 1], ['0', 0], ['1', 1], ['', 0]) {
    my ($value, $saves) = @$case;
    call(DELETE => "identities/$full/delete-image/", as => 'admin');
    my $answer = call(
        POST => 'image-generation/generate/',
        as => 'admin',
        ($value eq '0' ? 'parts' : 'form') => [
            identity_id => $full, user_id => $alice, resolution => '1K', aspect_ratio => '1:1',
            reference_image_ids => $ids->[1], save_to_identity => $value
        ]
    );
    is join(' ', $answer->code, defined of_full() ? 1 : 0), "200 $saves",
        "save_to_identity=$value in a form " . ($saves ? 'saves' : 'does not save');
}

# Which photos ------------------------------------------------------------------------------------

is_deeply json(generate(@small, reference_image_ids => [$ids->[2]]))->{job}{reference_image_ids}, [$ids->[2]],
    'one photo can be chosen';
is_deeply json(generate(@small, reference_image_ids => [uc $ids->[2], $ids->[0]]))->{job}{reference_image_ids},
    [@$ids[0, 2]], 'two photos go along in the order of their slots';
is_deeply json(generate(@small, reference_image_ids => [$ids->[1], $ids->[1]]))->{job}{reference_image_ids},
    [$ids->[1]], 'a photo that is named twice goes along once';
is_deeply json(generate(@small, reference_image_ids => JSON::PP::null))->{job}{reference_image_ids}, $ids,
    'null means all';
is json(generate(@small, identity_id => $plain))->{job}{user}, $alice, 'the identity need not be the user\'s';
is json(generate(@small, model => 'gemini-3-pro-image-preview'))->{job}{state}, 'succeeded',
    'the plan\'s model name is understood';

# Photos as they go out are kept in memory for a while: these have not been used yet.
sub spoil {
    my ($photo, $bytes) = @_;
    my $file = picture_path(file_of($photo->{image}{original}));
    open my $out, '>:raw', $file or die "$file: $!";
    print $out $bytes;
    close $out;
    return;
}
fresh_data();
@photos = map { photo('alice', $_) } portrait(), make_jpeg(80, 60), portrait();
$ids = [map { $_->{id} } @photos];
spoil($photos[0], 'garbage');
expect_log(qr/IIMG0110: Reference image $ids->[$_] could not be loaded/) for 0 .. 2;
$answer = generate(aspect_ratio => '1:1', reference_image_ids => [@$ids[0, 1]]);
is $answer->code, 200, 'a photo that cannot be read is left out';
$job = json($answer)->{job};
is_deeply $job->{reference_image_ids}, [$ids->[1]], 'and not among those that went along';
like "@{$job->{warnings}}", qr/$ids->[0] could not be loaded/, 'the job warns of it';
is scalar(grep { /IIMG0110: Reference image $ids->[0] / } log_lines()), 1, 'the log too';
spoil($photos[2], substr slurp(portrait()), 0, 50_000);
is_deeply json(generate(aspect_ratio => '1:1'))->{job}{reference_image_ids}, [$ids->[1]],
    'so is one that was cut short';
unlink picture_path(file_of($photos[2]{image}{original}));
is_deeply json(generate(aspect_ratio => '1:1'))->{job}{reference_image_ids}, [$ids->[1]],
    '... and one whose file is gone';
my $count = jobs();
is refusal(generate(reference_image_ids => [@$ids[0, 2]])),
    '400 no_readable_references Could not load any reference images',
    'when none of those chosen can be read it is refused';
is call(DELETE => "reference-images/$ids->[1]/", as => 'alice')->code, 204, 'a photo is deleted';
is refusal(generate()), '400 no_readable_references Could not load any reference images',
    'or none of all, whatever was in memory';
is jobs(), $count, 'and is no job';

# No prompt ---------------------------------------------------------------------------------------

fresh_data();
photo('alice');
sql("UPDATE prompts SET is_active = false WHERE prompt_type = 'image_generation'");
expect_log(qr/IIMG0003: POST \S+generate\/: No active image generation prompt found/);
$answer = generate();
is refusal($answer), '503 no_active_prompt No active image generation prompt found',
    'without an active prompt there is no picture';
like $answer->header('Retry-After'), qr/^\d+$/, 'and the client is told when to try again';
is refusal(generate(identity_id => $nowhere)), '404 identity_not_found Identity not found',
    'an unknown identity is told first all the same';
is refusal(generate(user_id => $bob)), '400 no_references No reference images found for this user',
    'and so are missing photos';
is jobs(), 0, 'none of it is a job';

# The user goes while his picture is made ------------------------------------------------------------

# A trigger deletes him when the job begins to run, or when it has just succeeded.
sub with_trigger {
    my ($state, $body, $code) = @_;
    sql(      "CREATE FUNCTION test_step() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN $body; RETURN NULL; END \$\$;"
            . " CREATE CONSTRAINT TRIGGER test_step AFTER UPDATE ON generation_jobs DEFERRABLE INITIALLY DEFERRED FOR "
            . "EACH ROW WHEN (NEW.state = '$state') EXECUTE FUNCTION test_step()");
    my $answer = eval { $code->() };
    my $problem = $@;
    sql('DROP TRIGGER test_step ON generation_jobs; DROP FUNCTION test_step()');
    die $problem if $problem;
    return $answer;
}
for my $case (['running', 0], ['succeeded', 1]) {
    my ($state, $save) = @$case;
    fresh_data();
    photo('alice');
    my $answer = with_trigger(
        $state, 'DELETE FROM users WHERE id = NEW.user_id',
        sub { generate(identity_id => $plain, save_to_identity => $save ? JSON::PP::true : undef) }
    );
    like refusal($answer), qr/^409 user_deleted .*The user whose photos these are has been deleted\.$/,
        "the user is deleted when the job is $state: no picture";
    is join('', sql('SELECT count(*) FROM generation_jobs WHERE image IS NOT NULL')), 0, '... with the job';
    is join("", sql("SELECT error_code FROM generation_jobs")), "user_deleted", '... which says why'
        if $state eq 'running';
    is join('', sql('SELECT count(*) FROM identities WHERE image IS NOT NULL')), 0, '... nor with an identity';
    sql("UPDATE stored_objects SET created_at = now() - interval '2 hours'");
    is join(' ', sql("SELECT key FROM stored_objects WHERE state IN ('live', 'held')")), '', '... and nothing is kept';
}

# A job is inserted and taken in one transaction: there is none that nobody runs.
fresh_data();
photo('alice');
expect_log(qr/IIMG0001: POST \S+generate\/.*not today/);
is with_trigger('running', "RAISE 'not today'", sub { generate() })->code, 500, 'a job that cannot be taken';
is jobs(), 0, '... is none';

fresh_data();
finish();
