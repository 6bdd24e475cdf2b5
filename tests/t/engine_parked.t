# engine_parked.t - as engine.t, with connections that wait without a thread.
# Runs beside others.
use strict;
use warnings;

$ENV{IIMG_PARK} = 1;
my ($folder) = __FILE__ =~ m{(.*)/};
do "$folder/engine.t" or die $@ || $!;
