# fresh_machine.t - the README's first command and its curl tour, in a fresh copy of the sources on a machine
# without caches or settings (tests/fresh); and the scripts in a hostile environment.
# Runs beside others.
use strict;
use warnings;
use File::Path ();
use IdentityImg::Server qw(eventually free_port);
use IdentityImg::Test;
use IdentityImg::Tour;
use POSIX ();
use Test::More;

plan skip_all => 'the build of make run has no sanitizer' if ($ENV{IIMG_SANITIZE} // '') eq '1';

# Copy the files as a clone with umask 077, including built files, so that nothing is built twice.
my $source = $ENV{IIMG_SOURCE};
my $clone = "$ENV{IIMG_WORK}/fresh clone/mod_identityimg";
{
    my $umask = umask 0077;
    File::Path::make_path($clone);
    umask $umask;
}
chmod 0755, "$ENV{IIMG_WORK}/fresh clone";
my $list =
    -e "$source/.git" && system("git -C '$source' ls-files >/dev/null 2>&1") == 0
    ? 'git ls-files -z --cached --others --exclude-standard | perl -0 -ne \'print if -e s/\\0$//r\''
    : 'find . \\( -path ./build -o -path ./var -o -name node_modules -o -name .git \\) -prune -o -type f -print0';
is system("cd '$source' && $list | tar -c --null -T - | (umask 077 && tar -x --no-same-permissions -C '$clone')"), 0,
    'the sources are copied';
my @built = grep { -e "$source/$_" } qw(build/plain build/client);
is
    system(
          "cd '$source' && tar -c --exclude=build/plain/unit --exclude=build/plain/tests @built | (umask 077 && tar -x "
        . "--no-same-permissions -C '$clone')"), 0, 'the built files are copied';
ok -x "$clone/build/plain/identityimg-worker", 'the copy has the worker';

delete $ENV{$_} for qw(STATE PERL5LIB ASAN_OPTIONS UBSAN_OPTIONS IIMG_EXTRA_CONF IIMG_PG_FAST);
my $port = $ENV{PORT} = free_port();
$ENV{CLIENT} = 0 if !-e "$clone/build/client/index.html";

# Run a command in the clone, in its own process group. Returns its pid.
sub begin {
    my ($log, @command) = @_;
    my $pid = fork // die $!;
    return $pid if $pid;
    setpgrp 0, 0;
    chdir $clone or POSIX::_exit(126);
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', $log or POSIX::_exit(126);
    open STDERR, '>&', \*STDOUT;
    $SIG{$_} = 'DEFAULT' for qw(INT PIPE);
    exec @command or POSIX::_exit(127);
}

# make run -----------------------------------------------------------------------------------------------

my $log = "$ENV{IIMG_WORK}/fresh-run.log";
my ($first) = slurp("$source/README.md") =~ /^```sh\n(make \w+)/m;
is $first, 'make run', 'the README begins with make run';
my $pid = begin($log, "$source/tests/fresh", split ' ', $first);
ok eventually(sub { -e $log && slurp($log) =~ /Ctrl-C stops it|\*\*\*/ }, 300), 'make run prints that it is ready';
like slurp($log), qr/^Ctrl-C stops it/m, 'make run is ready' or diag slurp($log);
my ($state) = slurp($log) =~ /^Running: .*\(state in (.*)\)$/m;
unlike slurp($log), qr/^  (?:CC|VITE) /m, 'make run does not rebuild built files';
my $base = "http://127.0.0.1:$port";
is call(GET => 'users/me/', as => 'alice', base => $base)->code, 200, 'make run serves requests';
SKIP: {
    skip 'the pages are not built', 1 if defined $ENV{CLIENT};
    my $index = call(GET => '/', base => $base);
    my @assets = $index->decoded_content =~ /(?:src|href)="([^"]+\.(?:js|css))"/g;
    is join(' ', map { $_->code } $index, map { call(GET => m{^/} ? $_ : "/$_", base => $base) } @assets),
        join(' ', (200) x (1 + @assets)), 'make run serves its pages, regardless of the modes of the built files';
}
take_tour($port, "$ENV{IIMG_WORK}/fresh-tour", "$source/tests/fresh", 'bash');

kill INT => -$pid;
my $ended = eventually(sub { waitpid($pid, POSIX::WNOHANG()) == $pid }, 90);
ok $ended, 'Ctrl-C ends make run';
kill KILL => -$pid if !$ended;
my $said;
ok eventually(
    sub { ($said = `cd '$clone' && scripts/serve status 2>&1`) =~ /^httpd: not running\ndatabase: not running/m }, 90),
    'Ctrl-C ends all processes of make run'
    or diag $said;

# A hostile environment ------------------------------------------------------------------------------------

my $tmp = "$ENV{IIMG_WORK}/tmp dir";
mkdir $tmp;
chmod 01777, $tmp;
my $proxy = 'http://127.0.0.1:9/';
my %against = (
    LC_ALL => 'xx_YY.UTF-8', LANGUAGE => 'de', TZ => 'Pacific/Kiritimati', TMPDIR => $tmp, PATH => '/usr/bin:/bin',
    CDPATH => '/tmp:/', POSIXLY_CORRECT => 1,
    GREP_OPTIONS => '--color=always', GREP_COLOR => '1', MAKEFLAGS => 'k', SHELL => '/bin/false',
    ENV => '/nonexistent', BASH_ENV => '/nonexistent',
    (map { ($_ => $proxy, uc $_ => $proxy) } qw(http_proxy https_proxy all_proxy)),
    PGHOST => 'nowhere.invalid', PGHOSTADDR => '192.0.2.1', PGPORT => 1, PGUSER => 'none', PGDATABASE => 'none',
    PGPASSFILE => '/nonexistent', PGSERVICE => 'none', PGSSLMODE => 'verify-full',
    PGOPTIONS => '-c search_path=none', PGCLIENTENCODING => 'LATIN1', PGDATA => '/nonexistent', PGAPPNAME => 'x',
    PSQLRC => '/nonexistent', PSQL_PAGER => 'false', PGTZ => 'Asia/Tokyo',
    APACHE_CONFDIR => '/nonexistent', APACHE_RUN_DIR => '/nonexistent', APACHE_RUN_USER => 'nobody',
    APACHE_LOG_DIR => '/nonexistent', APACHE_ARGUMENTS => '-X',
    LD_LIBRARY_PATH => '/nonexistent', NODE_OPTIONS => '--require=/nonexistent.js', NODE_PATH => '/nonexistent',
    VIPSHOME => '/nonexistent', VIPS_CONCURRENCY => 99, G_MESSAGES_DEBUG => 'all',
    FONTCONFIG_FILE => '/nonexistent', FONTCONFIG_PATH => '/nonexistent', PERL_UNICODE => 'SDA',
    CURL_HOME => '/nonexistent', OPENSSL_CONF => '/nonexistent',
);
delete $ENV{$_} for qw(HOME LANG);

sub against {
    my ($name, @command) = @_;
    my $file = "$ENV{IIMG_WORK}/fresh-$name.log";
    my $process = do { local @ENV{ keys %against } = values %against; umask 0077; begin($file, @command) };
    umask 0022;
    my $done = eventually(sub { waitpid($process, POSIX::WNOHANG()) == $process }, 300);
    is($done ? $? : 'no end', 0, "$name succeeds in a hostile environment") or diag slurp($file);
    kill KILL => -$process if !$done;
    return slurp($file);
}
like against('make start' => qw(make start)), qr{^Running: \Q$base\E/}m, 'make start prints the address';
is call(GET => 'users/me/', as => 'alice', base => $base)->code, 200, 'make start serves requests';
like against('scripts-ctl' => qw(scripts/ctl sweep)), qr/^\d+ objects deleted$/m,
    'scripts/ctl finds its database and store';
like against('make status' => qw(make status)), qr/^httpd: running .*^database: running /ms,
    'make status lists the running processes';
against('make stop' => qw(make stop));
like `cd '$clone' && scripts/serve status 2>&1`, qr/^httpd: not running\ndatabase: not running/m,
    'make stop leaves no process';

# (If the server's users cannot reach the clone, the state is elsewhere.)
File::Path::remove_tree($state) if $state && $state =~ m{^/var/lib/identityimg/[0-9a-f]{10}$};
done_testing();
