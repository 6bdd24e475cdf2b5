package IdentityImg::Bombs;

# Bombs.pm - hostile pictures: small files that decode to large ones, and large files that are not
# pictures. Made on demand from small pictures by libvips.
use strict;
use warnings;
use Compress::Zlib ();
use File::Temp ();

use Exporter 'import';
our @EXPORT_OK = qw(bombs chunk);

my $megabyte = 1 << 20;

sub chunk {
    my ($type, $data) = @_;
    return pack('N', length $data) . $type . $data . pack('N', Compress::Zlib::crc32($type . $data));
}

# The deflated form of that many megabytes of equal bytes.
sub squeezed {
    my ($megabytes) = @_;
    my ($deflate) = Compress::Zlib::deflateInit(-Level => 1);
    my ($out, $piece) = ('', 'x' x $megabyte);
    for (1 .. $megabytes) { my ($more) = $deflate->deflate($piece); $out .= $more }
    my ($end) = $deflate->flush;
    return $out . $end;
}

# A complete gray PNG with one bit per pixel.
sub png {
    my ($width, $height) = @_;
    my ($deflate) = Compress::Zlib::deflateInit(-Level => 1);
    my ($row, $data) = ("\0" x (1 + int(($width + 7) / 8)), '');
    for (1 .. $height) { my ($more) = $deflate->deflate($row); $data .= $more }
    my ($end) = $deflate->flush;
    return
          "\x89PNG\r\n\x1a\n"
        . chunk('IHDR', pack 'NNCCCCC', $width, $height, 1, 0, 0, 0, 0)
        . chunk('IDAT', $data . $end)
        . chunk('IEND', '');
}

# A small picture, saved by libvips.
sub small {
    my ($ending, @more) = @_;
    my $dir = File::Temp->newdir('iimg-bombs.XXXXXX', TMPDIR => 1);
    my ($name) = $ending =~ /^(\.\w+)/;
    system('vips', 'black', "$dir/in.v", 64, 64, '--bands', $more[0] // 3) == 0
        && system('vips', 'copy', "$dir/in.v", "$dir/out$ending") == 0
        or die "vips failed\n";
    open my $file, '<:raw', "$dir/out$name" or die "$dir/out$name: $!\n";
    local $/;
    return scalar <$file>;
}

# A PNG with chunks after its header; a JPEG with segments before its frame.
sub png_with { my (@chunks) = @_; my $png = png(64, 64); substr $png, 33, 0, join '', @chunks; return $png }

sub jpeg_with {
    my (@segments) = @_;
    my $jpeg = small('.jpg[strip]');
    substr $jpeg, 2, 0, join '', @segments;
    return $jpeg;
}
sub segment { my ($marker, $data) = @_; return pack('CCn', 0xff, $marker, 2 + length $data) . $data }

sub profile {
    my ($of) = @_;
    return map { segment(0xe2, "ICC_PROFILE\0" . pack('CC', $_, $of) . 'x' x 65519) } 1 .. $of;
}

sub frames_of_gif {
    my ($count) = @_;
    my $frame = "\x2c" . pack('v4', 0, 0, 1, 1) . "\0\x02\x02\x44\x01\0";
    return 'GIF89a' . pack('v2', 1, 1) . "\x80\0\0\0\0\0\xff\xff\xff" . $frame x $count . ';';
}

sub frames_of_webp {
    my ($count) = @_;
    my ($pixels) =
        map { /(VP8L(....).*)/s ? substr $1, 0, 8 + (unpack('V', $2) + 1 & ~1) : () } small('.webp[lossless]');
    my $frame = "\0\0\0" x 2 . "\x3f\0\0" x 2 . "\x0a\0\0\0" . $pixels;
    my $data =
          'WEBPVP8X'
        . pack('V', 10)
        . "\x02\0\0\0\x3f\0\0\x3f\0\0" . 'ANIM'
        . pack('V', 6)
        . "\0\0\0\0\0\0"
        . ('ANMF' . pack('V', length $frame) . $frame) x $count;
    return 'RIFF' . pack('V', length $data) . $data;
}

sub claiming {
    my ($bytes, $width, $height) = @_;
    $bytes =~ s/(\xff\xc2..\x08)..../$1 . pack 'nn', $height, $width/es
        || $bytes =~ s/(ispe....)......../$1 . pack 'NN', $width, $height/es
        or die "no dimensions found\n";
    return $bytes;
}

# The bombs: [name, status of the response, its `code` or '', function that makes the bytes].
sub bombs {
    return (
        ['a PNG of 30000 x 30000', 413, 'too_many_pixels', sub { png(30000, 30000) }],
        ['an AVIF of 17000 x 17000', 413, 'too_many_pixels', sub { claiming(small('.avif[effort=0]'), 17000, 17000) }],
        [
            'a progressive JPEG of 30000 x 30000', 413, 'too_many_pixels',
            sub { claiming(small('.jpg[interlace,strip,optimize_coding]', 1), 30000, 30000) }
        ],
        ['a JPEG with a profile of 4.1 MB', 400, 'unsupported_image', sub { jpeg_with(profile(66)) }],
        ['a JPEG with a profile of 16 MB', 400, 'unsupported_image', sub { jpeg_with(profile(255)) }],
        [
            'a PNG with a profile that inflates to 200 MB', 200, '',
            sub { png_with(chunk('iCCP', "x\0\0" . squeezed(200))) }
        ],
        ['a GIF with a million frames', 200, '', sub { frames_of_gif(1_000_000) }],
        ['a WebP with 3000 frames', 200, '', sub { frames_of_webp(3000) }],
        ['a JPEG with 16 MB of EXIF', 200, '', sub { jpeg_with((segment(0xe1, "Exif\0\0MM\0*" . 'x' x 65000)) x 250) }],
        ['a JPEG with a million comments', 200, '', sub { jpeg_with(segment(0xfe, 'x') x 1_000_000) }],
        ['a PNG with 16 MB of EXIF', 200, '', sub { png_with(chunk('eXIf', "MM\0*" . 'x' x (16 * $megabyte))) }],
        [
            'a PNG with a text that inflates to 200 MB', 200, '',
            sub { png_with(chunk('zTXt', "a\0\0" . squeezed(200))) }
        ],
        [
            'a PNG with 200 texts that inflate to 7 MB each', 200, '',
            sub { png_with((chunk('zTXt', "a\0\0" . squeezed(7))) x 200) }
        ],
        [
            'a PNG with 20 UTF-8 texts of 7 MB each', 200, '',
            sub { png_with((chunk('iTXt', "a\0\1\0\0\0" . squeezed(7))) x 20) }
        ],
    );
}

1;
