# models.t - the aspect ratios, resolutions, reference images and costs of each model, and the successors of retired
# models.
# Runs beside others.
use strict;
use warnings;
use utf8;
use IdentityImg::Admin;
use IdentityImg::Test;
use IdentityImg::Server;
use HTTP::Tiny;
use IPC::Open2 'open2';
use JSON::PP ();
use Test::More;

my $key = 'AQ.a-key-for-tests';
my $json = JSON::PP->new->utf8;
my ($server, $pid, $in);

END {
    my $status = $?;
    if ($in) { close $in; waitpid $pid, 0 }
    $? = $status;
}

$pid = open2(my $out, $in, 'node', "$ENV{IIMG_DOUBLES}/gemini.mjs", '--with-stdin', '--key', $key);
my ($port) = (readline($out) // '') =~ /^listening (\d+)/ or die 'gemini.mjs does not start';
my $double = "http://127.0.0.1:$port";

sub api {
    my ($method, $path, %with) = @_;
    return call($method => $path, as => 'admin', base => $server->base, headers => [Connection => 'close'], %with);
}

sub generate {
    my (%more) = @_;
    my %wish = (identity_id => identity_of('unicode'), user_id => person('alice'), %more);
    return api(POST => 'image-generation/generate/', json => \%wish);
}

sub upload {
    my ($order) = @_;
    return call(
        POST => 'reference-images/', as => 'alice', base => $server->base, headers => [Connection => 'close'],
        parts => [order => $order, image => [portrait()]]
    );
}

# "model ratio size" of each request since the last call
sub asked {
    my $agent = HTTP::Tiny->new;
    my $record = $json->decode($agent->get("$double/__record")->{content});
    $agent->delete("$double/__record");
    return map {
        my ($model) = $_->{path} =~ m{/models/([^:]+):};
        join ' ', $model, @{ $_->{body}{generationConfig}{imageConfig} }{qw(aspectRatio imageSize)}
    } @$record;
}

my @usual = qw(1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9);
my @long = qw(1:4 4:1 1:8 8:1);
my %size_of =
    ('1:4' => [512, 2048], '4:1' => [2048, 512], '1:8' => [384, 3072], '8:1' => [3072, 384], '21:9' => [1584, 672]);
my %scale_of = ('1K' => 1, '2K' => 2, '4K' => 4);

# Posters --------------------------------------------------------------------------------------------

$server = IdentityImg::Server->new(
    'models',
    conf => "IdentityImgWorkerTimeout 120\nIdentityImgGeminiModels gemini-3.1-flash-image gemini-3.1-flash-lite-image "
        . "gemini-2.5-flash-image\n"
)->start;
is upload($_)->code, 201, "photo $_ is uploaded" for 0 .. 3;

for my $ratio (@long, '7:13', '') {
    is refusal(generate(aspect_ratio => $ratio)),
        qq(400 invalid aspect_ratio: "$ratio" is not a valid choice. Allowed: ) . join(', ', @usual) . '.',
        "\"$ratio\" is refused for a model that does not support it, with the supported ratios";
}
is refusal(generate(model => 'gemini-3.1-flash-lite-image', resolution => '2K')),
    '400 invalid resolution: "2K" is not a valid choice. Allowed: 1K.',
    '2K is refused for a model that supports 1K only';
is refusal(generate(model => 'gemini-3.1-flash-image', aspect_ratio => '1:2')),
    '400 invalid aspect_ratio: "1:2" is not a valid choice. Allowed: ' . join(', ', @usual, @long) . '.',
    'another model supports other ratios';

for my $case (
    map({
            my $ratio = $_;
            map { [$ratio, $_] } qw(1K 2K)
        } @long,
        '21:9'),
    ['1:8', '4K'],
    ['4:1', '4K']
) {
    my ($ratio, $resolution) = @$case;
    my $answer = generate(model => 'gemini-3.1-flash-image', aspect_ratio => $ratio, resolution => $resolution);
    subtest "a poster in $ratio at $resolution" => sub {
        is $answer->code, 200, 'the poster is generated' or return diag $answer->as_string;
        my $job = json($answer)->{job};
        my @size = map { $_ * $scale_of{$resolution} } @{ $size_of{$ratio} };
        is_deeply [@$job{qw(width height aspect_ratio resolution)}], [@size, $ratio, $resolution],
            'the job has its size';
        my $file = "$ENV{IIMG_WORK}/models-poster.jpg";
        open my $to, '>:raw', $file or die $!;
        print $to HTTP::Tiny->new->get($job->{image_url})->{content};
        close $to;
        is_deeply [map { chomp(my $pixels = `vipsheader -f $_ '$file'`); $pixels } qw(width height)], \@size,
            'the picture has its size';
        is $job->{model}, 'preview', 'the job has the model preview';
        note sprintf 'it took %s', join ' ', map { $_ // '' } @$job{qw(started_at finished_at)};
    };
}
my $job = json(generate(model => 'gemini-3.1-flash-lite-image'))->{job};
is_deeply [@$job{qw(aspect_ratio resolution)}], ['16:9', '1K'],
    "without a choice an unsupported default becomes the model's largest resolution";
is scalar @{ $job->{reference_image_ids} }, 4, 'all photos are used by default';
$job = json(generate(model => 'gemini-2.5-flash-image'))->{job};
is scalar @{ $job->{reference_image_ids} }, 3, 'a model that accepts three photos gets three';
like "@{$job->{warnings}}", qr/The model gemini-2\.5-flash-image takes at most 3 reference images; 1 was left out\./,
    'the job has a warning about the photo left out';
my @photos = map { $_->{id} } @{ json(call(GET => 'reference-images/', as => 'alice', base => $server->base)) };
is refusal(generate(model => 'gemini-2.5-flash-image', reference_image_ids => \@photos)),
    '400 invalid reference_image_ids: The model gemini-2.5-flash-image takes at most 3 reference images.',
    'four selected photos are refused';
is json(generate(model => 'gemini-2.5-flash-image', reference_image_ids => [@photos[1 .. 3]]))->{job}{state},
    'succeeded', 'three selected photos are accepted';
is_deeply [$server->sql('SELECT DISTINCT model FROM generation_jobs')], ['preview'],
    'no row has another model than preview';
my $options = json(api(GET => 'image-generation/options/'));
like $options->{models}[1]{resolutions}[0]{median_seconds}, qr/^[\d.]+$/,
    'the duration of previews is reported for the requested model';
my $enums = json(api(GET => 'core/enums/'));
is join(' ', map { $_->{value} } @{ $enums->{aspect_ratios} }), join(' ', @usual, @long),
    'core/enums/ has the ratios of all models';
is join(' ', map { $_->{value} } @{ $enums->{resolutions} }), '1K 2K 4K',
    'core/enums/ has the resolutions of all models';
# Gemini ---------------------------------------------------------------------------------------------

$server->{env} = { %{ $server->{env} // {} }, GEMINI_ENDPOINT => $double, GEMINI_API_KEY => $key };
$server->restart(<<'END');
IdentityImgGeminiBreaker 0
IdentityImgGeminiRetries 0
IdentityImgGeminiModels gemini-3.1-flash-image gemini-nano-banana-2.1 gemini-next
IdentityImgGeminiFallbackModel gemini-3-pro-image
IdentityImgGeminiPrice gemini-3-pro-image 1K 0.134
IdentityImgGeminiPrice gemini-3-pro-image 4K 0.24
IdentityImgGeminiPrice gemini-3.1-flash-image-preview 1K 0.067
END
asked();
$options = json(api(GET => 'image-generation/options/'));
my %offer = map { $_->{value} => $_ } @{ $options->{models} };
is join(' ', map { $_->{value} . ($_->{is_default} ? '!' : '') } @{ $options->{models} }),
    'gemini-3-pro-image! gemini-3.1-flash-image gemini-nano-banana-2.1 gemini-next',
    'options/ has each model, the default first';

sub prices {
    my ($model) = @_;
    return join ' ',
        map { "$_->{value}:" . ($_->{price} // 'null') . ($_->{is_default} ? '!' : '') }
        @{ $offer{$model}{resolutions} };
}
is prices('gemini-3-pro-image'), '1K:0.134 2K:null 4K:0.24!', 'options/ has the price of each resolution';
is prices('gemini-3.1-flash-image'), '1K:0.067 2K:null 4K:null!',
    'the price of a retired name applies to its successor';
is prices('gemini-next'), '1K:null 2K:null 4K:null!', 'an unknown model has no prices';
is join(' ', map { $_->{value} } @{ $offer{'gemini-nano-banana-2.1'}{aspect_ratios} }), join(' ', @usual, @long),
    'an unknown model has all aspect ratios';
is $offer{'gemini-3-pro-image'}{max_reference_images}, 14, 'a model has its maximum of reference images';
is_deeply $options->{resolutions}, $offer{'gemini-3-pro-image'}{resolutions},
    'the general resolutions are those of the default model';

for my $ratio (@long) {
    my $answer = generate(model => 'gemini-3.1-flash-image', aspect_ratio => $ratio, resolution => '1K');
    is $answer->code, 200, "$ratio: the picture is generated" or diag $answer->as_string;
    is_deeply [@{ json($answer)->{job} }{qw(width height model)}, $json->encode(json($answer)->{job}{warnings})],
        [@{ $size_of{$ratio} }, 'gemini-3.1-flash-image', '[]'], "$ratio: the picture has its size";
    is_deeply [asked()], ["gemini-3.1-flash-image $ratio 1K"], "$ratio: the request has the ratio";
}
is json(generate(model => 'gemini-3.1-flash-image', resolution => '1K'))->{job}{cost}, 0.067,
    'a picture costs the price of its model';
asked();
my $answer = generate(model => 'gemini-2.5-flash-image-preview', resolution => '1K');
is $answer->code, 200, 'a retired name whose successor is retired, too, is accepted' or diag $answer->as_string;
is_deeply [asked()], ['gemini-3.1-flash-image 16:9 1K'], 'the last successor of a retired model is requested';
like "@{json($answer)->{job}{warnings}}",
    qr/gemini-2\.5-flash-image-preview was shut down; gemini-3\.1-flash-image was used/,
    'the job has a warning about the retired model';
$answer = generate(model => 'gemini-3.1-flash-image-preview', aspect_ratio => '8:1', resolution => '1K');
is_deeply [$answer->code, asked()], [200, 'gemini-3.1-flash-image 8:1 1K'],
    'a retired name supports the ratios of its successor';
$answer = generate(model => 'gemini-next', resolution => '1K');
is_deeply [$answer->code, asked()], [200, 'gemini-next 16:9 1K', 'gemini-3-pro-image 16:9 1K'],
    'the fallback model replaces one that is gone';
$answer = generate(
    model => 'gemini-3.1-flash-image', aspect_ratio => '1:4', resolution => '1K',
    additional_prompt => '[[scenario:status:503]]'
);
is_deeply [$answer->code, asked()], [503, 'gemini-3.1-flash-image 1:4 1K'],
    'the fallback model is not used if it does not support the ratio';

# Warnings and errors at start -------------------------------------------------------------------------

$server->forget_log;
$server->restart(<<'END');
IdentityImgGeminiModels gemini-2.5-flash-image
IdentityImgGeminiFallbackModel gemini-nano-banana-2.1
IdentityImgGeminiPrice gemini-3-pro-image-preview 4K 0.24
IdentityImgGeminiPrice gemini-nano-banana-2.1 1K 0.04
IdentityImgGeminiPrice gemini-3-pro-imgae 4K 0.24
IdentityImgGeminiPrice gemini-2.5-flash-image 4K 0.24
IdentityImgGeminiPrice gemini-2.5-flash-image 1K 0.039
END
is_deeply [map { /(IIMG004[56]: .*)/ } $server->log_lines], [
    'IIMG0045: IdentityImgGeminiPrice: the model gemini-3-pro-imgae is not configured, so its price for 4K is '
        . 'never used; check the name, or add it to IdentityImgGeminiModels',
    'IIMG0045: IdentityImgGeminiPrice: the model gemini-2.5-flash-image makes no pictures at 4K, so this price is '
        . 'never used; remove the line',
    'IIMG0046: IdentityImgGeminiModels: Google has retired or deprecated the model gemini-2.5-flash-image; use '
        . 'gemini-3.1-flash-image',
    ],
    'unused prices and ending models cause warnings at start';
for my $case (
    [
        'IdentityImgAspectRatio 1:4',
        qr/IdentityImgAspectRatio: "1:4" is not an aspect ratio that gemini-3-pro-image takes: 1:1, 2:3, .*21:9$/m
    ],
    [
        "IdentityImgGeminiModel gemini-3.1-flash-lite-image\nIdentityImgResolution 4K",
        qr/IdentityImgResolution: "4K" is not a resolution that gemini-3.1-flash-lite-image takes: 1K$/m
    ],
    ['IdentityImgGeminiModel gemini-3.1-flash-lite-image', qr/\A\z/],
    ['IdentityImgGeminiModel gemini-2.5-flash-image', qr/\A\z/],
    ["IdentityImgGeminiModel gemini-3.1-flash-image\nIdentityImgAspectRatio 1:4\nIdentityImgResolution 1K", qr/\A\z/]
) {
    my ($conf, $complaint) = @$case;
    like $server->configtest("$conf\n"), $complaint, "configtest: $conf";
}
$server->judge(qr/IIMG004[0456]: /, qr/IIMG0117: /, qr/IIMG000[23]: POST .*image-generation/);
finish();
