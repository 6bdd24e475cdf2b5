# columns.t - each column of a table is in its model, and in the API or in the list of hidden columns.
#
# Reads the sources only. tests/t/documents.t holds docs/reference/database.md against the database.
use strict;
use warnings;
use JSON::PP;
use Test::More;

my $source = $ENV{IIMG_SOURCE} // '.';

# For each table: its model; columns that the model does not read; columns that are not a member of the same name in
# the API's object, with the member that shows them ('' for none).
my %tables = (
    reference_images => {
        model => 'reference_image',
        schema => 'ReferenceImage',
        unread => [],
        shown => { user_id => 'user', image_sized => 'image', version => '' },
    },
    identities => {
        model => 'identity',
        schema => 'Identity',
        unread => ['previous_image', 'previous_image_sized'],
        shown => { user_id => 'user', image_sized => 'image', version => '' },
    },
    prompts => { model => 'prompt', schema => 'Prompt', unread => [], shown => {} },
);

sub slurp {
    my ($path) = @_;
    open my $file, '<', "$source/$path" or die "$path: $!";
    local $/;
    return scalar <$file>;
}

my $migrations = join "\n", map { slurp($_ =~ s{^\Q$source\E/}{}r) } sort glob "$source/sql/migrations/*.sql";
my $schemas = JSON::PP->new->decode(slurp('mod_identityimg/openapi.json'))->{components}{schemas};

# @return the columns that migrations give a table, without constraints
sub columns_of {
    my ($table) = @_;
    my ($body) = $migrations =~ /^CREATE TABLE \Q$table\E \((.*?)^\);/ms or die "no CREATE TABLE $table";
    my %columns = map { $_ => 1 } $body =~ /^    "?([a-z_]+)"? +[a-z]/mg;
    for my $change ($migrations =~ /^ALTER TABLE \Q$table\E\b(.*?);/msg) {
        $columns{$_} = 1 for $change =~ /ADD COLUMN "?([a-z_]+)"?/g;
        delete $columns{$_} for $change =~ /DROP COLUMN "?([a-z_]+)"?/g;
    }
    my @names = sort keys %columns;
    return @names;
}

for my $table (sort keys %tables) {
    my ($model, $schema, $unread, $shown) = @{ $tables{$table} }{qw(model schema unread shown)};
    my $text = slurp("mod_identityimg/models/$model.c");
    my @read = sort map { $_ =~ s/^\w\.|\\"//gr } $text =~ /^ +(?:FIRST|NEXT)\([\w.]+, \w+, "(\w\.[^ ()]+)"\)/mg;
    my %unread = map { $_ => 1 } @$unread;
    is join(' ', @read), join(' ', grep { !$unread{$_} } columns_of($table)),
        "models/$model.c reads each column of $table";

    my $members = $schemas->{$schema}{properties};
    my @missing = grep { $_ ne '' && !$members->{$_} } map { $shown->{$_} // $_ } @read;
    is "@missing", '', "$schema in openapi.json has a member for each column of $table that is shown";
    my %served = map { $_ => 1 } map { $shown->{$_} // $_ } @read;
    is join(' ', grep { !$served{$_} } sort keys %$members), '',
        "$schema in openapi.json has no member without a column of $table";
}

done_testing();
