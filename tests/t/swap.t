# swap.t - two photos exchange their slots.
use strict;
use warnings;
use IdentityImg::Test;
use Test::More;

fresh_data();

my @photos = map { json(call(POST => 'reference-images/', as => 'alice', json => { name => $_ })) } qw(a b c);
my $others = json(call(POST => 'reference-images/', as => 'bob', json => { name => 'z' }));

sub swap {
    my ($photo, $fields, $query, $who) = @_;
    return call(
        PATCH => "reference-images/$photo->{id}/?" . ($query // 'swap=true'), as => $who // 'alice',
        json => $fields
    );
}

sub slots {
    return join ' ',
        map { "$_->{name}$_->{order}" } @{ json(call(GET => 'reference-images/', as => $_[0] // 'alice')) };
}
sub line { my ($answer) = @_; return join ' ', $answer->code, @{ json($answer) }{qw(code detail)} }

is slots(), 'a0 b1 c2', 'three photos are in their slots';
my $swapped = swap($photos[0], { order => 2 });
is $swapped->code, 200, "a photo is moved to another photo's slot";
is json($swapped)->{order}, 2, 'the photo is in the new slot';
is slots(), 'c0 b1 a2', 'the other photo is in the old slot';
is slots('bob'), 'z0', 'the photos of another user have not moved';
ok json($swapped)->{updated_at} gt $photos[0]{updated_at}, 'updated_at of the photo changes';
is json(swap($photos[0], { order => 4 }))->{order}, 4, 'a photo is moved to a free slot';
is slots(), 'c0 b1 a4', 'the other photos have not moved';
is json(swap($photos[0], { order => 4 }))->{order}, 4, 'a photo can be moved to its own slot';
is json(swap($photos[0], { order => 1, name => 'A' }))->{name}, 'A', 'the name can be changed in the same request';
is slots(), 'c0 A1 b4', 'only the name of this photo changes';
is json(swap($photos[0], { name => 'a' }))->{order}, 1, 'without an order nothing is swapped';
is line(swap($photos[0], { order => 5 })), '400 order_range Order must be between 0 and 4',
    'a slot out of range is refused';
is line(swap($photos[0], { order => 0 }, 'swap=false')), '400 order_in_use Order 0 is already in use',
    'swap=false does not swap';
is line(swap($photos[0], { order => 0 }, 'swap=maybe')), '400 invalid Must be a valid boolean.',
    'an invalid value of swap is refused';
is line(swap($photos[0], { order => 0 }, undef, 'bob')), '404 not_found Not found.', 'a photo of another user is 404';
is slots(), 'c0 a1 b4', 'the refused requests change nothing';
is swap($photos[0], { order => 0 }, 'swap=true&user_id=' . person('alice'), 'admin')->code, 200,
    'staff swap photos of any user';
is slots(), 'a0 c1 b4', 'the photos of that user are swapped';

# Two owners: each slot of the swap also holds a photo of the other user.
sub versions {
    return join ' ', map {
        "$_->{name}$_->{order} "
            . (call(GET => "reference-images/$_->{id}/", as => $_[0])->header('ETag') =~ s/\..*//r)
    } @{ json(call(GET => 'reference-images/', as => $_[0])) };
}
my @foreign = (
    $others,
    map { json(call(POST => 'reference-images/', as => 'bob', json => { name => "b$_", order => $_ })) } 1 .. 4
);
my $before = versions('bob');
for my $case (
    [0, undef, 'alice', "another user's photo"], [4, undef, 'alice', "another user's free slot"],
    [1, "swap=true&user_id=" . person('alice'), 'admin', 'staff, for that user,']
) {
    my ($order, $query, $who, $what) = @$case;
    is swap($photos[0], { order => $order }, $query, $who)->code, 200,
        "a user swaps with slot $order ($what) while another user has a photo in each slot";
    is versions('bob'), $before, "a swap with slot $order ($what) does not change the photos of the other user";
}
is slots(), 'b0 a1 c4', 'each swap moves only the photos of its user' or diag slots();
is line(swap($foreign[3], { order => 0 })), '404 not_found Not found.', "a swap of another user's photo is 404";
is line(swap($foreign[3], { order => 0 }, 'swap=true&user_id=' . person('alice'), 'admin')),
    '404 not_found Not found.', 'a swap by staff with the wrong owner is 404';
is slots() . ' ' . versions('bob'), "b0 a1 c4 $before", 'neither user has lost a slot';
swap($photos[1], { order => 3 });

# Concurrent swaps: at the end five photos are in five slots.
call(POST => 'reference-images/', as => 'alice', json => { name => $_ }) for qw(d e);
my @all = @{ json(call(GET => 'reference-images/', as => 'alice')) };
my @clients = map {
    my $number = $_;
    my $pid = fork // die $!;
    if (!$pid) {
        Apache::TestRequest::user_agent(reset => 1);
        my $bad = 0;
        for my $i (0 .. 9) {
            $bad++ if swap($all[($number + $i) % 5], { order => ($number * 3 + $i) % 5 })->code != 200;
        }
        require POSIX;
        POSIX::_exit($bad);
    }
    $pid;
} 0 .. 5;
my $failed = 0;
for (@clients) { waitpid $_, 0; $failed += $? >> 8 }
is $failed, 0, 'sixty swaps by six concurrent clients succeed';
is join('', map { $_->{order} } @{ json(call(GET => 'reference-images/', as => 'alice')) }), '01234',
    'each slot has one photo';

finish();
