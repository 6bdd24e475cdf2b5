# colors.t - pictures with other color descriptions than an ordinary ICC profile look the same as in
# Chromium: the derivatives, the picture for the provider, and the stored original. Flat graphics keep their
# edges and colors.
# Runs beside others.
use strict;
use warnings;
use File::Temp ();
use Compress::Zlib ();
use IdentityImg::Bombs 'chunk';
use IdentityImg::Server;
use IdentityImg::Test;
use Test::More;

my $server = IdentityImg::Server->new('colors')->start;
my $base = $server->base;
my $slot = json(call(POST => 'reference-images/', as => 'alice', base => $base, json => {}))->{id};
my $dir = File::Temp->newdir("iimg-colors.XXXXXX", TMPDIR => 1);
my $build = "$ENV{IIMG_SOURCE}/build/" . (($ENV{IIMG_SANITIZE} // '') eq '1' ? 'sanitize' : 'plain');
# Load only the libvips module that the worker uses: commands start in half the time.
$ENV{VIPSHOME} = "$build/vips/lib";

sub run { my $said = qx{@_ 2>&1}; die "@_: $said" if $?; return $said }

sub spurt {
    my ($path, $bytes) = @_;
    open my $file, '>:raw', $path or die "$path: $!";
    print $file $bytes;
    close $file or die $!;
    return $path;
}

sub upload {
    my ($bytes) = @_;
    return call(
        POST => "reference-images/$slot/upload-image/", as => 'alice', base => $base,
        parts => [image => [undef, 'a', Content => $bytes]]
    );
}
sub fetch { my ($answer, $size) = @_; return call(GET => json($answer)->{image}{$size}, base => $base)->content }

# The chart -------------------------------------------------------------------------------------------------

my ($columns, $rows, $side) = (8, 6, 32);
my @chart = map {
    my $r = $_;
    map {
        my $g = $_;
        map { [$r, $g, $_] } 0, 128, 255
    } 0, 64, 128, 255
} 0, 64, 128, 255;

# The chart as a PNG: bit depth, color type, a function for each color, chunks before the pixels.
sub png {
    my ($depth, $type, $samples, @chunks) = @_;
    my $data = '';
    for my $row (0 .. $rows - 1) {
        my $line = join '', map {
            my @of = map { $depth == 16 ? $_ * 257 : $_ } $samples->(@{ $chart[$row * $columns + $_] });
            pack($depth == 16 ? 'n*' : 'C*', @of) x $side
        } 0 .. $columns - 1;
        $data .= "\0$line" x $side;
    }
    return
          "\x89PNG\r\n\x1a\n"
        . chunk('IHDR', pack 'NNCCCCC', $columns * $side, $rows * $side, $depth, $type, 0, 0, 0)
        . join('', @chunks)
        . chunk('IDAT', Compress::Zlib::compress($data))
        . chunk('IEND', '');
}

sub rgb {
    return png($_[0], 2, sub { @_ }, @_[1 .. $#_]);
}

sub rgba {
    return png($_[0], 6, sub { @_, 128 }, @_[1 .. $#_]);
}

sub grey {
    return png($_[0], 0, sub { int($_[0] / 2 + $_[1] / 3 + $_[2] / 6 + .5) }, @_[1 .. $#_]);
}

sub grey_alpha {
    return png($_[0], 4, sub { int(($_[0] + $_[1]) / 2), $_[2] }, @_[1 .. $#_]);
}

sub indexed {
    my $number = 0;
    my %index = map { join(' ', @$_) => $number++ } @chart;
    return png(8, 3, sub { $index{"@_"} }, @_, chunk('PLTE', pack 'C*', map { @$_ } @chart));
}
sub gama { return chunk('gAMA', pack 'N', int($_[0] * 100_000 + .5)) }

sub chrm {
    return chunk('cHRM', pack 'N8', map { int($_ * 100_000 + .5) } @_);
}
sub cicp { return chunk('cICP', pack 'C4', @_[0, 1], $_[2] // 0, $_[3] // 1) }
my $srgb = chunk('sRGB', "\0");
my @p3 = (.3127, .329, .68, .32, .265, .69, .15, .06);
my @prophoto = (.34567, .3585, .7347, .2653, .1596, .8404, .0366, .0001);

# An ICC profile with a table for perceptual rendering only.
sub s15 {
    return join '', map { pack 'N', int($_ * 65536 + .5) & 0xffffffff } @_;
}

sub profile {
    my ($version, $class, $space, $pcs, $table) = @_;
    my @white = (.9642, 1, .8249);
    my @tags = (
        desc => $version < 4
        ? "desc\0\0\0\0" . pack('N', 5) . "test\0" . "\0" x 79
        : "mluc\0\0\0\0" . pack('NNa4NN', 1, 12, 'enUS', 8, 28) . "\0t\0e\0s\0t",
        cprt => "text\0\0\0\0made for a test\0", wtpt => "XYZ \0\0\0\0" . s15(@white), A2B0 => $table
    );
    my ($index, $data) = (pack('N', @tags / 2), '');
    while (my ($tag, $bytes) = splice @tags, 0, 2) {
        $index .= pack 'a4NN', $tag, 128 + 4 + 4 * 12 + length $data, length $bytes;
        $data .= $bytes . "\0" x (-length($bytes) % 4);
    }
    return
          pack('NNCCn', 128 + length($index) + length $data, 0, $version, 0x20, 0)
        . "$class$space$pcs"
        . pack('n6', 2026, 1, 1, 0, 0, 0) . 'acsp'
        . "\0" x 28
        . s15(@white)
        . "\0" x 48
        . $index
        . $data;
}
# ProPhoto's primaries as curves and a matrix; the unit is 1 + 32767/32768.
my @lights = map { $_ * 32768 / 65535 } .79767, .13519, .03134, .28804, .71187, .00009, 0, 0, .82491;
my $lights = profile(
    4, 'mntr', 'RGB ', 'XYZ ',
    "mAB \0\0\0\0"
        . pack('CCnN5', 3, 3, 0, 32, 68, 116, 0, 0)
        . ("curv\0\0\0\0\0\0\0\0" x 3)
        . s15(@lights, 0, 0, 0)
        . ("para\0\0\0\0\0\0\0\0" . s15(1.8)) x 3
);
# Inks: Lab values at the corners of the CMY cube.
my $inks = profile(
    2, 'prtr', 'CMYK', 'Lab ',
    "mft2\0\0\0\0"
        . pack('CCCC', 4, 3, 2, 0)
        . s15(1, 0, 0, 0, 1, 0, 0, 0, 1)
        . pack('nn', 2, 2)
        . pack('n2', 0, 65535) x 4
        . join(
        '',
        map {
            my ($c, $m, $y, $k) = map { $_ eq '1' } split //, sprintf '%04b', $_;
            pack 'n3', map { int($_) } 65280 * (1 - .3 * $c) * (1 - .45 * $m) * (1 - .08 * $y) * (1 - .85 * $k),
                32768 + 256 * (1 - $k) * (-30 * $c + 60 * $m),
                32768 + 256 * (1 - $k) * (-40 * $c + 70 * $y)
        } 0 .. 15
        )
        . pack('n2', 0, 65535) x 3
);

spurt("$dir/chart8.png", rgb(8));
spurt("$dir/chart16.png", rgb(16));
spurt("$dir/alpha8.png", rgba(8));
spurt("$dir/alpha16.png", rgba(16));
spurt("$dir/lights.icc", $lights);
spurt("$dir/inks.icc", $inks);

sub avif {
    my ($from, @options) = @_;
    run("avifenc -s 8 --min 0 --max 2 -y 444 @options $dir/$from.png $dir/made.avif");
    return slurp("$dir/made.avif");
}

sub jpeg_in {
    my ($profile, @from) = @_;
    run("vips @from");
    my $jpeg = slurp("$dir/made.jpg");
    substr $jpeg, 2, 0, "\xff\xe2" . pack('n', 16 + length $profile) . "ICC_PROFILE\0\1\1$profile";
    return $jpeg;
}

# Name, extension, bytes; "plain" if the numbers already are the displayed colors.
my @cases = (
    ['a PNG without color chunks', png => rgb(8), 'plain'],
    ['gAMA of linear light', png => rgb(8, gama(1))],
    ['gAMA of 0.55', png => rgb(8, gama(.55))],
    ['gAMA of 1/1.8', png => rgb(8, gama(1 / 1.8))],
    ['gAMA of screens', png => rgb(8, gama(.45455)), 'plain'],
    ['gAMA of 0', png => rgb(8, gama(0)), 'plain'],
    ['gAMA of 21474', png => rgb(8, chunk('gAMA', "\x7f\xff\xff\xff"))],
    ['gAMA of five bytes', png => rgb(8, chunk('gAMA', "\0\1\x86\xa0\0")), 'plain'],
    ['gAMA of linear light in 16 bits', png => rgb(16, gama(1))],
    ['gAMA of linear light, gray', png => grey(8, gama(1))],
    ['gAMA of linear light, gray in 16 bits', png => grey(16, gama(1))],
    ['gAMA of linear light, gray with alpha', png => grey_alpha(8, gama(1))],
    ['gAMA of linear light with alpha', png => rgba(8, gama(1))],
    ['gAMA of linear light with alpha in 16 bits', png => rgba(16, gama(1))],
    ['gAMA of linear light with a transparent color', png => rgb(8, gama(1), chunk('tRNS', pack 'n3', 0, 0, 0))],
    ['gAMA of linear light with a palette', png => indexed(gama(1))],
    ['only cHRM of Display P3', png => rgb(8, chrm(@p3)), 'plain'],
    ['gAMA and cHRM of Display P3', png => rgb(8, gama(.45455), chrm(@p3))],
    ['gAMA and cHRM of ProPhoto, another white', png => rgb(8, gama(.55), chrm(@prophoto))],
    ['cHRM of one point', png => rgb(8, gama(1), chrm((.3127, .329) x 4)), 'plain'],
    ['cHRM of zeros', png => rgb(8, gama(1), chrm((0) x 8)), 'plain'],
    ['sRGB over gAMA and cHRM', png => rgb(8, $srgb, gama(1), chrm(@prophoto)), 'plain'],
    [
        'iCCP over sRGB and gAMA',
        png => rgb(8, chunk('iCCP', "a\0\0" . Compress::Zlib::compress($lights)), $srgb, gama(1))
    ],
    [
        'cICP of sRGB over iCCP',
        png => rgb(8, cicp(1, 13), chunk('iCCP', "a\0\0" . Compress::Zlib::compress($lights)), gama(1)), 'plain'
    ],
    ['cICP of Display P3 over gAMA', png => rgb(8, cicp(12, 13), gama(1))],
    ['cICP of unassigned numbers', png => rgb(8, cicp(99, 13), gama(1))],
    ['cICP of video range', png => rgb(8, cicp(9, 16, 0, 0)), 'plain'],
    ['cICP with a matrix', png => rgb(8, cicp(9, 16, 9, 1)), 'refused'],
    (map { ["cICP of transfer $_", png => rgb(8, cicp(9, $_))] } 1, 4, 5, 6, 7, 8, 11, 13, 14, 15, 17),
    (map { ["cICP of primaries $_", png => rgb(8, cicp($_, 13))] } 4, 5, 6, 7, 9, 10, 11, 12, 22),
    ['cICP of BT.2020 PQ', png => rgb(16, cicp(9, 16))],
    ['cICP of BT.2020 PQ in 8 bits', png => rgb(8, cicp(9, 16))],
    ['cICP of BT.2020 PQ, grey', png => grey(16, cicp(9, 16))],
    ['cICP of BT.2020 PQ with alpha', png => rgba(16, cicp(9, 16))],
    [
        'cICP of BT.2020 PQ of 300 cd/m2 by cLLI',
        png => rgb(16, cicp(9, 16), chunk('cLLI', pack 'NN', 3_000_000, 1_000_000))
    ],
    [
        'cICP of BT.2020 PQ of 300 cd/m2 by mDCV',
        png => rgb(
            16, cicp(9, 16),
            chunk('mDCV', pack 'n8NN', 34000, 16000, 13250, 34500, 7500, 3000, 15635, 16450, 3_000_000, 50)
        )
    ],
    ['cICP of BT.2020 HLG', png => rgb(16, cicp(9, 18))],
    ['cICP of BT.709 HLG', png => rgb(16, cicp(1, 18))],
    ['an AVIF of sRGB', avif => avif(chart8 => '--cicp 1/13/6'), 'plain'],
    ['an AVIF of BT.709', avif => avif(chart8 => '--cicp 1/1/1'), 'plain'],
    ['an AVIF with unspecified colors', avif => avif(chart8 => '--cicp 2/2/2'), 'plain'],
    ['an AVIF of Display P3', avif => avif(chart8 => '--cicp 12/13/6')],
    ['an AVIF of Display P3 in video range', avif => avif(chart8 => '--cicp 12/13/1 -r limited')],
    ['an AVIF of BT.601', avif => avif(chart8 => '--cicp 6/6/6')],
    ['an AVIF of BT.2020', avif => avif(chart8 => '--cicp 9/14/9')],
    ['an AVIF of identity RGB', avif => avif(chart8 => '--cicp 1/13/0'), 'plain'],
    ['an AVIF of linear light', avif => avif(chart16 => '-d 10 --cicp 9/8/9')],
    ['an AVIF of BT.2020 PQ', avif => avif(chart16 => '-d 10 --cicp 9/16/9')],
    ['an AVIF of BT.2020 PQ in 12 bits', avif => avif(chart16 => '-d 12 --cicp 9/16/9')],
    ['an AVIF of BT.2020 PQ in video range', avif => avif(chart16 => '-d 10 --cicp 9/16/9 -r limited')],
    ['an AVIF of BT.2020 PQ with alpha', avif => avif(alpha16 => '-d 10 --cicp 9/16/9')],
    ['an AVIF of Display P3 PQ', avif => avif(chart16 => '-d 10 --cicp 12/16/6')],
    ['an AVIF of BT.2020 HLG', avif => avif(chart16 => '-d 10 --cicp 9/18/9')],
    ['an AVIF of BT.2020 PQ with a profile', avif => avif(chart8 => "--icc $dir/lights.icc --cicp 9/16/9")],
    ['an AVIF with alpha', avif => avif(alpha8 => '--cicp 1/13/6'), 'plain'],
    ['an AVIF with premultiplied alpha', avif => avif(alpha8 => '--cicp 1/13/6 --premultiply'), 'plain'],
    ['an AVIF of Display P3 with premultiplied alpha', avif => avif(alpha8 => '--cicp 12/13/6 --premultiply')],
    [
        'a JPEG whose profile has only a perceptual table',
        jpg => jpeg_in($lights, "copy $dir/chart8.png '$dir/made.jpg[Q=98,subsample_mode=off,strip]'")
    ],
    [
        'a PNG whose profile has only a perceptual table',
        png => rgb(8, chunk('iCCP', "a\0\0" . Compress::Zlib::compress($lights)))
    ],
    [
        'a 16-bit PNG with alpha and that profile',
        png => rgba(16, chunk('iCCP', "a\0\0" . Compress::Zlib::compress($lights)))
    ],
);

# Comparison --------------------------------------------------------------------------------------------------

sub rendered {
    my (@files) = @_;
    my %shown;
    local $ENV{IIMG_BASE} = $base;
    for (split /\n/, run("node '$ENV{IIMG_SOURCE}/tests/browser/render.mjs' $columns $rows @files")) {
        my ($file, @colors) = split / /;
        $shown{$file} = $colors[0] eq 'refused' ? undef : [map { [unpack 'C3', pack 'H6', $_] } @colors];
    }
    return \%shown;
}
# The colors of the patches of the chart. Transparent pixels show white.
sub patches {
    my ($bytes) = @_;
    my $file = spurt("$dir/look", $bytes);
    my ($width, $height, $bands) = run("vipsheader $file") =~ /: (\d+)x(\d+) uchar, (\d)/ or die 'no picture';
    run("vips rawsave $file $dir/look.raw");
    my $raw = slurp("$dir/look.raw");
    return [
        map {
            my ($x, $y) =
                (int(($_ % $columns + .5) * $width / $columns), int((int($_ / $columns) + .5) * $height / $rows));
            my @color = unpack "C$bands", substr $raw, ($y * $width + $x) * $bands, $bands;
            my $alpha = $bands % 2 ? 255 : pop @color;
            @color = (@color) x 3 if @color == 1;
            [map { ($_ * $alpha + 255 * (255 - $alpha)) / 255 } @color];
        } 0 .. $columns * $rows - 1
    ];
}

sub distance {
    my ($one, $other) = @_;
    my $sum = 0;
    for my $i (0 .. $#$one) {
        my $square = 0;
        $square += ($one->[$i][$_] - $other->[$i][$_])**2 for 0 .. 2;
        $sum += sqrt $square;
    }
    return $sum / @$one;
}

my $number = 0;
$_->[4] = spurt("$dir/case-" . $number++ . ".$_->[1]", $_->[2]) for @cases;
my $browser = rendered(map { $_->[4] } @cases);
my @originals;
for my $case (@cases) {
    my ($what, $ending, $bytes, $kind, $file) = (@$case[0 .. 2], $case->[3] // 'coloured', $case->[4]);
    my $answer = upload($bytes);
    if ($kind eq 'refused') {
        is $browser->{$file}, undef, "$what: Chromium refuses it";
        like $answer->code . ' ' . (json($answer)->{detail} // ''), qr/^400 The PNG picture is damaged/,
            "$what: the server refuses it, too";
        next;
    }
    my $wanted = $browser->{$file} or fail("$what: Chromium shows it"), next;
    is $answer->code, 200, "$what is accepted" or diag($answer->content), next;
    my $by = distance(patches(fetch($answer, 'large')), $wanted);
    cmp_ok $by, '<', 6, sprintf "$what: looks like in Chromium (mean distance %.2f)", $by;
    run("$build/programs/pipeline $build/identityimg-worker $dir/derived $file");
    $by = distance(patches(slurp("$dir/derived-reference.jpg")), $wanted);
    cmp_ok $by, '<', 6, sprintf "$what: looks the same for the provider (mean distance %.2f)", $by;
    if ($kind eq 'coloured') {
        $by = distance(\@chart, $wanted);
        cmp_ok $by, '>', 3, sprintf "$what: differs from its plain numbers (mean distance %.2f)", $by;
    }
    push @originals, [$what, $wanted, spurt("$dir/original-" . @originals . ".$ending", fetch($answer, 'original'))];
}
# Chromium cannot judge inks; use littleCMS with that table.
my $print = jpeg_in(
    $inks,
    "icc_export $dir/chart8.png '$dir/made.jpg[Q=98,subsample_mode=off,strip]' --output-profile cmyk --intent relative"
);
run('vips icc_transform ' . spurt("$dir/print.jpg", $print) . " $dir/printed.png srgb --embedded --intent perceptual");
my $printed = distance(patches(fetch(upload($print), 'large')), patches(slurp("$dir/printed.png")));
cmp_ok $printed, '<', 6,
    sprintf 'a CMYK JPEG whose profile has only a perceptual table looks as in that table (mean distance %.2f)',
    $printed;

my $stored = rendered(map { $_->[2] } @originals);
for my $original (@originals) {
    my ($what, $wanted, $file) = @$original;
    is_deeply $stored->{$file}, $wanted, "$what: the stored original looks like the upload";
}
cmp_ok scalar(@originals), '>=', 60, 'more than 60 originals were compared';

# Flat graphics ---------------------------------------------------------------------------------------------

sub kind {
    my ($bytes) = @_;
    return
          $bytes =~ /^\x89PNG/ ? 'png'
        : $bytes =~ /^\xff\xd8\xff/ ? 'jpeg'
        : $bytes =~ /^RIFF....WEBP/s ? 'webp'
        : 'another';
}
# The sampling of brightness and colors in a JPEG's frame: "1x1 1x1 1x1" is 4:4:4.
sub sampling {
    my ($bytes) = @_;
    my ($frame) = $bytes =~ /\xff[\xc0-\xc2]..\x08....\x03(.{9})/s or return '';
    return join ' ',
        map { my $factor = ord substr $frame, 3 * $_ + 1, 1; ($factor >> 4) . 'x' . ($factor & 15) } 0 .. 2;
}
# The mean distance of all pixels of two pictures of the same size.
sub all_distance {
    my ($one, $other) =
        map { run('vips rawsave ' . spurt("$dir/all", $_) . " $dir/all.raw"); [unpack 'C*', slurp("$dir/all.raw")] } @_;
    return 999 if @$one != @$other;
    my $sum = 0;
    $sum +=
        sqrt(($one->[$_] - $other->[$_])**2 +
            ($one->[$_ + 1] - $other->[$_ + 1])**2 +
            ($one->[$_ + 2] - $other->[$_ + 2])**2)
        for map { 3 * $_ } 0 .. @$one / 3 - 1;
    return $sum / (@$one / 3);
}

# Stripes of one pixel in saturated colors, 120 x 80; and a photo.
my @stripes = ([255, 0, 0], [0, 0, 255], [0, 160, 0], [255, 255, 255], [255, 0, 255]);
my $ppm = spurt(
    "$dir/stripes.ppm",
    "P6\n120 80\n255\n" . join '',
    map {
        my $y = $_;
        map { pack 'C3', @{ $stripes[($_ + int($y / 20)) % 5] } } 0 .. 119
    } 0 .. 79
);
run("vips copy $ppm '$dir/stripes.png[palette]'");
run("vips copy $ppm '$dir/stripes.webp[lossless]'");
run("vips copy $ppm '$dir/stripes.gif[dither=0]'");
run("avifenc -s 8 -l $dir/chart8.png $dir/lossless.avif");
run("vips thumbnail '" . portrait() . "' $dir/photo.v 500");
run("vips extract_band $dir/photo.v $dir/photo-rgb.v 0 --n 3");
run("vips copy $dir/photo-rgb.v '$dir/photo.$_'")
    for 'png', 'webp[lossless]', 'gif[dither=0]', 'jpg[Q=98,subsample_mode=off]';
run("vips copy $dir/photo-rgb.v '$dir/lossy.webp[Q=95]'");
run("avifenc -s 8 $dir/photo.png $dir/lossy.avif");

for my $case (
    ['a PNG with a palette', 'stripes.png'], ['a lossless WebP', 'stripes.webp'], ['a GIF', 'stripes.gif'],
    ['a lossless AVIF', 'lossless.avif']
) {
    my ($what, $file) = @$case;
    my $answer = upload(slurp("$dir/$file"));
    is $answer->code, 200, "$what of flat colors is accepted" or diag($answer->content), next;
    is join(' ', map { kind(fetch($answer, $_)) } qw(thumbnail medium large)), 'png png png', 'its derivatives are PNG';
    like json($answer)->{image}{$_}, qr/\.png\?/, "the $_ is called .png" for qw(thumbnail medium large);
    run("vips extract_band $dir/$file $dir/exact.png 0 --n 3");
    is all_distance(fetch($answer, 'large'), slurp("$dir/exact.png")), 0,
        'a derivative that is not smaller has the same pixels';
}
for my $file (qw(photo.png photo.webp photo.gif)) {
    my $answer = upload(slurp("$dir/$file"));
    is $answer->code, 200, "$file is accepted" or diag($answer->content), next;
    is join(', ', map { sampling(fetch($answer, $_)) } qw(thumbnail medium large)),
        '1x1 1x1 1x1, 1x1 1x1 1x1, 1x1 1x1 1x1', 'its derivatives are JPEG with full color resolution';
}
for my $file (qw(photo.jpg lossy.webp lossy.avif)) {
    my $answer = upload(slurp("$dir/$file"));
    is $answer->code, 200, "$file is accepted" or diag($answer->content), next;
    is join(', ', map { sampling(fetch($answer, $_)) } qw(thumbnail medium large)),
        '2x2 1x1 1x1, 2x2 1x1 1x1, 2x2 1x1 1x1', 'its derivatives are JPEG with half color resolution';
}

is $server->reload("IdentityImgDerivativeFormat webp\n"), '', 'derivatives become WebP';
my $answer = upload(slurp("$dir/stripes.png"));
is kind(fetch($answer, 'large')), 'webp', 'flat colors become lossless WebP with IdentityImgDerivativeFormat webp';
run('vips copy ' . spurt("$dir/large.webp", fetch($answer, 'large')) . " $dir/large.png");
is all_distance(slurp("$dir/large.png"), slurp($ppm)), 0, 'the WebP derivative has the same pixels';
$answer = upload(slurp("$dir/photo.png"));
like fetch($answer, 'large'), qr/^RIFF....WEBP(?!.*VP8L).*VP8 /s, 'a photo becomes lossy WebP';

$server->judge;
undef $server;
finish();
