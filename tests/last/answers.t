# answers.t - all API responses recorded by the tests match openapi.json: paths, statuses, headers, members.
# tests/run runs it last.
use strict;
use warnings;
use Test::More;

plan skip_all => 'no response was recorded' if !$ENV{IIMG_ANSWERS} || !-s $ENV{IIMG_ANSWERS};
my ($major) = (`node --version 2>/dev/null` // '') =~ /^v(\d+)/;
plan skip_all => 'this needs Node 18 or newer' if ($major // 0) < 18;
exec 'node', "$ENV{IIMG_SOURCE}/tests/schema/answers.mjs", $ENV{IIMG_ANSWERS};
