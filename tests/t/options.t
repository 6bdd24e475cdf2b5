# options.t - what can be asked for, what it costs and how long it takes.
use strict;
use warnings;
use utf8;
use IdentityImg::Admin;
use IdentityImg::Server;
use IdentityImg::Test;
use JSON::PP ();
use Test::More;

fresh_data();

my $path = 'image-generation/options/';
sub options { my (%with) = @_; return json(call(GET => $path, as => 'admin', %with)) }

is refusal(call(GET => $path)), '401 not_authenticated Authentication credentials were not provided.',
    'nobody is told what can be asked for';
is refusal(call(GET => $path, as => $_)), '403 permission_denied You do not have permission to perform this action.',
    "nor is $_" for qw(alice scenario_one);

my $options = options();
is join(' ', sort keys %$options), 'aspect_ratios generator limits models resolutions',
    'the options have these members';
is $options->{generator}, 'preview', 'who makes pictures';
is join(' ', map { $_->{value} . ($_->{is_default} ? '!' : '') } @{ $options->{models} }), 'gemini-3-pro-image!',
    'the model that is asked; the retired one is not offered';
is_deeply $options->{models}[0]{resolutions}, $options->{resolutions},
    'its resolutions are those for clients that choose no model';
my $enums = json(call(GET => 'core/enums/', as => 'admin'));
for my $name (qw(aspect_ratios resolutions)) {
    is join(' ', map { $_->{value} } @{ $options->{$name} }), join(' ', map { $_->{value} } @{ $enums->{$name} }),
        "$name are those of core/enums/";
    is join(' ', map { $_->{label} } @{ $options->{$name} }), join(' ', map { $_->{label} } @{ $enums->{$name} }),
        '... with their labels';
}
is join(
    ' ', map { $_->{value} } grep { $_->{is_default} } @{ $options->{aspect_ratios} },
    @{ $options->{resolutions} }
    ),
    '16:9 4K', 'and these are taken unless others are named';
is_deeply [map { [@$_{qw(value price median_seconds)}] } @{ $options->{resolutions} }],
    [map { [$_, 0, undef] } qw(1K 2K 4K)], 'a preview costs nothing, and nobody knows yet how long it takes';
is_deeply $options->{limits}, {
    max_upload => 26214400, max_pixels => 64_000_000, max_pixels_jpeg => 120_000_000, slots => 5,
    max_additional_prompt => 10000,
    formats => [map { "image/$_" } qw(jpeg png webp gif heic avif)]
    },
    'the limits are those of the server';

# How long pictures took: of this generator and model alone, the last 50 of each resolution.
sub took {
    my ($seconds, %with) = @_;
    my %row = (
        state => 'succeeded', generator => 'preview', model => 'gemini-3-pro-image', resolution => '1K', age => 1,
        %with
    );
    sql(      'INSERT INTO generation_jobs (state, prompt_used, generator, model, aspect_ratio, resolution, '
            . 'reference_image_ids, created_at, started_at, finished_at)'
            . " SELECT '$row{state}', '', '$row{generator}', '$row{model}', '1:1', '$row{resolution}', '{}', t, t, t + "
            . "interval '$seconds seconds' FROM (SELECT now() - interval '$row{age} hours' AS t) x");
    return;
}

sub medians {
    return join ' ', map { $_->{median_seconds} // 'null' } @{ options()->{resolutions} };
}
took($_) for 10, 30, 20;
is medians(), '20 null null', 'the median of recent pictures';
took(40.25);
is medians(), '25 null null', '... of an even number of them, too';
took(25, model => 'preview');
is medians(), '25 null null', '... those whose model is the generator itself count for each model';
took(1000, state => 'failed');
took(1000, generator => 'gemini');
took(1000, model => 'another');
is medians(), '25 null null', 'what failed, and other generators\' and models\', do not count';
took(7.77, resolution => '4K');
is medians(), '25 null 7.8', 'each resolution has its own';
took(5, age => 0.5) for 1 .. 50;
is medians(), '5 null 7.8', 'what took long a long time ago does not count any more';
like call(GET => $path, as => 'admin')->content, qr/"price":0,"median_seconds":5\.0\}/, 'they are numbers';

# Another server, with other limits and Gemini.
my $server = IdentityImg::Server->new(
    'options', env => { GEMINI_ENDPOINT => 'http://127.0.0.1:9/', GEMINI_API_KEY => 'x' },
    conf => "IdentityImgMaxUpload 5000\nIdentityImgMaxPixels 2 3\nIdentityImgGeminiModel gemini-next\n"
)->start;
$options = options(base => $server->base);
is $options->{generator}, 'gemini', 'another server has another generator';
is join(' ', map { $_->{value} . ($_->{is_default} ? '!' : '') } @{ $options->{models} }), 'gemini-next!',
    'and a model of its own';
is_deeply [map { $_->{price} } @{ $options->{resolutions} }], [undef, undef, undef], 'what it costs is not known';
is join(' ', @{ $options->{limits} }{qw(max_upload max_pixels max_pixels_jpeg)}), '5000 2000000 3000000',
    'and it has its own limits';
$server->judge;
finish();
