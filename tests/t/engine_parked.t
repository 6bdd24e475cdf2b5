# engine_parked.t - engine.t with parked connections, which wait without a thread.
# Runs beside others.
use strict;
use warnings;

$ENV{IIMG_PARK} = 1;
my ($folder) = __FILE__ =~ m{(.*)/};
do "$folder/engine.t" or die $@ || $!;
