# documents.t - docs/api matches openapi.json, docs/reference/database.md matches the database.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use IdentityImg::Test;
use JSON::PP ();
use Test::More;

my $source = $ENV{IIMG_SOURCE};
my $schema = JSON::PP->new->utf8->decode(slurp("$source/mod_identityimg/openapi.json"));
my %page = map { m{docs/(.*)}; ($1 => slurp($_)) } map { glob } "$source/docs/*.md", "$source/docs/*/*.md";

# docs/api -------------------------------------------------------------------------------------------

my $api = join "\n", map { $page{$_} } grep { m{^api/} } sort keys %page;
for my $path (sort keys %{ $schema->{paths} }) {
    for my $method (grep { $_ ne 'parameters' } sort keys %{ $schema->{paths}{$path} }) {
        my $route = uc($method) . ' `' . substr($path, 1) . '`';
        is scalar(() = $api =~ /^## \Q$route\E$/mg), 1, "docs/api has one section about $route";
    }
}
my $codes = $schema->{components}{schemas}{Code}{enum};
is join(' ', $page{'api/errors.md'} =~ /^\| `(\w+)` \| \d+ \|/mg), "@$codes", 'docs/api/errors.md has each code';
my ($major) = (`node --version 2>/dev/null` // '') =~ /^v(\d+)/;
SKIP: {
    skip 'the generator needs Node 18 or newer', 1 if ($major // 0) < 18;
    is `node '$source/scripts/api-docs.mjs' --check 2>&1`, '', 'docs/api is up to date with openapi.json (make docs)';
}

# The routes that conventions.md names for headers and pages are exactly the routes that support them.
my $conventions = $page{'api/conventions.md'};
my ($pages) = $conventions =~ /^(Lists .*? are returned in pages)/ms;
my ($if_match) = $conventions =~ /^\* `If-Match` on (.*?) compares/ms;
my ($keyed) = $conventions =~
    /^A GET, PATCH or DELETE can be repeated without a key\. (A POST .*?) takes an\s+`Idempotency-Key`/ms;

sub named_in {
    my ($sentence, $method, $path) = @_;
    return 1 if $sentence =~ /^[^`]*\b$method\b/ && $method =~ /^(?:PATCH|DELETE)$/;
    return
        scalar grep { $path eq $_ || $path =~ m{\{id\}/\Q$_\E$} || m{^admin/$} && $path =~ m{^admin/[\w-]+/$} }
        $sentence =~ /`([^`]+\/)`/g;
}
my %said;
for my $path (sort keys %{ $schema->{paths} }) {
    for my $method (grep { $_ ne 'parameters' } sort keys %{ $schema->{paths}{$path} }) {
        my $operation = $schema->{paths}{$path}{$method};
        my @route = (uc $method, substr $path, 1);
        my %takes = map { ($_->{'$ref'} // '') =~ m{/(\w+)$} ? ($1 => 1) : () } @{ $operation->{parameters} // [] };
        push @{ $said{pages} }, "@route"
            if $method eq 'get' && !!$takes{Limit} != !!(named_in($pages, @route) && $path !~ /\{id\}/);
        push @{ $said{'If-Match'} }, "@route"
            if $method ne 'get' && $path !~ m{^/auth/} && !!$takes{IfMatch} != !!named_in($if_match, @route);
        push @{ $said{'Idempotency-Key'} }, "@route"
            if $method eq 'post' && $path !~ m{^/auth/} && !!$takes{IdempotencyKey} != !!named_in($keyed, @route);
    }
}
is_deeply \%said, {},
    'conventions.md names the routes with pages, with If-Match and with Idempotency-Key';

# docs/reference/database.md -----------------------------------------------------------------------------------

my (%table, $current);
for (split /\n/, $page{'reference/database.md'}) {
    if (/^## (\w+)$/) { $current = $1 }
    elsif (/^\| `(\w+)` \| ([\w \[\]]+) \| (no|yes) \|/ && $current) { push @{ $table{$current} }, "$1 $2 $3" }
}
my %real;
for (sql(<<'SQL')) {
SELECT c.relname, a.attname, format_type(a.atttypid, NULL), CASE WHEN a.attnotnull THEN 'no' ELSE 'yes' END
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname, a.attnum
SQL
    my ($name, @column) = split /\|/;
    push @{ $real{$name} }, "@column";
}
cmp_ok scalar(keys %real), '>', 7, 'the database has more than seven tables';
is join(' ', sort keys %table), join(' ', sort keys %real),
    'docs/reference/database.md has exactly the tables of the database';
is join("\n", @{ $table{$_} // [] }), join("\n", @{ $real{$_} // [] }),
    "docs/reference/database.md has the columns, types and nullability of $_" for sort keys %real;

my @things = sql(<<'SQL');
SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 't'
UNION SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('i', 'v', 'm')
UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
SQL
my %told = map { $_ => 1 } map { /`(\w+)`/g } $page{'reference/database.md'} =~ /^\* (.*(?:\n  .*)*)/mg;
cmp_ok scalar(@things), '>', 30, 'the database has more than 30 constraints, indexes, triggers and functions';
is join(' ', grep { !$told{$_} } @things), '', 'docs/reference/database.md mentions each of them';
my %known = map { $_ => 1 } @things, keys %real, map {
    map { (split)[0] }
        @$_
} values %real;
is join(' ', grep { !$known{$_} } sort keys %told), '',
    'docs/reference/database.md mentions nothing that does not exist';

finish();
