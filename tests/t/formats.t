# formats.t - all supported formats, with their depths, color types and orientations: derivatives show the
# picture, and bombs are refused before they are decoded.
use strict;
use warnings;
use File::Temp ();
use utf8;
use Compress::Zlib ();
use IdentityImg::Server;
use IdentityImg::Test;
use Test::More;
use Time::HiRes 'time';

my $server = IdentityImg::Server->new('formats', conf => "IdentityImgDerivativeQuality 95\n")->start;
my $base = $server->base;
my $slot = json(call(POST => 'reference-images/', as => 'alice', base => $base, json => {}))->{id};
my $dir = File::Temp->newdir('iimg-formats.XXXXXX', TMPDIR => 1);
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
    my ($bytes, $who, $at) = @_;
    return call(
        POST => 'reference-images/' . ($at // $slot) . '/upload-image/', as => $who // 'alice', base => $base,
        parts => [image => [undef, 'a', Content => $bytes]]
    );
}

sub refusal {
    my ($answer) = @_;
    my $body = json($answer);
    return join ' ', $answer->code, $body->{code} // '', $body->{detail} // '';
}
sub fetch { my ($answer, $size) = @_; return call(GET => json($answer)->{image}{$size}, base => $base)->content }

sub chunk {
    my ($type, $data) = @_;
    return pack('N', length $data) . $type . $data . pack('N', Compress::Zlib::crc32($type . $data));
}

# Colors ---------------------------------------------------------------------------------------------

# Width, height and CIE L*a*b* of each pixel of a picture.
my $number = 0;

sub lab_of {
    my ($bytes) = @_;
    my $out = "$dir/lab-" . $number++ . '.ppm';
    run("vips colourspace '" . spurt("$out.in", $bytes) . "' $out srgb");
    my $ppm = slurp($out);
    unlink $out, "$out.in";
    my ($width, $height) = $ppm =~ /\AP6\s(?:#.*\n)*(\d+) (\d+)\s255\s/ or return;
    my @bytes = unpack 'C*', substr $ppm, $+[0];
    return {
        width => $width, height => $height,
        lab => [map { lab(@bytes[3 * $_ .. 3 * $_ + 2]) } 0 .. $width * $height - 1]
    };
}
my @linear = map { my $v = $_ / 255; $v <= 0.04045 ? $v / 12.92 : (($v + 0.055) / 1.055)**2.4 } 0 .. 255;
sub root { my ($t) = @_; return $t > 216 / 24389 ? $t**(1 / 3) : (24389 / 27 * $t + 16) / 116 }

sub lab {
    my ($r, $g, $b) = map { $linear[$_] } @_;
    my ($x, $y, $z) = map { root($_) } (0.4124 * $r + 0.3576 * $g + 0.1805 * $b) / 0.9505,
        0.2126 * $r + 0.7152 * $g + 0.0722 * $b, (0.0193 * $r + 0.1192 * $g + 0.9505 * $b) / 1.089;
    return [116 * $y - 16, 500 * ($x - $y), 200 * ($y - $z)];
}
# The mean distance (CIE 1976; CIEDE2000 is three quarters of that) of the pixels of two pictures; 100 if their
# sizes differ.
sub distance {
    my ($one, $other) = @_;
    return 100 if !$one || !$other || $one->{width} != $other->{width} || $one->{height} != $other->{height};
    my $sum = 0;
    for my $i (0 .. $#{ $one->{lab} }) {
        my ($p, $q) = ($one->{lab}[$i], $other->{lab}[$i]);
        $sum += sqrt(($p->[0] - $q->[0])**2 + ($p->[1] - $q->[1])**2 + ($p->[2] - $q->[2])**2);
    }
    return $sum / @{ $one->{lab} };
}

# Kinds -----------------------------------------------------------------------------------------------

# The photo at 400 x 320, in forms that libvips can save. The references are derivatives made by libvips.
run("vips thumbnail '" . portrait() . "' $dir/square.v 400");
run("vips extract_band $dir/square.v $dir/bands.v 0 --n 3");
run("vips extract_area $dir/bands.v $dir/rgb.v 0 40 400 320");
run("vips icc_transform $dir/rgb.v $dir/p3.v p3");
run("vips colourspace $dir/rgb.v $dir/grey.v b-w");
run("vips icc_export $dir/rgb.v $dir/cmyk.v --output-profile cmyk --intent relative");
run("vips colourspace $dir/rgb.v $dir/deep.v rgb16");
run("vips colourspace $dir/grey.v $dir/deepgrey.v grey16");
run("vips bandjoin_const $dir/rgb.v $dir/alpha.v 128");
run("vips bandjoin_const $dir/grey.v $dir/greyalpha.v 128");
run("vips flip $dir/rgb.v $dir/down.v vertical");
run("vips join $dir/rgb.v $dir/down.v $dir/frames.v vertical");
run("vips resize $dir/$_->[0].v $dir/medium-$_->[0].v 0.75"),
    run("vips resize $dir/medium-$_->[0].v '$dir/$_->[1].jpg[Q=95]' 0.3333333333")
    for ['rgb', 'small'], ['grey', 'smallgrey'];
run("vips icc_transform $dir/cmyk.v $dir/fromcmyk.v srgb --embedded --intent relative");
run("vips resize $dir/fromcmyk.v $dir/medium-cmyk.v 0.75");
run("vips resize $dir/medium-cmyk.v '$dir/smallcmyk.jpg[Q=95]' 0.3333333333");
my %reference = map { $_ => lab_of(slurp("$dir/$_.jpg")) } qw(small smallgrey smallcmyk);

my @kinds = (
    # name                         saved with                                                    reference    derivative
    ['a baseline JPEG', 'jpegsave rgb x.jpg --Q 95', 'small', 'jpeg'],
    ['a JPEG with 4:2:0', 'jpegsave rgb x.jpg --Q 90 --subsample-mode on', 'small', 'jpeg'],
    ['a progressive JPEG', 'jpegsave rgb x.jpg --Q 95 --interlace', 'small', 'jpeg'],
    ['a JPEG with restarts', 'jpegsave rgb x.jpg --Q 95 --restart-interval 2', 'small', 'jpeg'],
    ['a gray JPEG', 'jpegsave grey x.jpg --Q 95', 'smallgrey', 'jpeg'],
    ['a CMYK JPEG with a profile', 'jpegsave cmyk x.jpg --Q 95', 'smallcmyk', 'jpeg'],
    ['a wide gamut JPEG', 'jpegsave p3 x.jpg --Q 95', 'small', 'jpeg'],
    ['an 8-bit PNG', 'pngsave rgb x.png', 'small', 'jpeg'],
    ['an interlaced PNG', 'pngsave rgb x.png --interlace', 'small', 'jpeg'],
    ['a 16-bit PNG', 'pngsave deep x.png --bitdepth 16', 'small', 'jpeg'],
    ['a gray PNG', 'pngsave grey x.png', 'smallgrey', 'jpeg'],
    ['a 16-bit gray PNG', 'pngsave deepgrey x.png --bitdepth 16', 'smallgrey', 'jpeg'],
    ['a PNG with a palette', 'pngsave rgb x.png --palette --Q 100 --dither 0', 'small', 'jpeg', 4],
    ['a PNG of 4 bits', 'pngsave grey x.png --bitdepth 4 --dither 0', 'itself', 'jpeg'],
    ['a wide gamut PNG', 'pngsave p3 x.png', 'small', 'jpeg'],
    ['a PNG with alpha', 'pngsave alpha x.png', undef, 'png'],
    ['a gray PNG with alpha', 'pngsave greyalpha x.png', undef, 'png'],
    ['a lossy WebP', 'webpsave rgb x.webp --Q 95', 'small', 'jpeg'],
    ['a lossless WebP', 'webpsave rgb x.webp --lossless', 'small', 'jpeg'],
    ['a wide gamut WebP', 'webpsave p3 x.webp --Q 95', 'small', 'jpeg'],
    ['a WebP with alpha', 'webpsave alpha x.webp --Q 95', undef, 'png'],
    ['an animated WebP', 'webpsave frames x.webp --Q 95 --page-height 320', 'small', 'jpeg'],
    ['a GIF', 'gifsave rgb x.gif --dither 0', 'small', 'jpeg', 4],
    ['an animated GIF', 'gifsave frames x.gif --dither 0 --page-height 320', 'small', 'jpeg', 4],
    ['a HEIC', 'heifsave rgb x.heic --Q 90 --compression hevc', 'small', 'jpeg'],
    ['a wide gamut HEIC', 'heifsave p3 x.heic --Q 90 --compression hevc', 'small', 'jpeg'],
    ['an AVIF', 'heifsave rgb x.avif --Q 90 --compression av1 --effort 0', 'small', 'jpeg'],
    ['a wide gamut AVIF', 'heifsave p3 x.avif --Q 90 --compression av1 --effort 0', 'small', 'jpeg'],
);
my %bytes;
for my $kind (@kinds) {
    my ($what, $save, $reference, $ending, $most) = @$kind;
    my ($saver, $from, $to, $options) = $save =~ /^(\w+) (\w+) (\S+) ?(.*)$/;
    run("vips $saver $dir/$from.v $dir/$to $options");
    $bytes{$what} = slurp("$dir/$to");
    my $answer = upload($bytes{$what});
    is $answer->code, 200, "$what is accepted" or diag($answer->content), next;
    my $thumbnail = fetch($answer, 'thumbnail');
    is + ($thumbnail =~ /^\xff\xd8\xff/ ? 'jpeg' : $thumbnail =~ /^\x89PNG/ ? 'png' : 'neither'), $ending,
        "$what: its derivatives are $ending";
    next if !$reference;
    if ($reference eq 'itself') {
        run("vips resize $dir/$to $dir/itself.v 0.75 && vips resize $dir/itself.v '$dir/itself.jpg[Q=95]' 0.3333333333"
        );
        $reference{itself} = lab_of(slurp("$dir/itself.jpg"));
    }
    my $distance = distance(lab_of($thumbnail), $reference{$reference});
    cmp_ok $distance, '<', $most // 2.5,
        sprintf "%s: its thumbnail looks like libvips' (mean distance %.2f)", $what, $distance;
}

# Alpha: half of the photo, half of the background.
my ($see) = map { fetch(upload($bytes{$_}), 'thumbnail') } 'a PNG with alpha';
spurt("$dir/see.png", $see);
is run("vips getpoint $dir/see.png 50 40") =~ / (\d+) *$/ && $1, 128, 'alpha is preserved';

# Orientation, in the formats that have it.
for my $case (
    ['a PNG' => 'an 8-bit PNG', 'png'], ['a WebP' => 'a lossy WebP', 'webp'],
    ['a JPEG' => 'a baseline JPEG', 'jpg']
) {
    my ($what, $from, $ending) = @$case;
    for my $turn ([3, 'rot180', '100x80'], [6, 'rot90', '80x100']) {
        my ($orientation, $operation, $sides) = @$turn;
        my $file = spurt("$dir/turned.$ending", $bytes{$from});
        run("exiftool -q -overwrite_original -n -Orientation=$orientation -GPSLatitude=48.2 -GPSLatitudeRef=N $file");
        run(
            "vips "
                . (
                $operation eq 'rot180'
                ? "rot $dir/small.jpg $dir/turned.png.v d180"
                : "rot $dir/small.jpg $dir/turned.png.v d90"
                )
        );
        run("vips copy $dir/turned.png.v $dir/expected.png");
        my $answer = upload(slurp($file));
        my $shown = lab_of(fetch($answer, 'thumbnail'));
        is "$shown->{width}x$shown->{height}", $sides, "$what of orientation $orientation has its dimensions as shown";
        cmp_ok distance($shown, lab_of(slurp("$dir/expected.png"))), '<', 3.5,
            "$what of orientation $orientation is upright";
        spurt("$dir/stored", fetch($answer, 'original'));
        like run("exiftool -s -n -G1 -a $dir/stored"), qr/Orientation\s+: $orientation$/m,
            "the original of $what keeps its orientation";
        unlike run("exiftool -s -n -G1 -a $dir/stored"), qr/GPS/, "the original of $what loses its location";
    }
}

# Derivatives have no metadata of the picture.
my $private = spurt("$dir/private.jpg", $bytes{'a wide gamut JPEG'});
run(      "exiftool -q -overwrite_original -n -GPSLatitude=48.2 -GPSLatitudeRef=N -Artist=Author -XMP:Creator=Author "
        . "-IPTC:City=Vienna -Comment=secret $private");
my $answer = upload(slurp($private));
for my $size (qw(thumbnail medium large)) {
    spurt("$dir/derivative", fetch($answer, $size));
    is join(
        ' ',
        grep { !/^(?:System|File|ExifTool|Composite|JFIF)$/ }
            run("exiftool -s -G1 -a $dir/derivative") =~ /^\[(\w+)\]/mg
        ),
        '',
        "the $size has no metadata and no profile";
}

# Sides --------------------------------------------------------------------------------------------------

sub png {
    my ($width, $height) = @_;
    return "\x89PNG\r\n\x1a\n" . chunk('IHDR', pack 'NNCCCCC', $width, $height, 8, 0, 0, 0, 0) . chunk(
        'IDAT',
        Compress::Zlib::compress("\0" . "\x80" x $width . '') x 0
            . Compress::Zlib::compress(("\0" . "\x80" x $width) x $height)
    ) . chunk('IEND', '');
}
for my $case (
    [1, 1, '1x1 1x1 1x1'], [1, 20000, '1x100 1x300 1x600'], [20000, 1, '100x1 300x1 600x1'],
    [99, 7, '99x7 99x7 99x7'], [301, 300, '100x100 300x299 301x300']
) {
    my ($width, $height, $sides) = @$case;
    my $answer = upload(png($width, $height));
    is join(
        ' ',
        map { spurt("$dir/side.jpg", fetch($answer, $_)); run("vipsheader $dir/side.jpg") =~ /: (\d+x\d+) / ? $1 : '?' }
            qw(thumbnail medium large)
        ),
        $sides, "$width x $height";
}

# Refused requests -----------------------------------------------------------------------------------------

my $profile = join '', map { "\xff\xe2\xff\xff" . "ICC_PROFILE\0" . pack('CC', $_, 66) . 'x' x 65519 } 1 .. 66;
my $jpeg = $bytes{'a baseline JPEG'};
is refusal(upload(substr($jpeg, 0, 2) . $profile . substr $jpeg, 2)),
    "400 unsupported_image The picture's color profile has 4.1 MB; at most 4 are allowed.",
    'a color profile of more than 4 MB is refused';
my $texts = join '', map { chunk('zTXt', "Comment\0\0" . Compress::Zlib::compress('x' x 7_000_000)) } 1 .. 60;
my $bomb = $bytes{'an 8-bit PNG'};
substr $bomb, 33, 0, $texts;
my $began = time;
is upload($bomb)->code, 200, 'a PNG with texts that inflate to 420 MB is accepted';
cmp_ok time - $began, '<', 5, 'the texts of that PNG are not inflated';
for my $case (
    ['a lossless JPEG', $jpeg =~ s/\xff\xc0(...)/\xff\xc3$1/sr], ['a JPEG without an end', substr($jpeg, 0, 5000)],
    ['a truncated HEIC', substr($bytes{'a HEIC'}, 0, 2000)],
    ['only a brand', "\0\0\0\x18ftypheic\0\0\0\0mif1heic"],
    ['a TIFF labeled as PNG', "II*\0" . substr $bytes{'an 8-bit PNG'}, 4]
) {
    my ($what, $bytes) = @$case;
    like refusal(upload($bytes)),
        qr/^400 unsupported_image .*Upload a valid JPEG, PNG, WebP, GIF, HEIC or AVIF picture\.$/, "$what is refused";
}

# WebP derivatives ------------------------------------------------------------------------------------------

my $before = json(call(GET => "reference-images/$slot/", as => 'alice', base => $base))->{image};
is $server->reload("IdentityImgDerivativeFormat webp\nIdentityImgDerivativeQuality 90\n"), '',
    'IdentityImgDerivativeFormat webp is accepted';
for my $what ('a baseline JPEG', 'a PNG with alpha') {
    my $answer = upload($bytes{$what});
    like fetch($answer, 'medium'), qr/^RIFF....WEBP/s, "$what has WebP derivatives";
    like json($answer)->{image}{medium}, qr/-thumbnail-300x300\.webp\?/,
        "the WebP derivatives of $what are called .webp";
    is call(GET => json($answer)->{image}{medium}, base => $base)->header('Content-Type'), 'image/webp',
        "the WebP derivatives of $what have type image/webp";
}
cmp_ok distance(lab_of(fetch(upload($bytes{'a baseline JPEG'}), 'thumbnail')), $reference{small}), '<', 6,
    'WebP derivatives look like the picture';

$server->judge;
undef $server;
finish();
