# upload_memory.t - sixteen concurrent uploads of 20 MB: the total memory of httpd's processes.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Test;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'a sanitizer needs several times the memory' if $ENV{IIMG_SANITIZE};
my $server = IdentityImg::Server->new('memory')->start;
my ($count, $most) = (16, 600);

# A JPEG of 20 MB: a real one followed by bytes that no decoder reads.
my $photo = slurp(make_jpeg(3000, 2000));
$photo .= 'x' x (20 * 1024 * 1024 - length $photo);

# httpd's processes, the worker's included.
sub processes {
    my @all = $server->children;
    for (my $i = 0; $i < @all; $i++) {
        open my $file, '<', "/proc/$all[$i]/task/$all[$i]/children" or next;
        push @all, split ' ', readline($file) // '';
    }
    return @all;
}

# Megabytes of the processes, with shared memory counted once, plus the bodies in memory files, counted once whether
# open, mapped, or both.
sub memory {
    my ($sum, %body) = (0);
    for my $pid (processes()) {
        for my $fd (glob "/proc/$pid/fd/*") {
            next if (readlink $fd // '') !~ /^\/memfd:identityimg-body/;
            my ($inode, $size) = (stat $fd)[1, 7] or next;
            $body{$inode} = $size;
        }
        open my $file, '<', "/proc/$pid/smaps" or next;
        my $mapped;
        while (<$file>) {
            if (/^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ (\d+)\s*(.*)/) {
                my ($from, $to, $inode, $name) = ($1, $2, $3, $4);
                $mapped = $name =~ /^\/memfd:identityimg-body/;
                $body{$inode} //= hex($to) - hex($from) if $mapped;
            }
            elsif (!$mapped && /^Pss:\s+(\d+)/) { $sum += $1 * 1024 }
        }
    }
    $sum += $_ for values %body;
    return $sum / 1024 / 1024;
}

# Send all but the last byte of an upload, and the rest when all uploads are at that point.
my ($here, $go) = map { "$ENV{IIMG_WORK}/uploads-$_" } qw(here go);

sub upload {
    my ($number) = @_;
    my $body =
        "--XX\r\nContent-Disposition: form-data; name=\"image\"; filename=\"big.jpg\"\r\n\r\n$photo\r\n--XX--\r\n";
    my $socket = IO::Socket::INET->new($server->base =~ s{^http://}{}r) or return "connect: $!";
    my $request = join "\r\n", 'POST /api/v1/reference-images/ HTTP/1.1', 'Host: x', 'Connection: close',
        'Authorization: ' . login((qw(alice bob scenario_one scenario_two))[$number % 4]),
        'Content-Type: multipart/form-data; boundary=XX', 'Content-Length: ' . length $body, '', $body;
    for (my $at = 0; $at < length($request) - 1;) {
        $at += syswrite($socket, $request, length($request) - 1 - $at, $at) // return "write: $!";
    }
    open my $file, '>>', $here or return "$here: $!";
    syswrite $file, '.';
    eventually(sub { -e $go }, 120);
    syswrite $socket, substr $request, -1;
    return (readline($socket) // '') =~ /^HTTP\/1\.1 (\d+)/ ? $1 : 'no response';
}

my $idle = memory();
my ($peak, $waiting) = (0, 0);
my @answers = in_parallel(
    $count,
    \&upload,
    sub {
        eventually(sub { (-s $here // 0) >= $count }, 120) or die 'the uploads do not arrive';
        $waiting = memory();
        open my $file, '>', $go or die $!;
        my $end = time + 120;
        my $quiet = 0;
        while ($quiet < 10 && time < $end) {
            my $now = memory();
            $peak = $now if $now > $peak;
            $quiet = $now < $idle + 150 ? $quiet + 1 : 0;
            sleep 0.05;
        }
    }
);
is join(' ', @answers), join(' ', (201) x $count), "$count concurrent uploads of 20 MB succeed";
diag sprintf '%d MB before, %d MB when all have arrived, peak %d MB', $idle, $waiting, $peak;
cmp_ok $waiting, '>=', $count * 20, 'all uploads are in memory at the same time';
cmp_ok $peak, '<', $most, "the memory stays below $most MB";
my $after = memory();
eventually(sub { ($after = memory()) < $idle + 150 });
cmp_ok $after, '<', $idle + 150, 'the memory is released afterwards';

$server->judge;
done_testing();
