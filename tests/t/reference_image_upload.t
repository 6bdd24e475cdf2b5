# reference_image_upload.t - uploads of a photo's picture: accepted formats, derivatives, stored files.
use strict;
use warnings;
use utf8;
use Compress::Zlib ();
use Digest::SHA 'sha256_hex';
use IdentityImg::Test;
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes 'time';

fresh_data();
$SIG{PIPE} = 'IGNORE';

my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
my $photo = json(call(POST => 'reference-images/', as => 'alice', json => { name => 'the photo' }));
my $path = "reference-images/$photo->{id}/upload-image/";

# Requests ----------------------------------------------------------------------------------------

# A multipart body made by hand from [headers, bytes] pairs.
sub multipart {
    my (@parts) = @_;
    return join('', map { "--XX\r\n$_->[0]\r\n\r\n$_->[1]\r\n" } @parts) . "--XX--\r\n";
}

sub send_body {
    my ($body, $type) = @_;
    return call(POST => $path, as => 'alice', body => $body, type => $type // 'multipart/form-data; boundary=XX');
}

# Upload a picture under a file name, both as bytes.
sub upload {
    my ($bytes, $name) = @_;
    $name //= 'picture.jpg';
    return send_body(multipart([
        "Content-Disposition: form-data; name=\"image\"; filename=\"$name\"\r\nContent-Type: application/octet-stream",
        $bytes
    ]));
}

# "400 unsupported_image image: sentence"
sub refusal {
    my ($answer) = @_;
    my $body = json($answer) // return $answer->as_string;
    my ($field) = keys %{ $body->{errors} // {} };
    return join ' ', $answer->code, $body->{code}, $field ? "$field:" : (), $body->{detail};
}

# The paths of a photo's picture, without signatures, which change over time.
sub addresses {
    my ($one) = @_;
    return join ' ', map { $one->{image}{$_} =~ s/\?.*//r } sort keys %{ $one->{image} // {} };
}

# Send only the head of a request, then pieces of its body until the server answers. Returns the response,
# the seconds, and the number of body bytes sent.
sub raw {
    my ($head, @pieces) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => base_url() =~ s{^http://}{}r, Timeout => 10) or die "connect: $!";
    my $select = IO::Select->new($socket);
    my ($began, $sent, $text) = (time, 0, '');
    syswrite $socket, join("\r\n", @$head, 'Host: x', 'Authorization: ' . login('alice'), '', '');
    for my $piece (@pieces) {
        last if $select->can_read(0);
        $sent += syswrite($socket, $piece) // last;
    }
    while ($select->can_read(10)) {
        last if !sysread $socket, $text, 65536, length $text;
        last if $text =~ /\r\n\r\n.*\}/s;
    }
    return ($text, time - $began, $sent);
}

# Pictures ----------------------------------------------------------------------------------------

my $scratch = $ENV{IIMG_WORK};
my $made = 0;

sub spill {
    my ($bytes) = @_;
    my $file = "$scratch/upload-" . $made++;
    open my $out, '>:raw', $file or die $!;
    print $out $bytes;
    close $out or die $!;
    return $file;
}

# The result of a vips command: vips('copy', IN, '.jpg[Q=95]', ...) returns bytes.
sub vips {
    my ($operation, $in, $ending, @more) = @_;
    my $out = "$scratch/upload-" . $made++ . $ending;
    system('vips', $operation, $in, $out, @more) == 0 or die "vips $operation failed";
    return slurp($out =~ s/\[.*//r);
}

sub chunk {
    my ($type, $data) = @_;
    return pack('N', length $data) . $type . $data . pack('N', Compress::Zlib::crc32($type . $data));
}

# A PNG: width, height, color type (0 gray, 2 RGB, 4 gray and alpha, 6 RGBA), pixels, more chunks.
sub png {
    my ($width, $height, $type, $pixels, @chunks) = @_;
    my $line = $width * { 0 => 1, 2 => 3, 4 => 2, 6 => 4 }->{$type};
    my $rows = join '', map { "\0" . substr $pixels, $_ * $line, $line } $line ? 0 .. length($pixels) / $line - 1 : ();
    return
          "\x89PNG\r\n\x1a\n"
        . chunk('IHDR', pack 'NNCCCCC', $width, $height, 8, $type, 0, 0, 0)
        . join('', @chunks)
        . chunk('IDAT', Compress::Zlib::compress($rows))
        . chunk('IEND', '');
}

# The colors in the middle of a picture's four quarters, as letters.
my @colors = ([R => 255, 0, 0], [G => 0, 255, 0], [B => 0, 0, 255], [W => 255, 255, 255]);

sub corners {
    my ($bytes, $ending) = @_;
    my $ppm = vips('copy', spill($bytes), '.ppm');
    my ($width, $height) = $ppm =~ /\AP6\s(?:#.*\n)*(\d+) (\d+)\s255\s/ or die 'no PPM';
    my $pixels = substr $ppm, $+[0];
    my $letters = '';
    for my $place ([1, 1], [3, 1], [1, 3], [3, 3]) {
        my $at = (int($height * $place->[1] / 4) * $width + int($width * $place->[0] / 4)) * 3;
        my @rgb = unpack 'C3', substr $pixels, $at, 3;
        my ($near) = grep {
            my ($name, @want) = @$_;
            !grep { abs($rgb[$_] - $want[$_]) > 40 } 0 .. 2
        } @colors;
        $letters .= $near ? $near->[0] : "(@rgb)";
    }
    return $letters;
}

# Quarters red, green, blue and white.
sub quarters {
    my ($width, $height) = @_;
    my $row = sub {
        join '', map { pack('C3', @{ $colors[$_] }[1 .. 3]) x ($width / 2) } @_;
    };
    return png($width, $height, 2, $row->(0, 1) x ($height / 2) . $row->(2, 3) x ($height / 2));
}

# The description of bytes by vipsheader: "512x512 3 srgb jpeg".
sub header_of {
    my ($bytes) = @_;
    my $file = spill($bytes);
    my $said = `vipsheader '$file'`;
    return $said =~ /: (\d+x\d+) uchar, (\d) bands?, ([\w-]+), (\w+)load/ ? "$1 $2 $3 $4" : $said;
}

# All pixels of a picture, as stored.
sub pixels_of { my ($bytes) = @_; return sha256_hex(vips('autorot', spill($bytes), '.raw')) }

my %sizes = (thumbnail => 100, medium => 300, large => 600);
sub fetch { my ($picture, $size) = @_; return call(GET => $picture->{$size})->content }

# The dimensions of the three derivatives: "100x67 300x200 600x400".
sub sides {
    my ($picture) = @_;
    return join ' ', map { header_of(fetch($picture, $_)) =~ s/ .*//r } qw(thumbnail medium large);
}

# Sizes -------------------------------------------------------------------------------------------

subtest 'A photo of a real size is stored with its derivatives' => sub {
    my $answer = call(POST => $path, as => 'alice', parts => [image => [portrait()]]);
    is $answer->code, 200, 'a real photo is accepted';
    my $now = json($answer);
    is_deeply [@$now{qw(id user name order created_at)}], [@$photo{qw(id user name order created_at)}],
        'the other members of the photo are unchanged';
    ok $now->{updated_at} gt $photo->{updated_at}, 'updated_at changes';
    is addresses(json(call(GET => "reference-images/$photo->{id}/", as => 'alice'))), addresses($now),
        'GET returns the new picture';
    my $base = base_url();
    like $now->{image}{original}, qr{^\Q$base\E/[^?]*media/($uuid)/portrait\.png\?},
        'the URL of the original ends in media/<uuid>/<name>.<ext>';
    my ($key) = $now->{image}{original} =~ m{media/($uuid)};
    like $now->{image}{$_}, qr{^\Q$base\E/[^?]*media/$key/__sized__/portrait-thumbnail-$sizes{$_}x$sizes{$_}\.jpg\?},
        "the URL of the $_ is below __sized__" for sort keys %sizes;
    is pixels_of(fetch($now->{image}, 'original')), pixels_of(slurp(portrait())),
        'the original has the uploaded pixels';
    is sides($now->{image}), '100x100 300x300 512x512',
        'derivatives fit in 100, 300 and 600 pixels and are never enlarged';
    is scalar(() = stored_files()), 4, 'four files are stored';
    is join(' ', sql('SELECT DISTINCT state, count(*) FROM stored_objects GROUP BY state')), 'live|4',
        'four objects are live';
};

subtest 'Derivatives fit their squares, keep the ratio, and are never enlarged' => sub {
    for my $case ([1200, 800], [300, 901], [40, 30], [601, 600], [2000, 20], [1, 1], [1, 700], [3000, 2000]) {
        my ($width, $height) = @$case;
        my $grey = png($width, $height, 0, "\x80" x ($width * $height));
        my $picture = json(upload($grey))->{image} or next;
        for my $size (sort keys %sizes) {
            my $scale = $sizes{$size} / ($width > $height ? $width : $height);
            $scale = 1 if $scale > 1;
            my ($w, $h) = header_of(fetch($picture, $size)) =~ /^(\d+)x(\d+)/;
            my $exact = $width >= $height ? $w == int($width * $scale + .5) : $h == int($height * $scale + .5);
            my $near = abs($w - $width * $scale) <= 1 && abs($h - $height * $scale) <= 1;
            ok $exact && $near && $w >= 1 && $h >= 1,
                "$width x $height has a $size of $w x $h: it fits, keeps its ratio, and is not enlarged";
        }
    }
};

# Kinds of pictures -------------------------------------------------------------------------------

my $blank = pack('C4', 200, 30, 30, 255) x 2000;
my %kinds = (
    'an opaque RGB PNG' => [png(50, 40, 2, "\x20\x80\xc0" x 2000), 'png 3 srgb png'],
    'a PNG with opaque alpha' => [png(50, 40, 6, $blank), 'png 3 srgb png'],
    'a PNG with one transparent pixel' =>
        [png(50, 40, 6, substr($blank, 4) . pack('C4', 0, 0, 0, 0)), 'png 4 srgb png'],
    'a PNG with translucent pixels' => [png(50, 40, 6, pack('C4', 200, 30, 30, 128) x 2000), 'png 4 srgb png'],
    'a gray PNG with transparency' => [png(50, 40, 4, "\x80\x00" x 2000), 'png 4 srgb png'],
    'a 16-bit PNG' => [vips('cast', portrait(), '.png', 'ushort', '--shift'), 'png 3 srgb png'],
    'a gray JPEG' => [vips('colourspace', portrait(), '.jpg', 'b-w'), 'jpg 3 srgb jpeg'],
    'a CMYK JPEG' => [vips('icc_transform', portrait(), '.jpg', 'cmyk', '--input-profile', 'srgb'), 'jpg 3 srgb jpeg'],
    'a progressive JPEG' => [vips('copy', portrait(), '.jpg[interlace]'), 'jpg 3 srgb jpeg'],
    'a lossy WebP' => [vips('copy', portrait(), '.webp'), 'webp 3 srgb jpeg'],
    'a WebP with transparency' =>
        [vips('copy', spill(png(50, 40, 6, pack('C4', 9, 99, 9, 40) x 2000)), '.webp[lossless]'), 'webp 4 srgb png'],
    'a GIF' => [vips('copy', portrait(), '.gif'), 'gif 3 srgb jpeg'],
    'an AVIF' => [vips('copy', portrait(), '.avif[effort=0]'), 'avif 3 srgb jpeg'],
);
subtest 'Each kind of picture is accepted and gets derivatives of its kind' => sub {
    for my $what (sort keys %kinds) {
        my ($bytes, $expected) = @{ $kinds{$what} };
        my $answer = upload($bytes, 'a.b.txt');
        is $answer->code, 200, "$what is accepted" or diag($answer->content), next;
        my $picture = json($answer)->{image};
        my ($extension) = $picture->{original} =~ m{/a-b\.(\w+)\?};
        my ($header) = map { s/^\S+ //r } header_of(fetch($picture, 'medium'));
        is "$extension $header", $expected, "$what: the extension matches the bytes, derivatives are sRGB";
        my ($ending) = $expected =~ /(\w+)$/;
        $ending =~ s/jpeg/jpg/;
        is scalar(grep { $picture->{$_} =~ m{/a-b-thumbnail-\d+x\d+\.$ending\?} } keys %sizes), 3,
            "$what: derivatives are called .$ending";
        is call(GET => $picture->{thumbnail})->header('Content-Type'), $ending eq 'png' ? 'image/png' : 'image/jpeg',
            "$what: derivatives have their Content-Type";
        is pixels_of(fetch($picture, 'original')), pixels_of($bytes), "$what: the original has the uploaded pixels";
    }
};

subtest 'Derivatives have the colors of the picture' => sub {
    is corners(
        fetch(json(upload(vips('copy', spill(quarters(80, 60)), '.jpg[Q=95,subsample_mode=off]')))->{image}, 'large')),
        'RGBW', 'the large derivative has the colors of the picture';
    is corners(fetch(json(upload(quarters(2000, 1000)))->{image}, 'thumbnail')), 'RGBW',
        'the thumbnail has the colors of the picture';
};

# All eight orientations: the positions of the corners when shown.
subtest 'All eight orientations are shown upright' => sub {
    my %shown =
        (1 => 'RGBW', 2 => 'GRWB', 3 => 'WBGR', 4 => 'BWRG', 5 => 'RBGW', 6 => 'BRWG', 7 => 'WGBR', 8 => 'GWRB');
    my $flat = vips('copy', spill(quarters(160, 80)), '.jpg[Q=95,subsample_mode=off]');
    my $wide = vips('copy', spill(quarters(2400, 1200)), '.jpg[Q=90,subsample_mode=off]');
    for my $orientation (1 .. 8) {
        my $exif = "Exif\0\0MM\0*\0\0\0\x08" . pack 'n nnNnn N', 1, 0x0112, 3, 1, $orientation, 0, 0;
        my $with =
            sub { my ($jpeg) = @_; substr $jpeg, 2, 0, "\xff\xe1" . pack('n', 2 + length $exif) . $exif; return $jpeg };
        my $turned = $orientation > 4;
        my $small = json(upload($with->($flat)))->{image};
        is corners(fetch($small, 'large')), $shown{$orientation}, "orientation $orientation is shown upright";
        is sides($small), $turned ? '50x100 80x160 80x160' : '100x50 160x80 160x80',
            "orientation $orientation has its dimensions as shown";
        my $large = json(upload($with->($wide)))->{image};
        is corners(fetch($large, 'thumbnail')), $shown{$orientation},
            "orientation $orientation of a large picture is shown upright";
        is sides($large), $turned ? '50x100 150x300 300x600' : '100x50 300x150 600x300',
            "orientation $orientation of a large picture fits as shown";
    }
};

# Bytes -------------------------------------------------------------------------------------------

my $tricky = join '', "\r\n--X\r\n", 'a--XX--', "\r\n\r\n", "\r\n-", "\r\n--", "\r\n--x", "\r-\n-", "\0\x1a\r\n--X",
    "\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n",
    pack('C*', 0 .. 255), "\r\n";
my $small = png(8, 8, 2, "\x10\x20\x30" x 64);
# (fdAT belongs to animations, so it stays; bytes after the picture do not.)
subtest 'Pictures are stored byte for byte, whatever bytes they contain' => sub {
    for my $case (
        ['with line breaks and partial boundaries inside', png(8, 8, 2, "\x10\x20\x30" x 64, chunk('fdAT', $tricky))],
        ['of many short lines', png(8, 8, 2, "\x10\x20\x30" x 64, chunk('fdAT', "\r\n-" x 20000))],
        [
            'of 700 KB of noise',
            do {
                srand 7;
                png(8, 8, 2, "\x10\x20\x30" x 64, chunk('fdAT', join '', map { pack 'N', rand 2**32 } 1 .. 175_000));
            }
        ],
        ['that ends in CR LF', "$small\r\n"],
        ['that ends in CR', "$small\r"],
        ['that ends in LF', "$small\n"],
        ['that ends in two dashes', "$small--"],
        ['that ends in CR LF and two dashes', "$small\r\n--"],
        ['that ends in NUL', "$small\0"],
        ['that ends in many line breaks', "$small\r\n\r\n\n\r\r\n"],
    ) {
        my ($what, $bytes) = @$case;
        my $answer = upload($bytes);
        is $answer->code, 200, "a picture $what is accepted" or diag($answer->content), next;
        my $kept = index($bytes, $small) == 0 ? $small : $bytes;
        is sha256_hex(fetch(json($answer)->{image}, 'original')), sha256_hex($kept),
            "a picture $what is stored byte for byte, up to its end";
    }
};

# A lone LF is not a multipart line break, but some parsers accept it. Then the upload is refused, never truncated.
subtest 'A boundary after a lone LF never truncates a picture' => sub {
    my $unlucky = png(8, 8, 2, "\x10\x20\x30" x 64, chunk('fdAT', "a\n--XX\nb\n--XX--\nc"));
    my $answer = upload($unlucky);
    ok $answer->code == 400 || sha256_hex(fetch(json($answer)->{image}, 'original')) eq sha256_hex($unlucky),
        'a picture with a boundary after a lone LF is stored whole or refused';
};

subtest 'Content-Transfer-Encoding is ignored' => sub {
    for my $case (
        ['base64', "Content-Transfer-Encoding: base64"],
        ['quoted-printable', "Content-Transfer-Encoding: quoted-printable"],
        ['8bit', "Content-Transfer-Encoding: 8bit"],
    ) {
        my ($what, $header) = @$case;
        my $answer = send_body(multipart([
            "Content-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n$header",
            $small
        ]));
        is $answer->code == 200 && sha256_hex(fetch(json($answer)->{image}, 'original')), sha256_hex($small),
            "Content-Transfer-Encoding: $what is ignored";
    }
};

subtest 'Unusual but valid multipart bodies are accepted' => sub {
    my $answer =
        send_body("a preamble\r\n"
            . multipart(['content-disposition: FORM-DATA; name=image; filename=a.png', $small])
            . 'an epilogue');
    is $answer->code == 200 && sha256_hex(fetch(json($answer)->{image}, 'original')), sha256_hex($small),
        'preamble, epilogue and unquoted parameters are accepted';
    $answer = send_body(multipart(
        ['Content-Disposition: form-data; name="note"', 'x'],
        ['Content-Disposition: form-data; name="image"; filename="a.png"', $small],
        ['Content-Disposition: form-data; name="more"', '']
    ));
    is $answer->code, 200, 'other fields beside the picture are ignored';
    $answer = send_body(multipart(['Content-Disposition: form-data; name="image"; filename="a.png"', $small]) =~
            s/XX/gc0p4Jq0M2Yt08jU534c0p/gr, 'multipart/form-data; boundary="gc0p4Jq0M2Yt08jU534c0p"');
    is $answer->code, 200, 'the boundary may be quoted';
};

# Names -------------------------------------------------------------------------------------------

subtest 'Each file name becomes a safe name' => sub {
    my $x80 = 'x' x 80;
    for my $case (
        ['Portrait.PNG', 'portrait'],
        ['My Photo (1).jpg', 'my-photo--1-'],
        ['Ünï_code.jpg', '-n-_code'],
        ['模範.png', 'image'],
        ['模範-2.png', '---2'],
        ['🎨a.png', '-a'],
        ['../../etc/passwd', qr/^(?:-*etc-)?passwd$/],
        ['/etc/passwd.png', qr/^(?:-*etc-)?passwd$/],
        ['..', 'image'],
        ['.', 'image'],
        ['...png', 'image'],
        ['---.jpg', 'image'],
        ['a.var.jpg', 'a-var'],
        ['a.shtml.jpg', 'a-shtml'],
        ['a.php.png', 'a-php'],
        ['a.cgi', 'a'],
        ['.htaccess', '-htaccess'],
        ['a.', 'a'],
        ['a.b.', 'a-b'],
        ['noending', 'noending'],
        ['a%2Fb%00.png', 'a-2fb-00'],
        ['a?b#c&d=e.png', 'a-b-c-d-e'],
        ['<script>.png', '-script-'],
        ["tab\tand'quote.png", 'tab-and-quote'],
        ['x' x 300 . '.jpg', $x80],
        ['x' x 79 . '.y.jpg', 'x' x 79 . '-'],
        ['ü' x 300 . '1.jpg', 'image'],
        ['', 'image'],
        ['CON.png', 'con'],
        ["\xff\xfe.png", qr/^(?:image|-+)$/, 'of raw bytes'],
    ) {
        my ($name, $expected, $what) = @$case;
        my $sent = $name;
        utf8::encode($sent) unless $what;
        my $shown = $what // ("'" . substr($name, 0, 20) . (length $name > 20 ? '...' : '') . "'");
        my $answer = upload($small, $sent);
        is $answer->code, 200, "a file called $shown is accepted" or diag($answer->content), next;
        my $image = json($answer)->{image};
        my ($kept, $extension) = $image->{original} =~ m{/media/$uuid/([^/?]+)\.([^./?]+)\?};
        is $extension, 'png', "a file called $shown gets the extension of its content";
        ref $expected ? like $kept, $expected, "a file called $shown gets a safe name" : is $kept, $expected,
            "a file called $shown gets a safe name";
        like $image->{medium}, qr{/media/$uuid/__sized__/\Q$kept\E-thumbnail-300x300\.png\?},
            "the derivatives of $shown have the same name";
        is join(
            ' ',
            map { my $got = call(GET => $image->{$_}); $got->code . ' ' . $got->header('Content-Type') }
                qw(original medium)
            ),
            '200 image/png 200 image/png', "$shown is served as a picture";
    }
};

subtest 'Stored files have only safe names' => sub {
    is_deeply [grep { !m{^(?:media|generated_images)/[a-z0-9_/.-]+$} } stored_files()], [],
        'stored files have only safe names';
};

subtest 'An extended or escaped file name is read' => sub {
    my $answer = send_body(multipart([
        "Content-Disposition: form-data; name=\"image\"; filename=\"fallback.jpg\"; filename*=UTF-8''na%20me.jpg",
        $small
    ]));
    like json($answer)->{image}{original}, qr{/(?:na-me|fallback)\.png\?}, 'filename* is used or ignored';
    $answer = send_body(multipart(['Content-Disposition: form-data; name="image"; filename="a\"b.jpg"', $small]));
    like json($answer)->{image}{original}, qr{/a-b\.png\?}, 'an escaped quote belongs to the name';
};

# Refused requests --------------------------------------------------------------------------------

call(POST => $path, as => 'alice', parts => [image => [portrait()]]);
my $kept = json(call(GET => "reference-images/$photo->{id}/", as => 'alice'));

sub state_of_store {
    return join "\n", map { $_ . ' ' . sha256_hex(slurp(picture_path($_))) } stored_files();
}
my $store = state_of_store();
my $rows = join "\n", sql('SELECT key, state FROM stored_objects ORDER BY key');

my $jpeg = slurp(make_jpeg(1200, 800));
my $damaged = slurp(portrait());
substr $damaged, length($damaged) / 2, 4, "\x00\xff\x00\xff";
my $read = 'Upload a valid JPEG, PNG, WebP, GIF, HEIC or AVIF picture.';
subtest 'A file that is not a supported picture is refused with what was found' => sub {
    for my $case (
        ['an empty file', '', qr/empty/],
        ['text', 'These are only words.', qr/ is text, /],
        ['HTML', "<!DOCTYPE html>\n<html><script>1</script></html>", qr/ is an HTML page, /],
        [
            'SVG', '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
            qr/ is an SVG drawing, /
        ],
        ['a PDF', "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj", qr/ is a PDF document, /],
        ['a TIFF', "II*\0\x08\0\0\0\0\0", qr/ is a TIFF picture, /],
        ['a BMP', "BM" . "\0" x 60, qr/ is a BMP picture, /],
        ['a ZIP', "PK\x03\x04" . "\0" x 60, qr/ is a ZIP archive, /],
        ['a video', "\0\0\0\x18ftypmp42\0\0\0\0mp42isom", qr/ is a video/],
        ['noise', "\x01\x02\x03" x 50, qr/ is unknown data, /],
        ['half a JPEG', substr($jpeg, 0, length($jpeg) / 2), qr/JPEG picture is damaged/],
        ['the start of a JPEG', substr($jpeg, 0, 300), qr/JPEG picture is damaged/],
        ['a JPEG of three bytes', "\xff\xd8\xff", qr/JPEG picture is damaged/],
        ['a PNG with broken bytes', $damaged, qr/PNG picture is damaged/],
        ['half a PNG', substr(slurp(portrait()), 0, 100_000), qr/PNG picture is damaged/],
        ['only the signature of a PNG', "\x89PNG\r\n\x1a\n", qr/PNG picture is damaged/],
        ['a PNG without pixels', png(0, 5, 0, ''), qr/PNG picture is damaged/],
        ['a truncated WebP', substr($kinds{'a lossy WebP'}[0], 0, 200), qr/WebP picture is damaged/],
        ['only the signature of a GIF', 'GIF89a', qr/GIF picture is damaged/],
        ['a truncated AVIF', substr($kinds{'an AVIF'}[0], 0, 200), qr/AVIF picture is damaged/],
    ) {
        my ($what, $bytes, $found) = @$case;
        my $said = refusal(upload($bytes, 'photo.jpg'));
        like $said, qr/^400 unsupported_image image: /, "$what called photo.jpg is refused";
        like $said, $found, "the refusal of $what says what was found";
        like $said, qr/\Q$read\E$/, "the refusal of $what lists the supported formats";
    }
};

# A JPEG that declares other dimensions.
sub claiming {
    my ($bytes, $width, $height) = @_;
    $bytes =~ s/(\xff[\xc0\xc2]..\x08)..../$1 . pack 'nn', $height, $width/es or die 'no SOF';
    return $bytes;
}

# A PNG that declares dimensions and has one byte of pixels.
sub claims {
    return
          "\x89PNG\r\n\x1a\n"
        . chunk('IHDR', pack 'NNCCCCC', @_, 8, 2, 0, 0, 0)
        . chunk('IDAT', Compress::Zlib::compress('x'))
        . chunk('IEND', '');
}

subtest 'A picture with too many pixels is refused quickly with its numbers' => sub {
    for my $case (
        ['a PNG of 30000 x 30000', claims(30000, 30000), '900.0 megapixels (30000 x 30000); at most 64 are allowed.'],
        [
            'a baseline JPEG of 20000 x 10000', claiming($jpeg, 20000, 10000),
            '200.0 megapixels (20000 x 10000); at most 120 are allowed.'
        ],
        [
            'a progressive JPEG of 10000 x 10000', claiming($kinds{'a progressive JPEG'}[0], 10000, 10000),
            '100.0 megapixels (10000 x 10000); at most 64 are allowed.'
        ],
        [
            'a GIF of 60000 x 60000',
            $kinds{'a GIF'}[0] =~ s/^(.{6})..../$1 . pack 'vv', 60000, 60000/ser =~
                s/(\x2c\0\0\0\0)\0\x02\0\x02/$1 . pack 'vv', 60000, 60000/er,
            '3600.0 megapixels (60000 x 60000); at most 64 are allowed.'
        ],
    ) {
        my ($what, $bytes, $sentence) = @$case;
        my $began = time;
        my $said = refusal(upload($bytes));
        is $said, "413 too_many_pixels image: The picture has $sentence", "$what is refused with its numbers";
        cmp_ok time - $began, '<', 5, "$what is refused quickly";
    }
    like refusal(upload(claims(8000, 8001))), qr/^413 too_many_pixels /,
        'a PNG with one line more than 64 megapixels is refused';
    like refusal(upload(claims(8000, 8000))), qr/^400 unsupported_image image: The PNG picture is damaged/,
        'a PNG of 64 megapixels without its pixels is damaged';
};

my $part = 'Content-Disposition: form-data; name="image"; filename="a.png"';
my $broken = qr/^400 parse_error Multipart form parse error - ./;
my $whole = multipart([$part, $small]);
subtest 'A request that is not an upload of one picture is refused' => sub {
    for my $case (
        ['no fields', [body => "--XX--\r\n"], '400 no_image image: No image file provided'],
        ['no body', [type => undef], '400 no_image image: No image file provided'],
        [
            'only another field', [body => multipart([$part =~ s/image/picture/r, $small])],
            '400 no_image image: No image file provided'
        ],
        [
            'a string field called image',
            [body => multipart(['Content-Disposition: form-data; name="image"', 'words'])],
            '400 no_image image: No image file provided'
        ],
        [
            'an empty file input',
            [body => multipart(['Content-Disposition: form-data; name="image"; filename=""', ''])],
            '400 no_image image: No image file provided'
        ],
        ['JSON', [body => '{"image": "x"}', type => 'application/json'], '400 no_image image: No image file provided'],
        [
            'an urlencoded form', [body => 'image=x', type => 'application/x-www-form-urlencoded'],
            '400 no_image image: No image file provided'
        ],
        [
            'two pictures', [body => multipart([$part, $small], [$part, $small])],
            '400 invalid image: Send one file only.'
        ],
        ['malformed JSON', [body => '{', type => 'application/json'], qr/^400 parse_error JSON parse error - /],
        [
            'plain text', [body => 'x', type => 'text/plain'],
            '415 unsupported_media_type Unsupported media type "text/plain" in request.'
        ],
        [
            'a picture as the body', [body => $small, type => 'image/png'],
            '415 unsupported_media_type Unsupported media type "image/png" in request.'
        ],
        [
            'multipart/mixed', [body => $whole, type => 'multipart/mixed; boundary=XX'],
            '415 unsupported_media_type Unsupported media type "multipart/mixed; boundary=XX" in request.'
        ],
        [
            'a body without a type', [body => 'x', type => undef],
            '415 unsupported_media_type Unsupported media type "" in request.'
        ],
        ['no boundary', [body => $whole, type => 'multipart/form-data'], $broken],
        ['an empty boundary', [body => $whole, type => 'multipart/form-data; boundary='], $broken],
        ['a boundary of 71 characters', [body => $whole, type => 'multipart/form-data; boundary=' . 'X' x 71], $broken],
        ['a boundary that does not match', [body => $whole, type => 'multipart/form-data; boundary=YY'], $broken],
        ['a truncated picture', [body => substr($whole, 0, 150)], $broken],
        ['a missing closing boundary', [body => $whole =~ s/\r\n--XX--\r\n\z//r], $broken],
        ['half a closing boundary', [body => $whole =~ s/--\r\n\z//r], $broken],
        ['a part head without a body', [body => "--XX\r\n$part\r\n"], $broken],
        ['a part without Content-Disposition', [body => multipart(['Content-Type: image/png', $small])], $broken],
        [
            'a part with Content-Disposition: attachment',
            [body => multipart([$part =~ s/form-data/attachment/r, $small])], $broken
        ],
        ['a part without a name', [body => multipart([$part =~ s/name="image"; //r, $small])], $broken],
        [
            'a nested multipart',
            [
                body => multipart(
                    ["$part\r\nContent-Type: multipart/mixed; boundary=YY", "--YY\r\n$part\r\n\r\n$small\r\n--YY--"]
                )
            ],
            $broken
        ],
        [
            'a nested message', [body => multipart(["$part\r\nContent-Type: message/rfc822", "Subject: x\r\n\r\nx"])],
            $broken
        ],
        ['text only', [body => 'words'], $broken],
        ['1000 parts', [body => multipart((['Content-Disposition: form-data; name="a"', '']) x 1000)], $broken],
    ) {
        my ($what, $with, $expected) = @$case;
        my $said = refusal(call(POST => $path, as => 'alice', type => 'multipart/form-data; boundary=XX', @$with));
        ref $expected ? like $said, $expected, "an upload of $what is refused" : is $said, $expected,
            "an upload of $what is refused";
    }
};

# Too many bytes: refused after the head if it has the length, otherwise as soon as the limit is exceeded.
my @head = ("POST /api/v1/$path HTTP/1.1", 'Content-Type: multipart/form-data; boundary=XX');
subtest 'Too many bytes are refused as soon as they are known' => sub {
    my $limit = qr/The upload has 28\.6 MB; at most 25\.0 MB are allowed\./;
    my ($text, $seconds, $sent) = raw([@head, 'Content-Length: 30000000']);
    like $text, qr/^HTTP\/1\.1 413 .*"code":"upload_too_large"/s,
        'a body with a Content-Length over the limit is refused before it is sent';
    like $text, $limit, 'the refusal has the limit';
    cmp_ok $seconds, '<', 3, 'the refusal comes at once';
    ($text, $seconds) = raw([@head, 'Content-Length: 30000000', 'Expect: 100-continue']);
    like $text, qr/^HTTP\/1\.1 413 /, 'a client with Expect: 100-continue gets no 100';
    ($text) = raw([@head, 'Content-Length: 99999999999999999999']);
    like $text, qr/^HTTP\/1\.1 4(?:00|13) /, 'a Content-Length beyond 64 bits is refused';
    my $megabyte = sprintf("%x\r\n", 1 << 20) . 'x' x (1 << 20) . "\r\n";
    ($text, $seconds, $sent) = raw([@head, 'Transfer-Encoding: chunked'], ($megabyte) x 60);
    like $text, qr/^HTTP\/1\.1 413 .*at most 25\.0 MB are allowed\./s,
        'a chunked body over the limit is refused';
    cmp_ok $sent, '<', 45 << 20, 'a chunked body over the limit is not read to its end';
    ($text) = raw([@head, 'Transfer-Encoding: chunked'], 'zz' . "\r\nnot a chunk\r\n");
    like $text, qr/^HTTP\/1\.1 400 /, 'invalid chunks are a 400';
};

# A file of exactly the limit, and one with a byte more.
my $filler = sub {
    my ($size) = @_;
    my $room = $size - length(png(8, 8, 2, "\x10\x20\x30" x 64, chunk('fdAT', '')));
    return png(8, 8, 2, "\x10\x20\x30" x 64, chunk('fdAT', "\x55" x $room));
};
subtest 'A picture with one byte over the limit is refused' => sub {
    like refusal(upload($filler->(26214401))),
        qr/^413 upload_too_large The upload has 26214401 bytes; at most 26214400 \(25\.0 MB\) are allowed\./,
        'a picture with one byte over the limit is refused';
};

# The refused uploads changed nothing.
subtest 'The refused uploads changed nothing' => sub {
    is addresses(json(call(GET => "reference-images/$photo->{id}/", as => 'alice'))), addresses($kept),
        'after the refused uploads the photo has its previous picture';
    is json(call(GET => "reference-images/$photo->{id}/", as => 'alice'))->{updated_at}, $kept->{updated_at},
        'updated_at is unchanged after the refused uploads';
    is state_of_store(), $store, 'the files are unchanged after the refused uploads';
    is join("\n", sql('SELECT key, state FROM stored_objects ORDER BY key')), $rows,
        'the manifest is unchanged after the refused uploads';
};

subtest 'A picture of the limit and a chunked body are accepted' => sub {
    my $answer = upload($filler->(26214400));
    is $answer->code, 200, 'a picture of exactly the limit is accepted';
    my ($text) = raw([@head, 'Transfer-Encoding: chunked'], sprintf("%x\r\n%s\r\n0\r\n\r\n", length $whole, $whole));
    like $text, qr/^HTTP\/1\.1 200 /, 'a chunked body is accepted';
};

# Replace and delete ------------------------------------------------------------------------------

my $other =
    json(call(POST => 'reference-images/', as => 'alice', parts => [name => 'the other', image => [portrait()]]));
my $others = addresses($other);
my ($others_id) = $others =~ m{media/($uuid)};
my @others_rows = sql("SELECT key, state, changed_at FROM stored_objects WHERE picture = '$others_id' ORDER BY key");
subtest 'A replaced picture loses its files and its URL' => sub {
    my %seen;
    for my $round (1 .. 3) {
        my $answer =
            upload($kinds{ $round == 2 ? 'a PNG with translucent pixels' : 'a gray JPEG' }[0], "round-$round.jpg");
        my ($new) = json($answer)->{image}{original} =~ m{media/($uuid)};
        ok !$seen{$new}++, 'a replaced picture has a new URL';
        my @of_photo = grep { !/$others_id/ } stored_files();
        is scalar(@of_photo), 4, "after upload $round the photo has exactly four files";
        is scalar(grep { /$new/ } @of_photo), 4, "after upload $round these are the files of the new picture";
    }
    my $old = $kept->{image};
    is call(GET => $old->{original})->code, 404, "after the uploads the URL of the replaced picture is 404";
    is scalar(() = stored_files()), 8, 'the other photo has its four files';
};

subtest 'A deleted photo loses its files, and other photos keep theirs' => sub {
    is call(DELETE => "reference-images/$photo->{id}/", as => 'alice')->code, 204, 'the photo is deleted';
    is scalar(grep { !/$others_id/ } stored_files()), 0, 'no files of the deleted photo are left';
    is_deeply [sql("SELECT key, state, changed_at FROM stored_objects ORDER BY key")], \@others_rows,
        'the manifest has only the other photo, unchanged';
    is join(
        ' ',
        map { call(GET => $_)->code }
            values %{ json(call(GET => "reference-images/$other->{id}/", as => 'alice'))->{image} }
        ),
        '200 200 200 200',
        'the picture of the other photo can be fetched in all sizes';
};

subtest 'An upload for a deleted photo is 404 and stores nothing' => sub {
    is refusal(send_body($whole)), '404 not_found Not found.', 'an upload for a deleted photo is 404';
    is scalar(() = stored_files()), 4, 'an upload for a deleted photo stores nothing';
};

subtest 'The last delete leaves the store and the manifest empty' => sub {
    call(DELETE => "reference-images/$other->{id}/", as => 'alice');
    is_deeply [stored_files()], [], 'after the last delete the store is empty';
    is_deeply [sql('SELECT key FROM stored_objects')], [], 'after the last delete the manifest is empty';
};

finish();
