# migrations.t - a schema other than the module's: older, empty, newer, or incomplete. Each request is a 503 and
# nothing changes; the log has the remedy. After the remedy requests are served without a restart.
# Runs beside others.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use File::Copy 'copy';
use File::Path 'make_path';
use IdentityImg::Admin;
use IdentityImg::Server qw(eventually);
use IdentityImg::Test;
use Test::More;

my $source = $ENV{IIMG_SOURCE};
my ($needed) = slurp("$source/mod_identityimg/models/schema_migration.h") =~ /^#define IIMG_MIGRATION (\d+)/m;
my $server = IdentityImg::Server->new(
    'migrations',
    conf => "StartServers 1\nServerLimit 1\nThreadsPerChild 25\nMaxRequestWorkers 25\n"
)->start;    # each child checks by itself
my $sentence = 'The database schema does not match this version of the server; an operator must upgrade one of them.';

sub ask {
    my ($method, $path, %with) = @_;
    return call($method => $path, base => $server->base, headers => [Connection => 'close'], %with);
}

my @requests = (
    ['a read', GET => 'reference-images/', as => 'alice'],
    ['a login', POST => 'auth/login/', json => { email => 'alice@example.com', password => 'pw-alice' }],
    ['a login by Basic', GET => 'users/me/', as => 'bob'],
    ['a write', POST => 'reference-images/', as => 'alice', json => { name => 'x' }],
    ['an upload', POST => 'reference-images/', as => 'alice', parts => [image => [portrait()]]],
    [
        'a generation', POST => 'image-generation/generate/', as => 'admin',
        json => { identity_id => identity_of('unicode'), user_id => person('alice') }
    ],
);

# Within a second each request is refused, and the server is not ready.
sub is_refused {
    my ($what, $reason) = @_;
    my $says = sub {
        scalar grep { /IIMG0048: (?:GET|POST) .*$reason/ } $server->log_lines;
    };
    # (With an existing account: others are failed logins, which are soon limited.)
    ok eventually(sub {
        $server->forget_log;
        ask(GET => 'health/ready/')->code == 503
            && ask(GET => 'reference-images/', as => 'alice')->code == 503
            && $says->();
        }),
        "$what: requests are refused";
    for my $request (@requests) {
        my ($name, @request) = @$request;
        $server->forget_log;
        my $answer = ask(@request);
        is refusal($answer), "503 database_schema $sentence", "$what: $name is refused";
        like $answer->header('Retry-After') // '', qr/^[1-9]\d*$/, "$what: the refusal has Retry-After";
        ok $says->(), "$what: the log has the remedy" or diag join "\n", $server->log_lines;
    }
    ok eventually(sub { ask(GET => 'health/ready/')->code == 503 }), "$what: the server is not ready";
    is ask(GET => 'health/live/')->code, 200, "$what: the server is alive";
    return;
}

sub is_served {
    my ($what) = @_;
    ok eventually(sub { ask(GET => 'reference-images/', as => 'alice')->code == 200 }),
        "$what: requests are served without a restart";
    is ask(@{ $requests[$_] }[1 .. $#{ $requests[$_] }])->code, 200, "$what: $requests[$_][0] is served" for 1, 2;
    ok eventually(sub { ask(GET => 'health/ready/')->code == 200 }), "$what: the server is ready";
    return;
}

# Run scripts/migrate with only the first migrations, or with all and more: NAME => SQL. Returns its output.
sub migrate {
    my ($last, %more) = @_;
    my $folder = "$ENV{IIMG_WORK}/migrations-$last-" . join '-', sort keys %more;
    make_path("$folder/scripts", "$folder/sql/migrations");
    copy("$source/scripts/migrate", "$folder/scripts/migrate") or die $!;
    for my $file (glob "$source/sql/migrations/*.sql") {
        my ($number) = $file =~ m{/(\d+)_[^/]*\z};
        copy($file, "$folder/sql/migrations/") or die $! if $number <= $last;
    }
    for my $name (keys %more) {
        open my $to, '>', "$folder/sql/migrations/$name" or die $!;
        print $to $more{$name};
        close $to;
    }
    my %environment = $server->cluster_environment;
    local @ENV{ keys %environment } = values %environment;
    my $out = `sh '$folder/scripts/migrate' 2>&1`;
    is $?, 0, 'scripts/migrate runs' or diag $out;
    return $out;
}

sub put_aside {
    $server->sql(
        'ALTER SCHEMA public RENAME TO aside; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO identityimg');
}
sub put_back { $server->sql('DROP SCHEMA public CASCADE; ALTER SCHEMA aside RENAME TO public') }

is ask(GET => 'reference-images/', as => 'alice')->code, 200, "requests are served with the module's schema";

# Older schema ---------------------------------------------------------------------------------------

put_aside();
is_refused('an empty database', 'schema_migrations cannot be read: run scripts/migrate');
migrate($needed - 1);
is_refused(
    'a database without the newest migration',
    "the database has migration @{[$needed - 1]}, this build needs $needed: run scripts/migrate"
);
like migrate($needed), qr/\AApplied \S+\n\z/, 'the missing migration is applied';
ok eventually(sub { ask(GET => 'health/ready/')->code == 200 }), 'the server is ready without a restart';
put_back();
$server->restart;    # failed logins are cached by processes as well
is_served('with the previous schema');

# Newer schema ---------------------------------------------------------------------------------------

my $next = sprintf '%04d', $needed + 1;
my $after = sprintf '%04d', $needed + 2;
migrate($needed, "${next}_later.sql" => "CREATE TABLE later (id integer);\n");
is_refused(
    'a later migration without a declaration',
    "the database has migration @{[$needed + 1]}, which does not declare itself compatible with this build, made for "
        . "$needed: install the newer mod_identityimg"
);
$server->sql("DROP TABLE later; DELETE FROM schema_migrations WHERE version > $needed");
is_served('without the later migration');

my $compatible =
      "-- ${next}_later.sql - a table more.\n-- compatible-from: "
    . sprintf('%04d', $needed)
    . "\n\nCREATE TABLE later (id integer);\n";
migrate($needed, "${next}_later.sql" => $compatible);
is_deeply [$server->sql("SELECT compatible_from FROM schema_migrations WHERE version = $needed + 1")], [$needed],
    'a later migration that declares itself compatible is recorded';
is_served('with the compatible migration');
migrate(
    $needed, "${next}_later.sql" => $compatible,
    "${after}_latest.sql" => "-- compatible-from: $next\nCREATE TABLE latest (id integer);\n"
);
is_refused(
    'a second later migration, compatible with the first one only',
    "the database has migration @{[$needed + 2]}, which does not declare itself compatible"
);
$server->sql("DROP TABLE later, latest; DELETE FROM schema_migrations WHERE version > $needed");
is_served('without both migrations');

# Missing tables and columns -------------------------------------------------------------------------

for my $case (
    [
        'a table', 'ALTER TABLE reference_images RENAME TO elsewhere',
        'ALTER TABLE elsewhere RENAME TO reference_images', 'relation "reference_images" does not exist'
    ],
    [
        'a column', 'ALTER TABLE reference_images RENAME COLUMN name TO elsewhere',
        'ALTER TABLE reference_images RENAME COLUMN elsewhere TO name', 'column .*name.* does not exist'
    ]
) {
    my ($what, $take, $give, $reason) = @$case;
    $server->sql($take);
    $server->forget_log;
    my $answer = ask(GET => 'reference-images/', as => 'alice');
    is refusal($answer), "503 database_schema $sentence", "$what is missing: 503";
    like join("\n", $server->log_lines),
        qr/IIMG0048: .*$reason; the schema does not match this build: run scripts\/migrate/,
        "the log names the missing $what";
    $server->sql($give);
    is ask(GET => 'reference-images/', as => 'alice')->code, 200, "requests are served when the $what exists again";
}

# Tools ----------------------------------------------------------------------------------------------

$server->sql("UPDATE schema_migrations SET version = 0 WHERE version = $needed");
for my $command (qw(sweep reconcile)) {
    my $out = $server->script(ctl => $command);
    isnt $?, 0, "identityimgctl $command fails on an older schema";
    like $out, qr/the database has migration @{[$needed - 1]}, this build needs $needed: run scripts\/migrate/,
        "identityimgctl $command prints the remedy";
}
$server->sql("UPDATE schema_migrations SET version = $needed WHERE version = 0");
is_served('at the end');

$server->judge(
    qr/IIMG0048: /, qr/IIMG0150: /, qr/IIMG010[1-7]: .*(?:migration|schema)/, qr/AH01617: user alice/,
    qr/AH10159/
);
finish();
