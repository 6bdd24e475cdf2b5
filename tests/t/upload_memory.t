# upload_memory.t - sixteen uploads of 20 MB at once: what all processes of httpd have in memory together.
use strict;
use warnings;
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Test;
use Test::More;
use Time::HiRes 'sleep';

plan skip_all => 'a sanitizer needs several times the memory' if $ENV{IIMG_SANITIZE};
my $server = IdentityImg::Server->new('memory')->start;
my ($count, $most) = (16, 600);

# A JPEG of 20 MB: a real one, and bytes behind its end that no decoder looks at.
my $photo = slurp(make_jpeg(3000, 2000));
$photo .= 'x' x (20 * 1024 * 1024 - length $photo);

# Megabytes that the processes have, what they share counted once, and the bodies that are still on
# their way into memory files, which no process has mapped yet.
sub memory {
    my $sum = 0;
    for my $pid ($server->children) {
        for my $fd (glob "/proc/$pid/fd/*") { $sum += (-s $fd // 0) / 1024 if (readlink $fd // '') =~ /^\/memfd:identityimg-body/ }
        open my $file, '<', "/proc/$pid/smaps_rollup" or next;
        while (<$file>) { $sum += $1 if /^Pss:\s+(\d+)/ }
    }
    return $sum / 1024;
}

my $idle = memory();
my $peak = 0;
my $done = "$ENV{IIMG_WORK}/uploads-done";
my @answers = in_parallel($count, sub {
    my $who = (qw(alice bob scenario_one scenario_two))[$_[0] % 4];
    my $code = call(POST => 'reference-images/', as => $who, base => $server->base, parts => [image => [undef, 'big.jpg', Content => $photo]])->code;
    open my $file, '>>', $done;
    syswrite $file, '.';
    return $code;
}, sub {
    eventually(sub { my $now = memory(); $peak = $now if $now > $peak; (-s $done // 0) >= $count }, 100);
});
is join(' ', @answers), join(' ', (201) x $count), "$count uploads of 20 MB at once are taken";
diag sprintf '%d MB before, %d MB at most', $idle, $peak;
cmp_ok $peak, '<', $most, "... within $most MB";
my $after = memory();
eventually(sub { ($after = memory()) < $idle + 150 }, 10);
cmp_ok $after, '<', $idle + 150, '... which are given back';

$server->judge;
done_testing();
