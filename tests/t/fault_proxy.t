# fault_proxy.t - the fault proxy of the store tests injects the documented faults, in front of a plain HTTP
# server.
use strict;
use warnings;
use IO::Socket::INET;
use IdentityImg::FaultProxy;
use LWP::UserAgent;
use Test::More;
use Time::HiRes 'time';

# A simple store: remembers complete PUTs and counts requests. One request per connection.
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

is ask(PUT => '/a', $big)->code, 200, 'without rules a request is forwarded';
my $answer = ask(GET => '/a');
is $answer->content, $big, 'the forwarded body is unchanged';
is $answer->header('X-Store'), 'yes', 'the response headers are forwarded';
is ask(GET => '/host')->content, '127.0.0.1:' . $proxy->port,
    'the Host header is forwarded unchanged, as signatures need';
is ask(GET => '/none')->code, 404, 'the status of the store is forwarded';
is join(' ', map { "$_->{number} $_->{method} $_->{path} $_->{status}" } $proxy->journal),
    '1 PUT /a 200 2 GET /a 200 3 GET /host 200 4 GET /none 404', 'the journal has all requests';
is + ($proxy->journal)[0]{received}, 300_000, 'the journal has the lengths of the bodies';

$proxy->rules({ fault => 'reset', method => 'PUT', times => 2 });
ok lost(ask(PUT => '/b', $big)) && lost(ask(PUT => '/b', 'x')), 'reset with times 2 resets two requests';
is ask(PUT => '/b', 'third')->code, 200, 'the third request is forwarded';
is ask(GET => '/b')->content, 'third', 'requests with another method are forwarded';
is faults(), 'reset:- reset:- none:200 none:200', 'the journal has the resets';

$proxy->rules({ fault => 'reset-body', path => '^/c' });
ok lost(ask(PUT => '/c', $big)), 'reset-body resets a request within its body';
is ask(GET => '/c')->code, 404, 'the store did not complete the request';
$proxy->rules({ fault => 'reset-reply' });
isnt ask(PUT => '/d', 'done')->status_line, '200 OK', 'reset-reply resets the response';
is ask(GET => '/d')->content, 'done', 'the store completed the request';
$proxy->rules({ fault => 'truncate' });
$answer = ask(GET => '/a');
ok lost($answer) || length($answer->content) < $answer->header('Content-Length'), 'truncate ends the response early';
is length $answer->content, 150_000, 'the response ends in the middle';
is $answer->code, 200, 'the truncated response has status 200';

$proxy->rules({ fault => 'stall' });
my $began = time;
ok lost(ask(GET => '/a')), 'stall does not answer';
cmp_ok time - $began, '>', 2.5, 'a stalled request lasts until its client gives up';
$proxy->rules({ fault => 'stall', seconds => 0.3 });
$began = time;
ok lost(ask(GET => '/a')), 'stall with seconds does not answer';
cmp_ok time - $began, '<', 2.5, 'a stalled request with seconds ends with its connection';
$proxy->rules({ fault => 'slow', seconds => 0.5 });
$began = time;
is ask(GET => '/a')->content, $big, 'slow answers the request';
cmp_ok time - $began, '>', 0.45, 'slow delays the response';

my $asked = ask(GET => '/asked')->content;
$proxy->rules(
    { fault => 'error' },
    { fault => 'error', status => 503, code => 'ServiceUnavailable', retryAfter => 7, skip => 1 },
    { fault => 'slow-down', skip => 2 }, { fault => 'redirect', region => 'us-west-2', skip => 3 }
);
$answer = ask(PUT => '/a', $big);
is $answer->code, 500, 'error answers 500';
like $answer->content, qr/<Code>InternalError<\/Code>/, "the error has S3's XML";
$answer = ask(GET => '/a');
is join(' ', $answer->code, $answer->header('Retry-After'), $answer->content =~ /<Code>(\w+)/),
    '503 7 ServiceUnavailable', 'another one, with Retry-After';
$answer = ask(GET => '/a');
is join(' ', $answer->code, $answer->header('Retry-After'), $answer->content =~ /<Code>(\w+)/), '503 1 SlowDown',
    'slow-down answers 503 SlowDown';
$answer = ask(GET => '/a');
is join(' ', $answer->code, $answer->header('x-amz-bucket-region'), $answer->content =~ /<Region>([\w-]+)/),
    '301 us-west-2 us-west-2', 'redirect names another region';
is ask(GET => '/asked')->content, $asked + 1, 'no request with an error reaches the store';
is faults(), 'error:500 error:503 slow-down:503 redirect:301 none:200', 'the journal has the faults';
$proxy->rules({ fault => 'error', times => 0 });
is join(' ', map { ask(GET => '/a')->code } 1 .. 5), '500 500 500 500 500', 'a rule with times 0 always applies';
ok !eval { $proxy->rules({ fault => 'nonsense' }); 1 }, 'an unknown fault is refused';

$proxy->rules;
$proxy->refuse;
like ask(GET => '/a')->status_line, qr/refused/i, 'refuse closes the port';
$proxy->accept;
is ask(GET => '/a')->code, 200, 'accept opens the port again';

done_testing();
