# sandbox.t - a picture that takes over its decoding process gains nothing, does not affect other requests, and httpd
# does not trust its replies. A worker for tests simulates this: a picture that contains "ROGUE:word" does what the
# word says.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use IdentityImg::Server qw(eventually in_parallel);
use IdentityImg::Test;
use Test::More;
use Time::HiRes 'time';

plan skip_all => 'a sanitized worker has a weaker sandbox, so this would prove nothing'
    if ($ENV{IIMG_SANITIZE} // '') eq '1';

my $rogue = "$ENV{IIMG_SOURCE}/build/plain/identityimg-rogue-worker";
my $server = IdentityImg::Server->new('rogue', env => { IIMG_WORKER => $rogue }, conf => <<'CONF')->start;
LogLevel identityimg:debug
IdentityImgWorkers 2
IdentityImgWorkerTimeout 6
CONF
my $base = $server->base;
my $jpeg = slurp(make_jpeg(700, 500));
my $slot = json(call(POST => 'reference-images/', as => 'alice', base => $base, json => {}))->{id};

sub upload {
    my ($bytes) = @_;
    return call(
        POST => "reference-images/$slot/upload-image/", as => 'alice', base => $base,
        parts => [image => [undef, 'a.jpg', Content => $bytes]]
    );
}
sub rogue { my ($word) = @_; return upload("${jpeg}ROGUE:$word.") }

sub refusal {
    my ($answer) = @_;
    my $body = json($answer);
    return join ' ', $answer->code, $body->{code} // '', $body->{detail} // '';
}
sub new_lines { my @lines = $server->log_lines(@_); $server->forget_log; return @lines }

sub parent { return (split /\n/, slurp($server->state . '/httpd/httpd.pid'))[0] }

sub zygotes {
    my $parent = parent();
    return map { /^\s*(\d+) identityimg-/ ? $1 : () } `ps -o pid=,comm= --ppid $parent`;
}

sub workers {
    return map { /^\s*(\d+)/ ? $1 : () } map { `ps -o pid= --ppid $_` } zygotes();
}

sub status {
    my ($pid, $name) = @_;
    my ($value) = (slurp("/proc/$pid/status") =~ /^$name:\s*(.*)$/m);
    return $value =~ s/\s+/ /gr;
}

is upload($jpeg)->code, 200, 'a valid picture is decoded by the test worker';
my $picture = json(call(GET => "reference-images/$slot/", as => 'alice', base => $base));
my ($zygote) = zygotes();
new_lines(1);

# Forbidden actions -----------------------------------------------------------------------------------

my $damaged =
      '400 unsupported_image The JPEG picture is damaged or not a real JPEG picture. Upload a valid JPEG, PNG, WebP, '
    . 'GIF, HEIC or AVIF picture.';
my %ends = (
    open => ['to read a file', 6],
    reopen => ["to open a path outside Landlock's rules", 6],
    write => ['to write a file', 6],
    socket => ['to reach the network', 31],
    unix => ['to reach PostgreSQL\'s socket', 31],
    fork => ['to fork', 31],
    exec => ['to run a program', 31],
    kill => ['to signal another process', 31],
    ptrace => ['to trace', 31],
    uring => ['to bypass the filter with io_uring', 31],
    setuid => ['to become root', 31],
    limits => ['to raise its limits', 31],
    code => ['to run generated code', 31],
    protect => ['to make its own data executable', 31],
    thread => ['to signal a thread of another process', 31],
    memory => ['to take 4 GB of memory', 6],
    descriptors => ['to find inherited descriptors', 6],
    picture => ['to change its input picture', '(?:6|25)'],
    crash => ['nothing, and crashes', 11],
);
for my $word (sort keys %ends) {
    my ($what, $signal) = @{ $ends{$word} };
    is refusal(rogue($word)), $damaged, "a picture that tries $what is refused as damaged";
    my @lines = new_lines();
    like "@lines", qr/IIMG0130: a picture \(JPEG, \d+ bytes\) ended its worker process: signal $signal\b/,
        "a picture that tries $what: the log has the signal $signal";
    is scalar(@lines), 1, "a picture that tries $what: the log has one line";
}
for my $word (qw(spin hang)) {
    my $began = time;
    is refusal(rogue($word)),
        '400 unsupported_image The JPEG picture takes too long to read. Upload a valid JPEG, PNG, WebP, GIF, HEIC or '
        . 'AVIF picture.',
        "a picture that would $word forever is stopped";
    cmp_ok time - $began, '>', 5, "a picture that would $word forever is stopped at its deadline";
    like join("\n", new_lines()), qr/IIMG0130: .*deadline exceeded/,
        "a picture that would $word forever: the log says that deadline exceeded";
}
is refusal(rogue('exit')), $damaged, 'a picture that makes its codec exit is refused';
new_lines();
is refusal(rogue('unlocked')), '503 pictures_down The server cannot read pictures at the moment.',
    'a process that cannot be sandboxed decodes nothing';
like join("\n", new_lines()), qr/IIMG0132: .*its process could not be sandboxed \(step 5\)/,
    'the log has the failed step of the sandbox';
is upload($jpeg)->code, 200, 'pictures are decoded afterwards';
is join(' ', zygotes()), $zygote, 'the worker is still the same process';
ok !-e '/tmp/rogue', 'no file was written';

# The attributes of a decoding process ------------------------------------------------------------------

my ($seen) = in_parallel(
    1,
    sub { rogue('hang')->code },
    sub {
        my ($worker) = eventually(sub { my ($pid) = workers(); $pid && status($pid, 'Seccomp') eq '2' ? $pid : undef });
        ok $worker, 'a process decodes a picture' or return;
        is status($worker, 'Seccomp'), 2, 'the process has a seccomp filter';
        is status($worker, 'NoNewPrivs'), 1, 'the process has no_new_privs';
        my $root = $> == 0 ? '(?!0\b)' : '';
        like status($worker, 'Uid'), qr/^$root(\d+) \1 \1 \1$/, 'the process is not root and cannot become root';
        like status($worker, 'Gid'), qr/^$root(\d+) \1 \1 \1$/, "the process is not in root's group";
        like status($worker, 'Groups'), qr/^$root(\d+)? ?$/, 'the process has no supplementary groups' if $> == 0;
        is status($worker, 'CapEff'), '0' x 16, 'the process has no capabilities';
        like slurp("/proc/$worker/limits"), qr/^Max core file size\s+0\s+0/m, 'the process cannot dump core';
        like slurp("/proc/$worker/limits"), qr/^Max file size\s+0\s+0/m, 'the process cannot write files';
        like slurp("/proc/$worker/limits"), qr/^Max address space\s+10\d{8}\s/m,
            'the process has an address space of one gigabyte';
        my %open = map { m{/(\d+)$} ? ($1 => readlink) : () } glob "/proc/$worker/fd/*";
        is scalar(keys %open), 5, 'the process has five open descriptors' if $> == 0;
        is join(' ', map { $open{$_} // '' } 0 .. 2), '/dev/null /dev/null /dev/null', 'three of them are /dev/null'
            if $> == 0;
        is slurp("/proc/$worker/environ"), '', 'its environment was empty at the start' if $> == 0;
    }
);
is $seen, 400, 'the process ends at its deadline';
is status($zygote, 'Threads'), 1, 'the forking worker has one thread';
is scalar(() = workers()), 0, 'no decoding process is left';
new_lines();

# Invalid replies -------------------------------------------------------------------------------------

my %lies = (
    silence => 'half an answer', half => 'half an answer', gigabyte => 'head makes no sense',
    overflow => 'head makes no sense', pieces => 'head makes no sense', garbage => 'head makes no sense',
    flood => 'more than one answer', version => 'head makes no sense', status => 'head makes no sense',
    many => 'head makes no sense', insert => 'head makes no sense', long => 'head makes no sense',
    empty => 'head makes no sense', far => 'edit does not fit', wrap => 'edit does not fit',
    twice => 'edit does not fit', kind => 'edit does not fit', none => 'edit',
    tail => 'changes the format', magic => 'does not have the format', html => 'does not have the format',
    headless => 'no readable dimensions', format => 'format that was not requested', png => 'does not have the format',
    sides => 'impossible dimensions', nothing => 'impossible dimensions', large => 'does not fit into its box',
    tall => 'does not fit into its box', wide => 'does not fit into its box',
);
for my $word (sort keys %lies) {
    my $answer = rogue($word);
    is $answer->code, 500, "an invalid reply ($word) of the worker is a 500";
    my @lines = new_lines();
    like join("\n", @lines), qr/IIMG0131: .*invalid reply from identityimg-worker: .*$lies{$word}/,
        "the log has the reason: $lies{$word}";
    is scalar(@lines), 1, "the log has one line about $word";
}
is rogue('said')->code, 400, 'a sentence of the worker is refused';
my @said = grep { /one .?forged/ } new_lines(1);
is scalar(@said), 1, 'a sentence of the worker stays one log line';
unlike "@said", qr/[\x00-\x08\x0a-\x1f]/, 'the log line has no control characters';
is_deeply [$server->sql("SELECT state, count(*) FROM stored_objects GROUP BY state")], ['live|4'],
    'only the last valid picture is stored';

# Other requests ----------------------------------------------------------------------------------------

my @answers = in_parallel(
    6,
    sub {
        my ($number) = @_;
        my $mine = json(
            call(POST => 'reference-images/', as => $number < 3 ? 'bob' : 'scenario_one', base => $base, json => {}))
            ->{id};
        return [
            map {
                call(
                    POST => "reference-images/$mine/upload-image/", as => $number < 3 ? 'bob' : 'scenario_one',
                    base => $base,
                    parts => [image => [undef, 'a.jpg', Content => $number % 3 ? $jpeg : "${jpeg}ROGUE:$_."]]
                )->code
            } qw(crash exec half fork socket memory)
        ];
    }
);
is join(' | ', map { "@$_" } @answers[1, 2, 4, 5]), join(' | ', ('200 200 200 200 200 200') x 4),
    'other uploads succeed during the attacks';
is join(' | ', map { "@$_" } @answers[0, 3]), join(' | ', ('400 400 500 400 400 400') x 2),
    'concurrent attacks are refused';
is join(' ', zygotes()), $zygote, 'the worker is still the first process';
is call(GET => $picture->{image}{thumbnail}, base => $base)->code, 404, 'the replaced picture is gone';
new_lines();

# Poster processes may open fonts and nothing else. A text that takes over its process is left out.
my $generate = sub {
    call(
        POST => 'image-generation/generate/', as => 'admin', base => $base,
        json => { identity_id => identity_of('full'), user_id => person('alice'), resolution => '1K' }
    );
};
for my $word (qw(open reopen write socket exec)) {
    $server->sql("UPDATE identities SET i_am_statement = 'ROGUE:$word' WHERE id = '" . identity_of('full') . "'");
    is $generate->()->code, 200, "a poster whose text tries to $word is generated without the text";
    my $lines = join "\n", new_lines();
    like $lines, qr/IIMG0130: .*signal 6/, "a poster whose text tries to $word: the process is killed";
    like $lines, qr/IIMG0136: cannot draw the texts .*signal 6/,
        "a poster whose text tries to $word: the log says that the text is missing";
}
$server->sql("UPDATE identities SET i_am_statement = 'I am.' WHERE id = '" . identity_of('full') . "'");
is $generate->()->code, 200, 'other posters are generated';

$server->judge(qr/IIMG011[27]: /, qr/IIMG013[0-26]: /);
undef $server;
finish();
