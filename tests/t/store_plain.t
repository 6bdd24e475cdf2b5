# store_plain.t - a bucket without versions, like Cloudflare's R2. Deleted objects are gone, also after a throttled
# DELETE, and an object that cannot be deleted does not block others.
# Runs beside others.
use strict;
use warnings;
use IdentityImg::Audit;
use IdentityImg::FaultProxy;
use IdentityImg::Server 'eventually';
use IdentityImg::Store;
use IdentityImg::Test;
use Test::More;

my $place = IdentityImg::Store->new('plain');
plan skip_all => $place->missing if $place->missing;
my $proxy = IdentityImg::FaultProxy->new($place->{port});
my $server = IdentityImg::Server->new('plain', env => $place->env, conf => "IdentityImgSweepInterval 86400\n")->start;
my $store = IdentityImg::Audit->new(
    $server, $place,
    env => { IDENTITYIMG_S3_ENDPOINT => $place->endpoint($proxy->port), IDENTITYIMG_S3_TIMEOUT => 20 }
);
my $jpeg = make_jpeg(64, 48);

sub add {
    my ($who) = @_;
    my $answer =
        call(POST => 'reference-images/', as => $who // 'alice', parts => [image => [$jpeg]], base => $server->base);
    is $answer->code, 201, 'a photo is created';
    return json($answer)->{id};
}
sub orphan { my ($who) = @_; my $id = add($who); $store->sql("DELETE FROM reference_images WHERE id = '$id'"); return }
sub doomed { return $store->sql("SELECT key FROM stored_objects WHERE state = 'doomed' ORDER BY key") }
sub tool { my (@arguments) = @_; my $out = $store->ctl(@arguments); return ($? >> 8) . " $out" }

add();
$store->learn;

# The server itself ---------------------------------------------------------------------------------------

$place->tell(slow => 2);
for my $round (1 .. 3) {
    my $id = add('bob');
    is call(DELETE => "reference-images/$id/", as => 'bob', base => $server->base)->code, 204,
        "round $round: a photo is deleted while every other DELETE is throttled";
    is scalar(my @left = doomed()), 0, "round $round: its four rows are removed";
    is scalar(my @there = $place->objects), 4, "round $round: its objects are gone from the store";
}

# A sweep -----------------------------------------------------------------------------------------------------

orphan('bob') for 1 .. 3;
is tool('sweep'), "0 12 objects deleted\n", 'one sweep deletes all objects although every other DELETE is throttled';
$place->tell(slow => 0);
is $store->quarrels, '', 'nothing is left over';

# Statuses with which a store refuses one object. Each refused object comes first in its batch.
for my $refusal ([501, 'NotImplemented'], [403, 'AccessDenied'], [400, 'InvalidRequest']) {
    my ($status, $code) = @$refusal;
    orphan('bob') for 1 .. 4;
    my @keys = doomed();
    my @refused = @keys[0, 1, 2, 3, 9];
    $proxy->rules(
        map { {
            fault => 'error', method => 'DELETE', path => "\Q$_\E\$", status => $status, code => $code, times => 0 } }
            @refused
    );
    my $told = tool('sweep');
    like $told, qr/^1 .*^11 objects deleted\n5 objects could not be deleted yet\n/ms,
        "five objects refused with $status $code do not block the other eleven";
    is scalar(grep { $told =~ /IIMG0102: cannot delete \Q$_\E: DELETE \S+: $status $code/ } @refused), 5,
        "$status $code: the log has the cause for each object";
    unlike $told, qr/IIMG0107/, "$status $code: the store counts as available";
    is join(' ', doomed()), join(' ', @refused), "$status $code: the refused objects stay doomed";
    is join(
        ' ',
        $store->sql(
            "SELECT DISTINCT retry_at > now() + interval '30 seconds' FROM stored_objects WHERE state = 'doomed'")
        ),
        't', "$status $code: the refused objects are due later";
    $proxy->rules;
    is tool('sweep'), "0 5 objects deleted\n",
        "$status $code: the refused objects are deleted when the store allows it";
}

# A store that does not respond at all.
for my $away (
    { fault => 'error', status => 500 }, { fault => 'reset' },
    { fault => 'error', status => 403, code => 'InvalidAccessKeyId' }
) {
    orphan('bob') for 1 .. 2;
    $proxy->rules({ %$away, method => 'DELETE', times => 0 });
    my $told = tool('sweep');
    like $told,
        qr/^1 .*IIMG0107: deletion of 5 more objects postponed.*^0 objects deleted\n8 objects could not be deleted yet\n/ms,
        "$away->{fault} @{[$away->{status} // '']} @{[$away->{code} // '']} for three objects in a row: the others are "
        . "not tried";
    $proxy->rules;
    is tool('sweep'), "0 8 objects deleted\n", "the objects are deleted when the store is back";
}

# reconcile -------------------------------------------------------------------------------------------------------

my $stray = '5a000000-0000-4000-8000-00000000000';
add('bob') for 1 .. 4;
my $summary = "20 referenced objects, 0 of them missing in the store\n0 rows with pictures that the manifest lacks\n";
is tool('reconcile'), "0 20 objects in the store, 0 of them unknown to the manifest\n$summary",
    'reconcile reads a store without versions, page by page';
$place->request(PUT => "$place->{prefix}media/$stray$_/a.jpg", content => 'x') for 1, 2;
is tool('reconcile', '--delete', '--min-age 0'),
    "0 22 objects in the store, 2 of them unknown to the manifest (2 deleted)\n$summary",
    'reconcile --delete deletes unknown objects';
$place->request(PUT => "$place->{prefix}media/$stray$_/a.jpg", content => 'x') for 1, 2;
$proxy->rules(
    { fault => 'error', method => 'DELETE', path => "${stray}1/", status => 501, code => 'NotImplemented', times => 0 }
);
my $told = tool('reconcile', '--delete', '--min-age 0');
like $told, qr/^1 .*^22 objects in the store, 2 of them unknown to the manifest \(1 deleted\)$/ms,
    'an unknown object that cannot be deleted does not block others';
like $told, qr/IIMG0210: media\/${stray}1\/a\.jpg could not be deleted: DELETE \S+: 501 NotImplemented/,
    'the log names the object that cannot be deleted';
$proxy->rules;
is tool('reconcile', '--delete', '--min-age 0') =~ s/\n.*//sr,
    '0 21 objects in the store, 1 of them unknown to the manifest (1 deleted)',
    'the next reconcile --delete deletes it';
$store->sql('DELETE FROM reference_images');
is $store->quarrels, '', 'nothing is left over';
$server->judge;
undef $server;

# Other responses that mean that there are no versions, and one that does not -----------------------------------

my $web = IdentityImg::Server->new(
    'plain-ways',
    conf => "IdentityImgSweepInterval 86400\nStartServers 1\nServerLimit 1\nMaxRequestWorkers 25\n", env => {}
);    # one child: it is ready, or it is not
for my $way (
    'ignored', '405:MethodNotAllowed:The specified method is not allowed',
    '400:InvalidRequest:Versioning is not supported', '501::', '403:AccessDenied:Access Denied',
    '400:InvalidArgument:prefix is too long'
) {
    my $says_it = $way !~ /^403|prefix/;
    my $other = IdentityImg::Store->new('plain', versions => $way, bucket => 'other');
    $web->{env} = $other->env;
    $web->restart;
    ok eventually(sub { call(GET => 'health/ready/', base => $web->base)->code == 200 }),
        "?versions answers $way: the first start marks the store";
    my $audit = IdentityImg::Audit->new($web, $other, env => {});
    my $id =
        json(call(POST => 'reference-images/', as => 'alice', parts => [image => [$jpeg]], base => $web->base))->{id};
    $other->tell(slow => 2);
    is call(DELETE => "reference-images/$id/", as => 'alice', base => $web->base)->code, 204,
        "?versions answers $way: a photo is deleted";
    is scalar(my @left = $audit->sql("SELECT key FROM stored_objects WHERE state = 'doomed'")), $says_it ? 0 : 4,
        $says_it ? 'the rows of the objects are removed' : 'the objects stay doomed: there may be versions';
    my $out = $audit->ctl('reconcile');
    is $? >> 8, $says_it ? 0 : 2,
        "?versions answers $way: reconcile " . ($says_it ? 'reads the store' : 'reports that it cannot read the store')
        or diag $out;
    $web->sql('DELETE FROM reference_images; DELETE FROM stored_objects; DELETE FROM picture_store')
        ;    # the next store needs a new database
}
$web->judge(qr/IIMG010[27]/, qr/AH10159/);
done_testing();
