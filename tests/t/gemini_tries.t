# gemini_tries.t - reactions to failures of the provider: retries within the deadline, the fallback model,
# backoff; and selectable models, costs, the spool.
# Runs beside others.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use IdentityImg::Test;
use IdentityImg::Server;
use File::Temp ();
use HTTP::Tiny;
use IPC::Open2 'open2';
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $key = 'AQ.a-key-for-tests';
my $json = JSON::PP->new->utf8;
my ($double, $pid, $in, $counter);

END {
    my $status = $?;
    if ($in) { close $in; waitpid $pid, 0 }
    $? = $status;
}

sub start_double {
    $pid = open2(my $out, $in, 'node', "$ENV{IIMG_DOUBLES}/gemini.mjs", '--with-stdin', '--key', $key);
    my ($port) = (readline($out) // '') =~ /^listening (\d+)/ or die 'gemini.mjs does not start';
    $double = "http://127.0.0.1:$port";
    return;
}

# The models requested since the last call, in order.
sub asked {
    my $agent = HTTP::Tiny->new;
    my $record = $json->decode($agent->get("$double/__record")->{content});
    $agent->delete("$double/__record");
    return map { $_->{path} =~ m{/models/([^:]+):} } @$record;
}

start_double();
my $server = IdentityImg::Server->new(
    'gemini-tries', env => { GEMINI_ENDPOINT => $double, GEMINI_API_KEY => $key },
    conf => <<'END')->start;
IdentityImgGeminiTimeout 30
IdentityImgGeminiBreaker 0
IdentityImgGeminiPrice gemini-3-pro-image 1K 0.134
IdentityImgGeminiPrice gemini-3-pro-image 4K 0.24
END
is call(
    POST => 'reference-images/', as => 'alice', base => $server->base, headers => [Connection => 'close'],
    parts => [image => [portrait()]]
)->code, 201, 'a photo is uploaded';

# (status, data, Retry-After, elapsed seconds)
sub generate {
    my ($scenario, %more) = @_;
    my $began = time;
    my %wish = (
        identity_id => identity_of('unicode'), user_id => person('alice'), aspect_ratio => '3:4', resolution => '1K',
        additional_prompt => ++$counter . ($scenario ? " [[scenario:$scenario]]" : ''), %more
    );
    delete @wish{ grep { !defined $wish{$_} } keys %wish };
    my $answer = HTTP::Tiny->new(timeout => 120)->post(
        $server->base . '/api/v1/image-generation/generate/',
        {
            headers => { Authorization => login('admin'), 'Content-Type' => 'application/json' },
            content => $json->encode(\%wish)
        }
    );
    return (
        $answer->{status}, scalar(eval { $json->decode($answer->{content}) } // {}),
        $answer->{headers}{'retry-after'}, time - $began
    );
}

sub job {
    my ($row) = $server->sql('SELECT row_to_json(j) FROM generation_jobs j ORDER BY created_at DESC LIMIT 1');
    return JSON::PP->new->decode($row);
}
sub billed { my $billed = job()->{error_billed}; return defined $billed ? $billed ? 'yes' : 'no' : 'unknown' }

# Retries --------------------------------------------------------------------------------------------

my $paid = qr/repeated\. Both may be billed/;
my @tries = (
    # scenario                     status calls  at least   warning  title
    ['first:1:status:503', 200, 2, 0.5, undef, 'an overloaded provider is retried'],
    ['first:1:status:500', 200, 2, 0.5, undef, 'a provider with an internal error is retried'],
    ['first:1:error-200', 200, 2, 0.5, undef, 'an error in a response with status 200 is retried'],
    ['first:1:quota-brief', 200, 2, 1.5, undef, 'a quota is retried after the given delay'],
    ['first:2:status:503', 200, 3, 1.5, undef, 'an overloaded provider is retried twice'],
    ['first:1:no-image', 200, 2, 0.5, $paid, 'a response without a picture is retried once, with a warning'],
    ['first:1:refused:NO_IMAGE', 200, 2, 0.5, $paid, 'NO_IMAGE likewise'],
    ['first:1:refused:IMAGE_OTHER', 200, 2, 0.5, $paid, 'IMAGE_OTHER likewise'],
    ['first:1:status:504', 200, 2, 0.5, $paid, 'a timeout of the provider is retried, with a warning'],
    [
        'first:1:refused:MALFORMED_FUNCTION_CALL', 200, 2, 0.5, $paid,
        'a model that calls a tool is retried once: no tools are sent'
    ],
    ['first:1:refused:UNEXPECTED_TOOL_CALL', 200, 2, 0.5, $paid, 'an unexpected call of a tool is retried once'],
    ['first:1:refused:TOO_MANY_TOOL_CALLS', 200, 2, 0.5, $paid, 'too many calls of tools are retried once'],
    ['first:1:refused:OTHER', 200, 2, 0.5, $paid, 'OTHER likewise'],
    ['first:1:refused:MALFORMED_RESPONSE', 200, 2, 0.5, $paid, 'MALFORMED_RESPONSE likewise'],
    ['refused:MALFORMED_FUNCTION_CALL', 502, 2, 0.5, $paid, 'a second call of a tool is not retried'],
    ['refused:MAX_TOKENS', 502, 1, 0, undef, 'MAX_TOKENS is not retried'],
    ['refused:LANGUAGE', 422, 1, 0, undef, 'an unsupported language is not retried'],
    ['refused:SOMETHING_NEW', 502, 1, 0, undef, 'an unknown reason is not retried'],
    ['first:1:reset', 200, 2, 0.5, $paid, 'a reset connection is retried, with a warning'],
    ['no-image', 502, 2, 0.5, $paid, 'a second response without a picture is not retried'],
    ['status:400', 502, 1, 0, undef, 'a bad request is not retried'],
    ['status:401', 503, 1, 0, undef, 'a wrong key is not retried'],
    ['status:404', 502, 1, 0, undef, 'a model that is gone is not retried'],
    ['refused:IMAGE_SAFETY', 422, 1, 0, undef, 'a refusal is not retried'],
    ['status:429', 429, 1, 0, undef, 'a delay beyond the deadline is left to the client'],
    ['quota-zero', 429, 1, 0, undef, 'a quota of zero is not retried'],
    ['quota-day', 429, 1, 0, undef, 'a daily quota is not retried'],
    ['html', 502, 1, 0, undef, 'an HTML page is not retried'],
    ['redirect', 502, 1, 0, undef, 'a redirect is not retried'],
    ['continuation', 502, 1, 0, undef, 'a continuation is not sent'],
);
asked();
for my $case (@tries) {
    my ($scenario, $wanted, $calls, $least, $warning, $what) = @$case;
    my ($status, $data, undef, $took) = generate($scenario);
    my $job = job();
    subtest "$scenario: $what" => sub {
        is $status, $wanted, 'the response has the status' or diag explain $data;
        is scalar(my @models = asked()), $calls, "$calls calls";
        cmp_ok $took, '>=', $least, "retries wait at least $least s";
        my @warnings = grep { !/The provider wrote/ } @{ $job->{warnings} };
        like "@warnings", $warning // qr/\A\z/, $warning ? 'the job has the warning' : 'the job has no warning';
    };
}

# Costs ----------------------------------------------------------------------------------------------

my ($status, $data) = generate('');
is $data->{job}{cost} + 0, 0.134, 'a configured price is the cost' or diag explain $data;
(undef, $data) = generate('', resolution => '2K');
is $data->{job}{cost}, undef, 'a picture without a configured price has no cost';
generate('refused:IMAGE_SAFETY');
is billed(), 'yes', 'a refusal with counted tokens was billed';
is job()->{cost}, undef, 'the cost of a refusal is unknown';
is job()->{usage}{totalTokenCount}, 2070, 'the tokens of a refusal are stored';
like job()->{error_detail},
    qr/objected to the finished picture\. Try other words or other reference images\. The attempt was billed\.\z/,
    'the sentence has the reason, a hint, and that it was billed';
generate('blocked:SAFETY');
is job()->{usage}{totalTokenCount}, 1119, 'the tokens of a blocked prompt are stored';
generate('status:400');
is billed(), 'no', 'an error is not billed';
generate('empty-object');
is billed(), 'unknown', 'an empty response leaves billed unknown';
like job()->{error_detail}, qr/may have been billed/, 'the sentence says that it may have been billed';
generate('retiring');
is job()->{usage}{modelStatus}{modelStage}, 'DEPRECATED', 'the modelStatus of a response is stored';

my @left = grep { !/\.alive$/ } glob $server->state . '/httpd/identityimg-spool/*';
is "@left", '', 'the spool is empty';
my @mode = stat $server->state . '/httpd/identityimg-spool';
is sprintf('%o', $mode[2] & 07777), '700', 'the spool is accessible to httpd only';

# Models ---------------------------------------------------------------------------------------------

is + (generate('', model => 'gemini-nano-banana-2.1'))[0], 400,
    "a model outside the operator's list is refused";
$server->restart(<<'END');
IdentityImgGeminiTimeout 30
IdentityImgGeminiBreaker 0
IdentityImgGeminiRetries 0
IdentityImgGeminiModels gemini-nano-banana-2.1 gemini-3.1-flash-image gone-model
IdentityImgGeminiFallbackModel gemini-nano-banana-2.1
IdentityImgAspectRatio 1:1
IdentityImgResolution 2K
END
asked();
generate('', model => 'gemini-nano-banana-2.1');
is_deeply [asked()], ['gemini-nano-banana-2.1'], "a model in the operator's list is requested";
($status, $data) = generate('', model => 'gemini-3.1-flash-image-preview');
is_deeply [asked()], ['gemini-3.1-flash-image'], 'a retired name selects its successor';
like "@{$data->{job}{warnings}}", qr/gemini-3\.1-flash-image-preview was shut down; gemini-3\.1-flash-image was used/,
    'with a warning';
($status, $data) = generate('', model => 'gone-model');
is_deeply [$status, asked()], [200, 'gone-model', 'gemini-nano-banana-2.1'],
    'the fallback replaces a model that is gone';
like "@{$data->{job}{warnings}}", qr/gone-model was not available; gemini-nano-banana-2\.1 was used/, 'with a warning';
($status, $data) = generate('first:1:status:503');
is_deeply [$status, asked()], [200, 'gemini-3-pro-image', 'gemini-nano-banana-2.1'],
    'the fallback replaces an overloaded model';
($status, $data) = generate('refused:SAFETY');
is_deeply [$status, asked()], [422, 'gemini-3-pro-image'], 'the fallback does not replace a refusal';
($status, $data) = generate('', aspect_ratio => undef, resolution => undef);
is_deeply [@{ $data->{job} }{qw(aspect_ratio resolution width height)}], ['1:1', '2K', 2048, 2048],
    "ratio and size default to the operator's settings"
    or diag explain $data;

# Backoff --------------------------------------------------------------------------------------------

my $breaker =
    "IdentityImgGeminiTimeout 30\nIdentityImgGeminiRetries 0\nIdentityImgGeminiBreaker 3\nStartServers 1\nServerLimit "
    . "1\nThreadsPerChild 25\nMaxRequestWorkers 25\n";
$server->restart($breaker);
asked();
generate('status:503') for 1 .. 3;
is scalar(my @three = asked()), 3, 'three attempts get an overloaded provider';
($status, $data, my $after) = generate('');
is_deeply [$status, $data->{code}, scalar(my @none = asked())], [503, 'provider_busy', 0],
    'the server then backs off without a call'
    or diag explain $data;
like $data->{detail}, qr/image provider is overloaded\. Try again later/,
    'the sentence says that the provider is overloaded';
ok $after >= 1 && $after <= 15, 'Retry-After is the rest of the backoff';
is billed(), 'no', 'a request during the backoff is not billed';
sleep $after + 0.2;
is_deeply [(generate(''))[0], scalar(my @probe = asked())], [200, 1],
    'after the backoff one call is made and succeeds';
is + (generate(''))[0], 200, 'the next request succeeds, too';

$server->restart($breaker);
asked();
is_deeply [(generate('status:403'))[0], (generate(''))[0], scalar(my @once = asked())], [503, 503, 1],
    'a refused key is sent only once';
($status, $data, $after) = generate('');
is_deeply [$status, $data->{code}], [503, 'provider_key'], 'further requests during the backoff are 503 provider_key';
like $data->{detail}, qr/refused this server's key\. An operator/,
    'the sentence says that the key is refused';

# Memory ---------------------------------------------------------------------------------------------

# VmHWM of the only child, in MiB; writing 5 to clear_refs resets it.
sub peak {
    my ($anew) = @_;
    my ($parent) = slurp($server->state . '/httpd/httpd.pid') =~ /(\d+)/;
    my ($child) = grep { (readlink("/proc/$_/exe") // '') =~ m{/apache2$} } split ' ',
        slurp("/proc/$parent/task/$parent/children");
    if ($anew) { open my $clear, '>', "/proc/$child/clear_refs" or return; print $clear "5\n"; close $clear or return }
    my ($kb) = slurp("/proc/$child/status") =~ /VmHWM:\s+(\d+)/;
    return $kb / 1024;
}
SKIP: {
    my $shm = File::Temp->newdir('/dev/shm/iimg-spool.XXXXXX');
    chmod 0755, "$shm";
    skip 'the sanitizer uses memory of its own', 4 if $ENV{IIMG_SANITIZE};
    for (
        ["in the store's file system", ''],
        ['in another file system than the store', "IdentityImgSpoolDir $shm/spool\n"]
    ) {
        my ($where, $conf) = @$_;
        $server->restart($breaker . $conf);
        generate('') for 1 .. 3;
        my $before = peak(1) // skip 'the kernel does not reset the peak', 4;
        is + (generate('big'))[0], 200, "a picture of 24 MiB succeeds, spooled $where";
        my $rise = peak() - $before;
        diag sprintf 'peak of the child: +%.1f MiB', $rise;
        cmp_ok $rise, '<', 4, "a picture of 24 MiB spooled $where raises the child's peak by less than 4 MiB";
    }
}

$server->judge(
    qr/IIMG011[27]: /,
    qr/AH10159: /, qr/IIMG000[234]: POST .*image-generation/, qr/IIMG0040: /,
    qr/IIMG0042: model gemini-3-pro-image of the image provider is overloaded/,
    qr/IIMG0043: the image provider refuses the API key/, qr/IIMG0044: model \S+ is not available/,
);
finish();
