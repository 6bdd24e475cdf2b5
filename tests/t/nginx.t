# nginx.t - behind nginx that compresses JSON: ETags come back weak, and can still be used for changes.
use strict;
use warnings;
use utf8;
use File::Temp ();
use HTTP::Request ();
use IdentityImg::Server qw(eventually free_port);
use IdentityImg::Test;
use IO::Socket::INET;
use Test::More;

my ($nginx) = grep { -x } '/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx';
plan skip_all => 'nginx is not installed (scripts/deps test)' if !$nginx;

fresh_data();
my $port = free_port();
my $folder = File::Temp->newdir;
my ($to) = base_url() =~ m{^http://(.+)};
open my $conf, '>', "$folder/nginx.conf" or die $!;
print $conf <<"CONF";
daemon off; pid $folder/pid; error_log $folder/log;
worker_processes 1; events { worker_connections 64; }
http {
 access_log off;
 client_body_temp_path $folder/b; proxy_temp_path $folder/p; fastcgi_temp_path $folder/f; uwsgi_temp_path $folder/u;
 scgi_temp_path $folder/s;
 gzip on; gzip_proxied any; gzip_types application/json; gzip_min_length 20;
 server {
  listen 127.0.0.1:$port;
  location / { proxy_pass http://$to; proxy_http_version 1.1; proxy_set_header Host \$http_host; }
 }
}
CONF
close $conf;
chmod 0755, "$folder";
my $pid = fork // die $!;
if (!$pid) {
    open STDOUT, '>', "$folder/out";
    open STDERR, '>&', \*STDOUT;
    exec $nginx, '-e', "$folder/log", '-p', "$folder/", '-c', "$folder/nginx.conf" or POSIX::_exit(1);
}

END {
    if ($pid) { local $?; kill TERM => $pid; waitpid $pid, 0 }
}
ok eventually(sub { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") }, 30), 'nginx listens'
    or diag slurp("$folder/log");

my @there = (as => 'admin', base => "http://127.0.0.1:$port");

sub zipped {
    my ($path, @more) = @_;
    return call(GET => $path, @there, headers => ['Accept-Encoding' => 'gzip', @more]);
}

my $identity = identity_of('full');
my $scenario = json(call(POST => 'admin/test-scenarios/', as => 'admin', json => { name => 'behind nginx' }))->{id};
my $prompt = json(call(POST => 'prompts/', as => 'admin', json => { prompt_type => 'coach', body => 'x' x 100 }))->{id};
my $photo = json(
    call(POST => 'admin/reference-images/', as => 'admin', json => { user_id => person('alice'), name => 'x' x 100 }))
    ->{id};
for my $case (
    ["admin/identities/$identity/", { name => 'Saved' }],
    ["admin/users/@{[person('bob')]}/", { first_name => 'Saved' }],
    ["admin/test-scenarios/$scenario/", { name => 'Saved' }],
    ["admin/reference-images/$photo/", { name => 'Saved' }],
    ["prompts/$prompt/", { is_active => \0 }],
) {
    my ($path, $change) = @$case;
    my $read = zipped($path);
    my $tag = $read->header('ETag');
    is $read->header('Content-Encoding'), 'gzip', "$path is compressed";
    like $tag, qr{^W/"}, "the ETag of $path is weak";
    is zipped($path, 'If-None-Match' => $tag)->code, 304, "$path: If-None-Match accepts the weak ETag";
    my $saved =
        call(PATCH => $path, @there, json => $change, headers => ['If-Match' => $tag, 'Accept-Encoding' => 'gzip']);
    is $saved->code, 200, "$path: a change with the weak ETag succeeds";
    is call(PATCH => $path, @there, json => $change, headers => ['If-Match' => $tag])->code, 412,
        "$path: a second change with the old ETag is refused";
    isnt $saved->header('ETag'), $tag, "$path: the response to the change has the new ETag";
}
is call(DELETE => "admin/reference-images/$photo/", @there, headers => ['If-Match' => 'W/"1.0"'])->code, 412,
    'a delete with an old version is refused';
is call(
    DELETE => "admin/reference-images/$photo/", @there,
    headers => ['If-Match' => zipped("admin/reference-images/$photo/")->header('ETag')]
    )->code, 204,
    'a delete with the current version succeeds';

finish();
