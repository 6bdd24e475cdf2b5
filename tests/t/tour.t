# tour.t - the README's tour with curl works, line by line.
use strict;
use warnings;
use IdentityImg::Test;
use IdentityImg::Tour;
use Test::More;

fresh_data();
take_tour((base_url() =~ /:(\d+)$/)[0], "$ENV{IIMG_WORK}/tour", 'bash');
finish();
