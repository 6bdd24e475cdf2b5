# hostile_http.t - malformed or borderline HTTP: request lines, headers, lengths, chunks, slow requests, and bytes
# after the end. Each is refused with our JSON, and the next client is served.
use strict;
use warnings;
use utf8;
use IdentityImg::Server;
use IdentityImg::Test;
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

fresh_data();
$SIG{PIPE} = 'IGNORE';
expect_log(qr/AH01630/);    # mod_authz_core: CONNECT is denied

my $login = 'Authorization: ' . login('alice');
my $photo = json(call(POST => 'reference-images/', as => 'alice', json => { name => 'kept' }))->{id};
my $patch = "PATCH /api/v1/reference-images/$photo/ HTTP/1.1";
my $server = base_url() =~ s{^http://}{}r;

# Send bytes; returns the response until the server disconnects, or is silent after a complete response.
# Pieces that are numbers are pauses.
sub talk {
    my ($where, @pieces) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $where, Timeout => 10) or die "connect: $!";
    my $select = IO::Select->new($socket);
    my ($began, $text) = (time, '');
    for my $piece (@pieces) {
        if (ref $piece) { last if $select->can_read($$piece) }
        else { syswrite($socket, $piece) // last }
    }
    while ($select->can_read($text =~ /\r\n\r\n.*\}\z/s ? 0.5 : 15)) {
        last if !sysread $socket, $text, 65536, length $text;
    }
    return ($text, time - $began);
}

sub request { my ($line, @headers) = @_; return join "\r\n", $line, 'Host: x', @headers, '', '' }

# The defect of a refusal in bytes; '' if it is a 4xx as documented.
sub flaw {
    my ($text, $status) = @_;
    my ($code, $headers, $body) = $text =~ m{\AHTTP/1\.1 (\d+) [^\r]*\r\n(.*?\r\n)\r\n(.*)\z}s
        or return 'no answer: ' . substr $text, 0, 200;
    return "$code instead of $status: $body" if $code !~ /^(?:$status)$/;
    return '' if $code =~ /^2/;
    return "no JSON: $headers$body" if $headers !~ m{^Content-Type: application/json\r$}mi;
    my $data = eval { JSON::PP->new->utf8->decode($body) };
    return "not one JSON object: $body"
        if ref $data ne 'HASH' || ($data->{detail} // '') !~ /\w/ || ($data->{code} // '') !~ /^[a-z_]+$/;
    return '';
}

sub children {
    my ($parent) = slurp(state() . '/httpd/httpd.pid') =~ /(\d+)/;
    return map { /(\d+) apache2/ } `ps -o pid=,comm= --ppid $parent`;
}
my %born = map { $_ => 1 } children();

sub unharmed {
    my ($group) = @_;
    my $now = call(GET => "reference-images/$photo/", as => 'alice');
    is $now->code == 200 && json($now)->{name}, 'kept',
        "after $group a valid request is answered, and nothing has changed";
    my %now = map { $_ => 1 } children();
    is join(' ', grep { !$now{$_} } sort keys %born), '', "after $group no child of httpd has died";
    return;
}

# Request lines and headers -----------------------------------------------------------------------

my $me = '/api/v1/users/me/';
for my $case (
    # name, bytes, status
    ['an unknown method', request("FROB $me HTTP/1.1", $login), 405],
    ['a method in lower case', request("get $me HTTP/1.1", $login), 405],
    ['a method of 5000 letters', request('X' x 5000 . " $me HTTP/1.1", $login), 405],
    ['a method with a slash', request("GE/T $me HTTP/1.1", $login), 400],
    ['no method', request(" $me HTTP/1.1", $login), 400],
    ['CONNECT', request('CONNECT example.com:443 HTTP/1.1', $login), '400|403|404|405'],
    ['a proxy\'s request', request("GET http://other.example/api/v1/nothing/ HTTP/1.1", $login), '400|404'],
    ['HTTP/2\'s greeting', "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", '400|404|405'],
    ['TLS\'s greeting', "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . 'x' x 500 . "\r\n\r\n", 400],
    ['a version that is not a number', request("GET $me HTTP/x", $login), 400],
    ['no Host', "GET $me HTTP/1.1\r\n$login\r\n\r\n", 400],
    ['two Hosts', request("GET $me HTTP/1.1", $login, 'Host: y'), 400],
    ['a Host that is markup', "GET $me HTTP/1.1\r\nHost: <x>\r\n$login\r\n\r\n", 400],
    ['a tab in the request line', request("GET\t$me HTTP/1.1", $login), 400],
    ['a NUL in the URL', request("GET $me\0 HTTP/1.1", $login), 400],
    ['an escaped NUL in the URL', request('GET /api/v1/users/%00/ HTTP/1.1', $login), '400|404'],
    ['an escaped slash in the URL', request('GET /api/v1/users%2fme/ HTTP/1.1', $login), 404],
    ['raw bytes in the URL', request("GET /api/v1/\xff\xfe/ HTTP/1.1", $login), '400|404'],
    ['a URL of 9000 characters', request('GET /' . 'a' x 9000 . ' HTTP/1.1', $login), 414],
    ['101 headers', request("GET $me HTTP/1.1", $login, map { "X-$_: $_" } 1 .. 101), 431],
    ['10,000 headers', request("GET $me HTTP/1.1", $login, ('X: y') x 10_000), 431],
    ['a header of 9000 characters', request("GET $me HTTP/1.1", $login, 'X: ' . 'y' x 9000), 431],
    ['a header name of 9000 characters', request("GET $me HTTP/1.1", $login, 'X' x 9000 . ': y'), 431],
    ['a header without a colon', request("GET $me HTTP/1.1", $login, 'X'), 400],
    ['a space before the colon', request("GET $me HTTP/1.1", $login, 'X : y'), 400],
    ['a folded first header', "GET $me HTTP/1.1\r\n X: y\r\nHost: x\r\n\r\n", 400],
    ['NUL in a header', request("GET $me HTTP/1.1", $login, "X: a\0b"), 400],
    ['an escape character in a header', request("GET $me HTTP/1.1", $login, "X: a\x1b[31m"), 400],
    [
        'an unknown Expect',
        request($patch, $login, 'Content-Type: application/json', 'Content-Length: 2', 'Expect: the-worst') . '{}',
        '417'
    ],
) {
    my ($what, $bytes, $status) = @$case;
    my ($text, $seconds) = talk($server, $bytes);
    is flaw($text, $status), '', "$what is refused";
    cmp_ok $seconds, '<', 10, 'soon';
}
is flaw(
    (talk($server, request("GET $me HTTP/1.1", $login, (map { "X-$_: $_" } 1 .. 90), 'Connection: close')))[0],
    200
    ),
    '', '90 headers are accepted';
unharmed('such requests');

# Lengths and chunks ------------------------------------------------------------------------------

my @json = ($login, 'Content-Type: application/json');
my @chunked = (@json, 'Transfer-Encoding: chunked');
my $body = '{"name":"stored"}';
for my $case (
    ['a negative Content-Length', request($patch, @json, 'Content-Length: -1'), 400],
    ['a Content-Length that is not a number', request($patch, @json, 'Content-Length: many') . $body, 400],
    ['a Content-Length with a plus sign', request($patch, @json, 'Content-Length: +17') . $body, 400],
    ['a hexadecimal Content-Length', request($patch, @json, 'Content-Length: 0x11') . $body, 400],
    ['a Content-Length that is a list', request($patch, @json, 'Content-Length: 17, 17') . $body, 400],
    [
        'a Content-Length beyond 64 bits', request($patch, @json, 'Content-Length: 99999999999999999999') . $body,
        '400|413'
    ],
    ['the largest Content-Length', request($patch, @json, 'Content-Length: 9223372036854775807') . $body, 413],
    ['two different lengths', request($patch, @json, 'Content-Length: 17', 'Content-Length: 2') . $body, 400],
    ['a length that truncates the body', request($patch, @json, 'Content-Length: 10') . $body, 400],
    ['an unknown transfer coding', request($patch, @json, 'Transfer-Encoding: gzip') . $body, '400|501'],
    [
        'chunked, but not as the last coding',
        request($patch, @json, 'Transfer-Encoding: chunked, gzip') . "11\r\n$body\r\n0\r\n\r\n", '400|501'
    ],
    ['a chunk without a size', request($patch, @chunked) . "\r\n$body\r\n0\r\n\r\n", 400],
    ['a chunk with a negative size', request($patch, @chunked) . "-11\r\n$body\r\n0\r\n\r\n", 400],
    [
        'a chunk size beyond 64 bits', request($patch, @chunked) . "fffffffffffffffff\r\n$body\r\n0\r\n\r\n",
        '400|413'
    ],
    ['a chunk size with 0x', request($patch, @chunked) . "0x11\r\n$body\r\n0\r\n\r\n", 400],
    ['a chunk size that is not a number', request($patch, @chunked) . "eleven\r\n$body\r\n0\r\n\r\n", 400],
    ['a chunk longer than its size', request($patch, @chunked) . "5\r\n$body\r\n0\r\n\r\n", 400],
    ['a chunk size of 10,000 zeros', request($patch, @chunked) . '0' x 10_000 . "11\r\n$body\r\n0\r\n\r\n", '400|413'],
    [
        'a chunk extension of 20,000 characters',
        request($patch, @chunked) . '11;x=' . 'y' x 20_000 . "\r\n$body\r\n0\r\n\r\n", '400|413'
    ],
    ['100,000 chunks of a byte', request($patch, @chunked) . "1\r\n[\r\n" x 100_000 . "0\r\n\r\n", 400],
    ['trailers without an end', request($patch, @chunked) . "2\r\n[]\r\n0\r\n" . "X: y\r\n" x 1000, 400],
) {
    my ($what, $bytes, $status) = @$case;
    my ($text, $seconds) = talk($server, $bytes);
    is flaw($text, $status), '', "$what is refused";
    cmp_ok $seconds, '<', 10, 'soon';
}

# A body that ends early: the client has closed its side.
for my $case (
    ['truncated JSON', request($patch, @json, 'Content-Length: 100') . $body],
    ['a truncated chunk', request($patch, @chunked) . "20\r\n$body"],
    ['chunks without a last chunk', request($patch, @chunked) . "11\r\n$body\r\n"],
    [
        'a truncated form',
        request(
            "POST /api/v1/reference-images/$photo/upload-image/ HTTP/1.1", $login,
            'Content-Type: multipart/form-data; boundary=x', 'Content-Length: 5000'
            )
            . "--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\n\xff\xd8\xff"
    ],
) {
    my ($what, $bytes) = @$case;
    my $socket = IO::Socket::INET->new(PeerAddr => $server, Timeout => 10) or die "connect: $!";
    syswrite $socket, $bytes;
    shutdown $socket, 1;
    my $text = '';
    1 while IO::Select->new($socket)->can_read(10) && sysread $socket, $text, 65536, length $text;
    is flaw($text, 400), '', "$what is refused";
}
unharmed('such bodies');

# Bytes after a request are another request ---------------------------------------------------------

my ($text) = talk($server, request("GET $me HTTP/1.1", $login) . "GARBAGE\x01\xff\r\n\r\n");
like $text, qr{\AHTTP/1\.1 200 .*HTTP/1\.1 400 .*"code":"invalid"}s,
    'garbage after a request is a separate bad request';
($text) = talk($server, request($patch, @json, 'Content-Length: 2') . '{}' . '{"name":"smuggled"}' . "\r\n\r\n");
like $text, qr{\AHTTP/1\.1 200 .*HTTP/1\.1 400 }s, 'bytes beyond Content-Length are a separate bad request';
($text) = talk(
    $server,
    request("PUT $me HTTP/1.1", @json, 'Content-Length: ' . length request($patch, @json))
        . request($patch, @json)
        . request("GET $me HTTP/1.1", $login, 'Connection: close')
);
my @statuses = $text =~ m{HTTP/1\.1 (\d+) }g;
is $statuses[0], 405, 'a request with a request as its body is refused';
unlike join(' ', @statuses[1 .. $#statuses]), qr/400|404/, 'the body is not read as a request';
($text) = talk(
    $server,
    request($patch, @json, 'Content-Length: 6', 'Transfer-Encoding: chunked')
        . "0\r\n\r\nX"
        . request("GET $me HTTP/1.1", $login)
);
is scalar(() = $text =~ m{HTTP/1\.1 }g), 1, 'a request with Content-Length and chunks is the last of its connection';
($text) =
    talk($server, request("GET $me HTTP/1.1", $login) x 50 . request("GET $me HTTP/1.1", $login, 'Connection: close'));
is scalar(() = $text =~ m{HTTP/1\.1 200 }g), 51, '51 pipelined requests are all answered';
unharmed('such pipelines');

# Slow clients ------------------------------------------------------------------------------------

my $hasty = IdentityImg::Server->new('hasty', conf => "RequestReadTimeout header=2 body=2\n")->start;
my $theirs =
    json(call(POST => 'reference-images/', as => 'alice', base => $hasty->base, json => { name => 'kept' }))->{id};
my $there = $hasty->base =~ s{^http://}{}r;
my @slow = (
    [
        'a body that never arrives',
        request("PATCH /api/v1/reference-images/$theirs/ HTTP/1.1", @json, 'Content-Length: 17')
    ],
    [
        'a body that stops',
        request("PATCH /api/v1/reference-images/$theirs/ HTTP/1.1", @json, 'Content-Length: 17') . '{"name'
    ],
    [
        'a chunk of the maximum size',
        request("PATCH /api/v1/reference-images/$theirs/ HTTP/1.1", @chunked)
            . "7fffffffffffffff\r\n$body\r\n0\r\n\r\n"
    ],
    ['a chunk that stops', request("PATCH /api/v1/reference-images/$theirs/ HTTP/1.1", @chunked) . "11\r\n{"],
    [
        'a body that arrives byte by byte',
        request("PATCH /api/v1/reference-images/$theirs/ HTTP/1.1", @json, 'Content-Length: 17'),
        map { (\0.4, $_) } split //, $body
    ],
    [
        'an upload that stops',
        request(
            "POST /api/v1/reference-images/$theirs/upload-image/ HTTP/1.1", $login,
            'Content-Type: multipart/form-data; boundary=x', 'Content-Length: 1000000'
            )
            . "--x\r\n"
    ],
    ['a header that stops', "GET $me HTTP/1.1\r\nHost: x\r\nX-"],
);
my @pids;
for my $case (@slow) {    # all concurrently: each waits two seconds
    my ($what, @pieces) = @$case;
    my $file = "$ENV{IIMG_WORK}/slow-" . @pids;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my ($text, $seconds) = talk($there, @pieces);
        open my $out, '>:raw', $file or die $!;
        print $out "$seconds\n$text";
        close $out;
        require POSIX;
        POSIX::_exit(0);
    }
    push @pids, [$pid, $file, $what];
}
sleep 0.5;
is call(GET => 'users/me/', as => 'alice', base => $hasty->base)->code, 200,
    'another client is served during the slow requests';
for my $one (@pids) {
    my ($pid, $file, $what) = @$one;
    waitpid $pid, 0;
    my ($seconds, $text) = slurp($file) =~ /\A(\S+)\n(.*)\z/s;
    is flaw($text, 408), '', "$what is 408";
    cmp_ok $seconds, '<', 60, "$what times out in less than a minute";
}
is json(call(GET => "reference-images/$theirs/", as => 'alice', base => $hasty->base))->{name}, 'kept',
    'the slow requests changed nothing';
$hasty->judge;

# Refusals by httpd and other modules ------------------------------------------------------------------

my $http2 = '/usr/lib/apache2/modules/mod_http2.so';
my $h2 = -e $http2 && `curl --version` =~ /\bHTTP2\b/;
my $front = IdentityImg::Server->new(
    'front',
    conf => ($h2 ? "LoadModule http2_module $http2\nProtocols h2c http/1.1\n" : '') . <<'CONF')->start;
LoadModule proxy_module      /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
<Location "/elsewhere">
    ProxyPass "http://127.0.0.1:1/"
    Require all granted
</Location>
<Location "/small">
    IdentityImg on
    AuthType Basic
    AuthName "small"
    AuthBasicProvider identityimg
    Require valid-user
    LimitRequestBody 10
</Location>
<Directory "${IIMG_STATE}/httpd/htdocs">
    Require all granted
</Directory>
CONF
my $gate = $front->base =~ s{^http://}{}r;
for my $case (
    ['a missing page', request('GET /none.html HTTP/1.1'), 404, 'not_found'],
    ['a path outside the API', request('GET /api/v1x/users/me/ HTTP/1.1'), 404, 'not_found'],
    [
        'a body over LimitRequestBody',
        request('POST /small/reference-images/ HTTP/1.1', @json, 'Content-Length: 13') . '{"name":"xx"}', 413,
        '(?:upload_)?too_large'
    ],
    [
        'chunks over LimitRequestBody',
        request('POST /small/reference-images/ HTTP/1.1', @chunked) . "d\r\n{\"name\":\"xx\"}\r\n0\r\n\r\n", 413,
        '(?:upload_)?too_large'
    ],
    ['a 503 by another module', request('GET /elsewhere/ HTTP/1.1'), 503, 'unavailable'],
    ['as a problem', request('GET /elsewhere/ HTTP/1.1', 'Accept: application/problem+json'), 503, 'unavailable'],
) {
    my ($what, $bytes, $status, $code) = @$case;
    my ($text) = talk($gate, $bytes =~ s/\r\n\r\n/\r\nConnection: close\r\n\r\n/r);
    like $text,
        qr{\AHTTP/1\.1 $status .*\r\nX-Request-Id: [\w.-]+\r\n.*\r\n\r\n\{.*"detail":"[^"]+\.","code":"$code"\}\z}s,
        "$what has a JSON body";
    like $text, qr{\r\nRetry-After: \d+\r\n}, "$what has Retry-After" if $status == 503;
    like $text, qr{\r\nContent-Type: application/problem\+json\r\n.*"status":503}s,
        "$what has problem+json if requested"
        if $what eq 'as a problem';
}
SKIP: {
    skip 'curl or httpd lacks HTTP/2', 2 if !$h2;
    my $long = 'x' x 9000;
    for my $case (
        ['a header of 9000 characters', "-H 'X-Long: $long'"],
        ['150 headers', join ' ', map { "-H 'X-$_: y'" } 1 .. 150]
    ) {
        my ($what, $headers) = @$case;
        like
            `curl -q -s --noproxy '*' --http2-prior-knowledge -w '|%{http_code} %{content_type}' $headers http://$gate/api/v1/users/me/`,
            qr/\A\{"detail":"The request's header is too large\.","code":"too_large"\}\|431 application\/json\z/,
            "$what over HTTP/2 is 431 with JSON";
    }
}
$front->judge(
    qr/\[proxy:error\]|\[proxy_http:error\]/, qr/AH00587|AH00588|AH01587|AH01588/,
    qr/IIMG0003: GET \/elsewhere\/: The server is not available/
);

finish();
