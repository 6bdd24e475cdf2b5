# options.t - the options of a generation, with prices and durations.
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
    'the options without credentials are 401';
is refusal(call(GET => $path, as => $_)), '403 permission_denied You do not have permission to perform this action.',
    "the options for $_ are 403" for qw(alice scenario_one);

my $options = options();
is join(' ', sort keys %$options), 'aspect_ratios generator limits models resolutions',
    'the options have exactly these members';
is $options->{generator}, 'preview', 'the options have the generator';
is join(' ', map { $_->{value} . ($_->{is_default} ? '!' : '') } @{ $options->{models} }), 'gemini-3-pro-image!',
    'the options have the configured model, without the retired one';
is_deeply $options->{models}[0]{resolutions}, $options->{resolutions},
    "the model's resolutions are the general ones";
my $enums = json(call(GET => 'core/enums/', as => 'admin'));
for my $name (qw(aspect_ratios resolutions)) {
    is join(' ', map { $_->{value} } @{ $options->{$name} }), join(' ', map { $_->{value} } @{ $enums->{$name} }),
        "$name have the values of core/enums/";
    is join(' ', map { $_->{label} } @{ $options->{$name} }), join(' ', map { $_->{label} } @{ $enums->{$name} }),
        "$name have the labels of core/enums/";
}
is join(
    ' ', map { $_->{value} } grep { $_->{is_default} } @{ $options->{aspect_ratios} },
    @{ $options->{resolutions} }
    ),
    '16:9 4K', 'the defaults are 16:9 and 4K';
is_deeply [map { [@$_{qw(value price median_seconds)}] } @{ $options->{resolutions} }],
    [map { [$_, 0, undef] } qw(1K 2K 4K)], 'a preview costs nothing, and its duration is unknown at first';
is_deeply $options->{limits}, {
    max_upload => 26214400, max_pixels => 64_000_000, max_pixels_jpeg => 120_000_000, slots => 5,
    max_additional_prompt => 10000,
    formats => [map { "image/$_" } qw(jpeg png webp gif heic avif)]
    },
    'the limits are those of the server';

# Durations: only of this generator and model, the last 50 pictures of each resolution.
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
is medians(), '20 null null', 'the median of three pictures';
took(40.25);
is medians(), '25 null null', 'the median of an even number of pictures';
took(25, model => 'preview');
is medians(), '25 null null', 'pictures of the generator itself count for each model';
took(1000, state => 'failed');
took(1000, generator => 'gemini');
took(1000, model => 'another');
is medians(), '25 null null', 'failed pictures, other generators and other models do not count';
took(7.77, resolution => '4K');
is medians(), '25 null 7.8', 'each resolution has its own median';
took(5, age => 0.5) for 1 .. 50;
is medians(), '5 null 7.8', 'older pictures do not count';
like call(GET => $path, as => 'admin')->content, qr/"price":0,"median_seconds":5\.0\}/,
    'price and duration are JSON numbers';

# Another server, with other limits and with Gemini.
my $server = IdentityImg::Server->new(
    'options', env => { GEMINI_ENDPOINT => 'http://127.0.0.1:9/', GEMINI_API_KEY => 'x' },
    conf => "IdentityImgMaxUpload 5000\nIdentityImgMaxPixels 2 3\nIdentityImgGeminiModel gemini-next\n"
)->start;
$options = options(base => $server->base);
is $options->{generator}, 'gemini', 'another server has another generator';
is join(' ', map { $_->{value} . ($_->{is_default} ? '!' : '') } @{ $options->{models} }), 'gemini-next!',
    'the other server has its own model';
is_deeply [map { $_->{price} } @{ $options->{resolutions} }], [undef, undef, undef],
    'the price is unknown without a configured one';
is join(' ', @{ $options->{limits} }{qw(max_upload max_pixels max_pixels_jpeg)}), '5000 2000000 3000000',
    'the other server has its own limits';
$server->judge;
finish();
