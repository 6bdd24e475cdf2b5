# media.t - picture URLs: each gives access to one picture for a limited time, and to nothing else.
use strict;
use warnings;
use utf8;
use Digest::SHA 'hmac_sha256';
use IdentityImg::Server 'eventually';
use IdentityImg::Test;
use IO::Socket::INET;
use MIME::Base64 'encode_base64url';
use Test::More;

# With the handlers of Debian's mime.conf that run programs or templates by file name, including its commented-out
# ones; and with the file itself if the package apache2 is installed.
my ($stock) = map { -f ? "Include $_\n" : '' } '/etc/apache2/mods-available/mime.conf';
my $server = IdentityImg::Server->new('media', conf => <<'CONF' . $stock)->start;
LoadModule negotiation_module /usr/lib/apache2/modules/mod_negotiation.so
LoadModule filter_module      /usr/lib/apache2/modules/mod_filter.so
LoadModule include_module     /usr/lib/apache2/modules/mod_include.so
LoadModule cgid_module        /usr/lib/apache2/modules/mod_cgid.so
LoadModule actions_module     /usr/lib/apache2/modules/mod_actions.so
AddType      text/html .shtml
AddOutputFilter INCLUDES .shtml
AddHandler   type-map var
AddHandler   cgi-script .cgi
AddHandler   cgi-script .php
AddEncoding  x-gzip .gz
AddCharset   us-ascii .ascii .us-ascii
AddLanguage  de .de
<Directory "/">
    Options +ExecCGI +Includes +MultiViews +Indexes
</Directory>
CONF

my $secret_file = $server->state . '/secret';
my ($id, $secret) = slurp($secret_file) =~ /^(\w+) ([0-9a-f]{64})$/m;

# The signature of services/media_url.c: HMAC-SHA-256 over fields that each end in NUL, 16 bytes of it.
sub mac {
    my ($key, %with) = @_;
    my @fields = ('v1', $with{id} // $id, $with{e}, $with{d} // '', $key);
    return encode_base64url(
        substr hmac_sha256(join('', map { "$_\0" } @fields), pack 'H*', $with{secret} // $secret),
        0, 16
    );
}

sub signed {
    my ($key, %with) = @_;
    $with{e} //= time + 600;
    my $url = "/pictures/$key?v=1&k=" . ($with{id} // $id) . "&e=$with{e}&s=" . mac($key, %with);
    return defined $with{d} ? "$url&d=$with{d}" : $url;
}

# A request with exactly these bytes, so that no library normalizes the path.
sub raw {
    my ($target, $method, @headers) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $server->base =~ s{http://}{}r, Timeout => 60) or die "$@";
    print $socket join "\r\n", ($method // 'GET') . " $target HTTP/1.1", 'Host: 127.0.0.1', 'Connection: close',
        @headers, '', '';
    my $all = do { local $/; <$socket> }
        // '';
    my ($head, $body) = split /\r\n\r\n/, $all, 2;
    return { code => ($head // '') =~ m{^HTTP/1\.1 (\d+)} ? $1 : 0, head => $head // '', body => $body // '' };
}

sub header { my ($answer, $name) = @_; return $answer->{head} =~ /^\Q$name\E: (.*?)\r?$/mi ? $1 : undef }

# The path and query of our URL.
sub path { my ($url) = @_; return $url =~ s{^http://[^/]+}{}r }

sub upload {
    my ($file, $name) = @_;
    my $answer = call(
        POST => 'reference-images/', as => 'alice', base => $server->base,
        parts => [name => $name, image => [$file, $name]]
    );
    is $answer->code, 201, "a photo called $name is accepted" or diag $answer->content;
    return json($answer);
}

sub all_gone { call(DELETE => "reference-images/$_->{id}/", as => 'alice', base => $server->base) for @_; return }

# Refused with JSON, and no bytes of our files in it.
sub is_refused {
    my ($answer, $codes, $sentence) = @_;
    my $ok =
           $answer->{code} =~ /^(?:$codes)$/
        && (header($answer, 'Content-Type') // '') eq 'application/json'
        && $answer->{body} =~ /^\{"detail":"[^"]+"/
        && $answer->{body} !~ /$secret|JFIF|root:/;
    ok $ok, $sentence or diag "$answer->{head}\n", substr $answer->{body}, 0, 300;
    return $ok;
}

# The URL of a picture --------------------------------------------------------------------------------

# Without private metadata, which would be removed.
my $jpeg = make_jpeg(640, 480, 'strip');
my $png = "$ENV{IIMG_WORK}/media.png";
system("vips copy '" . portrait() . "' '${png}[strip]'") == 0 or die 'vips failed';
my $photo = upload($jpeg, 'me.jpg');
my $url = path($photo->{image}{original});
my ($key) = $url =~ m{^/pictures/([^?]+)};
like $photo->{image}{original},
    qr{^\Q${\ $server->base}\E/pictures/media/[0-9a-f-]{36}/me\.jpg\?v=1&k=$id&e=\d+&s=[\w-]{22}$},
    'a URL has a key, an expiry and a signature';
is $url, signed($key, e => ($url =~ /e=(\d+)/)[0]), 'the signature is the documented one';

my $answer = raw($url);
is $answer->{code}, 200, 'the URL works without credentials';
ok $answer->{body} eq slurp($jpeg), 'the picture has the uploaded bytes';
my %expected = (
    'Content-Type' => 'image/jpeg', 'Content-Length' => -s $jpeg, 'X-Content-Type-Options' => 'nosniff',
    'Content-Security-Policy' => "default-src 'none'; sandbox", 'Referrer-Policy' => 'no-referrer',
    'Content-Disposition' => 'inline', 'Accept-Ranges' => 'bytes',
);
is header($answer, $_), $expected{$_}, "the response has $_: $expected{$_}" for sort keys %expected;
like header($answer, 'Cache-Control'), qr/^private, max-age=\d+, immutable$/, 'private caches may keep the picture';
my ($age) = header($answer, 'Cache-Control') =~ /max-age=(\d+)/;
my ($expiry) = $url =~ /e=(\d+)/;
cmp_ok abs(time + $age - $expiry), '<=', 30, 'max-age is the remaining time of the URL';
cmp_ok $expiry - time, '>', 2600, 'a new URL is valid for most of an hour';
is raw($url, 'GET', 'Authorization: ' . login('alice', 'wrong'))->{code}, 200,
    'wrong credentials are ignored';
for my $size (qw(thumbnail medium large)) {
    my $derived = raw(path($photo->{image}{$size}));
    is "$derived->{code} " . header($derived, 'Content-Type'), '200 image/jpeg', "the $size can be fetched";
}

# Features of httpd's file handler ------------------------------------------------------------------------

# (httpd sends W/"..." within the second in which the file was written.)
my $etag = eventually(sub { my $tag = header(raw($url), 'ETag') // ''; $tag =~ /^"/ ? $tag : '' });
ok $etag, 'a picture has an ETag';
is raw($url, 'GET', "If-None-Match: $etag")->{code}, 304, 'If-None-Match: 304';
is raw($url, 'GET', 'If-None-Match: "other"')->{code}, 200, 'HEAD returns the headers only';
my $head = raw($url, 'HEAD');
is "$head->{code} " . header($head, 'Content-Length') . " [$head->{body}]", '200 ' . (-s $jpeg) . ' []',
    'HEAD: the headers alone';
my $part = raw($url, 'GET', 'Range: bytes=100-199');
is $part->{code}, 206, 'Range: 206';
is header($part, 'Content-Range'), 'bytes 100-199/' . -s $jpeg, 'Content-Range names the part';
ok $part->{body} eq substr(slurp($jpeg), 100, 100), 'the body is the part';
is raw($url, 'GET', 'Range: bytes=0-9', "If-Range: $etag")->{code}, 206, 'If-Range with the ETag returns the part';
is raw($url, 'GET', 'Range: bytes=0-9', 'If-Range: "other"')->{code}, 200,
    'If-Range with another ETag returns the whole';
my $behind = raw($url, 'GET', 'Range: bytes=99999999-');
is $behind->{code}, 416, 'a range beyond the end is 416';
is_refused($behind, 416, 'the 416 is JSON');
for my $method (qw(POST PUT PATCH DELETE)) {
    my $refused = raw($url, $method, 'Content-Length: 0');
    is_refused($refused, 405, "$method: 405");
    like header($refused, 'Allow') // '', qr/\bGET\b/, 'the 405 has Allow' if $method eq 'POST';
}
ok -s $server->state . '/pictures/' . ($key =~ s{^(\w+/)((..)(..))}{$1$3/$4/$2}r), 'the file still exists';

# Changed URLs ---------------------------------------------------------------------------------------------

sub other { my ($character) = @_; return $character =~ /\d/ ? ($character + 1) % 10 : $character eq 'a' ? 'b' : 'a' }

# Change each character of the part of a URL that a pattern matches, one after the other.
sub each_change_is_refused {
    my ($right, $pattern, $what) = @_;
    $right =~ $pattern or die "$right has no $what";
    my ($from, $to) = ($-[1], $+[1]);
    my @served = grep { raw($_)->{code} != 403 }
        map { my $changed = $right; substr($changed, $_, 1) = other(substr $right, $_, 1); $changed } $from .. $to - 1;
    is "@served", '', ($to - $from) . " URLs with a changed character of the $what are 403";
    return;
}
each_change_is_refused($url, qr/&s=([^&]+)/, 'signature');
each_change_is_refused($url, qr/&e=([^&]+)/, 'expiry');
each_change_is_refused($url, qr/&k=([^&]+)/, 'key id');
each_change_is_refused($url, qr/\?v=([^&]+)/, 'version');
each_change_is_refused($url, qr{^/pictures/([^?]+)}, 'picture key');
my $download = signed($key, d => 'my-picture.jpg');
$answer = raw($download);
is "$answer->{code} " . header($answer, 'Content-Disposition'), '200 attachment; filename="my-picture.jpg"',
    'a signed name makes a download';
each_change_is_refused($download, qr/&d=([^&]+)/, 'name of a download');
is_refused(raw($_->[0]), 403, "$_->[1]: 403")
    for (
    ["$url&d=x.html", 'a name that was not signed'], ["$url&d=", 'an empty name'],
    [$download =~ s/&d=.*//r, 'a signed name removed'],
    [$url =~ s/\?.*//r, 'no signature'], [$url =~ s/&s=[^&]+//r, 'only the signature'],
    ["$url&s=" . 'A' x 22, 'another signature after the right one'],
    [$url =~ s/(&s=)[^&]+/$1/r, 'an empty signature'], [substr($url, 0, -1), 'a shortened signature'],
    ["${url}A", 'a lengthened signature'],
    [$url =~ s/e=/e=0/r, 'a padded expiry'], [$url =~ s/e=/e=-/r, 'a negative expiry'],
    [$url =~ s/e=\d+/e=9999999999999999999999/r, 'a huge expiry'],
    [signed($key, secret => '00' x 32), 'a signature with an unknown key'],
    [signed($key, id => '9', secret => $secret), 'an unknown key id'],
    );
$answer = raw(signed($key, e => time - 1));
is_refused($answer, 403, 'a URL that expired a second ago is 403');
like $answer->{body}, qr/expired.*"code":"url_expired"/, 'the refusal has url_expired';
like raw($url =~ s/&s=./&s=_/r)->{body}, qr/"code":"url_invalid"/, 'a changed URL has url_invalid';
is_refused(
      raw($url =~ s/e=\d+/e=1/r, 'HEAD')->{code} == 403
    ? raw($url =~ s/e=\d+/e=1/r)
    : { code => 0, head => '', body => '' }, 403, 'HEAD is refused like GET'
);

# The same URL in two responses lets browsers use their copy. (Retried in case a window ends in between.)
ok eventually(
    sub {
        my @lists = map { json(call(GET => 'reference-images/', as => 'alice', base => $server->base)) } 1, 2;
        $lists[0][0]{image}{medium} eq $lists[1][0]{image}{medium};
    },
    5
    ),
    'a picture has the same URL in two lists';

# Other paths -----------------------------------------------------------------------------------------------

my $uuid = '11111111-2222-4333-8444-555555555555';
my $query = $url =~ s/^[^?]*//r;
my $deep = '..%2f' x 12;
for my $target (
    "/pictures/../secret$query", "/pictures/media/../../secret$query", "/pictures/%2e%2e/secret$query",
    "/pictures/media/%2e%2e/%2e%2e/secret$query",
    "/pictures/..%2fsecret$query", "/pictures/${deep}etc%2fpasswd$query", "/pictures/%252e%252e/secret$query",
    "/pictures/media/$uuid/../../../../secret$query",
    "/pictures//secret$query", "//pictures//media//$query", "/pictures/./secret$query",
    "/pictures/media/$uuid/..\\..\\secret$query",
    "/pictures/media/$uuid/a%00.jpg$query", "/pictures/media/$uuid/a\0.jpg$query",
    "/pictures/media/$uuid/.htaccess$query", "/pictures/media/$uuid/$query",
    "/pictures/media/$uuid$query", "/pictures/media/$query", "/pictures/$query", "/pictures/",
    "/pictures/media/$uuid/a.jpg/b$query",
    "/pictures/media/$uuid/A.JPG$query", "/pictures/media/$uuid/a$query", "/pictures/media/$uuid/a.b.jpg$query",
    "/pictures/media/$uuid/__sized__/../a.jpg$query",
    "/pictures/media/not-a-uuid/a.jpg$query", "/pictures/generated_images/a.png$query",
    "/pictures/other/$uuid/a.jpg$query", "/pictures/secret$query",
    "/pictures/" . 'a' x 7000 . $query, "/pictures/" . '../' x 2000 . "etc/passwd$query",
    "/pictures/media/$uuid/" . 'a' x 300 . ".jpg$query", "/pictures;x/media$query",
    "/pictures/media/$uuid/\xc3\xa9.jpg$query", "/pictures/media/$uuid/%ff.jpg$query",
    "/pictures/media/$uuid/%.jpg$query", "/pictures/media/$uuid/a.jpg%20$query",
) {
    is_refused(raw($target), '400|403|404', 'not a file: ' . substr($target =~ s/[^ -~]/?/gr, 0, 70));
}
is_refused(raw('/pictures/' . 'a' x 20000), '403|404|414', 'not a file: a path of 20,000 bytes');
# Even with a signature, which only the server can make.
for my $strange (
    '../secret', 'media/../../secret', "media/$uuid/../../../secret", 'secret', "media/$uuid/",
    "generated_images/$uuid.", "media/$uuid/a.jpg~x"
) {
    my $wanted = signed($strange);
    is_refused(raw($wanted), '400|403|404', "not a file, even if signed: $strange");
}
is_refused(raw(signed("media/$uuid/a.jpg")), 404, 'a missing picture is 404');
is_refused(raw(signed("generated_images/$uuid.png")), 404, 'a missing generated picture is 404');

# The folder has no other URL.
my $root = $server->state . '/pictures';
my $root_url = $root =~ s/([^!-~])/sprintf '%%%02X', ord $1/ger;
my $on_disk = $key =~ s{^(\w+/)((..)(..))}{$1$3/$4/$2}r;
for my $target (
    "/$key", "/$on_disk", "/media/", "$root_url/$on_disk", "/pictures/$on_disk",
    "/pictures/$on_disk$query", "/identityimg-error/$key", "/api/v1/$key", "/cgi-bin/$key", '/identityimg:refused'
) {
    is_refused(
        raw($target), '401|403|404',
        "no other path to a picture: " . ($target =~ s/\Q$root_url\E/STATE/r =~ s/\?.*/?.../r)
    );
}

# File names with a meaning for httpd ------------------------------------------------------------------------

all_gone($photo);
my %files = ('a.var.jpg' => $jpeg, 'a.shtml.jpg' => $jpeg, 'a.cgi' => $jpeg, 'x.php.jpg' => $png, '.htaccess' => $png);
my @photos = map { upload($files{$_}, $_) } sort keys %files;
for my $name (sort keys %files) {
    my ($one) = grep { $_->{name} eq $name } @photos;
    my $type = $files{$name} =~ /png$/ ? 'image/png' : 'image/jpeg';
    my $served = raw(path($one->{image}{original}));
    is "$served->{code} " . (header($served, 'Content-Type') // '-'), "200 $type", "$name is served as $type";
    ok $served->{body} eq slurp($files{$name}), "$name is served with its bytes";
    is join(' ', map { header($served, $_) // () } qw(Content-Encoding Content-Language Content-Location)), '',
        "$name is served without encoding, language and location";
    like raw(path($one->{image}{thumbnail}))->{head}, qr{^HTTP/1.1 200.*Content-Type: image/(?:jpeg|png)}s,
        "the thumbnail of $name is served, too";
}

# If the store ever contained such a file, it would be served as bytes.
my %programs = (
    "a.cgi" => "#!/bin/sh\necho Content-Type: text/plain\necho\necho executed\n",
    "a.shtml" => '<!--#echo var="DATE_LOCAL" -->executed',
    "a.var" => "URI: a.jpg\nContent-type: image/jpeg\n", "a.php" => "#!/bin/sh\necho executed\n",
    "a.html" => '<script>executed</script>'
);
my $folder = "$root/media/11/11/$uuid";
File::Path::make_path($folder);
for my $name (sort keys %programs) {
    open my $file, '>', "$folder/$name" or die "$folder/$name: $!";
    print $file $programs{$name};
    close $file;
    chmod 0755, $folder, "$root/media/11", "$root/media/11/11", "$folder/$name";
    my $served = raw(signed("media/$uuid/$name"));
    ok $served->{code} == 200
        ? $served->{body} eq $programs{$name} && header($served, 'Content-Type') eq 'application/octet-stream'
        : $served->{code} =~ /40[34]/,
        "$name in the store is not executed: $served->{code}" or diag "$served->{head}\n$served->{body}";
}
File::Path::remove_tree($folder);

# A row whose file is missing.
my $lost = path($photos[0]{image}{original});
unlink "$root/" . ($lost =~ m{^/pictures/([^?]+)} ? $1 =~ s{^(\w+/)((..)(..))}{$1$3/$4/$2}r : die);
is_refused(raw($lost), 404, 'a picture whose file is missing is 404');
all_gone(@photos[0 .. $#photos - 1]);

# Another secret --------------------------------------------------------------------------------------------------

my $old = path($photos[-1]{image}{medium});
my ($old_key) = $old =~ m{^/pictures/([^?]+)};
my $new_secret = 'ab' x 32;

sub rewrite {
    my ($text) = @_;
    open my $file, '>', $secret_file or die $!;
    print $file $text;
    close $file;
    is $server->reload, '', 'httpd reloads the secret file';
    return;
}

sub shown { path(json(call(GET => 'reference-images/', as => 'alice', base => $server->base))->[0]{image}{medium}) }

rewrite("2 $new_secret\n$id $secret\n");
ok eventually(sub { shown() =~ /&k=2&/ }), 'the first key signs new URLs';
is raw($old)->{code}, 200, 'URLs signed with the second key are valid';
is raw(shown())->{code}, 200, 'new URLs are valid';
is_refused(raw(signed($old_key, id => '3', secret => $new_secret)), 403, 'an unknown key id is 403');
is_refused(raw(signed($old_key, id => '2')), 403, "the old key with the new key's id is 403");
rewrite("# the old one is gone\n2 $new_secret\n");
ok eventually(sub { raw($old)->{code} == 403 }), 'URLs of a removed key are refused';
is raw(shown())->{code}, 200, 'new URLs stay valid';
all_gone($photos[-1]);

$server->judge(qr/AH01630: client denied|AH10244: invalid URI path|AH00026|AH00127/);
undef $server;
finish();
