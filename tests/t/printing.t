# printing.t - failures of output: if the reader of their output is gone (make start | head -1), commands do all of
# their work or none, and report it by their status.
# Runs beside others.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use File::Temp ();
use IdentityImg::Server qw(eventually);
use IdentityImg::Test;
use POSIX ();
use Test::More;

my $source = $ENV{IIMG_SOURCE};
my $server = IdentityImg::Server->new('printing', env => { IIMG_CLIENT => '' });
$server->write_conf;
my $base = $server->base;

# Start COMMAND with an output whose reader is gone. Returns its pid.
sub begin {
    my (@command) = @_;
    my $pid = fork // die $!;
    return $pid if $pid;
    setpgrp 0, 0;
    chdir $source or POSIX::_exit(126);
    pipe my $read, my $write or POSIX::_exit(126);
    close $read;
    open STDIN, '<', '/dev/null';
    open STDERR, '>', "$ENV{IIMG_WORK}/printing.err" or POSIX::_exit(126);
    open STDOUT, '>&', $write or POSIX::_exit(126);
    close $write;
    $SIG{PIPE} = $SIG{INT} = 'DEFAULT';
    my %environment = (
        %{ $server->{env} }, STATE => $server->state, PORT => $server->{port},
        IIMG_EXTRA_CONF => $server->state . '/extra.conf'
    );
    @ENV{ keys %environment } = values %environment;
    exec @command or POSIX::_exit(127);
}

# Its exit status, or 'signal N'.
sub unread {
    my (@command) = @_;
    my $pid = begin(@command);
    eventually(sub { waitpid($pid, POSIX::WNOHANG()) == $pid }, 400) or do { kill KILL => -$pid; return 'no end' };
    return $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
}
sub errors { return slurp("$ENV{IIMG_WORK}/printing.err") }

sub runs {
    return call(GET => 'users/me/', as => 'alice', base => $base, dies => 1, headers => [Connection => 'close'])->code;
}

is unread("$source/scripts/serve", 'start'), 0, 'start without a reader succeeds' or diag errors();
is runs(), 200, 'start without a reader starts the server';
is unread("$source/scripts/serve", 'start'), 0, 'start without a reader succeeds if the server runs already';
is unread("$source/scripts/serve", 'status'), 0, 'status without a reader has its usual exit status';

is call(POST => 'reference-images/', as => 'alice', base => $base, parts => [image => [make_jpeg(64, 48)]])->code, 201,
    'a photo is uploaded';
$server->sql('DELETE FROM reference_images');
is unread("$source/scripts/ctl", 'sweep'), 2, 'identityimgctl that cannot print exits with 2';
like errors(), qr/^identityimgctl: cannot write to standard output: Broken pipe; the command has completed$/m,
    'identityimgctl that cannot print reports the reason';
is join('', $server->sql("SELECT count(*) FROM stored_objects WHERE state = 'doomed'")), 0,
    'identityimgctl completes its work without a reader';
is unread("$source/scripts/ctl", 'reconcile'), 2, 'identityimgctl reconcile without a reader exits with 2';
is unread("$source/scripts/ctl", '--help'), 2, 'identityimgctl --help without a reader exits with 2';

is unread("$source/scripts/serve", 'stop'), 0, 'stop without a reader succeeds';
is unread("$source/scripts/serve", 'status'), 3, 'status after stop exits with 3';
unlink $server->state . '/secret';    # a first start prints more
is unread('make', '-s', 'start', 'CLIENT=0'), 0, 'make start without a reader succeeds' or diag errors();
is runs(), 200, 'make start without a reader starts the server';
is unread('make', '-s', 'status'), 0, 'make status without a reader succeeds';
is unread('make', '-s', 'stop'), 0, 'make stop without a reader succeeds';
isnt runs(), 200, 'make stop without a reader stops the server';

my $run = begin("$source/scripts/serve", 'run');
ok eventually(sub { runs() == 200 }, 120), 'run without a reader starts the server' or diag errors();
is waitpid($run, POSIX::WNOHANG()), 0, 'run without a reader keeps running';
kill INT => -$run;
my $ended = eventually(sub { waitpid($run, POSIX::WNOHANG()) == $run }, 90);
ok $ended, 'run without a reader ends on a signal';
kill KILL => -$run if !$ended;
is unread("$source/scripts/serve", 'status'), 3, 'no process is left after run';

# A build prints a line for each file.
my $build = File::Temp->newdir('/tmp/iimg-build.XXXXXX');
my ($file) = sort { -s $a <=> -s $b } glob "$source/mod_identityimg/base/*.c";
my $object = "$build/mod_identityimg/base/" . ($file =~ s{.*/}{}r =~ s/c$/o/r);
is unread('make', "out=$build", $object), 0, 'a build without a reader succeeds' or diag errors();
ok -s $object, 'a build without a reader completes';

$server->judge;
undef $server;
done_testing();
