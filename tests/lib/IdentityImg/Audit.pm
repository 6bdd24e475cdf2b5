# Audit.pm - compare the objects in a server's store, of any kind, with its rows.
#
#   my $store = IdentityImg::Audit->new($server, IdentityImg::Store->chosen);
#   $store->objects          # { key => bytes }
#   $store->learn            # remember the current pictures and their derivatives
#   is $store->quarrels, '', 'nothing is lost and nothing is left over';
package IdentityImg::Audit;

use strict;
use warnings;
use File::Glob ':bsd_glob';

use Digest::MD5 'md5_hex';
use File::Find ();
use IdentityImg::Test ();

my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

# new SERVER (an IdentityImg::Server), STORE (its IdentityImg::Store), build => NAME (of identityimgctl),
# env => {} (for identityimgctl)
sub new {
    my ($class, $server, $store, %with) = @_;
    my %environment = $server->cluster_environment;
    return bless { %with, store => $store, server => $server, psql => \%environment, looks => {}, bytes => {} }, $class;
}

# Like Server's sql, but reads the cluster's environment only once.
sub sql {
    my ($self, $text) = @_;
    local @ENV{ keys %{ $self->{psql} } } = values %{ $self->{psql} };
    open my $out, '-|', 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', $text or die $!;
    chomp(my @rows = <$out>);
    close $out or die "psql fails: $text";
    return @rows;
}

# Run identityimgctl ARGUMENTS. Returns its output; $? is its status.
sub ctl {
    my ($self, @arguments) = @_;
    my $build = $self->{build} // ($ENV{IIMG_SANITIZE} ? 'sanitize' : 'plain');
    my %environment = (
        %{ $self->{psql} }, PGUSER => 'identityimg', $self->{store}->tool_environment($self->{server}->state),
        %{ $self->{env} // {} }
    );
    local @ENV{ keys %environment } = values %environment;
    return scalar `'$ENV{IIMG_SOURCE}/build/$build/identityimgctl' @arguments 2>&1 </dev/null`;
}

# All objects, { key => bytes }. Other files and versions appear under other names.
sub objects { my ($self) = @_; return $self->{store}->is_s3 ? $self->bucket_objects : $self->file_objects }

sub file_objects {
    my ($self) = @_;
    my $root = $self->{server}->state . '/pictures';
    my %objects;
    File::Find::find(
        {
            no_chdir => 1,
            wanted => sub {
                return if !-f;
                my $path = substr $_, 1 + length $root;
                return if $path eq '.identityimg-store';
                $objects{ $path =~ s{^(media|generated_images)/../../}{$1/}r } = IdentityImg::Test::slurp($_);
            }
        },
        $root
    );
    return \%objects;
}

# Old versions and delete markers count as leftovers. If an object is deleted after it was listed, list
# again.
sub bucket_objects {
    my ($self) = @_;
    my $objects;
    for (1 .. 20) {
        $objects = eval { $self->listed_objects } and return $objects;
        die $@ if $@ !~ /: 404 /;
    }
    die $@;
}

# Objects with the same ETag have the same bytes.
sub listed_objects {
    my ($self) = @_;
    my %objects;
    for my $one ($self->{store}->versions) {
        my $bytes =
            $one->{deleted}
            ? ''
            : ($self->{bytes}{"$one->{key} $one->{etag}"} //= $self->{store}->object($one->{key}, $one->{id}));
        $objects{ $one->{latest} && !$one->{deleted} ? $one->{key} : "$one->{key} version $one->{id}" } = $bytes;
    }
    return \%objects;
}

# Empty folders, except those of the fan-out.
sub empty_folders {
    my ($self) = @_;
    return if $self->{store}->is_s3;
    my @empty;
    File::Find::finddepth(
        { no_chdir => 1, wanted => sub { push @empty, $_ if -d && m{/(?:$uuid|__sized__)$} && !(() = glob "$_/*") } },
        $self->{server}->state . '/pictures'
    );
    return @empty;
}

# Remember the derivatives of each upload, by the bytes of the original. Generated pictures have unknown
# bytes, and are checked for completeness only.
sub learn {
    my ($self) = @_;
    my $objects = $self->objects;
    for my $key (grep { m{^media/$uuid/[^/]+$} } keys %$objects) {
        $self->{looks}{ md5_hex($objects->{$key}) } =
            { map { $_ => md5_hex($objects->{ sized($key, $_) } // '') } 100, 300, 600 };
    }
    return $self;
}

sub sized {
    my ($key, $box) = @_;
    return $key =~ s{([^/]+)\.\w+$}{__sized__/$1-thumbnail-${box}x$box.jpg}r;
}

sub is_whole_jpeg { return $_[0] =~ /^\xff\xd8/ && $_[0] =~ /\xff\xd9$/ }

# The defects of the objects of one picture.
sub flaws {
    my ($self, $key, $objects) = @_;
    return "$key is missing" if !exists $objects->{$key};
    return is_whole_jpeg($objects->{$key}) ? () : "$key is not whole" if $key =~ /^generated/;
    my $looks = $self->{looks}{ md5_hex($objects->{$key}) };
    return is_whole_jpeg($objects->{$key}) ? () : "$key is not what was sent" if !$looks && $key =~ m{/$uuid\.};
    return "$key is not what was sent" if !$looks;
    return map { "$key has a wrong derivative $_" }
        grep { md5_hex($objects->{ sized($key, $_) } // 'none') ne $looks->{$_} } keys %$looks;
}

# Age pending objects and sweep. Then check that the objects of each row exist with the right bytes, that
# the manifest names them, and that nothing else is left. Returns the mismatches, or ''.
sub quarrels {
    my ($self) = @_;
    $self->sql("UPDATE stored_objects SET changed_at = now() - interval '2 hours' WHERE state = 'pending'");
    my $swept = $self->ctl('sweep');
    return "sweep: $swept" if $?;
    my (%expected, %manifest);
    for ($self->sql(
        "SELECT key, 'manifest ' || state FROM stored_objects UNION ALL SELECT image, 'live' FROM reference_images "
            . "WHERE image IS NOT NULL UNION ALL SELECT image, 'live' FROM identities WHERE image IS NOT NULL"
            . " UNION ALL SELECT previous_image, 'held' FROM identities WHERE previous_image IS NOT NULL UNION ALL "
            . "SELECT image, 'live' FROM generation_jobs WHERE image IS NOT NULL"
    )) {
        my ($key, $state) = split /\|/;
        if ($state =~ /^manifest (.*)/) { $manifest{$key} = $1; next }
        $expected{$_} = $state for $key, $key =~ /^media/ ? map { sized($key, $_) } 100, 300, 600 : ();
    }
    my $objects = $self->objects;
    my @quarrels = (
        (
            map { "$_ is not in the manifest as $expected{$_}" }
            grep { ($manifest{$_} // '') ne $expected{$_} } keys %expected
        ),
        (map { "$_ is left in the manifest" } grep { !$expected{$_} } keys %manifest),
        (map { "$_ is left in the store" } grep { !$expected{$_} } keys %$objects),
        (map { $self->flaws($_, $objects) } grep { !/__sized__/ } keys %expected),
        (map { "$_ is left empty" } $self->empty_folders)
    );
    return join '; ', sort @quarrels;
}

1;
