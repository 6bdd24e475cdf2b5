#!/usr/bin/perl
# tcp_proxy.pl - a TCP proxy that makes connections fail on command.
#
# usage: tcp_proxy.pl TARGET-PORT       prints "port N", the port of 127.0.0.1 that it listens on
#
# Commands, one a line on stdin, each answered by one line on stdout:
#   pass        forward all bytes (the initial mode)
#   swallow     accept and read, but forward nothing. A connection that lost bytes stays swallowed after
#               `pass`; a connection without traffic in the meantime continues.
#   refuse      close new connections at once
#   cut         reset all connections
#   counters    accepted=N open=N swallowed=N (bytes)
#
# Exits when stdin closes, that is, with the process that started it.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_LINGER);

my $target = shift // die "usage: tcp_proxy.pl TARGET-PORT\n";
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 128, ReuseAddr => 1) or die "listen: $@";
my $parent = getppid;
my ($mode, $accepted, $swallowed, $commands) = ('pass', 0, 0, '');
my (%other, %lost);    # by file number: the other end; whether bytes were swallowed
my $readers = IO::Select->new(\*STDIN, $listener);

$| = 1;
$SIG{PIPE} = 'IGNORE';
print 'port ', $listener->sockport, "\n";

while (getppid == $parent) {
    my @ready = $readers->can_read(1);
    for my $ready (@ready) {
        if ($ready == \*STDIN) { read_commands() }
        elsif ($ready == $listener) { take_connection() }
        elsif (defined $ready->fileno) { forward($ready) }
    }
}

sub read_commands {
    sysread(STDIN, $commands, 4096, length $commands) or exit 0;
    while ($commands =~ s/^(.*)\n//) {
        my $command = $1;
        if ($command =~ /^(?:pass|swallow|refuse)$/) { $mode = $command }
        elsif ($command eq 'cut') { reset_all() }
        elsif ($command ne 'counters') { print "unknown command\n"; next }
        print "accepted=$accepted open=", keys(%other) / 2, " swallowed=$swallowed\n";
    }
    return;
}

sub take_connection {
    my $near = $listener->accept or return;
    $accepted++;
    my $far = $mode eq 'refuse' ? undef : IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $target);
    return close $near if !$far;
    $other{ $near->fileno } = $far;
    $other{ $far->fileno } = $near;
    $readers->add($near, $far);
    return;
}

sub forward {
    my ($from) = @_;
    my $to = $other{ $from->fileno } or return;
    my $length = sysread $from, my $bytes, 65536;
    if (!$length) { close_pair($from) }
    elsif ($mode eq 'swallow' || $lost{ $from->fileno }) {
        $swallowed += $length;
        $lost{ $_->fileno } = 1 for $from, $to;
    }
    else {
        for (my $done = 0; $done < $length;) {
            my $n = syswrite $to, $bytes, $length - $done, $done;
            return close_pair($from) if !defined $n;
            $done += $n;
        }
    }
    return;
}

sub close_pair {
    my ($end) = @_;
    my @ends = ($end, $other{ $end->fileno });
    for (@ends) {
        $readers->remove($_);
        delete $other{ $_->fileno };
        delete $lost{ $_->fileno };
        close $_;
    }
    return;
}

sub reset_all {
    my @ends = values %other;
    for my $end (@ends) {
        next if !defined $end->fileno;    # already closed with its other end
        setsockopt $_, SOL_SOCKET, SO_LINGER, pack 'll', 1, 0 for $end, $other{ $end->fileno };
        close_pair($end);
    }
    return;
}
