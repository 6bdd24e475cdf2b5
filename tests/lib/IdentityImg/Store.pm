# Store.pm - start, inspect and stop the picture stores of the tests. It signs requests itself (Signature
# V4), so that its results do not depend on the tested code.
#
#   my $store = IdentityImg::Store->new('radosgw');       # 'file', 'radosgw', 'swift', 'plain'
#   $store->missing                                       # why it is not available here, or undef
#   $server->{env} = { %{$store->env} };                  # for IdentityImg::Server
#   $store->objects                                       # the keys of all objects, sorted
#   $store->tool_environment($server->state)              # the environment for identityimgctl
#
# `chosen` makes the kind in IIMG_STORE (s3: radosgw), or a directory if that is not set.
#
# 'plain' is a double (tests/doubles/s3.mjs) without versions; versions => 'STATUS:CODE:MESSAGE' is its
# response to a request for versions.
#
# The store stops when the object is destroyed.
package IdentityImg::Store;

use strict;
use warnings;
use utf8;

use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use File::Find ();
use HTTP::Tiny;
use IPC::Open2 'open2';
use POSIX 'strftime';

my %programs =
    (plain => ['node'], radosgw => [qw(radosgw radosgw-admin ceph ceph-mon ceph-osd)], swift => [], file => []);

# new KIND, bucket => NAME, prefix => 'a/b/' (prepended to all keys)
sub new {
    my ($class, $kind, %with) = @_;
    my $self = bless {
        bucket => 'pictures', prefix => '', %with, kind => $kind, owner => $$,
        state => ($ENV{IIMG_WORK} =~ s{/[^/]+$}{}r) . "/store-$kind-$$"
        },
        $class;    # (Ceph's tools do not accept blanks)
    my @missing = grep {
        my $program = $_;
        !grep { -x "$_/$program" } split /:/, "$ENV{PATH}:/usr/sbin"
    } @{ $programs{$kind} };
    push @missing, 'python3-swift' if $kind eq 'swift' && !-e '/usr/lib/python3/dist-packages/swift/__init__.py';
    return bless { %$self, missing => "@missing is not installed (scripts/deps s3)" }, $class if @missing;
    $self->start_radosgw if $kind eq 'radosgw';
    $self->start_swift if $kind eq 'swift';
    $self->start_plain if $kind eq 'plain';
    return $self;
}

sub chosen {
    my ($class, %with) = @_;
    my $kind = $ENV{IIMG_STORE} || 'file';
    return $class->new($kind eq 's3' ? 'radosgw' : $kind, %with);
}

sub kind { $_[0]{kind} }
sub missing { $_[0]{missing} }
sub is_s3 { $_[0]{kind} ne 'file' }
sub endpoint { "http://127.0.0.1:" . ($_[1] // $_[0]{port}) }

sub start_radosgw {
    my ($self) = @_;
    local @ENV{qw(STATE RADOSGW_MEMORY S3_BUCKET)} = ($self->{state}, 1, $self->{bucket});
    mkdir $self->{state};
    chmod 0755, $self->{state};
    my $out = `'$ENV{IIMG_SOURCE}/scripts/radosgw' start 2>&1 </dev/null`;
    die "scripts/radosgw start: $out" if $?;
    my %env = `'$ENV{IIMG_SOURCE}/scripts/radosgw' env` =~ /(\w+)='?([^' \n]+)/g;
    @$self{qw(access secret)} = @env{qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY)};
    ($self->{port}) = $env{S3_ENDPOINT} =~ /(\d+)$/;
    return;
}

sub start_swift {
    my ($self) = @_;
    @$self{qw(access secret)} = ('test:tester', 'testing-' . sha256_hex(rand));
    $self->{pid} = open2(
        my $out, $self->{stdin}, '/usr/bin/python3', '-Wignore', "$ENV{IIMG_DOUBLES}/s3_swift.py",
        $self->{state}, @$self{qw(access secret)}
    );
    ($self->{port}) = (readline($out) // '') =~ /^port (\d+)/ or die 's3_swift.py does not start';
    my $made = $self->request('PUT', '');
    die "the bucket cannot be made: $made->{status} $made->{content}" if $made->{status} != 200;
    return;
}

sub start_plain {
    my ($self) = @_;
    @$self{qw(access secret)} = qw(plain plain);
    $self->{pid} = open2(
        my $out, $self->{stdin}, 'node', "$ENV{IIMG_DOUBLES}/s3.mjs", '--port', $self->{port} // 0,
        '--with-stdin', '--keep', $self->{versions} // '501:NotImplemented:ListObjectVersions not implemented'
    );
    ($self->{port}) = (readline($out) // '') =~ /^listening (\d+)/ or die 's3.mjs does not start';
    return;
}

# Control the double: slow => N, hang => 0 or 1.
sub tell {
    my ($self, $word, $value) = @_;
    my $answer = HTTP::Tiny->new->request(PUT => $self->endpoint . "/__$word/$value");
    die "s3.mjs: $answer->{content}" if $answer->{status} != 204;
    return;
}

# Environment for scripts/serve. PORT: of a proxy in front of the store.
sub env {
    my ($self, $port) = @_;
    return { STORAGE => 'file' } if !$self->is_s3;
    return {
        STORAGE => 's3', S3_ENDPOINT => $self->endpoint($port), S3_BUCKET => $self->{bucket}, S3_REGION => 'us-east-1',
        AWS_ACCESS_KEY_ID => $self->{access}, AWS_SECRET_ACCESS_KEY => $self->{secret}, HOME => '/nonexistent'
    };
}

# Environment for identityimgctl. STATE: the server's folder.
sub tool_environment {
    my ($self, $state) = @_;
    return (IDENTITYIMG_STORAGE => 'file', IDENTITYIMG_STORAGE_ROOT => "$state/pictures") if !$self->is_s3;
    my $env = $self->env;
    return (
        IDENTITYIMG_STORAGE => 's3', IDENTITYIMG_S3_PREFIX => $self->{prefix} =~ s{/$}{}r,
        map({ +"IDENTITYIMG_$_" => $env->{$_} } qw(S3_ENDPOINT S3_BUCKET S3_REGION)),
        map { $_ => $env->{$_} } qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY HOME)
    );
}

# Signature V4 ---------------------------------------------------------------------------------------

sub encode {
    my ($text, $safe) = @_;
    utf8::encode($text);
    $safe //= '';
    return $text =~ s/([^A-Za-z0-9\-._~$safe])/sprintf '%%%02X', ord $1/ger;
}

sub query_of {
    my (%query) = @_;
    return join '&', map { encode($_) . '=' . encode($query{$_}) } sort keys %query;
}

sub signature {
    my ($self, $stamp, $request) = @_;
    my $scope = substr($stamp, 0, 8) . '/us-east-1/s3/aws4_request';
    my $key = "AWS4$self->{secret}";
    $key = hmac_sha256($_, $key) for split m{/}, $scope;
    return hmac_sha256_hex("AWS4-HMAC-SHA256\n$stamp\n$scope\n" . sha256_hex($request), $key);
}

# Send one signed request. PATH: after the bucket. MORE: query => {}, content, headers => {}, bucket
sub request {
    my ($self, $method, $path, %more) = @_;
    my $uri = '/' . ($more{bucket} // $self->{bucket}) . '/' . encode($path, '/');
    my ($stamp, $query) = (strftime('%Y%m%dT%H%M%SZ', gmtime), query_of(%{ $more{query} // {} }));
    my $hash = sha256_hex($more{content} // '');
    my $names = 'host;x-amz-content-sha256;x-amz-date';
    my $signature = $self->signature(
        $stamp,
        "$method\n$uri\n$query\nhost:127.0.0.1:$self->{port}\nx-amz-content-sha256:$hash\nx-amz-date:$stamp\n\n$names\n"
            . "$hash"
    );
    my $answer = ($self->{agent} //= HTTP::Tiny->new(timeout => 60))->request(
        $method,
        $self->endpoint . $uri . ($query ? "?$query" : ''),
        {
            content => $more{content} // '',
            headers => {
                'x-amz-date' => $stamp, 'x-amz-content-sha256' => $hash, %{ $more{headers} // {} },
                Authorization => "AWS4-HMAC-SHA256 Credential=$self->{access}/"
                    . substr($stamp, 0, 8)
                    . "/us-east-1/s3/aws4_request, SignedHeaders=$names, Signature=$signature"
            },
        }
    );
    die "$method $uri: $answer->{content}" if $answer->{status} == 599;
    return $answer;
}

# A presigned URL, signed at a given time.
sub presigned {
    my ($self, $key, $time, $expires, %more) = @_;
    my $stamp = strftime('%Y%m%dT%H%M%SZ', gmtime $time);
    my $uri = "/$self->{bucket}/" . encode("$self->{prefix}$key", '/');
    my $query = query_of(
        %more, 'X-Amz-Algorithm' => 'AWS4-HMAC-SHA256',
        'X-Amz-Credential' => "$self->{access}/" . substr($stamp, 0, 8) . '/us-east-1/s3/aws4_request',
        'X-Amz-Date' => $stamp, 'X-Amz-Expires' => $expires, 'X-Amz-SignedHeaders' => 'host'
    );
    return
          $self->endpoint
        . "$uri?$query&X-Amz-Signature="
        . $self->signature($stamp, "GET\n$uri\n$query\nhost:127.0.0.1:$self->{port}\n\nhost\nUNSIGNED-PAYLOAD");
}

# Contents --------------------------------------------------------------------------------------------

sub listing {
    my ($self, %query) = @_;
    my $answer = $self->request('GET', '', query => \%query);
    die "listing: $answer->{status} $answer->{content}" if $answer->{status} != 200;
    return $answer->{content};
}

# Keys as in the manifest. STATE: the server's folder, for the store "file".
sub objects {
    my ($self, $state) = @_;
    if ($self->is_s3) {
        my $prefix = $self->{prefix};
        my (@keys, $next);
        do {
            my $text = $self->listing('list-type' => 2, $next ? ('continuation-token' => $next) : ());
            push @keys, map { s/^\Q$prefix\E//r } $text =~ m{<Key>([^<]*)</Key>}g;
            ($next) = $text =~ m{<NextContinuationToken>([^<]+)};
        } while ($next);
        @keys = sort grep { $_ ne '.identityimg-store' } @keys;
        return @keys;
    }
    my @keys;
    File::Find::find(
        {
            no_chdir => 1,
            wanted => sub { push @keys, substr($_, length "$state/pictures/") =~ s{^(\w+/)../../}{$1}r if -f }
        },
        "$state/pictures"
    );
    @keys = sort grep { $_ ne '.identityimg-store' } @keys;
    return @keys;
}

# All versions and delete markers below the prefix, except the store's own marker: { key, id, latest, deleted, etag }
sub versions {
    my ($self) = @_;
    return map { { key => $_, id => 'null', latest => 1, deleted => 0, etag => '' } } $self->objects
        if $self->{kind} eq 'plain';
    my @versions;
    my $text = $self->listing(versions => '', prefix => $self->{prefix});
    die 'the versions need more than one page' if $text =~ m{<IsTruncated>true};
    while ($text =~ m{<(Version|DeleteMarker)>(.*?)</\1>}gs) {
        my ($kind, $one) = ($1, $2);
        my %told = $one =~ m{<(Key|VersionId|IsLatest|ETag)>([^<]*)</}g;
        next if $told{Key} eq "$self->{prefix}.identityimg-store";
        push @versions,
            {
            key => $told{Key} =~ s/^\Q$self->{prefix}\E//r, id => $told{VersionId},
            latest => $told{IsLatest} eq 'true', deleted => $kind ne 'Version', etag => $told{ETag}
            };
    }
    return @versions;
}

# The bytes of an object.
sub object {
    my ($self, $key, $version) = @_;
    my $answer = $self->request(
        GET => "$self->{prefix}$key",
        query => { $version && $version ne 'null' ? (versionId => $version) : () }
    );
    die "$key: $answer->{status} $answer->{content}" if $answer->{status} != 200;
    return $answer->{content};
}

# Turn on versioning.
sub keep_versions {
    my ($self) = @_;
    my $wanted =
          '<VersioningConfiguration '
        . 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>';
    my $answer = $self->request(PUT => '', query => { versioning => '' }, content => $wanted);
    die "versioning: $answer->{status} $answer->{content}" if $answer->{status} != 200;
    return;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$ || $self->{missing};
    local ($?, $@);
    if ($self->{kind} eq 'radosgw') {
        local $ENV{STATE} = $self->{state};
        system("'$ENV{IIMG_SOURCE}/scripts/radosgw' stop");
    }
    if ($self->{pid}) {
        close $self->{stdin};
        waitpid $self->{pid}, 0;
    }
    return;
}

1;
