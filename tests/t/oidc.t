# oidc.t - logins by an identity provider: JWTs (conf/examples/jwt.conf) and login pages
# (conf/examples/openid-connect.conf), beside Basic and our own tokens in the same Location.
use strict;
use warnings;
use utf8;
use Apache::Test qw(need_module);
use Digest::SHA 'hmac_sha256';
use File::Temp ();
use HTTP::Cookies ();
use IPC::Open2 'open2';
use IdentityImg::Server;
use IdentityImg::Test;
use JSON::PP ();
use LWP::UserAgent ();
use MIME::Base64 qw(encode_base64 encode_base64url);
use Test::More;

my $auth_openidc = '/usr/lib/apache2/modules/mod_auth_openidc.so';
plan skip_all => 'mod_auth_openidc is not installed (Debian: libapache2-mod-auth-openidc)'
    if !need_module('auth_openidc');

my $keys = File::Temp->newdir('/tmp/iimg-keys.XXXXXX')
    ;    # (OIDCOAuthVerifyCertFiles accepts several files, but no path with a blank.)
for my $name ('ours', 'next', 'strangers') {
    system(   "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out '$keys/$name.key' 2>/dev/null"
            . " && openssl pkey -in '$keys/$name.key' -pubout -out '$keys/$name.pem'") == 0
        or die 'openssl failed';
}

my $provider = open2(
    my $provider_out, my $provider_in, 'node', "$ENV{IIMG_DOUBLES}/oidc.mjs", '--client', 'identityimg-pages',
    '--secret', 'the-secret'
);
my ($provider_port) = (readline($provider_out) // '') =~ /^listening (\d+)/ or die 'oidc.mjs does not start';
my $issuer = "http://127.0.0.1:$provider_port";

open my $file, '>', "$keys/client.conf" or die $!;
print $file "OIDCClientID identityimg-pages\nOIDCClientSecret the-secret\nOIDCCryptoPassphrase "
    . "0123456789abcdef0123456789abcdef\n";
close $file;

my $server = IdentityImg::Server->new('oidc', conf => <<"CONF")->start;
LoadModule auth_openidc_module $auth_openidc
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
Define IIMG_JWT_KEYS "k1#$keys/ours.pem k2#$keys/next.pem"
Define IIMG_JWT_ISSUER https://idp.test
Define IIMG_JWT_AUDIENCE pictures
Include "$ENV{IIMG_SOURCE}/conf/examples/jwt.conf"
Define IIMG_OIDC_METADATA $issuer/.well-known/openid-configuration
Define IIMG_OIDC_CLIENT $keys/client.conf
Define IIMG_OIDC_AFTER /static/page.txt
Include "$ENV{IIMG_SOURCE}/conf/examples/openid-connect.conf"
<Location "/static">
    Require all granted
</Location>
<Location "/no-such-module">
    IdentityImg on
    AuthType NoSuchModule
    AuthName "x"
    Require valid-user
</Location>
<Location "/forbidden">
    IdentityImg on
    Require all denied
</Location>
CONF
$server->add_page;

# Tokens ------------------------------------------------------------------------------------------------

my $json = JSON::PP->new->utf8->canonical;

# sign HEADER, CLAIMS, NAME OF THE KEY: by the header's "alg".
sub sign {
    my ($header, $claims, $key) = @_;
    my $text = join '.', map { encode_base64url($json->encode($_), '') } $header, $claims;
    my $signature = '';
    if ($header->{alg} eq 'HS256') { $signature = hmac_sha256($text, slurp("$keys/$key.pem")) }
    elsif ($header->{alg} eq 'RS256') {
        my $in = File::Temp->new;
        print $in $text;
        close $in;
        $signature = `openssl dgst -sha256 -sign '$keys/$key.key' '$in'`;
        die 'openssl failed' if $?;
    }
    return "$text." . encode_base64url($signature, '');
}

my %header = (alg => 'RS256', kid => 'k1', typ => 'JWT');
my %claims = (
    iss => 'https://idp.test', aud => 'pictures', sub => '4711', email => 'alice@example.com',
    email_verified => JSON::PP::true,
    iat => time, exp => time + 3600
);

# A valid token except for these claims; undef removes a claim.
sub token {
    my (%other) = @_;
    my %all = (%claims, %other);
    delete @all{ grep { !defined $all{$_} } keys %all };
    return sign({%header}, \%all, 'ours');
}

sub ask {
    my ($path, $authorization, @headers) = @_;
    return call(
        GET => $path, base => $server->base,
        headers => [defined $authorization ? (Authorization => $authorization) : (), @headers]
    );
}
sub bearer { my ($token, $path) = @_; return ask($path // 'users/me/', "Bearer $token") }

# The response is a 401 in our JSON, with only this challenge.
sub is_401 {
    my ($answer, $detail, $code, $challenge, $what) = @_;
    is $answer->code, 401, "$what: 401";
    is $answer->header('Content-Type'), 'application/json', "$what: the 401 is JSON";
    is_deeply json($answer), { detail => $detail, code => $code }, "$what: the 401 has its reason";
    my @challenges = $answer->header('WWW-Authenticate');
    is scalar @challenges, 1, "$what: the 401 has one challenge";
    like $challenges[0], $challenge, "$what: the challenge has the right scheme";
    return;
}

# JWT -----------------------------------------------------------------------------------------------------

my $valid = token();
my $me = bearer($valid);
is $me->code, 200, 'a valid token is accepted';
is json($me)->{id}, person('alice'), "the user is the row with the token's email";
is json(bearer(token(email => 'ALICE@Example.COM')))->{id}, person('alice'), 'the case of the email is ignored';
is json(bearer(token(email => 'bob@example.com')))->{id}, person('bob'), 'a token of another user is that user';
is ask('users/me/', "bEARER $valid")->code, 200, 'the case of the word Bearer is ignored';
is bearer($valid, 'reference-images/')->code, 200, 'the token may read the photos';
is bearer($valid, 'test-users/')->code, 403, 'the token may not use staff routes';
is bearer(token(email => 'admin@example.com'), 'test-users/')->code, 200, 'a token of staff may use staff routes';
is bearer($valid, 'nothing/')->code, 404, 'the token gets 404 for an unknown path';
my $made = call(
    POST => 'reference-images/', base => $server->base, json => { name => 'By token' },
    headers => [Authorization => "Bearer $valid"]
);
is $made->code, 201, 'the token may write';
my %good = (
    'an audience among several' => token(aud => ['others', 'pictures']),
    'the second key' => sign({ %header, kid => 'k2' }, \%claims, 'next'),
    'no kid' => sign({ alg => 'RS256' }, \%claims, 'ours'),
    'a valid nbf' => token(nbf => time - 5),
);
is bearer($good{$_})->code, 200, "$_: in" for sort keys %good;

my @parts = split /\./, $valid;
my %bad = (
    'expired' => token(exp => time - 5),
    'no exp' => token(exp => undef),
    'an exp that is a string' => token(exp => 'never'),
    'not yet valid' => token(nbf => time + 300),
    'an nbf that is a string' => token(nbf => 'now'),
    'a stranger\'s signature' => sign({%header}, \%claims, 'strangers'),
    'the other key\'s signature' => sign({%header}, \%claims, 'next'),
    'no signature' => "$parts[0].$parts[1].",
    'another\'s claims' => join('.', $parts[0], (split /\./, token(email => 'admin@example.com'))[1], $parts[2]),
    'alg none' => sign({ alg => 'none' }, \%claims),
    'alg none with a kid' => sign({ %header, alg => 'none' }, \%claims),
    'HS256 with the public key' => sign({ %header, alg => 'HS256' }, \%claims, 'ours'),
    'an unknown kid' => sign({ %header, kid => 'k9' }, \%claims, 'ours'),
    'another issuer' => token(iss => 'https://idp.test.evil.example'),
    'no issuer' => token(iss => undef),
    'another audience' => token(aud => 'pictures2'),
    'other audiences' => token(aud => ['a', 'b']),
    'no audience' => token(aud => undef),
    'email_verified false' => token(email_verified => JSON::PP::false),
    'email_verified "false"' => token(email_verified => 'false'),
    'email_verified missing' => token(email_verified => undef),
    'email missing' => token(email => undef),
    'email null' => sign({%header}, { %claims, email => undef }, 'ours'),
    'a list of emails' => token(email => ['alice@example.com']),
    'no token' => 'abc',
    'three dots' => '...',
    'nothing after Bearer' => '',
    'two tokens' => "$valid $valid",
    'claims that are a list' => sign({%header}, [1], 'ours'),
    'seven thousand characters' => 'a' x 7000,
);
# (mod_auth_openidc 2.4.12 reads past the end of such claims when it logs them; ASan ends the process.)
$bad{'claims that are no JSON'} = "$parts[0].e30x.$parts[2]" if !$ENV{IIMG_SANITIZE};
for my $what (sort keys %bad) {
    is_401(
        bearer($bad{$what}), 'Invalid token.', 'invalid_token', qr/^Bearer realm="api", error="invalid_token"/,
        "a token with $what"
    );
}
is bearer($valid)->code, 200, 'the valid token is still accepted';
is ask('users/me/', "Bearer $valid", 'IdentityImg-Now' => 't=1')->code, 200,
    'a header of the client does not change the time';
is ask('users/me/', 'Bearer ' . token(nbf => time + 300), 'IdentityImg-Now' => 't=9999999999000000')->code, 401,
    'a header of the client does not make a token valid';
is ask("users/me/?access_token=$valid")->code, 401, 'a token in the URL is ignored';
is json(ask('users/me/', 'Bearer x', Accept => 'application/problem+json'))->{title}, 'Unauthorized',
    'the 401 is a problem for clients that ask for it';

is_401(
    bearer(token(email => 'stranger@example.com')), 'User inactive or deleted.',
    json(bearer(token(email => 'stranger@example.com')))->{code},
    qr/^Bearer realm="api"/, 'a valid token of an unknown user'
);
$server->sql("UPDATE users SET is_active = false WHERE id = '" . person('alice') . "'");
is_401(
    bearer($valid), 'User inactive or deleted.', json(bearer($valid))->{code}, qr/^Bearer realm="api"/,
    'a deactivated user with a valid token is refused'
);
$server->sql("UPDATE users SET is_active = true WHERE id = '" . person('alice') . "'");
is bearer($valid)->code, 200, 'a reactivated user is accepted again';

# Other methods in the same Location ------------------------------------------------------------------------

is ask('users/me/', login('alice'))->code, 200, 'Basic is accepted in the same Location';
is_401(
    ask('users/me/', login('alice@example.com', 'wrong')), 'Invalid username/password.', 'authentication_failed',
    qr/^Basic realm="api"/, 'a wrong password'
);
my $options = call(
    OPTIONS => 'users/me/', base => $server->base,
    headers => [Origin => 'https://elsewhere.example', 'Access-Control-Request-Method' => 'GET']
);
is $options->code, 204, 'a preflight needs no credentials';
is call(OPTIONS => 'users/me/', base => $server->base, headers => [Authorization => 'Bearer x'])->code, 204,
    'a preflight ignores invalid credentials';

# Scripts must not cause a password dialog over their page.
for my $script (
    ['Sec-Fetch-Mode' => 'cors'], ['Sec-Fetch-Mode' => 'same-origin'],
    ['X-Requested-With' => 'XMLHttpRequest']
) {
    is_401(
        ask('users/me/', undef, @$script), 'Authentication credentials were not provided.', 'not_authenticated',
        qr/^Bearer realm="api"$/, "a page's script (@$script) without credentials"
    );
    is_401(
        ask('users/me/', login('alice@example.com', 'wrong'), @$script), 'Invalid username/password.',
        'authentication_failed', qr/^Bearer realm="api"$/, "a page's script (\@$script) with a wrong password"
    );
}

# Our own tokens, if the module supports them.
my $login = call(OPTIONS => 'auth/login/', base => $server->base);
if ($login->code == 204) {
    my @who = (
        base => $server->base,
        json => { email => 'alice@example.com', password => 'pw-alice', token => JSON::PP::true }
    );
    my $ours = json(call(POST => 'auth/login/', @who))->{token};
    like $ours, qr/^iimg_/, 'a login returns our token';
    is bearer($ours)->code, 200, 'our token is accepted in the same Location';
    is bearer('iimg_' . 'x' x 40)->code, 401, 'an unknown token of our form is refused';
    delete $who[3]{token};
    my ($cookie) = (call(POST => 'auth/login/', @who)->header('Set-Cookie') // '') =~ /^([^;]+)/;
    is ask('users/me/', undef, Cookie => $cookie)->code, 200, 'our cookie is accepted';
    is ask('users/me/')->code, 401, 'a request without credentials is refused';
}
else {
    is_401(
        ask('users/me/'), 'Authentication credentials were not provided.', 'not_authenticated',
        qr/^Basic realm="api"/, 'no credentials'
    );
    is bearer('iimg_' . 'x' x 40)->code, 401, 'a token of our form is checked by us';
    note 'this module has no auth/login/: our own tokens are not tested';
}

# Wrong configurations of httpd ------------------------------------------------------------------------------

my $broken = ask('/no-such-module/users/me/', login('alice'));
is $broken->code, 500, 'an AuthType of a missing module is a 500';
is json($broken)->{detail}, 'Internal server error', 'the 500 is JSON';
is + (grep { /IIMG0001/ } $server->log_lines), 0, 'the 500 is not logged as our bug';
is + (grep { /IIMG0015: GET \/no-such-module\// } $server->log_lines), 1, 'the 500 is logged with its cause';
my $denied = ask('/forbidden/users/me/');
is $denied->code . json($denied)->{detail}, '403You do not have permission to perform this action.',
    'Require all denied is a 403 with JSON';
ok !defined $denied->header('WWW-Authenticate'), 'the 403 asks for no credentials';

# Login pages ---------------------------------------------------------------------------------------------------

# (mod_auth_openidc closes the connection after its error pages without announcing it: do not keep connections.)
sub browser { return LWP::UserAgent->new(cookie_jar => HTTP::Cookies->new, requests_redirectable => [], timeout => 60) }

sub visit {
    my ($browser, $address, @headers) = @_;
    return $browser->get(
        $address =~ /^http/ ? $address : $server->base . $address, Accept => 'text/html,*/*;q=0.8',
        'Sec-Fetch-Mode' => 'navigate', 'Sec-Fetch-Dest' => 'document', @headers
    );
}

sub follow {
    my ($browser, $answer) = @_;
    return visit($browser, $answer->header('Location') // die 'no Location: ' . $answer->as_string);
}

sub me {
    my ($browser) = @_;
    return $browser->get($server->base . '/api/v1/users/me/', 'Sec-Fetch-Mode' => 'same-origin');
}

# Follow the login from /oidc/login to the provider's redirect, and return the response to that.
sub log_in {
    my ($browser, $account) = @_;
    my $page = follow($browser, visit($browser, '/oidc/login'));
    my ($action) = $page->content =~ /action="([^"]+)"/ or die 'the provider shows no form: ' . $page->as_string;
    my $back = $browser->post($issuer . $action =~ s/&amp;/&/gr, { account => $account });
    return follow($browser, $back);
}

my $browser = browser();
is_401(
    me($browser), 'Authentication credentials were not provided.', 'not_authenticated', qr/^Bearer realm="api"$/,
    "a page's script without a session"
);
my $away = visit($browser, '/oidc/login');
is $away->code, 302, 'the login page redirects';
like $away->header('Location'), qr{^\Q$issuer\E/authorize\?}, 'the redirect leads to the provider';
my $back = log_in($browser, 'alice');
is $back->code, 302, 'the provider redirects back';
my ($session) = grep { /^iimg_oidc_session=/ } $back->header('Set-Cookie');
like $session, qr/HttpOnly/i, 'the session cookie is HttpOnly';
like $session, qr/SameSite=(?:Lax|Strict)/i, 'the session cookie is SameSite';
my $after = follow($browser, $back);
like $after->header('Location'), qr{/static/page\.txt$}, 'the login ends with a redirect to the configured page';
is follow($browser, $after)->content, "a page\n", 'that page is served';
my $mine = me($browser);
is $mine->code, 200, 'the session is accepted by the API';
is json($mine)->{id}, person('alice'), 'the user is the row with the email of the ID token, in any case';
is $mine->header('Content-Type'), 'application/json', 'the API answers with JSON';
is $browser->get($server->base . '/api/v1/test-users/')->code, 403, 'roles come from our table';
is $browser->get($server->base . '/api/v1/users/me/', Authorization => "Bearer " . token(email => 'bob@example.com'))
    ->content, bearer(token(email => 'bob@example.com'))->content,
    'a token takes precedence over a session';
is $browser->get($server->base . '/api/v1/users/me/', Authorization => login('alice@example.com', 'wrong'))->code, 401,
    'a wrong password takes precedence over a session';
$server->sql("UPDATE users SET is_active = false WHERE id = '" . person('alice') . "'");
is json(me($browser))->{detail}, 'User inactive or deleted.', 'a deactivated user with a session is refused';
$server->sql("UPDATE users SET is_active = true WHERE id = '" . person('alice') . "'");
is me($browser)->code, 200, 'a reactivated user is accepted again';

my $staff = browser();
log_in($staff, 'admin');
is $staff->get($server->base . '/api/v1/test-users/')->code, 200, 'staff log in the same way';

my $stranger = browser();
is log_in($stranger, 'stranger')->code, 302, 'the provider logs in a user unknown to us';
is_401(
    me($stranger), 'User inactive or deleted.', json(me($stranger))->{code}, qr/^Bearer realm="api"/,
    'an unknown user is refused by the API'
);

my $unverified = browser();
log_in($unverified, 'unverified');
my $refused = visit($unverified, '/oidc/login');
is $refused->code . json($refused)->{detail}, '403You do not have permission to perform this action.',
    'a user without a required claim is told so, without a redirect';
is_401(
    me($unverified), 'Authentication credentials were not provided.', 'not_authenticated', qr/^Bearer realm="api"$/,
    'a user without a required claim is refused by the API'
);

for my $account ('nameless', 'old-nonce', 'other-site', 'expired', 'forged', 'unknown-name') {
    my $other = browser();
    my $answer = log_in($other, $account);
    isnt $answer->code, 302, "the provider's response for '$account' is refused";
    is me($other)->code, 401, "the provider's response for '$account' makes no session";
}
my $late = browser();
visit($late, '/oidc/login');
isnt visit($late, "/oidc/redirect?state=made-up&code=made-up")->code, 200, 'an unsolicited response is refused';
is me($late)->code, 401, 'an unsolicited response makes no session';
is ask('users/me/', undef, Cookie => 'iimg_oidc_session=made-up', 'Sec-Fetch-Mode' => 'cors')->code, 401,
    'an invented cookie makes no session';

my $gone = ask(
    'users/me/', undef, Cookie => 'iimg_oidc_session=made-up', Accept => 'text/html',
    'Sec-Fetch-Mode' => 'navigate', 'Sec-Fetch-Dest' => 'document'
);
is $gone->code, 401, 'the API does not redirect to the provider';

my $kept = HTTP::Cookies->new;
$browser->cookie_jar->scan(sub { $kept->set_cookie(@_[0 .. 5], 0, 0, 3600, 0) });
my $logout = visit($browser, '/oidc/redirect?logout=' . $server->base . '/static/page.txt');
is $logout->code, 302, 'logging out redirects to a page';
is me($browser)->code, 401, 'logging out ends the session';
$browser->cookie_jar($kept);
is me($browser)->code, 401, 'a copy of the cookie is refused after the logout';

my $refusals = JSON::PP->new->decode($browser->get("$issuer/__refusals")->content);
is "@$refusals", '', 'the provider found no defects in the requests of mod_auth_openidc';

close $provider_in;
waitpid $provider, 0;

# mod_auth_openidc logs each failure at level error. Warnings: at each start about the move of bearer tokens to
# mod_oauth2, the plain http of our provider, an ID token without an email.
$server->judge(
    qr/\[auth_openidc:error\]/,
    qr/\[auth_openidc:warn\].* (?:oidc_check_config_oauth: .* deprecated|oidc_check_config_openid_openidc: the URL scheme \(http\)|oidc_get_remote_user: )/,
    qr/\[authz_core:error\].* AH01(?:629|630|631): /, qr/\[auth_basic:error\]/,
    qr/\[authn_core:error\].* AH01796: AuthType NoSuchModule configured without corresponding module/,
    qr/IIMG0015: GET \/no-such-module\//
);
undef $server;
finish();
