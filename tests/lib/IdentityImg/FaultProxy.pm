# FaultProxy.pm - start tests/doubles/fault_proxy.mjs in front of a store and control it.
#
#   my $proxy = IdentityImg::FaultProxy->new($port);
#   $proxy->rules({ fault => 'reset', method => 'PUT', times => 2 });
#   ... requests to 127.0.0.1:$proxy->port ...
#   $proxy->journal       # [{ method, path, fault, status, ... }]
package IdentityImg::FaultProxy;

use strict;
use warnings;

use IPC::Open2 'open2';
use JSON::PP ();
use LWP::UserAgent ();

sub new {
    my ($class, @target) = @_;
    my $self = bless { owner => $$, agent => LWP::UserAgent->new(timeout => 30) }, $class;
    $self->{pid} = open2(my $out, my $in, 'node', "$ENV{IIMG_DOUBLES}/fault_proxy.mjs", @target);
    @$self{qw(out in)} = ($out, $in);
    (@$self{qw(port control)}) = (readline($out) // '') =~ /^port (\d+) control (\d+)/
        or die 'fault_proxy.mjs does not start';
    return $self;
}

sub port { $_[0]{port} }

sub tell {
    my ($self, $method, $path, $data) = @_;
    my $request = HTTP::Request->new(
        $method => "http://127.0.0.1:$self->{control}/$path", [],
        $data ? JSON::PP->new->utf8->encode($data) : ()
    );
    my $answer = $self->{agent}->request($request);
    die "fault_proxy.mjs: ", $answer->content if !$answer->is_success;
    return JSON::PP->new->utf8->allow_nonref->decode($answer->content);
}

sub rules { my ($self, @rules) = @_; return $self->tell(POST => 'rules', \@rules) }
sub journal { return @{ $_[0]->tell(GET => 'journal') } }
sub refuse { return $_[0]->tell(POST => 'refuse') }
sub accept { return $_[0]->tell(POST => 'accept') }

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@);
    close $self->{in};
    waitpid $self->{pid}, 0;
    return;
}

1;
