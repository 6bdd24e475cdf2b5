# Tour.pm - run the README's tour with curl, line by line, against a server.
#
#   use IdentityImg::Tour;
#
#   take_tour($port, "$ENV{IIMG_WORK}/tour", 'bash');     # the rest: the command that runs the script
package IdentityImg::Tour;

use strict;
use warnings;

use Exporter 'import';
use IdentityImg::Test;
use Test::More;

our @EXPORT = qw(take_tour);

sub take_tour {
    my ($port, $here, @shell) = @_;
    my ($tour) = slurp("$ENV{IIMG_SOURCE}/README.md") =~ /^## A tour with curl.*?^```sh\n(.*?)^```/ms;
    ok $tour, 'the README has a tour';
    mkdir $here;
    symlink "$ENV{IIMG_SOURCE}/tests", "$here/tests";
    $tour =~ s/127\.0\.0\.1:8080/127.0.0.1:$port/g;

    # Each command's output goes to its own files; one shell keeps the variables.
    my $n = 0;
    open my $script, '>', "$here/tour.sh" or die $!;
    print $script "set -o pipefail\ncd '$here'\n";
    for my $line (grep { /\S/ && !/^#/ } split /\n/, $tour) {
        $n++;
        print $script "$line >out.$n 2>err.$n; echo \$? >rc.$n\n" =~ s/^(\w+=\S+) >out\.\d+ 2>err\.\d+/$1/r;
    }
    close $script;
    cmp_ok $n, '>', 10, 'the tour has more than ten lines';
    is system(@shell, "$here/tour.sh"), 0, 'the tour runs to its end';
    for my $i (1 .. $n) {
        is slurp("$here/rc.$i"), "0\n", "line $i succeeds" or diag slurp("$here/tour.sh") =~ s/^/$. /mgr;
    }

    my $text = slurp("$here/tour.sh");
    my $out = sub {
        my ($like) = @_;
        return join '',
            map { slurp("$here/out.$_") } grep { -e "$here/out.$_" && $text =~ /^\N*\Q$like\E\N*>out\.$_ /m } 1 .. $n;
    };
    like $out->('/users/me/'), qr/"email":"admin\@example\.com"/, 'the caller is the admin';
    like $out->('image-generation/users/'), qr/Ada Admin.*Scenario One.*Scenario Two/s,
        'the list has the users to generate pictures for';
    like $out->('-X PATCH'), qr/"Eileen"/, 'the photo is renamed';
    like $out->('tee generated.json'), qr/"state": "succeeded".*"width": 2752.*"height": 1536/s,
        'a picture is generated in 2K';
    like $out->('prompt_used'), qr/Creative Visionary.*Warm light/s,
        'its prompt has the texts of the identity and of the admin';
    like $out->('delete-image'), qr/^null$/m, 'the identity has no picture';
    like $out->('-X DELETE -o'), qr/^204$/m, 'the photo is deleted';
    like `vipsheader '$here/picture.jpg'`, qr/2752x1536/, 'the picture has its size in the downloaded file';
    like `vipsheader '$here/medium.jpg'`, qr/300x300/, 'the derivative fits in 300 x 300';
    return;
}

1;
