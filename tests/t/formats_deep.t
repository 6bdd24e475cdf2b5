# formats_deep.t - rare pictures: every depth and color type of PNG, deep HEIC and AVIF, orientation in
# containers, wide gamut profiles, CMYK without a profile, the maximum number of pixels, and polyglots.
# Runs beside others.
use strict;
use warnings;
use File::Temp ();
use Compress::Zlib ();
use IdentityImg::Bombs 'chunk';
use IdentityImg::Server;
use IdentityImg::Test;
use Test::More;

my $server = IdentityImg::Server->new('formats-deep', conf => "IdentityImgDerivativeQuality 95\n")->start;
my $base = $server->base;
my $slot = json(call(POST => 'reference-images/', as => 'alice', base => $base, json => {}))->{id};
my $dir = File::Temp->newdir('iimg-formats-deep.XXXXXX', TMPDIR => 1);
# Load only the libvips module that the worker uses: commands start in half the time.
$ENV{VIPSHOME} = "$ENV{IIMG_SOURCE}/build/" . (($ENV{IIMG_SANITIZE} // '') eq '1' ? 'sanitize' : 'plain') . '/vips/lib';

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

sub refusal {
    my ($answer) = @_;
    my $body = json($answer);
    return join ' ', $answer->code, $body->{code} // '', $body->{detail} // '';
}
sub fetch { my ($answer, $size) = @_; return call(GET => json($answer)->{image}{$size}, base => $base)->content }

# A picture's dimensions, bands, and the colors in the middle of its four quarters.
sub look {
    my ($bytes) = @_;
    my $file = spurt("$dir/look", $bytes);
    my ($width, $height, $bands) = run("vipsheader $file") =~ /: (\d+)x(\d+) uchar, (\d)/ or die 'no picture';
    run("vips rawsave $file $dir/look.raw");
    my $raw = slurp("$dir/look.raw");
    my @quarters =
        map { [
        unpack "C$bands", substr $raw, (int($height * $_->[1] / 4) * $width + int($width * $_->[0] / 4)) * $bands,
        $bands
        ] } [1, 1], [3, 1], [1, 3], [3, 3];
    return { sides => "${width}x$height", bands => $bands, quarters => \@quarters };
}
# The largest difference of any color in the quarters from the expected ones. An expected color may have fewer
# bands.
sub off {
    my ($look, @wanted) = @_;
    my $most = 0;
    for my $quarter (0 .. 3) {
        for my $band (0 .. $#{ $wanted[$quarter] }) {
            my $by = abs(($look->{quarters}[$quarter][$band] // 999) - $wanted[$quarter][$band]);
            $most = $by if $by > $most;
        }
    }
    return $most;
}

# PNG ---------------------------------------------------------------------------------------------------

# Samples for each color type in quarters: values up to 3, which fit in two bits.
my %types = (
    0 => ['grey', 1, [[0], [1], [2], [3]]],
    2 => ['RGB', 3, [[3, 0, 0], [0, 3, 1], [2, 0, 3], [3, 2, 1]]],
    3 => ['with a palette', 1, [[0], [1], [2], [3]]],
    4 => ['gray with alpha', 2, [[0, 2], [1, 2], [2, 2], [3, 2]]],
    6 => ['RGB with alpha', 4, [[3, 0, 0, 2], [0, 3, 1, 2], [2, 0, 3, 2], [3, 2, 1, 2]]],
);
my @palette = ([255, 0, 0], [0, 255, 85], [170, 0, 255], [255, 170, 85]);
my ($wide, $high) = (96, 64);
my @passes = ([0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]);

# The rows of one pass: every dx-th pixel of every dy-th row, starting at (x, y).
sub rows {
    my ($samples, $depth, $x, $y, $dx, $dy) = @_;
    my $rows = '';
    for (my $row = $y; $row < $high; $row += $dy) {
        my $bits = '';
        for (my $column = $x; $column < $wide; $column += $dx) {
            $bits .= sprintf "%0${depth}b", $_ for @{ $samples->[2 * ($row >= $high / 2) + ($column >= $wide / 2)] };
        }
        $rows .= "\0" . pack 'B*', $bits;
    }
    return $rows;
}

sub png {
    my ($type, $depth, $interlaced) = @_;
    my (undef, undef, $quarters) = @{ $types{$type} };
    my $top = 2**$depth - 1;
    my @samples = map { [map { $type == 3 ? ($depth == 1 ? $_ % 2 : $_) : int($_ * $top / 3 + .5) } @$_] } @$quarters;
    my $data = join '', map { rows(\@samples, $depth, @$_) } $interlaced ? @passes : [0, 0, 1, 1];
    return
          "\x89PNG\r\n\x1a\n"
        . chunk('IHDR', pack 'NNCCCCC', $wide, $high, $depth, $type, 0, 0, $interlaced)
        . ($type == 3 ? chunk('PLTE', pack 'C*', map { @$_ } @palette[0 .. ($depth == 1 ? 1 : 3)]) : '')
        . chunk('IDAT', Compress::Zlib::compress($data))
        . chunk('IEND', '');
}
for my $case (
    (map { [0, $_] } 1, 2, 4, 8, 16), [2, 8], [2, 16], (map { [3, $_] } 1, 2, 4, 8), [4, 8], [4, 16], [6, 8],
    [6, 16]
) {
    my ($type, $depth) = @$case;
    my ($name, $bands, $quarters) = @{ $types{$type} };
    my @colors = map {
        my @of = map { $depth == 1 ? 255 * int($_ / 3 + .5) : 85 * $_ } @$_;
        $type == 3 ? $palette[$depth == 1 ? $_->[0] % 2 : $_->[0]] : $bands < 3 ? [($of[0]) x 3, @of[1 .. $#of]] : \@of
    } @$quarters;
    for my $interlaced (0, 1) {
        my $what = 'a PNG ' . ($interlaced ? 'interlaced, ' : '') . "$name of $depth bits";
        my $answer = upload(png($type, $depth, $interlaced));
        is $answer->code, 200, "$what is accepted" or diag($answer->content), next;
        my $look = look(fetch($answer, 'large'));
        is "$look->{sides} $look->{bands}", "${wide}x$high " . (@{ $colors[0] } == 4 ? 4 : 3),
            "$what has its dimensions and bands";
        cmp_ok off($look, @colors), '<=', 6, "$what has its colors";
    }
}

# HEIC and AVIF -------------------------------------------------------------------------------------------

my @quarters = ([255, 0, 0], [0, 200, 0], [0, 0, 255], [255, 255, 255]);
my ($w, $h) = (160, 80);
my $row = sub {
    join '', map { pack('C3', @{ $quarters[$_] }) x ($w / 2) } @_;
};
my $ppm = spurt("$dir/quarters.ppm", "P6\n$w $h\n255\n" . $row->(0, 1) x ($h / 2) . $row->(2, 3) x ($h / 2));
run("vips colourspace $ppm $dir/deep.v rgb16");
run("vips copy $dir/deep.v $dir/deep.png");
run("avifenc -d 10 -s 10 --min 0 --max 5 $dir/deep.png $dir/ten.avif");
run("vips heifsave $dir/deep.v $dir/twelve.avif --Q 95 --compression av1 --bitdepth 12 --effort 0");
run("vips heifsave $dir/deep.v $dir/ten.heic --Q 95 --compression hevc --bitdepth 10");
run("vips heifsave $ppm $dir/plain.heic --Q 95 --compression hevc");
run("vips heifsave $ppm $dir/plain.avif --Q 95 --compression av1 --effort 0");
for my $case (
    ['an AVIF of 10 bits', 'ten.avif', 10], ['an AVIF of 12 bits', 'twelve.avif', 12],
    ['a HEIC of 10 bits', 'ten.heic', 10]
) {
    my ($what, $file, $depth) = @$case;
    like run("exiftool -s -s -s -ImagePixelDepth $dir/$file"), qr/^$depth\b/, "$what has the wanted depth";
    my $answer = upload(slurp("$dir/$file"));
    is $answer->code, 200, "$what is accepted" or diag($answer->content), next;
    my $look = look(fetch($answer, 'large'));
    is $look->{sides}, "${w}x$h", "$what: the derivative has its dimensions";
    cmp_ok off($look, @quarters), '<=', 12, "$what: the derivative has its colors";
}

sub boxes {
    my ($bytes) = @_;
    my @found;
    for (my $at = 0; $at + 8 <= length $bytes;) {
        my ($size, $type) = unpack 'Na4', substr $bytes, $at, 8;
        push @found, [$type, substr $bytes, $at + 8, $size - 8];
        $at += $size;
    }
    return @found;
}
sub box { my ($type, $body) = @_; return pack('Na4', 8 + length $body, $type) . $body }

# The picture with additional properties: appended to the others, assigned to each item, all offsets adjusted.
sub with_properties {
    my ($bytes, @more) = @_;
    my $grown = 0;
    my $write = sub {
        my ($meta) = @_;
        return join '', map {
            my ($type, $body) = @$_;
            if ($type eq 'iprp') {
                my ($ipco, $ipma) = map { $_->[1] } boxes($body);
                my $first = 1 + (() = boxes($ipco));
                my $items = unpack 'x4N', $ipma;
                my ($at, $new) = (8, substr $ipma, 0, 8);
                for (1 .. $items) {
                    my ($id, $count) = unpack 'nC', substr $ipma, $at, 3;
                    $new .=
                          pack('nC', $id, $count + @more)
                        . substr($ipma, $at + 3, $count)
                        . pack('C*', map { 0x80 | $first + $_ } 0 .. $#more);
                    $at += 3 + $count;
                }
                $body = box('ipco', $ipco . join '', @more) . box('ipma', $new);
            }
            elsif ($type eq 'iloc') {
                my ($version, $sizes, $bases) = (unpack('C', $body), unpack 'x4CC', $body);
                die 'unexpected iloc' if $version > 1 || $sizes != 0x44 || $bases & 0xbf;
                my $count = unpack 'x6n', $body;
                for (my $at = 8; $count-- > 0;) {
                    $at += ($version ? 6 : 4) + ($bases >> 4);
                    my $extents = unpack 'n', substr $body, $at, 2;
                    for ($at += 2; $extents-- > 0; $at += 8) {
                        substr $body, $at, 4, pack 'N', $grown + unpack 'N', substr $body, $at, 4;
                    }
                }
            }
            box($type, $body);
        } boxes(substr $meta, 4);
    };
    my @top = boxes($bytes);
    my ($meta) = map { $_->[1] } grep { $_->[0] eq 'meta' } @top;
    $grown = length($write->($meta)) - length(substr $meta, 4);
    return join '',
        map { my ($type, $body) = @$_; box($type, $type eq 'meta' ? substr($meta, 0, 4) . $write->($meta) : $body) }
        @top;
}
# The corners after quarter turns to the left, and after mirroring left to right or top to bottom.
sub left { my ($one, $two, $three, $four) = @_; return ($two, $four, $one, $three) }

sub turned {
    my ($turns, $axis, @corners) = @_;
    @corners = left(@corners) for 1 .. $turns;
    return !defined $axis ? @corners : $axis ? @corners[1, 0, 3, 2] : @corners[2, 3, 0, 1];
}
for my $kind (qw(heic avif)) {
    my $plain = slurp("$dir/plain.$kind");
    for my $turns (0 .. 3) {
        for my $axis (undef, 0, 1) {
            my $bytes = with_properties(
                $plain, $turns ? box('irot', chr $turns) : (),
                defined $axis ? box('imir', chr $axis) : ()
            );
            my $what =
                  uc($kind)
                . ", $turns quarters to the left"
                . (defined $axis ? ', mirrored ' . ($axis ? 'left to right' : 'top to bottom') : '');
            my $answer = upload($bytes);
            is $answer->code, 200, "$what is accepted" or diag($answer->content), next;
            my $look = look(fetch($answer, 'large'));
            is $look->{sides}, $turns % 2 ? "${h}x$w" : "${w}x$h", "$what has its dimensions as shown";
            cmp_ok off($look, turned($turns, $axis, @quarters)), '<=', 12, "$what is upright";
            cmp_ok off(look(fetch($answer, 'original')), turned($turns, $axis, @quarters)), '<=', 12,
                "the original of $what keeps its orientation"
                if $turns == 1;
        }
    }
}
# Cameras write both: EXIF must not rotate the picture again.
spurt("$dir/both.heic", with_properties(slurp("$dir/plain.heic"), box('irot', "\1")));
run("exiftool -q -overwrite_original -n -Orientation=6 -GPSLatitude=48.2 -GPSLatitudeRef=N $dir/both.heic");
my $both = upload(slurp("$dir/both.heic"));
cmp_ok off(look(fetch($both, 'large')), turned(1, undef, @quarters)), '<=', 12,
    'a HEIC is rotated once, by its container, regardless of its EXIF';
unlike run("exiftool -G1 -s -a " . spurt("$dir/stored.heic", fetch($both, 'original'))), qr/GPS/,
    'a HEIC loses its location';

# Colors ---------------------------------------------------------------------------------------------------

# An ICC profile of three primaries (XYZ under D50) and a gamma.
sub profile {
    my ($gamma, @primaries) = @_;
    my $s15 = sub { pack 'N', int($_[0] * 65536 + .5) };
    my $xyz = sub {
        "XYZ \0\0\0\0" . join '', map { $s15->($_) } @_;
    };
    my $curve = "curv\0\0\0\0" . pack('Nn', 1, int($gamma * 256 + .5)) . "\0\0";
    my $text = "text\0\0\0\0made for a test\0";
    my $name = "desc\0\0\0\0" . pack('N', 5) . "test\0" . "\0" x 79;
    my @tags = (
        desc => $name, cprt => $text, wtpt => $xyz->(0.9642, 1, 0.8249), rXYZ => $xyz->(@{ $primaries[0] }),
        gXYZ => $xyz->(@{ $primaries[1] }), bXYZ => $xyz->(@{ $primaries[2] }),
        rTRC => $curve, gTRC => $curve, bTRC => $curve
    );
    my ($table, $data) = (pack('N', @tags / 2), '');
    while (my ($tag, $bytes) = splice @tags, 0, 2) {
        $table .= pack 'a4NN', $tag, 128 + 4 + 9 * 12 + length $data, length $bytes;
        $data .= $bytes . "\0" x (-length($bytes) % 4);
    }
    my $size = 128 + length($table) + length $data;
    return
          pack('NN', $size, 0)
        . "\x02\x20\0\0mntrRGB XYZ "
        . pack('n6', 2026, 1, 1, 0, 0, 0) . 'acsp'
        . "\0" x 28
        . $s15->(0.9642)
        . $s15->(1)
        . $s15->(0.8249)
        . "\0" x 48
        . $table
        . $data;
}
my %profiles = (
    'Adobe RGB' => spurt(
        "$dir/adobe.icc",
        profile(2.19921875, [0.60974, 0.31111, 0.01947], [0.20528, 0.62567, 0.06087], [0.14919, 0.06322, 0.74457])
    ),
    ProPhoto => spurt(
        "$dir/prophoto.icc", profile(1.8, [0.79767, 0.28804, 0], [0.13519, 0.71187, 0], [0.03134, 0.00009, 0.82491])
    ),
    'Display P3' => 'p3',
);
run("vips thumbnail '" . portrait() . "' $dir/photo.v 512");
run("vips extract_band $dir/photo.v $dir/rgb.v 0 --n 3");
# The reference by libvips: conversion to sRGB before scaling.
sub difference {
    my ($file, $shown, $profiled) = @_;
    run(
        "vips "
            . (
            $profiled
            ? "icc_transform $file $dir/srgb.v srgb --embedded --intent relative"
            : "colourspace $file $dir/srgb.v srgb"
            )
    );
    run("vips resize $dir/srgb.v $dir/reference.v 0.5859375");
    spurt("$dir/shown.jpg", $shown);
    run("vips dE00 $dir/reference.v $dir/shown.jpg $dir/difference.v");
    return run("vips avg $dir/difference.v") + 0;
}
for my $name (sort keys %profiles) {
    run("vips icc_transform $dir/rgb.v $dir/wide.v $profiles{$name}");
    for my $ending (
        'jpg[Q=97,subsample_mode=off]', 'png', 'webp[lossless]', 'avif[Q=97,effort=0]',
        'heic[compression=hevc,Q=97]'
    ) {
        my ($kind) = $ending =~ /^(\w+)/;
        run("vips copy $dir/wide.v '$dir/wide.$ending'");
        my $answer = upload(slurp("$dir/wide.$kind"));
        is $answer->code, 200, "a $kind in $name is accepted" or diag($answer->content), next;
        my $by = difference("$dir/wide.$kind", fetch($answer, 'medium'), 1);
        cmp_ok $by, '<', 2, sprintf "a $kind in $name: the colors equal libvips' (deltaE %.2f)", $by;
        my $without = difference("$dir/wide.$kind", fetch($answer, 'medium'), 0);
        cmp_ok $without, '>', $by, sprintf "a $kind in $name: the colors differ from its plain numbers (deltaE %.2f)",
            $without;
    }
}
run("vips icc_export $dir/rgb.v $dir/cmyk.v --output-profile cmyk --intent relative");
for my $case (
    ['a CMYK JPEG with a profile', 'jpg[Q=97]'], ['a CMYK JPEG without a profile', 'jpg[Q=97,strip]'],
    ['a progressive CMYK JPEG', 'jpg[Q=97,interlace]']
) {
    my ($what, $ending) = @$case;
    run("vips copy $dir/cmyk.v '$dir/cmyk.$ending'");
    my $answer = upload(slurp("$dir/cmyk.jpg"));
    is $answer->code, 200, "$what is accepted" or diag($answer->content), next;
    run("vips icc_transform $dir/cmyk.jpg $dir/plain.v srgb --intent relative "
            . ($ending =~ /strip/ ? '--input-profile cmyk' : '--embedded'));
    my $by = difference("$dir/plain.v", fetch($answer, 'medium'), 0);
    cmp_ok $by, '<', 2, sprintf "$what: the colors equal libvips' (deltaE %.2f)", $by;
}

# Size ------------------------------------------------------------------------------------------------------

run("vips black $dir/most.jpg 12000 10000");
my $most = slurp("$dir/most.jpg");
is upload($most)->code, 200, 'a baseline JPEG of 120 megapixels is accepted';
run("vips black $dir/more.jpg 12000 10001");
is refusal(upload(slurp("$dir/more.jpg"))),
    '413 too_many_pixels The picture has 120.1 megapixels (12000 x 10001); at most 120 are allowed.',
    'a baseline JPEG with one row more is refused';
run("vips black '$dir/most-progressive.jpg[interlace]' 8000 8000");
is upload(slurp("$dir/most-progressive.jpg"))->code, 200, 'a progressive JPEG of 64 megapixels is accepted';

# Polyglots -------------------------------------------------------------------------------------------------

my $jpeg = slurp("$dir/cmyk.jpg") && do { run("vips copy $dir/rgb.v $dir/rgb.jpg"); slurp("$dir/rgb.jpg") };
my $script = '<html><script>alert(document.domain)</script></html>';
my $zip = "PK\x03\x04" . 'archive' x 20 . "PK\x05\x06" . "\0" x 18;
for my $case (
    [
        'a JPEG with a page in a comment and an archive appended',
        substr($jpeg, 0, 2) . "\xff\xfe" . pack('n', 2 + length $script) . $script . substr($jpeg, 2) . $zip
    ],
    [
        'a PNG with a page in a text and an archive appended',
        do { my $png = png(2, 8, 0); substr $png, 33, 0, chunk('tEXt', "Comment\0$script"); $png . $zip }
    ],
    [
        'a GIF with a page in a comment and an archive appended',
        do {
            run("vips copy $dir/rgb.v $dir/rgb.gif");
            my $gif = slurp("$dir/rgb.gif");
            substr $gif, -1, 1, "\x21\xfe" . chr(length $script) . "$script\0;";
            $gif . $zip;
        }
    ],
    [
        'a WebP with a page in XMP and an archive appended',
        do {
            run("vips copy $dir/rgb.v $dir/rgb.webp");
            run("exiftool -q -overwrite_original '-XMP-dc:Description=$script' $dir/rgb.webp");
            slurp("$dir/rgb.webp") . $zip;
        }
    ],
    ['a HEIC with an archive appended', slurp("$dir/plain.heic") . box('uuid', 'x' x 16 . $script) . $zip],
) {
    my ($what, $bytes) = @$case;
    my $answer = upload($bytes);
    is $answer->code, 200, "$what is accepted" or diag($answer->content), next;
    unlike fetch($answer, 'original'), qr/script|archive|PK\x05\x06/, "$what is stored as a picture only";
}
my $png = png(2, 8, 0);
for my $at (
    [29, 'its header'],
    [index($png, 'IDAT') + 4 + unpack('N', substr $png, index($png, 'IDAT') - 4, 4), 'its pixels']
) {
    my $broken = $png;
    substr $broken, $at->[0], 1, chr(0x55 ^ ord substr $broken, $at->[0], 1);
    like refusal(upload($broken)), qr/^400 unsupported_image The PNG picture is damaged/,
        "a PNG with a wrong checksum of $at->[1] is refused";
}
for my $bytes (
    "GIF89a/*$script*/", "RIFF\x40\0\0\0WEBP$script", "\xff\xd8\xff\xe0$script", "\x89PNG\r\n\x1a\n$script",
    "$script$jpeg"
) {
    like refusal(upload($bytes)), qr/^400 unsupported_image /,
        'a page that begins like ' . (substr($bytes, 0, 6) =~ s/[^ -~]/./gr) . ' is refused';
}

$server->judge;
undef $server;
finish();
