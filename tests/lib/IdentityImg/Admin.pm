# Admin.pm - what the tests of admin/ share: who may, what lists understand, pages, the audit log.
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

# A text as it stands in a query.
sub escaped { my ($text) = @_; utf8::encode($text); return $text =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger }

# The rows of a list, of the first page.
sub results { my ($path) = @_; return @{ json(call(GET => $path, as => 'admin'))->{results} // [] } }

# What was written to the audit log since the last call: "admin@example.com create users email,password".
my $seen = 0;

sub audit {
    my @rows = sql(
        "SELECT id, actor_email, action, kind, array_to_string(members, ','), row_id FROM audit_log WHERE id > $seen "
            . "ORDER BY id");
    ($seen) = $rows[-1] =~ /^(\d+)/ if @rows;
    return map { s/^\d+\|//r =~ s/\|/ /gr } @rows;
}

# Routes of a resource, at the row ID, for nobody and for users.
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
            '401 not_authenticated Authentication credentials were not provided.', "$method $path by nobody";
        is refusal(call($method => $path, @with, as => $_)),
            '403 permission_denied You do not have permission to perform this action.', "$method $path by $_"
            for qw(alice scenario_one);
    }
    is _dump(), $count, 'who may not has changed nothing';
    is call(GET => "$base$_/", as => 'admin')->content, '{"detail":"Not found.","code":"not_found"}',
        "there is no $base$_/" for $nowhere, 'x', '1';
    is refusal(call($_ => "$base$nowhere/", as => 'admin', json => {})), '404 not_found Not found.', "$_ of no row"
        for qw(PATCH DELETE);
    is refusal(call(POST => $base, as => 'admin', body => 'x', type => 'text/plain')),
        '415 unsupported_media_type Unsupported media type "text/plain" in request.', 'a text is no row';
    return;
}

sub _dump {
    return join "\n",
        map { sql("SELECT '$_', md5(string_agg(t::text, '' ORDER BY id)) FROM $_ t") }
        qw(users identities test_scenarios reference_images audit_log);
}

# What every list says of its query. FILTERS: further [query, refusal].
sub check_query {
    my ($base, @filters) = @_;
    my $cursor = "1795322247462663.$nowhere";
    my $bad = '400 invalid before: Take this from the member `next` of a page.';
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
        ['search=%zz', '400 invalid The form holds a percent sign that is no escape.'],
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

# Rows with texts in all scripts are found by them, and by nothing else. MAKE a row of a text.
sub check_search {
    my ($base, $make, $forget) = @_;
    my @texts = (
        '100% sure', 'snake_case', 'back\\slash', q(it's "quoted"), 'Großer Übermut', 'ЖУРНАЛ событий', 'ΑΘΗΝΑ',
        'שלום עולם', 'مرحبا', 'हिन्दी', '模範生', 'ภาษาไทย', '🎨 painter',
        '<b>&amp;', q{Robert'); DROP TABLE users;--}, '{a,b} $1 %s', 'İstanbul'
    );
    my %id = map { $_ => $make->($_) } @texts;
    for my $case (
        # searched for                found
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

# Follows `next` from the first page on; between two pages DURING is called with their number.
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

# Pages of rows that MAKE makes of a text and FORGET deletes; KEY is the query by which just those are found.
sub check_pages {
    my ($base, $key, $make, $forget) = @_;
    my @rows = reverse map { $make->("page $_") } 1 .. 9;
    my ($pages, @ids) = _follow("$base?limit=2&$key");
    is "@ids", "@rows", "nine rows come in pages, the newest first";
    is $pages, 5, 'of two';
    ($pages, @ids) = _follow("$base?limit=9&$key");
    is "$pages @ids", "1 @rows", 'a page that holds just all of them is the only one';
    ($pages, @ids) = _follow("$base?limit=3&$key");
    is "$pages @ids", "3 @rows", 'so is a last page that is full the last one';
    is call(GET => "$base?limit=$_&$key", as => 'admin')->code, 200, "a page of $_, at the limit, is accepted"
        for 1, 100;
    my $first = json(call(GET => "$base?limit=4&unknown=a%26b+c&$key&before=", as => 'admin'));
    my $time = qr/-?\d+\.$rows[3]/;
    like $first->{next}, qr{^\Q@{[base_url()]}\E/api/v1/\Q$base\E\?limit=4&unknown=a%26b\+c&\Q$key\E&before=$time$},
        'the next page has an absolute address, with all that was asked';
    is scalar(() = json(call(GET => $first->{next}, as => 'admin'))->{next} =~ /before=/g), 1,
        'and the one after it as well';
    my $odd = json(call(GET => qq($base?limit=1&$key&x="<é>^), as => 'admin'))->{next};
    like $odd, qr{^[\x21-\x7e]+$}, 'it is an address whatever the query held';
    unlike $odd, qr/["<>^]/, 'and needs no more escapes';

    my @new;
    ($pages, @ids) = _follow(
        "$base?limit=2&$key",
        sub {
            my ($page) = @_;
            push @new, $make->("page new $page");
            $forget->($rows[1]) if $page == 1;    # the row that the next page goes on behind
            $forget->($rows[2]) if $page == 1;    # one that is yet to come
            $forget->($rows[0]) if $page == 2;    # one that was shown
        }
    );
    is "@ids", join(' ', @rows[0, 1, 3 .. 8]), 'rows that come and go between two pages move no other row';
    # All at the same time: the id decides.
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
    is "@ids", join(' ', sort { $b cmp $a } @left), 'rows of the same microsecond, long ago, come once each';
    $forget->($_) for @left;
    ($pages, @ids) = _follow("$base?limit=2&$key");
    is "$pages @ids", '1 ', 'no rows are one empty page';
    is json(call(GET => "$base?limit=2&$key", as => 'admin'))->{next}, undef, 'and the last';
    return;
}

# Requests that are sent again, and changes of the version that was read. BODY makes a row, CHANGE changes it.
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
        'a create that is sent again under its key';
    is $again->content, $first->content, 'answers the same row';
    is $again->header('Location'), $first->header('Location'), 'at the same address';
    is scalar(() = audit()), 1, 'and made one';
    is $send->($other)->code, 422, 'another row needs another key';
    my $id = json($first)->{id};
    my $path = "$base$id/";
    my $tag = call(GET => $path, as => 'admin')->header('ETag');
    like $tag, qr/^"1\.\d+"$/, 'a row has a version';
    is call(GET => $path, as => 'admin', headers => ['If-None-Match' => $tag])->code, 304, 'that is not sent twice';
    is refusal(call($_ => $path, as => 'admin', json => $change, headers => ['If-Match' => '"7"'])),
        '412 precondition_failed This was changed meanwhile: it has version 1, which If-Match does not name. Read it '
        . 'again, then repeat the change.',
        "$_ of another version is refused" for qw(PATCH DELETE);
    is call(PATCH => $path, as => 'admin', json => {}, headers => ['If-Match' => '"7"'])->code, 412,
        'so is a change of nothing';
    is call(PATCH => $path, as => 'alice', json => {}, headers => ['If-Match' => '"7"'])->code, 403,
        'who may not learns nothing of versions';
    my $changed = call(PATCH => $path, as => 'admin', json => $change, headers => ['If-Match' => $tag]);
    is $changed->code, 200, 'of this one it is made';
    like $changed->header('ETag'), qr/^"2\.\d+"$/, 'which is the next then';
    is status_of(sort(at_once(map { request_of(PATCH => $path, 'admin', $change, undef, 'If-Match: "1"') } 1 .. 4))),
        '412 412 412 412', 'the one before is no more';
    is $send->($body)->content, $changed->content, 'a repeated create shows the row as it is now';
    is call(DELETE => $path, as => 'admin', headers => ['If-Match' => '"2"'])->code, 204,
        'the version that is there is deleted';
    is $send->($body)->code, 410, 'then a repeated create says that it is gone';
    return;
}

# Requests at the same time ------------------------------------------------------------------------

sub request_of {
    my ($method, $path, $who, $body, $type, @headers) = @_;
    $body = ref $body ? JSON::PP->new->utf8->encode($body) : $body // '';
    return join "\r\n", "$method /api/v1/$path HTTP/1.1", 'Host: x', 'Connection: close',
        'Authorization: ' . login($who), 'Content-Type: ' . ($type // 'application/json'), @headers,
        'Content-Length: ' . length $body, '', $body;
}

# All but the last byte of each, then the last bytes. Returns the answers, in order.
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
