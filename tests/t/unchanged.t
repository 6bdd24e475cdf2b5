# unchanged.t - a PATCH with the current values changes nothing: no version, no timestamp, no audit log entry.
use strict;
use warnings;
use utf8;
use IdentityImg::Admin;
use IdentityImg::Test;
use JSON::PP ();
use Test::More;
use Unicode::Normalize 'NFD';

fresh_data();
my ($alice, $bob) = map { person($_) } qw(alice bob);

sub made {
    my ($path, %body) = @_;
    my $answer = call(POST => $path, as => 'admin', json => \%body);
    is $answer->code, 201, "POST $path succeeds" or diag $answer->content;
    return json($answer)->{id};
}
my $photo = made('admin/reference-images/', user_id => $alice, name => 'Zoë', order => 1);
my $other = made('admin/reference-images/', user_id => $alice, name => 'other', order => 2);
my $identity = made(
    'admin/identities/', user_id => $alice, name => 'Zoë', category => 'c', i_am_statement => 'ë',
    notes => ['ë', 'b']
);
my $user = made('admin/users/', email => 'zoë@example.com', first_name => 'Zoë');
my $scenario = made('admin/test-scenarios/', name => 'Zoë', user_id => $bob);
my $prompt = made('prompts/', prompt_type => 'coach', body => 'x');
audit();

# The row in the database, and where it was last written.
sub row { my ($table, $id) = @_; return (sql("SELECT xmin, t FROM $table t WHERE id = '$id'"))[0] }

for my $case (
    # table             path                                            current values
    [
        'reference_images', "reference-images/$photo/", { name => 'Zoë' }, { name => " Zoë\t" },
        { name => NFD('Zoë') }, { order => 1 }, { order => '1', name => 'Zoë' }
    ],
    ['reference_images', "reference-images/$photo/?swap=true", { order => 1 }, { order => 1, name => NFD('Zoë') }],
    [
        'reference_images', "admin/reference-images/$photo/", { name => 'Zoë', order => 1 },
        { id => $other, user_id => $bob, image => undef }
    ],
    [
        'identities', "admin/identities/$identity/", { name => NFD(' Zoë ') },
        { i_am_statement => NFD('ë'), visualization => undef, notes => [NFD('ë'), ' b'] },
        { user_id => uc $alice, category => 'c' }
    ],
    [
        'users', "admin/users/$user/",
        { email => NFD('zoë@example.com'), first_name => NFD('Zoë'), last_name => undef },
        { is_staff => JSON::PP::false, is_active => JSON::PP::true }
    ],
    ['test_scenarios', "admin/test-scenarios/$scenario/", { name => NFD('Zoë'), user_id => uc $bob }],
    ['prompts', "prompts/$prompt/", { is_active => JSON::PP::true }],
) {
    my ($table, $path, @changes) = @$case;
    my ($id) = $path =~ m{/([0-9a-f-]{36})/};
    my ($as) = $path =~ /^reference-images/ ? 'alice' : 'admin';
    my ($plain) = $path =~ /^([^?]*)/;
    my $shown = call(GET => $plain, as => $as);
    my $tag = $shown->header('ETag');
    for my $change (@changes, {}) {
        my $what = JSON::PP->new->canonical->encode($change);
        my $before = row($table, $id);
        my $answer = call(PATCH => $path, as => $as, json => $change);
        is $answer->code . ' ' . $answer->content, '200 ' . $shown->content, "PATCH $path $what returns the row";
        is $answer->header('ETag'), $tag, "PATCH $path $what returns the same ETag";
        is row($table, $id), $before, "PATCH $path $what writes nothing";
        is call(PATCH => $path, as => $as, json => $change, headers => ['If-Match' => $tag])->code, 200,
            "PATCH $path $what with the current version succeeds";
        is call(PATCH => $path, as => $as, json => $change, headers => ['If-Match' => '"99.0"'])->code, 412,
            "PATCH $path $what with another version is refused";
    }
}
is join("\n", audit()), '', 'the audit log has no entries';

# Only values that differ are changed and audited.
call(PATCH => "admin/reference-images/$photo/", as => 'admin', json => { name => 'Zoë', order => 3 });
is join("\n", audit()), "admin\@example.com change reference_images order $photo",
    'only the changed member is audited';
is json(call(PATCH => "admin/reference-images/$photo/?swap=true", as => 'admin', json => { name => 'new', order => 2 }))
    ->{order}, 2, 'a swap without other changes is made';
is join('|', sql("SELECT \"order\", version FROM reference_images WHERE id = '$other'")), '3|2',
    'the swap changes both photos';
is join("\n", audit()), "admin\@example.com change reference_images name,order $photo", 'the swap is audited';
is refusal(call(PATCH => "admin/reference-images/$other/", as => 'admin', json => { order => 2 })),
    '400 order_in_use order: Order 2 is already in use', 'a slot in use is still refused';

finish();
