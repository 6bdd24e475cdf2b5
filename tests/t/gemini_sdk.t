# gemini_sdk.t - Google's own client, in both major versions, works with our stand-in for Google's API and sends
# the same requests as we do. It cannot show what the service itself does.
# Runs beside others.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use IdentityImg::Server;
use HTTP::Tiny;
use IPC::Open2 'open2';
use JSON::PP ();
use Test::More;

my $key = 'AQ.a-key-for-tests';
my $sdk = "$ENV{IIMG_SOURCE}/tests/sdk";
my ($pid, $in);

plan skip_all => 'Google\'s client is not installed: Node or npm is missing (scripts/deps test installs them)'
    if !-d "$sdk/node_modules";

END {
    my $status = $?;
    if ($in) { close $in; waitpid $pid, 0 }
    $? = $status;
}

$pid = open2(my $out, $in, 'node', "$ENV{IIMG_DOUBLES}/gemini.mjs", '--with-stdin', '--key', $key);
my ($port) = (readline($out) // '') =~ /^listening (\d+)/ or die 'gemini.mjs does not start';
my $double = "http://127.0.0.1:$port";

# Run a program of tests/sdk: (lines, exit code).
sub run_client {
    my ($program, $major, $input) = @_;
    my $file = "$ENV{IIMG_WORK}/sdk-input";
    open my $to, '>:raw', $file or die $!;
    print $to $input // '';
    close $to;
    my @lines = split /\n/, `cd '$sdk' && timeout 120 node $program $major $double $key <'$file' 2>&1`;
    return (\@lines, $? >> 8);
}

sub skip_unless_it_runs {
    my ($major, $lines, $code) = @_;
    plan skip_all => "\@google/genai $major.x does not run on this Node: @$lines" if $code == 3;
    return;
}

for my $major (2, 3) {
    subtest "\@google/genai $major.x against the stand-in" => sub {
        my ($lines, $code) = run_client('certify.mjs', $major);
        skip_unless_it_runs($major, $lines, $code);
        my @looked = map { /^(not )?ok - (.*)/ ? [!$1, $2] : () } @$lines;
        ok $_->[0], $_->[1] for @looked;
        is $lines->[-1], 'done', 'the program ran to its end' or diag join "\n", @$lines;
        cmp_ok scalar(@looked), '>', 100, 'more than 100 checks were made';
    };
}

# Our requests ---------------------------------------------------------------------------------------

my $server =
    IdentityImg::Server->new('gemini-sdk', env => { GEMINI_ENDPOINT => $double, GEMINI_API_KEY => $key })->start;
my $json = JSON::PP->new->utf8;

for my $order (0 .. 2) {
    my $answer = call(
        POST => 'reference-images/', as => 'alice', base => $server->base, headers => [Connection => 'close'],
        parts => [order => $order, image => [$order ? make_jpeg(800 + $order, 600) : portrait()]]
    );
    is $answer->code, 201, "photo $order is uploaded" or diag $answer->as_string;
}

sub generate {
    my (%wish) = @_;
    my $answer = HTTP::Tiny->new(timeout => 120)->post(
        $server->base . '/api/v1/image-generation/generate/',
        {
            headers => { Authorization => login('admin'), 'Content-Type' => 'application/json' },
            content => $json->encode({ identity_id => identity_of('unicode'), user_id => person('alice'), %wish }),
        }
    );
    is $answer->{status}, 200, 'a picture is generated' or diag $answer->{content};
    return HTTP::Tiny->new->get("$double/__last")->{content};
}

my @wishes = (
    [
        'text with special characters', aspect_ratio => '3:4', resolution => '1K',
        additional_prompt => "\"Zitat\" \\ / \t 🎨 é \x{2028}\nzweite Zeile <b>&amp;"
    ],
    ['the default ratio and size'],
    ['another ratio and size', aspect_ratio => '21:9', resolution => '2K'],
);

sub compare {
    my ($what, %wish) = @_;
    for my $major (2, 3) {
        my $body = generate(%wish);
        subtest "$what: what \@google/genai $major.x sends" => sub {
            my ($lines, $code) = run_client('same.mjs', $major, $body);
            skip_unless_it_runs($major, $lines, $code);
            is join("\n", @$lines), 'differences: 0', 'the requests are the same: body, path, key, deadline';
        };
    }
    return;
}
compare(@$_) for @wishes;
$server->restart("IdentityImgGeminiVersion v1\nIdentityImgGeminiTimeout 120\n");
compare('the version v1');

my ($lines) = run_client('same.mjs', 2, generate() =~ s/"generationConfig":\{/$&"temperature":1,/r);
like join("\n", @$lines), qr/the body: the client sends .*differences: 1/s, 'a difference is reported';

$server->judge();
finish();
