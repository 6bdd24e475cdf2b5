# restore_image.t - restoring the previous picture of an identity, and undoing the restore.
use strict;
use warnings;
use IdentityImg::Test;
use Test::More;

fresh_data();

my $id = identity_of('full');
my $path = "identities/$id/restore-image/";

sub upload {
    my ($file) = @_;
    return json(call(POST => "identities/$id/upload-image/", as => 'scenario_one', parts => [image => [$file]]));
}
sub restore { my ($who) = @_; return call(POST => $path, as => $who // 'scenario_one') }

sub name_of {
    my ($identity) = @_;
    return $identity->{image} ? $identity->{image}{original} =~ m{([^/]+)\?}s ? $1 : '?' : 'none';
}
sub line { my ($answer) = @_; return join ' ', $answer->code, @{ json($answer) }{qw(code detail)} }
sub states { return join ' ', sql("SELECT state, count(*) FROM stored_objects GROUP BY state ORDER BY state") }

is line(restore()), '409 nothing_to_restore There is no earlier picture to restore.',
    'an identity that never had a picture has nothing to restore';
upload(portrait());
is line(restore()), '409 nothing_to_restore There is no earlier picture to restore.',
    'an identity with its first picture has nothing to restore';
upload(make_jpeg(120, 90));
my $back = restore();
is $back->code, 200, 'the first picture is restored after another upload';
is name_of(json($back)), 'portrait.png', 'the restored picture is the first one';
is states(), 'held|4 live|4', 'the restored picture is live, the other one is held';
is join(
    ' ',
    sql(
        "SELECT DISTINCT round(extract(epoch FROM held_until - changed_at) / 60) FROM stored_objects WHERE state = "
            . "'held'"
    )
    ),
    24 * 60, 'the replaced picture is held for a day';
is call(GET => json($back)->{image}{large})->code, 200, 'the restored picture can be fetched';
is name_of(json(restore())), 'made-120x90-.jpg', 'a second restore undoes the first one';
is scalar(() = stored_files()), 8, 'both pictures are stored';

call(DELETE => "identities/$id/delete-image/", as => 'scenario_one');
is name_of(json(restore())), 'made-120x90-.jpg', 'a removed picture is restored';
is states(), 'live|4', 'nothing else is stored';
is line(restore()), '409 nothing_to_restore There is no earlier picture to restore.',
    'after that there is nothing to restore';
upload(portrait());
is restore('admin')->code, 200, 'staff restore the picture of any identity';
is line(restore('alice')), '404 not_found Not found.', "another user's restore is 404";
is call(POST => $path)->code, 401, 'a restore without credentials is 401';
is line(call(POST => 'identities/00000000-0000-4000-8000-0000000009ff/restore-image/', as => 'admin')),
    '404 not_found Not found.', 'a restore of an unknown identity is 404';
is call(GET => $path, as => 'admin')->header('Allow'), 'POST, OPTIONS', 'only POST is allowed';

sql("UPDATE stored_objects SET held_until = now() - interval '1 second' WHERE state = 'held'");
sql("UPDATE identities SET previous_image = NULL, previous_image_sized = NULL WHERE id = '$id'");
is states(), 'doomed|4 live|4', 'a picture that is no longer held is doomed';
is line(restore()), '409 nothing_to_restore There is no earlier picture to restore.',
    'a doomed picture cannot be restored';

finish();
