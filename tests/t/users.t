# users.t - the current user and their identities.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use Test::More;

fresh_data();

my $me = call(GET => 'users/me/', as => 'alice');
is $me->code, 200, 'a user reads their own data';
is $me->header('Content-Type'), 'application/json', 'the response is JSON';
is $me->content,
    '{"id":"'
    . person('alice')
    . '","email":"alice@example.com","first_name":"Alice","last_name":"Liddell","is_staff":false}',
    'the user has exactly these members in order';

my $identities = call(GET => 'users/me/identities/', as => 'scenario_two');
is $identities->code, 200, 'a user lists their identities';
is_deeply [map { $_->{id} } @{ json($identities) }], [identity_of('unicode'), identity_of('plain')],
    "the list has only the user's own identities, oldest first";
is json($identities)->[0]{name}, 'Café 模範 🎨', 'names are returned as stored';
is_deeply json(call(GET => 'users/me/identities/', as => 'bob')), [], 'a user without identities gets an empty list';

expect_log(qr/AH01617|AH01618/);
finish();
