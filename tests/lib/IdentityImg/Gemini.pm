# Gemini.pm - run the stand-in for Gemini for one test, which can hold and release its responses.
#
#   my $gemini = IdentityImg::Gemini->new;
#   my $server = IdentityImg::Server->new('x', env => { $gemini->environment })->start;
#   ...                              # start a generation whose prompt has [[scenario:hold]]
#   $gemini->holds(1);               # wait until the provider holds that request
#   $gemini->release;                # answer it and all later ones
#   $gemini->hold;                   # hold requests again
#
# IdentityImg::Gemini->at($port) controls a stand-in that the test started itself.
package IdentityImg::Gemini;

use strict;
use warnings;

use HTTP::Tiny;
use IdentityImg::Server qw(eventually);
use IPC::Open2 'open2';
use JSON::PP ();

sub new {
    my ($class, @options) = @_;
    my $pid = open2(my $out, my $in, 'node', "$ENV{IIMG_DOUBLES}/gemini.mjs", '--with-stdin', '--key', 'k', @options);
    my ($port) = (readline($out) // '') =~ /^listening (\d+)/ or die 'gemini.mjs does not start';
    return bless { pid => $pid, out => $out, in => $in, owner => $$, url => "http://127.0.0.1:$port/" }, $class;
}

sub at { my ($class, $port) = @_; return bless { owner => 0, url => "http://127.0.0.1:$port/" }, $class }

# Environment for scripts/serve that selects this provider.
sub environment { my ($self) = @_; return (GEMINI_ENDPOINT => $self->{url}, GEMINI_API_KEY => 'k') }

sub _ask {
    my ($self, $method, $path) = @_;
    my $answer = HTTP::Tiny->new(keep_alive => 0, timeout => 60)->request($method, $self->{url} . $path);
    die "gemini.mjs: $method $path: $answer->{status} $answer->{content}" if !$answer->{success};
    return $answer->{status} == 204 ? undef : JSON::PP->new->utf8->decode($answer->{content});
}

sub record { my ($self) = @_; return @{ $self->_ask(GET => '__record') } }
sub asked { my ($self) = @_; return scalar(my @all = $self->record) }
sub forget { my ($self) = @_; $self->_ask(DELETE => '__record'); return }
sub held { my ($self) = @_; return $self->_ask(GET => '__held')->{held} }
sub most { my ($self) = @_; return $self->_ask(GET => '__held')->{most} }
sub hold { my ($self) = @_; $self->_ask(POST => '__hold'); return }
sub release { my ($self, $count) = @_; return $self->_ask(POST => '__release' . ($count ? "?$count" : ''))->{released} }

# Wait until at least COUNT requests are held, for at most SECONDS (60). Returns whether they are.
sub holds {
    my ($self, $count, $seconds) = @_;
    return eventually(sub { $self->held >= $count }, $seconds // 60);
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@);
    close $self->{in};
    waitpid $self->{pid}, 0;
    return;
}

1;
