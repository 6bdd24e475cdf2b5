# version.t - module, tool, API, pages and CHANGES report the version of base/version.h.
use strict;
use warnings;
use IdentityImg::Test;
use Test::More;

my $source = $ENV{IIMG_SOURCE};
my ($version) = slurp("$source/mod_identityimg/base/version.h") =~ /IIMG_VERSION "(\d+\.\d+\.\d+)"/;
ok $version, 'base/version.h has a version';

my $build = "$source/build/" . ($ENV{IIMG_SANITIZE} ? 'sanitize' : 'plain');
is `'$build/identityimgctl' --version`, "identityimgctl $version\n", 'identityimgctl --version';
is json(call(GET => 'schema/'))->{info}{version}, $version, 'GET schema/';
my ($started) = slurp(state() . '/httpd/error.log') =~ m{\bmod_identityimg/(\S+) configured};
is $started, $version, 'the line of a start in the error log';
my ($newest) = slurp("$source/CHANGES") =~ /^(\d\S*) \(/m;
is $newest, $version, 'the newest section of CHANGES';

SKIP: {
    my $index = call(GET => '/');
    skip 'the pages are not built', 1 if $index->code != 200;
    my ($shown) = $index->decoded_content =~ /<meta name="identityimg-version" content="([^"]*)">/;
    is $shown, $version, 'the pages';
}

finish();
