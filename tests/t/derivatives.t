# derivatives.t - the API's description names each derivative of services/pictures/derivatives.h, and no other.
use strict;
use warnings;
use JSON::PP;
use Test::More;

my $source = $ENV{IIMG_SOURCE} // '.';

sub slurp {
    my ($path) = @_;
    open my $file, '<', "$source/$path" or die "$path: $!";
    local $/;
    return scalar <$file>;
}

my @table = slurp('mod_identityimg/services/pictures/derivatives.h') =~ /^\s+ROW\(IIMG_\w+, "(\w+)", (\d+)\)/mg;
my %side = @table;
my @members = ('original', @table[grep { $_ % 2 == 0 } 0 .. $#table]);
cmp_ok scalar(keys %side), '>=', 3, 'the table of derivatives has rows';

my $description = slurp('mod_identityimg/openapi.json');
my $picture = JSON::PP->new->decode($description)->{components}{schemas}{Picture};
is join(' ', @{ $picture->{required} }), join(' ', @members),
    'Picture requires the original and each derivative, in the order of the table';
is join(' ', sort keys %{ $picture->{properties} }), join(' ', sort @members), 'Picture has no other members';
is $picture->{properties}{$_}{description}, "Fits in $side{$_} x $side{$_} pixels.",
    "the description of $_ names its longest side" for sort keys %side;
my @number = qw(zero one two three four five six seven eight nine);
like $picture->{description}, qr/ in $number[scalar @members] sizes\./, 'the description of Picture counts the sizes';

# Examples: each object with an address of an original has the address of each derivative.
my $missing = 0;
my $examples = 0;
my @rest = JSON::PP->new->decode($description);
while (@rest) {
    my $value = shift @rest;
    push @rest, ref $value eq 'HASH' ? values %$value : ref $value eq 'ARRAY' ? @$value : ();
    next if ref $value ne 'HASH' || ref($value->{original} // {}) || $value->{original} !~ m{^https?://};
    $examples++;
    $missing += grep { ($value->{$_} // '') !~ /-thumbnail-$side{$_}x$side{$_}\./ } keys %side;
}
cmp_ok $examples, '>', 0, 'the description has examples of pictures';
is $missing, 0, 'each example has the address of each derivative, with its longest side';

done_testing();
