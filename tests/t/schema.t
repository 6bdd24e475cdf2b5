# schema.t - the description of the API is valid OpenAPI, matches the code, and is open to anyone.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use IdentityImg::Server;
use IdentityImg::Test;
use File::Find ();
use File::Temp ();
use JSON::PP ();
use MIME::Base64 'encode_base64';
use Test::More;
use URI ();

fresh_data();
expect_log(qr/AH01617/);    # a wrong password

my $source = $ENV{IIMG_SOURCE};
my $module = "$source/mod_identityimg";
my $text = slurp("$module/openapi.json");
my $schema = JSON::PP->new->utf8->decode($text);
my $schemas = $schema->{components}{schemas};
my ($major) = (`node --version 2>/dev/null` // '') =~ /^v(\d+)/;

# The document itself --------------------------------------------------------------------------------

# Relay a command's TAP as part of this test.
sub relay {
    my (@command) = @_;
    open my $tap, '-|', @command or die "$command[0]: $!";
    my ($plan, $count) = (0, 0);
    while (my $line = <$tap>) {
        if ($line =~ /^(not )?ok \d+ - (.*)/) { ok !$1, $2; $count++ }
        elsif ($line =~ /^# (.*)/) { diag $1 }
        elsif ($line =~ /^1\.\.(\d+)/) { $plan = $1 }
    }
    close $tap;
    is $?, 0, 'the validator ran to its end';
    is $count, $plan, 'the validator reported all its checks';
    return;
}

subtest 'The description is valid OpenAPI' => sub {
    SKIP: {
        skip 'the validator needs Node 18 or newer', 1 if ($major // 0) < 18;
        relay('node', "$source/tests/schema/validate.mjs");
    }
};

# The verdict of tests/last/answers.t on a response.
sub judged {
    my (%with) = @_;
    my %answer = (
        method => 'GET', path => '/api/v1/users/me/', status => 200, type => 'application/json',
        headers => 'X-Request-Id', body => '', %with
    );
    my $file = File::Temp->new;
    print $file join("\t", 'x.t', @answer{qw(method path status type headers)}, encode_base64($answer{body}, '')), "\n";
    close $file;
    my $tap = `node '$source/tests/schema/answers.mjs' '$file'`;
    return join ' ', $tap =~ /^(?:# x\.t: \w+ \S+ )?(not ok|ok|\d+: .*)/mg;
}

subtest 'The check of recorded answers recognizes each kind of defect' => sub {
    SKIP: {
        skip 'this needs Node 18 or newer', 1 if ($major // 0) < 18;
        my $me =
              '{"id":"00000000-0000-4000-8000-00000000000a","email":"a@b","first_name":"","last_name":"",'
            . '"is_staff":true}';
        my $error = '{"detail":"Not found.","code":"not_found"}';
        for my $case (
            ['a response as described', 'ok', body => $me],
            [
                'an unknown member',
                'not ok 200: the response must NOT have additional properties such as "age"',
                body => $me =~ s/\}/,"age":1}/r
            ],
            [
                'a missing member', "not ok 200: the response must have required property 'is_staff'",
                body => $me =~ s/,"is_staff":true//r
            ],
            [
                'a value of another type', 'not ok 200: /is_staff must be boolean, but is "yes"',
                body => $me =~ s/true/"yes"/r
            ],
            ['a truncated response', 'not ok 200: the body is not JSON', body => substr $me, 0, 20],
            ['another Content-Type', 'not ok 200: 200 as text/html', type => 'text/html'],
            ['a status that is not described', 'not ok 404: 404 is not described', status => 404, body => $error],
            ['a missing header', 'not ok 503: 503 without Retry-After', status => 503, body => $error],
            [
                'an unknown code', 'not ok 503: /code must be equal to one of the allowed values, but is "odd"',
                status => 503, headers => 'X-Request-Id,Retry-After', body => $error =~ s/not_found/odd/r
            ],
            [
                'a code of another route', 'not ok 503: x-codes has no not_ready', status => 503,
                headers => 'X-Request-Id,Retry-After', body => $error =~ s/not_found/not_ready/r
            ],
            [
                'a problem without its status', "not ok 401: the response must have required property 'status'",
                status => 401, type => 'application/problem+json', headers => 'X-Request-Id,WWW-Authenticate',
                body => '{"type":"about:blank","title":"Unauthorized","detail":"x","code":"not_authenticated"}'
            ],
            [
                'a row for an unknown route', 'not ok 200: 200 where there is no operation', path => '/api/v1/nothing/',
                body => $me
            ],
            ['an unknown route', 'ok', path => '/api/v1/nothing/', status => 404, body => $error],
            [
                'a wrong method without Allow', 'not ok 405: 405 without Allow', method => 'PUT', status => 405,
                body => $error
            ],
            ['HEAD', 'ok', method => 'HEAD'],
        ) {
            my ($what, $expected, %answer) = @$case;
            is judged(%answer), $expected, "tests/last/answers.t recognizes $what";
        }
    }
};

# Routes ---------------------------------------------------------------------------------------------

my ($table) = slurp("$module/routes.c") =~ /route_t routes\[\] = \{(.*?)^\};/ms;
my %role;
$role{ lc($1) . " /$2" } = $3 while $table =~ /\{ M_(\w+),\s*"([^"]+)",\s*IIMG_(\w+),/g;
subtest 'All rows of the table of routes are read' => sub {
    cmp_ok scalar(keys %role), '>', 20, 'routes.c has a table';
    is scalar(keys %role), scalar(() = $table =~ /\bM_[A-Z]+,/g), 'all rows of the table are read';
};

my %described;
for my $path (keys %{ $schema->{paths} }) {
    $described{"$_ $path"} = $schema->{paths}{$path}{$_}
        for grep { $_ ne 'parameters' } keys %{ $schema->{paths}{$path} };
}
subtest 'The description has exactly the routes of the table, with their roles' => sub {
    is join("\n", sort keys %described), join("\n", sort keys %role),
        'the description has exactly the routes of the table';
    is join(
        ' ',
        grep { ($described{$_}{security} ? 'ANYONE' : 'OTHER') ne ($role{$_} eq 'ANYONE' ? 'ANYONE' : 'OTHER') }
            sort keys %role
        ),
        '',
        'the description marks the routes that need no credentials';
    is join(' ', grep { !!$described{$_}{responses}{403} != ($role{$_} eq 'STAFF' || !/^get /) } sort keys %role), '',
        'the description has 403 for staff routes and for writes';
    is join(
        ' ',
        grep { ($described{$_}{description} // '') !~ /^Staff only\./ } grep { $role{$_} eq 'STAFF' } sort keys %role
        ),
        '',
        'descriptions of staff routes begin with "Staff only."';
};

# Consistency of each operation with the sources.
sub has_parameter {
    my ($route, $name) = @_;
    return scalar grep { ($_->{'$ref'} // '') =~ /\/$name$/ } @{ $described{$route}{parameters} // [] };
}

sub has_header {
    my ($route, $status, $name) = @_;
    return exists +($described{$route}{responses}{$status}{headers} // {})->{$name};
}

sub wrong {
    my ($right, @routes) = @_;
    return join ' ', grep { !$right->($_) } sort @routes;
}
my @routes = keys %described;
my %views = $table =~ /\{ M_(\w+,\s*"[^"]+"),[^}]*\b(iimg_view_\w+) \}/g;
my %view = map { my ($method, $path) = /(\w+),\s*"([^"]+)"/; (lc($method) . " /$path" => $views{$_}) } keys %views;
my %source_of = map {
    map { my ($name) = /(\w+)\(/; ($name => $_) } slurp($_) =~ /^(?:static )?iimg_error_t \*\w+\([^;{]*\)\n\{.*?^\}/msg
} glob "$module/views/*.c";
subtest 'Each route has a view' => sub {
    is scalar(grep { $source_of{ $view{$_} } } @routes), scalar @routes, 'each route has a view';
};

# The source of a view with the functions that it calls, two levels deep.
sub whole {
    my ($name, $depth) = @_;
    my $text = $source_of{$name} // '';
    return $depth
        ? join '', $text, map { $_ ne $name && $source_of{$_} ? whole($_, $depth - 1) : () } $text =~ /\b(\w+)\(/g
        : $text;
}
subtest 'Idempotency-Key is described exactly where the view accepts it' => sub {
    is wrong(
        sub { has_parameter($_[0], 'IdempotencyKey') == (whole($view{ $_[0] }, 2) =~ /\biimg_request_input_once\(/) },
        @routes
        ),
        '', 'Idempotency-Key is described exactly where the view accepts it';
    is wrong(
        sub {
            my ($r) = @_;
            my @own = grep { /^idempotency_key_/ || $_ eq 'gone' } @{ $described{$r}{'x-codes'} // [] };
            (has_parameter($r, 'IdempotencyKey') ? 4 : 0) == @own;
        },
        @routes
        ),
        '', 'operations with Idempotency-Key have its codes';
    is wrong(
        sub {
            my ($r) = @_;
            my $is = has_parameter($r, 'IdempotencyKey');
            !$is
                || !(grep { !$described{$r}{responses}{$_} } 409, 410, 422)
                && has_header($r, $described{$r}{responses}{201} ? 201 : 200, 'Idempotent-Replayed');
        },
        @routes
        ),
        '',
        'operations with Idempotency-Key have its statuses and header';
};

subtest 'Conditional requests are described with their headers and statuses' => sub {
    is wrong(
        sub {
            my ($r) = @_;
            my $is = has_parameter($r, 'IfMatch') > 0;
            $is == ($described{$r}{responses}{412} ? 1 : 0);
        },
        @routes
        ),
        '', 'operations have If-Match if and only if they have 412';
    is wrong(
        sub {
            my ($r) = @_;
            (has_parameter($r, 'IfNoneMatch') > 0) == ($described{$r}{responses}{304} ? 1 : 0)
                && (!has_parameter($r, 'IfNoneMatch') || has_header($r, 200, 'ETag'));
        },
        @routes
        ),
        '', 'operations with If-None-Match have 304 and an ETag';
};

subtest 'Operations with a body or with credentials have the statuses of these' => sub {
    is wrong(
        sub {
            my ($r) = @_;
            $described{$r}{requestBody}
                ? !(grep { !$described{$r}{responses}{$_} } 400, 408, 413, 415)
                : !$described{$r}{responses}{415};
        },
        @routes
        ),
        '', 'operations with a body have 400, 408, 413 and 415';
    is wrong(
        sub {
            my ($r) = @_;
            $role{$r} eq 'ANYONE'
                ? $r =~ m{^post /auth/login/$} || !$described{$r}{responses}{401}
                : !(grep { !$described{$r}{responses}{$_} } 401, 429, 500, 503);
        },
        @routes
        ),
        '', 'operations with credentials have 401, 429, 500 and 503';
};

subtest 'Exactly the paged lists have limit, before and search' => sub {
    my @paged = grep { $source_of{ $view{$_} } =~ /\biimg_answer_page\(/ } @routes;
    cmp_ok scalar(@paged), '>', 3, 'more than three lists are paged';
    is wrong(
        sub {
            my ($r) = @_;
            !(grep { !has_parameter($r, $_) } 'Limit', 'Before', 'Search');
        },
        @paged
        ),
        '', 'paged lists have limit, before and search';
    is wrong(
        sub {
            my ($r) = @_;
            !(grep { has_parameter($r, $_) } 'Limit', 'Before', 'Search');
        },
        grep {
            my $r = $_;
            !grep { $_ eq $r } @paged
        } @routes
        ),
        '', 'other operations have no limit, before or search';
};

subtest 'The authentication methods have the names of the code and the configuration' => sub {
    my ($session_name) = slurp("$module/server/authn/session.c") =~ /^#define NAME\s+"(\w+)"/m;
    is join(' ', map { $schema->{components}{securitySchemes}{$_}{name} } 'session', 'sessionOverHttp'),
        "__Host-$session_name $session_name", 'the session cookies have the names of the code';
    my ($oidc_name) = slurp("$source/conf/examples/openid-connect.conf") =~ /^OIDCCookie (\w+)/m;
    is $schema->{components}{securitySchemes}{openidConnect}{name}, $oidc_name,
        'the OpenID Connect cookie has the name of the example configuration';
    is join(' ', sort map { keys %$_ } @{ $schema->{security} }),
        join(' ', sort keys %{ $schema->{components}{securitySchemes} }), 'each authentication method is sufficient';
};

# The running server agrees.
my $nowhere = '00000000-0000-4000-8000-0000000009ff';
subtest 'The running server has the described methods' => sub {
    for my $path (sort keys %{ $schema->{paths} }) {
        my %methods = map { ($_ => 1, $_ eq 'GET' ? (HEAD => 1) : ()) }
            map { uc } grep { $_ ne 'parameters' } keys %{ $schema->{paths}{$path} };
        my $allow = call(OPTIONS => '/api/v1' . $path =~ s/\{id\}/$nowhere/r)->header('Allow') // '';
        is join(' ', sort split /, /, $allow), join(' ', sort 'OPTIONS', keys %methods),
            "$path has the described methods";
    }
};

# Exactly the described rows have versions.
my %row = (
    'reference-images' => json(call(POST => 'reference-images/', as => 'admin', json => {}))->{id},
    identities => identity_of('full'), users => person('bob'),
    'test-scenarios' => '00000000-0000-4000-8000-0000000000e1', 'test-users' => person('scenario_one'),
    prompts => (sql('SELECT id FROM prompts LIMIT 1'))[0], tokens => $nowhere,
    jobs => '00000000-0000-4000-8000-00000000ab01'
);
sql(      'INSERT INTO generation_jobs (id, identity_id, user_id, state, prompt_used, generator, model, aspect_ratio, '
        . 'resolution, reference_image_ids, image, finished_at)'
        . " VALUES ('$row{jobs}', '$row{identities}', '$row{users}', 'succeeded', '', 'preview', 'm', '1:1', '1K', "
        . "'{}', 'generated_images/$nowhere.png', now())");
subtest 'Exactly the described rows have versions' => sub {
    for my $route (sort grep { /\{id\}/ } @routes) {
        my ($method, $path) = $route =~ m{^(\w+) /(.*)};
        my ($kind) = $path =~ m{([\w-]+)/\{id\}};
        my @ask = (uc $method, $path =~ s/\{id\}/$row{$kind}/r, as => 'admin');
        if ($method eq 'get') {
            my $tag = call(@ask)->header('ETag');
            is !!$tag, has_header($route, 200, 'ETag'), "$route has an ETag if described";
            is call(@ask, headers => ['If-None-Match' => $tag // '*'])->code,
                has_parameter($route, 'IfNoneMatch') ? 304 : 200, "$route supports If-None-Match if described";
        }
        elsif (has_parameter($route, 'IfMatch')) {
            is call(@ask, json => {}, headers => ['If-Match' => '"999999.1"'])->code, 412, "$route supports If-Match";
        }
        else {
            isnt call(@ask, json => {}, headers => ['If-Match' => '"999999.1"'])->code, 412,
                "$route ignores If-Match";
        }
    }
};

# Codes ----------------------------------------------------------------------------------------------

my $kinds = join '|', slurp("$module/base/error.h") =~ /^    (IIMG_[A-Z_]+),? +\/\*/mg;
my (%code, @unread);
File::Find::find({ no_chdir => 1, wanted => sub { read_codes($_) if /\.c$/ && !m{/base/error\.c$} } }, $module);

# The arguments of a call, from after its opening parenthesis.
sub arguments {
    my ($rest) = @_;
    my ($depth, @found) = (0, '');
    while ($rest =~ /\G("(?:[^"\\]|\\.)*"|.)/gs) {
        my $token = $1;
        last if $token eq ')' && $depth == 0;
        $depth++ if $token eq '(';
        $depth-- if $token eq ')';
        if ($token eq ',' && $depth == 0) { push @found, '' }
        else { $found[-1] .= $token }
    }
    return map { s/^\s+|\s+$//gr } @found;
}

# All codes in a source: in tables after a kind, in assignments, in calls of the functions of base/error.h, and in
# calls of a file's own functions with a parameter `code`.
sub read_codes {
    my ($path) = @_;
    my $c = slurp($path);
    $code{$_} = $path
        for grep { length } $c =~ /\[IIMG_\w+\] = \{ \d+, "(\w*)"/g, $c =~ /\[IIMG_\w+\] = \{ "(\w+)",\s*"[A-Z]/g,
        $c =~ /\b(?:$kinds),\s*"([a-z]\w*)"/g,
        $c =~ /->code = "(\w+)"/g;
    my %place =
        (iimg_error_code => 1, iimg_error_with_code => 2, iimg_error_with_detail => 2, iimg_error_invalid_field => 2);
    while ($c =~ /^static iimg_error_t \*(\w+)\(([^)]*\bchar \*code\b[^)]*)\)/mg) {
        my ($name, @parameters) = ($1, split /,/, $2);
        ($place{$name}) = grep { $parameters[$_] =~ /\*code$/ } 0 .. $#parameters;
    }
    for my $name (keys %place) {
        while ($c =~ /(?<!\*)\b$name\(/g) {
            my $argument = (arguments(substr $c, pos $c))[$place{$name}] // '';
            my @words = $argument =~ /"(\w+)"/g;
            $code{$_} = $path for @words;
            push @unread, "$path: $name(..., $argument)"
                if !@words && $argument !~ /^(?:NULL|code|problem->code|(?:outcomes|reasons)\[.*\]\.code)$/;
        }
    }
    return;
}
subtest 'The description has exactly the codes of the sources' => sub {
    is "@unread", '', 'the codes of all errors can be read from the sources';
    is join(' ', sort @{ $schemas->{Code}{enum} }), join(' ', sort keys %code),
        'the description has exactly the codes of the sources';
};

# Limits and choices -----------------------------------------------------------------------------------

sub define {
    my ($file, $name) = @_;
    my ($value) = slurp("$module/$file") =~ /^#define $name\s+(\d+)/m;
    return $value;
}
subtest 'The description has the limits of the sources' => sub {
    for my $case (
        [
            'views/shared.c',
            'MAX_PHOTO_NAME',
            (
                map { "$_/name/maxLength" }
                    qw(ReferenceImageCreate ReferenceImageCreateForm ReferenceImageUpdate ReferenceImage
                    AdminReferenceImageCreate AdminReferenceImageCreateForm)
            )
        ],
        ['views/auth.c', 'MAX_EMAIL', 'Login/email/maxLength'],
        ['views/auth.c', 'MAX_PASSWORD', 'Login/password/maxLength'],
        [
            'views/admin_users.c', 'MAX_EMAIL',
            map { "$_/email/maxLength" } qw(User Account AccountCreate AccountUpdate NewToken)
        ],
        [
            'views/admin_users.c', 'MAX_PERSON_NAME',
            map { ("$_/first_name/maxLength", "$_/last_name/maxLength") } qw(User Account AccountCreate AccountUpdate)
        ],
        [
            'functions/admin/user_change.h', 'IIMG_PASSWORD_MIN_CHARACTERS', 'AccountCreate/password/minLength',
            'AccountUpdate/password/minLength'
        ],
        [
            'functions/admin/user_change.h', 'IIMG_PASSWORD_MAX_BYTES', 'AccountCreate/password/maxLength',
            'AccountUpdate/password/maxLength'
        ],
        [
            'views/admin_identities.c', 'MAX_IDENTITY_NAME',
            map { ("$_/name/maxLength", "$_/category/maxLength") } qw(Identity IdentityCreate IdentityUpdate)
        ],
        [
            'views/admin_identities.c', 'MAX_TEXT',
            map { ("$_/i_am_statement/maxLength", "$_/visualization/maxLength") } qw(IdentityCreate IdentityUpdate)
        ],
        ['views/admin_identities.c', 'MAX_NOTES', map { "$_/notes/maxItems" } qw(IdentityCreate IdentityUpdate)],
        ['views/admin_identities.c', 'MAX_NOTE', map { "$_/notes/items/maxLength" } qw(IdentityCreate IdentityUpdate)],
        [
            'views/admin_test_scenarios.c', 'MAX_SCENARIO_NAME',
            map { "$_/name/maxLength" } qw(TestScenario TestScenarioCreate TestScenarioUpdate)
        ],
        [
            'views/page.h', 'IIMG_PAGE_MAX_LIMIT', '?Limit/maximum',
            map { "$_/results/maxItems" }
                qw(AccountPage IdentityPage TestScenarioPage ReferenceImagePage GenerationJobPage)
        ],
        ['views/page.h', 'IIMG_PAGE_DEFAULT_LIMIT', '?Limit/default'],
        ['views/page.h', 'IIMG_PAGE_MAX_SEARCH', '?Search/maxLength'],
        ['base/input/input.h', 'IIMG_INPUT_MAX_WORD', '?Before/maxLength'],
        ['views/admin_identities.c', 'MAX_IDENTITY_NAME', '?Category/maxLength'],
        ['server/http/idempotency.c', 'MAX_KEY', '?IdempotencyKey/maxLength'],
        [
            'views/image_generation.c', 'MAX_ADDITIONAL_PROMPT', 'GenerationRequest/additional_prompt/maxLength',
            'GenerationJob/additional_prompt/maxLength'
        ],
        ['views/prompts.c', 'MAX_ADDITIONAL_PROMPT', 'PromptPreviewRequest/additional_prompt/maxLength'],
        [
            'views/prompts.c', 'MAX_BODY', 'PromptCreate/body/maxLength', 'PromptPreviewRequest/body/maxLength',
            'Prompt/body/maxLength'
        ],
        ['views/prompts.c', 'MAX_CONTEXT_KEYS', 'PromptCreate/required_context_keys/maxItems'],
        [
            'base/input/input.h', 'IIMG_INPUT_MAX_WORD', 'PromptCreate/required_context_keys/items/maxLength',
            'GenerationRequest/model/maxLength'
        ],
        ['models/reference_image.h', 'IIMG_REFERENCE_IMAGE_SLOTS', 'GenerationRequest/reference_image_ids/maxItems'],
    ) {
        my ($file, $name, @places) = @$case;
        for my $place (@places) {
            my ($object, @words) = split m{/}, $place;
            my $value =
                $object =~ /^\?(.*)/ ? $schema->{components}{parameters}{$1}{schema} : $schemas->{$object}{properties};
            $value = $value->{$_} for @words;
            is $value, define($file, $name), "$place equals $name of $file";
        }
    }
};

subtest 'The description has as many slots for photos as the source' => sub {
    my $slots = define('models/reference_image.h', 'IIMG_REFERENCE_IMAGE_SLOTS');
    is $schemas->{$_}{properties}{order}{maximum}, $slots - 1, "$_/order has the last slot as its maximum"
        for qw(ReferenceImage ReferenceImageCreate ReferenceImageUpdate);
    is $described{'get /reference-images/'}{responses}{200}{content}{'application/json'}{schema}{maxItems}, $slots,
        'a list of photos has as many items as there are slots';
};

my %enums = map {
    my $name = $_;
    ($name => [map { $_->{value} } @{ json(call(GET => 'core/enums/', as => 'alice'))->{$name} }])
} qw(prompt_types aspect_ratios resolutions job_states context_keys);
subtest 'The description has the choices of core/enums/' => sub {
    for my $case (
        [aspect_ratios => 'GenerationRequest/aspect_ratio', 'GenerationJob/aspect_ratio'],
        [resolutions => 'GenerationRequest/resolution', 'GenerationJob/resolution', 'ResolutionChoice/value'],
        [job_states => 'GenerationJob/state'], [prompt_types => 'Prompt/prompt_type', 'PromptCreate/prompt_type'],
    ) {
        my ($name, @places) = @$case;
        for my $place (@places) {
            my ($object, $member) = split m{/}, $place;
            is "@{$schemas->{$object}{properties}{$member}{enum}}", "@{$enums{$name}}",
                "$place has the $name of core/enums/";
        }
    }
    is "@{$schema->{components}{parameters}{PromptType}{schema}{enum}}", "@{$enums{prompt_types}}",
        '?prompt_type= has the prompt_types of core/enums/';
    is "@{$schema->{components}{parameters}{OfState}{schema}{enum}}", "@{$enums{job_states}}",
        '?state= has the job_states of core/enums/';
    is_deeply [$schemas->{PromptCreate}{properties}{required_context_keys}{description} =~ /`(\w+)`/g],
        ['image_generation', @{ $enums{context_keys} }], 'required_context_keys names the context keys';
};

subtest 'The version of the description is that of the module' => sub {
    my ($version) = slurp("$module/base/version.h") =~ /IIMG_VERSION "([^"]+)"/;
    is $schema->{info}{version}, $version, 'the version of the description is that of the module';
};

# Served -----------------------------------------------------------------------------------------------

my ($tag, $url);
subtest 'The served description is open to anyone and has the URL of the server' => sub {
    my $answer = call(GET => 'schema/');
    is $answer->code, 200, 'schema/ is open to anyone';
    $url = base_url() . '/api/v1';
    my $served = $text =~ s/"url": "\.\."/"url": "$url"/r;
    ok $answer->content eq $served, 'schema/ has the bytes of the source, except for the absolute server URL';
    is json($answer)->{servers}[0]{url}, $url, 'the server URL is absolute';
    is join('|', map { $answer->header($_) // '-' } qw(Content-Type Cache-Control X-Content-Type-Options)),
        'application/json|public, max-age=300|nosniff', 'schema/ is JSON, cacheable for five minutes';
    $tag = $answer->header('ETag');
    like $tag, qr/^"[0-9a-f]{32}"$/, 'schema/ has a strong ETag';
    my $head = call(HEAD => 'schema/');
    is join('|', $head->code, $head->header('Content-Length'), $head->header('ETag'), $head->content),
        '200|' . length($served) . "|$tag|", 'HEAD of schema/ has length and ETag';
};

subtest 'If-None-Match is compared with the ETag of the description' => sub {
    my ($digits) = $tag =~ /(\w+)/;
    for my $case (
        [$tag, 304], ["W/$tag", 304], ["\"x\", $tag", 304], ["\"$digits-gzip\"", 304], ["\"$digits-br\"", 304],
        ['*', 304], ['"x"', 200], ['', 200], [substr($tag, 0, 20) . '"', 200]
    ) {
        my ($given, $status) = @$case;
        my $again = call(GET => 'schema/', headers => ['If-None-Match' => $given]);
        is join('|', $again->code, $again->header('ETag')), "$status|$tag",
            "If-None-Match: $given is $status with the ETag";
        is $again->content, '', "If-None-Match: $given has no body" if $status == 304;
    }
};

subtest 'The description is compressed on request' => sub {
    my $zipped = call(GET => 'schema/', headers => ['Accept-Encoding' => 'gzip']);
    is $zipped->header('Content-Encoding') // 'none', 'gzip', 'schema/ is compressed on request'
        if $zipped->header('Content-Encoding');
    is json($zipped)->{servers}[0]{url}, $url, 'the compressed schema/ has the same text';
    is call(GET => 'schema/', headers => ['Accept-Encoding' => 'gzip', 'If-None-Match' => $zipped->header('ETag')])
        ->code,
        304, 'If-None-Match accepts the ETag of the compressed schema/';
};

# Below another Location, protected, without separate Locations, and beside one ---------------------------

my $server = IdentityImg::Server->new('schema', conf => <<'CONF')->start;
<Location "/deep/api">
    IdentityImg on
    AuthType Basic
    AuthName "deep"
    AuthBasicProvider identityimg
    Require valid-user
</Location>
<Location "/deep/api/health">
    AuthType None
    Require all granted
</Location>
CONF
my $base = $server->base;
subtest 'A Location within that of the API is answered below its path' => sub {
    is call(GET => '/deep/api/health/live/', base => $base)->code, 200,
        "a Location within the API's is answered below the API's path";
    is call(GET => '/deep/api/health/ready/', base => $base)->code, 200,
        "a Location two levels below the API's is answered, too";
    is call(GET => '/deep/api/health', base => $base)->code, 401, 'a path without a route in that Location is 401';
};

subtest 'Without a Location of its own the description needs credentials' => sub {
    my $closed = call(GET => '/deep/api/schema/', base => $base);
    is join('|', $closed->code, $closed->header('WWW-Authenticate')), '401|Basic realm="deep"',
        'without a Location for it schema/ needs credentials';
    is call(GET => '/deep/api/schema/', base => $base, as => 'alice')->code, 200, 'users can read schema/';
    is json(call(GET => '/deep/api/schema/', base => $base, as => 'alice'))->{servers}[0]{url}, "$base/deep/api",
        'schema/ has the URL of that Location';
    is call(GET => '/deep/api/schema', base => $base, as => 'alice')->header('Location'), "$base/deep/api/schema/",
        'the redirect stays in that Location';
    is call(GET => '/deep/api/users/me/', base => $base)->code, 401, 'the other routes need credentials';
};

# Each path has its own description and ETag, so that caches do not mix them up.
my %tags;
subtest 'Each path has its own description and ETag' => sub {
    %tags = map { $_ => call(GET => $_, base => $base, as => 'alice')->header('ETag') } '/api/v1/schema/',
        '/deep/api/schema/';
    isnt $tags{'/api/v1/schema/'}, $tags{'/deep/api/schema/'}, 'another path has another ETag';
    is call(
        GET => '/deep/api/schema/', base => $base, as => 'alice',
        headers => ['If-None-Match' => $tags{'/api/v1/schema/'}]
    )->code, 200, 'the ETag of another path does not match';
};

subtest 'The description has the configured base URL and an escaped path' => sub {
    is $server->reload(<<'CONF'), '', 'a base URL, and a path that needs escapes, are accepted';
ServerName https://api.example.com
IdentityImgBaseURL https://api.example.com:8443
IdentityImgCorsOrigin https://app.example.com
<Location "/a \"b\" c">
    IdentityImg on
    Require all granted
</Location>
CONF
    my $there = call(GET => 'schema/', base => $base, headers => [Origin => 'https://app.example.com']);
    is json($there)->{servers}[0]{url}, 'https://api.example.com:8443/api/v1',
        'IdentityImgBaseURL is what the description names';
    isnt $there->header('ETag'), $tags{'/api/v1/schema/'}, 'another base URL has another ETag';
    is join('|', map { $there->header($_) // '-' } qw(Access-Control-Allow-Origin Vary Cache-Control)),
        'https://app.example.com|Origin|public, max-age=300',
        'the response is for listed origins and varies by origin'
        or diag $there->headers->as_string;
    is json(call(GET => '/a%20%22b%22%20c/schema/', base => $base))->{servers}[0]{url},
        'https://api.example.com:8443/a%20%22b%22%20c', 'the path in the URL is escaped';
};

$server->judge;
undef $server;

# With the client's Host header, if the operator allows it.
my $open = IdentityImg::Server->new('schema-open', conf => "UseCanonicalName Off\n")->start;
subtest 'With UseCanonicalName Off the description has the requested host' => sub {
    my @hosts = map { call(GET => 'schema/', base => $open->base, headers => [Host => $_]) } 'one.example:8081',
        'two.example:8080';
    is join(' ', map { json($_)->{servers}[0]{url} } @hosts),
        'http://one.example:8081/api/v1 http://two.example:8080/api/v1',
        'with UseCanonicalName Off the URL has the requested host'
        or diag $open->base;
    isnt $hosts[0]->header('ETag'), $hosts[1]->header('ETag'), 'each host has its own ETag';
};

$open->judge;
undef $open;

finish();
