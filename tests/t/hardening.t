# hardening.t - the built files have the compiler's and linker's protections, and packagers' flags reach the commands.
# Runs beside others.
use strict;
use warnings;
use IdentityImg::Test;
use Test::More;

plan skip_all => 'a sanitized build has other protections' if ($ENV{IIMG_SANITIZE} // '') eq '1';

my $source = $ENV{IIMG_SOURCE};
my %files = (
    'mod_identityimg.so' => 'a library',
    'identityimg-worker' => 'a program',
    'identityimgctl' => 'a program',
);

sub readelf { my ($option, $name) = @_; return scalar `LC_ALL=C readelf -W $option '$source/build/plain/$name' 2>&1` }

chomp(my $machine = `gcc -dumpmachine`);
for my $name (sort keys %files) {
    my $headers = readelf('-lh', $name);
    my $dynamic = readelf('-d', $name);
    my $symbols = readelf('--dyn-syms', $name);
    like $headers, qr/GNU_RELRO/, "$name: relocations become read-only";
    like $dynamic, qr/BIND_NOW|FLAGS_1.*\bNOW\b/, "$name: all symbols are bound at start";
    unlike $headers, qr/GNU_STACK\s.*\bRWE\b/, "$name: the stack is not executable";
    like $headers, qr/Type:\s+DYN/, "$name: position-independent";
    like $dynamic, qr/FLAGS_1.*\bPIE\b/, "$name: a PIE" if $files{$name} eq 'a program';
    like $symbols, qr/__stack_chk_fail/, "$name: stack protector";
    like $symbols, qr/__\w+_chk\b(?!_fail)/, "$name: fortified calls";
    unlike $dynamic, qr/\((?:TEXTREL|RPATH|RUNPATH)\)/, "$name: no text relocations, no library paths";
}

# The linker marks a file as protected only if all of its objects are, and Debian 12's crti.o is not. So the objects
# are looked at.
SKIP: {
    skip "no control-flow protection on $machine", 2 if $machine !~ /^(?:x86_64|i[3-6]86)-/;
    my @objects = split /\n/, `find '$source/build/plain/mod_identityimg' -name '*.o'`;
    @objects =
        grep { my $name = s{.*/build/plain/}{}r =~ s/\.o$//r; -f "$source/$name.c" || -f "$source/$name.S" } @objects;
    cmp_ok scalar(@objects), '>', 200, 'the module, its worker and identityimgctl have objects';
    my $notes = `LC_ALL=C readelf -nW @{[map { "'$_'" } @objects]}`;
    my $protected = () = $notes =~ /x86 feature: IBT, SHSTK/g;
    is $protected, scalar(@objects), 'all of them have control-flow protection';
}

# Flags of a packager follow ours and so prevail.
my %variables = (
    CPPFLAGS => ['-DIIMG_PROBE_CPP', qr/-Imod_identityimg .*-DIIMG_PROBE_CPP .*-c -o/],
    CFLAGS => ['-O1 -DIIMG_PROBE_C', qr/-O2 .*-O1 -DIIMG_PROBE_C .*-c -o/],
    LDFLAGS => ['-Wl,-z,iimg-probe', qr/-Wl,-z,now .*-Wl,-z,iimg-probe .*-o \S+mod_identityimg\.so/],
);
for my $variable (sort keys %variables) {
    my ($value, $expected) = @{ $variables{$variable} };
    for my $way ("$variable='$value' make", "make $variable='$value'") {
        my $commands = `cd '$source' && env -u MAKEFLAGS -u MAKELEVEL $way -Bn CLIENT=0 build 2>&1`;
        like $commands, $expected, "$way: the commands have it";
    }
}
my $fortify = `cd '$source' && env -u MAKEFLAGS -u MAKELEVEL CPPFLAGS=-D_FORTIFY_SOURCE=3 make -Bn CLIENT=0 build 2>&1`;
unlike $fortify, qr/_FORTIFY_SOURCE=2/, "a packager's _FORTIFY_SOURCE replaces ours";
my $sanitized = `cd '$source' && env -u MAKEFLAGS -u MAKELEVEL make -Bn CLIENT=0 SANITIZE=1 build 2>&1`;
unlike $sanitized, qr/_FORTIFY_SOURCE|-fstack-protector/, 'a sanitized build has neither';

finish();
