# commands.t - the operators' commands: make help, install, run, start, stop and status, and their error
# messages.
# Runs beside others.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use File::Find ();
use File::Path ();
use IO::Socket::INET ();
use IdentityImg::Server qw(eventually free_port);
use IdentityImg::Test;
use POSIX ();
use Test::More;

my $source = $ENV{IIMG_SOURCE};
my $sanitize = $ENV{IIMG_SANITIZE} // 0;

sub shell { my ($command) = @_; my $out = `{ $command\n} 2>&1 </dev/null`; utf8::decode($out); return $out }
sub ended { return $? >> 8 }

# make help -------------------------------------------------------------------------------------------

my $makefile = slurp("$source/Makefile") =~ s/\\\n//gr;
my %told = shell("make -s -C '$source' help") =~ /^    make (\S+) +(\S.*)$/mg;
my ($phony) = $makefile =~ /^\.PHONY: (.*)$/m;
is join(' ', sort keys %told), join(' ', sort grep { $_ ne 'all' } split ' ', $phony),
    'make help lists exactly the targets of the Makefile';
my $readme = slurp("$source/README.md");
is join(' ', grep { !exists $told{$_} } $readme =~ /\bmake ([a-z][\w-]*)(?=`|\s*#|:)/g), '',
    'the README names only existing targets';

# make install ------------------------------------------------------------------------------------------

my $root = "$ENV{IIMG_WORK}/commands-root";
File::Path::make_path("$root/etc/apache2/mods-available");
my $said = shell("make -C '$source' install SANITIZE=$sanitize DESTDIR='$root'");
is ended(), 0, 'make install succeeds' or diag $said;
my %installed;
File::Find::find(
    { no_chdir => 1, wanted => sub { $installed{ substr $_, length $root } = (lstat)[2] & 07777 if !-d || -l } },
    $root
);
my ($modules) = shell('apxs -q LIBEXECDIR') =~ /(\S+)/;
my %wanted = (
    "$modules/mod_identityimg.so" => 0644, '/usr/lib/identityimg/identityimg-worker' => 0755,
    '/usr/sbin/identityimgctl' => 0755, '/usr/share/identityimg/scripts/migrate' => 0755,
    (map { ("/etc/apache2/mods-available/$_" => 0644) } qw(identityimg.load identityimg.conf identityimg-pages.conf)),
    (
        map { ('/usr/share/identityimg/' . substr($_, length "$source/") => 0644) } map { glob } "$source/sql/*.sql",
        "$source/sql/migrations/*.sql"
    ),
    (
        map { ('/usr/share/identityimg/' . substr($_, length "$source/conf/") => 0644) }
            glob "$source/conf/examples/*.conf"
    )
);
is join("\n", map { "$_ " . sprintf '%o', $installed{$_} // 0 } sort keys %wanted),
    join("\n", map { "$_ " . sprintf '%o', $wanted{$_} } sort keys %wanted),
    'make install puts each file in its place, with its mode';
is join("\n", grep { !$wanted{$_} && !m{^/usr/share/identityimg/client/|/vips-heif\.so$} } sort keys %installed), '',
    'make install adds no other files except the pages';
my $load = slurp("$root/etc/apache2/mods-available/identityimg.load");
like $load, qr{^LoadModule identityimg_module \Q$modules\E/mod_identityimg\.so$}m,
    'the .load names the installed path of the module';
like $load, qr{^# Depends: .*\bdbd\b}m, 'the .load declares its dependencies for a2enmod';

# The installed files work without the sources.
my $base = IdentityImg::Server->new(
    'commands',
    env => {
        IIMG_CONF_DIR => "$root/etc/apache2/mods-available", IIMG_MODULE => "$root$modules/mod_identityimg.so",
        IIMG_WORKER => "$root/usr/lib/identityimg/identityimg-worker", IIMG_CLIENT => ''
    }
);
my $out = $base->script(serve => 'start');
SKIP: {
    skip 'a module is installed here: the .load would load it', 3 if -e "$modules/mod_identityimg.so";
    like $out, qr/Cannot load \Q$modules\E\/mod_identityimg\.so/,
        'the installed .load loads from the installed path (here: nothing)';
    like $out, qr/^serve: httpd did not start; its log is .+error\.log$/m,
        'a failed start names its log';
    isnt $? >> 8, 0, 'a failed start exits with an error status';
}
is $base->script(serve => 'status') =~ s/\(.*?\)//gr =~ s/^state: .*\n//mr,
    "httpd: not running\ndatabase: not running\n", 'a failed start leaves no process';
open my $file, '>', "$root/etc/apache2/mods-available/identityimg.load" or die $!;
print $file $load =~ s{LoadModule identityimg_module (.*)}{LoadModule identityimg_module "$root$1"}r;
close $file;
chmod 0755, $root;
$base->start;
is call(POST => 'reference-images/', as => 'alice', base => $base->base, parts => [image => [portrait()]])->code, 201,
    'the installed module accepts photos';
like shell("'$root/usr/sbin/identityimgctl' --version"), qr/^identityimgctl \d+\.\d+\.\d+$/,
    'the installed identityimgctl has a version';

# The users that the processes run as.
chomp(my $parent = slurp($base->state . '/httpd/httpd.pid'));
my %users = map { s/^\s+|\s+$//gr => 1 } split /\n/, shell("ps -o user= --ppid $parent");
is join(' ', grep { $_ eq 'root' } keys %users), '',
    'no child of httpd runs as root, the picture decoder included';
my ($cluster) = $base->script(serve => 'status') =~ /^database: running \(pid (\d+)\)/m;
unlike shell("ps -o user= -p $cluster"), qr/^root\b/, 'the database does not run as root';

# status, start, stop ---------------------------------------------------------------------------------

my $state = $base->state;
utf8::decode(my $shown = $state);
my $port = ($base->base =~ /(\d+)$/)[0];
like $base->script(serve => 'status'),
    qr{^httpd: running \(pid \d+\), http://127\.0\.0\.1:$port/\ndatabase: running \(pid \d+\), .*\nstate: \Q$shown\E\n$},
    'status prints the address, the database and the folder';
is ended(), 0, 'status exits with 0 while the server runs';
like $base->script(serve => 'start'), qr{^Already running: http://127\.0\.0\.1:$port/}m,
    'a second start reports that the server runs already';
is ended(), 0, 'a second start exits with 0';
{
    local $base->{port} = free_port();
    like $base->script(serve => 'start'),
        qr{^serve: it runs already, at http://127\.0\.0\.1:$port/ \(pid \d+\): stop it first, or choose another folder, as STATE=/srv/demo$}m,
        'a start with another port is refused';
    is ended(), 1, 'a start with another port exits with 1';
}
like shell("env -u PORT STATE='$state' '$source/scripts/serve' start"),
    qr{^Already running: http://127\.0\.0\.1:$port/}m, 'a start without a port accepts the running one';

my $second = IdentityImg::Server->new('commands-second', env => { IIMG_CLIENT => '' });
$second->{port} = $port;
like $second->script(serve => 'start'),
    qr/^serve: cannot listen on 127\.0\.0\.1:$port: another process uses it\. Choose another port, as PORT=18080$/m,
    'a start on a port in use is refused with a hint';
is ended(), 1, 'a start on a port in use exits with 1';
like $second->script(serve => 'status'), qr/^httpd: not running\ndatabase: not running/,
    'a start on a port in use leaves no process';
is ended(), 3, 'status exits with 3 when nothing runs';
for my $word ('x', '0', '080', '65536', '99999', '-1', '1 2') {
    my @before = shell("PORT='$word' STATE='$state-x' '$source/scripts/serve' start");
    is ended(), 1, "PORT=$word exits with 1";
    is "@before", "serve: PORT=$word is not a number from 1 to 65535\n", "PORT=$word is refused with the valid range";
}
ok !-e "$state-x/postgres", 'an invalid port creates no files';
like shell("STATE='$state/a\"b' '$source/scripts/serve' status"), qr/must not contain quotes/,
    'a folder with quotes is refused';

# Two servers side by side keep separate data.
$second->{port} = free_port();
$second->start;
is call(GET => 'reference-images/', as => 'alice', base => $second->base)->content, '[]',
    'a server with another port and folder has its own data';
$base->sql("INSERT INTO users (email) VALUES ('stays\@example.com')");
$base->stop;
is call(GET => 'users/me/', as => 'alice', base => $second->base)->code, 200,
    'the second server runs after the first one stops';
is $base->script(serve => 'stop'), '', 'stopping twice succeeds';
is ended(), 0, 'stopping twice exits with 0';
$base->start;
is join('', $base->sql("SELECT count(*) FROM users WHERE email LIKE 'stays%'")), 1,
    'a second start keeps the data';
is scalar @{ json(call(GET => 'reference-images/', as => 'alice', base => $base->base)) }, 1,
    'a second start keeps the photos';

# run -------------------------------------------------------------------------------------------------

$base->stop;
my $log = "$ENV{IIMG_WORK}/commands-run.log";
my $pid = fork // die $!;
if (!$pid) {
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', $log or die $!;
    open STDERR, '>&', \*STDOUT;
    $SIG{INT} = 'DEFAULT';
    my %environment = (%{ $base->{env} }, STATE => $state, PORT => $port, IIMG_EXTRA_CONF => "$state/extra.conf");
    @ENV{ keys %environment } = values %environment;
    exec "$source/scripts/serve", 'run' or POSIX::_exit(127);
}
ok eventually(sub { -e $log && slurp($log) =~ /Ctrl-C stops it/ }, 60),
    'run prints that it is ready and how to stop it';
like slurp($log),
    qr{^Running: http://127\.0\.0\.1:$port/api/v1/ .*^Pages: .*^    admin\@example\.com   pw-admin    staff\n.*^    alice\@example\.com   pw-alice\n.*^    bob\@example\.com     pw-bob\n.*^    curl -u }ms,
    'run prints the address and the demo logins';
is call(GET => 'users/me/', as => 'alice', base => $base->base)->code, 200, 'run serves requests';
is waitpid($pid, POSIX::WNOHANG()), 0, 'run stays in the foreground';
kill INT => $pid;
my $ended = eventually(sub { waitpid($pid, POSIX::WNOHANG()) == $pid }, 60);
ok $ended, 'Ctrl-C stops it';
is $?, 0, 'Ctrl-C ends run with status 0';
kill KILL => $pid if !$ended;
like $base->script(serve => 'status'), qr/^httpd: not running\ndatabase: not running/, 'Ctrl-C stops the database, too';

# Missing packages ----------------------------------------------------------------------------------------

# Without root nothing is installed; the message has one command to run.
my $bare = "$ENV{IIMG_WORK}/commands-bare";
File::Path::make_path($bare);
symlink $_, "$bare/" . s{.*/}{}r for grep { -x } map { "/usr/bin/$_" } qw(sh sed dirname env gcc make perl uname);
open $file, '>', "$bare/id" or die $!;
print $file "#!/bin/sh\necho 1000\n";
close $file;
chmod 0755, "$bare/id", $bare;
$said = shell("PATH='$bare' sh '$source/scripts/deps' run");
is ended(), 1, 'scripts/deps exits with 1 if packages are missing and the user is not root';
like $said,
    qr/^Some packages are missing\. Please run this line, then try again:\n    sudo apt-get install --no-install-recommends(?: [a-z0-9.+-]+)+\n\z/,
    'scripts/deps prints the command to run';
like $said, qr/ pkg-config\b.* curl\b.* npm\b/, 'the command names the missing packages';
unlike $said, qr/ gcc\b/, 'the command does not name installed packages';

$base->judge(qr/IIMG0010|AH00016|AH00015/);
$second->judge;
undef $_ for $base, $second;
finish();
