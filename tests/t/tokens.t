# tokens.t - sessions and bearer tokens: their end takes effect at once in every child, on our pages and on others;
# auth/tokens/ lists and ends the caller's own.
use strict;
use warnings;
use utf8;
use IdentityImg::Server qw(in_parallel eventually);
use IdentityImg::Test;
use Test::More;

my $server = IdentityImg::Server->new('tokens', conf => <<'CONF')->start;
StartServers 2
ServerLimit 2
MinSpareThreads 1
MaxSpareThreads 50
MaxRequestWorkers 50
IdentityImgSweepInterval 1
<Location "/static">
    AuthType IdentityImg
    AuthName "static"
    Require valid-user
</Location>
LoadModule status_module /usr/lib/apache2/modules/mod_status.so
<Location "/api/v1/ops/status">
    SetHandler server-status
</Location>
CONF
$server->add_page;

my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
my @there = (base => $server->base);
sub bearer { my ($token) = @_; return (@there, headers => [Authorization => "Bearer $token"]) }

sub line {
    my ($answer) = @_;
    my $body = json($answer) // {};
    return join ' ', $answer->code, $body->{code} // '', $body->{detail} // '';
}

sub token {
    my ($who) = @_;
    return json(call(
        POST => 'auth/login/', json => { email => "$who\@example.com", password => "pw-$who", token => \1 }, @there
    ))->{token} // die;
}

sub session {
    my ($who) = @_;
    return call(POST => 'auth/login/', json => { email => "$who\@example.com", password => "pw-$who" }, @there)
        ->header('Set-Cookie') =~ /(iimg_[\w-]+)/ ? $1 : die;
}
sub tokens { my ($token) = @_; return json(call(GET => 'auth/tokens/', bearer($token))) }

# Use many connections, so that both children answer. Returns the different lines.
sub everywhere {
    my ($token, $path) = @_;
    my %seen;
    require HTTP::Tiny;
    for my $n (1 .. 24) {
        my $answer = HTTP::Tiny->new->get(
            $server->base . ($path // '/api/v1/users/me/'),
            { headers => { Authorization => "Bearer $token" } }
        );
        $seen{ "$answer->{status} " . ($answer->{content} =~ /"detail":"([^"]*)"/ ? $1 : '') }++;
    }
    return join '; ', sort keys %seen;
}

# Accepted and refused tokens ----------------------------------------------------------------------

subtest 'A valid token is accepted by every child, and an invalid one is refused' => sub {
    my $alice = token('alice');
    is everywhere($alice), '200 ', 'a token is accepted by every child';
    is scalar(my @children = $server->children), 2, 'the server has two children';
    for my $case (
        ["iimg_" . 'A' x 43, 'an unknown token'], ["${alice}x", 'a longer token'],
        [substr($alice, 0, -1), 'a shorter token'],
        ['', 'an empty token'],
        [uc $alice, 'a token in another case'], ["$alice ", 'a token with a trailing space', 200],
        ["$alice,$alice", 'two'],
        ['x' x 5000, 'a token of 5,000 characters'], ["\xff\xfe", 'a token that is not UTF-8'],
        [substr($alice, 5), 'a token without its prefix'], ["iimg_' OR true", 'a token with an SQL injection'],
    ) {
        my ($token, $what, $code) = @$case;
        my $answer = call(GET => 'users/me/', bearer($token));
        $code ? is $answer->code, $code, "$what is the token" : is line($answer), '401 invalid_token Invalid token.',
            "$what is refused";
        is $answer->header('WWW-Authenticate'), 'Bearer realm="api", error="invalid_token"',
            "$what gets the challenge invalid_token"
            if !$code;
    }
};

my $mine = session('alice');

sub cookie {
    my ($cookie, @more) = @_;
    return call(GET => 'users/me/', @there, headers => [Cookie => $cookie, @more])->code;
}

subtest 'The session cookie is accepted under its exact name only' => sub {
    is cookie("identityimg_session=$mine"), 200, 'the cookie is accepted';
    is cookie("other=1;identityimg_session=$mine;more=2"), 200, 'the cookie is accepted among others without spaces';
    is cookie("xidentityimg_session=$mine"), 401, "a longer name before the cookie's is refused";
    is cookie("identityimg_sessionx=$mine"), 401, "a longer name after the cookie's is refused";
    is cookie("__Host-identityimg_session=$mine"), 401, 'the __Host- name is refused over http';
    is cookie("identityimg_session"), 401, 'the name without a value is refused';
    is cookie(";;; =; =$mine; identityimg_session="), 401, 'an invalid cookie header is refused';
};

my $others = session('bob');
subtest 'A token within the value of another cookie is not a session' => sub {
    for my $between (',', ' ', "\t", ', ') {
        my $shown = $between =~ s/\t/TAB/r;
        is cookie("theme=a${between}identityimg_session=$mine"), 401,
            "a token within another cookie's value, after '$shown', is refused";
        is cookie("theme=a${between}identityimg_session=$others; identityimg_session=$mine"), 200,
            "a token within another cookie's value, after '$shown', does not hide the right cookie";
    }
};

subtest 'Blanks and repeated cookies are accepted, and two different sessions are refused' => sub {
    is cookie("a=b ;\tidentityimg_session=$mine \t; c=d"), 200, 'blanks around the token are ignored';
    is cookie("identityimg_session=$mine; identityimg_session=$mine"), 200, 'the same cookie twice is accepted';
    is line(call(
        GET => 'users/me/', @there,
        headers => [Cookie => "identityimg_session=$_->[0]; identityimg_session=$_->[1]"]
        )),
        '401 invalid_token Invalid token.', 'two different cookies are refused'
        for [$mine, $others], [$others, $mine], [$mine, ''];
};

subtest 'Only a token in the header takes precedence over the cookie' => sub {
    is cookie("identityimg_session=$mine", Authorization => 'Bearer iimg_' . 'A' x 43), 401,
        'a token in the header takes precedence over the cookie';
    is cookie("identityimg_session=$mine", Authorization => 'Digest x'), 200,
        'another scheme in the header does not take precedence';
};

subtest 'A cookie of 6,000 characters is refused' => sub {
    is cookie("identityimg_session=" . 'A' x 6000), 401, 'a cookie of 6,000 characters is refused';
};

# Ends take effect at once in every child -----------------------------------------------------------

subtest 'Each way to end a token takes effect at once in every child' => sub {
    my %ends = (
        'logging out' => sub { call(POST => 'auth/logout/', bearer($_[0])) },
        'deleting its id' => sub {
            my ($this) = grep { $_->{is_current} } @{ tokens($_[0]) };
            call(DELETE => "auth/tokens/$this->{id}/", bearer($_[0]));
        },
        'a DELETE in psql' => sub { $server->sql("DELETE FROM auth_tokens WHERE user_id = '" . person('bob') . "'") },
        'an earlier expiry in psql' =>
            sub { $server->sql("UPDATE auth_tokens SET expires_at = now() WHERE user_id = '" . person('bob') . "'") },
        'TRUNCATE' => sub { $server->sql('TRUNCATE auth_tokens') },
        'another password' => sub {
            $server->sql("UPDATE users SET password = password || '' || ' ' WHERE id = '"
                    . person('bob')
                    . "'; UPDATE users SET password = rtrim(password) WHERE id = '"
                    . person('bob')
                    . "'");
        },
    );
    for my $what (sort keys %ends) {
        my $token = token('bob');
        is everywhere($token), '200 ', 'a token is cached by every child';
        is everywhere($token, '/static/page.txt'), '200 ', 'the token is cached on other pages, too';
        is everywhere($token, '/api/v1/ops/status'), '200 ', 'the token is cached by another handler below the API';
        $ends{$what}->($token);
        is everywhere($token), '401 Invalid token.', "$what ends the token in every child at once";
        is everywhere($token, '/static/page.txt'), '401 Invalid token.', "$what ends the token on other pages";
        is everywhere($token, '/api/v1/ops/status'), '401 Invalid token.',
            "$what ends the token for another handler below the API";
    }
};

my $bob;
subtest "A change of the user's rights takes effect at once in every child" => sub {
    my $alice = token('alice');
    $bob = token('bob');
    is everywhere($bob), '200 ', "bob's token is accepted";
    $server->sql("UPDATE users SET is_active = false WHERE id = '" . person('bob') . "'");
    is everywhere($bob), '401 User inactive or deleted.', 'a deactivated user is refused in every child';
    is everywhere($bob, '/static/page.txt'), '401 User inactive or deleted.',
        'a deactivated user is refused on other pages';
    is everywhere($bob, '/api/v1/ops/status'), '401 User inactive or deleted.',
        'a deactivated user is refused by another handler below the API';
    $server->sql("UPDATE users SET is_active = true WHERE id = '" . person('bob') . "'");
    is everywhere($bob), '200 ', 'a reactivated user is accepted with the same token';
    is everywhere($bob, '/api/v1/ops/status'), '200 ', 'a reactivated user is accepted by that handler';
    token('bob');
    $server->sql("DELETE FROM auth_tokens WHERE user_id = '" . person('bob') . "' AND last_used_at IS NULL");
    is everywhere($bob, '/api/v1/ops/status'), '200 ', 'the end of another token does not affect this one';
    $server->sql("UPDATE users SET is_staff = true WHERE id = '" . person('bob') . "'");
    is everywhere($bob, '/api/v1/test-users/'), '200 ', 'a new member of staff may use staff routes at once';
};

# After a change of the email the token belongs to its user, not to a new user with the old email.
subtest 'A token belongs to its user, not to the email' => sub {
    $server->sql("UPDATE users SET email = 'robert\@example.com', is_staff = false WHERE id = '" . person('bob') . "'");
    is everywhere($bob), '200 ', 'the token stays valid after a change of the email';
    is json(call(GET => 'users/me/', bearer($bob)))->{email}, 'robert@example.com', 'the response has the new email';
    $server->sql("UPDATE users SET email = 'bob\@example.com' WHERE id = '" . person('bob') . "'");
    is everywhere($bob), '200 ', 'the token stays valid after the email is changed back';
    $server->sql("UPDATE users SET email = 'robert\@example.com' WHERE id = '"
            . person('bob')
            . "'; UPDATE users SET email = 'bob\@example.com' WHERE id = '"
            . person('scenario_one')
            . "'");
    is json(call(GET => 'users/me/', bearer($bob)))->{id}, person('bob'),
        'the token never belongs to another user with that email' for 1 .. 8;
    $server->sql("UPDATE users SET email = 'scenario-one\@example.com' WHERE id = '"
            . person('scenario_one')
            . "'; UPDATE users SET email = 'bob\@example.com' WHERE id = '"
            . person('bob')
            . "'");
};

subtest 'The token of a deleted user is refused in every child' => sub {
    $server->sql("INSERT INTO users (email, password) SELECT 'short\@example.com', password FROM users WHERE id = '"
            . person('bob')
            . "'");
    my $short = json(call(
        POST => 'auth/login/', json => { email => 'short@example.com', password => 'pw-bob', token => \1 }, @there
    ))->{token};
    is everywhere($short), '200 ', "a new user's token is accepted";
    $server->sql("DELETE FROM users WHERE email = 'short\@example.com'");
    like everywhere($short),
        qr/^401 (?:Invalid token|User inactive or deleted)\.(?:; 401 (?:Invalid token|User inactive or deleted)\.)?$/,
        'a deleted user is refused in every child';
};

subtest 'A token can be used for writes' => sub {
    is line(call(POST => 'reference-images/', bearer($bob), json => {})), '201  ', 'a token can be used for writes';
};

# The cookie is cleared with its session -------------------------------------------------------------

sub cleared {
    my ($answer) = @_;
    return ($answer->header('Set-Cookie') // '') =~ /^identityimg_session=; Path=\/; Max-Age=0;/ ? 'cleared' : 'kept';
}

sub with_cookie {
    my ($session, @more) = @_;
    return (@there, headers => [Cookie => "identityimg_session=$session", @more]);
}

subtest 'A logout clears the cookie, and ends only a session of the same user' => sub {
    for my $by (
        ['Basic', sub { login('alice') }], ['a token', sub { 'Bearer ' . token('alice') }],
        ['another\'s Basic', sub { login('bob') }, 1]
    ) {
        my ($what, $authorization, $foreign) = @$by;
        my $session = session('alice');
        my $out = call(POST => 'auth/logout/', with_cookie($session, Authorization => $authorization->()));
        is $out->code . ' ' . cleared($out), '204 cleared', "a logout by $what clears the cookie";
        is call(GET => 'users/me/', with_cookie($session))->code, $foreign ? 200 : 401,
            "a logout by $what " . ($foreign ? 'does not end the session of another user' : 'ends its session');
    }
};

subtest 'A session ended by its id clears only its own cookie' => sub {
    my $own = session('alice');
    my $dead = session('alice');
    my ($own_id) = map { $_->{id} } grep { $_->{is_current} } @{ json(call(GET => 'auth/tokens/', with_cookie($own))) };
    my ($dead_id) =
        map { $_->{id} } grep { $_->{is_current} } @{ json(call(GET => 'auth/tokens/', with_cookie($dead))) };
    my $ended = call(DELETE => "auth/tokens/$dead_id/", with_cookie($own));
    is $ended->code . ' ' . cleared($ended), '204 kept', 'ending another session keeps the cookie';
    $ended = call(DELETE => "auth/tokens/$own_id/", with_cookie($own));
    is $ended->code . ' ' . cleared($ended), '204 cleared', "ending one's own session clears the cookie";
    for my $path ('users/me/', 'prompts/', 'no-such/', '/static/page.txt') {
        my $answer = call(GET => $path, with_cookie($dead));
        is $answer->code . ' ' . cleared($answer), '401 cleared', "the cookie of an ended session is cleared at $path";
        is scalar(my @all = $answer->header('Set-Cookie')), 1, "the cookie is cleared once at $path";
    }
};

subtest 'A cookie is cleared even if its ended session was cached' => sub {
    my $remembered = session('alice');
    call(GET => 'users/me/', with_cookie($remembered)) for 1 .. 4;
    $server->sql('DELETE FROM auth_tokens');
    is cleared(call(GET => 'users/me/', with_cookie($remembered))), 'cleared',
        'a cached cookie of an ended session is cleared' for 1 .. 3;
};

subtest 'A request without a session cookie gets no cleared one' => sub {
    is cleared(call(GET => 'users/me/', bearer('iimg_' . 'A' x 43))), 'kept',
        'a wrong token in the header does not clear the cookie';
    is cleared(call(GET => 'users/me/', @there)), 'kept', 'a request without a cookie gets no cleared one';
};

# Bearer tokens in the header, sessions in the cookie --------------------------------------------------

subtest 'A bearer token works only in the header, and a session only in the cookie' => sub {
    is line(call(GET => 'users/me/', bearer(session('alice')))), '401 invalid_token Invalid token.',
        'a session token is refused in the header';
    is call(GET => 'users/me/', with_cookie(token('alice')))->code, 401, 'a bearer token is refused in the cookie';
    my $both = token('alice');
    is call(GET => 'users/me/', bearer($both))->code, 200, 'a cached bearer token is accepted in the header' for 1 .. 3;
    is call(GET => 'users/me/', with_cookie($both))->code, 401, 'a cached bearer token is refused in the cookie'
        for 1 .. 3;
};

# The audit log of staff's logins -----------------------------------------------------------------------

subtest 'Logins and logouts of staff are audited' => sub {
    $server->sql('DELETE FROM audit_log');
    my $adas = token('admin');
    session('admin');
    my ($adas_id) = map { $_->{id} } grep { $_->{is_current} } @{ tokens($adas) };
    call(POST => 'auth/logout/', bearer($adas));
    token('alice');
    is join(' ', $server->sql('SELECT actor_email, action, kind, members FROM audit_log ORDER BY id')),
        'admin@example.com|create|auth_tokens|{bearer} admin@example.com|create|auth_tokens|{session} '
        . 'admin@example.com|delete|auth_tokens|{bearer}',
        'the audit log has the sessions and tokens of staff';
    is join(' ', $server->sql("SELECT count(*) FROM audit_log WHERE row_id = '$adas_id'")), 2,
        'the audit log has the ids of the sessions and tokens';
};

# Tokens that staff end by id, including the one of the request.
subtest 'Tokens that staff end by id are audited, and those of users are not' => sub {
    for my $case (['bearer', sub { token('admin') }], ['session', sub { session('admin') }]) {
        my ($kind, $make) = @$case;
        my $asking = token('admin');
        my %known = map { $_->{id} => 1 } @{ tokens($asking) };
        $make->();
        my ($other) = map { $_->{id} } grep { !$known{ $_->{id} } } @{ tokens($asking) };
        my ($asking_id) = map { $_->{id} } grep { $_->{is_current} } @{ tokens($asking) };
        $server->sql('DELETE FROM audit_log');
        is call(DELETE => "auth/tokens/00000000-0000-4000-8000-0000000009ff/", bearer($asking))->code, 404,
            'an unknown id ends nothing';
        is join(' ', $server->sql('SELECT * FROM audit_log')), '', 'the audit log has no row about the unknown id';
        is call(DELETE => "auth/tokens/$_/", bearer($asking))->code, 204, "staff end their own token by its id"
            for $other, $asking_id;
        is join(' ', $server->sql('SELECT actor_email, action, kind, row_id, members FROM audit_log ORDER BY id')),
            "admin\@example.com|delete|auth_tokens|$other|{$kind} "
            . "admin\@example.com|delete|auth_tokens|$asking_id|{bearer}",
            "the audit log has a row for the $kind token and for the one of the request";
    }
    my $plain = token('alice');
    $server->sql('DELETE FROM audit_log');
    call(DELETE => "auth/tokens/$_->{id}/", bearer($plain)) for reverse @{ tokens($plain) };
    is join(' ', $server->sql('SELECT * FROM audit_log')), '', 'tokens that users end are not audited';
};

# A user who is deleted during a write changes nothing: an audit entry would not be possible.
subtest 'A write of a user who is deleted meanwhile changes nothing' => sub {
    $server->sql(
        "INSERT INTO users (email, password, is_staff) SELECT 'gone\@example.com', password, true FROM users WHERE id "
            . "= '"
            . person('alice')
            . "'");
    my $gone = json(call(
        POST => 'auth/login/', @there, json => { email => 'gone@example.com', password => 'pw-alice', token => \1 }
    ))->{token};
    my $identity = identity_of('full');
    $server->sql(
        "CREATE FUNCTION test_gone() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN DELETE FROM users WHERE email = "
            . "'gone\@example.com'; RETURN NEW; END \$\$;"
            . " CREATE TRIGGER test_gone BEFORE UPDATE OF image ON identities FOR EACH ROW EXECUTE FUNCTION test_gone()"
    );
    is line(call(POST => "identities/$identity/upload-image/", bearer($gone), parts => [image => [portrait()]])),
        '401 user_inactive User inactive or deleted.', 'a write of a user deleted meanwhile is refused';
    is join('', $server->sql("SELECT image IS NULL FROM identities WHERE id = '$identity'")), 't',
        'a write of a user deleted meanwhile changes nothing';
    $server->sql("DROP TRIGGER test_gone ON identities; DROP FUNCTION test_gone(); DELETE FROM users WHERE email = "
            . "'gone\@example.com'");
};

# The list -----------------------------------------------------------------------------------------

my ($list, @made);
subtest "The list has the caller's tokens and never shows the secrets" => sub {
    $server->sql('DELETE FROM auth_tokens');
    @made = (token('alice'), session('alice'), token('alice'));
    token('bob');
    $list = tokens($made[2]);
    is join(' ', map { $_->{kind} } @$list), 'bearer session bearer', 'a user lists their own tokens, newest first';
    is join(' ', map { $_->{is_current} ? 1 : 0 } @$list), '1 0 0', 'the list marks the current token';
    is join(' ', sort keys %{ $list->[0] }), 'created_at expires_at id is_current kind last_used_at',
        'tokens have exactly these members';
    my $stamp = qr/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"/;
    like call(GET => 'auth/tokens/', bearer($made[2]))->content,
        qr/^\[(?:\{"id":"$uuid","kind":"(?:bearer|session)","created_at":$stamp,"last_used_at":(?:$stamp|null),"expires_at":$stamp,"is_current":(?:true|false)\},?){3}\]$/,
        'the members are in order';
    like $list->[0]{last_used_at}, qr/^\d{4}-\d\d-\d\dT.*Z$/, 'last_used_at of a used token is a time';
    is $list->[1]{last_used_at}, undef, 'last_used_at of an unused token is null';
    unlike call(GET => 'auth/tokens/', bearer($made[2]))->content, qr/iimg_|sha256/,
        'the list does not contain the tokens themselves';
    is join(' ', map { $_->{is_current} ? 1 : 0 } @{ json(call(GET => 'auth/tokens/', as => 'alice', @there)) }),
        '0 0 0',
        'with Basic no token is current';
};

subtest 'The use of a token is recorded at most once a minute' => sub {
    my ($used) = $server->sql("SELECT last_used_at FROM auth_tokens WHERE id = '$list->[0]{id}'");
    everywhere($made[2]);
    is join('', $server->sql("SELECT last_used_at FROM auth_tokens WHERE id = '$list->[0]{id}'")), $used,
        'the use of a token is recorded at most once a minute';
};

subtest 'A user ends only tokens of their own by id' => sub {
    my ($foreign) = $server->sql("SELECT id FROM auth_tokens WHERE user_id = '" . person('bob') . "'");
    my $unknown = call(DELETE => 'auth/tokens/00000000-0000-4000-8000-0000000009ff/', bearer($made[2]));
    is line($unknown), '404 not_found Not found.', 'an unknown token is 404';
    for my $case ([$foreign, "another user's token"], ['x', 'an invalid UUID']) {
        is call(DELETE => "auth/tokens/$case->[0]/", bearer($made[2]))->content, $unknown->content,
            "$case->[1] is 404";
    }
    is call(DELETE => "auth/tokens/$foreign/", as => 'admin', @there)->code, 404,
        'a token of another user is 404 even for staff';
    is join('', $server->sql("SELECT count(*) FROM auth_tokens WHERE id = '$foreign'")), 1,
        'the token of the other user stays';
    is call(GET => 'users/me/', bearer($made[0]))->code, 200, 'another device is logged in';
    is call(DELETE => "auth/tokens/$list->[2]{id}/", bearer($made[2]))->code, 204,
        'a user ends one of their own tokens';
    is everywhere($made[0]), '401 Invalid token.', 'the ended token is refused in every child';
    is everywhere($made[2]), '200 ', 'the other tokens stay valid';
    is call(DELETE => "auth/tokens/$list->[2]{id}/", bearer($made[2]))->code, 404, 'a token can be ended once';
};

# An expired token is invalid even before it is swept.
subtest 'An expired token is refused before it is swept' => sub {
    my ($live, $over) = (token('alice'), token('alice'));
    my ($over_id) = map { $_->{id} } grep { $_->{is_current} } @{ tokens($over) };
    my $count = @{ tokens($live) };
    $server->sql("UPDATE auth_tokens SET expires_at = now() + interval '12 seconds' WHERE id = '$over_id'");
    is everywhere($over), '200 ', 'a token is valid until it expires';
    my $release = $server->hold("SELECT FROM auth_tokens WHERE id = '$over_id' FOR UPDATE");    # the sweep skips it
    ok eventually(
        sub { join('', $server->sql("SELECT count(*) FROM auth_tokens WHERE id = '$over_id' AND expires_at <= now()")) }
        ),
        'the token expires';
    is everywhere($over), '401 Invalid token.', 'the expired token is refused, even if cached';
    is scalar(@{ tokens($live) }), $count - 1, 'the expired token is not listed';
    is call(DELETE => "auth/tokens/$over_id/", bearer($live))->code, 404, 'the expired token cannot be ended';
    $release->();
};

# Changes while a password is being checked: a trigger on the attempt's row marks that moment.
sub meanwhile {
    my ($change) = @_;
    $server->sql(
        "CREATE FUNCTION test_meanwhile() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS \$\$ BEGIN $change; "
            . "RETURN NULL; END \$\$;"
            . ' CREATE TRIGGER test_meanwhile AFTER UPDATE ON login_failures FOR EACH ROW WHEN (OLD.under_way <> '
            . 'NEW.under_way) EXECUTE FUNCTION test_meanwhile()');
    my $answer =
        call(POST => 'auth/login/', json => { email => 'bob@example.com', password => 'pw-bob', token => \1 }, @there);
    $server->sql('DROP TRIGGER test_meanwhile ON login_failures; DROP FUNCTION test_meanwhile()');
    return line($answer);
}

subtest 'A login fails if the user changes during the password check' => sub {
    my ($bobs_hash) = $server->sql("SELECT password FROM users WHERE id = '" . person('bob') . "'");
    $server->sql("DELETE FROM auth_tokens WHERE user_id = '" . person('bob') . "'");
    like meanwhile("UPDATE users SET is_active = false WHERE id = '" . person('bob') . "'"), qr/^401 user_inactive /,
        'a user who is deactivated during the check gets no token';
    $server->sql("UPDATE users SET is_active = true WHERE id = '" . person('bob') . "'");
    like meanwhile("UPDATE users SET password = '' WHERE id = '" . person('bob') . "'"),
        qr/^401 authentication_failed /,
        'a user whose password changes during the check gets no token';
    is join('', $server->sql("SELECT count(*) FROM auth_tokens WHERE user_id = '" . person('bob') . "'")), 0,
        'no token row is left of either';
    $server->sql(
        "UPDATE users SET password = '$bobs_hash' WHERE id = '" . person('bob') . "'; DELETE FROM login_failures");
};

# At most 100 tokens -------------------------------------------------------------------------------

sub fill {
    my (@kinds) = @_;
    $server->sql("DELETE FROM auth_tokens; INSERT INTO auth_tokens (user_id, hash, kind, created_at, expires_at)"
            . " SELECT '"
            . person('alice')
            . "', 'sha256:' || encode(sha256(n::text::bytea), 'hex'), CASE WHEN n <= $kinds[0] THEN 'bearer' ELSE "
            . "'session' END,"
            . " now() - interval '1 hour' + n * interval '1 second', now() + interval '1 day' FROM generate_series(1, "
            . "100) n");
    return;
}

sub lives {
    my ($n) = @_;
    return join '',
        $server->sql("SELECT count(*) FROM auth_tokens WHERE hash = 'sha256:' || encode(sha256('$n'), 'hex')");
}

subtest 'The oldest session or token is replaced when a user has 100' => sub {
    fill(10);
    my $newest = token('alice');
    is join('', $server->sql('SELECT count(*) FROM auth_tokens')), 100, 'a user has at most 100 tokens';
    is lives(11) . lives(12) . lives(1), '011', 'the oldest session is replaced first';
    fill(100);
    $newest = session('alice');
    is cookie("identityimg_session=$newest"), 200, 'a new session is accepted when there are only tokens';
    is lives(1) . lives(2), '01', 'the new session replaces the oldest token';
};

subtest 'An expired token is replaced before valid ones' => sub {
    fill(100);
    $server->sql(
        "UPDATE auth_tokens SET expires_at = now() + interval '1 day', created_at = now() WHERE hash = 'sha256:' || "
            . "encode(sha256('50'), 'hex')");
    $server->sql(
        "BEGIN; ALTER TABLE auth_tokens DISABLE TRIGGER USER; UPDATE auth_tokens SET expires_at = now() - interval '1 "
            . "second' WHERE hash = 'sha256:' || encode(sha256('50'), 'hex'); ALTER TABLE auth_tokens ENABLE TRIGGER "
            . "USER; COMMIT");
    token('alice');
    is lives(1) . lives(50), '10', 'an expired token is replaced before valid ones';
};

subtest 'Concurrent logins do not exceed 100 tokens' => sub {
    fill(0);
    in_parallel(4, sub { session('alice') for 1 .. 2; 1 });
    is join('', $server->sql('SELECT count(*) FROM auth_tokens')), 100,
        'a user has at most 100 tokens after eight concurrent logins';
};

# Housekeeping -------------------------------------------------------------------------------------

subtest 'The sweep deletes only expired rows' => sub {
    $server->sql(
        "UPDATE auth_tokens SET expires_at = now() - interval '1 second' WHERE created_at < now() - interval '1 minute'"
    );
    $server->sql(
        "INSERT INTO login_failures VALUES ('old', '192.0.2.1', 3, now() - interval '1 second'), ('new', '192.0.2.1', "
            . "3, now() + interval '1 hour')");
    $server->sql("INSERT INTO idempotency_keys (user_id, key, fingerprint, claim, lease_expires_at, created_at)"
            . " SELECT '"
            . person('alice')
            . "', 'old ' || n, '', gen_random_uuid(), now(), now() - interval '2 days' FROM generate_series(1, 60000) n"
    );
    $server->sql("INSERT INTO idempotency_keys (user_id, key, fingerprint, claim, lease_expires_at, created_at)"
            . " SELECT '"
            . person('alice')
            . "', 'young', '', gen_random_uuid(), now(), now() - interval '23 hours 50 minutes'");
    ok eventually(sub { join(' ', $server->sql('SELECT key FROM idempotency_keys LIMIT 2')) eq 'young' }),
        'sixty thousand old keys are deleted in a few rounds, and a key younger than a day stays';
    ok eventually(sub { join('', $server->sql("SELECT count(*) FROM auth_tokens WHERE expires_at < now()")) eq '0' }),
        'expired tokens are deleted';
    ok eventually(sub { join(' ', $server->sql('SELECT account FROM login_failures')) eq 'new' }),
        'old failures are deleted';
    ok + (() = $server->sql('SELECT id FROM auth_tokens')) >= 1, 'valid tokens stay';
};

# The database is down -------------------------------------------------------------------------------

subtest 'A token that cannot be checked is a 503' => sub {
    my $token = token('alice');
    $server->sql('ALTER TABLE auth_tokens RENAME TO hidden');
    is call(GET => 'users/me/', bearer($token))->code, 503, 'a token that cannot be checked is a 503, not a 401'
        for 1 .. 2;
    $server->sql('ALTER TABLE hidden RENAME TO auth_tokens');
    is everywhere($token), '200 ', 'the token is accepted afterwards';
};

$server->judge(qr/IIMG0048: GET .*\/users\/me\/.*auth_tokens/, qr/IIMG0104: .*auth_tokens/)
    ;    # housekeeping may run meanwhile
undef $server;
finish();
