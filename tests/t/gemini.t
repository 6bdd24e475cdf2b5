# gemini.t - the generator gemini end to end, against a stand-in for Google's API.
#
# A tap between the two forwards and records all bytes, so that tests can check the bytes on the wire.
# Runs beside others.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use IdentityImg::Gemini;
use IdentityImg::Test;
use IdentityImg::Server qw(in_parallel eventually free_port);
use Digest::SHA qw(sha256 sha256_hex);
use File::Copy 'copy';
use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use IPC::Open2 'open2';
use JSON::PP ();
use MIME::Base64 qw(decode_base64 encode_base64);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $key = 'AQ.Ab8RN6-never-to-be-seen_' . join '', map { sprintf '%02x', rand 256 } 1 .. 8;
my $json = JSON::PP->new->utf8;
my ($double_port, $double_pid, $double_in, @taps);

END {
    my $status = $?;
    if (@taps && $taps[0]{owner} == $$) {
        kill TERM => $_->{pid} for @taps;
        waitpid $_->{pid}, 0 for @taps;
        stop_double();
    }
    $? = $status;
}

sub start_double {
    my (@options) = @_;
    $double_pid =
        open2(my $out, $double_in, 'node', "$ENV{IIMG_DOUBLES}/gemini.mjs", '--with-stdin', '--key', $key, @options);
    ($double_port) = (readline($out) // '') =~ /^listening (\d+)/ or die 'gemini.mjs does not start';
    return;
}

sub stop_double {
    return if !$double_in;
    close $double_in;
    waitpid $double_pid, 0;
    undef $double_in;
    return;
}

# The requests that the double has recorded; clears its record.
sub recorded {
    my $agent = HTTP::Tiny->new(keep_alive => 0);
    my $record = $json->decode($agent->get("http://127.0.0.1:$double_port/__record")->{content});
    $agent->delete("http://127.0.0.1:$double_port/__record");
    return @$record;
}

# The tap ------------------------------------------------------------------------------------------

sub read_message {
    my ($socket) = @_;
    my $bytes = '';
    until ($bytes =~ /\r\n\r\n/) { sysread($socket, $bytes, 65536, length $bytes) or return $bytes }
    my $body_from = 4 + index $bytes, "\r\n\r\n";
    my ($length) = $bytes =~ /^Content-Length: (\d+)/mi;
    while (length $bytes < $body_from + ($length // 0)) {
        sysread($socket, $bytes, 65536, length $bytes) or return $bytes;
    }
    return $bytes;
}

sub write_all {
    my ($to, $bytes) = @_;
    for (my $at = 0; $at < length $bytes;) { $at += syswrite($to, $bytes, length($bytes) - $at, $at) // return 0 }
    return 1;
}

sub pass_on {
    my ($client, $port, $file) = @_;
    my $server = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or return;
    my $request = read_message($client);
    open my $out, '>:raw', "$file.request" or die $!;
    print $out $request;
    close $out;
    open my $in, '>:raw', "$file.response" or die $!;
    write_all($server, $request);
    my $sockets = IO::Select->new($client, $server);
    while (my @ready = $sockets->can_read) {
        for my $socket (@ready) {
            sysread($socket, my $bytes, 1 << 16) or return;
            write_all($in, $bytes), write_all($client, $bytes) if $socket == $server;
        }
    }
    return;
}

sub start_tap {
    my ($port) = @_;
    my $folder = "$ENV{IIMG_WORK}/gemini-tap-" . @taps;
    mkdir $folder;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 20) or die $!;
    my $pid = fork // die $!;
    if (!$pid) {
        my $count = 0;
        $SIG{CHLD} = 'IGNORE';
        while (1) {
            my $client = $listener->accept or next;
            my $file = sprintf '%s/%04d', $folder, ++$count;
            defined(my $one = fork) or die $!;
            if (!$one) { $SIG{PIPE} = 'IGNORE'; alarm 120; pass_on($client, $port, $file); POSIX::_exit(0) }
        }
    }
    push @taps, { pid => $pid, owner => $$, folder => $folder, port => $listener->sockport };
    return $taps[-1];
}

# The last request through the tap and its response: {line, headers, body, answer}
sub overheard {
    my ($tap) = @_;
    my @files = sort glob "$tap->{folder}/*.request";
    my ($head, $body) = split /\r\n\r\n/, slurp($files[-1]), 2;
    my ($line, @headers) = split /\r\n/, $head;
    my (undef, $answer) = split /\r\n\r\n/, slurp($files[-1] =~ s/request$/response/r), 2;
    return {
        line => $line, headers => { map { /^([^:]+): *(.*)/ ? (lc $1 => $2) : () } @headers }, body => $body,
        answer => $answer
    };
}

# The picture in a response, by Google's rules: the last one that is not a thought.
sub delivered {
    my ($answer) = @_;
    my $data = $json->decode($answer =~ s/"inline_data":/"inlineData":/gr);
    my @parts = map { @{ $_->{content}{parts} } } @{ (ref $data eq 'ARRAY' ? $data->[0] : $data)->{candidates} };
    my @pictures = grep { $_->{inlineData} && $_->{inlineData}{data} } @parts;
    my @final = grep { !$_->{thought} } @pictures;
    my $text = (@final ? $final[-1] : $pictures[-1])->{inlineData}{data};
    return decode_base64($text =~ tr{-_}{+/}r);
}

# Generating ---------------------------------------------------------------------------------------

my ($server, @answers);

# A plain request on a separate connection, so that it works in a child process.
sub ask {
    my ($method, $path, $data) = @_;
    my $answer = HTTP::Tiny->new(keep_alive => 0, timeout => 120)->request(
        $method,
        $server->base . "/api/v1/$path",
        {
            headers => {
                Authorization => login('admin'), 'Content-Type' => 'application/json',
                traceparent => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
            },
            $data ? (content => $json->encode($data)) : (),
        }
    );
    return [
        $answer->{status}, $answer->{headers}{'retry-after'},
        eval { $json->decode($answer->{content}) } // $answer->{content}
    ];
}

sub wish {
    my ($scenario, %more) = @_;
    return {
        identity_id => identity_of('unicode'), user_id => person('alice'), aspect_ratio => '3:4', resolution => '1K',
        additional_prompt => $scenario ? "[[scenario:$scenario]]" : '', %more
    };
}

# (status, Retry-After, data)
sub generate {
    my $answer = ask(POST => 'image-generation/generate/', wish(@_));
    push @answers, $answer;
    return @$answer;
}

sub job {
    my ($id) = @_;
    my $where = $id ? "id = '$id'" : 'true';
    my ($row) =
        $server->sql("SELECT row_to_json(j) FROM generation_jobs j WHERE $where ORDER BY created_at DESC LIMIT 1");
    return $row ? JSON::PP->new->decode($row) : {};
}

sub stored_path { my ($key) = @_; return $server->state . '/pictures/' . ($key =~ s{^([^/]+/)(..)(..)}{$1$2/$3/$2$3}r) }

sub stored_file_of {
    my ($stored) = @_;
    return slurp(stored_path($stored->{image} // return ''));
}

sub read_of_png { return unpack 'x16 N N', $_[0] }

# References ---------------------------------------------------------------------------------------

start_double();
my $tap = start_tap($double_port);
$server = IdentityImg::Server->new(
    'gemini', env => { GEMINI_ENDPOINT => "http://127.0.0.1:$tap->{port}/", GEMINI_API_KEY => $key },
    # Each failure is tested by itself: no retries and no backoff.
    conf => "IdentityImgGeminiTimeout 30\nIdentityImgGeminiRetries 0\nIdentityImgGeminiBreaker 0\n"
)->start;

# A photo like a phone's: rotated, and full of private metadata.
my $sideways = "$ENV{IIMG_WORK}/sideways.jpg";
copy(make_jpeg(3000, 2000), $sideways);
system(
    qw(exiftool -q -overwrite_original -n -Orientation=6 -GPSLatitude=52.5 -GPSLatitudeRef=N -Artist=Author
        -XMP:Creator=Author),
    $sideways
    ) == 0
    or die 'exiftool failed';
# A photo in a wider gamut.
my $wide = "$ENV{IIMG_WORK}/wide.jpg";
system('vips', 'icc_transform', portrait(), "${wide}[Q=97]", 'p3') == 0 or die 'vips failed';
my @photos = ([0, $sideways, 1365, 2048], [1, $wide, 512, 512], [3, make_jpeg(800, 600), 800, 600]);
my %ids;
subtest 'Photos are uploaded in any order of their slots' => sub {
    for my $photo (@photos[2, 0, 1]) {
        my $answer = call(
            POST => 'reference-images/', as => 'alice', base => $server->base, headers => [Connection => 'close'],
            parts => [order => $photo->[0], image => [$photo->[1]]]
        );
        is $answer->code, 201, "photo $photo->[0] is uploaded" or diag $answer->as_string;
        $ids{ $photo->[0] } = json($answer)->{id};
    }
};

# The happy path -----------------------------------------------------------------------------------

my ($wire, $job, $status, $data);
subtest 'A picture is generated' => sub {
    ($status, undef, $data) = generate(
        '', additional_prompt => "Sei \"groß\" \\ 🎨\nZeile zwei [[scenario:png]]",
        save_to_identity => JSON::PP::true
    );
    is $status, 200, 'a picture is generated' or diag explain $data;
    $job = job($data->{job}{id});
    $wire = overheard($tap);
};

subtest 'The request to the provider has the right URL and headers' => sub {
    is $wire->{line}, 'POST /v1beta/models/gemini-3-pro-image:generateContent HTTP/1.1',
        'the URL contains only the model';
    is $wire->{headers}{'x-goog-api-key'}, $key, 'the key is in its header';
    is $wire->{headers}{'content-type'}, 'application/json', 'the Content-Type is JSON';
    is $wire->{headers}{'x-server-timeout'}, 30, 'X-Server-Timeout is the configured timeout';
    is $wire->{headers}{'content-length'}, length $wire->{body}, 'the request has a Content-Length';
    ok !exists $wire->{headers}{$_}, "the request has no header $_"
        for qw(transfer-encoding expect referer cookie authorization x-request-id traceparent);
};

my $sent;
subtest 'The body of the request is that of the official client' => sub {
    my $shape = $wire->{body} =~ s/"text":"(?:[^"\\]|\\.)*"/"text":TEXT/r =~ s/"data":"[^"]+"/"data":DATA/gr;
    my $part = '{"inlineData":{"mimeType":"image/jpeg","data":DATA}}';
    is $shape,
        qq({"contents":[{"parts":[{"text":TEXT},$part,$part,$part],"role":"user"}],)
        . '"generationConfig":{"responseModalities":["TEXT","IMAGE"],'
        . '"imageConfig":{"aspectRatio":"3:4","imageSize":"1K"}},'
        . '"store":false}',
        "the body looks like the official client's: text, JPEG pictures, ratio and size, and store: false";
    $sent = $json->decode($wire->{body});
    is $sent->{contents}[0]{parts}[0]{text}, $job->{prompt_used}, "the text is exactly the job's prompt_used";
    like $job->{prompt_used},
        qr/Café 模範 🎨.*Additional instructions: Sei "groß" \\ 🎨\nZeile zwei \[\[scenario:png\]\]\z/s,
        'the text contains the identity and the additional prompt';
};

my @pictures = map { decode_base64($_->{inlineData}{data}) } @{ $sent->{contents}[0]{parts} }[1 .. 3];
subtest 'References are sent in order, upright, and without metadata' => sub {
    is_deeply [
        map { [@$_{qw(width height)}] } map {
            @{ $_->{body}{contents}[0]{parts} }[1 .. 3]
                ? map({ $_->{inlineData}{data} } @{ $_->{body}{contents}[0]{parts} }[1 .. 3])
                : ()
        } recorded()
        ],
        [map { [@$_[2, 3]] } @photos], 'references are sent in order, upright and within 2048 pixels';
    for my $n (0 .. $#pictures) {
        my $file = "$ENV{IIMG_WORK}/sent-$n.jpg";
        open my $out, '>:raw', $file or die $!;
        print $out $pictures[$n];
        close $out;
        like $pictures[$n], qr/\A\xff\xd8\xff/, "reference $n is a JPEG";
        isnt sha256_hex($pictures[$n]), sha256_hex(slurp($photos[$n][1])),
            "reference $n differs from the original's bytes";
        my @tags = grep { !/^\[(?:ExifTool|File|JFIF|ICC_Profile|ICC-header|ICC-view|ICC-meas|Composite|System)\]/ }
            `exiftool -a -G1 -s '$file'`;
        is "@tags", '', "reference $n has no metadata";
    }
};

subtest 'A reference in a wider gamut is converted to sRGB' => sub {
    system("vips dE00 '" . portrait() . "' '$ENV{IIMG_WORK}/sent-1.jpg' '$ENV{IIMG_WORK}/difference.v'") == 0
        or die 'vips failed';
    cmp_ok `vips avg '$ENV{IIMG_WORK}/difference.v'`, '<', 2,
        'the reference in a wider gamut looks the same after conversion to sRGB';
    unlike `exiftool -G1 -s '$ENV{IIMG_WORK}/sent-1.jpg'`, qr/ICC/, 'the reference in a wider gamut has no profile';
};

subtest "The picture is stored and returned with the provider's bytes" => sub {
    my $picture = delivered($wire->{answer});
    is substr($picture, 41, 3), substr(
        sha256(
            join '',
            map({
                    my $text = $_;
                    utf8::encode($text);
                    $text
            } $job->{prompt_used}),
            @pictures
        ),
        0,
        3
        ),
        'the double received this prompt and these references in order';
    is_deeply [read_of_png($picture)], [896, 1200], 'the picture has the dimensions of ratio and size';
    ok stored_file_of($job) eq $picture, "the stored picture has the provider's bytes";
    like $job->{image}, qr{\Agenerated_images/[0-9a-f-]{36}\.png\z}, 'the extension matches the bytes';
    is_deeply [@$job{qw(state generator model media_type width height error_code attempts)}],
        ['succeeded', 'gemini', 'gemini-3-pro-image', 'image/png', 896, 1200, undef, 1], 'the row has the result';
    is_deeply $job->{reference_image_ids}, [@ids{ 0, 1, 3 }], 'the row has the used references';
    is $job->{usage}{totalTokenCount}, 2070, 'the row has the usage';
    is_deeply $job->{warnings}, [], 'the row has no warnings';
    is $data->{success}, JSON::PP::true, 'the response has success';
    is_deeply [@{ $data->{job} }{qw(state width height media_type model)}, $data->{job}{usage}{totalTokenCount}],
        ['succeeded', 896, 1200, 'image/png', 'gemini-3-pro-image', 2070], 'the response has the job of the row';
    my $shown = HTTP::Tiny->new->get($data->{image_url});
    ok $shown->{success} && $shown->{content} eq $picture, "image_url returns exactly the provider's bytes";
    is $shown->{headers}{'content-type'}, 'image/png', 'image_url returns the right Content-Type';
    my $saved = HTTP::Tiny->new->get($data->{identity}{image}{original});
    ok $saved->{success} && $saved->{content} eq $picture, 'the identity has a copy of the picture';
};

# Successful responses -----------------------------------------------------------------------------

my @good = (
    # scenario               extension  size               warning   title
    ['ok', 'jpg', [896, 1200], undef, 'a JPEG stays a JPEG'],
    ['png', 'png', [896, 1200], undef, 'a PNG as PNG'],
    ['png-labelled-jpeg', 'png', [896, 1200], undef, 'a PNG labeled as JPEG is stored as PNG'],
    ['escaped', 'jpg', [896, 1200], undef, 'base64 with JSON escapes is accepted'],
    ['jpeg-labelled-png', 'jpg', [896, 1200], undef, 'the content decides the type, not the label'],
    [
        'text', 'jpg', [896, 1200], qr/\AThe provider wrote: Here is your picture. Enjoy!\z/,
        'text in the response becomes a warning'
    ],
    ['thoughts', 'jpg', [896, 1200], undef, 'drafts are not used as the result'],
    ['only-thought', 'jpg', [896, 1200], undef, 'a thought is used if it is the only picture and has the size'],
    ['two-images', 'jpg', [896, 1200], undef, 'the last of two pictures is used'],
    ['snake', 'jpg', [896, 1200], undef, 'snake_case is accepted'],
    ['nulls', 'jpg', [896, 1200], undef, 'null counts as absent'],
    ['shuffled', 'jpg', [896, 1200], undef, 'order and unknown members do not matter'],
    ['bare', 'jpg', [896, 1200], undef, 'a minimal response is accepted'],
    ['pretty', 'jpg', [896, 1200], undef, 'pretty JSON is JSON'],
    ['unpadded', 'jpg', [896, 1200], undef, 'base64 without padding is accepted'],
    ['urlsafe', 'jpg', [896, 1200], undef, 'URL-safe base64 is accepted'],
    ['gzip', 'jpg', [896, 1200], undef, 'a compressed response is accepted'],
    ['chunked', 'jpg', [896, 1200], undef, 'a chunked response is accepted'],
    ['no-length', 'jpg', [896, 1200], undef, 'a response that ends with the connection is accepted'],
    ['interim', 'jpg', [896, 1200], undef, 'interim responses are skipped'],
    ['text-plain', 'jpg', [896, 1200], undef, 'the Content-Type does not matter'],
    ['array', 'jpg', [896, 1200], undef, 'an array around the response does not matter'],
    ['other-model', 'jpg', [896, 1200], undef, 'a picture of another model is accepted'],
    ['retiring', 'jpg', [896, 1200], undef, 'a deprecated model still works'],
    ['finish:SOMETHING_NEW', 'jpg', [896, 1200], undef, 'an unknown finish reason does not discard the picture'],
    map({ [
            "finish:$_", 'jpg', [896, 1200],
            qr/\AThe provider sent a complete picture, but an unusual finish reason \($_\): \S.*\.\z/,
            'a complete picture is delivered'
    ] } qw(MAX_TOKENS OTHER MALFORMED_RESPONSE MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS)),
    ['wrong-size', 'png', [512, 512], qr/512 x 512 pixels instead of 896 x 1200/, 'a wrong size causes a warning'],
    ['big', 'png', [896, 1200], undef, '24 MiB fit'],
);
for my $case (@good) {
    my ($scenario, $extension, $size, $warning, $what) = @$case;
    my ($status, undef, $data) = generate($scenario);
    my $job = job();
    subtest "$scenario: $what" => sub {
        is $status, 200, 'the generation succeeds' or return diag explain $data;
        is $job->{id}, $data->{job}{id}, 'the job is the newest row';
        like $job->{image}, qr/\.$extension\z/, "the file ends in .$extension";
        is_deeply [@$job{qw(state media_type width height)}],
            ['succeeded', $extension eq 'jpg' ? 'image/jpeg' : 'image/png', @$size], 'type and size match the bytes';
        like "@{$job->{warnings}}", $warning // qr/\A\z/,
            $warning ? 'the row has the warning' : 'the row has no warning';
        ok stored_file_of($job) eq delivered(overheard($tap)->{answer}), "the stored picture has the provider's bytes"
            if $scenario !~ /gzip|chunked|interim/;
        is length stored_file_of($job), -s stored_path($job->{image}), 'the file on disk has the length of the picture';
    };
}

subtest 'Size, model and references of a request reach the provider' => sub {
    my (undef, undef, $default) = generate('', aspect_ratio => '16:9', resolution => '4K');
    is_deeply [@{ $default->{job} }{qw(width height)}], [5504, 3072], '4K in 16:9 has 5504 x 3072 pixels';
    is_deeply [map { @$_{qw(aspectRatio imageSize)} }
            $json->decode(overheard($tap)->{body})->{generationConfig}{imageConfig}], ['16:9', '4K'],
        'the request has 16:9 and 4K by default';
    (undef, undef, my $retired) = generate('', model => 'gemini-3-pro-image-preview');
    is overheard($tap)->{line}, 'POST /v1beta/models/gemini-3-pro-image:generateContent HTTP/1.1',
        'a retired model is replaced by its successor in the request';
    like "@{$retired->{job}{warnings}}", qr/gemini-3-pro-image-preview was shut down; gemini-3-pro-image was used/,
        'the job has a warning about the retired model';
    is_deeply [@{ $retired->{job} }{qw(model requested_model)}], ['gemini-3-pro-image', 'gemini-3-pro-image-preview'],
        'model is the successor, requested_model the retired one';
    is_deeply [@{ $default->{job} }{qw(model requested_model)}], ['gemini-3-pro-image', 'gemini-3-pro-image'],
        'without an alias model and requested_model are the same';
    (undef, undef, my $one) = generate('', reference_image_ids => [$ids{1}]);
    is_deeply $one->{job}{reference_image_ids}, [$ids{1}], 'references can be selected';
    is scalar @{ $json->decode(overheard($tap)->{body})->{contents}[0]{parts} }, 2,
        'only the selected reference is sent';
};

# Failures -----------------------------------------------------------------------------------------

my %sentences = (
    provider_key => qr/refused this server's key\. An operator/,
    provider_request => qr/did not accept the request|stopped before the picture was finished/,
    provider_busy => qr/provider is overloaded|used up its (?:daily )?quota at the image provider/,
    provider_fails => qr/\AThe image provider failed with an internal error\. Try again later\.\z/,
    provider_reply => qr/response was invalid|data that is not a picture/,
    model_retired => qr/does not know the model gemini-3-pro-image\. An operator/,
    no_image => qr/answered without a picture/,
    timeout => qr/did not respond in time/,
    refused => qr/refused to make this picture: .+\. \S.+\.\z/,
);
my @bad = (
    # scenario               status  code             Retry-After
    ['status:400', 502, 'provider_request'],
    ['status:401', 503, 'provider_key', 5],
    ['status:403', 503, 'provider_key', 5],
    ['status:404', 502, 'model_retired'],
    ['status:408', 504, 'timeout'],
    ['status:413', 502, 'provider_request'],
    ['status:429', 429, 'provider_busy', 37],
    ['status:499', 502, 'provider_request'],
    ['status:500', 503, 'provider_busy', 5, $sentences{provider_fails}],
    ['status:502', 503, 'provider_busy', 5],
    ['status:503', 503, 'provider_busy', 5],
    ['status:504', 504, 'timeout'],
    ['status:418', 502, 'provider_request'],
    ['key-invalid', 503, 'provider_key', 5],
    ['echo-key', 503, 'provider_key', 5],
    ['precondition', 503, 'provider_key', 5, qr/does not serve this server's account/],
    ['quota-zero', 429, 'provider_busy', 30],
    [
        'quota-day', 429, 'provider_busy', 'reset',
        qr/used up its daily quota at the image provider\. Try again in \d+ (?:hours|minutes?), after midnight in California\.\z/
    ],
    ['quota-day-in-words', 429, 'provider_busy', 'reset', qr/daily quota/],
    ['quota-fraction', 429, 'provider_busy', 37],
    ['quota-forever', 429, 'provider_busy', 3600],
    ['retry-after:12', 429, 'provider_busy', 12],
    ['array-error', 429, 'provider_busy', 37],
    ['error-200', 503, 'provider_busy', 5],
    ['html', 502, 'provider_reply'],
    ['html-503', 503, 'provider_busy', 5],
    ['empty', 502, 'provider_reply'],
    ['cut-json', 502, 'provider_reply'],
    ['short-body', 502, 'provider_reply'],
    ['short-chunked', 502, 'provider_reply'],
    ['reset', 502, 'provider_reply'],
    ['close', 502, 'provider_reply'],
    ['not-http', 502, 'provider_reply'],
    ['redirect', 502, 'provider_reply'],
    ['redirect-host', 502, 'provider_reply'],
    ['no-image', 502, 'no_image'],
    ['empty-object', 502, 'no_image'],
    ['no-content', 502, 'no_image'],
    ['only-draft', 502, 'no_image'],
    ['finish:NO_IMAGE', 502, 'no_image'],
    ['finish:IMAGE_OTHER', 502, 'no_image'],
    ['broken-off:MAX_TOKENS', 502, 'provider_request'],
    ['refused:MAX_TOKENS', 502, 'provider_request'],
    ['broken-off:OTHER', 502, 'no_image'],
    ['thought-only-finish:MAX_TOKENS', 502, 'provider_request'],
    [
        'refused:MALFORMED_FUNCTION_CALL', 502, 'provider_request', undef,
        qr/stopped before the picture was finished: the model tried to use a tool\. Try again\./
    ],
    ['finish:CONTINUATION', 502, 'provider_request'],
    ['bad-base64', 502, 'provider_reply'],
    ['not-a-picture', 502, 'provider_reply'],
    ['gif', 502, 'provider_reply'],
    map({ ["refused:$_", 422, 'refused'] }
        qw(SAFETY IMAGE_SAFETY PROHIBITED_CONTENT IMAGE_PROHIBITED_CONTENT BLOCKLIST SPII RECITATION IMAGE_RECITATION
            LANGUAGE)),
    ['finish:IMAGE_SAFETY', 422, 'refused'],
    map({ ["blocked:$_", 422, 'refused'] } qw(SAFETY OTHER BLOCKLIST PROHIBITED_CONTENT IMAGE_SAFETY)),
);
# Until the next midnight in California: a few hours, except on days when clocks change.
sub seconds_to_reset {
    local $ENV{TZ} = 'PST8PDT,M3.2.0,M11.1.0';
    POSIX::tzset();
    my @now = localtime;
    my $midnight = POSIX::mktime(0, 0, 0, $now[3] + 1, @now[4, 5], 0, 0, -1);
    my $seconds = $midnight - CORE::time();
    delete $ENV{TZ};
    POSIX::tzset();
    return $seconds;
}
my $files = sub { my @found = `find '@{[$server->state]}/pictures' -type f`; scalar @found };
my $files_before = $files->();
recorded();
for my $case (@bad) {
    my ($scenario, $wanted, $code, $after, $sentence) = @$case;
    my ($status, $retry, $data) = generate($scenario);
    my $job = job();
    subtest "$scenario: $wanted $code" => sub {
        is $status, $wanted, 'the response has the status' or diag explain $data;
        is ref $data eq 'HASH' ? $data->{code} : '', $code, 'the response has the code';
        like ref $data eq 'HASH' ? $data->{detail} : '', $sentence // $sentences{$code},
            'the response has the sentence';
        my $reset = ($after // '') eq 'reset' ? seconds_to_reset() : undef;
        defined $reset
            ? cmp_ok(abs($retry - $reset), '<', 30, 'Retry-After is the time until the quota resets')
            : is $retry, $after, 'Retry-After';
        is_deeply [@$job{qw(state error_code image owner)}], ['failed', $code, undef, undef],
            'the row failed with the code';
        is $job->{error_detail}, ref $data eq 'HASH' ? $data->{detail} : '', 'the row has the sentence';
        ok defined $job->{finished_at}, 'the row has ended';
        like $job->{prompt_used}, qr/\Q[[scenario:$scenario]]/, 'the row is the one with this scenario';
    };
}
my @requests = recorded();
subtest 'Failures make one request each, follow no redirect, and leave no files' => sub {
    is scalar @requests, scalar @bad, 'each failure made one request: there were no retries';
    is_deeply [grep { $_->{path} ne '/v1beta/models/gemini-3-pro-image:generateContent' } @requests], [],
        'no redirect was followed';
    is $files->(), $files_before, 'failures leave no files';
};

# Client disconnects -------------------------------------------------------------------------------

subtest 'A job succeeds after its client disconnects' => sub {
    my $body = $json->encode(wish('slow:1500'));
    my $socket = IO::Socket::INET->new(PeerAddr => $server->base =~ s{^http://}{}r) or die $!;
    print $socket "POST /api/v1/image-generation/generate/ HTTP/1.1\r\nHost: x\r\nAuthorization: "
        . login('admin')
        . "\r\nContent-Type: application/json\r\nContent-Length: "
        . length($body)
        . "\r\n\r\n$body";
    $socket->flush;
    sleep 0.3;
    close $socket;
    my $left =
        eventually(sub { my $row = job(); $row->{prompt_used} =~ /slow:1500/ && $row->{finished_at} ? $row : undef });
    is $left->{state}, 'succeeded', 'a job succeeds after its client disconnects';
    ok stored_file_of($left) eq delivered(overheard($tap)->{answer}), 'the picture of that job is on disk';
};

# The store is down --------------------------------------------------------------------------------

my $pictures = $server->state . '/pictures';
my $gemini = IdentityImg::Gemini->at($double_port);
# Wait for the log line about another picture that cannot be stored.
my $waiting = 0;

sub waits {
    $waiting++;
    return eventually(sub {
        (() = grep { /IIMG0112: / } $server->log_lines) >= $waiting;
    }) || diag "no such log line";
}
subtest 'A picture that arrives while the store is down waits for it' => sub {
    my ($kept) = in_parallel(
        1,
        sub { ask(POST => 'image-generation/generate/', wish('hold')) },
        sub {
            $gemini->holds(1);
            chmod 0, $pictures or die $!;
            $gemini->release;
            waits();
            chmod 0700, $pictures or die $!;
        }
    );
    chmod 0700, $pictures;
    is $kept->[0], 200, 'a picture that arrives while the store is down waits for it' or diag explain $kept;
    $job = job(ref $kept->[2] eq 'HASH' ? $kept->[2]{job}{id} : undef);
    is $job->{state}, 'succeeded', 'a job waits for the store and succeeds';
    ok stored_file_of($job) eq delivered(overheard($tap)->{answer}), 'the picture is stored when the store is back';
};

subtest 'A job with its picture keeps running while the store is down' => sub {
    my $meanwhile;
    $gemini->hold;
    my ($kept) = in_parallel(
        1,
        sub { ask(POST => 'image-generation/generate/', wish('hold')) },
        sub {
            $gemini->holds(1);
            chmod 0, $pictures or die $!;
            $gemini->release;
            waits();
            sleep 8;
            $meanwhile = job()->{state};
            chmod 0700, $pictures or die $!;
        }
    );
    chmod 0700, $pictures;
    is $meanwhile, 'running', 'a job that has its picture keeps running while the store is down';
    is $kept->[0], 200, 'the waiting picture is stored when the store is back' or diag explain $kept;
    is scalar(grep { /IIMG0112: cannot store a generated picture yet: generation \S+: / } $server->log_lines), 2,
        'the log has a line for each waiting picture';
};

# PostgreSQL is down -------------------------------------------------------------------------------

subtest 'A picture that arrives while the database is down waits for it' => sub {
    $gemini->hold;
    my ($kept) = in_parallel(
        1,
        sub { ask(POST => 'image-generation/generate/', wish('hold')) },
        sub {
            $gemini->holds(1);
            $server->script(cluster => 'stop');
            $gemini->release;
            sleep 4;
            $server->script(cluster => 'start');
        }
    );
    is $kept->[0], 200, 'a picture that arrives while the database is down waits for it' or diag explain $kept;
    $job = job(ref $kept->[2] eq 'HASH' ? $kept->[2]{job}{id} : undef);
    is $job->{state}, 'succeeded', 'the job succeeds after the long outage';
    ok stored_file_of($job) eq delivered(overheard($tap)->{answer}), 'the picture is stored after the long outage';
};

# A short deadline, one generation, one connection --------------------------------------------------

my @conf = (
    'IdentityImgGeminiTimeout 3', 'IdentityImgMaxWaiting 1', 'IdentityImgParkRequests off', 'StartServers 1',
    'ServerLimit 1', 'ThreadsPerChild 25', 'MaxRequestWorkers 25',
    'DBDMin 1', 'DBDKeep 1', 'DBDMax 1', 'DBDExptime 300'
);
subtest 'A provider that does not respond in time is a timeout' => sub {
    $server->restart(join "\n", @conf, '');
    my $began = time;
    ($status, undef, $data) = generate('silence');
    is_deeply [$status, $data->{code}], [504, 'timeout'], 'a provider that does not respond is a timeout'
        or diag explain $data;
    cmp_ok time - $began, '>=', 2.9, 'the timeout is not early';
    cmp_ok time - $began, '<', 60, 'the timeout is not late';
    is_deeply [@{ job() }{qw(state error_code)}], ['failed', 'timeout'], 'the row has the timeout';
    is job()->{error_billed}, undef, 'whether a timeout was billed is unknown';
    is_deeply [(generate('slow-body:5000'))[0]], [504], 'a response that stops midway is a timeout';
};

subtest 'A generation occupies the only slot, but no database connection' => sub {
    $server->restart(join "\n", 'IdentityImgGeminiTimeout 60', @conf[1 .. $#conf], '');
    my (@refusal, $me, $state_then);
    $gemini->hold;
    my ($kept) = in_parallel(
        1,
        sub { ask(POST => 'image-generation/generate/', wish('hold')) },
        sub {
            $gemini->holds(1);
            $me = ask(GET => 'users/me/');
            @refusal = generate('');
            $state_then = job()->{state};
            $gemini->release;
        }
    );
    is $kept->[0], 200, 'the allowed generation succeeds' or diag explain $kept;
    is $me->[0], 200, 'the only database connection serves other requests during a generation';
    is $state_then, 'running', 'no connection is held while the provider works';
    is_deeply [@refusal[0, 1], $refusal[2]{code}], [503, 15, 'generations_busy'],
        'a second generation is refused with Retry-After';
    my @welcome = generate('');
    is $welcome[0], 200, 'a generation is accepted after the first one ends'
        or diag explain \@welcome, [grep { !/IIMG0117/ } ($server->log_lines(1))[-12 .. -1]];
};

# A wrong key, then no provider --------------------------------------------------------------------

subtest 'A key unknown to the provider is a 503 that does not show the key' => sub {
    $server->{env}{GEMINI_API_KEY} = my $other_key = "$key-but-another";
    $server->restart("IdentityImgGeminiTimeout 10\n");
    ($status, undef, $data) = generate('');
    is_deeply [$status, $data->{code}], [503, 'provider_key'], 'a key unknown to the provider is a 503'
        or diag explain $data;
    unlike $json->encode($data), qr/AQ\./, 'the response does not contain the key';
};

subtest 'A provider that cannot be reached is a 503' => sub {
    $server->{env}{GEMINI_ENDPOINT} = 'http://127.0.0.1:' . free_port();
    $server->restart;
    my $began = time;
    ($status, my $retry, $data) = generate('');
    is_deeply [$status, $data->{code}, $retry], [503, 'provider_down', 5], 'a provider that cannot be reached is a 503'
        or diag explain $data;
    like $data->{detail}, qr/cannot be reached/, 'the response says that the provider cannot be reached';
    cmp_ok time - $began, '<', 60, 'a provider that cannot be reached fails within the deadline';
    is_deeply [@{ job() }{qw(state error_code)}], ['failed', 'provider_down'], 'the row has provider_down';
};

# The key ------------------------------------------------------------------------------------------

subtest 'The key is in no log, row, response or URL' => sub {
    my $dump = join "\n", $server->sql('SELECT j::text FROM generation_jobs j');
    my %places = (
        'the error log' => slurp($server->state . '/httpd/error.log'),
        'the access log' => slurp($server->state . '/httpd/access.log'),
        'PostgreSQL\'s log' => slurp($server->state . '/postgres.log'), 'the rows' => $dump,
        'all responses' => JSON::PP->new->utf8->allow_nonref->encode(\@answers)
    );
    for my $place (sort keys %places) {
        ok length $places{$place}, "$place is not empty";
        is index($places{$place}, $key), -1, "the key is not in $place";
    }
    is index(join(' ', map { $_->{path} } @requests), $key), -1, 'the key was not in a URL';
};

subtest 'All jobs have ended, and no object is pending' => sub {
    is_deeply [$server->sql(q{SELECT count(*) FROM stored_objects WHERE state = 'pending'})], [0],
        'no object is pending or doomed';
    is_deeply [$server->sql(q{SELECT count(*) FROM generation_jobs WHERE state NOT IN ('succeeded', 'failed')})], [0],
        'all jobs have ended';
};

$server->judge(
    qr/IIMG011[27]: /,
    qr/IIMG0002: POST .*image-generation/, qr/IIMG0003: POST .*image-generation/, qr/IIMG0004: POST .*image-generation/,
    qr/IIMG0043: the image provider refuses the API key/,
    qr/IIMG0040: model gemini-3-pro-image-preview was shut down/, qr/IIMG0041: /,
    qr/IIMG010[1-57]: .*(?:picture store|database|generation_jobs|stored_object|cannot delete|wait for)/,
    qr/AH\d+: |terminating connection|server closed the connection|could not connect|connection to server/,
);
finish();
