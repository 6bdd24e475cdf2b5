# reconcile_s3.t - identityimgctl with pictures in a bucket: its options, differences, also among versions, what it
# deletes and what it never deletes. Checks for all stores are in reconcile.t.
use strict;
use warnings;
use IdentityImg::Audit;
use IdentityImg::Server;
use IdentityImg::Store;
use IdentityImg::Test;
use Test::More;

my $place = IdentityImg::Store->new('radosgw', prefix => 'team/a/');
plan skip_all => $place->missing if $place->missing;
my $server = IdentityImg::Server->new(
    'reconcile', env => $place->env,
    conf => "IdentityImgS3Prefix team/a\nIdentityImgSweepInterval 86400\n"
)->start;
my $store = IdentityImg::Audit->new($server, $place);

sub ask { return call(@_, base => $server->base) }
sub tool { my (@arguments) = @_; my $out = $store->ctl(@arguments); return ($? >> 8) . " $out" }
sub told { my ($environment, @arguments) = @_; local $store->{env} = $environment; return tool(@arguments) }
sub reconcile { return tool('reconcile', @_) }

sub summary {
    my ($listed, $unknown, $shown, $missing, $rows, $deleted) = @_;
    return
          "$listed objects in the store, $unknown of them unknown to the manifest"
        . (defined $deleted ? " ($deleted deleted)" : '')
        . "\n$shown referenced objects, $missing of them missing in the store\n$rows rows with pictures that the "
        . "manifest lacks\n";
}

sub put {
    my ($key) = @_;
    my $answer = $place->request(PUT => "$place->{prefix}$key", content => 'x');
    die $answer->{content} if $answer->{status} != 200;
    return;
}
sub drop { my ($key) = @_; $place->request(DELETE => "$place->{prefix}$key"); return }
sub there { my ($key) = @_; return $place->request(HEAD => "$place->{prefix}$key")->{status} == 200 }

# Options ---------------------------------------------------------------------------------------------

like told({ AWS_SECRET_ACCESS_KEY => 'wrong' }, 'sweep'),
    qr/^2 identityimgctl: .*bucket "pictures": the store refuses the secret key: correct the credentials \(SignatureDoesNotMatch\)/,
    'a wrong key is reported';
like tool('--s3-bucket no-such-bucket sweep'), qr/^2 .*there is no such bucket: create it, or correct --s3-bucket/,
    "a missing bucket is reported with the option's name";
like told({ IDENTITYIMG_S3_BUCKET => '' }, 'sweep'),
    qr/^2 identityimgctl: --s3-bucket: the storage "s3" needs the name of a bucket/,
    'a missing --s3-bucket is reported';
like tool('--s3-bucket x sweep'), qr/^2 identityimgctl: --s3-bucket: "x" is not a bucket's name: /,
    'option values are checked like those of directives';
like told({ IDENTITYIMG_S3_REGION => 'EU 9' }, 'sweep'),
    qr/^2 identityimgctl: IDENTITYIMG_S3_REGION: "EU 9" is not a region's name/,
    'messages have the name under which the value was given';
like tool("--s3-timeout $_ sweep"), qr/^2 .*--s3-timeout: "$_" is not a number from 1 to 600/,
    "--s3-timeout $_ is refused" for 0, 601, '3x';
like tool("--min-age $_ reconcile"), qr/^2 .*--min-age: "$_" is not a number of seconds/, "--min-age $_ is refused"
    for '-1', 'x', '12345678901';
like tool('--min-age 1 sweep'), qr/^2 usage/, '--min-age is refused for sweep';
like tool('--s3-machine-credentials yes sweep'), qr/^2 .*"yes" is not "on" or "off"/, 'a switch must be on or off';
like tool('--s3-endpoint http://192.0.2.1 sweep'),
    qr/^2 .*--s3-endpoint: .*plain http to another machine.*to allow it, set --allow-insecure-endpoint/,
    'plain http to another machine is refused';
like tool('--s3-secret-key x sweep'), qr/^2 .*unrecognized option/,
    'keys as options are refused: other users could see them';
my $file = "$ENV{IIMG_WORK}/reconcile.credentials";
open my $out, '>', $file or die $!;
print $out "[default]\naws_access_key_id = $place->{access}\naws_secret_access_key = $place->{secret}\n";
close $out;
chmod 0644, $file;
like told({ AWS_ACCESS_KEY_ID => '' }, "--s3-credentials-file '$file' sweep"),
    qr/^2 identityimgctl: --s3-credentials-file: .*chmod 600/, 'a credentials file readable by others is refused';
chmod 0600, $file;
is told({ AWS_ACCESS_KEY_ID => '', AWS_SECRET_ACCESS_KEY => '' }, "--s3-credentials-file '$file' sweep"),
    "0 0 objects deleted\n", 'a private credentials file is accepted';
my $port = IdentityImg::Server::free_port();
like tool("--s3-endpoint http://127.0.0.1:$port sweep"), qr/^2 identityimgctl: The picture store is not available/,
    'an unreachable store is an error';

# Differences -----------------------------------------------------------------------------------------

is reconcile(), '0 ' . summary(0, 0, 0, 0, 0), 'without data there are no differences';
my $photo = json(ask(POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]]));
my $identity = identity_of('full');
ask(POST => "identities/$identity/upload-image/", as => 'admin', parts => [image => [$_]])
    for portrait(), make_jpeg(64, 48);
is reconcile(), '0 ' . summary(12, 0, 12, 0, 0), 'after uploads there are no differences';
is
    scalar(my @keys =
        $server->script(ctl => 'reconcile', '--s3-prefix', 'team/a') =~ /^12 objects in the store, 0 of them/), 1,
    'scripts/ctl finds the store of a server that was started with STORAGE=s3';
{
    local $server->{env} = {};
    my $said = $server->script(ctl => 'reconcile');
    like $said, qr/(?:credentials|AWS_ACCESS_KEY_ID)/i,
        'scripts/ctl needs the keys, which are in no file of the last start';
}

my $stray = '5a000000-0000-4000-8000-000000000001';
my @unknown = ("media/$stray/a.jpg", "media/$stray/__sized__/a-thumbnail-100x100.jpg", "generated_images/$stray.png");
put($_) for @unknown, 'media/README';
$place->request(PUT => 'others/file', content => 'x');
my $said = reconcile('--verbose');
like $said, qr/^(?:1 )?unknown \Q$_\E .*\(too young to delete\)$/m, "unknown: $_" for @unknown;
like $said, qr/^1 .*\Q${\summary(15, 3, 12, 0, 0)}\E\z/s,
    'the summary counts unknown objects; keys of other forms are not counted';
is reconcile('--delete --force'), '1 ' . summary(15, 3, 12, 0, 0, 0), 'objects younger than an hour are never deleted';
$said = reconcile('--delete --force --min-age 0 --verbose');
like $said, qr/^0 .*\Q${\summary(15, 3, 12, 0, 0, 3)}\E\z/s, '--min-age 0 deletes young objects, too';
ok !there($unknown[0]), 'the unknown object is gone';
ok there('media/README') && $place->request(HEAD => 'others/file')->{status} == 200, 'objects with other keys are kept';

my ($key) = $server->sql("SELECT image FROM reference_images WHERE id = '$photo->{id}'");
my $bytes = $place->object($key);
drop($key);
like reconcile('--delete --force --verbose'), qr/^1 missing \Q$key\E\n\Q${\summary(11, 0, 12, 1, 0, 0)}\E\z/,
    'an object missing in the bucket is a difference';
$place->request(PUT => "$place->{prefix}$key", content => $bytes);
is reconcile(), '0 ' . summary(12, 0, 12, 0, 0), 'there is no difference after the object is restored';

# Versions --------------------------------------------------------------------------------------------

$place->keep_versions;
put($unknown[0]) for 1, 2;
drop($unknown[0]);
is reconcile(), '1 ' . summary(15, 3, 12, 0, 0),
    'in a versioned bucket all versions of an unknown key are differences, delete markers included';
is reconcile('--delete --force --min-age 0'), '0 ' . summary(15, 3, 12, 0, 0, 3),
    'all versions of the unknown key are deleted';
is scalar(grep { $_->{key} eq $unknown[0] } $place->versions), 0, 'no version of the unknown key is left';
$place->request(PUT => "$place->{prefix}$key", content => $_) for 'an older one', $bytes;
is reconcile('--delete --force --min-age 0'), '0 ' . summary(14, 2, 12, 0, 0, 2),
    'earlier versions of a live picture are deleted';
is $place->object($key), $bytes, 'the live picture stays';
drop($key);
$said = reconcile('--delete --force --min-age 0 --verbose');
like $said, qr/^1 missing \Q$key\E\n\Q${\summary(13, 0, 12, 1, 0, 0)}\E\z/,
    'a live picture deleted by another program is missing';
is scalar(grep { $_->{key} eq $key } $place->versions), 2,
    'the remaining version of the missing picture is not deleted';
my ($marker) = grep { $_->{key} eq $key && $_->{deleted} } $place->versions;
$place->request(DELETE => "$place->{prefix}$key", query => { versionId => $marker->{id} });
is reconcile(), '0 ' . summary(12, 0, 12, 0, 0), 'the missing picture can be restored from its version';
is ask(DELETE => "reference-images/$photo->{id}/", as => 'alice')->code, 204, 'a photo is deleted';
is scalar(grep { $_->{key} =~ m{^media/[0-9a-f-]{36}/} } $place->versions), 8,
    'all versions of all objects of the deleted photo are gone';

# A delete that died after its first step, as reported by radosgw; the second step has to check.
my ($held) = $server->sql("SELECT previous_image FROM identities WHERE id = '$identity'");
$server->sql("UPDATE stored_objects SET state = 'doomed', held_until = NULL, attempts = 1 WHERE picture = "
        . "iimg_picture_of('$held'); UPDATE identities SET previous_image = NULL, previous_image_sized = NULL");
drop($_) for $server->sql("SELECT key FROM stored_objects WHERE state = 'doomed'");
is tool('sweep'), "0 4 objects deleted\n", 'interrupted deletes are completed';
is scalar(grep { $_->{key} =~ m{^media/[0-9a-f-]{36}/} } $place->versions), 4,
    'completed deletes leave no version behind a delete marker';
is reconcile(), '0 ' . summary(4, 0, 4, 0, 0), 'there are no differences at the end';

$server->judge;
done_testing();
