# deps.t - scripts/deps reports pending security updates of libraries that read untrusted bytes, from apt's lists.
# Runs beside others.
use strict;
use warnings;
use IdentityImg::Server ();
use IdentityImg::Test;
use Test::More;

my $source = $ENV{IIMG_SOURCE};
my $bin = "$ENV{IIMG_WORK}/deps-bin";
mkdir $bin;

# Run `scripts/deps SET` with a script instead of apt-get: (status, text of both streams).
sub said {
    my ($set, $script) = @_;
    open my $file, '>', "$bin/apt-get" or die $!;
    print $file "#!/bin/sh\necho \"\$*\" >>'$bin/asked'\n$script";
    close $file;
    chmod 0755, "$bin/apt-get";
    unlink "$bin/asked";
    my $out = `PATH='$bin':"\$PATH" '$source/scripts/deps' $set 2>&1 </dev/null`;
    return ($? >> 8, $out);
}

my $security = <<'APT';
cat <<'LINES'
Inst libpng16-16 [1.6.39-2] (1.6.39-2+deb12u1 Debian-Security:12/stable-security [amd64])
Inst libheif1:amd64 [1.15.1-1] (1.15.1-1+deb12u1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64]) []
Inst libvips42 [8.14.1-3] (8.14.1-3+deb12u2 Debian:12.15/oldstable [amd64])
Inst libvips-dev [8.14.1-3] (8.14.1-3+deb12u2 Debian-Security:12/stable-security [amd64])
Inst bash [5.2.15-2] (5.2.15-2+b13 Debian-Security:12/stable-security [amd64])
Conf libwebp7 (1.2.4-0.2+deb12u1 Debian-Security:12/stable-security [amd64])
LINES
APT
my ($status, $out) = said('run', $security);
is $status, 0, 'with pending security updates scripts/deps exits with 0';
my $sudo = $> ? 'sudo ' : '';
is $out,
    "Security updates are pending for libraries that read strangers' bytes; install them with:\n    ${sudo}apt-get "
    . "install --only-upgrade libpng16-16 libheif1\n",
    'scripts/deps names the updates of libraries that read untrusted bytes, and the command, and nothing else';
like slurp("$bin/asked"), qr/^-s .*\bupgrade$/, 'apt-get is called with -s upgrade';
is scalar(() = slurp("$bin/asked") =~ /\n/g), 1, 'apt-get is called once';

for my $case (
    ['no pending update', 'echo "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded."'],
    ['an apt-get that fails', "echo 'E: Could not get lock' >&2\nexit 100\n"],
    ['an apt-get that dies', "kill -KILL \$\$\n"],
) {
    my ($what, $script) = @$case;
    is join(' ', said('run', $script)), '0 ', "$what causes no message and no failure";
}
is join(' ', said('build', $security)), '0 ', 'scripts/deps build does not report updates';
ok !-e "$bin/asked", 'scripts/deps build does not call apt-get';

# A start of the server does not wait for apt's lists.
my $fifo = "$bin/answer";
system('mkfifo', $fifo) == 0 or die 'mkfifo failed';
open my $file, '>', "$bin/apt-get" or die $!;
print $file "#!/bin/sh\ncat '$fifo'\n";
close $file;
is system("PATH='$bin':\"\$PATH\" '$source/scripts/deps' run >/dev/null 2>'$bin/later' </dev/null"), 0,
    'scripts/deps exits before apt-get does';
is slurp("$bin/later"), '', 'scripts/deps prints nothing before apt-get finishes';
open my $answer, '>', $fifo or die $!;
print $answer "Inst libde265-0 [1] (2 Debian-Security:12/stable-security [amd64])\n";
close $answer;
ok IdentityImg::Server::eventually(sub { slurp("$bin/later") =~ / libde265-0$/m }),
    'scripts/deps reports the updates when apt-get finishes';
done_testing();
