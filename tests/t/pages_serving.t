# pages_serving.t - the pages as served by httpd: headers, caching, other paths, and builds without Node.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use IdentityImg::Server qw(eventually free_port);
use IdentityImg::Browser 'browse';
use IdentityImg::Store;
use File::Path 'make_path';
use JSON::PP ();
use Test::More;

my $source = $ENV{IIMG_SOURCE};

sub page { my ($path, %with) = @_; return call(GET => $path, %with) }

my $index = page('/');
is $index->code, 200, 'the pages are served';
like $index->header('Content-Type'), qr{^text/html}, 'the page is HTML';
is $index->header('Cache-Control'), 'no-cache', 'the page is revalidated each time';
ok $index->header('ETag'), 'the page has an ETag';
is page('/', headers => ['If-None-Match' => $index->header('ETag')])->code, 304, 'If-None-Match of the page is 304';

my %policy = map { my ($name, @rest) = split; ($name => "@rest") } split /;\s*/,
    $index->header('Content-Security-Policy');
is $policy{'default-src'}, q('none'), 'the CSP allows nothing by default';
is "$policy{'script-src'} $policy{'style-src'}", q('self' 'self'),
    'the CSP allows scripts and styles of this host, but no inline ones';
like $policy{'img-src'}, qr/^'self' blob:/, 'the CSP allows pictures of this host';
is $policy{'frame-ancestors'}, q('none'), 'the CSP allows no frames around the pages';
is $index->header('X-Content-Type-Options'), 'nosniff', 'browsers do not guess types';
is $index->header('Referrer-Policy'), 'same-origin', 'other hosts get no referrer';
my $html = $index->content;
unlike $html, qr{<style|<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=}i, 'the page has no inline script or style';

is page("/$_")->content, $html, "/$_ is the same page" for qw(images prompts admin);
is page("/$_/")->code, 308, "/$_/ redirects to it" for qw(images prompts admin);
is page($_)->code, 404, "$_ is 404" for '/assets/nothing.js';
isnt page('/images/x')->content, $html, 'paths below the pages are not served as a page';

my @assets = $html =~ m{(?:src|href)="\./(assets/[^"]+)"}g;
cmp_ok scalar(@assets), '>=', 3, 'the page has at least three assets';
for my $asset (@assets) {
    my $answer = page("/$asset");
    is $answer->code, 200, "/$asset is served";
    is $answer->header('Cache-Control'), 'public, max-age=31536000, immutable',
        "/$asset may be cached for a year: a changed file has another name";
    is $answer->header('X-Content-Type-Options'), 'nosniff', "/$asset has nosniff";
    is page("/$asset", headers => ['Accept-Encoding' => 'gzip'])->header('Content-Encoding'), 'gzip',
        "/$asset is compressed on request";
}
is page('/api/v1/users/me/')->code, 401, 'the API stays at its path';

# Licenses of what is in the bundle: all packages of the lock file but those that are only for building, and these
# two, of which no module is used.
my %unused = map { $_ => 1 } qw(@babel/runtime reselect);
my $lock = JSON::PP->new->utf8->decode(slurp("$source/client/package-lock.json"))->{packages};
my ($notices) = map { page("/$_") } $html =~ m{<link rel="license" href="\./([^"]+)">};
is $notices->code, 200, 'the page links to the notices of third parties, which are served';
like $notices->header('Content-Type'), qr{^text/plain}, '... as text';
for my $path (sort grep { $_ && !$lock->{$_}{dev} && !$lock->{$_}{devOptional} } keys %$lock) {
    my $name = $path =~ s{^.*node_modules/}{}r;
    my $found = index $notices->content, "\n$name $lock->{$path}{version} ($lock->{$path}{license})\n";
    $unused{$name} ? is $found, -1, "$name is not in the bundle" : cmp_ok $found, '>', 0, "$name is in the notices";
}

# Promises of client/README.md about the sources.
my @sources = split /\n/,
    `find '$source/client/src' -type f \\( -name '*.ts' -o -name '*.tsx' -o -name '*.css' \\) -not -name schema.d.ts`;
cmp_ok scalar(@sources), '>', 30, 'there are more than 30 sources';
is join(' ', grep { my ($name) = m{([^/]+)$}; slurp($_) !~ m{^(?://|/\*) \Q$name\E - \S} } @sources), '',
    'the first line of each source describes the file';
is join(' ', grep { /\.css$/ && !/tokens\.css$/ && slurp($_) =~ /#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(/i } @sources),
    '', 'colors are defined in tokens.css only';
is join(' ', grep { slurp("$source/$_/package-lock.json") =~ /"resolved"/ } qw(client tests/browser)), '',
    'the lock files name no registry';

# The built files match the sources here.
my ($older) = grep { -M $_ < -M "$source/build/client/index.html" } split /\n/,
    `find '$source/client/src' '$source/client/index.html' '$source/client/public' -type f -not -name schema.d.ts`;
is $older // '', '', 'build/client is newer than each of its sources';

browse('logic.mjs');

# Another path ------------------------------------------------------------------------------------------

my $server = IdentityImg::Server->new('pages-moved', env => { IIMG_CLIENT => '' });
$server->write_conf(<<"CONF");
Define IIMG_CLIENT "$source/build/client"
Define IIMG_PAGES /tools/pictures/
Define IIMG_PICTURES_ORIGIN https://pictures.example.com
Include "$source/conf/identityimg-pages.conf"
CONF
$server->script(serve => 'start');
is $? , 0, 'the pages can be served below another path';
is page('/tools/pictures/images', base => $server->base)->content, $html, 'the pages are served below that path';
is page('/tools/pictures', base => $server->base)->header('Location'), $server->base . '/tools/pictures/',
    'the path without its last slash redirects';
is page('/images', base => $server->base)->code, 403, 'the pages are not served elsewhere';
like page('/tools/pictures/', base => $server->base)->header('Content-Security-Policy'),
    qr{img-src 'self' blob: https://pictures\.example\.com;}, "the CSP allows pictures from the base URL's host";
browse('moved.mjs', base => $server->base, env => { IIMG_PAGES => '/tools/pictures/' });
$server->judge(qr/AH01630/);
undef $server;

# Pictures in a bucket --------------------------------------------------------------------------------------

SKIP: {
    my $store = IdentityImg::Store->new('radosgw');
    skip 'radosgw: ' . $store->missing, 2 if $store->missing;
    my $bucket = IdentityImg::Server->new('pages-bucket', env => { %{ $store->env } })->start;
    like page('/', base => $bucket->base)->header('Content-Security-Policy'),
        qr/img-src 'self' blob: \Q@{[$store->endpoint]}\E;/, "the CSP allows pictures from the store's host";
    browse('photos.mjs', base => $bucket->base, only => 'A photo is added by a click');
    $bucket->judge;
}

# Installation, and machines without Node ----------------------------------------------------------------

my $work = "$ENV{IIMG_WORK}/pages-install";
make_path("$work/etc/apache2/mods-available");
my $out =
    `cd '$source' && make install SANITIZE=${\($ENV{IIMG_SANITIZE} // 0)} DESTDIR='$work' API_PATH=/other/api 2>&1`;
is $?, 0, 'make install succeeds' or diag $out;
like slurp("$work/usr/share/identityimg/client/index.html"), qr{name="identityimg-api" content="/other/api"},
    'make install installs the pages with the path of the API';
ok -f "$work/etc/apache2/mods-available/identityimg-pages.conf", 'make install installs the configuration of the pages';

my $bare = "$ENV{IIMG_WORK}/without-node";
make_path($bare);
symlink $_, "$bare/" . s{.*/}{}r for grep { -x } map { "/usr/bin/$_" } qw(sh sed dirname cmp env mktemp cat rm pwd);
my $said = `PATH='$bare' sh '$source/scripts/build-client' 2>&1`;
is $?, 0, 'without Node the build continues';
is $said, "The pages are not built, since Node 18 or later and npm are not installed: scripts/deps run\n",
    'without Node the build prints what is left out';

expect_log(qr/AH01630/, qr/AH00128/);
finish();
