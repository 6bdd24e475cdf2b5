# reconcile.t - identityimgctl: its options, the differences between store, manifest and rows, what it deletes and
# what it never deletes.
use strict;
use warnings;
use File::Path 'make_path';
use IdentityImg::Test;
use Test::More;

fresh_data();
my $tool = "$ENV{IIMG_SOURCE}/build/" . ($ENV{IIMG_SANITIZE} ? 'sanitize' : 'plain') . '/identityimgctl';

# Arguments -------------------------------------------------------------------------------------------

sub tool {
    my ($arguments, %environment) = @_;
    local @ENV{ keys %environment } = values %environment;
    my $out = `'$tool' $arguments 2>&1 </dev/null`;
    return ($? >> 8) . " $out";
}
like tool('--help'), qr/^0 usage: identityimgctl/, '--help prints the usage';
like tool('--version'), qr/^0 identityimgctl \d/, '--version prints the version';
like tool($_), qr/^2 (?:.*\n)?usage: /, "\"$_\" prints the usage"
    for '', 'sing', 'sweep sweep', 'sweep --delete', '--loud sweep', 'faults';
like tool('sweep'), qr/^2 identityimgctl: --storage-root: the storage "file" needs a directory/,
    'the storage root is required';
like tool('--storage-root pictures sweep'), qr/^2 .*"pictures" is not an absolute path/,
    'the storage root must be an absolute path';
like tool('--storage-root /nonexistent sweep'), qr/^2 .*"\/nonexistent" is not a directory/,
    'the storage root must exist';
like tool('--storage tape --storage-root / sweep'), qr/^2 .*--storage: "tape" is not a storage: .*file/,
    'an unknown storage is refused';
like tool('--storage-root / --conninfo nonsense sweep'), qr/^2 .*--conninfo: /, 'an invalid conninfo is refused';
like tool('--storage-root / --conninfo "dbname=x password=secret" sweep'), qr/^2 .*a password is not allowed here/,
    'a password in conninfo is refused';
my $away = tool('--storage-root / sweep', PGHOST => '/nonexistent');
like $away, qr/^2 identityimgctl: The database is not available\. .*\/nonexistent/s,
    'an unreachable database is an error';
like tool(
    'sweep', PGHOST => '/nonexistent', IDENTITYIMG_STORAGE_ROOT => '/',
    IDENTITYIMG_CONNINFO => 'host=/elsewhere'
    ),
    qr/^2 .*\/elsewhere/s, 'all options can come from the environment';
like tool('--conninfo host=/here sweep', IDENTITYIMG_STORAGE_ROOT => '/', IDENTITYIMG_CONNINFO => 'host=/elsewhere'),
    qr/^2 .*\/here/s, 'options take precedence over the environment';

# Differences -----------------------------------------------------------------------------------------

sub reconcile { my $out = ctl('reconcile', @_); return ($? >> 8) . " $out" }

sub summary {
    my ($listed, $unknown, $shown, $missing, $rows, $deleted) = @_;
    return
          "$listed objects in the store, $unknown of them unknown to the manifest"
        . (defined $deleted ? " ($deleted deleted)" : '')
        . "\n$shown referenced objects, $missing of them missing in the store\n$rows rows with pictures that the "
        . "manifest lacks\n";
}

sub put {
    my ($path, $age) = @_;
    $path = picture_path($path);
    my ($owner, $group) = (stat picture_path('.'))[4, 5];    # httpd writes there, too
    make_path($path =~ s{/[^/]*$}{}r, { owner => $owner, group => $group });
    open my $file, '>', $path or die "$path: $!";
    print $file 'x';
    close $file;
    utime time - $age, time - $age, $path;
    return;
}
sub at { return $_[0] =~ s{^(media|generated_images)/((..)(..))}{$1/$3/$4/$2}r }

is reconcile(), '0 ' . summary(0, 0, 0, 0, 0), 'without data there are no differences';
my $photo = json(call(POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]]));
my $identity = identity_of('full');
call(POST => "identities/$identity/upload-image/", as => 'admin', parts => [image => [$_]])
    for portrait(), make_jpeg(64, 48);
is reconcile(), '0 ' . summary(12, 0, 12, 0, 0), 'after uploads there are no differences, held pictures included';

my $stray = '5a000000-0000-4000-8000-000000000001';
my @unknown = map { [$_, "media/$stray/$_"] } 'a.jpg', '__sized__/a-thumbnail-100x100.jpg', 'b.jpg~';
is scalar(@unknown), 3, 'three unknown objects exist';
put(at($_->[1]), 7200) for @unknown;
put(at("generated_images/$stray.png"), 7200);
put(at("media/$stray/young.jpg"), 3000);
put('media/README', 7200);
put('lost+found/x', 7200);
my $out = reconcile('--verbose');
like $out, qr/^1 /, 'unknown objects are differences';
like $out, qr/^unknown \Q$_\E$/m, "$_ is listed as unknown"
    for map({ $_->[1] } @unknown), "generated_images/$stray.png";
like $out, qr/^unknown media\/$stray\/young\.jpg \(too young to delete\)$/m,
    'young unknown objects are differences, too';
like $out, qr/\Q${\summary(17, 5, 12, 0, 0)}\E\z/, 'the summary counts the unknown objects';
unlike $out, qr/^unknown .*(?:README|lost)/m, 'files with other names are not counted';
is reconcile(), '1 ' . summary(17, 5, 12, 0, 0), 'without --verbose only the summary is printed';
ok -e picture_path(at($unknown[0][1])), 'nothing is deleted without --delete';
like reconcile('--delete'),
    qr/^2 identityimgctl: 5 of 17 objects in the store are unknown to the manifest: more than a tenth\. Nothing was deleted\. .*--force\.$/,
    '--delete refuses if more than a tenth of the objects is unknown';
ok -e picture_path(at($unknown[0][1])), 'the refused --delete deletes nothing';
$out = reconcile('--delete', '--force', '--verbose');
like $out, qr/^1 .*\Q${\summary(17, 5, 12, 0, 0, 4)}\E\z/s, '--delete --force deletes unknown objects';
like $out, qr/^unknown media\/$stray\/a\.jpg \(deleted\)$/m, 'deleted objects are listed';
ok !-e picture_path(at($unknown[0][1])), 'the deleted objects are gone';
ok -e picture_path(at("media/$stray/young.jpg")), 'objects younger than an hour are not deleted';
ok -e picture_path('media/README') && -e picture_path('lost+found/x'), 'files with other names are not deleted';
unlink map { picture_path($_) } at("media/$stray/young.jpg"), 'media/README', 'lost+found/x';
is reconcile('--delete'), '0 ' . summary(12, 0, 12, 0, 0, 0), 'after the delete there are no differences';

my ($key) = sql("SELECT image FROM reference_images WHERE id = '$photo->{id}'");
rename picture_path(at($key)), "$ENV{IIMG_WORK}/aside";
$out = reconcile('--verbose');
like $out, qr/^1 missing \Q$key\E\n/, 'an object that is missing in the store is a difference';
like $out, qr/\Q${\summary(11, 0, 12, 1, 0)}\E\z/, 'the summary counts the missing object';
is reconcile('--delete'), '1 ' . summary(11, 0, 12, 1, 0, 0), '--delete keeps the rows of missing objects';
rename "$ENV{IIMG_WORK}/aside", picture_path(at($key));
is reconcile(), '0 ' . summary(12, 0, 12, 0, 0), 'there is no difference after the object is restored';

sql("UPDATE stored_objects SET state = 'doomed' WHERE key = '$key'");
$out = reconcile('--verbose');
like $out, qr/^1 unbacked reference_images $photo->{id} \Q$key\E\n/,
    'a row whose picture is not live in the manifest is a difference';
sql("UPDATE stored_objects SET state = 'live' WHERE key = '$key'");
my $sized = $key =~ s{([^/]+)\.\w+$}{__sized__/$1-thumbnail-100x100.jpg}r;
sql("DELETE FROM stored_objects WHERE key = '$sized'");
$out = reconcile('--verbose');
like $out, qr/^unbacked reference_images $photo->{id} \Q$key\E$/m,
    'a row whose derivative is not in the manifest is a difference';
like $out, qr/^(?:1 )?unknown \Q$sized\E \(too young to delete\)$/m, 'the object of that derivative is unknown';
sql(
    "INSERT INTO stored_objects (key, picture, state) SELECT '$sized', picture, 'live' FROM stored_objects WHERE key = "
        . "'$key'");
my ($held) = sql("SELECT previous_image FROM identities WHERE id = '$identity'");
sql("UPDATE stored_objects SET state = 'live', held_until = NULL WHERE key = '$held'");
like reconcile('--verbose'), qr/^1 unbacked identities $identity \Q$held\E\n/,
    'a previous picture that is not held is a difference';
sql("UPDATE stored_objects SET state = 'held', held_until = now() + interval '1 hour' WHERE key = '$held'");
is reconcile(), '0 ' . summary(12, 0, 12, 0, 0), 'there are no differences at the end of these cases';

# Uploads in progress have announced their objects.
sql("INSERT INTO stored_objects (key, picture, state) VALUES ('media/$stray/a.jpg', '$stray', 'pending')");
put(at("media/$stray/a.jpg"), 7200);
is reconcile('--delete'), '0 ' . summary(13, 0, 12, 0, 0, 0), 'announced objects are known, regardless of their age';
is ctl('sweep'), "0 objects deleted\n", 'the sweeper keeps announced objects for an hour';
sql("UPDATE stored_objects SET changed_at = now() - interval '59 minutes' WHERE state = 'pending'");
is ctl('sweep'), "0 objects deleted\n", 'the sweeper keeps announced objects after 59 minutes';
ok -e picture_path(at("media/$stray/a.jpg")), 'the announced object exists';
sql("UPDATE stored_objects SET changed_at = now() - interval '61 minutes' WHERE state = 'pending'");
is ctl('sweep'), "1 objects deleted\n", 'the sweeper deletes announced objects after an hour';
sql("UPDATE stored_objects SET held_until = now() - interval '1 second' WHERE state = 'held'");
is ctl('sweep'), "4 objects deleted\n", 'the sweeper deletes held pictures after their time';
is join('', sql("SELECT previous_image IS NULL FROM identities WHERE id = '$identity'")), 't',
    'the row of the identity has no previous picture';
is reconcile(), '0 ' . summary(8, 0, 8, 0, 0), 'there are no differences after the sweep';

# More than one page of objects, during uploads.
sql("DELETE FROM reference_images");
sql(      "INSERT INTO stored_objects (key, picture, state) SELECT 'media/' || id || '/a.jpg', id, 'live' FROM (SELECT "
        . "('5b000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid AS id FROM generate_series(1, 1203) n) AS ids");
put(at(sprintf 'media/5b000000-0000-4000-8000-%012d/a.jpg', $_), 0) for 1 .. 1203;
is ctl('sweep'), "4 objects deleted\n", 'a photo deleted in SQL is swept';
is reconcile(), '0 ' . summary(1207, 0, 1207, 0, 0), 'more than two pages are compared completely';
unlink picture_path(at("media/5b000000-0000-4000-8000-000000001203/a.jpg"));
sql("DELETE FROM stored_objects WHERE picture = '5b000000-0000-4000-8000-000000000600'");
is reconcile(), '1 ' . summary(1206, 1, 1206, 1, 0), 'differences are found on each page';

reset_pictures();
finish();
