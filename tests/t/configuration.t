# configuration.t - every configuration error is reported before the server starts, with the name of the
# directive and the allowed values; virtual hosts inherit; code, docs/reference/directives.md and conf file agree.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use IdentityImg::Server qw(eventually free_port);
use IdentityImg::Test;
use Test::More;

my $server = IdentityImg::Server->new('configuration')->start;
my $state = $server->state;

# configtest of the server's own configuration with these directives appended: '' or httpd's error message.
sub complaint { my ($conf) = @_; return $server->configtest($conf) }

# Single values ---------------------------------------------------------------------------------------

sub number {
    my ($min, $max) = @_;
    return (qr/is not a number from $min to $max/, $min - 1, $max + 1, '3x', '-1', '99999999999999999999');
}

my $url = qr/is not a URL that begins with https:\/\/ or http:\/\//;
my $file = qr/is not an absolute path/;
my $dollars = qr/is not an amount of dollars from 0 to 999999, such as 25 or 0.24/;
my %refused = (
    IdentityImgMediaExpiry => [number(60, 604800)],
    IdentityImgMaxUpload => [number(1024, 104857600)],
    IdentityImgMaxPixels => [number(1, 1000), '64 0', '64 1001', '64 x'],
    IdentityImgReferenceSide => [number(256, 4096)],
    IdentityImgGeminiTimeout => [number(1, 600)],
    IdentityImgGeminiConnectTimeout => [number(1, 60)],
    IdentityImgGeminiRetries => [grep { $_ ne '-1' || ref } number(0, 10)],
    IdentityImgGeminiBreaker => [grep { $_ ne '-1' || ref } number(0, 1000)],
    IdentityImgGeminiMaxResponse => [number(1048576, 1073741824)],
    IdentityImgGeminiModels => [qr/is not a model's name: letters, digits/, 'a/b', 'good ../x', 'm' x 101],
    IdentityImgGeminiFallbackModel => [qr/is not a model's name: letters, digits/, 'a/b', '../x'],
    IdentityImgAspectRatio => [qr/is not an aspect ratio: 1:1, 2:3, .*21:9/, '7:13', '16x9'],
    IdentityImgResolution => [qr/is not a resolution: 1K, 2K, 4K/, '4k', '8K'],
    IdentityImgSpoolDir => [$file, 'spool'],
    IdentityImgGeminiPrice =>
        [qr/is not a (?:model's name|resolution: 1K, 2K, 4K|price in US dollars)/, 'a/b 1K 1', 'm 1k 1', 'm 1K free'],
    IdentityImgMaxWaiting => [number(1, 10000)],
    IdentityImgMaxParked => [number(1, 100000)],
    IdentityImgEngineJobs => [number(1, 100000)],
    IdentityImgEngineThreads => [number(1, 64)],
    IdentityImgEngineMemory => [number(1, 65536)],
    IdentityImgGenerationQueue => [number(0, 1000000)],
    IdentityImgGenerationAttempts => [number(1, 10)],
    IdentityImgGenerationsAtOnce => [grep { $_ ne '-1' || ref } number(0, 100000)],
    IdentityImgGenerationsPerUser => [grep { $_ ne '-1' || ref } number(0, 100000)],
    IdentityImgGenerationsPerDay => [grep { $_ ne '-1' || ref } number(0, 1000000)],
    IdentityImgGenerationBudget => [$dollars, '-1', '1,5', '$5', '5.', '.5', '1e3', '1000000', '0.1234567'],
    IdentityImgGenerationCost => [$dollars, 'x', '0x10', '1.2.3'],
    IdentityImgDatabaseConnections => [number(1, 1000)],
    IdentityImgDatabaseWait => [number(10, 60000)],
    IdentityImgDatabaseTimeout => [number(1, 300)],
    IdentityImgBasicCacheTime => [grep { $_ ne '-1' || ref } number(0, 3600)],
    IdentityImgSessionAge => [number(1, 31536000)],
    IdentityImgTokenAge => [number(1, 315360000)],
    IdentityImgLoginFailures => [number(1, 1000000)],
    IdentityImgLoginWindow => [number(1, 86400)],
    IdentityImgSweepInterval => [number(1, 86400)],
    IdentityImgWorkers => [number(1, 128)],
    IdentityImgWorkerWait => [number(1, 120)],
    IdentityImgWorkerTimeout => [number(1, 120)],
    IdentityImgDerivativeQuality => [number(30, 100)],
    IdentityImgDerivativeFormat => [qr/is not a format: jpeg, webp/, 'png', 'JPEG'],
    IdentityImgWorkerProgram => [$file, 'identityimg-worker', './x'],
    IdentityImgBaseURL => [
        qr/is not scheme and host alone, such as https:/, 'example.com', 'ftp://example.com', 'https://example.com/',
        'https://example.com/api', 'https://'
    ],
    IdentityImgCorsOrigin => [
        qr/is not scheme and host alone/, '*', 'app.example.com', 'https://app.example.com/',
        'https://app.example.com null'
    ],
    IdentityImgSecretFile => [$file, 'secret', './secret'],
    IdentityImgStorageRoot => [$file, 'pictures'],
    IdentityImgGeminiKeyFile => [$file, 'key'],
    IdentityImgMediaPath => [
        qr/is not a path such as \/pictures/, 'pictures', '/', '/pictures/', '/a//b', '/a/../b', '/.hidden', '"/a b"',
        '/a?b', '/a%20b'
    ],
    IdentityImgStorage => [qr/is not a storage: file, s3/, 'ftp', 'File'],
    IdentityImgMedia => [qr/is not a kind of picture URLs: signed, public/, 'private', 'Signed'],
    IdentityImgMediaPublicURL => [$url, 'cdn.example.com', 'ftp://cdn.example.com'],
    IdentityImgS3Endpoint => [$url, 's3.example.com', 's3://bucket'],
    IdentityImgS3Bucket => [qr/is not a bucket's name: 3 to 63 letters/, 'ab', 'a/b', 'a..b', '-abc', 'b' x 64],
    IdentityImgS3Region => [qr/is not a region's name such as/, 'EU', 'eu/west', 'r' x 64],
    IdentityImgS3Addressing => [qr/is not an addressing style: auto, path, virtual/, 'host', 'Path'],
    IdentityImgS3Prefix => [qr/is not a prefix such as/, '/a', 'a/', 'a//b', 'a/../b', '..', '"a b"', 'a?b', 'p' x 201],
    IdentityImgS3CredentialsFile => [$file, 'credentials', '~/.aws/credentials'],
    IdentityImgS3CAFile => [$file, 'ca.pem'],
    IdentityImgS3Encryption => [qr/is not an encryption: bucket, AES256, aws:kms/, 'none', 'aes256'],
    IdentityImgS3KMSKey => [qr/is not a key's id, alias or ARN/, '"a b"', 'a$b'],
    IdentityImgS3ConnectTimeout => [number(1, 60)],
    IdentityImgS3Timeout => [number(1, 600)],
    IdentityImgGenerator => [qr/is not a generator: gemini, preview/, 'openai', 'Gemini'],
    IdentityImgGeminiEndpoint =>
        [$url, 'generativelanguage.googleapis.com', 'ftp://x.example', '"https://a b.example"'],
    IdentityImgProxy => [$url, 'proxy.example.com:3128', 'socks5://x.example'],
    IdentityImgGeminiStore => [qr/is not off or project/, 'on', 'Off', 'false'],
    IdentityImgGeminiVersion => [qr/is not a version: v1, v1beta/, 'v2', 'V1'],
    IdentityImgGeminiModel => [qr/is not a model's name: letters, digits/, 'a/b', '../x', 'm' x 101],
);
subtest 'Each directive refuses invalid values with its name and the allowed values' => sub {
    for my $directive (sort keys %refused) {
        my ($sentence, @values) = @{ $refused{$directive} };
        my @silent = grep { complaint("$directive $_\n") !~ /\b$directive: ".*" $sentence/ }
            @values[0 .. ($#values < 2 ? $#values : 2)];
        is "@silent", '',
            "$directive refuses @values[0 .. ($#values < 2 ? $#values : 2)] with its name and the allowed values"
            or diag complaint("$directive $silent[0]\n");
        @silent = grep { complaint("$directive $_\n") eq '' } @values[3 .. $#values];
        is "@silent", '', "$directive refuses @values[3 .. $#values]" if @values > 3;
    }
};

subtest 'A switch refuses a value other than on and off' => sub {
    for my $directive (
        qw(IdentityImgPrepare IdentityImgAllowInsecureEndpoint IdentityImgS3MachineCredentials IdentityImgParkRequests))
    {
        like complaint("$directive maybe\n"), qr/$directive must be On or Off/,
            "$directive refuses a value other than on and off";
    }
};

subtest 'A wrong number of arguments is refused' => sub {
    like complaint("IdentityImgMediaExpiry$_\n"),
        qr/IdentityImgMediaExpiry takes one argument, seconds that a picture's URL is good for/,
        "a directive without a value explains its argument$_" for '', ' ""';
    like complaint("IdentityImgMaxPixels 1 2 3\n"),
        qr/IdentityImgMaxPixels takes 1-2 arguments, maximum number of megapixels/,
        'a directive with too many values is refused';
};

# Contexts of directives -----------------------------------------------------------------------------

subtest 'IdentityImg is refused outside a Location with a plain path' => sub {
    like complaint("IdentityImg on\n"),
        qr/IdentityImg\b.*not allowed here|IdentityImg: is in a section other than <Location/s,
        'IdentityImg at server level is refused';
    like complaint("<Directory /tmp>\nIdentityImg on\n</Directory>\n"),
        qr/IdentityImg: is in a section other than <Location|IdentityImg.*not allowed/,
        'IdentityImg in a Directory is refused';
    like complaint("<Location \"$_\">\nIdentityImg on\n</Location>\n"),
        qr/IdentityImg: is in a section other than <Location/,
        "IdentityImg in a Location with a pattern is refused: $_" for '/x/*y', '/x?', '/[ab]';
    like complaint("<Location ~ \"/x\">\nIdentityImg on\n</Location>\n"),
        qr/IdentityImg: is in a section other than <Location/,
        'IdentityImg in a Location ~ is refused';
    like complaint("<LocationMatch \"/x\">\nIdentityImg on\n</LocationMatch>\n"),
        qr/IdentityImg: is in a section other than <Location/,
        'IdentityImg in a LocationMatch that looks like a path is refused';
    like complaint("<LocationMatch \"^/x\">\nIdentityImg on\n</LocationMatch>\n"),
        qr/IdentityImg: is in a section other than <Location/,
        'IdentityImg in a LocationMatch is refused';
};

subtest 'A directive in the wrong place is refused' => sub {
    like complaint("<Location /x>\nIdentityImg yes\n</Location>\n"), qr/IdentityImg: "yes" is not on, off or errors/,
        'IdentityImg takes on, off and errors';
    like complaint("<VirtualHost 127.0.0.1:1>\n$_\n</VirtualHost>\n"), qr/cannot occur within <VirtualHost> section/,
        "a directive of the worker in a virtual host is refused: $_"
        for 'IdentityImgWorkers 2', 'IdentityImgWorkerProgram /bin/true';
    like complaint("<Location /x>\nIdentityImgMaxUpload 2048\n</Location>\n"), qr/IdentityImgMaxUpload not allowed/,
        'a server directive in a Location is refused';
};

# Errors that show only after the whole configuration is read -------------------------------------------

my $secret = "$state/other-secret";
my $hex = 'a1' x 32;

sub secret_file {
    my ($text, $mode) = @_;
    unlink $secret;
    open my $out, '>', $secret or die $!;
    print $out $text;
    close $out;
    chmod $mode // 0600, $secret;
    return "IdentityImgSecretFile \"$secret\"\n";
}
subtest 'A secret file that is missing or readable by others is refused' => sub {
    unlink $secret;
    like complaint("IdentityImgSecretFile \"$secret\"\n"),
        qr/IdentityImgSecretFile: "\Q$secret\E" cannot be read: .*No such file/, 'a missing secret file is refused';
    like complaint(secret_file("1 $hex\n", $_)),
        qr/IdentityImgSecretFile: "\Q$secret\E" can be read by other users: run chmod 600/,
        sprintf('a secret file of mode %04o', $_) for 0644, 0640, 0604, 0660;
};

subtest 'A malformed secret file is refused without showing the keys' => sub {
    my %secrets = (
        '' => 'holds no key',
        "# only a comment\n" => 'holds no key',
        "$hex\n" => 'has a line that is not "<id> <hex digits>"',
        "1 not-hexadecimal\n" => 'has a line that is not "<id> <hex digits>"',
        "1 ${hex}xyz\n" => 'has a line that is not "<id> <hex digits>"',
        "UPPER $hex\n" => 'has a line that is not "<id> <hex digits>"',
        "much-too-long-an-id $hex\n" => 'has a line that is not "<id> <hex digits>"',
        "1 abcdef\n" => 'has a key that is not 32 to 256 bytes',
        '1 ' . 'a' x 63 . "\n" => 'has a key that is not 32 to 256 bytes',
        '1 ' . 'a' x 65 . "\n" => 'has a key that is not 32 to 256 bytes',
        "1 $hex\n2 $hex\n3 $hex\n" => 'holds more than two keys',
        '#' x 5000 => 'is larger than 4 kB',
    );
    for my $text (sort keys %secrets) {
        like complaint(secret_file($text)), qr/IdentityImgSecretFile: "\Q$secret\E" \Q$secrets{$text}\E/,
            "a secret file is refused if it $secrets{$text}: " . substr($text, 0, 24) =~ s/\n/ /gr;
        unlike complaint(secret_file($text)), qr/$hex/, 'the message does not contain the keys' if $text =~ /$hex/;
    }
};

subtest 'A secret file with two keys is accepted, and a folder is refused' => sub {
    like complaint("IdentityImgSecretFile \"$state\"\n"), qr/IdentityImgSecretFile: "\Q$state\E" is not a regular file/,
        'a folder as secret file is refused';
    is complaint(secret_file("# two keys are right\nnew $hex\r\n\nold $hex\n")), '',
        'a secret file with two keys, a comment, an empty line and CRLF is accepted';
    is complaint(''), '', 'the default configuration is accepted';
};

subtest 'A storage folder or worker program that cannot be used is refused' => sub {
    like complaint("IdentityImgStorageRoot \"$state/nowhere\"\n"),
        qr/IdentityImgStorageRoot: "\Q$state\E\/nowhere" is not a directory/, 'a missing storage folder is refused';
    like complaint("IdentityImgStorageRoot \"$secret\"\n"),
        qr/IdentityImgStorageRoot: "\Q$secret\E" is not a directory/,
        'a file as storage folder is refused';
    like complaint("IdentityImgWorkerProgram \"$state/nowhere\"\n"),
        qr/IdentityImgWorkerProgram: "\Q$state\E\/nowhere" cannot be run: No such file/,
        'a missing worker program is refused';
    like complaint("IdentityImgWorkerProgram \"$secret\"\n"),
        qr/IdentityImgWorkerProgram: "\Q$secret\E" cannot be run: Permission denied/,
        'a worker that is not executable is refused';
};

my $s3 = "IdentityImgStorage s3\nIdentityImgS3Bucket pictures\n";
subtest 'The storage s3 needs a bucket, credentials, and settings that agree' => sub {
    local @ENV{qw(HOME AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY)} = ('/nonexistent', '', '');
    like complaint("IdentityImgStorage s3\n"), qr/IdentityImgS3Bucket: the storage "s3" needs the name of a bucket/,
        's3 without a bucket';
    like complaint($s3),
        qr/IdentityImgStorage: s3 needs credentials, from IdentityImgS3CredentialsFile, from the environment/,
        's3 without credentials is refused';
    is complaint("${s3}IdentityImgS3MachineCredentials on\n"), '', 's3 with machine credentials is accepted';
    like complaint("${s3}IdentityImgS3CredentialsFile \"$state/gone\"\n"),
        qr/IdentityImgS3CredentialsFile: "\Q$state\E\/gone" cannot be read/, 'a missing credentials file is refused';
    @ENV{qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY)} = ('key', 'secret');
    is complaint($s3), '', 'credentials from the environment are accepted';
    like complaint("${s3}IdentityImgS3Endpoint http://store.example.com\n"),
        qr/IdentityImgS3Endpoint: "http:\/\/store\.example\.com" is plain http to another machine/,
        'plain http to a remote store is refused';
    is complaint("${s3}IdentityImgS3Endpoint http://store.example.com\nIdentityImgAllowInsecureEndpoint on\n"), '',
        'plain http to a remote store is accepted with IdentityImgAllowInsecureEndpoint';
    like complaint("${s3}IdentityImgS3CAFile \"$state/gone\"\n"),
        qr/IdentityImgS3CAFile: "\Q$state\E\/gone" cannot be read/, 'a missing CA file is refused';
    like complaint("${s3}IdentityImgS3KMSKey alias\/x\n"),
        qr/IdentityImgS3KMSKey: needs IdentityImgS3Encryption aws:kms/, 'a KMS key without KMS encryption is refused';
    like complaint("${s3}IdentityImgMediaPublicURL https://cdn.example.com\n"),
        qr/IdentityImgMediaPublicURL: needs IdentityImgMedia public/, 'a CDN URL for signed URLs is refused';
};

subtest 'The example of s3 is valid as shipped' => sub {
    my $keys = secret_file("[default]\naws_access_key_id = a\naws_secret_access_key = b\n") =~ s/^\S+ (.*)\n/$1/r;
    my $example = slurp("$ENV{IIMG_SOURCE}/conf/examples/s3.conf") =~ s{/etc/identityimg/s3\.credentials}{$keys}gr;
    is complaint($example), '', 'conf/examples/s3.conf is valid as shipped';
    is complaint($example =~ s/^#(?=IdentityImg(?!S3CAFile))//mgr), '',
        'conf/examples/s3.conf is valid with its optional lines';
};

subtest 'Public pictures in a directory are refused' => sub {
    like complaint("IdentityImgMedia public\n"),
        qr/IdentityImgMedia: public needs a store that serves pictures itself, which IdentityImgStorage file does not/,
        'public pictures in a directory are refused';
};

subtest 'A price has a model, a resolution and an amount' => sub {
    for my $case (
        ['a/b 1K 0.1', 'a/b', 'a model\'s name'], ['m 1k 0.1', '1k', 'a resolution: 1K, 2K, 4K'],
        map { ["m 1K $_", $_, 'a price in US dollars such as 0.134'] } '0,5', qw(free -1 .5 1. 0.1234567 123456 1e3)
    ) {
        my ($arguments, $value, $what) = @$case;
        like complaint("IdentityImgGeminiPrice $arguments\n"), qr/IdentityImgGeminiPrice: "\Q$value\E" is not $what/,
            "a price of $arguments is refused";
    }
    like complaint("IdentityImgGeminiPrice m 1K\n"),
        qr/IdentityImgGeminiPrice takes three arguments, a model, a resolution/, 'an incomplete price is refused';
    is complaint("IdentityImgGeminiPrice gemini-3-pro-image $_\n"), '', "$_ is a price"
        for '1K 0', '4K 0.24', '2K 12345.123456';
};

subtest 'More than 16 models are refused' => sub {
    like complaint('IdentityImgGeminiModels ' . join(' ', map { "m$_" } 1 .. 17) . "\n"),
        qr/IdentityImgGeminiModels: names more than 16 models/, 'seventeen models are refused';
};

subtest 'The generator gemini needs a key in a file that others cannot read' => sub {
    like complaint("IdentityImgGenerator gemini\n"),
        qr/IdentityImgGenerator: gemini needs a key, from IdentityImgGeminiKeyFile or the environment variable GEMINI_API_KEY/,
        'gemini without a key is refused';
    secret_file("a-key\n", 0644);
    like complaint("IdentityImgGeminiKeyFile \"$secret\"\n"),
        qr/IdentityImgGeminiKeyFile: "\Q$secret\E" can be read by other users/,
        'a key file readable by others is refused';
    secret_file('');
    like complaint("IdentityImgGenerator gemini\nIdentityImgGeminiKeyFile \"$secret\"\n"),
        qr/IdentityImgGenerator: gemini needs a key/, 'an empty key file is refused';
};

subtest 'A malformed key file is refused without showing the key' => sub {
    my %bad_keys = (
        '' => 'is empty; write the key of the Gemini API into it',
        "\n" => 'is empty',
        " \t\r\n \n" => 'is empty',
        "AQ.one\nAQ.two\n" => 'has more than one line',
        "AQ.one\rAQ.two" => 'has more than one line',
        "AQ.one\n\n# why\n" => 'has more than one line',
        "AQ. one\n" => 'has a character that no key has',
        "AQ.\tone\n" => 'has a character that no key has',
        "AQ.\x01one\n" => 'has a character that no key has',
        "AQ.one\x7f" => 'has a character that no key has',
        "\xef\xbb\xbfAQ.one\n" => 'has a character that no key has',
        "AQ.\xc3\xa9\n" => 'has a character that no key has',
        "AQ.one\0two\n" => 'contains a NUL byte',
        "\0" => 'contains a NUL byte',
        'A' x 5000 => 'is larger than 4 kB',
    );
    for my $text (sort keys %bad_keys) {
        secret_file($text);
        my $shown = substr($text, 0, 12) =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger;
        for my $generator ('', "IdentityImgGenerator preview\n", "IdentityImgGenerator gemini\n") {
            my $complaint = complaint("${generator}IdentityImgGeminiKeyFile \"$secret\"\n");
            like $complaint, qr/IdentityImgGeminiKeyFile: "\Q$secret\E" \Q$bad_keys{$text}\E/,
                "a key file of \"$shown\" is refused: it $bad_keys{$text}"
                . ($generator =~ /(\w+)$/ ? ", also with the generator $1" : '');
            unlike $complaint, qr/AQ\./, 'the message does not contain the key' if $text =~ /AQ/;
        }
    }
};

subtest 'A key file with one key is accepted' => sub {
    for my $text ("AQ.one", "AQ.one\n", "  AQ.one \r\n\n", '!"#$%~') {
        secret_file($text);
        is complaint("IdentityImgGenerator gemini\nIdentityImgGeminiKeyFile \"$secret\"\n"), '',
            'a key file with one key is accepted: ' . $text =~ s/\s/ /gr;
    }
};

subtest 'A key file that is missing or a folder is refused' => sub {
    like complaint("IdentityImgGeminiKeyFile \"$state/gone\"\n"),
        qr/IdentityImgGeminiKeyFile: "\Q$state\E\/gone" cannot be read: .*No such file/,
        'a missing key file is refused';
    like complaint("IdentityImgGeminiKeyFile \"$state\"\n"),
        qr/IdentityImgGeminiKeyFile: "\Q$state\E" is not a regular file/, 'a folder as key file is refused';
};

subtest 'A malformed key in the environment is refused' => sub {
    local $ENV{GEMINI_API_KEY} = "AQ.one AQ.two";
    like complaint(''), qr/the environment variable GEMINI_API_KEY has a character that no key has/,
        'a malformed key in the environment is refused';
    $ENV{GEMINI_API_KEY} = ' ';
    like complaint(''), qr/the environment variable GEMINI_API_KEY is empty/,
        'a blank key in the environment is refused';
    $ENV{GEMINI_API_KEY} = '';
    is complaint(''), '', 'an empty key in the environment counts as unset';
};

subtest 'The generator preview needs no key' => sub {
    is complaint("IdentityImgGenerator preview\n"), '', 'preview needs no key';
};

subtest 'Errors in virtual hosts are reported' => sub {
    like complaint("<VirtualHost 127.0.0.1:1>\nIdentityImgSecretFile \"$state/gone\"\n</VirtualHost>\n"),
        qr/IdentityImgSecretFile: "\Q$state\E\/gone" cannot be read/,
        'errors in virtual hosts are reported';
};

# Without mod_dbd: the demo configuration without its database lines.
sub configtest_without {
    my ($lines, $instead) = @_;
    my $demo = slurp("$ENV{IIMG_SOURCE}/conf/demo/httpd.conf") =~ s/^$lines.*\n//mgr;
    open my $out, '>', "$state/without.conf" or die $!;
    print $out "Include \"$state/httpd/defines.conf\"\n$demo", $instead ? "$instead\n" : '';
    close $out;
    return $server->configtest('', "$state/without.conf");
}

subtest 'Without mod_dbd or its driver the configuration is refused' => sub {
    is configtest_without('#'), '', 'the demo configuration is valid';
    like configtest_without('(?:LoadModule dbd_module|DBD)'),
        qr/IIMG0010: mod_dbd is not loaded: add LoadModule dbd_module, DBDriver pgsql and DBDParams/,
        'a missing mod_dbd is reported by name';
    like configtest_without('DBDriver'), qr/IIMG0010: DBDriver: is missing: add DBDriver pgsql, and DBDParams/,
        'a missing DBDriver is reported';
    is configtest_without('DBDriver', 'DBDriver "pgsql"'), '', 'DBDriver in quotes is accepted';
    is configtest_without('DBDriver', "<VirtualHost 127.0.0.1:1>\nDBDriver pgsql\n</VirtualHost>") =~
        /IIMG0010: DBDriver: is missing/, 1, 'a missing DBDriver of a virtual host is reported';
};

subtest 'A DBDriver other than pgsql is refused' => sub {
    SKIP: {
        skip 'no other driver is installed (Debian: libaprutil1-dbd-sqlite3)', 1
            if !grep { -e } glob '/usr/lib/*/apr-util-1/apr_dbd_sqlite3*.so';
        like configtest_without('DBDriver', 'DBDriver sqlite3'), qr/IIMG0010: DBDriver: "sqlite3" is not pgsql/,
            'a DBDriver other than pgsql is refused';
    }
};

# Inconsistent sizes: mod_dbd would start and never open a connection.
subtest 'Inconsistent sizes of the connection pool are refused' => sub {
    for (
        ['DBDMax', 'DBDMax 8', 'DBDMax: 8 is less than DBDKeep, 12'],
        ['DBDMax', 'DBDMax 0', 'DBDMax: 0 is not at least 1'],
        ['DBD(?:Keep|Max)', 'DBDMax 1', 'DBDMax: 1 is less than DBDKeep, 2'],
        ['DBD(?:Keep|Min)', 'DBDMin 5', 'DBDKeep: 2 is less than DBDMin, 5']
    ) {
        my ($without, $with, $sentence) = @$_;
        like configtest_without($without, $with), qr/IIMG0010: $sentence$/m, "$sentence";
    }
};

subtest 'The sizes do not matter without a pool' => sub {
    is configtest_without('DBD(?:Keep|Max)', "DBDPersist Off\nDBDMax 1"), '', 'pool sizes do not matter without a pool';
};

# Values that apply together ---------------------------------------------------------------------------

subtest 'A refused reload leaves the server running' => sub {
    like $server->reload("IdentityImgMediaExpiry 3x\n"), qr/IdentityImgMediaExpiry: "3x" is not a number/,
        'a reload with an invalid configuration is refused';
    is call(GET => 'users/me/', as => 'alice', base => $server->base)->code, 200,
        'the server keeps running after a refused reload';
    is + (grep { /\[\w+:(?:emerg|alert|crit)\]/ } $server->log_lines), 0, 'a refused reload logs no emergency';
};

sub shown {
    my ($base) = @_;
    return json(call(GET => 'reference-images/', as => 'alice', base => $base))->[0]{image}{original};
}
sub seconds { my ($address) = @_; return ($address =~ /e=(\d+)/)[0] - time }

subtest 'Virtual hosts use their own directives and inherit the others' => sub {
    my ($second, $third) = (free_port(), free_port());
    is $server->reload(<<"CONF"), '', 'virtual hosts with their own directives are accepted';
IdentityImgMediaExpiry 7200
Listen 127.0.0.1:$second
Listen 127.0.0.1:$third
<VirtualHost 127.0.0.1:$second>
    ServerName second.example
    IdentityImgBaseURL https://pictures.example.com
    IdentityImgMediaExpiry 60
    IdentityImgMaxUpload 1024
</VirtualHost>
<VirtualHost 127.0.0.1:$third>
    ServerName third.example
    UseCanonicalName Off
</VirtualHost>
CONF
    ok eventually(sub { call(GET => 'users/me/', as => 'alice', base => "http://127.0.0.1:$second")->code == 200 }),
        'the virtual hosts respond';
    my $main = $server->base;
    my $made = call(
        POST => 'reference-images/', as => 'alice', base => $main,
        parts => [image => [make_jpeg(120, 90), 'v.jpg']]
    );
    is $made->code, 201, 'a photo is created on the main server';

    ok eventually(sub { seconds(shown($main)) > 3600 }), 'the main server uses its own expiry';
    my $seen = shown("http://127.0.0.1:$second");
    like $seen, qr{^https://pictures\.example\.com/pictures/media/},
        'URLs of the virtual host begin with its IdentityImgBaseURL';
    cmp_ok seconds($seen), '<=', 60, 'URLs of the virtual host expire after its IdentityImgMediaExpiry';
    is call(GET => $seen =~ s{^https://[^/]+}{http://127.0.0.1:$second}r)->code, 200,
        'URLs of the virtual host can be fetched there';
    is call(
        POST => 'reference-images/', as => 'alice', base => "http://127.0.0.1:$second",
        parts => [image => [portrait(), 'v.png']]
    )->code, 413, 'the upload limit of the virtual host applies there';
    is call(POST => 'reference-images/', as => 'alice', base => $main, parts => [image => [portrait(), 'v.png']])->code,
        201, 'the upload limit of the virtual host does not apply to the main server';
    like shown("http://127.0.0.1:$third"), qr{^http://127\.0\.0\.1:$third/pictures/},
        "a virtual host without directives inherits, and uses the request's host name";
    cmp_ok seconds(shown("http://127.0.0.1:$third")), '>', 3600,
        "a virtual host without directives has the main server's expiry";
};

# Directives in code, conf file and documentation ------------------------------------------------------

my $source = slurp("$ENV{IIMG_SOURCE}/mod_identityimg/server/config/commands.c");
my ($table) = $source =~ /iimg_config_commands\[\] = \{(.*?)^\};/ms;
my %in_code = map { $_ => 1 } $table =~ /"(IdentityImg\w*)"/g;
my %in_conf = map { $_ => 1 } slurp("$ENV{IIMG_SOURCE}/conf/identityimg.conf") =~ /^\s*#?(IdentityImg\w*) \S/mg;
my %in_page =
    map { $_ => 1 } slurp("$ENV{IIMG_SOURCE}/docs/reference/directives.md") =~ /^(?:\| |#+ )`?(IdentityImg\w*)\b/mg;
subtest 'The code, the conf file and the page have the same directives' => sub {
    cmp_ok scalar(keys %in_code), '>', 20, 'the code has more than 20 directives';
    is join(' ', sort keys %in_conf), join(' ', sort keys %in_code),
        'conf/identityimg.conf has exactly the directives of the code';
    is join(' ', sort keys %in_page), join(' ', sort keys %in_code),
        'docs/reference/directives.md has exactly the directives of the code';
};

my @incomplete =
    grep { /^\| `Identity/ && !/^\| `(?:\\\||[^`|])+` \| [^|]+ \| [SVL] \| (?:\\\||[^|])+\. \|$/ } split /\n/,
    slurp("$ENV{IIMG_SOURCE}/docs/reference/directives.md");
is join("\n", @incomplete), '', 'each directive on the page has syntax, default, context and purpose';
subtest 'This test has an invalid value for each directive' => sub {
    my %tested = map { $_ => 1 } keys %refused,
        qw(IdentityImg IdentityImgPrepare IdentityImgAllowInsecureEndpoint IdentityImgS3MachineCredentials
        IdentityImgParkRequests);
    is join(' ', sort keys %tested), join(' ', sort keys %in_code), 'this test has an invalid value for each directive';
};

# A setting is one row of settings.h. Each row belongs to one directive and one field of iimg_config_t.
my $page = slurp("$ENV{IIMG_SOURCE}/docs/reference/directives.md");
my $annotated = slurp("$ENV{IIMG_SOURCE}/conf/identityimg.conf");
my $settings = slurp("$ENV{IIMG_SOURCE}/mod_identityimg/server/config/settings.h");
my %row = map { /^ +X\((\w+), (\w+), (.*)\)/ ? ($1 => { field => $2, values => [split /, /, $3] }) : () }
    split /\n/, $settings;
my %directive;    # row => names
push @{ $directive{$2} }, $1 while $table =~ /\b(?:NUMBER|TEXT|FLAG)\("(\w+)", (\w+)/g;
push @{ $directive{$2} }, $1 while $table =~ /\("(\w+)", \w+, (?:NUMBER|TEXT)_ROW\((\w+)\)/g;
push @{ $directive{$1} }, 'IdentityImgMaxPixels' while $source =~ /store_number\(cmd, NUMBER_ROW\((\w+)\)/g;
subtest 'Each row of settings.h has one directive and one field' => sub {
    is join(' ', grep { @{ $directive{$_} // [] } != 1 } sort keys %row), '',
        'each row of settings.h has one directive';

    my ($struct) =
        slurp("$ENV{IIMG_SOURCE}/mod_identityimg/server/config/config.h") =~ /Directives\. (.*?)bool enabled;/s;
    my %fields = map { $_ => 1 } $struct =~ /^ +(?:const char|apr_array_header_t|int) \*?(\w+);/mg;
    my %lists = map { $_ => 1 } $struct =~ /^ +apr_array_header_t \*(\w+);/mg;
    my $merge = slurp("$ENV{IIMG_SOURCE}/mod_identityimg/server/config/settings.c");
    is join(' ', sort map { $_->{field} } values %row), join(' ', sort grep { !$lists{$_} } keys %fields),
        'each number, flag and text of iimg_config_t has a row in settings.h';
    is join(' ', sort $merge =~ /^ +merged->(\w+) = add->\1 \?/mg), join(' ', sort keys %lists),
        'each list of iimg_config_t is merged';
};

# The page and the conf file have the range and the default of each row.
sub documented { my ($name) = @_; return $page =~ /^\| `\Q$name\E (\S+)[^`]*` \| ([^|]*?) \| (\w) \|/m }

# The comment above a directive, with the directives that share it.
sub comment_of {
    my ($name) = @_;
    my ($paragraph) = grep { /^#\Q$name\E /m } split /\n\n/, $annotated;
    return join ' ', ($paragraph // '') =~ /^# (.*)/mg;
}

subtest 'The page and the conf file have the range and the default of each row' => sub {
    my ($numbers, $texts, $flags) = (0, 0, 0);
    for my $row (sort keys %row) {
        my $name = $directive{$row}[0] // next;
        my @values = @{ $row{$row}{values} };
        my ($syntax, $default, $context) = documented($name);
        my ($shown) = $annotated =~ /^\s*#?$name (.*)/m;
        is $context, $table =~ /"$name", set_main_/ ? 'S' : 'V', "the page has the context of $name";
        if (@values == 3) {
            my ($min, $max, $preset) = @values;
            my $place = $row eq 'MEGAPIXELS_JPEG' ? 1 : 0;
            is $syntax, "$min-$max", "the page has the range of $name";
            like comment_of($name), qr/\b$min-$max\b/, "conf/identityimg.conf has the range of $name";
            if ($preset >= $min) {
                is + (split ' ', $default)[$place], $preset, "the page has the default of $name";
                is + (split ' ', $shown)[$place], $preset, "conf/identityimg.conf has the default of $name";
            }
            else { like $default, qr/[A-Za-z]/, "the page says where the default of $name comes from" }
            $numbers++;
        }
        elsif (@values == 2) {
            next if $values[1] !~ /^"(.*)"$/;
            is $default, $1, "the page has the default of $name";
            like $shown, qr/^(?:\Q$1\E|\$\{IIMG_STORAGE\})$/, "conf/identityimg.conf has the default of $name";
            $texts++;
        }
        else {
            my $preset = $values[0] eq '0' ? 'off' : 'on';    # IIMG_PARK_IF_POSSIBLE is on, too
            is $syntax, 'on\|off', "the page has the syntax of $name";
            like $default, qr/^$preset\b/, "the page has the default of $name";
            is $shown, $preset, "conf/identityimg.conf has the default of $name";
            $flags++;
        }
    }
    cmp_ok $numbers, '>', 30, 'more than 30 numbers are compared';
    cmp_ok $texts, '>', 10, 'more than 10 texts are compared';
    cmp_ok $flags, '>', 3, 'more than three flags are compared';
};

$server->judge(qr/IIMG0014: IdentityImgBaseURL: "https:/);
undef $server;
finish();
