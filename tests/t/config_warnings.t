# config_warnings.t - settings that are valid but do not work cause one warning at start and in
# `apachectl configtest`, with the directive, the object and the remedy.
# Runs beside others.
use strict;
use warnings;
use utf8;
use IdentityImg::Server qw(eventually free_port);
use IdentityImg::Test;
use Test::More;

my $server = IdentityImg::Server->new('config-warnings')->start;
my $state = $server->state;
my $shipped = slurp("$ENV{IIMG_SOURCE}/conf/identityimg.conf");
my $demo = slurp("$ENV{IIMG_SOURCE}/conf/demo/httpd.conf");
my $api = qr/^(<Location "\/api\/v1)(?=">)/m;

# The warnings of configtest with CONF appended, or with a changed identityimg.conf instead of the shipped one.
sub warnings_of {
    my ($conf, $changed) = @_;
    my $file;
    if (defined $changed) {
        for (
            ["$state/changed.conf", $changed],
            [
                "$state/changed-httpd.conf",
                "Include \"$state/httpd/defines.conf\"\n"
                    . ($demo =~ s{^Include "\$\{IIMG_CONF_DIR\}/identityimg\.conf"}{Include "$state/changed.conf"}mr)
                    . "Include \"$state/extra.conf\"\n"
            ]
        ) {
            open my $out, '>', $_->[0] or die $!;
            print $out $_->[1];
            close $out;
        }
        $file = "$state/changed-httpd.conf";
    }
    my ($status, $out) = $server->configtest_output($conf // '', $file);
    is $status, 0, 'configtest passes' or diag $out;
    return $out =~ /(IIMG\d{4}: .*)/g;
}

sub warns {
    my ($expected, $what, @arguments) = @_;
    my @found = warnings_of(@arguments);
    is scalar(@found), 1, "$what: there is one warning" or diag join "\n", @found;
    like $found[0] // '', $expected, "$what: the warning has directive, object and remedy";
    return;
}
sub is_silent { my ($what, @arguments) = @_; is join("\n", warnings_of(@arguments)), '', "$what: no warning"; return }
sub host { my ($lines) = @_; return "<VirtualHost 127.0.0.1:1>\nServerName other.example\n$lines</VirtualHost>\n" }

is_silent('the shipped configuration', '');
is_silent('a virtual host that inherits it', host(''));
is_silent('each example', slurp("$ENV{IIMG_SOURCE}/conf/examples/parking.conf"));

# Locations -----------------------------------------------------------------------------------------

sub off { my ($path) = @_; return "<Location \"$path\">\n    IdentityImg off\n</Location>\n" }
warns(
    qr{IIMG0012: IdentityImg: off in <Location "/"> at .+extra\.conf:1 does not turn off <Location "/api/v1">, which is on; set off in that Location},
    'IdentityImg off around the API', off('/')
);
warns(qr{off in <Location "/api"> at}, 'IdentityImg off one level above the API', off('/api/'));
warns(
    qr{IIMG0012: IdentityImg: is off at .+extra\.conf:1 and on at \S+identityimg\.conf:\d+, both for <Location "/api/v1">; the later one counts: remove one},
    'IdentityImg on and off for the same path', off('/api/v1')
);
is_silent('off for a part of the API', off('/api/v1/admin'));
is_silent('off for something else', off('/other'));
is_silent('off in a virtual host only', host(off('/api/v1')));
warns(qr{off in <Location "/"> at}, 'IdentityImg off around the API in a virtual host', host(off('/')));

warns(
    qr{IIMG0013: IdentityImg: is on in <Location "/v2">, but <Location "/api/v1/health"> at .+?changed\.conf:\d+ is not below it, so /v2/health/ asks for credentials; rename that section to <Location "/v2/health">},
    'the health section left at the old path', '', $shipped =~ s{"/api/v1(?="|/auth|/schema)}{"/v2}gr
);
my @left = warnings_of('', $shipped =~ s{$api}{<Location "/v2}r);
is join(' ', map { /<Location "(\/api\S*)"/ } @left), '/api/v1/schema /api/v1/health /api/v1/auth/login',
    'each section left behind by a moved API causes a warning';
is join(' ', map { /rename that section to <Location "(\S+)"/ } @left), '/v2/schema /v2/health /v2/auth/login',
    'the warnings name the new paths of the sections';
is_silent('all moved', '', $shipped =~ s{"/api/v1}{"/v2}gr);
is_silent(
    'schema and health closed on purpose', '',
    $shipped =~ s{^<Location "/api/v1/(?:schema|health)">.*?^</Location>\n}{}msgr
);
warns(
    qr{IIMG0013: IdentityImg: is on in <Location "/api/v1"> at .+?, but logging in there asks for credentials; add <Location "/api/v1/auth/login"> with Require all granted},
    'no Location for the login', '', $shipped =~ s{^<Location "/api/v1/auth/login">.*?^</Location>\n}{}msr
);
my @moved = warnings_of(host(
    off('/api/v1')
        . "<Location \"/v3\">\nIdentityImg on\nAuthType IdentityImg\nAuthName x\nRequire valid-user\n</Location>\n"
));
is scalar(grep { m{rename that section to <Location "/v3/} } @moved), 3,
    'an API moved in a virtual host causes the same warnings';

warns(
    qr{IIMG0021: ErrorDocument: none leads to a <Location> with IdentityImg errors, so errors that httpd makes are HTML},
    'no ErrorDocument', '', $shipped =~ s/^ErrorDocument.*\n//mgr
);
warns(
    qr{IIMG0021: }, 'error documents without their Location', '',
    $shipped =~ s{<Location "/identityimg-error"}{<Location "/elsewhere"}r
);

# Pictures ------------------------------------------------------------------------------------------

warns(
    qr{IIMG0017: IdentityImgMediaPath: "/api/v1(?:/pictures)?" lies in <Location "/api/v1"> with IdentityImg on at \S+, so no picture can be opened; choose another path, or set IdentityImg off in <Location "/api/v1(?:/pictures)?">},
    "pictures at $_", "IdentityImgMediaPath $_\n"
) for '/api/v1', '/api/v1/pictures';
warns(
    qr{IIMG0017: .*lies in <Location "/"> with IdentityImg on}, 'an API at /',
    "<Location \"/\">\nIdentityImg on\n</Location>\n"
);
is_silent(
    'IdentityImg on for / with its pictures excluded',
    "<Location \"/\">\nIdentityImg on\n</Location>\n" . off('/pictures')
);
is_silent('pictures elsewhere', "IdentityImgMediaPath /media\n");
my $guarded =
    "<Location \"/\">\nAuthType Basic\nAuthName all\nAuthBasicProvider identityimg\nRequire valid-user\n</Location>\n";
warns(
    qr{IIMG0017: IdentityImgMediaPath: "/media" lies in <Location "/"> at .+?, which asks for credentials that a picture's address replaces; add <Location "/media"> with AuthType None and Require all granted},
    'pictures moved below a protected Location', "IdentityImgMediaPath /media\n", $guarded . $shipped
);
is_silent('Locations that protect nothing that is granted', '', $guarded . $shipped);
warns(
    qr{IIMG0018: Alias: "/pictures/old" at .+extra\.conf:1 is never used, since IdentityImgMediaPath takes this path; choose another path},
    'an Alias within the picture path', "Alias /pictures/old \"$state\"\n"
);
warns(
    qr{IIMG0018: Alias: "/api/v1/docs" at .* since IdentityImg on takes}, 'an Alias within the API',
    "Alias /api/v1/docs \"$state\"\n"
);
is_silent('an Alias where IdentityImg is off', "Alias /api/v1/docs \"$state\"\n" . off('/api/v1/docs'));
is_silent('an Alias elsewhere', "Alias /docs \"$state\"\n");
SKIP: {
    skip "root can choose httpd's user; this needs another user", 2 if $> != 0;
    mkdir "$state/foreign", 0700 or die $!;
    warns(
        qr{IIMG0020: IdentityImgStorageRoot: httpd's user \S+ may not use "\Q$state\E/foreign": Permission denied; chown it to that user},
        'a store owned by another user', "IdentityImgStorageRoot \"$state/foreign\"\n"
    );
}
for (['missing', ''], ['empty', 'mkdir']) {
    my ($what, $make) = @$_;
    if ($make) { mkdir "$state/pages" or die $!; chmod 0755, "$state/pages" }
    warns(
        qr{IIMG0016: Define IIMG_CLIENT: httpd's user \S+ cannot read "\Q$state\E/pages/index\.html": No such file or directory; install the pages},
        "pages whose folder is $what",
        "Define IIMG_CLIENT \"$state/pages\"\nInclude \"$ENV{IIMG_SOURCE}/conf/identityimg-pages.conf\"\n"
    );
}

# Addresses -----------------------------------------------------------------------------------------

my $https = 'IdentityImgBaseURL https://api.example.com';
warns(
    qr{IIMG0014: IdentityImgBaseURL: "https://api\.example\.com" is https, but httpd serves plain http.*; set SSLEngine on, or, if a proxy in front of httpd ends TLS, ServerName https://api\.example\.com},
    'an https base URL on plain http', "$https\n"
);
is_silent('an https base URL behind a proxy that ends TLS', "$https\nServerName https://api.example.com\n");
warns(qr{IIMG0014: }, 'an https base URL on plain http in a virtual host', host("$https\n"));
is_silent('http where httpd serves http', "IdentityImgBaseURL http://api.example.com\n");
warns(
    qr{IIMG0014: IdentityImgBaseURL: "http://api\.example\.com" is plain http, but this server uses TLS},
    'an http base URL on TLS', "ServerName https://api.example.com\nIdentityImgBaseURL http://api.example.com\n"
);
warns(
    qr{IIMG0019: IdentityImgBaseURL: "http://api\.example\.com:80" names the default port},
    'a base URL with the default port', "IdentityImgBaseURL http://api.example.com:80\n"
);
warns(
    qr{IIMG0019: IdentityImgCorsOrigin: "https://app\.example\.com:443" names the default port, which browsers leave out, so it matches no page},
    'an origin with the default port', "IdentityImgCorsOrigin https://app.example.com:443\n"
);
warns(
    qr{IIMG0019: IdentityImgCorsOrigin: "http://Api\.example\.com" is this server itself \(IdentityImgBaseURL\)},
    'an origin that is this server',
    "IdentityImgBaseURL http://api.example.com\nIdentityImgCorsOrigin http://Api.example.com\n"
);
is_silent(
    'valid origins',
    "IdentityImgCorsOrigin https://app.example.com https://app.example.com:8443 http://localhost:5173\n"
);

my ($status, $out) = $server->configtest_output(host("IdentityImgSecretFile \"$state/gone\"\n"));
like $out,
    qr/IIMG0010: IdentityImgSecretFile: "\Q$state\E\/gone" cannot be read: .* \(in the <VirtualHost> at .+extra\.conf:1\)/,
    'a warning about a virtual host names that host';

# A start logs the same warnings once. IdentityImg off applies to its Location only ----------------------

$server->forget_log;
is $server->reload(off('/') . off('/api/v1/admin') . host('') . "IdentityImgCorsOrigin https://app.example.com:443\n"),
    '', 'a server with two warnings starts';
is join(' ', map { /(IIMG\d+)/ } $server->log_lines), 'IIMG0012 IIMG0019', 'the start logs each warning once';
my @ask = (as => 'admin', base => $server->base);
is call(GET => 'users/me/', @ask)->code, 200, 'the API stays on with IdentityImg off around it';
is call(GET => 'health/live/', @ask)->code, 200, 'health stays on as well';
{
    local $ENV{IIMG_ANSWERS};    # not from the API
    is call(GET => 'admin/users/', @ask)->code, 404, 'IdentityImg off for a part of the API turns that part off';
}
is json(call(GET => '/api/v1/users/me/', base => $server->base))->{code}, 'not_authenticated',
    'errors of the API stay JSON';

$server->judge(qr/IIMG001[29]: /);
undef $server;
finish();
