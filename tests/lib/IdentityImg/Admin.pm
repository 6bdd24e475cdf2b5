# Admin.pm - shared checks of the tests of admin/: access, list queries, pages, retries, the audit log.
package IdentityImg::Admin;

use strict;
use warnings;
use utf8;

use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Test::More;
use IdentityImg::Test;

our @EXPORT = qw(refusal escaped results audit check_access check_query check_search check_pages check_retries at_once
    request_of status_of);

my $nowhere = '00000000-0000-4000-8000-0000000009ff';

# "400 invalid email: Enter a valid email address."
sub refusal {
    my ($answer) = @_;
    my $body = json($answer);
    return $answer->as_string if ref $body ne 'HASH';
    my ($field) = keys %{ $body->{errors} // {} };
    my $said = join ' ', $answer->code, $body->{code} // '', $field ? "$field:" : (), $body->{detail} // '';
    $said .= ' (errors say otherwise)' if $field && "@{$body->{errors}{$field}}" ne $body->{detail};
    return $said;
}

# A text, percent-encoded for a query.
sub escaped { my ($text) = @_; utf8::encode($text); return $text =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger }

# The rows of the first page of a list.
sub results { my ($path) = @_; return @{ json(call(GET => $path, as => 'admin'))->{results} // [] } }

# The audit log entries since the last call: "admin@example.com create users email,password".
my $seen = 0;

sub audit {
    my @rows = sql(
        "SELECT id, actor_email, action, kind, array_to_string(members, ','), row_id FROM audit_log WHERE id > $seen "
            . "ORDER BY id");
    ($seen) = $rows[-1] =~ /^(\d+)/ if @rows;
    return map { s/^\d+\|//r =~ s/\|/ /gr } @rows;
}

# Access to a resource's routes, at the row ID, without credentials and for users who are not staff.
sub check_access {
    my ($base, $id, $body) = @_;
    my ($count) = _dump();
    for my $case (
        [GET => $base], [GET => "$base?limit=0&before=x"], [GET => "$base?search=%00"], [POST => $base, json => $body],
        [POST => $base, body => '{', type => 'application/json'],
        [POST => $base, body => 'x', type => 'text/plain'], [GET => "$base$id/"], [GET => "$base$nowhere/"],
        [PATCH => "$base$id/", json => $body],
        [PATCH => "$base$nowhere/", body => '[', type => 'application/json'], [DELETE => "$base$id/"],
        [DELETE => "$base$nowhere/"],
    ) {
        my ($method, $path, @with) = @$case;
        is refusal(call($method => $path, @with)),
            '401 not_authenticated Authentication credentials were not provided.',
            "$method $path without credentials is 401";
        is refusal(call($method => $path, @with, as => $_)),
            '403 permission_denied You do not have permission to perform this action.',
            "$method $path by $_, who is not staff, is 403" for qw(alice scenario_one);
    }
    is _dump(), $count, 'refused requests change nothing';
    is call(GET => "$base$_/", as => 'admin')->content, '{"detail":"Not found.","code":"not_found"}',
        "GET $base$_/ is 404" for $nowhere, 'x', '1';
    is refusal(call($_ => "$base$nowhere/", as => 'admin', json => {})), '404 not_found Not found.',
        "$_ of a missing row is 404" for qw(PATCH DELETE);
    is refusal(call(POST => $base, as => 'admin', body => 'x', type => 'text/plain')),
        '415 unsupported_media_type Unsupported media type "text/plain" in request.',
        'a JSON string is refused as a row';
    return;
}

sub _dump {
    return join "\n",
        map { sql("SELECT '$_', md5(string_agg(t::text, '' ORDER BY id)) FROM $_ t") }
        qw(users identities test_scenarios reference_images audit_log);
}

# Queries that every list accepts or refuses. FILTERS: further [query, refusal].
sub check_query {
    my ($base, @filters) = @_;
    my $cursor = "1795322247462663.$nowhere";
    my $bad = '400 invalid before: Use the value of `next` of the previous page.';
    for my $case (
        ['limit=0', '400 invalid limit: Must be from 1 to 100.'],
        ['limit=101', '400 invalid limit: Must be from 1 to 100.'],
        ['limit=-1', '400 invalid limit: Must be from 1 to 100.'],
        ['limit=99999999999999999999', '400 invalid limit: Must be from 1 to 100.'],
        ['limit=4294967297', '400 invalid limit: Must be from 1 to 100.'],
        ['limit=1.5', '400 invalid limit: A valid integer is required.'],
        ['limit=x', '400 invalid limit: A valid integer is required.'],
        ['limit=', '400 invalid limit: A valid integer is required.'],
        ['limit=1&limit=0', '400 invalid limit: Must be from 1 to 100.'],
        (
            map { ["before=$_", $bad] } 'x', $nowhere, '1795322247462663', '1795322247462663.',
            "1795322247462663.x$nowhere", ".$nowhere", "-.$nowhere", "1.5.$nowhere", "%2B1.$nowhere",
            "1795322247462663-$nowhere", "9999999999999999999.$nowhere", "999999999999999999.$nowhere",
            "-99999999999999999.$nowhere", "253402300800000000.$nowhere", "$cursor.", "1e9.$nowhere", "0x10.$nowhere",
            "1'.$nowhere", '1.00000000-0000-4000-8000-0000000009fg'
        ),
        ['before=' . 'x' x 101, '400 invalid before: Ensure this field has no more than 100 characters.'],
        ['before=%00', '400 invalid Null characters are not allowed.'],
        ['search=' . 'x' x 101, '400 invalid search: Ensure this field has no more than 100 characters.'],
        ['search=' . escaped('模' x 101), '400 invalid search: Ensure this field has no more than 100 characters.'],
        ['search=%00', '400 invalid Null characters are not allowed.'],
        ['search=%ff%fe', '400 invalid search: Not a valid string.'],
        ['search=%ed%a0%80', '400 invalid search: Not a valid string.'],
        ['search=%zz', '400 invalid The form has a percent sign that is not an escape.'],
        @filters,
    ) {
        my ($query, $expected) = @$case;
        is refusal(call(GET => "$base?$query", as => 'admin')), $expected,
            "$base?" . (length $query > 60 ? substr($query, 0, 60) . '...' : $query) . ' is refused';
    }
    for my $query (
        '', 'limit=1', 'limit=100', 'limit=%2050', "before=$cursor", "before=-62135596800000000.$nowhere",
        "before=253402300799999999.$nowhere", "before=0.$nowhere", "before=-1.$nowhere", 'before=',
        'before=' . uc $cursor, 'search=', 'search=%20', 'search=' . escaped('模' x 100), 'search=' . '%25' x 100,
        'unknown=1', 'results=x&next=y', '&&=&a', 'search=%E2%80%A8x'
    ) {
        is call(GET => "$base?$query", as => 'admin')->code, 200,
            "$base?" . (length $query > 60 ? substr($query, 0, 60) . '...' : $query) . ' is understood';
    }
    return;
}

# Search finds rows with texts in all scripts, and no other rows. MAKE creates a row with a text.
sub check_search {
    my ($base, $make, $forget) = @_;
    my @texts = (
        '100% sure', 'snake_case', 'back\\slash', q(it's "quoted"), 'Großer Übermut', 'ЖУРНАЛ событий', 'ΑΘΗΝΑ',
        'שלום עולם', 'مرحبا', 'हिन्दी', '模範生', 'ภาษาไทย', '🎨 painter',
        '<b>&amp;', q{Robert'); DROP TABLE users;--}, '{a,b} $1 %s', 'İstanbul'
    );
    my %id = map { $_ => $make->($_) } @texts;
    for my $case (
        # search text                 rows found
        ['%', '100% sure', '{a,b} $1 %s'],
        ['_', 'snake_case'],
        ['e_c', 'snake_case'],
        ['s_ake'],
        ['100%sure'],
        ['\\', 'back\\slash'],
        ['k\\s', 'back\\slash'],
        ['\\%'],
        [q{'}, q(it's "quoted"), q{Robert'); DROP TABLE users;--}],
        [q(IT'S), q(it's "quoted")],
        ['"QUOTED"', q(it's "quoted")],
        ['übermut GROSSER'],
        ['ÜBERMUT großer', 'Großer Übermut'],
        ['sure 100', '100% sure'],
        ["  sure \t 100\x{3000}", '100% sure'],
        ['sure snake'],
        ['журнал', 'ЖУРНАЛ событий'],
        ['СОБЫТИЙ', 'ЖУРНАЛ событий'],
        ['αθηνα', 'ΑΘΗΝΑ'],
        ['עולם', 'שלום עולם'],
        ['رح', 'مرحبا'],
        ['हिन्', 'हिन्दी'],
        ['範', '模範生'],
        ['ไทย', 'ภาษาไทย'],
        ['🎨', '🎨 painter'],
        ['🎩'],
        ['&amp;', '<b>&amp;'],
        ['drop table', q{Robert'); DROP TABLE users;--}],
        ['{a,b}', '{a,b} $1 %s'],
        ['$1', '{a,b} $1 %s'],
        ['İSTANBUL', 'İstanbul'],
        ["' OR '1'='1"],
    ) {
        my ($search, @found) = @$case;
        my %there = map { $_->{id} => 1 } results("$base?limit=100&search=" . escaped($search));
        is join(' | ', grep { $there{ $id{$_} } } @texts), join(' | ', @found),
            "searching for $search finds " . (@found ? "@found" : 'nothing');
    }
    $forget->($_) for values %id;
    return;
}

# Follow `next` from the first page; between two pages call DURING with their number.
sub _follow {
    my ($path, $during) = @_;
    my ($pages, @ids) = (0);
    while (defined $path) {
        my $answer = call(GET => $path, as => 'admin');
        return (-1, $answer->as_string) if $answer->code != 200 || ++$pages > 50;
        my $page = json($answer);
        push @ids, map { $_->{id} } @{ $page->{results} };
        $path = $page->{next};
        $during->($pages) if $during && defined $path;
    }
    return ($pages, @ids);
}

# Paging over rows that MAKE creates with a text and FORGET deletes. KEY is the query that finds only these.
sub check_pages {
    my ($base, $key, $make, $forget) = @_;
    my @rows = reverse map { $make->("page $_") } 1 .. 9;
    my ($pages, @ids) = _follow("$base?limit=2&$key");
    is "@ids", "@rows", "nine rows come in pages, newest first";
    is $pages, 5, 'with limit 2, nine rows need five pages';
    ($pages, @ids) = _follow("$base?limit=9&$key");
    is "$pages @ids", "1 @rows", 'a single full page has no next page';
    ($pages, @ids) = _follow("$base?limit=3&$key");
    is "$pages @ids", "3 @rows", 'a full last page has no next page';
    is call(GET => "$base?limit=$_&$key", as => 'admin')->code, 200, "a page with $_, the maximum, is accepted"
        for 1, 100;
    my $first = json(call(GET => "$base?limit=4&unknown=a%26b+c&$key&before=", as => 'admin'));
    my $time = qr/-?\d+\.$rows[3]/;
    like $first->{next}, qr{^\Q@{[base_url()]}\E/api/v1/\Q$base\E\?limit=4&unknown=a%26b\+c&\Q$key\E&before=$time$},
        'next is an absolute URL with all parameters of the request';
    is scalar(() = json(call(GET => $first->{next}, as => 'admin'))->{next} =~ /before=/g), 1,
        'the next page of the next page keeps the parameters, too';
    my $odd = json(call(GET => qq($base?limit=1&$key&x="<é>^), as => 'admin'))->{next};
    like $odd, qr{^[\x21-\x7e]+$}, 'next is a URL for any query';
    unlike $odd, qr/["<>^]/, 'next needs no escapes';

    my @new;
    ($pages, @ids) = _follow(
        "$base?limit=2&$key",
        sub {
            my ($page) = @_;
            push @new, $make->("page new $page");
            $forget->($rows[1]) if $page == 1;    # the last row of a page
            $forget->($rows[2]) if $page == 1;    # a row of a later page
            $forget->($rows[0]) if $page == 2;    # a row of an earlier page
        }
    );
    is "@ids", join(' ', @rows[0, 1, 3 .. 8]), 'rows that come and go between two pages do not shift other rows';
    # All with the same timestamp: the id decides.
    my $table = {
        'admin/users/' => 'users', 'admin/identities/' => 'identities', 'admin/test-scenarios/' => 'test_scenarios',
        'admin/reference-images/' => 'reference_images',
        'image-generation/jobs/' => 'generation_jobs'
    }->{$base};
    my @left = (@rows[3 .. 8], @new);
    sql(      "UPDATE $table SET created_at = '1969-07-20 20:17:40.123457Z' WHERE id IN ("
            . join(',', map { "'$_'" } @left)
            . ')');
    ($pages, @ids) = _follow("$base?limit=2&$key");
    is "@ids", join(' ', sort { $b cmp $a } @left), 'rows with the same timestamp, long ago, are listed once each';
    $forget->($_) for @left;
    ($pages, @ids) = _follow("$base?limit=2&$key");
    is "$pages @ids", '1 ', 'an empty list has one empty page';
    is json(call(GET => "$base?limit=2&$key", as => 'admin'))->{next}, undef, 'the empty page has no next page';
    return;
}

# Retries with a key, and changes with If-Match. BODY creates a row, CHANGE changes it.
sub check_retries {
    my ($base, $body, $change, $other) = @_;
    my $key = 'key-' . $base =~ s/\W/-/gr . time;
    my $send = sub {
        my ($sent, $with) = @_;
        return call(POST => $base, as => 'admin', json => $sent, headers => ['Idempotency-Key' => $with // $key]);
    };
    audit();
    my ($first, $again) = map { $send->($body) } 1, 2;
    is join(' ', map { $_->code . ($_->header('Idempotent-Replayed') // '') } $first, $again), '201 201true',
        'a repeated create with the same key returns 201';
    is $again->content, $first->content, 'a repeated create returns the same row';
    is $again->header('Location'), $first->header('Location'), 'a repeated create returns the same Location';
    is scalar(() = audit()), 1, 'a repeated create makes only one row';
    is $send->($other)->code, 422, 'a different row with the same key is refused';
    my $id = json($first)->{id};
    my $path = "$base$id/";
    my $tag = call(GET => $path, as => 'admin')->header('ETag');
    like $tag, qr/^"1\.\d+"$/, 'a row has an ETag';
    is call(GET => $path, as => 'admin', headers => ['If-None-Match' => $tag])->code, 304,
        'If-None-Match with the current ETag is 304';
    is refusal(call($_ => $path, as => 'admin', json => $change, headers => ['If-Match' => '"7"'])),
        '412 precondition_failed This row has changed: it has version 1, which If-Match does not name. Read it '
        . 'again, then repeat the change.',
        "$_ with another version in If-Match is refused" for qw(PATCH DELETE);
    is call(PATCH => $path, as => 'admin', json => {}, headers => ['If-Match' => '"7"'])->code, 412,
        'an empty change with another version in If-Match is refused';
    is call(PATCH => $path, as => 'alice', json => {}, headers => ['If-Match' => '"7"'])->code, 403,
        'If-Match tells users who are not staff nothing';
    my $changed = call(PATCH => $path, as => 'admin', json => $change, headers => ['If-Match' => $tag]);
    is $changed->code, 200, 'a change with the current version succeeds';
    like $changed->header('ETag'), qr/^"2\.\d+"$/, 'a change returns the next version';
    is status_of(sort(at_once(map { request_of(PATCH => $path, 'admin', $change, undef, 'If-Match: "1"') } 1 .. 4))),
        '412 412 412 412', 'the previous version is refused';
    is $send->($body)->content, $changed->content, 'a repeated create shows the row in its current state';
    is call(DELETE => $path, as => 'admin', headers => ['If-Match' => '"2"'])->code, 204,
        'a delete with the current version succeeds';
    is $send->($body)->code, 410, 'a repeated create after the delete is 410';
    return;
}

# Concurrent requests ------------------------------------------------------------------------------

sub request_of {
    my ($method, $path, $who, $body, $type, @headers) = @_;
    $body = ref $body ? JSON::PP->new->utf8->encode($body) : $body // '';
    return join "\r\n", "$method /api/v1/$path HTTP/1.1", 'Host: x', 'Connection: close',
        'Authorization: ' . login($who), 'Content-Type: ' . ($type // 'application/json'), @headers,
        'Content-Length: ' . length $body, '', $body;
}

# Send all but the last byte of each request, then the last bytes. Returns the responses, in order.
sub at_once {
    my (@requests) = @_;
    my @sockets =
        map { IO::Socket::INET->new(PeerAddr => base_url() =~ s{^http://}{}r) or die "connect: $!" } @requests;
    for my $i (0 .. $#requests) {
        my ($at, $end) = (0, length($requests[$i]) - 1);
        while ($at < $end) { $at += syswrite($sockets[$i], $requests[$i], $end - $at, $at) // die "write: $!" }
    }
    syswrite $sockets[$_], substr $requests[$_], -1 for 0 .. $#requests;
    my %answers = map { $_ => '' } @sockets;
    my ($select, $end) = (IO::Select->new(@sockets), time + 60);
    while ($select->count && time < $end) {
        for my $socket ($select->can_read(1)) {
            $select->remove($socket) if !sysread $socket, $answers{$socket}, 65536, length $answers{$socket};
        }
    }
    return map { $answers{$_} } @sockets;
}

sub status_of {
    return join ' ', map { /^HTTP\/1\.1 (\d+)/ ? $1 : 'none' } @_;
}

1;
