# Browser.pm - run a file of tests/browser against a server and relay its test results.
#
#   use IdentityImg::Browser 'browse';
#   browse('photos.mjs', base => $server->base, env => { NAME => VALUE }, only => 'part of a title');
package IdentityImg::Browser;

use strict;
use warnings;
use utf8;

use Exporter 'import';
use Test::More;
use IdentityImg::Test ();

our @EXPORT_OK = qw(browse);

sub browse {
    my ($file, %with) = @_;
    local @ENV{ keys %{ $with{env} // {} } } = values %{ $with{env} // {} };
    local $ENV{IIMG_BASE} = $with{base} // IdentityImg::Test::base_url();
    my ($told, $planned) = (0);
    open my $out, '-|:encoding(UTF-8)',
        "node '$ENV{IIMG_SOURCE}/tests/browser/$file' '" . ($with{only} // '') . "' 2>&1"
        or die "node: $!";
    while (my $line = <$out>) {
        chomp $line;
        if ($line =~ /^(not )?ok \d+ - (.*)/) { $told++; ok !$1, $2 }
        elsif ($line =~ /^1\.\.(\d+)$/) { $planned = $1 }
        else { diag $line =~ s/^# //r }
    }
    close $out;
    is $planned, $told, "$file ran all of its planned tests";
    return;
}

1;
