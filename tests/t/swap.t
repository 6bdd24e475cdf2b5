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

is slots(), 'a0 b1 c2', 'three photos in their slots';
my $swapped = swap($photos[0], { order => 2 });
is $swapped->code, 200, 'one is moved to another\'s slot';
is json($swapped)->{order}, 2, '... it is there';
is slots(), 'c0 b1 a2', '... and the other one has its slot';
is slots('bob'), 'z0', '... and nobody else\'s has moved';
ok json($swapped)->{updated_at} gt $photos[0]{updated_at}, '... it was changed just now';
is json(swap($photos[0], { order => 4 }))->{order}, 4, 'to a free slot it just moves';
is slots(), 'c0 b1 a4', '... the others stay';
is json(swap($photos[0], { order => 4 }))->{order}, 4, 'to its own slot it stays';
is json(swap($photos[0], { order => 1, name => 'A' }))->{name}, 'A', 'a name can change along';
is slots(), 'c0 A1 b4', '... that of this photo alone';
is json(swap($photos[0], { name => 'a' }))->{order}, 1, 'without an order nothing is swapped';
is line(swap($photos[0], { order => 5 })), '400 order_range Order must be between 0 and 4', 'a slot must be one';
is line(swap($photos[0], { order => 0 }, 'swap=false')), '400 order_in_use Order 0 is already in use',
    'swap=false does not swap';
is line(swap($photos[0], { order => 0 }, 'swap=maybe')), '400 invalid Must be a valid boolean.',
    'swap is true or false';
is line(swap($photos[0], { order => 0 }, undef, 'bob')), '404 not_found Not found.', 'others\' photos are not there';
is slots(), 'c0 a1 b4', 'none of these has changed anything';
is swap($photos[0], { order => 0 }, 'swap=true&user_id=' . person('alice'), 'admin')->code, 200,
    'staff swap anybody\'s';
is slots(), 'a0 c1 b4', '... that user\'s';

# Two owners: each slot that a swap names holds a photo of the other user, too.
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
    [0, undef, 'alice', 'a photo of theirs'], [4, undef, 'alice', 'a free slot of theirs'],
    [1, "swap=true&user_id=" . person('alice'), 'admin', 'staff, for them,']
) {
    my ($order, $query, $who, $what) = @$case;
    is swap($photos[0], { order => $order }, $query, $who)->code, 200,
        "a user exchanges with slot $order ($what) while another user has a photo in each slot";
    is versions('bob'), $before, '... and no photo of the other user has moved or has another version';
}
is slots(), 'b0 a1 c4', 'each swap moved the photos of its own user' or diag slots();
is line(swap($foreign[3], { order => 0 })), '404 not_found Not found.', 'a swap cannot name a photo of another user';
is line(swap($foreign[3], { order => 0 }, 'swap=true&user_id=' . person('alice'), 'admin')),
    '404 not_found Not found.', '... staff neither, when they name the wrong owner';
is slots() . ' ' . versions('bob'), "b0 a1 c4 $before", 'and neither user has lost a slot';
swap($photos[1], { order => 3 });

# At the same time: in the end five photos stand in five slots.
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
is $failed, 0, 'sixty swaps by six clients at once all succeed';
is join('', map { $_->{order} } @{ json(call(GET => 'reference-images/', as => 'alice')) }), '01234',
    '... and each slot has one photo';

finish();
