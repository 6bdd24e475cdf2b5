# random_kills_s3.t - random_kills.t with pictures in a bucket. For `make soak`.
# Runs beside others.
use strict;
use warnings;

use Test::More;

plan skip_all => 'make soak runs it' if !$ENV{SOAK_SECONDS};
$ENV{IIMG_STORE} = 's3';
my ($folder) = __FILE__ =~ m{(.*)/};
do "$folder/random_kills.t" or die $@ || $!;
