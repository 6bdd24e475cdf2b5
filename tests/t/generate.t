# generate.t - generating the picture of an identity, with the built-in preview generator.
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

# Generate a picture. BODY replaces or adds members of the usual request; undef removes one.
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

# The names of an object's members in order, from JSON text.
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

# Width and height of a picture.
sub size_of {
    my ($bytes) = @_;
    my $file = "$ENV{IIMG_WORK}/generated";
    open my $out, '>:raw', $file or die $!;
    print $out $bytes;
    close $out;
    return `vipsheader '$file'` =~ /: (\d+x\d+) uchar, 3 bands, srgb, (\w+)load/ ? "$1 $2" : 'no picture';
}

# Users -------------------------------------------------------------------------------------------

sub choices { return call(GET => 'image-generation/users/', as => 'admin')->content }

subtest 'Staff get themselves and the test scenarios as choices' => sub {
    my $test_users =
          '{"id":"'
        . person('scenario_one')
        . '","email":"scenario-one@example.com","name":"Scenario One","is_current_user":false,"is_test_user":true},'
        . '{"id":"'
        . person('scenario_two')
        . '","email":"scenario-two@example.com","name":"Scenario Two","is_current_user":false,"is_test_user":true}]';
    is choices(),
        qq([{"id":"$admin","email":"admin\@example.com","name":"Ada Admin",)
        . qq("is_current_user":true,"is_test_user":false},$test_users),
        'staff get themselves and the test scenarios that have a user';
};

subtest 'A user without a name is shown by the email' => sub {
    for my $case (
        ['Ada', '', 'Ada'], ['', 'Admin', 'Admin'], ['', '', 'admin@example.com'],
        [' ', "\x{a0}", 'admin@example.com'], ['Åsa ', ' Ö', 'Åsa   Ö']
    ) {
        my ($first, $last, $name) = @$case;
        sql("UPDATE users SET first_name = '$first', last_name = '$last' WHERE id = '$admin'");
        is json(call(GET => 'image-generation/users/', as => 'admin'))->[0]{name}, $name,
            "first name '$first' and last name '$last' give the name '$name'";
    }
    sql("UPDATE users SET first_name = 'Ada', last_name = 'Admin' WHERE id = '$admin'");
};

# Access ------------------------------------------------------------------------------------------

subtest 'The routes are for staff only' => sub {
    for my $case (
        [GET => 'image-generation/users/'],
        [POST => 'image-generation/generate/'],
    ) {
        my ($method, $path) = @$case;
        my @with = $method eq 'POST' ? (json => { identity_id => $full, user_id => $alice }) : ();
        is refusal(call($method => $path, @with)),
            '401 not_authenticated Authentication credentials were not provided.',
            "$path without credentials is 401";
        is refusal(call($method => $path, @with, as => $_)),
            '403 permission_denied You do not have permission to perform this action.', "$path by $_ is 403"
            for qw(alice scenario_one);
    }
    is refusal(call(POST => 'image-generation/generate/', as => 'alice', body => 'no JSON', type => 'text/plain')),
        '403 permission_denied You do not have permission to perform this action.',
        'the 403 comes before the body is read';
};

subtest 'Other methods on generate/ are 405' => sub {
    for my $method (qw(GET PUT PATCH DELETE)) {
        my $answer = call($method => 'image-generation/generate/', as => 'admin');
        is refusal($answer) . ' ' . $answer->header('Allow'),
            "405 method_not_allowed Method \"$method\" not allowed. POST, OPTIONS", "$method on generate/ is 405";
    }
};

# Refused requests --------------------------------------------------------------------------------

subtest 'Generation is refused for unknown identities and users without pictures' => sub {
    is refusal(generate(identity_id => $nowhere)), '404 identity_not_found Identity not found',
        'an unknown identity is 404, before missing photos';
    is refusal(generate()), '400 no_references No reference images found for this user',
        'a user without photos is refused';
    my $slot = json(call(POST => 'reference-images/', as => 'alice', json => {}));
    is refusal(generate()), '400 no_references No reference images found for this user',
        'a user with photos but no pictures is refused';
    is refusal(generate(user_id => $nowhere)), '400 no_references No reference images found for this user',
        'an unknown user is refused like one without photos';
    call(DELETE => "reference-images/$slot->{id}/", as => 'alice');
};

my @photos = map { photo('alice', $_) } portrait(), make_jpeg(400, 600), make_jpeg(640, 480);
my $bobs = photo('bob');
my $bare_slot = json(call(POST => 'reference-images/', as => 'alice', json => { name => 'no picture' }));
my $ids = [map { $_->{id} } @photos];

subtest 'An invalid member is refused by its name' => sub {
    my $ratios = '1:1, 2:3, 3:2, 3:4, 4:3, 4:5, 5:4, 9:16, 16:9, 21:9';
    for my $case (
        ['no identity_id', { identity_id => undef }, '400 invalid identity_id: This field is required.'],
        ['no user_id', { user_id => undef }, '400 invalid user_id: This field is required.'],
        ['an empty identity_id', { identity_id => '' }, qr/^400 invalid identity_id: /],
        ['an identity_id of null', { identity_id => JSON::PP::null }, qr/^400 invalid identity_id: /],
        [
            'an identity_id that is not a UUID', { identity_id => 'abc' },
            '400 invalid identity_id: Must be a valid UUID.'
        ],
        ['an identity_id that is a number', { identity_id => 7 }, '400 invalid identity_id: Must be a valid UUID.'],
        ['a user_id that is not a UUID', { user_id => "$alice'" }, '400 invalid user_id: Must be a valid UUID.'],
        ['a list as user_id', { user_id => [$alice] }, '400 invalid user_id: Must be a valid UUID.'],
        [
            'an unknown aspect ratio', { aspect_ratio => '16:10' },
            "400 invalid aspect_ratio: \"16:10\" is not a valid choice. Allowed: $ratios."
        ],
        [
            'an empty aspect ratio', { aspect_ratio => '' },
            "400 invalid aspect_ratio: \"\" is not a valid choice. Allowed: $ratios."
        ],
        ['an aspect ratio that is a number', { aspect_ratio => 1.5 }, '400 invalid aspect_ratio: Not a valid string.'],
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
        [
            'an additional prompt that is a number', { additional_prompt => 5 },
            '400 invalid additional_prompt: Not a valid string.'
        ],
        [
            'an additional prompt with a NUL', { additional_prompt => "a\0b" },
            '400 invalid additional_prompt: Null characters are not allowed.'
        ],
        [
            'more than 10000 characters', { additional_prompt => 'ü' x 10001 },
            '400 invalid additional_prompt: Ensure this field has no more than 10000 characters.'
        ],
        [
            'save_to_identity that is not a boolean', { save_to_identity => 'maybe' },
            '400 invalid save_to_identity: Must be a valid boolean.'
        ],
        [
            'save_to_identity that is a list', { save_to_identity => [] },
            '400 invalid save_to_identity: Must be a valid boolean.'
        ],
        [
            'save_to_identity of "true" in JSON', { save_to_identity => 'true' },
            '400 invalid save_to_identity: Must be a valid boolean.'
        ],
        [
            'save_to_identity of 1 in JSON', { save_to_identity => 1 },
            '400 invalid save_to_identity: Must be a valid boolean.'
        ],
        ['an empty list of photos', { reference_image_ids => [] }, qr/^400 invalid reference_image_ids: /],
        ['photos that are not a list', { reference_image_ids => $ids->[0] }, qr/^400 invalid reference_image_ids: /],
        [
            'a photo id that is not a UUID', { reference_image_ids => ['x'] },
            '400 invalid reference_image_ids: Must be a valid UUID.'
        ],
        [
            'a photo id that is a number', { reference_image_ids => [1] },
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
};

subtest 'Refused requests create no job and no file' => sub {
    is jobs(), 0, 'refused requests create no job';
    is scalar(grep { /^generated_images/ } stored_files()), 0, 'refused requests create no file';
};

# One generation ----------------------------------------------------------------------------------

my ($job, $body);
subtest 'A generation returns the job with all its members' => sub {
    my $answer = generate(additional_prompt => 'In the rain.');
    is $answer->code, 200, 'a picture is generated' or diag $answer->content;
    is members($answer->content), 'success image_url job', 'the response has exactly these members in order';
    my ($job_text) = $answer->content =~ /"job":(.*)\}$/s;
    is members($job_text),
        'id state queue_position identity user requested_by prompt_id prompt_version prompt_used additional_prompt '
        . 'model requested_model aspect_ratio resolution width height media_type '
        . 'reference_image_ids image_url download_url warnings error usage cost attempts created_at started_at '
        . 'finished_at cancel_requested identity_name',
        'the job has exactly these members in order';
    like $answer->content, qr/^\{"success":true,"image_url":"http/, 'success is true';
    $body = json($answer);
    $job = $body->{job};
    my ($prompt_id) = sql("SELECT id FROM prompts WHERE prompt_type = 'image_generation' AND version = 1");
    my %expected = (
        state => 'succeeded', queue_position => undef, identity => $full, user => $alice, requested_by => $admin,
        prompt_id => $prompt_id, prompt_version => 1,
        additional_prompt => 'In the rain.', model => 'preview', aspect_ratio => '16:9', resolution => '1K',
        width => 1376,
        height => 768, media_type => 'image/jpeg',
        reference_image_ids => $ids, error => undef, cost => undef, attempts => 1, image_url => $body->{image_url},
        cancel_requested => JSON::PP::false, identity_name => 'Creative Visionary',
    );
    is_deeply $job->{$_}, $expected{$_}, "the job has the expected $_" for sort keys %expected;
    like $job_text, qr/"prompt_version":1,.*"width":1376,"height":768,.*"attempts":1,/s, 'numbers are JSON numbers';
    like $job->{$_}, qr/^$time$/, "$_ is a time" for qw(created_at started_at finished_at);
    ok $job->{created_at} le $job->{started_at} && $job->{started_at} le $job->{finished_at},
        'created_at, started_at and finished_at are in order';
};

subtest 'The picture is one file of the requested size' => sub {
    like "@{$job->{warnings}}", qr/preview/, 'the job warns that this is a preview';
    like $job->{image_url}, qr{^\Q@{[base_url()]}\E/.*/generated_images/$uuid\.jpg\?},
        'the picture is below generated_images';
    is scalar(grep { /^generated_images/ } stored_files()), 1, 'the picture is one file';
    my $picture = call(GET => $body->{image_url});
    is size_of($picture->content), '1376x768 jpeg', 'the picture has the requested size';
    is $picture->header('Content-Disposition'), 'inline', 'image_url is inline';
    my $download = call(GET => $job->{download_url});
    my $day = $job->{created_at} =~ s/^(\d+)-(\d+)-(\d+).*/$1$2$3/r;
    is $download->header('Content-Disposition'), qq(attachment; filename="creative-visionary-$day.jpg"),
        'download_url is an attachment with a descriptive name';
    is $download->content, $picture->content, 'download_url has the same picture';
};

subtest 'The row of the job agrees with the response' => sub {
    is column(
        $job,
        "state || ' ' || generator || ' ' || image || ' ' || save_to_identity || ' ' || coalesce(owner, '-') || ' ' || "
            . "coalesce(lease_expires_at::text, '-')"
        ),
        'succeeded preview ' . ($body->{image_url} =~ s{^.*?/(generated_images/[^?]+).*}{$1}r) . ' false - -',
        'the row has succeeded and has no owner or lease';
    is column($job, 'prompt_used'), $job->{prompt_used}, 'the row has the prompt';
    is json(call(GET => 'users/me/identities/', as => 'scenario_one'))->[0]{image}, undef,
        'without save_to_identity the identity gets no picture';
    is jobs(), 1, 'there is one job';
};

# Sizes: Google's, for each ratio at 1K.
subtest 'A picture has the size of its aspect ratio' => sub {
    my %sizes = (
        '1:1' => '1024x1024', '2:3' => '848x1264', '3:2' => '1264x848', '3:4' => '896x1200', '4:3' => '1200x896',
        '4:5' => '928x1152', '5:4' => '1152x928',
        '9:16' => '768x1376', '16:9' => '1376x768', '21:9' => '1584x672'
    );
    for my $ratio (sort keys %sizes) {
        my $body = json(generate(aspect_ratio => $ratio, identity_id => $unicode, reference_image_ids => [$ids->[1]]));
        is "$body->{job}{aspect_ratio} $body->{job}{width}x$body->{job}{height} "
            . size_of(call(GET => $body->{image_url})->content), "$ratio $sizes{$ratio} $sizes{$ratio} jpeg",
            "a picture of $ratio has $sizes{$ratio} pixels";
    }
};

subtest 'The default is 16:9 in 4K' => sub {
    my $default = call(
        POST => 'image-generation/generate/', as => 'admin',
        form => [identity_id => $plain, user_id => $alice, reference_image_ids => $ids->[0]]
    );
    is join(' ', @{ json($default)->{job} }{qw(aspect_ratio resolution width height)}), '16:9 4K 5504 3072',
        'the default is 16:9 in 4K';
};

# The exact prompt ---------------------------------------------------------------------------------

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

sub used {
    my $job = json(generate(aspect_ratio => '1:1', reference_image_ids => [$ids->[0]], @_))->{job};
    return $job->{prompt_used};
}

subtest 'The prompt is the template with the identity and the additional prompt' => sub {
    is $job->{prompt_used}, prompt($context{full}, 'In the rain.'),
        'the prompt is exactly the template with identity and additional prompt';

    is used(identity_id => identity_of($_)), prompt($context{$_}, 'None provided'),
        "the prompt of the identity '$_' without an additional prompt" for sort keys %context;
};

subtest 'The additional prompt is inserted as text' => sub {
    for my $case (
        ['no additional prompt', '', 'None provided'],
        ['an additional prompt of spaces', " \n ", 'None provided'],
        ['surrounding spaces', "  a  b \n", 'a  b'],
        ['placeholders', '{identity_context} {additional_prompt} {x}', '{identity_context} {additional_prompt} {x}'],
        ['doubled braces', '{{a}} {{{b}}} %s \1 $1', '{{a}} {{{b}}} %s \1 $1'],
        ['several lines and emoji', "one\ntwo 🎨", "one\ntwo 🎨"],
    ) {
        my ($what, $words, $rendered) = @$case;
        is used(identity_id => $bare, additional_prompt => $words), prompt($context{bare}, $rendered),
            "additional prompt: $what";
    }
};

subtest "Placeholders in an identity's text are not replaced" => sub {
    sql("UPDATE identities SET visualization = '{additional_prompt} {{y}} {identity_context}' WHERE id = '$bare'");
    is used(identity_id => $bare, additional_prompt => 'words'),
        prompt("$context{bare}\nVisualization: {additional_prompt} {{y}} {identity_context}", 'words'),
        "placeholders in an identity's text are not replaced";
};

subtest 'The highest active version of the prompt is used' => sub {
    sql(      q(INSERT INTO prompts (prompt_type, version, body) VALUES )
            . q[('image_generation', 2, 'v2 {{literal}} {unknown} { {additional_prompt}|]
            . q[{additional_prompt}} }} {{additional_prompt}} {'),]
            . q( ('image_generation', 3, 'v3 {identity_context}'), ('coach', 9, 'another kind'); UPDATE prompts SET )
            . q(is_active = false WHERE version = 3));
    my $second = json(generate(aspect_ratio => '1:1', additional_prompt => 'x'))->{job};
    is $second->{prompt_used}, 'v2 {literal} {unknown} { x|x} } {additional_prompt} {',
        'doubled braces become braces, unknown placeholders stay';
    is $second->{prompt_version}, 2, 'the highest active version of the type is used';
};

# save_to_identity --------------------------------------------------------------------------------

fresh_data();
@photos = map { photo('alice', $_) } portrait(), make_jpeg(400, 600), make_jpeg(640, 480);
$ids = [map { $_->{id} } @photos];
my @small = (aspect_ratio => '1:1', reference_image_ids => [$ids->[1]]);

sub of_full {
    my ($one) = grep { $_->{id} eq $full } @{ json(call(GET => 'users/me/identities/', as => 'scenario_one')) };
    return $one->{image} && $one->{image}{original} =~ s/\?.*//r;
}

subtest 'With save_to_identity the identity gets a copy of the picture' => sub {
    my $answer = generate(@small, save_to_identity => JSON::PP::true);
    is members($answer->content), 'success image_url identity job',
        'with save_to_identity the response has the identity';
    $body = json($answer);
    is join(' ', sort keys %{ $body->{identity}{image} }), 'large medium original thumbnail',
        'the identity has the picture in four sizes';
    my ($made) = $body->{image_url} =~ m{generated_images/($uuid)\.jpg};
    like $body->{identity}{image}{original}, qr{/media/(?!$made)$uuid/$made\.jpg\?},
        "the identity's copy has its own key and the name of the generated picture";
    is call(GET => $body->{identity}{image}{original})->content, call(GET => $body->{image_url})->content,
        'the copy has the same bytes';
    is of_full(), $body->{identity}{image}{original} =~ s/\?.*//r, 'the owner sees the picture';
    is column($body->{job}, 'save_to_identity'), 't', 'the job has save_to_identity';
    call(DELETE => "identities/$full/delete-image/", as => 'admin') for 1, 2;
    is call(GET => $body->{image_url})->code, 200, "removing it from the identity keeps the job's picture";
};

subtest 'Only a true save_to_identity saves' => sub {
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
};

# Selection of photos -----------------------------------------------------------------------------

subtest 'Photos can be selected and are used in the order of their slots' => sub {
    is_deeply json(generate(@small, reference_image_ids => [$ids->[2]]))->{job}{reference_image_ids}, [$ids->[2]],
        'one photo can be selected';
    is_deeply json(generate(@small, reference_image_ids => [uc $ids->[2], $ids->[0]]))->{job}{reference_image_ids},
        [@$ids[0, 2]], 'two photos are used in the order of their slots';
    is_deeply json(generate(@small, reference_image_ids => [$ids->[1], $ids->[1]]))->{job}{reference_image_ids},
        [$ids->[1]], 'a repeated photo id is used once';
    is_deeply json(generate(@small, reference_image_ids => JSON::PP::null))->{job}{reference_image_ids}, $ids,
        'null selects all photos';
};

subtest 'An identity of another user and the model name of the Django system are accepted' => sub {
    is json(generate(@small, identity_id => $plain))->{job}{user}, $alice, 'the identity may belong to another user';
    is json(generate(@small, model => 'gemini-3-pro-image-preview'))->{job}{state}, 'succeeded',
        'the model name of the Django system is accepted';
};

# Prepared photos are cached for a while; these have not been used yet.
sub spoil {
    my ($photo, $bytes) = @_;
    my $file = picture_path(file_of($photo->{image}{original}));
    open my $out, '>:raw', $file or die "$file: $!";
    print $out $bytes;
    close $out;
    return;
}

subtest 'Photos that cannot be read are skipped with a warning' => sub {
    fresh_data();
    @photos = map { photo('alice', $_) } portrait(), make_jpeg(80, 60), portrait();
    $ids = [map { $_->{id} } @photos];
    spoil($photos[0], 'garbage');
    expect_log(qr/IIMG0110: Reference image $ids->[$_] could not be loaded/) for 0 .. 2;
    my $answer = generate(aspect_ratio => '1:1', reference_image_ids => [@$ids[0, 1]]);
    is $answer->code, 200, 'a photo that cannot be read is skipped';
    $job = json($answer)->{job};
    is_deeply $job->{reference_image_ids}, [$ids->[1]], 'the skipped photo is not in reference_image_ids';
    like "@{$job->{warnings}}", qr/$ids->[0] could not be loaded/, 'the job warns of the skipped photo';
    is scalar(grep { /IIMG0110: Reference image $ids->[0] / } log_lines()), 1,
        'the log warns of the skipped photo once';
    spoil($photos[2], substr slurp(portrait()), 0, 50_000);
    is_deeply json(generate(aspect_ratio => '1:1'))->{job}{reference_image_ids}, [$ids->[1]],
        'a truncated photo is skipped';
    unlink picture_path(file_of($photos[2]{image}{original}));
    is_deeply json(generate(aspect_ratio => '1:1'))->{job}{reference_image_ids}, [$ids->[1]],
        'a photo whose file is missing is skipped';
};

subtest 'A request without any readable photo is refused' => sub {
    my $count = jobs();
    is refusal(generate(reference_image_ids => [@$ids[0, 2]])),
        '400 no_readable_references Could not load any reference images',
        'a request is refused if no selected photo can be read';
    is call(DELETE => "reference-images/$ids->[1]/", as => 'alice')->code, 204, 'a photo is deleted';
    is refusal(generate()), '400 no_readable_references Could not load any reference images',
        'a request is refused if no photo can be read, in spite of the cache';
    is jobs(), $count, 'the refused requests create no job';
};

# No active prompt --------------------------------------------------------------------------------

subtest 'A generation without an active prompt is a 503' => sub {
    fresh_data();
    photo('alice');
    sql("UPDATE prompts SET is_active = false WHERE prompt_type = 'image_generation'");
    expect_log(qr/IIMG0003: POST \S+generate\/: No active image generation prompt found/);
    my $answer = generate();
    is refusal($answer), '503 no_active_prompt No active image generation prompt found',
        'without an active prompt a generation is refused';
    like $answer->header('Retry-After'), qr/^\d+$/, 'the refusal has Retry-After';
    is refusal(generate(identity_id => $nowhere)), '404 identity_not_found Identity not found',
        'an unknown identity takes precedence over a missing prompt';
    is refusal(generate(user_id => $bob)), '400 no_references No reference images found for this user',
        'missing photos take precedence over a missing prompt';
    is jobs(), 0, 'the refused requests create no job';
};

# The user is deleted during the generation -----------------------------------------------------------

# A trigger deletes the user when the job starts to run, or when it has just succeeded.
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

subtest 'The picture of a user who is deleted during the generation is not kept' => sub {
    for my $case (['running', 0], ['succeeded', 1]) {
        my ($state, $save) = @$case;
        fresh_data();
        photo('alice');
        my $answer = with_trigger(
            $state, 'DELETE FROM users WHERE id = NEW.user_id',
            sub { generate(identity_id => $plain, save_to_identity => $save ? JSON::PP::true : undef) }
        );
        like refusal($answer), qr/^409 user_deleted .*The user whose photos these are has been deleted\.$/,
            "the user is deleted when the job is $state: 409";
        is join('', sql('SELECT count(*) FROM generation_jobs WHERE image IS NOT NULL')), 0,
            "the user is deleted when the job is $state: the job has no picture";
        is join("", sql("SELECT error_code FROM generation_jobs")), "user_deleted",
            "the user is deleted when the job is $state: the job has the code"
            if $state eq 'running';
        is join('', sql('SELECT count(*) FROM identities WHERE image IS NOT NULL')), 0,
            "the user is deleted when the job is $state: no identity has the picture";
        sql("UPDATE stored_objects SET created_at = now() - interval '2 hours'");
        is join(' ', sql("SELECT key FROM stored_objects WHERE state IN ('live', 'held')")), '',
            "the user is deleted when the job is $state: no object is kept";
    }
};

# A job is inserted and claimed in one transaction, so that no job is left without an owner.
subtest 'A job that cannot be claimed is not inserted' => sub {
    fresh_data();
    photo('alice');
    expect_log(qr/IIMG0001: POST \S+generate\/.*not today/);
    is with_trigger('running', "RAISE 'not today'", sub { generate() })->code, 500,
        'a job that cannot be claimed is a 500';
    is jobs(), 0, 'a job that cannot be claimed is not inserted';
};

fresh_data();
finish();
