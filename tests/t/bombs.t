# bombs.t - hostile pictures are refused by their headers, or lose the data that makes them large before a
# decoder reads it, quickly and with little memory. (tests/bench measures them.)
# Runs beside others.
use strict;
use warnings;
use IdentityImg::Bombs 'bombs';
use IdentityImg::Server;
use IdentityImg::Test;
use Test::More;
use Time::HiRes 'time';

my $server = IdentityImg::Server->new('bombs')->start;
my $base = $server->base;
my $slot = json(call(POST => 'reference-images/', as => 'alice', base => $base, json => {}))->{id};
my @children = $server->children;

my %says = (
    too_many_pixels => qr/^The picture has \d+\.\d megapixels \(\d+ x \d+\); at most 64 are allowed\.$/,
    unsupported_image => qr/^The picture's color profile has \d+\.\d MB; at most 4 are allowed\.$/
);
for my $case (bombs()) {
    my ($what, $status, $code, $make) = @$case;
    my $bytes = $make->();
    my $began = time;
    my $answer = call(
        POST => "reference-images/$slot/upload-image/", as => 'alice', base => $base,
        parts => [image => [undef, 'a', Content => $bytes]]
    );
    my $took = time - $began;
    my $said = json($answer);
    is $answer->code, $status, "$what (" . length($bytes) . ' bytes) is ' . ($status == 200 ? 'taken' : 'refused')
        or diag($answer->content), next;
    cmp_ok $took, '<', 10, sprintf "$what took %.2f s", $took;
    if ($status != 200) {
        is $said->{code}, $code, "$what has the expected code";
        like $said->{detail}, $says{$code}, "the sentence about $what has numbers";
        next;
    }
    my $sizes = join ' ', map {
        my $file = "$ENV{IIMG_WORK}/bomb.jpg";
        open my $out, '>:raw', $file or die $!;
        print $out call(GET => $said->{image}{$_}, base => $base)->content;
        close $out;
        `vipsheader '$file'` =~ /: (\d+x\d+) / ? $1 : '?'
    } qw(thumbnail large);
    is $sizes, $what =~ /GIF/ ? '1x1 1x1' : '64x64 64x64', "$what shows its picture";
    my $kept = call(GET => $said->{image}{original}, base => $base)->content;
    cmp_ok length $kept, '<', $what =~ /frames|profile/ ? 1 + length $bytes : 2000,
        "only the needed bytes of $what are stored";
}
my %still = map { $_ => 1 } $server->children;
is join(' ', grep { !$still{$_} } @children), '', 'no process of httpd has ended';

$server->judge;
undef $server;
finish();
