# clients.t - generated clients for the server's description compile and complete the main tasks.
# Runs beside others.
use strict;
use warnings;
use utf8;
use IdentityImg::Server;
use IdentityImg::Test;
use Test::More;

my $clients = "$ENV{IIMG_SOURCE}/tests/clients";
my ($major) = (`node --version 2>/dev/null` // '') =~ /^v(\d+)/;
plan skip_all => 'the generators need Node 18 or newer' if ($major // 0) < 18;
ok -d "$clients/node_modules", 'the generators are installed (scripts/node-packages tests/clients)'
    or BAIL_OUT('npm could not install them');

my $server = IdentityImg::Server->new('clients')->start;
my $user = '00000000-0000-4000-8000-0000000000d1';
my $identity = '00000000-0000-4000-8000-0000000000f1';

for my $generator (qw(openapi-fetch hey-api orval oazapfts)) {
    subtest $generator => sub {
        my $folder = "$ENV{IIMG_WORK}/client-$generator";
        my @lines = split /\n/,
            `cd '$clients' && timeout 300 node run.mjs $generator '@{[$server->base]}/api/v1' '$folder' $user $identity '$ENV{IIMG_SOURCE}/tests/data/portrait.png' 2>&1 </dev/null`;
        my $code = $? >> 8;
        plan skip_all => $lines[-1] if $code == 3;
        my @steps = map { /^(not )?ok - (.*)/ ? [!$1, $2] : () } @lines;
        ok $_->[0], $_->[1] for @steps;
        is scalar(@steps), 11, 'the client ran all steps';
        is $lines[-1], 'done', 'the client ran to its end' or diag join "\n", @lines;
    };
}

$server->judge(qr/IIMG0041: /);
undef $server;
finish();
