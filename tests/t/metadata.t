# metadata.t - the metadata filter for files of many kinds, full of private metadata. exiftool finds none in the
# output, and pixels, color profile and orientation are unchanged.
# Runs beside others.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use Digest::MD5 ();
use File::Temp ();
use JSON::PP ();
use Test::More;

my $source = $ENV{IIMG_SOURCE} // '.';
my $kind = ($ENV{IIMG_SANITIZE} // '') eq '1' ? 'sanitize' : 'plain';
my $filter = "$source/build/$kind/programs/metadata";
my $rounds = $ENV{IIMG_MUTATIONS} // 500;    # damaged copies in total
my $secret = 'Zanzibar Whistleblower';

my $dir = File::Temp->newdir('iimg-metadata.XXXXXX', TMPDIR => 1);
my ($in, $out) = ("$dir/in", "$dir/out");
mkdir $_ for $in, $out;

sub run {
    my $said = qx{@_ 2>&1};
    die "@_: $said" if $?;
    return $said;
}

sub slurp {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    local $/;
    return scalar <$file>;
}

sub spurt {
    my ($path, $bytes) = @_;
    open my $file, '>:raw', $path or die "$path: $!";
    print $file $bytes;
    close $file or die "$path: $!";
    return;
}

# Files -------------------------------------------------------------------------------------------

# Small, and with even dimensions as HEVC requires.
my ($rgb, $wide, $grey, $cmyk, $alpha, $deep, $frames) = map { "$dir/$_.v" } qw(rgb wide grey cmyk alpha deep frames);
run("vips thumbnail '$source/tests/data/portrait.png' $dir/first.v 96 --height 96 --size force");
run("vips extract_band $dir/first.v $rgb 0 --n 3");
run("vips icc_transform $rgb $wide p3");
run("vips colourspace $rgb $grey b-w");
run("vips icc_export $rgb $cmyk --output-profile cmyk");
run("vips bandjoin_const $rgb $alpha 128");
run("vips colourspace $rgb $deep rgb16");
run("vips flip $rgb $dir/upside.v vertical");
run("vips join $rgb $dir/upside.v $frames vertical");

my @saves = (
    ['base.jpg', jpegsave => $rgb, ''],
    ['profile.jpg', jpegsave => $rgb, '--profile p3'],
    ['progressive.jpg', jpegsave => $rgb, '--interlace'],
    ['restart.jpg', jpegsave => $rgb, '--restart-interval 3'],
    ['grey.jpg', jpegsave => $grey, ''],
    ['cmyk.jpg', jpegsave => $cmyk, '--profile cmyk'],
    ['full.jpg', jpegsave => $rgb, '--subsample-mode off'],
    ['base.png', pngsave => $rgb, ''],
    ['profile.png', pngsave => $rgb, '--profile p3'],
    ['interlaced.png', pngsave => $rgb, '--interlace'],
    ['deep.png', pngsave => $deep, ''],
    ['palette.png', pngsave => $rgb, '--palette'],
    ['grey.png', pngsave => $grey, ''],
    ['alpha.png', pngsave => $alpha, ''],
    ['lossy.webp', webpsave => $rgb, ''],
    ['profile.webp', webpsave => $rgb, '--profile p3'],
    ['lossless.webp', webpsave => $rgb, '--lossless'],
    ['alpha.webp', webpsave => $alpha, ''],
    ['animated.webp', webpsave => $frames, '--page-height 96'],
    ['base.gif', gifsave => $rgb, ''],
    ['alpha.gif', gifsave => $alpha, ''],
    ['animated.gif', gifsave => $frames, '--page-height 96'],
    ['base.heic', heifsave => $rgb, '--compression hevc'],
    ['profile.heic', heifsave => $wide, '--compression hevc'],
    ['base.avif', heifsave => $rgb, '--compression av1 --effort 0'],
    ['alpha.avif', heifsave => $alpha, '--compression av1 --effort 0'],
    ['profile.avif', heifsave => $wide, '--compression av1 --effort 0'],
);
run("vips $_->[1] $_->[2] $in/$_->[0] $_->[3]") for @saves;
my @plain = map { $_->[0] } @saves;

# Tags for all kinds, and tags for some kinds only.
run("vips jpegsave $rgb $dir/thumbnail.jpg --Q 20");
my $tags = qq{-XMP-dc:Creator='$secret' -XMP-dc:Description='$secret' -XMP-photoshop:City='$secret'};
my $exif =
      qq{-EXIF:Artist='$secret' -EXIF:Make='$secret' -EXIF:SerialNumber='$secret' -EXIF:UserComment='$secret'}
    . q{ -EXIF:DateTimeOriginal='2020:01:02 03:04:05' -GPSLatitude=6.16 -GPSLatitudeRef=S -GPSLongitude=39.19 }
    . q{-GPSLongitudeRef=E};
my $jpeg_only =
      qq{-IPTC:Keywords='$secret' -Comment='$secret' '-IFD1:ThumbnailImage<=$dir/thumbnail.jpg' }
    . qq{-Photoshop:CopyrightFlag=1};
my @names = grep { !/\.gif$/ } @plain;
run("cd $in && exiftool -q -q -overwrite_original $tags $exif @names");
run("cd $in && exiftool -q -q -overwrite_original $jpeg_only @{[grep { /jpg$/ } @plain]}");
run(      "cd $in && exiftool -q -q -overwrite_original -PNG:Comment='$secret' -PNG:Author='$secret' "
        . "-PNG:ModifyDate='2020:01:02 03:04:05' @{[grep { /png$/ } @plain]}");
run("cd $in && exiftool -q -q -overwrite_original -Comment='$secret' $tags @{[grep { /gif$/ } @plain]}");

run(
    "cd $in && exiftool -q -q -icc_profile -b profile.jpg >$dir/p3.icc && cp base.gif profile.gif && exiftool -q -q "
        . "-overwrite_original '-ICC_Profile<=$dir/p3.icc' profile.gif");

# Orientations, with all other tags.
for my $name (qw(base.jpg base.png lossy.webp)) {
    for my $orientation (1 .. 8) {
        (my $turned = $name) =~ s/\./-$orientation./;
        run(      "cp $in/$name $in/$turned && exiftool -q -q -n -overwrite_original -EXIF:Orientation=$orientation "
                . "$in/$turned");
    }
}
run(
    "cp $in/base-6.jpg $in/little-6.jpg && exiftool -q -q -n -overwrite_original -all= -tagsFromFile $in/base-6.jpg "
        . "-EXIF:all -ExifByteOrder=II $in/little-6.jpg");

# Metadata of cameras and other programs that exiftool cannot write.
sub segment { my ($marker, $data) = @_; return pack('CCn', 0xff, $marker, 2 + length $data) . $data }
my $jpeg = slurp("$in/base-3.jpg");
my $body = substr $jpeg, 2;
my $movie = pack('Na4', 24, 'ftyp') . 'mp42' . $secret x 20;
my $jumbf = 'JP' . pack('nN', 1, 1) . pack('Na4', 8 + length $secret, 'jumb') . $secret;
my $jfif = "JFIF\0" . pack('CCCnnCC', 1, 2, 1, 72, 72, 4, 4) . ('Z' x 48);
spurt("$in/trailer.jpg", $jpeg . $jpeg . $movie);
my $last = rindex $body, "\xff\xda";    # the thumbnail has scans, too
spurt("$in/filled.jpg", "\xff\xd8\xff\xff" . substr($body, 0, $last) . "\xff\xff" . substr($body, $last));
spurt(
    "$in/strange.jpg",
    "\xff\xd8"
        . segment(0xeb, $jumbf)
        . segment(0xe3, $secret)
        . segment(0xfe, $secret)
        . segment(0xe2, "MPF\0$secret")
        . segment(0xe0, "JFXX\0\x10" . slurp("$dir/thumbnail.jpg"))
        . segment(0xee, "Adobe\0d\0\0\0\0\1$secret")
        . segment(0xef, $secret)
        . $body
);
spurt("$in/jfif.jpg", "\xff\xd8" . segment(0xe0, $jfif) . $body);
{
    # A maker note within EXIF, and a comment between the scans of a progressive picture.
    my $note = segment(
        0xe1,
        "Exif\0\0MM\0*"
            . pack('N n nnNN N n nnNN N', 8, 1, 0x8769, 4, 1, 26, 0, 1, 0x927c, 7, length $secret, 44, 0)
            . $secret
    );
    spurt("$in/note.jpg", "\xff\xd8$note" . $body);
    my $progressive = slurp("$in/progressive.jpg");
    my $at = rindex $progressive, "\xff\xda";
    substr $progressive, $at, 0, segment(0xfe, $secret) . segment(0xe1, "http://ns.adobe.com/xap/1.0/\0$secret");
    spurt("$in/scans.jpg", $progressive);
}

sub chunk {
    my ($type, $data) = @_;
    my $crc = ~0;
    for my $byte (unpack 'C*', $type . $data) {
        $crc ^= $byte;
        $crc = $crc & 1 ? $crc >> 1 ^ 0xedb88320 : $crc >> 1 for 1 .. 8;
        $crc &= 0xffffffff;
    }
    return pack('Na4', length $data, $type) . $data . pack('N', ~$crc & 0xffffffff);
}
{
    my $png = slurp("$in/base-5.png");
    my $end = rindex($png, 'IEND') - 4;
    my $strange =
          chunk('caBX', $secret)
        . chunk('prVt', $secret)
        . chunk('iTXt', "XML:com.adobe.xmp\0\0\0\0\0<x>$secret</x>")
        . chunk('dSIG', $secret);
    spurt(
        "$in/strange.png",
        substr($png, 0, 33) . $strange . substr($png, 33, $end - 33) . $strange . substr($png, $end) . $secret . $jpeg
    );
}
sub riff { my ($data) = @_; return 'RIFF' . pack('V', 4 + length $data) . "WEBP$data" }
sub piece { my ($type, $data) = @_; return pack('a4V', $type, length $data) . $data . (length($data) % 2 ? "\0" : '') }
{
    my $webp = substr slurp("$in/lossy-7.webp"), 12;
    my $odd = "$secret!";
    spurt("$in/strange.webp", riff($webp . piece('PRIV', $odd) . piece('C2PA', $secret)) . $secret);
    # exiftool writes "Exif\0\0" first, as in a JPEG; other programs do not.
    (my $bare = $webp) =~ s/EXIF(....)Exif\0\0((?:MM|II).*)/'EXIF' . pack('V', -6 + unpack 'V', $1) . $2/se;
    ok $bare ne $webp, 'a WebP with a bare EXIF block is made';
    spurt("$in/bare.webp", riff($bare));
    my $short = riff($webp);
    substr $short, 4, 4, pack('V', 100 + length $webp);
    spurt("$in/long.webp", $short);    # declares more than its length
}
{
    my $gif = slurp("$in/animated.gif");
    my $comment = "\x21\xfe" . chr(length $secret) . $secret . "\0";
    my $private = "\x21\xff\x0bPRIVATE 1.0" . chr(length $secret) . $secret . "\0";
    my $text = "\x21\x01\x0c" . ("\0" x 12) . chr(length $secret) . $secret . "\0";
    my $head = 13 + (ord(substr $gif, 10, 1) & 0x80 ? 3 << ((ord(substr $gif, 10, 1) & 7) + 1) : 0);
    spurt(
        "$in/strange.gif",
        ''
            . substr($gif, 0, $head)
            . $comment
            . $private
            . substr($gif, $head, -1)
            . $text
            . $comment . ';'
            . $secret
            . $jpeg
    );
}
for my $name (qw(base.heic base.avif)) {
    (my $moving = $name) =~ s/base/moving/;
    spurt("$in/$moving", slurp("$in/$name") . pack('Na4', 8 + length $movie, 'mpvd') . $movie . 'SEFT' . $secret);
}
{
    my $heic = slurp("$in/base.heic");
    my $box = pack('Na4', 24 + length $secret, 'uuid') . 'c2pa' x 4 . $secret;
    my $inner = pack('Na4', 12 + length $secret, 'udes') . "\0\0\0\0" . $secret;
    # After everything that offsets refer to: between mdat and a last, empty mdat.
    spurt("$in/uuid.heic", $heic . $box . pack('Na4', 8, 'mdat'));
}

# The filter --------------------------------------------------------------------------------------

my @all = map { m{([^/]+)$} } sort glob "$in/*";
cmp_ok scalar(@all), '>', 20, 'there are more than 20 pictures';
my %said;
for my $name (@all) {
    my $said = `'$filter' '$in/$name' '$out/$name' 2>&1`;
    is $?, 0, "$name is filtered" or diag $said;
    $said{$name} = $said;
}

sub exif_of {
    my ($folder) = @_;
    my $text = qx{cd '$folder' && exiftool -q -q -j -a -G1 -s -n -b -u -ICC_Profile -all . 2>/dev/null};
    return map { $_->{SourceFile} =~ s{^\./}{}r => $_ } @{ JSON::PP->new->decode($text) };
}
my %before = exif_of($in);
my %after = exif_of($out);

my $private =
    qr/^(?:IFD0:(?!Orientation$|XResolution$|YResolution$|ResolutionUnit$)|IFD1|ExifIFD|GPS|InteropIFD|XMP|IPTC|Photoshop|MPF|MakerNotes|JUMBF|JPEG|CBOR|SubIFD)|:(?:Comment|Text|Author|Trailer\w*|ThumbnailImage|PreviewImage|ModifyDate|Artist)$/;
for my $name (@all) {
    my @left = grep { /$private/ && !/^(?:System|File:File)/ } keys %{ $after{$name} };
    my @had = grep { /$private/ } keys %{ $before{$name} };
    ok @had > 0 && !@left, "$name: of " . @had . ' private tags none remains' or diag "left: @left";
    is index(slurp("$out/$name"), $secret), -1, "$name: the secret does not occur in the bytes";
    my ($was, $is) = map { $_->{'IFD0:Orientation'} // 1 } $before{$name}, $after{$name};
    if ($name =~ /\.(?:heic|avif)$/) {
        ($was, $is) = map { $_->{'QuickTime:Rotation'} // $_->{'Meta:Rotation'} // 0 } $before{$name}, $after{$name};
    }
    is $is, $was, "$name: the orientation is unchanged";
    my ($old, $new) =
        map { Digest::MD5::md5_hex($_->{'ICC_Profile:ICC_Profile'} // $_->{'File:ICC_Profile'} // 'none') }
        $before{$name}, $after{$name};
    is $new, $old, "$name: the color profile is unchanged";
}

for my $name (@all) {
    my $all = $name =~ /^(?:animated|strange\.gif)/ ? '[n=-1]' : '';
    # libwebp refuses a file that declares more than its length; the filter repairs it.
    my $original = $name eq 'long.webp' ? 'lossy-7.webp' : $name;
    my ($was, $is) =
        map { run("vips rawsave '$_$all' $dir/pixels.raw"); Digest::MD5::md5_hex(slurp("$dir/pixels.raw")) }
        "$in/$original", "$out/$name";
    is $is, $was, "$name: the pixels are unchanged";
    cmp_ok -s "$out/$name", '<=', 64 + -s "$in/$name", "$name: it is at most 64 bytes longer";
    like $said{$name}, qr/^96x96 /, "$name: the size is reported";
}

# Container metadata ------------------------------------------------------------------------------

for my $case (
    ['progressive.jpg', 'progressive=1'], ['base.jpg', 'progressive=0'], ['interlaced.png', 'progressive=1'],
    ['base.png', 'progressive=0'], ['base-6.jpg', 'orientation=6'], ['little-6.jpg', 'orientation=6'],
    ['strange.png', 'orientation=5'],
    ['bare.webp', 'orientation=7'], ['trailer.jpg', 'orientation=3']
) {
    my ($name, $words) = @$case;
    like $said{$name}, qr/$words/, "$name: $words";
}
my @profiled = grep { /^(?:profile|cmyk)/ } @all;
cmp_ok scalar(@profiled), '>', 1, 'more than one picture has a profile';
for my $name (@profiled) {
    like $said{$name}, qr/ icc=[1-9]\d{2}/, "$name: the length of its profile is reported";
}
my ($loop_before, $loop_after) = map { () = slurp("$_/animated.gif") =~ /NETSCAPE2\.0/g } $in, $out;
is $loop_after, $loop_before, 'an animated GIF keeps its loop count';

# Damage ------------------------------------------------------------------------------------------

my $each = int($rounds / @all) + 1;
my $said = qx{cd '$dir' && '$filter' --mutate $each 1 @{[map { "in/$_" } @all]} 2>&1};
is $?, 0, $each * @all . ' damaged copies are refused or filtered' or diag $said;

done_testing();
