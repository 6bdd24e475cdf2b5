# endings.t - pictures whose end is missing, damaged or followed by other bytes. A picture that every viewer shows
# is accepted, has the same pixels as the whole picture, and is stored with the proper end of its format. A
# picture with missing pixels is refused.
use strict;
use warnings;
use utf8;
use Compress::Zlib ();
use File::Temp ();
use IdentityImg::Bombs 'chunk';
use IdentityImg::Test;
use Test::More;

fresh_data();
my $dir = File::Temp->newdir('iimg-endings.XXXXXX', TMPDIR => 1);
my $slot = json(call(POST => 'reference-images/', as => 'alice', json => {}))->{id};

sub vips { my (@words) = @_; my $said = `vips @words 2>&1`; die "vips @words: $said" if $?; return }

sub made {
    my ($name, @options) = @_;
    vips('copy', "$dir/small.v", "'$dir/$name" . join('', @options) . "'");
    return slurp("$dir/$name");
}

sub upload {
    my ($bytes) = @_;
    return call(
        POST => "reference-images/$slot/upload-image/", as => 'alice',
        parts => [image => [undef, 'a', Content => $bytes]]
    );
}
sub fetch { my ($answer, $size) = @_; return call(GET => json($answer)->{image}{$size})->content }

vips('thumbnail', portrait(), "$dir/small.v", 120);
vips('rot', "$dir/small.v", "$dir/turned.v", 'd180');
vips('join', "$dir/small.v", "$dir/turned.v", "$dir/frames.v", 'vertical');
my ($height) = `vipsheader -f height $dir/small.v` =~ /(\d+)/;

# Two pages as the frames of an animation.
sub animated {
    my ($name) = @_;
    vips($name =~ /gif$/ ? 'gifsave' : 'webpsave', "$dir/frames.v", "$dir/$name", "--page-height $height");
    return slurp("$dir/$name");
}
my $jpeg = made('a.jpg', '[strip]');
my $large_jpeg = do { vips('copy', portrait(), "'$dir/b.jpg[strip]'"); slurp("$dir/b.jpg") };
my $progressive = made('p.jpg', '[strip,interlace]');
my $png = made('a.png', '[strip]');
my $laced = made('l.png', '[strip,interlace]');
my $gif = animated('a.gif');
my $gif_one = made('one.gif');
my $webp = made('a.webp', '[strip]');
my $webp_animated = animated('an.webp');
my $avif = made('a.avif', '[strip]');
my $heic = made('a.heic', '[strip]');

sub without_tail { my ($bytes, $length) = @_; return substr $bytes, 0, length($bytes) - $length }
sub with_riff { my ($bytes, $size) = @_; substr $bytes, 4, 4, pack 'V', $size; return $bytes }
# The offset of the second frame.
sub second_frame { my ($webp) = @_; return index $webp, 'ANMF', index($webp, 'ANMF') + 4 }

sub second_image {
    my ($bytes) = @_;
    my $blocks =
        sub { my ($at) = @_; $at += 1 + ord substr $bytes, $at, 1 while ord substr $bytes, $at, 1; return $at + 1 };
    my $table = sub { my ($packed) = @_; return $packed & 0x80 ? 3 << ($packed & 7) + 1 : 0 };
    my ($at, $images) = (13 + $table->(ord substr $bytes, 10, 1), 0);
    while ($at < length $bytes) {
        my $kind = substr $bytes, $at, 1;
        return $at if $kind eq ',' && $images++ == 1;
        $at = $kind eq '!' ? $blocks->($at + 2) : $blocks->($at + 11 + $table->(ord substr $bytes, $at + 9, 1));
    }
    die 'there is only one image';
}
my $second = second_image($gif);
my $frame = second_frame($webp_animated);
# The PNG with an animation of two frames whose second frame is damaged.
my $idat = index($png, 'IDAT') - 4;
my $control =
    sub { my ($number) = @_; return chunk('fcTL', pack 'NNNNNnnCC', $number, 120, $height, 0, 0, 1, 10, 0, 0) };
my $apng =
    substr($png, 0, $idat) . chunk('acTL', pack 'NN', 2, 0) . $control->(0) . substr($png, $idat, -12) . $control->(1);

# Name, the whole picture, the bytes.
my %end = (
    jpg => qr/\xff\xd9\z/, png => qr/\0\0\0\0IEND\xae\x42\x60\x82\z/, gif => qr/;\z/, webp => qr/./s, heic => qr/./s,
    avif => qr/./s
);
my @taken = (
    ['a JPEG without its end', $jpeg, without_tail($jpeg, 2)],
    ['a JPEG with half an end', $jpeg, without_tail($jpeg, 1)],
    ['a JPEG with zeros instead of its end', $jpeg, without_tail($jpeg, 2) . "\0" x 1000],
    ['a JPEG with garbage after its end', $jpeg, $jpeg . 'garbage'],
    ['a JPEG whose last comment is cut', $jpeg, without_tail($jpeg, 2) . "\xff\xfe\x10\0cut"],
    ['a photo without its end', $large_jpeg, without_tail($large_jpeg, 2)],
    ['a progressive JPEG without its end', $progressive, without_tail($progressive, 2)],
    ['a progressive JPEG with zeros instead of its end', $progressive, without_tail($progressive, 2) . "\0" x 100],
    ['a PNG without its end', $png, without_tail($png, 12)],
    ['a PNG whose end is cut', $png, without_tail($png, 5)],
    ['a PNG whose end lacks only its checksum', $png, without_tail($png, 4)],
    ['a PNG cut within the checksum of its pixels', $png, without_tail($png, 14)],
    ['a PNG whose pixels lack their checksum', $png, without_tail($png, 16)],
    ['an interlaced PNG whose pixels lack their checksum', $laced, without_tail($laced, 16)],
    ['a PNG with zeros instead of its end', $png, without_tail($png, 12) . "\0" x 64],
    ['a PNG whose last text is cut', $png, without_tail($png, 12) . pack('N', 4000) . 'tEXtcut'],
    ['a PNG with garbage after its end', $png, $png . 'garbage'],
    ['an interlaced PNG without its end', $laced, without_tail($laced, 12)],
    ['an animated PNG whose second frame is cut', $png, $apng . pack('N', 900) . 'fdAT' . 'x' x 100],
    [
        'an animated PNG whose second frame is damaged', $png,
        $apng . chunk('fdAT', "\0\0\0\2" . 'x' x 100) . chunk('IEND', '')
    ],
    ['a GIF without its trailer', $gif_one, without_tail($gif_one, 1)],
    ['a GIF with garbage after its end', $gif_one, $gif_one . 'garbage'],
    ['a GIF cut within its second frame', $gif, substr $gif, 0, $second + 40],
    ['a GIF cut within the header of its second frame', $gif, substr $gif, 0, $second + 5],
    ['a GIF whose second frame is overwritten', $gif, substr($gif, 0, $second + 11) . "\xff" x 500],
    ['a GIF whose second frame is zeros', $gif, substr($gif, 0, $second + 10) . "\0" x 500],
    [
        'a GIF whose second frame has an impossible code size', $gif,
        do { my $bytes = $gif; substr $bytes, $second + 10, 1, "\x63"; $bytes }
    ],
    [
        'a GIF whose second frame has dimensions of 0', $gif,
        do { my $bytes = $gif; substr $bytes, $second + 5, 4, "\0\0\0\0"; $bytes }
    ],
    ['a WebP whose RIFF size is too large', $webp, with_riff($webp, length($webp) + 100)],
    ['a WebP whose RIFF size is too small', $webp, with_riff($webp, length($webp) - 40)],
    ['a WebP whose RIFF size is 0', $webp, with_riff($webp, 0)],
    ['a WebP with garbage after its end', $webp, $webp . 'garbage'],
    ['a WebP whose last chunk is cut', $webp, with_riff($webp, length($webp) + 500) . 'XMP ' . pack('V', 500) . 'cut'],
    ['an animated WebP cut within its second frame', $webp_animated, substr $webp_animated, 0, $frame + 60],
    [
        'an animated WebP cut within the header of its second frame', $webp_animated, substr $webp_animated, 0,
        $frame + 10
    ],
    [
        'an animated WebP whose second frame is garbage', $webp_animated,
        do { my $bytes = $webp_animated; substr $bytes, $frame + 24, 40, "\xee" x 40; $bytes }
    ],
    ['an AVIF whose trailing free box is cut', $avif, $avif . pack('Na4', 400, 'free') . 'cut'],
    ['an AVIF with garbage after its end', $avif, $avif . 'gar'],
    ['a HEIC whose trailing free box is cut', $heic, $heic . pack('Na4', 400, 'free') . 'cut'],
);
for my $case (@taken) {
    my ($what, $whole, $bytes) = @$case;
    my $expected = upload($whole);
    my $pixels = fetch($expected, 'large');
    my $answer = upload($bytes);
    is $answer->code, 200, "$what is accepted" or do { diag $answer->content; next };
    ok fetch($answer, 'large') eq $pixels, "$what has the pixels of the whole picture";
    my $stored = fetch($answer, 'original');
    my ($ending) = json($answer)->{image}{original} =~ /\.(\w+)(?:\?|$)/;
    like substr($stored, -12), $end{$ending}, "the stored copy of $what has the end of a $ending";
    is unpack('V', substr $stored, 4, 4) + 8, length $stored, "the stored copy of $what has the right RIFF size"
        if $ending eq 'webp';
    is upload($stored)->code, 200, "the stored copy of $what is accepted again";
}

my @refused = (
    ['a JPEG cut within its pixels', substr $jpeg, 0, length($jpeg) * 0.7],
    ['a JPEG cut near the end of its pixels', without_tail($jpeg, 40)],
    ['a JPEG cut within its pixels and filled with zeros', substr($jpeg, 0, length($jpeg) * 0.7) . "\0" x 3000],
    ['a photo cut within its pixels', substr $large_jpeg, 0, length($large_jpeg) * 0.9],
    ['a progressive JPEG cut within its last scan', without_tail($progressive, 40)],
    ['a progressive JPEG without its last scan', substr $progressive, 0, rindex $progressive, "\xff\xda"],
    ['a progressive JPEG cut within its first scan', substr $progressive, 0, index($progressive, "\xff\xda") + 40],
    ['a PNG cut within its pixels', substr $png, 0, length($png) * 0.7],
    ['a PNG that lacks the last bytes of its pixels', without_tail($png, 40)],
    ['a PNG cut after the chunk name of its pixels', substr $png, 0, $idat + 8],
    [
        'a PNG with too few pixels',
        substr($png, 0, $idat) . chunk('IDAT', substr $png, $idat + 8, 200) . chunk('IEND', '')
    ],
    ['a PNG with too few pixels and no end', substr($png, 0, $idat) . chunk('IDAT', substr $png, $idat + 8, 200)],
    ['a GIF cut within its first frame', substr $gif, 0, length($gif) * 0.2],
    ['a WebP cut within its pixels', substr $webp, 0, length($webp) * 0.7],
    ['an animated WebP cut within its first frame', substr $webp_animated, 0, $frame * 0.5],
    ['an AVIF cut within its pixels', substr $avif, 0, length($avif) * 0.9],
    ['a HEIC cut within its pixels', substr $heic, 0, length($heic) * 0.9],
);
for my $case (@refused) {
    my ($what, $bytes) = @$case;
    my $answer = upload($bytes);
    is $answer->code . ' ' . (json($answer)->{code} // ''), '400 unsupported_image', "$what is refused";
}

# Brands ------------------------------------------------------------------------------------------------

for my $case (
    ['mif1', 'avif', 'avif', 'image/avif'], ['miaf', 'avif', 'avif', 'image/avif'],
    ['MA1B', 'avif', 'avif', 'image/avif']
) {
    my ($major, $other, $extension, $type) = @$case;
    my $bytes = $avif;
    substr $bytes, 8, 4, $major;    # offsets within the file stay valid
    substr $bytes, 16, 4, $other;
    my $answer = upload($bytes);
    is $answer->code, 200, "an AVIF of the major brand $major is accepted" or next;
    like json($answer)->{image}{original}, qr/\.$extension(?:\?|$)/, "$type is stored with its own extension";
    is call(GET => json($answer)->{image}{original})->content_type, $type, "$type is delivered with its own type";
}
for my $major (qw(mp42 isom), 'qt  ') {
    my $bytes = $avif;
    substr $bytes, 8, 4, $major;
    my $answer = upload($bytes);
    is $answer->code . ' ' . (json($answer)->{code} // ''), '400 unsupported_image',
        "a video ($major) is refused, regardless of its compatible brands";
}

expect_log(qr/IIMG0130: /);
finish();
