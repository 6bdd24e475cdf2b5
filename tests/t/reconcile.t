# reconcile.t - identityimgctl: what it takes, what differs between store, manifest and rows, what it
# deletes and what it never does.
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
like tool('--help'), qr/^0 usage: identityimgctl/, '--help says how it is used';
like tool('--version'), qr/^0 identityimgctl \d/, '--version says which one it is';
like tool($_), qr/^2 (?:.*\n)?usage: /, "\"$_\" is answered with how it is used"
    for '', 'sing', 'sweep sweep', 'sweep --delete', '--loud sweep', 'faults';
like tool('sweep'), qr/^2 identityimgctl: --storage-root: the storage "file" needs a directory/,
    'the store has to be named';
like tool('--storage-root pictures sweep'), qr/^2 .*"pictures" is not an absolute path/, '... absolutely';
like tool('--storage-root /nonexistent sweep'), qr/^2 .*"\/nonexistent" is not a directory/, '... and be there';
like tool('--storage tape --storage-root / sweep'), qr/^2 .*--storage: "tape" is not a storage: .*file/,
    '... of a kind that we know';
like tool('--storage-root / --conninfo nonsense sweep'), qr/^2 .*--conninfo: /, 'conninfo is libpq\'s';
like tool('--storage-root / --conninfo "dbname=x password=secret" sweep'), qr/^2 .*a password is not allowed here/,
    '... but for the password, which everybody would see';
my $away = tool('--storage-root / sweep', PGHOST => '/nonexistent');
like $away, qr/^2 identityimgctl: The database is not available\. .*\/nonexistent/s,
    'a database that is away is trouble';
like tool(
    'sweep', PGHOST => '/nonexistent', IDENTITYIMG_STORAGE_ROOT => '/',
    IDENTITYIMG_CONNINFO => 'host=/elsewhere'
    ),
    qr/^2 .*\/elsewhere/s, 'all of it can come from the environment';
like tool('--conninfo host=/here sweep', IDENTITYIMG_STORAGE_ROOT => '/', IDENTITYIMG_CONNINFO => 'host=/elsewhere'),
    qr/^2 .*\/here/s, '... and options win';

# Differences -----------------------------------------------------------------------------------------

sub reconcile { my $out = ctl('reconcile', @_); return ($? >> 8) . " $out" }

sub summary {
    my ($listed, $unknown, $shown, $missing, $rows, $deleted) = @_;
    return
          "$listed objects in the store, $unknown of them unknown to the manifest"
        . (defined $deleted ? " ($deleted deleted)" : '')
        . "\n$shown referenced objects, $missing of them missing in the store\n$rows rows whose pictures the "
        . "manifest does not have\n";
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

is reconcile(), '0 ' . summary(0, 0, 0, 0, 0), 'nothing differs where nothing is';
my $photo = json(call(POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]]));
my $identity = identity_of('full');
call(POST => "identities/$identity/upload-image/", as => 'admin', parts => [image => [$_]])
    for portrait(), make_jpeg(64, 48);
is reconcile(), '0 ' . summary(12, 0, 12, 0, 0), 'nothing differs after uploads; held pictures are to be there too';

my $stray = '5a000000-0000-4000-8000-000000000001';
my @unknown = map { [$_, "media/$stray/$_"] } 'a.jpg', '__sized__/a-thumbnail-100x100.jpg', 'b.jpg~';
is scalar(@unknown), 3, 'three objects that the manifest does not know';
put(at($_->[1]), 7200) for @unknown;
put(at("generated_images/$stray.png"), 7200);
put(at("media/$stray/young.jpg"), 3000);
put('media/README', 7200);
put('lost+found/x', 7200);
my $out = reconcile('--verbose');
like $out, qr/^1 /, 'objects that the manifest does not know are differences';
like $out, qr/^unknown \Q$_\E$/m, "... $_" for map({ $_->[1] } @unknown), "generated_images/$stray.png";
like $out, qr/^unknown media\/$stray\/young\.jpg \(too young to delete\)$/m, '... also those that are young';
like $out, qr/\Q${\summary(17, 5, 12, 0, 0)}\E\z/, '... and a summary counts them';
unlike $out, qr/^unknown .*(?:README|lost)/m, 'what we would never have put there is none of ours';
is reconcile(), '1 ' . summary(17, 5, 12, 0, 0), 'without --verbose only the summary is printed';
ok -e picture_path(at($unknown[0][1])), 'and nothing is deleted unasked';
like reconcile('--delete'),
    qr/^2 identityimgctl: 5 of 17 objects in the store are unknown to the manifest: more than a tenth\. Nothing was deleted\. .*--force\.$/,
    'where more than a tenth is unknown, --delete refuses';
ok -e picture_path(at($unknown[0][1])), '... and deletes nothing';
$out = reconcile('--delete', '--force', '--verbose');
like $out, qr/^1 .*\Q${\summary(17, 5, 12, 0, 0, 4)}\E\z/s, '--delete --force deletes what is unknown';
like $out, qr/^unknown media\/$stray\/a\.jpg \(deleted\)$/m, '... says so';
ok !-e picture_path(at($unknown[0][1])), '... and does it';
ok -e picture_path(at("media/$stray/young.jpg")), '... but for what is younger than an hour';
ok -e picture_path('media/README') && -e picture_path('lost+found/x'), '... and for what is none of ours';
unlink map { picture_path($_) } at("media/$stray/young.jpg"), 'media/README', 'lost+found/x';
is reconcile('--delete'), '0 ' . summary(12, 0, 12, 0, 0, 0), 'after that nothing differs';

my ($key) = sql("SELECT image FROM reference_images WHERE id = '$photo->{id}'");
rename picture_path(at($key)), "$ENV{IIMG_WORK}/aside";
$out = reconcile('--verbose');
like $out, qr/^1 missing \Q$key\E\n/, 'an object that a row shows and the store does not have is a difference';
like $out, qr/\Q${\summary(11, 0, 12, 1, 0)}\E\z/, '... and is counted';
is reconcile('--delete'), '1 ' . summary(11, 0, 12, 1, 0, 0), '... which --delete leaves as it is';
rename "$ENV{IIMG_WORK}/aside", picture_path(at($key));
is reconcile(), '0 ' . summary(12, 0, 12, 0, 0), '... until it is back';

sql("UPDATE stored_objects SET state = 'doomed' WHERE key = '$key'");
$out = reconcile('--verbose');
like $out, qr/^1 unbacked reference_images $photo->{id} \Q$key\E\n/,
    'a row whose picture the manifest has no longer live is a difference';
sql("UPDATE stored_objects SET state = 'live' WHERE key = '$key'");
my $sized = $key =~ s{([^/]+)\.\w+$}{__sized__/$1-thumbnail-100x100.jpg}r;
sql("DELETE FROM stored_objects WHERE key = '$sized'");
$out = reconcile('--verbose');
like $out, qr/^unbacked reference_images $photo->{id} \Q$key\E$/m, '... also when only a derivative is not in it';
like $out, qr/^(?:1 )?unknown \Q$sized\E \(too young to delete\)$/m, '... which is unknown at the same time';
sql(
    "INSERT INTO stored_objects (key, picture, state) SELECT '$sized', picture, 'live' FROM stored_objects WHERE key = "
        . "'$key'");
my ($held) = sql("SELECT previous_image FROM identities WHERE id = '$identity'");
sql("UPDATE stored_objects SET state = 'live', held_until = NULL WHERE key = '$held'");
like reconcile('--verbose'), qr/^1 unbacked identities $identity \Q$held\E\n/,
    'a picture before the last change has to be held';
sql("UPDATE stored_objects SET state = 'held', held_until = now() + interval '1 hour' WHERE key = '$held'");
is reconcile(), '0 ' . summary(12, 0, 12, 0, 0), 'nothing differs again';

# Uploads that are under way have announced what they write.
sql("INSERT INTO stored_objects (key, picture, state) VALUES ('media/$stray/a.jpg', '$stray', 'pending')");
put(at("media/$stray/a.jpg"), 7200);
is reconcile('--delete'), '0 ' . summary(13, 0, 12, 0, 0, 0), 'what has been announced is known, however old it looks';
is ctl('sweep'), "0 objects deleted\n", 'the sweeper lets it be for an hour';
sql("UPDATE stored_objects SET changed_at = now() - interval '59 minutes' WHERE state = 'pending'");
is ctl('sweep'), "0 objects deleted\n", '... also after 59 minutes';
ok -e picture_path(at("media/$stray/a.jpg")), '... and so does its object';
sql("UPDATE stored_objects SET changed_at = now() - interval '61 minutes' WHERE state = 'pending'");
is ctl('sweep'), "1 objects deleted\n", '... and no longer';
sql("UPDATE stored_objects SET held_until = now() - interval '1 second' WHERE state = 'held'");
is ctl('sweep'), "4 objects deleted\n", 'what has been held past its time goes';
is join('', sql("SELECT previous_image IS NULL FROM identities WHERE id = '$identity'")), 't', '... from its row too';
is reconcile(), '0 ' . summary(8, 0, 8, 0, 0), '... and nothing differs';

# More than a page of it, while uploads go on.
sql("DELETE FROM reference_images");
sql(      "INSERT INTO stored_objects (key, picture, state) SELECT 'media/' || id || '/a.jpg', id, 'live' FROM (SELECT "
        . "('5b000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid AS id FROM generate_series(1, 1203) n) AS ids");
put(at(sprintf 'media/5b000000-0000-4000-8000-%012d/a.jpg', $_), 0) for 1 .. 1203;
is ctl('sweep'), "4 objects deleted\n", 'a photo is deleted by hand';
is reconcile(), '0 ' . summary(1207, 0, 1207, 0, 0), 'more than two pages are compared whole';
unlink picture_path(at("media/5b000000-0000-4000-8000-000000001203/a.jpg"));
sql("DELETE FROM stored_objects WHERE picture = '5b000000-0000-4000-8000-000000000600'");
is reconcile(), '1 ' . summary(1206, 1, 1206, 1, 0), '... whatever page it is on';

reset_pictures();
finish();
