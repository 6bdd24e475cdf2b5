# structure.t - the sources keep their own rules: includes point down, headers stand alone, tags are
# told, statements are used.
use strict;
use warnings;
use File::Find ();
use Test::More;

my $source = $ENV{IIMG_SOURCE} // '.';
my $module = "$source/mod_identityimg";
my @files;
File::Find::find({ no_chdir => 1, wanted => sub { push @files, $_ if /\.[ch]$/ } }, $module);
@files = sort @files;
my %text = map { $_ => slurp($_) } @files;

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!";
    local $/;
    return scalar <$file>;
}

cmp_ok scalar(@files), '>', 100, 'the module has sources';

# The unit tests of a source are found by its name.
my %source_of = map { m{([^/]+)\.c$} ? ($1 => 1) : () } @files;
my @tests;
File::Find::find({ no_chdir => 1, wanted => sub { push @tests, $1 if m{([^/]+)_test\.c$} } }, "$source/tests/unit");
cmp_ok scalar(@tests), '>', 20, 'there are unit tests';
is join(' ', grep { !$source_of{$_} } sort @tests), '', 'each unit test has the name of the source that it is about';

# The higher the number the higher the floor; what shares a number may look at one another.
my @floors = (
    [qr{^base/}, 0], [qr{^openapi\.}, 0], [qr{^models/}, 1], [qr{^services/}, 1], [qr{^worker/}, 2], [qr{^functions/shared/}, 2],
    [qr{^functions/public/}, 3], [qr{^functions/admin/}, 4], [qr{^serializers/}, 5], [qr{^ctl/}, 5], [qr{^server/}, 6],
    [qr{^views/}, 7], [qr{^routes\.}, 8], [qr{^mod_identityimg\.}, 9],
);

sub floor_of {
    my ($name) = @_;
    for (@floors) { return $_->[1] if $name =~ $_->[0] }
    return -1;
}

sub own_includes { my ($text) = @_; return $text =~ /^#include "([^"]+)"/mg }

my (@up, @strays, %where);
for my $path (@files) {
    my $name = substr $path, 1 + length $module;
    for my $include (own_includes($text{$path})) {
        push @strays, "$name: $include" if !-f "$module/$include";
        push @up, "$name -> $include" if floor_of($include) > floor_of($name);
    }
    push @{$where{$1}}, $name while $text{$path} =~ /#include <(httpd|http_\w+|ap_\w+|mod_\w+|util_\w+|vips\/vips|curl\/curl|gmime\/gmime)\.h>/g;
}
is "@up", '', 'no file includes one of a floor above it';
my @foreign;
for my $path (@files) {
    my $name = substr $path, 1 + length $module;
    for my $include (own_includes($text{$path})) {
        push @foreign, "$name -> $include" if $name =~ m{^worker/metadata} ? $include !~ m{^(?:worker/metadata\w*|services/edit|base/media_type)\.h$}
            : $include =~ m{^worker/metadata} && $name !~ m{^worker/};
    }
}
is "@foreign", '', 'the metadata filter needs nothing but edits and media types, and only worker/ knows it';
is "@strays", '', 'each include in quotes is a file of ours, named from the top';

my @httpd = grep { /^(?:httpd|http_|ap_|mod_|util_)/ } keys %where;
is join(' ', grep { !m{^(?:server/|mod_identityimg\.c|routes\.)} } map { @{$where{$_}} } @httpd), '', 'httpd\'s headers are seen in server/ and at the top alone';
is join(' ', grep { !m{^worker/} } @{$where{'vips/vips'} // []}), '', 'libvips is seen in worker/ alone';
is join(' ', grep { !m{/worker/} && $text{$_} =~ m{^#include "worker/}m } @files), '', 'and nothing of worker/ elsewhere';
is join(' ', grep { !m{^base/http} } @{$where{'curl/curl'} // []}), '', 'libcurl is seen in base/http*.c alone';
is join(' ', grep { $_ ne 'base/multipart.c' } @{$where{'gmime/gmime'} // []}), '', 'GMime is seen in base/multipart.c alone';

# Each header compiles alone.
chomp(my $flags = `pkg-config --cflags apr-1 apr-util-1 libpq jansson gmime-3.0 vips libcurl libcrypto`);
chomp(my $httpd = `apxs -q INCLUDEDIR`);
my @broken = grep { system("gcc -std=gnu11 -fsyntax-only -x c -I'$module' $flags -isystem '$httpd' '$_' 2>/dev/null") != 0 }
    grep { /\.h$/ } @files;
is "@broken", '', 'each header compiles alone';

# Each file says what it owns.
my @silent = grep { my ($base) = m{([^/]+)$}; $text{$_} !~ m{^/\* \Q$base\E - \S} } @files;
is "@silent", '', 'the first line of each file says what it owns';

# Tags of log lines are told in the README.
my $readme = slurp("$source/README.md");
my %tags = map { $_ => 1 } map { /"(IIMG\d{4})/g } values %text;
is join(' ', grep { $readme !~ /\b$_\b/ } sort keys %tags), '', 'each tag of the log is in the README';
is join(' ', grep { !$tags{$_} } sort { $a cmp $b } $readme =~ /\b(IIMG\d{4})\b/g), '', 'each tag of the README is in the code';

# Statements: labels are unique and each statement is run.
my (%labels, @unused);
for my $path (@files) {
    my %named = $text{$path} =~ /iimg_statement_t (\w+) = \{\s*"(\w+)"/g;
    while (my ($name, $label) = each %named) {
        push @{$labels{$label}}, $path;
        push @unused, $label if (() = $text{$path} =~ /&$name\b/g) == 0;
    }
}
cmp_ok scalar(keys %labels), '>', 10, 'statements are found';
is join(' ', grep { @{$labels{$_}} > 1 || !/^iimg_/ } sort keys %labels), '', 'labels begin with iimg_ and are unique';
is "@unused", '', 'each statement is used';

# Points at which a test build can fail: the table names those that the code passes, the product has none.
my %passed = map { $_ => 1 } map { /IIMG_FAULT\("([\w.]+)"\)/g } map { $text{$_} } grep { !m{/fault\.[ch]$} } @files;
my ($table) = $text{"$module/base/fault.c"} =~ /iimg_fault_points\[\] = \{(.*?)\};/s;
is join(' ', sort keys %passed), join(' ', sort $table =~ /"(\w+\.\w+)"/g), 'the table of fault points is the points that the code passes';
my $built = "$source/build/" . ($ENV{IIMG_SANITIZE} ? 'sanitize' : 'plain');
is scalar(grep { slurp($_) =~ /IIMG_FAULT_FILE|\bsweep\.removed\b/ } "$built/mod_identityimg.so", "$built/identityimgctl"), 0, 'what is shipped holds none of them';

done_testing();
