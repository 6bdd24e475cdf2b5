# printing.t - what is printed decides nothing: where its reader has gone (make start | head -1), commands do all of
# their work, or none, and say so by their status.
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

# Begins COMMAND, the reader of whose output has gone: its pid.
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

is unread("$source/scripts/serve", 'start'), 0, 'start, the reader of which has gone, ends well' or diag errors();
is runs(), 200, '... and the server runs';
is unread("$source/scripts/serve", 'start'), 0, 'so it is when the server runs already';
is unread("$source/scripts/serve", 'status'), 0, 'status has the status that it would have had';

is call(POST => 'reference-images/', as => 'alice', base => $base, parts => [image => [make_jpeg(64, 48)]])->code, 201,
    'there is a photo';
$server->sql('DELETE FROM reference_images');
is unread("$source/scripts/ctl", 'sweep'), 2, 'identityimgctl that cannot print ends with a status of trouble';
like errors(), qr/^identityimgctl: cannot write to standard output: Broken pipe; the command has completed$/m,
    '... and says why';
is join('', $server->sql("SELECT count(*) FROM stored_objects WHERE state = 'doomed'")), 0, '... when its work is done';
is unread("$source/scripts/ctl", 'reconcile'), 2, '... also where it only reports';
is unread("$source/scripts/ctl", '--help'), 2, '... or helps';

is unread("$source/scripts/serve", 'stop'), 0, 'stop stops';
is unread("$source/scripts/serve", 'status'), 3, '... as the status knows';
unlink $server->state . '/secret';    # a first start prints more
is unread('make', '-s', 'start', 'CLIENT=0'), 0, 'make start, the reader of which has gone, ends well' or diag errors();
is runs(), 200, '... and the server runs';
is unread('make', '-s', 'status'), 0, '... as make status knows';
is unread('make', '-s', 'stop'), 0, '... until make stop';
isnt runs(), 200, '... stops it';

my $run = begin("$source/scripts/serve", 'run');
ok eventually(sub { runs() == 200 }, 120), 'run runs' or diag errors();
is waitpid($run, POSIX::WNOHANG()), 0, '... and continues, though its log has no reader';
kill INT => -$run;
my $ended = eventually(sub { waitpid($run, POSIX::WNOHANG()) == $run }, 90);
ok $ended, '... until it receives a signal to end';
kill KILL => -$run if !$ended;
is unread("$source/scripts/serve", 'status'), 3, '... and nothing is left';

# A build prints a line for each file.
my $build = File::Temp->newdir('/tmp/iimg-build.XXXXXX');
my ($file) = sort { -s $a <=> -s $b } glob "$source/mod_identityimg/base/*.c";
my $object = "$build/mod_identityimg/base/" . ($file =~ s{.*/}{}r =~ s/c$/o/r);
is unread('make', "out=$build", $object), 0, 'a build whose output is closed continues' or diag errors();
ok -s $object, '... to its end';

$server->judge;
undef $server;
done_testing();
