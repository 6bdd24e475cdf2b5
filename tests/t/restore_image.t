# restore_image.t - an identity's picture before the last change comes back, and goes again.
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
    'an identity that never had a picture has none to bring back';
upload(portrait());
is line(restore()), '409 nothing_to_restore There is no earlier picture to restore.',
    'nor has one with its first picture';
upload(make_jpeg(120, 90));
my $back = restore();
is $back->code, 200, 'after another picture the first one comes back';
is name_of(json($back)), 'portrait.png', '... it is that one';
is states(), 'held|4 live|4', '... live, and the other one is held now';
is join(
    ' ',
    sql(
        "SELECT DISTINCT round(extract(epoch FROM held_until - changed_at) / 60) FROM stored_objects WHERE state = "
            . "'held'"
    )
    ),
    24 * 60, '... for a day';
is call(GET => json($back)->{image}{large})->code, 200, '... and its addresses open';
is name_of(json(restore())), 'made-120x90-.jpg', 'once more takes that back';
is scalar(() = stored_files()), 8, 'both are stored';

call(DELETE => "identities/$id/delete-image/", as => 'scenario_one');
is name_of(json(restore())), 'made-120x90-.jpg', 'a picture that was taken away comes back';
is states(), 'live|4', '... and nothing else is kept';
is line(restore()), '409 nothing_to_restore There is no earlier picture to restore.', '... nor left to bring back';
upload(portrait());
is restore('admin')->code, 200, 'staff bring back anybody\'s';
is line(restore('alice')), '404 not_found Not found.', 'others do not';
is call(POST => $path)->code, 401, 'nobody neither';
is line(call(POST => 'identities/00000000-0000-4000-8000-0000000009ff/restore-image/', as => 'admin')),
    '404 not_found Not found.', 'what is not there has no picture';
is call(GET => $path, as => 'admin')->header('Allow'), 'POST, OPTIONS', 'it is a POST';

sql("UPDATE stored_objects SET held_until = now() - interval '1 second' WHERE state = 'held'");
sql("UPDATE identities SET previous_image = NULL, previous_image_sized = NULL WHERE id = '$id'");
is states(), 'doomed|4 live|4', 'what is no longer held is doomed';
is line(restore()), '409 nothing_to_restore There is no earlier picture to restore.', 'and cannot come back';

finish();
