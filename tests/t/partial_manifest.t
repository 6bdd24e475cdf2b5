# partial_manifest.t - one of a picture's four manifest rows is doomed between announce and publish. The whole upload
# is refused, and nothing of it is left.
# Runs beside others.
use strict;
use warnings;
use IdentityImg::Audit;
use IdentityImg::Fault;
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Store;
use IdentityImg::Test;
use Test::More;

my $faults = IdentityImg::Fault->new('partial');
my $server =
    IdentityImg::Server->new('partial', conf => "IdentityImgSweepInterval 86400\n", env => $faults->environment)->start;
my $store = IdentityImg::Audit->new(
    $server, IdentityImg::Store->new('file'), build => $faults->build,
    env => $faults->environment
);
my ($jpeg, $other) = (make_jpeg(64, 48), make_jpeg(48, 64));

my $id =
    json(call(POST => 'reference-images/', as => 'alice', parts => [image => [$jpeg]], base => $server->base))->{id};
$store->learn;
my ($shown) = $store->sql("SELECT image FROM reference_images WHERE id = '$id'");
for my $number (1 .. 4) {
    $faults->order('picture.stored 1 wait');
    my ($answer) = in_parallel(
        1,
        sub {
            my $late = call(
                POST => "reference-images/$id/upload-image/", as => 'alice', parts => [image => [$other]],
                base => $server->base
            );
            return [$late->code, json($late)->{detail}, $late->header('Retry-After')];
        },
        sub {
            eventually(sub { $faults->has_fired }, 60) or die 'the picture is not stored';
            $store->sql(
                      "UPDATE stored_objects SET state = 'doomed', changed_at = now() WHERE key = (SELECT key FROM "
                    . "stored_objects WHERE state = 'pending' ORDER BY key OFFSET $number - 1 LIMIT 1)");
            $faults->order('');
        }
    );
    $faults->fired;
    is join(' ', $answer->[0], $answer->[1]), '503 Storing the picture took too long. Nothing was changed.',
        "row $number of 4 is doomed: the upload is refused";
    like $answer->[2] // '', qr/^[1-9]\d*$/, "row $number of 4 is doomed: the refusal has Retry-After";
    is join(' ', $store->sql("SELECT image FROM reference_images WHERE id = '$id'")), $shown,
        "row $number of 4 is doomed: the photo shows the previous picture";
    is join(' ', $store->sql('SELECT state, count(*) FROM stored_objects GROUP BY 1')), 'live|4',
        "row $number of 4 is doomed: the manifest has only the previous picture";
    is $store->quarrels, '', "row $number of 4 is doomed: the store agrees with the rows";
}
$server->judge(qr/IIMG0003/);
done_testing();
