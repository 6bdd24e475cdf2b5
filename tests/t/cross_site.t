# cross_site.t - what pages of other origins may do: no writes, and reads only if the operator says so.
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
    ['nothing, as curl does', [], '201 made'],
    ['Sec-Fetch-Site: same-origin', ['Sec-Fetch-Site' => 'same-origin', Origin => 'https://any.example'], '201 made'],
    ['Sec-Fetch-Site: none', ['Sec-Fetch-Site' => 'none'], '201 made'],
    ['Sec-Fetch-Site: cross-site', ['Sec-Fetch-Site' => 'cross-site'], '403 cross_site'],
    ['Sec-Fetch-Site: same-site', ['Sec-Fetch-Site' => 'same-site'], '403 cross_site'],
    [
        'Sec-Fetch-Site: cross-site with an Origin',
        ['Sec-Fetch-Site' => 'cross-site', Origin => 'https://evil.example'], '403 cross_site'
    ],
    ['a word that is none', ['Sec-Fetch-Site' => 'Same-Origin'], '403 cross_site'],
    ['our own Origin', [Origin => $base], '201 made'],
    ['our own Origin in capitals', [Origin => uc $base], '201 made'],
    ['another Origin', [Origin => 'https://evil.example'], '403 cross_site'],
    ['our Origin with another port', [Origin => $base =~ s/:\d+$/:1/r], '403 cross_site'],
    ['our Origin and more', [Origin => "$base.evil.example"], '403 cross_site'],
    ['the Origin null', [Origin => 'null'], '403 cross_site'],
    ['an empty Origin', [Origin => ''], '403 cross_site'],
) {
    my ($what, $headers, $expected) = @$case;
    is line(write_as('alice', @$headers)), $expected, "a write with $what";
    sql('DELETE FROM reference_images');
}
my @evil = (headers => [Origin => 'https://evil.example']);
is json(call(POST => 'reference-images/', as => 'alice', json => {}, @evil))->{detail},
    'Cross-site request refused: pages of another origin may not change anything here.', 'the refusal says why';
my $photo = json(write_as('alice'));
is call($_->[0] => $_->[1], as => 'admin', json => {}, @evil)->code, 403, "$_->[0] $_->[1] too"
    for [PATCH => "reference-images/$photo->{id}/"], [DELETE => "reference-images/$photo->{id}/"],
    [POST => "reference-images/$photo->{id}/upload-image/"],
    [PATCH => 'identities/' . identity_of('full') . '/upload-image/'], [POST => 'image-generation/generate/'],
    [POST => 'prompts/'];
is call(GET => 'reference-images/', as => 'alice', @evil)->code, 200,
    'a read is answered: the browser keeps it from the page';
is call(DELETE => "reference-images/$photo->{id}/", @evil)->code, 401, 'without credentials it is 401 all the same';
is call(PUT => 'reference-images/', as => 'alice', @evil)->code, 405, '... and 405 for a method that there is not';
is call(POST => 'nothing/', as => 'alice', @evil)->code, 404, '... and 404 for a path that there is not';
is call(POST => 'image-generation/generate/', as => 'alice', json => {}, @evil)->code
    . json(call(POST => 'image-generation/generate/', as => 'alice', json => {}, @evil))->{code},
    '403permission_denied', '... and who may not anyway is told that';

# CORS: nothing unless origins are listed.
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
    is $answer->header('Access-Control-Allow-Credentials'), 'true', '... with credentials';
    like $answer->header('Access-Control-Expose-Headers'), qr/\bETag\b.*\bX-Request-Id\b/, '... and our headers';
    like join(',', $answer->header('Vary')), qr/\bOrigin\b/, '... and caches know';
    is there(POST => 'reference-images/', as => 'alice', json => {}, from($origin))->code, 201, 'and write';
    is there(
        POST => 'reference-images/', as => 'alice', json => {},
        headers => [Origin => $origin, 'Sec-Fetch-Site' => 'cross-site']
        )->code, 201,
        '... also when the browser says it is another site';
}
my $failed = there(GET => 'reference-images/', from('https://app.example'));
is $failed->code . ' ' . $failed->header('Access-Control-Allow-Origin'), '401 https://app.example',
    'they may read errors that httpd makes';
my $missing = there(GET => 'nothing/', as => 'alice', from('https://app.example'));
is $missing->code . ' ' . $missing->header('Access-Control-Allow-Origin'), '404 https://app.example', '... and ours';
for my $origin ('https://evil.example', 'null', 'https://app.example.evil', 'http://app.example') {
    my $answer = there(GET => 'reference-images/', as => 'alice', from($origin));
    is $answer->header('Access-Control-Allow-Origin'), undef, "pages of $origin may not";
    like join(',', $answer->header('Vary')), qr/\bOrigin\b/, '... and caches know that it depends';
}
my $preflight = there(
    OPTIONS => 'reference-images/',
    headers => [
        Origin => 'https://app.example', 'Access-Control-Request-Method' => 'POST',
        'Access-Control-Request-Headers' => 'authorization'
    ]
);
is $preflight->code, 204, 'a preflight needs no credentials';
is $preflight->header('Access-Control-Allow-Origin'), 'https://app.example', '... it lets the origin in';
is $preflight->header('Access-Control-Allow-Methods'), 'GET, HEAD, POST, OPTIONS', '... names the methods';
like $preflight->header('Access-Control-Allow-Headers'), qr/Authorization, Content-Type, Idempotency-Key/,
    '... and the headers';
is $preflight->header('Access-Control-Max-Age'), 600, '... for ten minutes';
my $refused = there(
    OPTIONS => 'reference-images/',
    headers => [Origin => 'https://evil.example', 'Access-Control-Request-Method' => 'POST']
);
is $refused->header($_), undef, "a stranger's preflight gets no $_"
    for qw(Access-Control-Allow-Origin Access-Control-Allow-Methods);
my $shown = json(there(POST => 'reference-images/', as => 'bob', parts => [image => [portrait()]]));
is there(GET => $shown->{image}{thumbnail}, from('https://app.example'))->header('Access-Control-Allow-Origin'),
    'https://app.example', 'a page may draw the pictures on a canvas';
like $server->configtest("IdentityImgCorsOrigin *\n"), qr/IdentityImgCorsOrigin: "\*" is not scheme and host alone/,
    'a star is no origin';
$server->judge();

finish();
