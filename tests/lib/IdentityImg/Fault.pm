# Fault.pm - make a build with FAULTS=1 die or fail at a named point (mod_identityimg/base/fault.h).
#
#   my $faults = IdentityImg::Fault->new('name');
#   my $server = IdentityImg::Server->new('name', env => $faults->environment)->start;
#   $faults->order('file.write 1 28');
#   ... $faults->fired ...       # the points that fired since the last call
#   $faults->order('');
package IdentityImg::Fault;

use strict;
use warnings;

use IdentityImg::Test ();

sub new {
    my ($class, $name) = @_;
    my $self = bless { file => "$ENV{IIMG_WORK}/fault-$name-$$" }, $class;
    $self->order('');
    $self->fired;
    return $self;
}

sub build { return ($ENV{IIMG_SANITIZE} ? 'sanitize' : 'plain') . '-faults' }

# Environment for scripts/serve and identityimgctl.
sub environment {
    my ($self) = @_;
    return {
        IIMG_MODULE => "$ENV{IIMG_SOURCE}/build/" . build() . '/mod_identityimg.so',
        IIMG_FAULT_FILE => $self->{file}
    };
}

# httpd's children write both files, too.
sub _write {
    my ($path, $text) = @_;
    open my $out, '>', $path or die "$path: $!";
    print $out $text;
    close $out;
    chmod 0666, $path;
    return;
}

sub order {
    my ($self, $line) = @_;
    _write($self->{file}, $line ? "$line\n" : '');
    return;
}

sub has_fired { return -s "$_[0]{file}.fired" }

sub fired {
    my ($self) = @_;
    my @lines = $self->has_fired ? split /\n/, IdentityImg::Test::slurp("$self->{file}.fired") : ();
    _write("$self->{file}.fired", '');
    return map { (split / /)[0] } @lines;
}

1;
