# Test.pm - shared by the tests over HTTP: requests as a user, rows, files, the error log.
#
#   use IdentityImg::Test;
#
#   my $answer = call(GET => 'reference-images/', as => 'alice');
#   is $answer->code, 200, 'a user lists their photos';
#   is json($answer)->[0]{order}, 0, 'the first photo has order 0';
#   finish();        # instead of done_testing: also checks the error log
package IdentityImg::Test;

use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;

use Exporter 'import';
use File::Find ();
use File::Temp ();
use HTTP::Request::Common ();
use JSON::PP ();
use MIME::Base64 'encode_base64';
use Test::More;
use Apache::Test ();
use Apache::TestRequest ();

# httpd's user must be able to read files of the tests, under any umask.
umask 0022;

our @EXPORT = qw(
    call json login person identity_of url base_url
    sql ctl sweep fresh_data cheap_logins reset_pictures stored_files picture_path portrait make_jpeg slurp proc
    undated steady expect_log finish log_lines logged state
);

# The ids of sql/demo.sql.
my %people = (
    admin => ['00000000-0000-4000-8000-00000000000a', 'admin@example.com', 'pw-admin'],
    alice => ['00000000-0000-4000-8000-00000000000b', 'alice@example.com', 'pw-alice'],
    bob => ['00000000-0000-4000-8000-00000000000c', 'bob@example.com', 'pw-bob'],
    scenario_one => ['00000000-0000-4000-8000-0000000000d1', 'scenario-one@example.com', 'pw-scenario-one'],
    scenario_two => ['00000000-0000-4000-8000-0000000000d2', 'scenario-two@example.com', 'pw-scenario-two'],
);
my %identities = (
    full => '00000000-0000-4000-8000-0000000000f1',
    bare => '00000000-0000-4000-8000-0000000000f2',
    unicode => '00000000-0000-4000-8000-0000000000f3',
    plain => '00000000-0000-4000-8000-0000000000f4',
);

my $builder = Test::More->builder;
binmode $_, ':encoding(UTF-8)' for $builder->output, $builder->failure_output, $builder->todo_output;

# The id of a person; the id of an identity.
sub person { $people{ $_[0] }[0] // die "no person is called $_[0]" }
sub identity_of { $identities{ $_[0] } // die "no identity $_[0]" }

# The Authorization header for a person, or for an email and a password.
sub login {
    my ($who, $password) = @_;
    my ($email, $secret) = defined $password ? ($who, $password) : @{ $people{$who} }[1, 2];
    return 'Basic ' . encode_base64("$email:$secret", '');
}

# The folder of the server's state.
sub state { $ENV{STATE} }
sub base_url { 'http://' . Apache::TestRequest::hostport() }
sub url { my ($path) = @_; $path =~ m{^/|^http} ? $path : "/api/v1/$path" }

# call METHOD => PATH, as => 'alice', ...: one request; redirects are not followed.
#   json => DATA        body as JSON            body => BYTES       body as it is
#   form => [k => v]    urlencoded              parts => [k => v]   multipart; a file is [PATH] or
#   type => TYPE        Content-Type                                [undef, NAME, Content => BYTES]
#   headers => [k => v]                         base => URL         of another server
#   dies => 1           no response is expected
sub call {
    my ($method, $path, %with) = @_;
    local $_;    # Apache::Test changes $_ when it reads its configuration
    my @headers = @{ $with{headers} // [] };
    push @headers, Authorization => login($with{as}) if $with{as};
    my ($content, $type) = (undef, $with{type});
    if (exists $with{json}) {
        ($content, $type) =
            (JSON::PP->new->utf8->canonical->allow_nonref->encode($with{json}), $type // 'application/json');
    }
    elsif (exists $with{body}) { $content = $with{body} }
    my $request;
    if (my $fields = $with{form} // $with{parts}) {
        $request = HTTP::Request::Common::POST(
            'http://x/', $with{parts} ? ('Content_Type' => 'form-data') : (),
            Content => $fields
        );
        $request->method($method);
    }
    else {
        $request = HTTP::Request->new($method, 'http://x/');
        $request->content($content) if defined $content;
        $request->header('Content-Length' => length $content) if defined $content;
    }
    $request->header('Content-Type' => $type) if defined $type;
    $request->header(splice @headers, 0, 2) while @headers;
    $request->uri(url($path) =~ /^http/ ? $path : ($with{base} // base_url()) . url($path));
    Apache::TestRequest::user_agent(keep_alive => 1, requests_redirectable => 0) unless our $agent_made++;
    my $agent = Apache::TestRequest::user_agent();
    $agent->timeout(120);
    my $answer = $agent->simple_request($request);
    if (($answer->header('Client-Warning') // '') eq 'Internal response') {
        $with{dies} or diag "$method $path: no answer: ", $answer->status_line;
    }
    else { _record($answer) }
    return $answer;
}

# Record each API response as a line of the file that tests/run names; tests/last/answers.t checks them all.
#   test, method, path, status, Content-Type, names of headers, body in base64; separated by tabs
sub _record {
    my ($answer) = @_;
    my $path = $answer->request->uri->path;
    return if !$ENV{IIMG_ANSWERS} || index($path, '/api/v1/') != 0;
    my $type = $answer->header('Content-Type') // '';
    my $body =
        $type =~ m{^application/(?:problem\+)?json}
        ? encode_base64($answer->decoded_content(charset => 'none', alt_charset => 'none') // '', '')
        : '';
    my ($test) = $0 =~ m{([^/]+)$};
    open my $file, '>>:raw', $ENV{IIMG_ANSWERS} or return;
    syswrite $file,
        join(
        "\t", $test, $answer->request->method, $path, $answer->code, $type,
        join(',', $answer->header_field_names), $body
        ) . "\n";
    close $file;
    return;
}

# The JSON of a response. Fails the test if it is not JSON.
sub json {
    my ($answer) = @_;
    my $data = eval { JSON::PP->new->utf8->allow_nonref->decode($answer->content) };
    if ($@) { fail 'the response is JSON'; diag $answer->as_string =~ s/(.{2000}).*/$1/sr; }
    return $data;
}

# Rows --------------------------------------------------------------------------------------------

my $cluster;

sub _cluster {
    $cluster //= {
        map { /^(?:export )?(\w+)='?([^';]*)'?;?/ ? ($1 => $2) : () } split /\n/,
        `'$ENV{IIMG_SOURCE}/scripts/cluster' env`
    };
    return $cluster;
}

# Run SQL as the schema's owner. Returns the rows, columns joined by '|'; dies when psql does.
sub sql {
    my ($text) = @_;
    my %environment = (%{ _cluster() }, PGUSER => 'identityimg_owner', PGDATABASE => 'identityimg');
    local @ENV{ keys %environment } = values %environment;
    my $file = File::Temp->new;
    binmode $file, ':encoding(UTF-8)';
    print $file $text;
    close $file;
    my $out = `psql -XqAt -v ON_ERROR_STOP=1 -f '$file' 2>&1`;
    die "psql: $out" if $?;
    utf8::decode($out);
    return split /\n/, $out;
}

# Run identityimgctl ARGUMENTS. Returns both output streams; $? is its status.
sub ctl { my $out = `'$ENV{IIMG_SOURCE}/scripts/ctl' @_ 2>&1 </dev/null`; utf8::decode($out); return $out }

# Delete doomed objects.
sub sweep { my $out = ctl('sweep'); die "identityimgctl sweep: $out" if $?; return $out }

# Restore the demo data and delete all pictures. Each test file begins with it.
sub fresh_data {
    reset_pictures();
    sql(      'DELETE FROM test_scenarios; DELETE FROM users; DELETE FROM stored_objects;'
            . " DELETE FROM prompts WHERE version > 1 OR prompt_type <> 'image_generation'; UPDATE prompts SET "
            . "is_active = true;\n"
            . "\\i '$ENV{IIMG_SOURCE}/sql/demo.sql'");
    return;
}

# Give all demo users the cheapest password hashes, in the main server or SERVER, so that many concurrent
# requests are not refused as login_busy on a slow machine.
sub cheap_logins {
    my ($server) = @_;
    my $statements = join '', map {
        my ($id, undef, $password) = @$_;
        "UPDATE users SET password = '" . crypt($password, '$2y$04$abcdefghijklmnopqrstuu') . "' WHERE id = '$id';\n"
    } values %people;
    return $server ? $server->sql($statements) : sql($statements);
}

# Delete all rows with pictures, and all files.
sub reset_pictures {
    sql(      'DELETE FROM reference_images; DELETE FROM generation_jobs;'
            . ' UPDATE identities SET image = NULL, image_sized = NULL;'
            . ' UPDATE identities SET previous_image = NULL, previous_image_sized = NULL;'
            . ' DELETE FROM stored_objects;');
    unlink map { picture_path($_) } stored_files();
    return;
}

# Files -------------------------------------------------------------------------------------------

# Relative names of all files in the store except its marker, sorted.
sub stored_files {
    my $root = state() . '/pictures';
    my @files;
    File::Find::find({ no_chdir => 1, wanted => sub { push @files, substr $_, 1 + length $root if -f } }, $root);
    @files = sort grep { $_ ne '.identityimg-store' } @files;
    return @files;
}

sub picture_path { state() . "/pictures/$_[0]" }

# Data without parts that change over time: picture URLs lose their signatures.
sub undated {
    my ($data) = @_;
    return { map { $_ => undated($data->{$_}) } keys %$data } if ref $data eq 'HASH';
    return [map { undated($_) } @$data] if ref $data eq 'ARRAY';
    return
           defined $data
        && !ref $data
        && $data =~ m{^https?://[^?]*/(?:media|generated_images)/[^?]*\?} ? $data =~ s/\?.*//sr : $data;
}

# Wait, if necessary, until picture URLs and the ETags of rows that contain them stay the same for SECONDS.
# They change at each quarter of IdentityImgMediaExpiry; 900 seconds is the default.
sub steady {
    my ($seconds) = @_;
    my $left = 900 - time % 900;
    sleep $left + 1 if $left < $seconds;
    return;
}

sub slurp {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    local $/;
    return scalar <$file>;
}

# A file of a process below /proc; '' if the process has ended.
sub proc {
    my ($pid, $name) = @_;
    open my $file, '<:raw', "/proc/$pid/$name" or return '';
    local $/;
    return scalar(<$file>) // '';
}

# A real photo of a face.
sub portrait { "$ENV{IIMG_SOURCE}/tests/data/portrait.png" }

# A JPEG of the given size, made once by libvips. Options as for jpegsave ("Q=90,interlace").
sub make_jpeg {
    my ($width, $height, $options) = @_;
    my $path = "$ENV{IIMG_WORK}/made-${width}x$height-" . (($options // '') =~ s/\W/-/gr) . '.jpg';
    return $path if -s $path;
    my $unfinished = $path =~ s/\.jpg$/-$$.jpg/r;    # another test may be making the same file
    my $save = $unfinished . ($options ? "[$options]" : '');
    my $scale = join ' ', $width / 512, '--vscale', $height / 512;
    system("vips resize '" . portrait() . "' '$save' $scale --kernel cubic") == 0 or die 'vips failed';
    rename $unfinished, $path or die "$path: $!";
    return $path;
}

# The error log -----------------------------------------------------------------------------------

my ($log_from, @expected) = (-s state() . '/httpd/error.log');

# Whether this test does not use the main server, so that other tests may run in parallel (tests/run).
sub beside_others {
    open my $file, '<', $0 or return;
    while (my $line = <$file>) { return 1 if $line eq "# Runs beside others.\n"; last if $line !~ /^#/ }
    return 0;
}

# Expect a line in the error log (a pattern), of level warn or above.
sub expect_log { push @expected, @_; return }

# A path as httpd logs it: non-ASCII bytes are escaped.
sub logged { my ($path) = @_; return $path =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger }

# Log lines since this test began, of level warn and above; or all lines.
sub log_lines {
    my ($all) = @_;
    open my $log, '<', state() . '/httpd/error.log' or die "error.log: $!";
    seek $log, $log_from, 0;
    my @lines = <$log>;
    chomp @lines;
    return $all ? @lines : grep { /^\[[^\]]*\] \[[\w-]*:(?:emerg|alert|crit|error|warn)\]/ || !/^\[/ } @lines;
}

# End a test: the error log has only expected lines, and ASan reported nothing.
sub finish {
    if (beside_others()) {
        done_testing();
        return;
    }
    my @surprises = grep {
        my $line = $_;
        !grep { $line =~ $_ } @expected
    } log_lines();
    is "@surprises[0 .. ($#surprises < 9 ? $#surprises : 9)]", '', 'the error log has only expected lines';
    my @reports = glob state() . '/httpd/asan/report*';
    is "@reports", '', 'no sanitizer report';
    diag slurp($_) for @reports;
    done_testing();
    return;
}

1;
