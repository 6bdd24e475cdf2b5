# kill_points_s3.t - kill_points.t with pictures in a bucket, which finally keeps versions.
# Runs beside others.
use strict;
use warnings;

$ENV{IIMG_STORE} = 's3';
my ($folder) = __FILE__ =~ m{(.*)/};
do "$folder/kill_points.t" or die $@ || $!;
