# Server.pm - an additional server for one test, with other directives, another database, or a failing
# connection to it.
#
#   my $server = IdentityImg::Server->new('slow', conf => "DBDMax 2\n")->start;
#   my $answer = call(GET => 'users/me/', as => 'alice', base => $server->base);
#   $server->judge(qr/IIMG0003/);     # the error log has only these lines; call it before finish()
#
# The server stops when the object is destroyed. Its state is in a separate folder below $IIMG_WORK. A
# second start of the same object finds the same database and pictures; another test with the same NAME
# does not.
package IdentityImg::Server;

use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;

use Exporter 'import';
use File::Path ();
use File::Temp ();
use IO::Socket::INET ();
use IPC::Open2 'open2';
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes 'sleep';

our @EXPORT_OK = qw(in_parallel eventually free_port);

sub free_port { IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)->sockport }

# new NAME, conf => TEXT (included last), env => {NAME => VALUE} (for scripts/serve),
#           proxy => 1 (httpd connects to PostgreSQL through tcp_proxy.pl)
sub new {
    my ($class, $name, %with) = @_;
    my $self = bless {
        conf => '', env => {}, %with, name => $name, owner => $$, port => free_port(),
        state => "$ENV{IIMG_WORK}/server-$name-$$", log_from => 0
    }, $class;
    File::Path::make_path($self->{state});
    chmod 0755, $self->{state};
    $self->start_proxy if $self->{proxy};
    return $self;
}

sub base { "http://127.0.0.1:$_[0]{port}" }
sub state { $_[0]{state} }

# DBDParams that connect through the proxy. OPTIONS as in PGOPTIONS.
sub params_through_proxy {
    my ($self, $options) = @_;
    return
          qq{DBDParams "host=127.0.0.1 port=$self->{proxy_port} password=through dbname=identityimg user=identityimg}
        . qq{ connect_timeout=2 application_name=identityimg options='-c statement_timeout=5000 -c timezone=UTC}
        . ($options ? " $options" : '')
        . qq{'"\n};
}

sub start_proxy {
    my ($self) = @_;
    $self->{env}{IIMG_PG_PORT} = free_port();
    $self->{env}{IIMG_PG_PASSWORD} = 'through';
    $self->{proxy_pid} = open2(my $out, my $in, $^X, "$ENV{IIMG_DOUBLES}/tcp_proxy.pl", $self->{env}{IIMG_PG_PORT});
    @$self{qw(proxy_out proxy_in)} = ($out, $in);
    ($self->{proxy_port}) = (readline($out) // '') =~ /^port (\d+)/ or die 'tcp_proxy.pl does not start';
    return;
}

# Send a command to the proxy. Returns its counters.
sub line {
    my ($self, $command) = @_;
    syswrite $self->{proxy_in}, "$command\n";
    my $answer = readline $self->{proxy_out};
    return { map { split /=/ } split ' ', $answer // die 'tcp_proxy.pl has ended' };
}

# Run one of scripts/ for this server. Returns its output; $? is its status.
sub script {
    my ($self, $name, @arguments) = @_;
    my %environment = (
        %{ $self->{env} }, STATE => $self->{state}, PORT => $self->{port},
        IIMG_EXTRA_CONF => "$self->{state}/extra.conf"
    );
    local @ENV{ keys %environment } = values %environment;
    my $out = `'$ENV{IIMG_SOURCE}/scripts/$name' @arguments 2>&1 </dev/null`;
    utf8::decode($out);
    return $out;
}

sub write_conf {
    my ($self, $conf) = @_;
    $self->{conf} = $conf if defined $conf;
    open my $file, '>', "$self->{state}/extra.conf" or die $!;
    print $file $self->{conf}, $self->{proxy} ? $self->params_through_proxy : ();
    close $file;
    return;
}

# Start, with CONF instead of the current directives if given. Dies with the reason.
sub start {
    my ($self, $conf) = @_;
    $self->write_conf($conf);
    my $out = $self->script(serve => 'start');
    die "scripts/serve start: $out" if $?;
    return $self;
}

sub stop {
    my ($self) = @_;
    $self->script(serve => 'stop');
    return $self;
}

sub restart {
    my ($self, $conf) = @_;
    return $self->stop->start($conf);
}

# Add static/page.txt beside the API, readable by httpd's user under any umask.
sub add_page {
    my ($self) = @_;
    my $folder = "$self->{state}/httpd/htdocs/static";
    mkdir $folder;
    open my $file, '>', "$folder/page.txt" or die $!;
    print $file "a page\n";
    close $file;
    chmod 0755, $folder or die $!;
    chmod 0644, "$folder/page.txt" or die $!;
    return;
}

# Reload httpd with other directives and wait for its new children. Returns '', or httpd's error message;
# httpd then keeps the old directives.
sub reload {
    my ($self, $conf) = @_;
    chomp(my $parent = IdentityImg::Test::slurp("$self->{state}/httpd/httpd.pid"));
    $self->write_conf($conf);
    # A stopped parent starts no more children with the old directives. It gets the signal when it continues.
    kill STOP => $parent;
    my %old = map { $_ => 1 } $self->children;
    my $out = $self->script(serve => 'reload');
    my $status = $?;
    kill CONT => $parent;
    return $out if $status;
    eventually(sub {
        my @now = $self->children;
        @now && !grep { $old{$_} } @now;
    }) or die 'the old children did not exit';
    Apache::TestRequest::user_agent(reset => 1, keep_alive => 1, requests_redirectable => 0)
        ;    # it holds connections to the old children
    return '';
}

# Run `apachectl configtest` with other directives or another FILE. Returns '' or httpd's error message, with
# httpd's escapes decoded. A running server is not affected.
sub configtest {
    my ($self, $conf, $file) = @_;
    my ($status, $out) = $self->configtest_output($conf, $file);
    return $status ? $out : '';
}

# The same. Returns the exit status and the whole output.
sub configtest_output {
    my ($self, $conf, $file) = @_;
    $self->write_conf($conf);
    $file //= "$self->{state}/httpd/httpd.conf";
    chomp(my $asan = $ENV{IIMG_SANITIZE} ? `gcc -print-file-name=libasan.so` : '');
    local $ENV{LD_PRELOAD} = $asan if $asan;
    my $out = `/usr/sbin/apache2 -t -f '$file' 2>&1 </dev/null`;
    my $status = $? >> 8;
    return ($status, $out =~ s/\\x([0-9a-f]{2})/chr hex $1/ger);
}

# The pids of httpd's serving children.
sub children {
    my ($self) = @_;
    chomp(my $parent = IdentityImg::Test::slurp("$self->{state}/httpd/httpd.pid"));
    my @children = sort { $a <=> $b } map { /(\d+) apache2/ } `ps -o pid=,comm= --ppid $parent`;
    return @children;
}

# Rows ---------------------------------------------------------------------------------------------

sub cluster_environment {
    my ($self) = @_;
    return (
        map({ /^(?:export )?(\w+)='?([^';]*)'?;?/ ? ($1 => $2) : () } split /[\n;] */, $self->script(cluster => 'env')),
        PGUSER => 'identityimg_owner', PGDATABASE => 'identityimg'
    );
}

# Like IdentityImg::Test::sql; ROLE defaults to the schema's owner.
sub sql {
    my ($self, $text, $role) = @_;
    my %environment = ($self->cluster_environment, $role ? (PGUSER => $role) : ());
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

# The server of tests/run, for its rows and its log. Tests do not start or stop it.
sub main {
    my ($class) = @_;
    return bless {
        conf => '', env => {}, name => 'main', owner => 0, port => $ENV{PORT}, state => $ENV{STATE},
        log_from => 0
    }, $class;
}

# Run SQL in a transaction and keep it open. Returns a function that rolls back, or commits if called with
# 'COMMIT'.
sub hold {
    my ($self, $text) = @_;
    my %environment = $self->cluster_environment;
    local @ENV{ keys %environment } = values %environment;
    my $pid = open2(my $out, my $in, 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1');
    syswrite $in, "BEGIN;\n$text;\n\\echo held\n";
    while (1) {
        my $line = readline $out // die "psql does not hold: $text";
        last if $line eq "held\n";
    }
    return sub { my $end = shift // 'ROLLBACK'; syswrite $in, "$end;\n\\q\n"; close $in; close $out; waitpid $pid, 0 };
}

# The error log ------------------------------------------------------------------------------------

sub log_path { "$_[0]{state}/httpd/error.log" }

# Log lines of level warn and above (all lines if the argument is true) since the start, or since `forget_log`.
sub log_lines {
    my ($self, $all) = @_;
    open my $log, '<', $self->log_path or return;
    seek $log, $self->{log_from}, 0;
    my @lines = <$log>;
    chomp @lines;
    return $all ? @lines : grep { /^\[[^\]]*\] \[[\w-]*:(?:emerg|alert|crit|error|warn)\]/ || !/^\[/ } @lines;
}

sub forget_log { $_[0]{log_from} = -s $_[0]->log_path // 0; return }

# Check that the error log has only expected lines, and that ASan reported nothing.
sub judge {
    my ($self, @expected) = @_;
    $self->{log_from} = 0;
    my @surprises = grep {
        my $line = $_;
        !grep { $line =~ $_ } @expected
    } $self->log_lines;
    is "@surprises[0 .. ($#surprises < 9 ? $#surprises : 9)]", '',
        "the error log of server $self->{name} has only expected lines";
    my @reports = glob "$self->{state}/httpd/asan/report*";
    is "@reports", '', "no sanitizer report from server $self->{name}";
    diag IdentityImg::Test::slurp($_) for @reports;
    return;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@);
    $self->stop;
    if ($self->{proxy_pid}) {
        close $self->{proxy_in};
        waitpid $self->{proxy_pid}, 0;
    }
    return;
}

# Concurrency --------------------------------------------------------------------------------------

# Run CODE->(0), CODE->(1) ... in COUNT processes, and MEANWHILE->() in this one. Returns the results of the
# processes (plain data), in order. A process is killed after SECONDS (300).
sub in_parallel {
    my ($count, $code, $meanwhile, $seconds) = @_;
    my (@pipes, @pids);
    for my $number (0 .. $count - 1) {
        pipe my $read, my $write or die $!;
        my $pid = fork // die $!;
        if (!$pid) {
            alarm($seconds // 300);
            # A connection of the parent's agent would be shared by all children.
            Apache::TestRequest::user_agent(reset => 1, keep_alive => 1, requests_redirectable => 0);
            my $json = JSON::PP->new->utf8->allow_nonref;
            my $answer = eval { $json->encode($code->($number)) } // $json->encode("$@");
            syswrite $write, $answer, 65536, $_ * 65536 for 0 .. int(length($answer) / 65536);
            POSIX::_exit(0);
        }
        close $write;
        push @pipes, $read;
        push @pids, $pid;
    }
    my $alive = eval { $meanwhile->() if $meanwhile; 1 };
    my $problem = $@;
    my @answers = map {
        local $/;
        my $text = readline $_;
        length($text // '') ? JSON::PP->new->allow_nonref->utf8->decode($text) : undef
    } @pipes;
    waitpid $_, 0 for @pids;
    die $problem if !$alive;
    return @answers;
}

# Call CODE until it returns true, for at most SECONDS (60). Returns its last value.
sub eventually {
    my ($code, $seconds) = @_;
    my $end = time + ($seconds // 60);
    my $value;
    until ($value = $code->()) {
        last if time > $end;
        sleep 0.05;
    }
    return $value;
}

1;
