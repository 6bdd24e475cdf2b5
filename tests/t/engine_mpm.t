# engine_mpm.t - generations with each MPM of httpd, over TLS and HTTP/2: they succeed, can be waited for, and
# survive a restart of httpd.
# Runs beside others.
use strict;
use warnings;
use IdentityImg::Server qw(in_parallel eventually free_port);
use IdentityImg::Test;
use IPC::Open2 'open2';
use JSON::PP ();
use Test::More;

my $json = JSON::PP->new->utf8;
my $pid = open2(my $out, my $in, 'node', "$ENV{IIMG_DOUBLES}/gemini.mjs", '--with-stdin', '--key', 'k');
my ($double) = (readline($out) // '') =~ /^listening (\d+)/ or die 'gemini.mjs does not start';
my $owner = $$;

END {
    my $status = $?;
    if ($in && $owner == $$) { close $in; waitpid $pid, 0 }
    $? = $status;
}
my %env = (GEMINI_ENDPOINT => "http://127.0.0.1:$double/", GEMINI_API_KEY => 'k');
my $few = join "\n", 'StartServers 2', 'ServerLimit 12', 'DBDMax 2', 'DBDKeep 2', 'DBDMin 1', '';

# `curl` with OPTIONS: [status, protocol, data].
sub fetch {
    my ($url, @options) = @_;
    open my $curl, '-|', 'curl', '-q', '-sk', '-m', 60, '--noproxy', '*', '-u', 'admin@example.com:pw-admin', '-w',
        '\n%{http_code} %{http_version}', @options, $url
        or die $!;
    my $text = do { local $/; readline $curl };
    my ($status, $version) = $text =~ s/\n(\d+) (\S+)$// ? ($1, $2) : (0, '');
    return [$status, $version, eval { $json->decode($text) }];
}

sub wish {
    my ($words) = @_;
    return (
        '-H',
        'Content-Type: application/json',
        '-d',
        $json->encode({
            identity_id => identity_of('full'), user_id => person('alice'), aspect_ratio => '1:1',
            resolution => '1K', additional_prompt => $words
        })
    );
}

sub try {
    my ($server, $base, $protocol, @options) = @_;
    my $api = "$base/api/v1/image-generation";
    is call(
        POST => 'reference-images/', as => 'alice', base => $server->base, headers => [Connection => 'close'],
        parts => [image => [make_jpeg(64, 48)]]
    )->code, 201, "$protocol: a photo is uploaded";
    my @made = in_parallel(
        4,
        sub { my ($n) = @_; return fetch("$api/generate/", @options, wish("[[scenario:slow:1000]] $n")) }, sub { }
    );
    is join(' ', map { "$_->[0]/$_->[1]" } @made), join(' ', ("200/$protocol") x 4),
        "$protocol: four waiting requests get their pictures";
    my $job = fetch("$api/generate/", @options, '-H', 'Prefer: respond-async', wish('[[scenario:slow:1500]]'));
    is $job->[0], 202, "$protocol: an asynchronous request gets a job";
    my $ended = fetch("$api/jobs/$job->[2]{id}/", @options, '-H', 'Prefer: wait=20');
    is "$ended->[0] $ended->[2]{state}", '200 succeeded', "$protocol: a request can wait for that job";
    my @jobs =
        map { fetch("$api/generate/", @options, '-H', 'Prefer: respond-async', wish("[[scenario:slow:2000]] job $_")) }
        1 .. 6;
    my ($waited) = in_parallel(
        1,
        sub { fetch("$api/generate/", @options, wish('[[scenario:slow:2000]] waits')) },
        sub {
            eventually(sub { ($server->sql("SELECT count(*) FROM generation_jobs WHERE state = 'running'"))[0] >= 7 });
            $server->reload;
        }
    );
    is $waited->[0], 200, "$protocol: a waiting request gets its picture after a graceful restart";
    ok eventually(sub { !($server->sql("SELECT 1 FROM generation_jobs WHERE state IN ('queued', 'running')"))[0] }),
        "$protocol: all jobs end after a graceful restart";
    is join(' ', $server->sql("SELECT state, max(attempts), count(*) FROM generation_jobs GROUP BY 1")),
        'succeeded|1|12', "$protocol: all jobs succeed in one attempt";
    return;
}

for my $mpm (qw(worker prefork)) {
    my $server = IdentityImg::Server->new("mpm-$mpm", env => { %env, MPM => $mpm }, conf => $few)->start;
    try($server, $server->base, '1.1');
    is(
        (fetch($server->base . '/api/v1/image-generation/generate/', wish('',))->[0]), 200,
        "a generation succeeds with $mpm"
    );
    $server->judge(qr/AH10159|AH03490|AH00181/);
    $server->stop;
}

my $modules = '/usr/lib/apache2/modules';
SKIP: {
    skip 'mod_http2 or mod_ssl is missing', 1 if grep { !-e "$modules/mod_$_.so" } qw(http2 ssl);
    my $port = free_port();
    my $server = IdentityImg::Server->new('mpm-tls', env => {%env});
    my $key = $server->state . '/tls.pem';
    system(   "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -days 2 -keyout '$key' -out '$key.crt' "
            . "2>/dev/null")
        and die 'no certificate';
    $server->start(<<"CONF");
LoadModule ssl_module $modules/mod_ssl.so
LoadModule http2_module $modules/mod_http2.so
Listen 127.0.0.1:$port
<VirtualHost 127.0.0.1:$port>
    SSLEngine on
    SSLCertificateFile "$key.crt"
    SSLCertificateKeyFile "$key"
    Protocols h2 http/1.1
</VirtualHost>
CONF
    try($server, "https://127.0.0.1:$port", '1.1', '--http1.1');
    $server->sql('DELETE FROM generation_jobs');
    $server->sql('DELETE FROM reference_images');
    try($server, "https://127.0.0.1:$port", '2', '--http2');
    $server->judge(qr/AH01882|AH01873|AH01906|AH01909|AH10159|AH03490/);
}
finish();
