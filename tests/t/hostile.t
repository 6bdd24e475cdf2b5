# hostile.t - hostile bodies, names and ids, for every route that reads them. Each gets a 4xx with a sentence
# in time, nothing is stored, and the server is unaffected.
# (JSON syntax errors and invalid names: contract.t, reference_images.t.)
use strict;
use warnings;
use utf8;
use IdentityImg::Server;
use IdentityImg::Test;
use Test::More;
use Unicode::Normalize qw(NFC NFD);
use Time::HiRes 'time';

fresh_data();

my $nowhere = '00000000-0000-4000-8000-0000000009ff';
my $identity = identity_of('full');
my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
my $photo = json(call(POST => 'reference-images/', as => 'admin', json => { name => 'kept', order => 0 }))->{id};
my ($prompt) = sql('SELECT id FROM prompts WHERE version = 1 ORDER BY prompt_type LIMIT 1');

my %rows = (
    users => person('bob'), identities => $identity, 'test-scenarios' => '00000000-0000-4000-8000-0000000000e1',
    'reference-images' => $photo
);

# Every route that reads a body.
my @routes = (
    [POST => 'reference-images/'],
    [PATCH => "reference-images/$photo/"],
    [POST => "reference-images/$photo/upload-image/"],
    [POST => "identities/$identity/upload-image/"],
    [PATCH => "identities/$identity/upload-image/"],
    [POST => 'image-generation/generate/'],
    [POST => 'prompts/'],
    [PATCH => "prompts/$prompt/"],
    [POST => 'prompts/preview/'],
    [POST => 'auth/login/'],
    (map { [POST => "admin/$_/"], [PATCH => "admin/$_/$rows{$_}/"] } sort keys %rows),
);

sub bytes { my ($text) = @_; utf8::encode($text); return $text }
sub shown { my ($path) = @_; return $path =~ s/$uuid/{id}/gr }

# The defect of a refusal; '' if it is as documented.
sub flaw {
    my ($answer, $seconds) = @_;
    my $start = $answer->code . ' ' . substr $answer->content, 0, 200;
    return "not a 4xx: $start" if $answer->code !~ /^4\d\d$/;
    return "no JSON: $start" if ($answer->header('Content-Type') // '') ne 'application/json';
    my $body = eval { JSON::PP->new->utf8->decode($answer->content) };
    return "no JSON: $start" if ref $body ne 'HASH';
    return "no sentence: $start" if ($body->{detail} // '') !~ /\w \w/ && ($body->{detail} // '') !~ /\w\.$/;
    return "no code: $start" if ($body->{code} // '') !~ /^[a-z_]+$/;
    return "it took $seconds s" if $seconds > 10;
    return '';
}

# All stored data.
sub everything {
    my @rows = map { sql("SELECT '$_', count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM $_ t") }
        qw(reference_images identities prompts generation_jobs stored_objects users test_scenarios auth_tokens);
    return join "\n", @rows, stored_files();
}

# The pids of httpd's children.
sub children {
    my ($parent) = slurp(state() . '/httpd/httpd.pid') =~ /(\d+)/;
    return map { /(\d+) apache2/ } `ps -o pid=,comm= --ppid $parent`;
}

my %born = map { $_ => 1 } children();
my $kept = everything();

# After a group of requests: the server has the same children and the same data.
sub unharmed {
    my ($group) = @_;
    is call(GET => "reference-images/$photo/", as => 'admin')->code, 200, "after $group a valid request is answered";
    is everything(), $kept, "after $group the stored data is unchanged";
    my %now = map { $_ => 1 } children();
    is join(' ', grep { !$now{$_} } sort keys %born), '', "after $group no child of httpd has died";
    return;
}

# Send one request that must be refused.
sub refuse {
    my ($what, $method, $path, %with) = @_;
    my $began = time;
    my $answer = call($method => $path, as => 'admin', %with);
    is flaw($answer, time - $began), '', "$what is refused by $method " . shown($path);
    return $answer;
}

# JSON and urlencoded bodies ----------------------------------------------------------------------

my $megabyte = 1 << 20;
my %types = (json => 'application/json', form => 'application/x-www-form-urlencoded');
my @bodies = (
    # name                                     type    bytes
    ['10,000 nested lists', 'json', '[' x 10_000 . ']' x 10_000],
    ['10,000 nested objects', 'json', '{"name":' x 10_000 . '1' . '}' x 10_000],
    ['a million brackets', 'json', '[' x 1_000_000],
    ['3000 lists below a name', 'json', '{"name":' . '[' x 3000 . ']' x 3000 . '}'],
    ['a number beyond the range of doubles', 'json', '{"name":1e999}'],
    ['a number of a million digits', 'json', '{"order":' . '9' x 1_000_000 . '}'],
    ['a fraction of a million digits', 'json', '{"name":1,"body":1,"is_active":0.' . '1' x 1_000_000 . '}'],
    ['an exponent of a million digits', 'json', '{"name":1e' . '1' x 1_000_000 . '}'],
    ['a repeated member among 50,000', 'json', '{' . join(',', map { "\"m$_\":1" } 1 .. 50_000, 1) . '}'],
    [
        'a name of a megabyte of escaped NULs', 'json',
        '{"name":"'
            . '\u0000' x 170_000
            . '","body":"\u0000","prompt_type":"\u0000","identity_id":"\u0000","first_name":"\u0000"}'
    ],
    ['a megabyte of lone surrogates', 'json', '{"name":"' . '\ud800' x 170_000 . '"}'],
    ['a megabyte of quotes', 'json', '"' x 1_000_000],
    ['a megabyte of spaces', 'json', ' ' x $megabyte],
    ['a megabyte of NULs', 'json', "\0" x $megabyte],
    ['a megabyte of bytes that are not UTF-8', 'json', '{"name":"' . "\xff" x 1_000_000 . '"}'],
    ['a byte order mark', 'json', "\xef\xbb\xbf{\"name\":\"x\"}"],
    ['UTF-16', 'json', join '', map { "$_\0" } split //, '{"name":"x"}'],
    ['a name of a megabyte', 'json', '{"name":"' . 'a' x 1_000_000 . '","body":1,"is_active":1}'],
    [
        'a list of 100,000 ids', 'json',
        '{"name":1,"body":1,"is_active":1,"reference_image_ids":[' . join(',', ('"x"') x 100_000) . ']}'
    ],
    ['a megabyte and a byte', 'json', '{"name":"' . 'a' x ($megabyte - 10) . '"}'],
    ['a list', 'json', '[{"name":"x"}]'],
    ['a string', 'json', '"name"'],
    ['a number', 'json', '12'],
    ['a megabyte of percent signs', 'form', '%' x $megabyte],
    ['a megabyte of escaped NULs', 'form', 'name=' . '%00' x 300_000],
    ['a megabyte of NULs in a form', 'form', "\0" x $megabyte],
    ['1001 fields', 'form', join '&', map { "a$_=1" } 1 .. 1001],
    ['half a million fields', 'form', 'a&' x 500_000],
    ['a megabyte and a byte of a form', 'form', 'name=' . 'a' x ($megabyte - 4)],
    ['a form that is not UTF-8', 'form', 'name=%ff%fe&body=%ff&is_active=%ff&identity_id=%ff&order=%ff'],
);
subtest 'Hostile JSON and urlencoded bodies are refused by each route' => sub {
    for my $case (@bodies) {
        my ($what, $type, $body) = @$case;
        for my $route (@routes) {
            refuse($what, @$route, body => $body, type => $types{$type});
        }
    }
    unharmed('such bodies');
};

# Large but valid: read, and answered by their content.
subtest 'Large but valid bodies are answered by their content' => sub {
    my $many = '{' . join(',', '"name":"many"', map { "\"m$_\":$_" } 1 .. 60_000) . '}';
    my $began = time;
    my $answer = call(PATCH => "reference-images/$photo/", as => 'admin', body => $many, type => 'application/json');
    is $answer->code, 200, '60,000 unknown members are ignored';
    is json($answer)->{name}, 'many', 'the known member is read';
    # Names that collide in a hash table without a random seed.
    my $clashing = '{' . join(
        ',',
        map {
            my $n = $_;
            '"' . join('', map { $n >> $_ & 1 ? 'Aa' : 'BB' } 0 .. 15) . '":0'
        } 0 .. 25_000
    ) . '}';
    is call(PATCH => "reference-images/$photo/", as => 'admin', body => $clashing, type => 'application/json')->code,
        200,
        'names that collide in simple hash tables are read';
    is call(
        PATCH => "reference-images/$photo/", as => 'admin', body => '{"x":' . '[' x 1500 . ']' x 1500 . '}',
        type => 'application/json'
        )->code, 200,
        '1500 nested lists in an unknown member are read';
    is call(
        PATCH => "reference-images/$photo/", as => 'admin', body => 'name=%E2%82%AC' . '&a' x 998,
        type => $types{form}
    )->code, 200, '1000 fields are read';
    cmp_ok time - $began, '<', 10, 'large bodies are read within seconds';
    is json(call(GET => "reference-images/$photo/", as => 'admin'))->{name}, '€',
        'the last value of a repeated form field counts';
    $kept = everything();
};

# Multipart ---------------------------------------------------------------------------------------

my $form = 'multipart/form-data; boundary=XX';
my $image = 'Content-Disposition: form-data; name="image"; filename="a.png"';

sub multipart {
    return join('', map { "--XX\r\n$_->[0]\r\n\r\n$_->[1]\r\n" } @_) . "--XX--\r\n";
}
my $png = slurp(portrait());
my $good = multipart([$image, $png]);
my $nested = multipart([$image, 'x']);
for my $depth (1 .. 300) {
    my $inner = "b$depth";
    $nested =
        $depth == 1
        ? "--$inner\r\n$image\r\n\r\nx\r\n--$inner--\r\n"
        : "--$inner\r\nContent-Type: multipart/mixed; boundary=b" . ($depth - 1) . "\r\n\r\n$nested\r\n--$inner--\r\n";
}
$nested = "--XX\r\n$image\r\nContent-Type: multipart/mixed; boundary=b300\r\n\r\n$nested\r\n--XX--\r\n";
my @forms = (
    ['no boundary', $good, 'multipart/form-data'],
    ['an empty boundary', $good, 'multipart/form-data; boundary='],
    ['an empty boundary in quotes', $good, 'multipart/form-data; boundary=""'],
    [
        'a boundary of 71 characters', multipart([$image, $png]) =~ s/--XX/'--' . 'X' x 71/ger,
        'multipart/form-data; boundary=' . 'X' x 71
    ],
    ['a boundary of 7000 characters', $good, 'multipart/form-data; boundary=' . 'X' x 7000],
    ['a boundary with an open quote', $good, 'multipart/form-data; boundary="XX YY'],
    ['a boundary that does not occur in the body', $good, 'multipart/form-data; boundary=YY'],
    ['10,000 parts', multipart(([$image =~ s/image/a/r, 'x']) x 10_000)],
    ['a million boundaries', "--XX\r\n" x 1_000_000],
    ['4 MB of boundaries that lack one character', "\r\n--X" x 800_000],
    ['300 forms in one another', $nested],
    (
        map { ["a part of type $_", multipart(["$image\r\nContent-Type: $_", "Subject: x\r\n\r\nx"])] }
            'message/rfc822', 'message/external-body', 'message/partial; id=1; number=1; total=2',
        'message/delivery-status', 'message/http', 'MESSAGE/RFC822',
        'multipart/mixed; boundary=q', 'multipart/form-data; boundary=XX', 'multipart/digest',
        'multipart/signed; protocol="x"', 'Multipart/Encrypted'
    ),
    (map { ["a form cut after $_ bytes", substr $good, 0, $_] } 1, 3, 5, 20, 60, 75, 80, 5000),
    ['a form without its last two dashes', substr($good, 0, -4)],
    ['a header of a megabyte in a part', multipart(["$image\r\nX-Long: " . 'x' x 1_000_000, 'x'])],
    ['100,000 headers in a part', multipart([join("\r\n", $image, ("X: y") x 100_000), 'x'])],
    ['a header of a megabyte, folded', multipart(["$image\r\nX-Long:" . "\r\n x" x 200_000, 'x'])],
    ['a part without Content-Disposition', multipart(['Content-Type: image/png', $png])],
    ['a part with Content-Disposition: attachment', multipart([$image =~ s/form-data/attachment/r, $png])],
    ['a part with an empty Content-Disposition', multipart(['Content-Disposition:', $png])],
    ['a part without a name', multipart(['Content-Disposition: form-data; filename="a.png"', $png])],
    ['a part without headers', multipart(['', $png])],
    [
        'a file of NULs with a name of a megabyte',
        multipart(["Content-Disposition: form-data; name=\"image\"; filename=\"" . 'a/' x 500_000 . '"', 'x'])
    ],
    ['NULs', "\0" x 100_000],
    ['a boundary and NULs', '--XX' . "\0" x 100_000],
);
subtest 'Hostile forms are refused by each route' => sub {
    for my $case (@forms) {
        my ($what, $body, $type) = @$case;
        for my $route (@routes) {
            # Routes without this field ignore it; only a malformed form is refused there.
            refuse($what, @$route, body => $body, type => $type // $form);
        }
    }
    for my $route (grep { $_->[1] =~ /upload-image/ } @routes) {
        refuse('a form with two pictures', @$route, body => multipart([$image, $png], [$image, $png]), type => $form);
        refuse(
            'a form with a field as the picture', @$route,
            body => multipart(['Content-Disposition: form-data; name="image"', $png]), type => $form
        );
    }
    unharmed('such forms');
};

# All forms of file names: always the same picture, stored under a safe name.
my $upload = "reference-images/$photo/upload-image/";

sub pixels { my ($bytes) = @_; return substr $bytes, index($bytes, 'IDAT'), 100_000 }

subtest 'Each form of file name is stored under a safe name' => sub {
    for my $case (
        # text after name="image"                                               name in the key
        ['filename="a.png"', 'a'],
        ['filename=a.png', 'a'],
        ["filename*=UTF-8''%e2%82%ac%20rates.png", '--rates'],
        ["filename=\"plain.png\"; filename*=UTF-8''%41n%64ers.png", qr/^(?:plain|anders)$/],
        ["filename*=no-such-charset''%ff.png", qr/^[\w-]+$/],
        ['filename*0="lo"; filename*1="ng.png"', 'long'],
        ['filename="=?UTF-8?B?w6kucG5n?="', qr/^[\w-]+$/],
        ["filename=\"\xff\xfe.png\"", qr/^[\w-]+$/],
        ['filename="..\\\\..\\\\Windows\\\\a.png"', 'a'],
        ['filename="../../../etc/passwd"', 'passwd'],
        ['filename="a.php.png"', 'a-php'],
        ['filename=".htaccess"', '-htaccess'],
        ['filename="' . 'x' x 5000 . '.png"', 'x' x 80],
        ["filename=\"\xe2\x80\xae" . 'gnp.exe.png"', '-gnp-exe'],
        ['filename="a%00.png"', 'a-00'],
        ['filename="%2e%2e%2fa.png"', qr/^[\w-]+$/],
        ["filename=\"\xf0\x9f\x99\x82.png\"", 'image'],
    ) {
        my ($parameter, $called) = @$case;
        my $answer = call(
            POST => $upload,
            as => 'admin',
            body => multipart([
                "Content-Disposition: form-data; name=\"image\"; $parameter\r\nContent-Transfer-Encoding: base64",
                $png
            ]),
            type => $form
        );
        my ($name) =
            ($answer->code == 200 ? json($answer)->{image}{original} : $answer->content) =~
            m{media/$uuid/([^/?]*)\.png\?};
        my $what = 'a file sent with ' . (length $parameter > 60 ? substr($parameter, 0, 60) . '...' : $parameter) =~
            s/[^ -~]/?/gr;
        ref $called ? like $name, $called, "$what has a safe name" : is $name, $called, "$what is called $called";
    }
    ok pixels(call(GET => json(call(GET => "reference-images/$photo/", as => 'admin'))->{image}{original})->content) eq
        pixels($png), 'the file is stored with its pixels, regardless of its declared encoding';
    is scalar(() = stored_files()), 4, 'only the last of these pictures is stored';
};

$kept = everything();

# Names in every script ---------------------------------------------------------------------------

my @scripts = (
    ['Arabic', 'محمد بن سلمان '],
    ['Hebrew with bidi marks', "שלום\x{200f}\x{202b} a\x{202c}\x{2067}1\x{2069}"],
    ['Devanagari', 'क्षत्रिय '],
    ['Chinese', '龍馬精神'],
    ['beyond the first plane', "\x{20BB7}野家"],
    ['Japanese, half-width and full-width', 'ｶﾞガカ゛'],
    ['Hangul, decomposed', "\x{1112}\x{1161}\x{11ab}"],
    ['Thai', 'ก็ที่นี่'],
    ['emoji, joined and with skin color', "👩🏽\x{200d}🚀👨\x{200d}👩\x{200d}👧🇩🇪❤\x{fe0f}"],
    ['combining marks', "e\x{301}\x{323}o\x{308}Z\x{351}\x{36b}\x{343}"],
    ['the last code points', "\x{10fffd}\x{fffd}\x{ffff}\x{e000}\x{d7ff}"],
    ['controls except NUL', "\x{1}\x{7f}\x{80}\x{9f}\x{ad}\x{feff}x"],
    ['Turkish and German', 'İıŞßẞ'],
);
subtest 'Names in every script come back, and one character too many is refused' => sub {
    for my $case (@scripts) {
        my ($what, $sample) = @$case;
        my $name = substr(NFC($sample x 255), 0, 254) . '.';    # leading and trailing white space is removed
        my $sent = NFC($sample) eq $sample ? $name : NFD($name);
        sql("DELETE FROM reference_images WHERE id <> '$photo'");
        for my $way (
            ['JSON', sub { (json => { name => $_[0] }) }], ['a form', sub { (form => [name => bytes($_[0])]) }],
            ['multipart', sub { (parts => [name => bytes($_[0])]) }]
        ) {
            my ($form, $with) = @$way;
            my $made = call(POST => 'reference-images/', as => 'admin', $with->($sent));
            is $made->code == 201 && json(call(GET => $made->header('Location'), as => 'admin'))->{name}, $name,
                "255 characters of $what in $form come back, in form NFC";
            my $long = call(PATCH => "reference-images/$photo/", as => 'admin', $with->("$sent."));
            is $long->code . ' ' . (json($long)->{detail} // ''),
                '400 Ensure this field has no more than 255 characters.',
                "256 characters of $what in $form are refused";
        }
    }
    sql("DELETE FROM reference_images WHERE id <> '$photo'");
    unharmed('such names');
};

# Ids ---------------------------------------------------------------------------------------------

subtest 'Malformed ids in the path are 404' => sub {
    my @strange_ids = (
        ['in braces', "{$photo}"],
        ['as a URN', "urn:uuid:$photo"],
        ['without dashes', $photo =~ tr/-//dr],
        ['with a dash elsewhere', $photo =~ s/(.)-/-$1/r],
        ['one character too long', "${photo}0"],
        ['one character too short', substr $photo, 1],
        ['with a trailing space', "$photo%20"],
        ['with a trailing line break', "$photo%0a"],
        ['with a letter beyond F', 'g' . substr $photo, 1],
        ['in full-width digits', '%ef%bc%90' . substr $photo, 1],
        ['of 5000 characters', 'a' x 5000],
        ['of SQL', "$photo'%20OR%20'1'='1"],
        ['of bytes', '%ff%fe'],
        ['of a star', '*'],
        ['of a dot', 'a.b'],
        ['of a number', '1'],
    );
    for my $pattern (
        map { $_->[0] eq 'PATCH' && $_->[1] =~ /identities/ ? () : $_ } grep { $_->[1] =~ $uuid } @routes,
        [GET => "reference-images/$photo/"], [DELETE => "reference-images/$photo/"], [GET => "prompts/$prompt/"],
        [GET => "test-users/$nowhere/identities/"], [DELETE => "identities/$identity/delete-image/"],
        [POST => "identities/$identity/restore-image/"]
    ) {
        my ($method, $path) = @$pattern;
        for my $case (@strange_ids) {
            my ($what, $id) = @$case;
            my $answer = refuse(
                "an id $what", $method, $path =~ s/$uuid/$id/r,
                $method eq 'GET' ? () : (json => { name => 'x', is_active => 0 })
            );
            is $answer->code, 404, "an id $what is 404" if $answer->code != 404;
        }
    }
};

subtest 'An id in upper case is accepted' => sub {
    is call(GET => 'reference-images/' . uc($photo) . '/', as => 'admin')->code, 200, 'an id in upper case is accepted';
};

subtest 'Malformed ids in the query are refused' => sub {
    for my $case (
        ['twice', "user_id=$nowhere&user_id=$nowhere", 400],
        ['of 3000 characters', 'user_id=' . 'a' x 3000, 400],
        ['in braces', "user_id={$photo}" =~ s/\{/%7b/r =~ s/\}/%7d/r, 400],
        ['with half an escape', 'user_id=%4', 400],
        ['of NUL', 'user_id=%00', 400],
        ['of bytes', 'user_id=%ff', 400],
        ['of 100 kB', 'user_id=' . 'a' x 100_000, 414],
        ['among 2000 fields', 'a&' x 2000 . "user_id=$nowhere", 400],
    ) {
        my ($what, $query, $status) = @$case;
        for my $way (
            [GET => 'reference-images/'], [GET => "reference-images/$photo/"],
            [PATCH => "reference-images/$photo/", json => { name => 'x' }],
            [DELETE => "reference-images/$photo/"], [POST => $upload, body => $good, type => $form]
        ) {
            my ($method, $path, @with) = @$way;
            is refuse("?user_id= $what", $method, "$path?$query", @with)->code, $status,
                "an id $what in the query is $status";
        }
    }
    unharmed('such ids');
};

# Memory ------------------------------------------------------------------------------------------

# A server with one child and few threads: each thread keeps memory, and all must have been used.
my $few = IdentityImg::Server->new(
    'few',
    conf =>
        "StartServers 1\nServerLimit 1\nThreadsPerChild 4\nMinSpareThreads 1\nMaxSpareThreads 4\nMaxRequestWorkers 4\n"
)->start;
my $theirs = json(call(POST => 'reference-images/', as => 'admin', base => $few->base, json => {}))->{id};
my ($only) = $few->children;

my @mix = ((map { [$_->[2], $types{ $_->[1] }] } @bodies), (map { [$_->[1], $_->[2] // $form] } @forms));

sub bombard {
    my ($times) = @_;
    my $refused = 0;
    for my $n (0 .. $times - 1) {
        my ($body, $type) = @{ $mix[$n % @mix] };
        my $path = 'reference-images/' . ('', "$theirs/upload-image/")[$n / @mix % 2];
        $refused++
            if call(POST => $path, as => 'admin', base => $few->base, body => $body, type => $type)->code =~ /^4/;
    }
    return $refused;
}
sub memory { my ($kilobytes) = slurp("/proc/$only/smaps_rollup") =~ /^Anonymous:\s+(\d+)/m; return $kilobytes / 1024 }

subtest 'Hostile requests leave no memory in the child' => sub {
    bombard(300);
    my $before = memory();
    is bombard(1000), 1000, '1000 more hostile requests are refused';
    SKIP: {
        skip 'the sanitizer delays the release of memory', 1 if $ENV{IIMG_SANITIZE};
        cmp_ok memory() - $before, '<', 24, sprintf 'hostile requests leave %.1f MB more in the child, which had %.1f',
            memory() - $before, $before;
    }
};

subtest 'The small server survives with the same child' => sub {
    is call(GET => "reference-images/$theirs/", as => 'admin', base => $few->base)->code, 200,
        'the small server answers after that';
    is join(' ', $few->children), $only, 'the small server has the same child';
};

$few->judge;

finish();
