# fuzz.t - a minute of fuzzing for all code that reads untrusted bytes: no overrun, no undefined behavior, no
# leak, no hang, and the assertions of tests/fuzz/*_fuzz.c hold.
# Runs beside others.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use Test::More;

my $source = $ENV{IIMG_SOURCE} // '.';
my $work = $ENV{IIMG_WORK} // '/tmp';
my $minute = 60;

my @targets = map { m{/(\w+)_fuzz\.c$} } sort glob "$source/tests/fuzz/*_fuzz.c";
open my $probe, '>', "$work/probe.c" or die $!;
print $probe "int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long length);\n"
    . "int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long length) { return 0; }\n";
close $probe;
plan skip_all => 'clang with libFuzzer is not installed (scripts/deps fuzz installs it)'
    if system("clang -fsanitize=fuzzer,address -o '$work/probe' '$work/probe.c' >/dev/null 2>&1") != 0;

my $built = `make -C '$source' fuzzers 2>&1`;
is $?, 0, 'the fuzz targets are built' or diag $built;
cmp_ok scalar(@targets), '>', 5, 'there are more than five targets';

for my $target (@targets) {
    my @seeds = glob "$source/tests/fuzz/corpus/$target/*";
    ok @seeds && -s "$source/tests/fuzz/dictionaries/$target.dict",
        "$target has a seed corpus and a dictionary";
}

for my $case (
    ['overrun', 'a read beyond an allocation in a pool', qr/heap-buffer-overflow/],
    ['leak', 'a memory leak', qr/LeakSanitizer: detected memory leaks/]
) {
    my ($canary, $what, $report) = @$case;
    my $said =
        `FUZZ_CANARY=$canary ASAN_OPTIONS=detect_leaks=1 '$source/build/fuzz/fuzz/$targets[0]_fuzz' -runs=1 -artifact_prefix='$work/' 2>&1`;
    isnt $?, 0, "$what ends a target";
    like $said, $report, "the sanitizer reports $what";
}

my $seconds = int($minute / @targets) || 1;
my @said = split /\n/, `FUZZ_SECONDS=$seconds FUZZ_FOUND='$work/found' '$source/tests/fuzz/run' 2>&1`;
my $status = $?;
for my $target (@targets) {
    my ($line) = grep { /^\Q$target\E\s/ } @said;
    my ($runs) = ($line // '') =~ /\s(\d+) runs/;
    cmp_ok $runs // 0, '>', 100, "$target ran" . ($runs ? " $runs times" : '');
    like $line, qr/nothing broke$/, "$target found nothing";
}
is $status, 0, 'all targets exit with 0' or diag join "\n", @said;

done_testing();
