# random_kills_s3.t - as random_kills.t, with pictures in a bucket.
use strict;
use warnings;

$ENV{IIMG_STORE} = 's3';
my ($folder) = __FILE__ =~ m{(.*)/};
do "$folder/random_kills.t" or die $@ || $!;
