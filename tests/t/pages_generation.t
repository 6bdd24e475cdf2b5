# pages_generation.t - the page Images in a browser: generating pictures and using them, with a stand-in for
# Google's API.
# Runs beside others.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use IdentityImg::Browser 'browse';
use IdentityImg::Server;
use IPC::Open2 'open2';
use Test::More;

my $key = 'AQ.Ab8RN6-of-the-pages';
my $pid = open2(my $out, my $in, 'node', "$ENV{IIMG_DOUBLES}/gemini.mjs", '--with-stdin', '--key', $key);
my ($port) = (readline($out) // '') =~ /^listening (\d+)/ or die 'gemini.mjs does not start';
my $server = IdentityImg::Server->new(
    'pages', env => { GEMINI_ENDPOINT => "http://127.0.0.1:$port/", GEMINI_API_KEY => $key },
    conf => <<'CONF')->start;
IdentityImgGeminiTimeout 120
IdentityImgGenerationsAtOnce 2
IdentityImgGeminiRetries 0
IdentityImgGeminiBreaker 0
IdentityImgGeminiModels gemini-nano-banana-2.1
IdentityImgGeminiPrice gemini-3-pro-image 1K 0.134
IdentityImgGeminiPrice gemini-3-pro-image 2K 0.134
IdentityImgGeminiPrice gemini-3-pro-image 4K 0.24
CONF

browse('generation.mjs', base => $server->base, env => { IIMG_GEMINI => "http://127.0.0.1:$port/" });
$server->judge(qr/IIMG000[234]:/, qr/IIMG004[1-4]:/, qr/IIMG0117:/);
undef $server;
close $in;
waitpid $pid, 0;
finish();
