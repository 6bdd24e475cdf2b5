# database.t - PostgreSQL is killed, restarted, stopped, silent, slow, full, or changed while the server runs.
# At most the requests in flight fail, each with a 503 in bounded time, and later ones work.
use strict;
use warnings;
use utf8;
use HTTP::Tiny;
use IdentityImg::Server qw(in_parallel eventually);
use IdentityImg::Test;
use Test::More;
use Time::HiRes qw(sleep time);

# One child where a test counts connections, otherwise two. mod_lua is the other user of the connection pool.
my $stranger = "$ENV{IIMG_WORK}/stranger.lua";
open my $lua, '>', $stranger or die $!;
print $lua <<'LUA';
local says = { begin = "BEGIN", discard = "DISCARD ALL", deallocate = "DEALLOCATE ALL" }
function handle(r)
    local db, problem = r:dbacquire()
    if not db then
        r:puts(problem or "no connection")
        return apache2.OK
    end
    db:query(r, says[r.args])
    db:close()
    r:puts("done")
    return apache2.OK
end
LUA
close $lua;
chmod 0644, $stranger;

my $server = IdentityImg::Server->new('database', proxy => 1);
my $one_child = "StartServers 1\nServerLimit 1\nMaxRequestWorkers 25\nMinSpareThreads 1\nMaxSpareThreads 25\n";
my $over_socket =
      'DBDParams "host=${IIMG_PG_HOST} port=${IIMG_PG_PORT} dbname=identityimg user=identityimg connect_timeout=2'
    . ' application_name=identityimg options=\'-c statement_timeout=5000 -c timezone=UTC\'"' . "\n";

# Clients ------------------------------------------------------------------------------------------

sub get { my ($path, $who, %with) = @_; return call(GET => $path, as => $who // 'alice', base => $server->base, %with) }

sub picture_form {
    my ($name) = @_;
    my $request = HTTP::Request::Common::POST(
        'http://x/', Content_Type => 'form-data',
        Content => [name => $name, image => [make_jpeg(120, 90), "$name.jpg"]]
    );
    return { headers => { 'Content-Type' => scalar $request->header('Content-Type') }, content => $request->content };
}

# Tokens by user: a client that has to hash a password could be refused as login_busy (429).
my %tokens;

# One request, made in a child process. Returns the parts of the response that tests need.
sub request {
    my ($method, $path, $who, $more) = @_;
    my $began = time;
    my $answer = HTTP::Tiny->new(keep_alive => 0, timeout => 90)->request(
        $method, $server->base . "/api/v1/$path",
        {
            content => $more->{content} // '',
            headers =>
                { Authorization => $tokens{$who} ? "Bearer $tokens{$who}" : login($who), %{ $more->{headers} // {} } }
        }
    );
    return {
        code => $answer->{status}, retry => $answer->{headers}{'retry-after'}, body => $answer->{content},
        type => $answer->{headers}{'content-type'}, took => time - $began, what => "$method $path"
    };
}

# A client that lists, creates and deletes photos until the file STOP exists.
sub keep_asking {
    my ($number, $stop) = @_;
    my $deadline = time + 240;
    my $who = (qw(alice bob admin scenario_one))[$number % 4];
    my ($asked, @failures) = (0);
    until (-e $stop || time > $deadline) {
        my @answers =
            $number < 4
            ? request(GET => 'reference-images/', $who)
            : request(POST => 'reference-images/', $who, picture_form("client-$number"));
        if ($answers[0]{code} == 201) {
            my ($id) = $answers[0]{body} =~ /"id":"([^"]+)"/;
            push @answers, request(DELETE => "reference-images/$id/", $who) if $asked % 3;
        }
        elsif ($answers[0]{code} == 400) {
            my $list = request(GET => 'reference-images/', $who);
            push @answers, $list,
                map { request(DELETE => "reference-images/$_/", $who) } $list->{body} =~ /\{"id":"([^"]+)"/g;
            shift @answers;
        }
        if (!$asked) { open my $begun, '>', "$stop.begun.$number" or die $!; close $begun }
        $asked += @answers;
        my @failed = grep { $_->{code} !~ /^(?:200|201|204)$/ } @answers;
        push @failures, @failed;
        sleep 0.05 if @failed;
    }
    return { asked => $asked, failures => \@failures };
}

# '' if a response is a 503 that a client can act on; otherwise its description.
sub is_busy_answer {
    my ($answer) = @_;
    return
           $answer->{code} == 503
        && ($answer->{retry} // '') =~ /^[1-9]\d*$/
        && ($answer->{type} // '') eq 'application/json'
        && $answer->{body} =~ /^\{"detail":"[^"]+","code":"database_(?:down|busy)"\}$/;
}

sub only_busy_answers {
    my ($failures, $sentence) = @_;
    is join(' | ', map { "$_->{what}: $_->{code} $_->{body}" } grep { !is_busy_answer($_) } @$failures), '', $sentence;
    return;
}

# Load by eight clients, each with one response before EVIL begins, until a second after it ends. Then check
# the invariants that hold after any failure of the database.
sub survives {
    my ($evil, $evil_code) = @_;
    my @children = $server->children;
    my $stop = "$ENV{IIMG_WORK}/database-stop";
    unlink $stop, map { "$stop.begun.$_" } 0 .. 7;
    my @clients = in_parallel(
        8,
        sub { keep_asking($_[0], $stop) },
        sub {
            ok eventually(
                sub {
                    !grep { !-e "$stop.begun.$_" } 0 .. 7;
                },
                60
                ),
                "$evil: eight clients are running";
            eval { $evil_code->(); sleep 1 };
            open my $end, '>', $stop or die $!;
            close $end;
            die $@ if $@;
        },
        300
    );
    is join(' ', grep { !ref } @clients), '', "$evil: no client died";
    my @failures = map { @{ $_->{failures} } } @clients;
    my $asked = 0;
    $asked += $_->{asked} for @clients;
    note "$evil: $asked requests, ", scalar(@failures), ' failed';
    cmp_ok $asked, '>=', 8, "$evil: requests continued meanwhile";
    only_busy_answers(\@failures, "$evil: each failed request got a 503 in JSON with Retry-After");
    sleep 1.5;
    ok eventually(\&recovered), "$evil: the server recovers";
    works("after $evil");
    is dead(@children), '', "$evil: no child died";
    whole($evil);
    return @failures;
}

# The children that have ended. (Additional children are fine.)
sub dead {
    my %now = map { $_ => 1 } $server->children;
    return join ' ', grep { !$now{$_} } @_;
}

# Whether all children serve again. Each child finds out by itself: it retries once a second, and gives a
# connection two seconds. So wait for that time before the first request.
sub recovered {
    return !grep { $_ != 200 } in_parallel(16, sub { request(GET => 'users/me/', 'admin')->{code} });
}

# All main routes, on all connections of all children.
sub works {
    my ($when) = @_;
    my @codes = map { @$_ } in_parallel(
        8,
        sub { [
            map { request(GET => $_, 'admin')->{code} }
                ('reference-images/', 'users/me/', 'image-generation/users/') x 3
        ] }
    );
    is join(' ', grep { $_ ne '200' } @codes), '', "$when: each of " . @codes . ' reads works';
    clear('alice');
    my $made = call(
        POST => 'reference-images/', as => 'alice', base => $server->base,
        parts => [name => 'A', image => [make_jpeg(120, 90), 'a.jpg']]
    );
    is $made->code, 201, "$when: a create works";
    my $path = 'reference-images/' . (json($made)->{id} // 'none') . '/';
    is call(PATCH => $path, as => 'alice', base => $server->base, json => { name => 'B' })->code, 200,
        "$when: a change works";
    is call(
        POST => "${path}upload-image/", as => 'alice', base => $server->base,
        parts => [image => [make_jpeg(90, 120), 'b.jpg']]
        )->code, 200,
        "$when: an upload works";
    is call(DELETE => $path, as => 'alice', base => $server->base)->code, 204, "$when: a delete works";
    return;
}

sub clear { $server->sql("DELETE FROM reference_images WHERE user_id = '" . person($_[0]) . "'"); return }

# No row without its files, and no file without a manifest entry.
sub whole {
    my ($after) = @_;
    my $root = $server->state . '/pictures';
    my @rows = $server->sql(q{SELECT image, image_sized FROM reference_images WHERE image IS NOT NULL
        UNION ALL SELECT image, image_sized FROM identities WHERE image IS NOT NULL
        UNION ALL SELECT previous_image, previous_image_sized FROM identities WHERE previous_image IS NOT NULL
        UNION ALL SELECT image, NULL FROM generation_jobs WHERE image IS NOT NULL});
    my @keys;
    for (@rows) {
        my ($key, $sized) = split /\|/;
        my ($folder, $name) = $key =~ m{^(.*/)([^/]+)\.\w+$};
        push @keys, $key, $sized ? map { "${folder}__sized__/$name-thumbnail-${_}x$_.$sized" } 100, 300, 600 : ();
    }
    my %known = map { split /\|/ } $server->sql('SELECT key, state FROM stored_objects');
    is join(' ', grep { ($known{$_} // 'unknown') !~ /^(?:live|held)$/ || !-s place($root, $_) } @keys), '',
        "$after: the files of each row exist and are in the manifest";
    my %places = map { place($root, $_) => 1 } keys %known;
    my @files;
    File::Find::find({ no_chdir => 1, wanted => sub { push @files, $_ if -f && !m{/\.identityimg-store\z} } }, $root);
    is join(' ', grep { !$places{$_} } @files), '', "$after: each file is in the manifest";
    return;
}

sub place { my ($root, $key) = @_; return "$root/" . $key =~ s{^(\w+/)((..)(..))}{$1$3/$4/$2}r }

# (a) all backends killed repeatedly -----------------------------------------------------------------

$server->start($over_socket);
cheap_logins($server);
$tokens{$_} = json(call(
    POST => 'auth/login/', base => $server->base,
    json => { email => s/_/-/r . '@example.com', password => 'pw-' . s/_/-/r, token => \1 }
))->{token}
    for qw(alice bob admin scenario_one);
subtest 'At most the requests in flight fail when backends are killed' => sub {
    my $kill = q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'identityimg'};
    my ($killed, $times) = (0, 0);
    my @failures = survives(
        'backends killed',
        sub {
            for (1 .. 7) {
                sleep 0.4;
                $killed += ($server->sql($kill, 'postgres'))[0];
                $times++;
            }
        }
    );
    cmp_ok $killed, '>', 1, 'backends were killed';
    cmp_ok scalar(@failures), '<=', $times * 8,
        "with eight clients and $times kills, at most the requests in flight failed";
};

# (b) PostgreSQL restarted ---------------------------------------------------------------------------

subtest 'The server survives a restart of the database' => sub {
    survives(
        'database restarted',
        sub { sleep 0.5; $server->script(cluster => 'restart'); is $?, 0, 'the database was restarted under load' }
    );
};

# (c) stopped and started ----------------------------------------------------------------------------

subtest 'Without a database each request gets a 503 in bounded time' => sub {
    $server->script(cluster => 'stop');
    for my $who (qw(alice scenario_two)) {    # one cached, one not
        my @answers = in_parallel(6, sub { request(GET => 'users/me/', $who) });
        only_busy_answers(\@answers, "without a database: 503 and JSON with credentials of $who");
        is join(' ', grep { $_ > 60 } map { $_->{took} } @answers), '',
            'without a database the responses come in bounded time';
    }
    is call(GET => '/pictures/none', base => $server->base)->code, 403, 'requests that need no database are answered';
};

subtest 'Requests work again when the database starts again' => sub {
    $server->script(cluster => 'start');
    is $?, 0, 'the database starts again';
    ok eventually(sub { get('users/me/', 'scenario_two')->code == 200 }),
        'logins work again without a restart of httpd';
    sleep 1.5;
    ok eventually(\&recovered), 'logins work again in all children';
    works('database started again');
};

# (f) transactions left open by another module, deallocated statements, changed tables ---------------

subtest 'A module that leaves a transaction open or drops statements breaks no request' => sub {
    $server->restart($over_socket
            . $one_child
            . "LoadModule lua_module /usr/lib/apache2/modules/mod_lua.so\nLuaMapHandler ^/stranger\$ \"$stranger\" "
            . "handle\n<Location /stranger>\nRequire all granted\n</Location>\n");
    works('before the other module');
    for my $word (qw(begin discard deallocate)) {
        my @codes;
        for (1 .. 5) {
            my $answer = call(GET => "/stranger?$word", base => $server->base);
            is $answer->content, 'done', "another module runs $word on the connection" if $_ == 1;
            push @codes, get('reference-images/')->code;
            call(GET => "/stranger?$word", base => $server->base);
            my $made =
                call(POST => 'reference-images/', as => 'alice', base => $server->base, json => { name => $word });
            push @codes, $made->code;
            push @codes, ($server->sql("SELECT count(*) FROM reference_images WHERE name = '$word'"))[0];
            clear('alice');
        }
        is "@codes", '200 201 1 ' x 4 . '200 201 1', "after $word reads and writes work, and writes are committed";
    }
};

subtest "A change of a table's types between requests fails no request" => sub {
    my @codes;
    for my $type ('varchar(255)', 'text') {
        $server->sql("ALTER TABLE reference_images ALTER COLUMN name TYPE $type");
        push @codes, get('reference-images/')->code;
        $server->sql(
            'ALTER TABLE reference_images ADD COLUMN more text; ALTER TABLE reference_images DROP COLUMN more');
        push @codes, get('reference-images/')->code;
        $server->sql(
            "ALTER TABLE reference_images ALTER COLUMN name TYPE " . ($type eq 'text' ? 'varchar(255)' : 'text'));
        push @codes,
            call(
            POST => 'reference-images/', as => 'alice', base => $server->base,
            json => { name => 'during a migration' }
        )->code;
    }
    $server->sql('ALTER TABLE reference_images ALTER COLUMN name TYPE text');
    is "@codes", '200 200 201 200 200 201', "a change of a table's types between requests fails no request";
    works('after migrations');
};

# (e) all connections in use ---------------------------------------------------------------------------

my $lock_alice = "SELECT 1 FROM users WHERE id = '" . person('alice') . "' FOR UPDATE";
subtest 'Requests get a 503 in bounded time while all connections are in use' => sub {
    $server->restart($over_socket =~ s/statement_timeout=5000/statement_timeout=120000/r
            . $one_child
            . "DBDKeep 2\nDBDMax 2\nIdentityImgDatabaseWait 300\n");
    is get('users/me/', $_)->code, 200, "$_ is accepted" for qw(alice bob);
    my $release = $server->hold($lock_alice);
    my @late;
    my @stuck = in_parallel(
        2,
        sub {
            request(
                POST => 'reference-images/', 'alice',
                { content => '{"name": "waits"}', headers => { 'Content-Type' => 'application/json' } }
            );
        },
        sub {
            eventually(
                sub {
                    ($server->sql(
                        q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'identityimg' AND wait_event_type = }
                            . q{'Lock'},
                        'postgres'
                    ))[0] == 2;
                },
                60
            );
            @late = in_parallel(6, sub { request(GET => 'users/me/', 'bob') });
            $release->();
        }
    );
    only_busy_answers(\@late, 'while both connections wait for a lock, other requests get 503');
    is scalar(@late), 6, 'all other requests get 503';
    is join(' ', grep { $_ > 60 } map { $_->{took} } @late), '', 'all other requests are answered within a minute';
    like $late[0]{body}, qr/database_busy/, 'the code is database_busy, not database_down';
    is join(' ', map { $_->{code} } @stuck), '201 201',
        'requests that waited for the lock complete when it is released';
    works('after the lock');
};

# (g) a statement that takes too long ------------------------------------------------------------------

subtest 'A statement over its time limit is a 503' => sub {
    $server->restart($over_socket =~ s/statement_timeout=5000/statement_timeout=1000/r);
    get('users/me/');
    my $release = $server->hold($lock_alice);
    my $answer = request(POST => 'reference-images/', 'alice', picture_form('slow'));
    ok is_busy_answer($answer), 'a statement over its time limit is a 503' or diag explain $answer;
    cmp_ok $answer->{took}, '<', 60, 'a statement over its time limit gets its response in bounded time';
    ok + (grep { /SQLSTATE 57014/ } $server->log_lines), 'the log has the SQLSTATE of the canceled statement';
    $release->();
    works('after a statement timeout');
    whole('after a statement timeout');
};

# (d) a database behind a network that drops packets ---------------------------------------------------

subtest 'Requests work through the proxy' => sub {
    $server->restart($server->params_through_proxy . "IdentityImgDatabaseTimeout 2\n");
    works('through the proxy');
};

subtest 'The server recovers from a network that drops or refuses connections' => sub {
    my %gone = (
        'new connections are swallowed' => sub { $server->line('swallow'); $server->line('cut') },
        'established connections are swallowed' => sub { $server->line('swallow') },
        'connections are refused' => sub { $server->line('refuse'); $server->line('cut') },
    );
    for my $evil (sort keys %gone) {
        my @children = $server->children;
        $gone{$evil}->();
        my @answers = in_parallel(40, sub { request(GET => 'reference-images/', 'admin') });
        only_busy_answers(\@answers, "$evil: 40 concurrent requests are 503");
        my ($longest) = sort { $b <=> $a } map { $_->{took} } @answers;
        note "$evil: longest $longest s";
        cmp_ok $longest, '<', 60, "$evil: all responses come within a minute, not one after the other";
        @answers = in_parallel(8, sub { request(GET => 'users/me/', 'admin') });
        ($longest) = sort { $b <=> $a } map { $_->{took} } @answers;
        note "$evil, afterwards: longest $longest s";
        only_busy_answers(\@answers, "$evil: later requests are 503, too");
        cmp_ok $longest, '<', 30, "$evil: later requests do not wait for one another";
        $server->line('pass');
        sleep $evil =~ /swallowed/ ? 3.5 : 1.5;
        ok eventually(\&recovered), "$evil: the server recovers when the database responds again";
        works("$evil, afterwards");
        is dead(@children), '', "$evil: no child died";
    }
};

subtest 'A connection cut in the middle of a request is a 503' => sub {
    my @answers = in_parallel(
        8,
        sub {
            my ($n) = @_;
            [
                map {
                    request(
                        $n % 2
                        ? ('GET', 'reference-images/', 'admin')
                        : ('POST', 'reference-images/', 'bob', picture_form('cut'))
                    )
                } 1 .. 6
            ];
        },
        sub {
            for (1 .. 4) { sleep 0.2; $server->line('cut') }
        }
    );
    only_busy_answers(
        [grep { $_->{code} !~ /^20[01]$/ && !($_->{code} == 400 && $_->{body} =~ /max_images/) } map { @$_ } @answers],
        'connections cut in the middle: 503 or no response'
    );
    sleep 1.5;
    ok eventually(\&recovered), 'the server recovers after cut connections';
    whole('connections cut');
};

# (h) without prepared statements ----------------------------------------------------------------------

subtest 'Requests work without prepared statements' => sub {
    $server->restart($over_socket . "IdentityImgPrepare off\n");
    works('without prepared statements');
    is call(GET => $_, as => 'admin', base => $server->base)->code, 200, "without prepared statements $_ answers"
        for 'users/me/identities/', 'test-users/', 'test-users/' . person('scenario_one') . '/identities/',
        'image-generation/users/';
    is + ($server->sql(
        q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'identityimg' AND query LIKE 'SELECT c.id%'},
        'postgres'
    ))[0] > 0, 1, 'the statements run unprepared';
    clear('scenario_one');    # the clients above may have left all five slots in use
    my $own = call(
        POST => 'reference-images/', as => 'admin', base => $server->base,
        parts => [user_id => person('scenario_one'), image => [portrait(), 'p.png']]
    );
    is $own->code, 201, 'without prepared statements a photo is created for another user';
    my $generated = call(
        POST => 'image-generation/generate/', as => 'admin', base => $server->base,
        json => {
            identity_id => identity_of('full'), user_id => person('scenario_one'), resolution => '1K',
            save_to_identity => JSON::PP::true
        }
    );
    is $generated->code, 200, 'without prepared statements a picture is generated' or diag $generated->content;
    is call(
        PATCH => 'identities/' . identity_of('full') . '/upload-image/', as => 'scenario_one', base => $server->base,
        parts => [image => [make_jpeg(120, 90), 'i.jpg']]
        )->code, 200,
        'without prepared statements the identity gets a picture';
    is call(
        DELETE => 'identities/' . identity_of('full') . '/delete-image/', as => 'scenario_one',
        base => $server->base
    )->code, 200, "without prepared statements the identity's picture is deleted";
    whole('without prepared statements');
};

unlink $stranger;
# (libpq itself logs the last one, when a connection is killed while mod_dbd opens it.)
$server->judge(
    qr/IIMG0003: .*(?:database|statement)/, qr/IIMG010[12347]/, qr/\[dbd:(?:error|crit)\]/, qr/AH0161[78]/,
    qr/^FATAL:  terminating connection due to administrator command$/
);
undef $server;
finish();
