# posters.t - preview posters on any machine: with an empty, stale or missing font cache, with damaged or removed
# fonts, and without fonts; and with any text that an identity can have. Runs in its own mount namespace, with its
# own fonts and caches.
# Runs beside others.
use strict;
use warnings;
use utf8;

BEGIN {
    if ($> == 0 && !$ENV{IIMG_OWN_MOUNTS} && system('unshare -m --propagation private true 2>/dev/null') == 0) {
        $ENV{IIMG_OWN_MOUNTS} = 1;
        exec 'unshare', '-m', '--propagation', 'private', $^X, $0 or die "unshare: $!";
    }
}
use Digest::SHA 'sha256_hex';
use File::Temp 'tempdir';
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Test;
use Test::More;

plan skip_all => 'needs root and mount namespaces' if !$ENV{IIMG_OWN_MOUNTS};

my $count = $ENV{IIMG_PREVIEWS} // 20;    # with each state of the cache
my $server = IdentityImg::Server->new('posters');
my $identity = identity_of('full');
my @mounted;

# Mount a folder that contains copies of other folders' files.
sub folder {
    my (@from) = @_;
    my $folder = tempdir(DIR => $ENV{IIMG_WORK}, CLEANUP => 0);
    chmod 0755, $folder;
    system("cp -a $_/. '$folder'") == 0 or die "cp $_" for @from;
    return $folder;
}

sub mount { my (@words) = @_; system('mount', @words) == 0 or die "mount @words"; push @mounted, $words[-1]; return }

# The server, on a machine prepared by CODE.
sub start_with {
    my ($code) = @_;
    $server->stop;
    system('umount', pop @mounted) while @mounted;
    $code->();
    $server->start;
    return;
}

sub words {
    my (%words) = @_;
    return call(PATCH => "admin/identities/$identity/", as => 'admin', base => $server->base, json => \%words)->code;
}

sub preview {
    my (%with) = @_;
    return call(
        POST => 'image-generation/generate/', as => 'admin', base => $server->base,
        json => { identity_id => $identity, user_id => person('alice'), resolution => '1K', %with }
    );
}

# The digest of a preview's picture.
sub digest {
    my ($answer) = @_;
    my ($path) = $answer->content =~ m{"(?:https?://[^"/]+)?(/[^"]*generated_images/[^"]+)"}
        or return 'no picture: ' . $answer->code;
    return sha256_hex(call(GET => $path, base => $server->base)->content);
}

# The digests of posters with two different statements.
sub two_digests {
    return map { words(i_am_statement => $_); digest(preview()) } 'I am one.', 'I am quite another.';
}

sub codes_of_many {
    return join ' ', map { "$_->[1] x $_->[0]" } do {
        my %seen;
        $seen{$_}++
            for map { @{ $_ // ['none'] } }
            in_parallel(2, sub { [map { preview()->code } 1 .. $count / 2] }, undef, 60 + 10 * $count);
        map { [$_, $seen{$_}] } sort keys %seen;
    };
}

# Caches ------------------------------------------------------------------------------------------------

my %caches = (
    empty => sub { mount('--bind', folder(), '/var/cache/fontconfig') },
    missing => sub { mount('-t', 'tmpfs', 'none', '/var/cache') },
    unreadable => sub {
        my $cache = folder('/var/cache/fontconfig');
        chmod 0, $cache;
        mount('--bind', $cache, '/var/cache/fontconfig');
    },
    stale => sub {
        mount('--bind', folder('/var/cache/fontconfig'), '/var/cache/fontconfig');
        my $fonts = folder('/usr/share/fonts');
        mount('--bind', $fonts, '/usr/share/fonts');
        utime 2_000_000_000, 2_000_000_000, $_ for split /\n/, `find '$fonts' -type d`;
    },
);
$server->start;
call(POST => 'reference-images/', as => 'alice', base => $server->base, parts => [image => [portrait()]]);
for my $cache (sort keys %caches) {
    start_with($caches{$cache});
    is codes_of_many(), "$count x 200", "$count previews are generated with a font cache that is $cache";
    my ($one, $other) = two_digests();
    isnt $one, $other, "posters show their text with a font cache that is $cache";
}

# Fonts -------------------------------------------------------------------------------------------------

my $fonts = folder('/usr/share/fonts');
start_with(sub {
    my ($font) = split /\n/, `find '$fonts' -name DejaVuSans.ttf`;
    my $bytes = slurp($font);
    my %broken = (
        'AAA.ttf' => '', 'DejaVuSans.otf' => substr($bytes, 0, 5000), 'DejaVuSans-Bold.ttc' => 'no font',
        'DejaVuSans.ttc' => "ttcf\0\1\0\0\xff\xff\xff\xff" . "\xff" x 400
    );
    for my $name (keys %broken) {
        open my $file, '>:raw', "$fonts/$name" or die $!;
        print $file $broken{$name};
        close $file;
    }
    symlink '.', "$fonts/DejaVuSans.loop.ttf";
    mount('--bind', $fonts, '/usr/share/fonts');
});
my ($one, $other) = two_digests();
isnt $one, $other, 'damaged fonts beside good ones do not matter';
system("rm -rf '$fonts'/*");
is digest(preview()), $other, 'fonts removed while the worker runs are still available to it';
is join("\n", $server->log_lines), '', 'the log has no warnings';

start_with(sub {
    mount('--bind', folder(), $_) for grep { -d } qw(/usr/share/fonts /usr/local/share/fonts);
});
ok eventually(sub {
    grep { /IIMG0135: .*no font.*fonts-dejavu-core/ } $server->log_lines;
    }),
    'without fonts the log names the package to install';
($one, $other) = two_digests();
like $one, qr/^[0-9a-f]{64}$/, 'posters are generated without fonts';
is $one, $other, 'posters without fonts have no text';

# Texts -------------------------------------------------------------------------------------------------

start_with(sub { });
$server->forget_log;
my %texts = (
    '400 characters' => 'I am a person who paints. ' x 16,
    '10,000 characters' => substr('The quick brown fox jumps over the lazy dog. ' x 230, 0, 10000),
    '300 letters, no space' => 'W' x 300,
    '10,000 letters without a space' => 'm' x 10000,
    '600 Chinese characters' => '我是一个画画的人' x 75,
    '9,900 different characters' => join('', map { chr } 0x4e00 .. 0x4e00 + 9899),
    '130 lines' => join("\n", map { "line $_" } 1 .. 130),
    'almost only line breaks' => "x" . "\n" x 9990 . 'x',
    'Hebrew' => substr('שלום עולם מה שלומך ' x 600, 0, 9999),
    'Arabic without spaces' => 'س' x 9999,
    'emoji' => "\x{1f469}\x{200d}\x{1f467}" x 3000,
    'thousands of combining marks' => 'a' . "\x{301}" x 9000,
    'letters with many combining marks' => join('', ('Z' . "\x{300}\x{316}\x{334}" x 10) x 300),
    'control characters' => 'a' . join('', map { chr } 1 .. 31) x 300 . "\x{7f}b",
    'tabs' => "x" . "\t" x 9000 . 'x',
    'line separators' => "a\x{2028}b\x{2029}" x 2000,
    'zero-width characters' => "x" . "\x{200b}\x{200d}\x{feff}" x 3000 . 'x',
    'changes of direction' => "\x{202e}\x{202d}\x{2067}" x 3000 . 'x',
    'soft hyphens' => "a\x{ad}" x 5000,
    'characters without a font' => "\x{e000}\x{10fffd}" x 4000,
);
my @ratios = ('1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9');
my @resolutions = qw(1K 2K 4K);
my $number = 0;
for my $what (sort keys %texts) {
    my ($ratio, $resolution) = ($ratios[$number % @ratios], $resolutions[$number % @resolutions]);
    $number++;
    my $name = substr($texts{$what}, 0, 250) =~ s/^\s+|\s+$|[\n\x{2028}\x{2029}]//gr;
    words(name => $name);    # of the maximum length; a name cannot have some characters
    is words(i_am_statement => $texts{$what}), 200, "a statement of $what is accepted";
    is preview(aspect_ratio => $ratio, resolution => $resolution)->code, 200,
        "a statement of $what: a preview of $ratio in $resolution succeeds";
}
words(i_am_statement => $texts{'10,000 characters'}, name => 'Name ' x 50);
for my $ratio (@ratios) {
    is join(' ', map { preview(aspect_ratio => $ratio, resolution => $_)->code } @resolutions), '200 200 200',
        "long text fits a poster of $ratio in each resolution";
}
is join("\n", $server->log_lines), '', 'the log has no warnings: all texts were drawn';

$server->judge(qr/IIMG0135: /);
undef $server;
finish();
