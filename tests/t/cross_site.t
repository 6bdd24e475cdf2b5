# cross_site.t - requests of pages of other origins: no writes, and reads only if the operator lists the origin.
use strict;
use warnings;
use IdentityImg::Server;
use IdentityImg::Test;
use Test::More;

fresh_data();

my $base = base_url();

sub write_as {
    my ($who, @headers) = @_;
    return call(POST => 'reference-images/', as => $who, json => {}, headers => [@headers]);
}
sub line { my ($answer) = @_; return join ' ', $answer->code, json($answer)->{code} // 'made' }

for my $case (
    ['no headers, like curl', [], '201 made'],
    ['Sec-Fetch-Site: same-origin', ['Sec-Fetch-Site' => 'same-origin', Origin => 'https://any.example'], '201 made'],
    ['Sec-Fetch-Site: none', ['Sec-Fetch-Site' => 'none'], '201 made'],
    ['Sec-Fetch-Site: cross-site', ['Sec-Fetch-Site' => 'cross-site'], '403 cross_site'],
    ['Sec-Fetch-Site: same-site', ['Sec-Fetch-Site' => 'same-site'], '403 cross_site'],
    [
        'Sec-Fetch-Site: cross-site with an Origin',
        ['Sec-Fetch-Site' => 'cross-site', Origin => 'https://evil.example'], '403 cross_site'
    ],
    ['an unknown value', ['Sec-Fetch-Site' => 'Same-Origin'], '403 cross_site'],
    ['our own Origin', [Origin => $base], '201 made'],
    ['our own Origin in capitals', [Origin => uc $base], '201 made'],
    ['another Origin', [Origin => 'https://evil.example'], '403 cross_site'],
    ['our Origin with another port', [Origin => $base =~ s/:\d+$/:1/r], '403 cross_site'],
    ['our Origin with a suffix', [Origin => "$base.evil.example"], '403 cross_site'],
    ['the Origin null', [Origin => 'null'], '403 cross_site'],
    ['an empty Origin', [Origin => ''], '403 cross_site'],
) {
    my ($what, $headers, $expected) = @$case;
    is line(write_as('alice', @$headers)), $expected, "a write with $what";
    sql('DELETE FROM reference_images');
}
my @evil = (headers => [Origin => 'https://evil.example']);
is json(call(POST => 'reference-images/', as => 'alice', json => {}, @evil))->{detail},
    'Cross-site request refused: pages of another origin may not change anything here.',
    'the refusal explains the reason';
my $photo = json(write_as('alice'));
is call($_->[0] => $_->[1], as => 'admin', json => {}, @evil)->code, 403, "$_->[0] $_->[1] too"
    for [PATCH => "reference-images/$photo->{id}/"], [DELETE => "reference-images/$photo->{id}/"],
    [POST => "reference-images/$photo->{id}/upload-image/"],
    [PATCH => 'identities/' . identity_of('full') . '/upload-image/'], [POST => 'image-generation/generate/'],
    [POST => 'prompts/'];
is call(GET => 'reference-images/', as => 'alice', @evil)->code, 200,
    'a read is answered: the browser withholds it from the page';
is call(DELETE => "reference-images/$photo->{id}/", @evil)->code, 401, 'a write without credentials is 401';
is call(PUT => 'reference-images/', as => 'alice', @evil)->code, 405, 'a write with an unsupported method is 405';
is call(POST => 'nothing/', as => 'alice', @evil)->code, 404, 'a write to an unknown path is 404';
is call(POST => 'image-generation/generate/', as => 'alice', json => {}, @evil)->code
    . json(call(POST => 'image-generation/generate/', as => 'alice', json => {}, @evil))->{code},
    '403permission_denied', 'a write by a user who is not staff is 403 permission_denied';

# CORS: no headers unless origins are listed.
my $plain = call(GET => 'reference-images/', as => 'alice', headers => [Origin => 'https://app.example']);
is $plain->header($_), undef, "no $_ unless origins are listed" for qw(Access-Control-Allow-Origin Vary);

my $server =
    IdentityImg::Server->new('cors', conf => "IdentityImgCorsOrigin https://app.example http://localhost:5173\n")
    ->start;
sub there { my ($method, $path, %with) = @_; return call($method => $path, base => $server->base, %with) }
sub from { return headers => [Origin => @_] }
for my $origin ('https://app.example', 'http://localhost:5173') {
    my $answer = there(GET => 'reference-images/', as => 'alice', from($origin));
    is $answer->header('Access-Control-Allow-Origin'), $origin, "pages of $origin may read";
    is $answer->header('Access-Control-Allow-Credentials'), 'true', "pages of $origin may send credentials";
    like $answer->header('Access-Control-Expose-Headers'), qr/\bETag\b.*\bX-Request-Id\b/,
        "pages of $origin may read our headers";
    like join(',', $answer->header('Vary')), qr/\bOrigin\b/, "the response to $origin has Vary: Origin";
    is there(POST => 'reference-images/', as => 'alice', json => {}, from($origin))->code, 201,
        "pages of $origin may write";
    is there(
        POST => 'reference-images/', as => 'alice', json => {},
        headers => [Origin => $origin, 'Sec-Fetch-Site' => 'cross-site']
        )->code, 201,
        "pages of $origin may write as another site, too";
}
my $failed = there(GET => 'reference-images/', from('https://app.example'));
is $failed->code . ' ' . $failed->header('Access-Control-Allow-Origin'), '401 https://app.example',
    'pages of listed origins may read errors of httpd';
my $missing = there(GET => 'nothing/', as => 'alice', from('https://app.example'));
is $missing->code . ' ' . $missing->header('Access-Control-Allow-Origin'), '404 https://app.example',
    'pages of listed origins may read our errors';
for my $origin ('https://evil.example', 'null', 'https://app.example.evil', 'http://app.example') {
    my $answer = there(GET => 'reference-images/', as => 'alice', from($origin));
    is $answer->header('Access-Control-Allow-Origin'), undef, "pages of $origin may not read";
    like join(',', $answer->header('Vary')), qr/\bOrigin\b/, "the response to the unlisted $origin has Vary: Origin";
}
my $preflight = there(
    OPTIONS => 'reference-images/',
    headers => [
        Origin => 'https://app.example', 'Access-Control-Request-Method' => 'POST',
        'Access-Control-Request-Headers' => 'authorization'
    ]
);
is $preflight->code, 204, 'a preflight needs no credentials';
is $preflight->header('Access-Control-Allow-Origin'), 'https://app.example', 'the preflight allows the origin';
is $preflight->header('Access-Control-Allow-Methods'), 'GET, HEAD, POST, OPTIONS', 'the preflight allows the methods';
like $preflight->header('Access-Control-Allow-Headers'), qr/Authorization, Content-Type, Idempotency-Key/,
    'the preflight allows the headers';
is $preflight->header('Access-Control-Max-Age'), 600, 'the preflight may be cached for ten minutes';
my $refused = there(
    OPTIONS => 'reference-images/',
    headers => [Origin => 'https://evil.example', 'Access-Control-Request-Method' => 'POST']
);
is $refused->header($_), undef, "a preflight of an unlisted origin gets no $_"
    for qw(Access-Control-Allow-Origin Access-Control-Allow-Methods);
my $shown = json(there(POST => 'reference-images/', as => 'bob', parts => [image => [portrait()]]));
is there(GET => $shown->{image}{thumbnail}, from('https://app.example'))->header('Access-Control-Allow-Origin'),
    'https://app.example', 'pictures allow listed origins, so that pages can draw them on a canvas';
like $server->configtest("IdentityImgCorsOrigin *\n"), qr/IdentityImgCorsOrigin: "\*" is not scheme and host alone/,
    '* is refused as an origin';
$server->judge();

finish();
