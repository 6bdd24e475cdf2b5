# damaged.t - damaged copies of 200 small pictures in six formats, uploaded by four clients concurrently. Each
# is accepted or refused in time, and no shared process ends. IIMG_MUTATIONS (500) is the number of copies,
# IIMG_SEED the seed.
# Runs beside others.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Test;
use Test::More;
use Time::HiRes 'time';

my $sanitized = ($ENV{IIMG_SANITIZE} // '') eq '1';
my $count = $ENV{IIMG_MUTATIONS} // 500;
my $seed = $ENV{IIMG_SEED} // 20260;
my @who = qw(alice bob scenario_one scenario_two);

my $folder = "$ENV{IIMG_WORK}/corpus";
mkdir $folder;
system("$ENV{IIMG_SOURCE}/build/" . ($sanitized ? 'sanitize' : 'plain') . '/corpus', portrait(), $folder) == 0
    or die 'the corpus cannot be made';
my @seeds = map { [m{([^/]+)$}, slurp($_)] } sort glob "$folder/*";
is scalar(@seeds), 200, '200 pictures are made';
is join(' ', sort keys %{ { map { $_->[0] =~ /(\w+)$/ ? ($1 => 1) : () } @seeds } }), 'avif gif heic jpg png webp',
    'the corpus has six formats';

my $server = IdentityImg::Server->new('damaged')->start;
my $base = $server->base;
my @slots = map { json(call(POST => 'reference-images/', as => $_, base => $base, json => {}))->{id} } @who;

sub upload {
    my ($mine, $bytes) = @_;
    return call(
        POST => "reference-images/$slots[$mine]/upload-image/", as => $who[$mine], base => $base,
        parts => [image => [undef, 'a', Content => $bytes]]
    );
}

sub zygotes {
    my ($parent) = slurp($server->state . '/httpd/httpd.pid') =~ /(\d+)/;
    return map { /^\s*(\d+) identityimg-/ ? $1 : () } `ps -o pid=,comm= --ppid $parent`;
}

# A picture with bytes changed, removed, repeated, or truncated.
sub mutate {
    my ($bytes) = @_;
    for (1 .. 1 + rand 4) {
        my $at = int rand length $bytes;
        my $way = rand;
        if ($way < .55) { substr $bytes, $at, 1, chr int rand 256 }
        elsif ($way < .70) { substr $bytes, $at, 4, pack 'N', (0, 1, 0x7fffffff, 0xffffffff, 0xffff, 65536)[rand 6] }
        elsif ($way < .80) { substr $bytes, $at, 1 + rand 64, '' }
        elsif ($way < .90) { substr $bytes, $at, 0, substr $bytes, rand length $bytes, rand 64 }
        else { $bytes = substr $bytes, 0, $at }
        return $bytes if length $bytes < 20;
    }
    return $bytes;
}

my @refused = map { $_->[0] } grep { upload(0, $_->[1])->code != 200 } @seeds[grep { $_ % 7 == 0 } 0 .. $#seeds];
is "@refused", '', 'all undamaged pictures are accepted';
my @children = $server->children;
my @zygotes = zygotes();

# Each of the four uploads a quarter. Returns codes, the longest time, and unexpected responses. The time
# limit allows ten uploads a second.
my @seen = in_parallel(
    4,
    sub {
        my ($mine) = @_;
        srand $seed + $mine;
        my (%codes, %pictures, $slowest, @wrong);
        for (my $n = $mine; $n < $count; $n += 4) {
            my ($name, $bytes) = @{ $seeds[$n % @seeds] };
            $bytes = mutate($bytes);
            my $began = time;
            my $code = upload($mine, $bytes)->code;
            my $took = time - $began;
            $slowest = $took if $took > ($slowest // 0);
            $codes{$code}++;
            $pictures{ $name =~ s/.*\.//r }{$code}++;
            next if $code =~ /^(?:200|400|413)$/;
            push @wrong, "$code for number $n of seed $seed, $name";
            open my $file, '>:raw', "/tmp/iimg-damaged-$seed-$n" or next;
            print $file $bytes;
        }
        return [\%codes, $slowest, \@wrong, \%pictures];
    },
    undef,
    120 + $count / 10
);
my (%codes, %pictures);
for my $one (@seen) {
    $codes{$_} += $one->[0]{$_} for keys %{ $one->[0] };
    for my $format (keys %{ $one->[3] }) {
        $pictures{$format}{$_} += $one->[3]{$format}{$_} for keys %{ $one->[3]{$format} };
    }
}
my $sum = 0;
$sum += $_ for values %codes;
is $sum, $count, "$count damaged pictures are uploaded";
is join("\n", map { @{ $_->[2] } } @seen), '', 'each upload is accepted or refused: ' . join ', ',
    map { "$codes{$_} $_" } sort keys %codes;
for my $format (sort keys %pictures) {
    cmp_ok $pictures{$format}{400} // 0, '>', 0, "$format: some damaged pictures are refused";
    cmp_ok $pictures{$format}{200} // 0, '>', 0, "$format: some damaged pictures are accepted";
}
cmp_ok((sort { $b <=> $a } map { $_->[1] } @seen)[0], '<', 20, 'each upload takes less than 20 seconds');
my %still = map { $_ => 1 } $server->children;
is join(' ', grep { !$still{$_} } @children), '', 'no process of httpd has ended';
is join(' ', zygotes()), "@zygotes", "the worker's zygote has not ended";
is upload(0, $seeds[0][1])->code, 200, 'pictures are still decoded';

my @deaths = grep { /IIMG0130: / } $server->log_lines;
diag scalar(@deaths) . ' pictures ended their process' if @deaths;
cmp_ok scalar(@deaths), '<=', $sanitized ? 0 : $count / 100,
    'at most one picture in a hundred ended its decoding process';
is join('|', $server->sql("SELECT count(*) FROM stored_objects WHERE state <> 'live'")), '0',
    'the store has no leftovers';

$server->judge(qr/IIMG0130: /);
undef $server;
finish();
