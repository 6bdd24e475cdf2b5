# problem.t - errors as application/problem+json (RFC 9457) for clients that ask for it.
use strict;
use warnings;
use IdentityImg::Test;
use Test::More;

fresh_data();

sub ask {
    my ($method, $path, %with) = @_;
    return call($method => $path, %with, headers => [Accept => 'application/problem+json, application/json;q=0.9']);
}

for my $case (
    [GET => 'nothing/', {}, 404, 'Not Found', { detail => 'Not found.', code => 'not_found' }],
    [
        PUT => 'users/me/', {}, 405, 'Method Not Allowed',
        { detail => 'Method "PUT" not allowed.', code => 'method_not_allowed' }
    ],
    [
        POST => 'reference-images/', { json => { order => 9 } }, 400, 'Bad Request',
        {
            detail => 'Order must be between 0 and 4', code => 'order_range',
            errors => { order => ['Order must be between 0 and 4'] }
        }
    ],
) {
    my ($method, $path, $with, $status, $title, $members) = @$case;
    my $answer = ask($method, $path, as => 'alice', %$with);
    is $answer->code, $status, "$method $path is $status";
    is $answer->header('Content-Type'), 'application/problem+json', "$method $path is a problem";
    is_deeply json($answer), { %$members, type => 'about:blank', title => $title, status => $status },
        "$method $path has the usual members and those of a problem";
}
my $refused = ask(GET => 'users/me/');
is $refused->header('Content-Type'), 'application/problem+json', 'a refusal by httpd is a problem, too';
is json($refused)->{status}, 401, 'a refusal by httpd has its status as a member';
# The header has to name the type itself, and not to refuse it. httpd splits the list.
my %accepted = (
    'Application/Problem+JSON;q=0.1' => 1,
    'application/json, application/problem+json' => 1,
    'application/json,application/problem+json;q=0.1' => 1,
    ' application/problem+json ; charset=utf-8' => 1,
    'application/problem+json;q=1' => 1,
    'application/problem+json;q=0.001' => 1,
    'application/problem+json;q=0.5;q=0' => 1,
    ',,;,=, ,application/problem+json' => 1,
    'text/html;x="a,b;q=0", application/problem+json' => 1,
    'application/problem+json;q=0, application/json' => 0,
    'application/problem+json; Q=0.000, application/json' => 0,
    'application/problem+json;x=y;q=0.' => 0,
    'application/problem+json;q=0;x=y' => 0,
    'application/problem+jsonx' => 0,
    'application/problem+jso' => 0,
    'xapplication/problem+json' => 0,
    'application/json;type=application/problem+json' => 0,
    'text/html;x="a, application/problem+json, b"' => 0,
    'application/*' => 0,
    '*/*' => 0,
    'text/html' => 0,
);
for my $accept (sort keys %accepted) {
    my $answer = call(GET => 'nothing/', as => 'alice', headers => [Accept => $accept]);
    is $answer->header('Content-Type'), $accepted{$accept} ? 'application/problem+json' : 'application/json',
        "Accept: $accept";
}

is ask(GET => 'users/me/', as => 'alice')->header('Content-Type'), 'application/json', 'a success is not a problem';
is_deeply [sort keys %{ json(call(GET => 'nothing/', as => 'alice')) }], [qw(code detail)],
    'clients that do not ask get the plain form';

finish();
