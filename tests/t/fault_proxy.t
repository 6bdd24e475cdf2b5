# fault_proxy.t - the proxy with which tests let a store fail does what it says, in front of a plain HTTP
# server.
use strict;
use warnings;
use IO::Socket::INET;
use IdentityImg::FaultProxy;
use LWP::UserAgent;
use Test::More;
use Time::HiRes 'time';

# A store of a kind: remembers what is PUT whole, and how often it was asked. One request a connection.
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 20) or die $!;
my $pid = fork // die $!;
if (!$pid) {
    my (%stored, $asked);
    while (my $connection = $listener->accept) {
        my ($method, $path, $headers, $body) = read_request($connection) or next;
        $asked++;
        $stored{$path} = $body if $method eq 'PUT';
        my $answer =
            $path eq '/asked' ? $asked : $path eq '/host' ? $headers =~ /^Host: (\S+)/mi && $1 : $stored{$path};
        $answer = '' if $method eq 'PUT';
        print $connection 'HTTP/1.1 ', defined $answer ? '200 OK' : '404 Not Found',
            "\r\nX-Store: yes\r\nConnection: close\r\nContent-Length: ", length($answer // ''), "\r\n\r\n",
            $answer // '';
        close $connection;
    }
    exit;
}
END { kill TERM => $pid if $pid }

sub read_request {
    my ($connection) = @_;
    my $text = '';
    while ($text !~ /\r\n\r\n/) { sysread $connection, $text, 65536, length $text or return }
    my ($method, $path, $headers, $body) = $text =~ /^(\w+) (\S+) [^\r]*\r\n(.*?)\r\n\r\n(.*)/s;
    my ($length) = $headers =~ /^Content-Length: (\d+)/mi;
    while (length $body < ($length // 0)) { sysread $connection, $body, 65536, length $body or return }
    return ($method, $path, $headers, $body);
}

my $proxy = IdentityImg::FaultProxy->new($listener->sockport);
my $base = 'http://127.0.0.1:' . $proxy->port;
my $agent = LWP::UserAgent->new(timeout => 3, requests_redirectable => []);
my $big = join '', map { chr(65 + $_ % 26) } 1 .. 300_000;

sub ask {
    my ($method, $path, $body) = @_;
    return $agent->request(HTTP::Request->new($method => "$base$path", [], $body));
}

sub lost {
    my ($answer) = @_;
    return
           ($answer->header('Client-Warning') // '') eq 'Internal response'
        || defined $answer->header('X-Died')
        || defined $answer->header('Client-Aborted');
}

sub faults {
    return join ' ', map { ($_->{fault} // 'none') . ':' . ($_->{status} // '-') } $proxy->journal;
}

is ask(PUT => '/a', $big)->code, 200, 'without rules requests go through';
my $answer = ask(GET => '/a');
is $answer->content, $big, '... byte for byte';
is $answer->header('X-Store'), 'yes', '... with their headers';
is ask(GET => '/host')->content, '127.0.0.1:' . $proxy->port, '... Host too, which signatures are made of';
is ask(GET => '/none')->code, 404, '... and with what the store says';
is join(' ', map { "$_->{number} $_->{method} $_->{path} $_->{status}" } $proxy->journal),
    '1 PUT /a 200 2 GET /a 200 3 GET /host 200 4 GET /none 404', 'the journal has them all';
is + ($proxy->journal)[0]{received}, 300_000, '... with how long their bodies were';

$proxy->rules({ fault => 'reset', method => 'PUT', times => 2 });
ok lost(ask(PUT => '/b', $big)) && lost(ask(PUT => '/b', 'x')), 'two requests are reset';
is ask(PUT => '/b', 'third')->code, 200, '... the third goes through';
is ask(GET => '/b')->content, 'third', '... those of another method anyway';
is faults(), 'reset:- reset:- none:200 none:200', '... and the journal says so';

$proxy->rules({ fault => 'reset-body', path => '^/c' });
ok lost(ask(PUT => '/c', $big)), 'a request is reset in the middle of its body';
is ask(GET => '/c')->code, 404, '... which the store has not taken';
$proxy->rules({ fault => 'reset-reply' });
isnt ask(PUT => '/d', 'done')->status_line, '200 OK', 'an answer is reset';
is ask(GET => '/d')->content, 'done', '... to what the store has done';
$proxy->rules({ fault => 'truncate' });
$answer = ask(GET => '/a');
ok lost($answer) || length($answer->content) < $answer->header('Content-Length'), 'an answer ends too early';
is length $answer->content, 150_000, '... in its middle';
is $answer->code, 200, '... having begun well';

$proxy->rules({ fault => 'stall' });
my $began = time;
ok lost(ask(GET => '/a')), 'a request is not answered';
cmp_ok time - $began, '>', 2.5, '... for as long as its client waits';
$proxy->rules({ fault => 'stall', seconds => 0.3 });
$began = time;
ok lost(ask(GET => '/a')), 'or not answered';
cmp_ok time - $began, '<', 2.5, '... until the connection ends';
$proxy->rules({ fault => 'slow', seconds => 0.5 });
$began = time;
is ask(GET => '/a')->content, $big, 'a request is answered late';
cmp_ok time - $began, '>', 0.45, '... as late as it was told';

my $asked = ask(GET => '/asked')->content;
$proxy->rules(
    { fault => 'error' },
    { fault => 'error', status => 503, code => 'ServiceUnavailable', retryAfter => 7, skip => 1 },
    { fault => 'slow-down', skip => 2 }, { fault => 'redirect', region => 'us-west-2', skip => 3 }
);
$answer = ask(PUT => '/a', $big);
is $answer->code, 500, 'an error of the store';
like $answer->content, qr/<Code>InternalError<\/Code>/, '... in S3\'s XML';
$answer = ask(GET => '/a');
is join(' ', $answer->code, $answer->header('Retry-After'), $answer->content =~ /<Code>(\w+)/),
    '503 7 ServiceUnavailable', 'another one, with Retry-After';
$answer = ask(GET => '/a');
is join(' ', $answer->code, $answer->header('Retry-After'), $answer->content =~ /<Code>(\w+)/), '503 1 SlowDown',
    'the store asks to slow down';
$answer = ask(GET => '/a');
is join(' ', $answer->code, $answer->header('x-amz-bucket-region'), $answer->content =~ /<Region>([\w-]+)/),
    '301 us-west-2 us-west-2', 'the bucket is elsewhere';
is ask(GET => '/asked')->content, $asked + 1, 'none of these has reached the store';
is faults(), 'error:500 error:503 slow-down:503 redirect:301 none:200', '... and the journal says which was which';
$proxy->rules({ fault => 'error', times => 0 });
is join(' ', map { ask(GET => '/a')->code } 1 .. 5), '500 500 500 500 500', 'a rule can hold for ever';
ok !eval { $proxy->rules({ fault => 'nonsense' }); 1 }, 'a rule that is none is refused';

$proxy->rules;
$proxy->refuse;
like ask(GET => '/a')->status_line, qr/refused/i, 'the store is away';
$proxy->accept;
is ask(GET => '/a')->code, 200, 'the store is back';

done_testing();
