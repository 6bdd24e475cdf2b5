# structure.t - rules of the sources: includes point down, headers compile alone, log tags are documented, statements
# are used.
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

cmp_ok scalar(@files), '>', 100, 'the module has more than 100 sources';

# The path of a unit test is that of its source.
my @tests;
File::Find::find(
    { no_chdir => 1, wanted => sub { push @tests, $1 if m{/tests/unit/(.+)_test\.c$} } },
    "$source/tests/unit"
);
cmp_ok scalar(@tests), '>', 20, 'there are more than 20 unit tests';
my @headers = glob "$source/tests/unit/*.h";
is join(
    ' ',
    grep { my ($name) = m{([^/]+)$}; system('grep', '-rqF', "#include \"$name\"", "$source/tests/unit") != 0 } @headers
    ),
    '', 'each header of the unit tests is included';
is join(' ', grep { !-f "$module/$_.c" } sort @tests), '', 'each unit test has the path of the source that it tests';

# The rooms: each folder with the folders whose headers its files may include. Anything else is refused.
my %rooms = (
    'base' => '',
    'base/db' => 'base',
    'base/http' => 'base',
    'base/json' => 'base',
    'base/input' => 'base base/json',
    'models' => 'base base/db services/generator services/pictures',
    'services/accounts' => 'base',
    'services/generator' => 'base',
    'services/pictures' => 'base',
    'services/gemini' => 'base base/http base/json services/generator services/pictures',
    'services/s3' => 'base base/http base/json',
    'services/storage' => 'base services/pictures services/s3',
    'services' => 'base services/gemini services/generator services/pictures services/storage',
    'worker/metadata' => 'base services/pictures',
    'worker' => 'base services/pictures worker/metadata',
    'functions/shared' =>
        'base base/db base/input base/json models services services/accounts services/generator services/s3',
    'functions/public' => 'functions/shared models services/accounts',
    'functions/admin' =>
        'base base/input functions/public functions/shared models services services/accounts services/gemini '
        . 'services/generator',
    'serializers' => 'base base/json functions/admin services',
    'ctl' => 'base base/db base/http functions/admin functions/shared models services services/s3',
    'server/config' => 'base services services/gemini services/generator services/s3 services/storage',
    'server/database' => 'base base/db models server/config',
    'server/http' => 'base base/input base/json functions/shared models server/config server/database',
    'server/authn' => 'base functions/shared models server/config server/http services/accounts',
    'server/jobs' => 'base base/http functions/admin models server/config server/database server/http services',
    'server' => 'base functions/shared models server/config server/database server/http services/pictures',
    'views' => 'base base/json functions/admin functions/public functions/shared models openapi serializers server '
        . 'server/authn server/http'
        . ' server/jobs services services/accounts services/gemini services/generator',
    'openapi' => '',
    'routes' => 'base functions/shared server/authn server/http views',
    'mod_identityimg' =>
        'base base/http base/input functions/shared routes server server/authn server/config server/database '
        . 'server/http server/jobs',
);

# @return the room of a file: its folder; a file at the top is a room by itself
sub room_of { my ($name) = @_; return $name =~ m{^(.*)/} ? $1 : $name =~ s/\..*//r }

sub own_includes { my ($text) = @_; return $text =~ /^#include "([^"]+)"/mg }

my (@strays, @unlisted, %used, %where);
for my $path (@files) {
    my $name = substr $path, 1 + length $module;
    my $room = room_of($name);
    for my $include (own_includes($text{$path})) {
        my $other = room_of($include);
        push @strays, "$name: $include" if !-f "$module/$include";
        next if $other eq $room;
        $used{$room}{$other} = 1;
        push @unlisted, "$name -> $include" if !grep { $_ eq $other } split ' ', $rooms{$room} // '';
    }
    push @{ $where{$1} }, $name
        while $text{$path} =~
        /#include <(httpd|http_\w+|ap_\w+|mod_\w+|util_\w+|vips\/vips|curl\/curl|gmime\/gmime)\.h>/g;
}
is "@unlisted", '', 'includes between folders follow the table of rooms';
is join(
    ' ',
    map {
        my $room = $_;
        grep { !$used{$room}{$_} } split ' ', $rooms{$room}
    } sort keys %rooms
    ),
    '', 'each arrow in the table is used';
is join(' ', grep { !$rooms{$_} && $_ !~ /^(?:base|openapi)$/ } map { room_of(substr $_, 1 + length $module) } @files),
    '', 'each folder is in the table';

# Remove each room whose includes are all removed; the remaining ones are in a circle.
my %left = %rooms;
while (
    my @done = grep {
        !grep { exists $left{$_} } split ' ', $left{$_}
    } keys %left
) {
    delete @left{@done};
}
is join(' ', sort keys %left), '', 'the rooms have no circle of includes';

# The same for the files within a room: X.c and X.h are one node. Exempt are pairs that share one header: a
# file and the part of it that was split off for its length.
my %exempt =
    map { $_ => 1 } qw(base/db base/http base/input functions/shared services services/s3 worker worker/metadata);
my %calls;
for my $path (@files) {
    my ($file) = substr($path, 1 + length $module) =~ m{^(.*)\.[ch]$};
    next if $exempt{ room_of($file) };
    $calls{$file} //= {};
    for my $include (own_includes($text{$path})) {
        my $other = $include =~ s/\.h$//r;
        $calls{$file}{$other} = 1 if $other ne $file && room_of($other) eq room_of($file);
    }
}
while (
    my @done = grep {
        my $file = $_;
        !grep { exists $calls{$_} } keys %{ $calls{$file} }
    } keys %calls
) {
    delete @calls{@done};
}
is join(' ', sort keys %calls), '', 'the files within a room include one another in no circle';
is join(
    ' ',
    grep {
        my $room = $_;
        !grep { room_of(substr $_, 1 + length $module) eq $room } @files
    } sort keys %exempt
    ),
    '',
    'each room that is exempt exists';

my @foreign;
for my $path (@files) {
    my $name = substr $path, 1 + length $module;
    for my $include (own_includes($text{$path})) {
        push @foreign, "$name -> $include"
            if $name =~ m{^worker/metadata/}
            ? $include !~ m{^(?:worker/metadata/\w+|services/pictures/edit|base/media_type)\.h$}
            : $include =~ m{^worker/metadata/} && $name !~ m{^worker/};
    }
}
is "@foreign", '', 'the metadata filter includes only edits and media types, and only worker/ includes it';
is "@strays", '', 'each include in quotes names a file of ours from the top';

my @httpd = grep { /^(?:httpd|http_|ap_|mod_|util_)/ } keys %where;
is join(' ', grep { !m{^(?:server/|mod_identityimg\.c|routes\.)} } map { @{ $where{$_} } } @httpd), '',
    "httpd's headers are included only in server/ and at the top";
is join(' ', grep { !m{^worker/} } @{ $where{'vips/vips'} // [] }), '', 'libvips is included only in worker/';
is join(' ', grep { !m{/worker/} && $text{$_} =~ m{^#include "worker/}m } @files), '',
    'headers of worker/ are included only in worker/';
is join(' ', grep { !m{^base/http/} } @{ $where{'curl/curl'} // [] }), '', 'libcurl is included only in base/http/';
is join(' ', grep { $_ ne 'base/input/multipart.c' } @{ $where{'gmime/gmime'} // [] }), '',
    'GMime is included only in base/input/multipart.c';

# Each header compiles alone.
chomp(my $flags = `pkg-config --cflags apr-1 apr-util-1 libpq jansson gmime-3.0 vips libcurl libcrypto`);
chomp(my $httpd = `apxs -q INCLUDEDIR`);
my @broken =
    grep { system("gcc -std=gnu11 -fsyntax-only -x c -I'$module' $flags -isystem '$httpd' '$_' 2>/dev/null") != 0 }
    grep { /\.h$/ } @files;
is "@broken", '', 'each header compiles alone';

# The first line of each file says what it owns.
my @silent = grep { my ($base) = m{([^/]+)$}; $text{$_} !~ m{^/\* \Q$base\E - \S} } @files;
is "@silent", '', 'the first line of each file says what it owns';

# docs/reference/log-tags.md has one row for each tag of the log, in order, with what to do.
my @rows = slurp("$source/docs/reference/log-tags.md") =~ /^\| (IIMG.*)$/mg;
my %tags = map { $_ => 1 } map { /"(IIMG\d{4})/g } values %text;
is join(' ', map { /^(\w+)/ } @rows), join(' ', sort keys %tags), 'log-tags.md has a row for each tag in the code';
is join("\n", grep { !/^IIMG\d{4} \| \w+ \| [^|\s][^|]* \| [^|\s][^|]* \|$/ } @rows), '',
    'each row has a level, a meaning, and what to do';

# Statements: labels are unique and each statement is run.
my (%labels, @unused);
for my $path (@files) {
    my %named = $text{$path} =~ /iimg_statement_t (\w+) = IIMG_STATEMENT\(\s*"(\w+)"/g;
    while (my ($name, $label) = each %named) {
        push @{ $labels{$label} }, $path;
        push @unused, $label if (() = $text{$path} =~ /&$name\b/g) == 0;
    }
}
cmp_ok scalar(keys %labels), '>', 10, 'there are more than ten statements';
is join(' ', grep { @{ $labels{$_} } > 1 || !/^iimg_/ } sort keys %labels), '',
    'labels begin with iimg_ and are unique';
is "@unused", '', 'each statement is used';

# Fault points of test builds: the table names the points in the code, and the product has none.
my %passed = map { $_ => 1 } map { /IIMG_FAULT\("([\w.]+)"\)/g } map { $text{$_} } grep { !m{/fault\.[ch]$} } @files;
my ($table) = $text{"$module/base/fault.c"} =~ /iimg_fault_points\[\] = \{(.*?)\};/s;
is join(' ', sort keys %passed), join(' ', sort $table =~ /"(\w+\.\w+)"/g),
    'the table of fault points names exactly the points in the code';
my $built = "$source/build/" . ($ENV{IIMG_SANITIZE} ? 'sanitize' : 'plain');
is scalar(
    grep { slurp($_) =~ /IIMG_FAULT_FILE|\bsweep\.removed\b/ } "$built/mod_identityimg.so",
    "$built/identityimgctl"
    ),
    0, 'the product has no fault points';

done_testing();
