# storage.t - one suite for all stores: a directory, Ceph's radosgw and OpenStack Swift. After each step store,
# manifest and rows agree. URLs work in any client, and only as issued.
# Runs beside others.
use strict;
use warnings;
use utf8;
use HTTP::Tiny;
use IdentityImg::Server qw(eventually free_port);
use IdentityImg::Store;
use IdentityImg::Test;
use POSIX 'strftime';
use Test::More;
use Time::Local 'timegm';

my $server = IdentityImg::Server->new('storage');
my $plain = HTTP::Tiny->new(timeout => 60, max_redirect => 0);
my $jpeg = make_jpeg(900, 700, 'strip');    # without metadata, which would be removed
my $store;

sub api {
    my ($method, $path, $who, %with) = @_;
    return call($method => $path, as => $who, base => $server->base, %with);
}

sub fetch { my ($url, %headers) = @_; return $plain->get($url, { headers => \%headers }) }

# The store has exactly the objects of the manifest, and these are the objects of the rows.
sub agrees {
    my ($after) = @_;
    my @all =
        $server->sql("SELECT 'object', key, state FROM stored_objects"
            . " UNION ALL SELECT 'shown', image, image_sized FROM reference_images WHERE image IS NOT NULL"
            . " UNION ALL SELECT 'shown', image, image_sized FROM identities WHERE image IS NOT NULL"
            . " UNION ALL SELECT 'shown', previous_image, previous_image_sized FROM identities WHERE previous_image IS "
            . "NOT NULL"
            . " UNION ALL SELECT 'shown', image, NULL FROM generation_jobs WHERE image IS NOT NULL");
    my @rows = sort map { /^object\|([^|]+)/ ? $1 : () } @all;
    my @shown = map { /^shown\|(.*)/ ? $1 : () } @all;
    is join("\n", $store->objects($server->state)), join("\n", @rows),
        "after $after the store has exactly the objects of the manifest";
    is join(' ', grep { /^object/ && !/\|(?:live|held)$/ } @all), '', "after $after all objects are live or held";
    my @wanted = map {
        my ($key, $sized) = split /\|/;
        ($key, $sized ? map { $key =~ s{([^/]+)\.\w+$}{__sized__/$1-thumbnail-${_}x$_.$sized}r } 100, 300, 600 : ())
    } @shown;
    is join("\n", sort @wanted), join("\n", @rows), "after $after each row has all its objects";
    return;
}

sub upload {
    my ($name, $file, $who) = @_;
    utf8::encode($name);
    my $answer = api(POST => 'reference-images/', $who // 'alice', parts => [image => [$file // $jpeg, $name]]);
    is $answer->code, 201, 'a photo is accepted' or diag $answer->content;
    return json($answer);
}

sub remove {
    ok scalar(@_), 'there is something to delete';
    for (@_) { is api(DELETE => "reference-images/$_->{id}/", 'alice')->code, 204, 'a photo is deleted' }
    return;
}

sub key_of { my ($url) = @_; return $url =~ m{((?:media|generated_images)/[^?]+)} ? $1 : '' }

sub use_store {
    my ($new, $conf, $env) = @_;
    $store = $new;
    $server->{env} = $env // $store->env;
    $server->restart($conf // '');
    local $server->{env} = $store->env;
    my $out = $server->script(
        ctl => 'adopt-store', '--force',
        $store->{prefix} ? ('--s3-prefix', $store->{prefix} =~ s{/$}{}r) : ()
    );
    die "adopt-store: $out" if $?;
    return;
}

# Steps ----------------------------------------------------------------------------------------------

sub pictures {
    my $photo = upload('Me & my 100%+ hat, späße.v2.JPEG');
    agrees('an upload');
    like key_of($photo->{image}{original}), qr{^media/[0-9a-f-]{36}/[a-z0-9_-]+\.jpg$},
        'the key has only safe characters';
    my $got = fetch($photo->{image}{original});
    is $got->{status}, 200, 'the original can be fetched by a plain client' or diag $got->{content};
    ok $got->{content} eq slurp($jpeg), 'the picture has the uploaded bytes';
    is $got->{headers}{'content-type'}, 'image/jpeg', 'the picture has its Content-Type';
    is $got->{headers}{'content-disposition'}, 'inline', 'the picture is inline';
    like $got->{headers}{'cache-control'}, qr/^private, max-age=\d+, immutable$/, 'only browsers may cache the picture';
    for my $size ([thumbnail => 100, 78], [medium => 300, 234], [large => 600, 467]) {
        my $derived = fetch($photo->{image}{ $size->[0] });
        my $file = "$ENV{IIMG_WORK}/derived.jpg";
        open my $out, '>:raw', $file or die $!;
        print $out $derived->{content};
        close $out;
        chomp(my @sides = map { scalar `vipsheader -f $_ '$file'` } qw(width height));
        is "$derived->{status} $derived->{headers}{'content-type'} @sides", "200 image/jpeg $size->[1] $size->[2]",
            "the $size->[0] is a JPEG that fits";
    }
    my $part = fetch($photo->{image}{original}, Range => 'bytes=100-199');
    is "$part->{status} $part->{headers}{'content-range'}", '206 bytes 100-199/' . -s $jpeg, 'a range is 206';
    ok $part->{content} eq substr(slurp($jpeg), 100, 100), 'the body is the range';
    my $again = eventually(sub {
        my ($a, $b) = map { json(api(GET => "reference-images/$photo->{id}/", 'alice'))->{image}{large} } 1, 2;
        $a eq $b ? $a : undef;
    });
    ok $again, 'a picture has the same URL in two responses';

    is api(
        POST => "reference-images/$photo->{id}/upload-image/", 'alice',
        parts => [image => [portrait(), '../../etc/passwd']]
    )->code, 200, 'another picture replaces it';
    agrees('a replacement');
    is fetch($photo->{image}{original})->{status}, 404, 'the replaced picture is 404';
    my @more = map { upload($_->[0], $_->[1]) } ['..'], ['x' x 240 . '.png', portrait()], ['日本語.heic'];
    is scalar(grep { $_->{image}{thumbnail} } @more), 3, 'uploads with unusual names have pictures';
    agrees('uploads under odd names');
    is fetch($_->{image}{thumbnail})->{status}, 200, 'pictures with unusual names can be fetched' for @more;
    remove($photo, @more);
    agrees('deleting everything');
    is scalar(my @left = $store->objects($server->state)), 0, 'nothing is left in the store';
    return;
}

sub generated {
    my ($person, $identity) = (person('scenario_one'), identity_of('full'));
    my $photo =
        json(api(POST => 'reference-images/', 'admin', parts => [user_id => $person, image => [$jpeg, 'a.jpg']]));
    my $order =
        { user_id => $person, identity_id => $identity, resolution => '1K', save_to_identity => JSON::PP::true() };
    my $made = json(api(POST => 'image-generation/generate/', 'admin', json => $order));
    agrees('a generation with save_to_identity');
    is fetch($made->{$_})->{status}, 200, "$_ opens" for 'image_url';
    is fetch($made->{identity}{image}{medium})->{status}, 200, "the identity's picture can be fetched";
    my $download = fetch($made->{job}{download_url});
    like "$download->{status} $download->{headers}{'content-disposition'}",
        qr/^200 attachment; filename="[a-z0-9_-]+-\d{8}\.(?:png|jpg)"$/, 'a download has a file name';
    is api(DELETE => "identities/$identity/delete-image/", 'admin')->code, 200, "the identity's picture is removed";
    agrees("removing the identity's picture");
    my $back = json(api(POST => "identities/$identity/restore-image/", 'admin'));
    is fetch($back->{image}{large})->{status}, 200, 'the picture is restored';
    agrees("restoring the identity's picture");
    $server->sql(
        "DELETE FROM reference_images; DELETE FROM generation_jobs; UPDATE identities SET image = NULL, image_sized = "
            . "NULL");
    $server->sql('UPDATE identities SET previous_image = NULL, previous_image_sized = NULL');
    $server->sql("UPDATE stored_objects SET state = 'doomed', held_until = NULL WHERE state = 'held'");
    like $server->script(ctl => 'sweep'), qr/^\d+ objects deleted$/, 'identityimgctl sweeps this store';
    is scalar(my @left = $store->objects($server->state)), 0, 'deleting rows in SQL deletes their objects';
    return;
}

sub time_of {
    my ($stamp) = @_;
    my @t = $stamp =~ /^(....)(..)(..)T(..)(..)(..)Z$/;
    return timegm(@t[5, 4, 3, 2], $t[1] - 1, $t[0]);
}

sub other { my ($text) = @_; my $last = chop $text; return $text . ($last eq '0' ? '1' : '0') }

sub refused {
    my ($url, $what) = @_;
    my $got = fetch($url);
    like $got->{status}, qr/^40[03]$/, "$what is refused" or diag $url, $got->{content};
    return;
}

sub addresses {
    my $photo = upload('address.jpg');
    my $url = $photo->{image}{medium};
    my ($stamp, $expires) = $url =~ /X-Amz-Date=(\w+)&X-Amz-Expires=(\d+)/;
    my ($since, $now) = (time_of($stamp), time);
    is $expires, 3600, 'a URL is valid for IdentityImgMediaExpiry';
    is $since % 900, 0, 'the validity starts at a quarter of that time';
    ok $since <= $now && $now - $since <= 930, 'the validity starts at the current quarter';
    is $url, $store->presigned(key_of($url), $since, $expires),
        'the URL equals that of another signer for the same time';
    is fetch($store->presigned(key_of($url), $now - 120, 180))->{status}, 200, 'a URL works within its time';
    refused($store->presigned(key_of($url), $now - 240, 180), 'a URL after its time');
    refused($url =~ s/(X-Amz-Signature=)(\w+)/$1 . other($2)/er, 'another signature');
    refused($url =~ s/X-Amz-Expires=\d+/X-Amz-Expires=86400/r, 'a longer time');
    refused($url =~ s/X-Amz-Date=\d{8}/'X-Amz-Date=' . strftime('%Y%m%d', gmtime $now + 86400)/er, 'another day');
    refused("$url&response-content-type=text%2Fhtml", 'another type');
    refused($url =~ s{medium|300x300}{600x600}r, 'another picture');
    refused($url =~ s/\?.*//r, 'no signature');
    remove($photo);
    return;
}

sub versioned {
    $store->keep_versions;
    $store->request(PUT => 'lists/of others.txt', content => 'not ours');
    my $photo = upload('versions.jpg');
    cmp_ok scalar(my @there = $store->versions), '>=', 5, 'a photo is stored';
    remove($photo);
    is scalar(my @left = $store->versions), 1,
        'a deleted photo has no versions or markers left; objects of others stay';
    $store->request(
        DELETE => 'lists/of others.txt',
        query => { versionId => ($store->listing(versions => '', prefix => 'lists/') =~ m{<VersionId>([^<]+)})[0] }
    );
    return;
}

# The suite -------------------------------------------------------------------------------------------

my %stores;
for my $kind (qw(file radosgw swift)) {
    subtest "pictures in the store $kind" => sub {
        my $new = $stores{$kind} = IdentityImg::Store->new($kind);
        plan skip_all => $new->missing if $new->missing;
        # Swift requires its own region name; this one differs from the others.
        use_store($new, '', { %{ $new->env }, $kind eq 'swift' ? (S3_REGION => 'eu-west-9') : () });
        pictures();
        generated();
        addresses() if $new->is_s3;
        versioned() if $kind eq 'radosgw';
    };
}

# S3 stores only ----------------------------------------------------------------------------------------

sub start_fails {
    my ($env, $conf) = @_;
    $server->stop;
    $server->{env} = { %{ $store->env }, %$env };
    return eval { $server->start($conf // ''); 1 } ? '' : $@;
}

sub wrong_at_start {
    like start_fails({ AWS_SECRET_ACCESS_KEY => 'wrong' }),
        qr/IIMG0010: IdentityImgStorage: bucket "pictures": the store refuses the secret key: correct the credentials \(SignatureDoesNotMatch\)/,
        'a wrong secret key is reported at the start';
    like start_fails({ S3_BUCKET => 'no-such-bucket' }),
        qr/IIMG0010: IdentityImgStorage: bucket "no-such-bucket": there is no such bucket: create it, or correct IdentityImgS3Bucket/,
        'a missing bucket is reported at the start';
    my $lines = join "\n", $server->log_lines(1);
    unlike $lines, qr/\Q$store->{secret}/, 'the log does not contain the secret key';
    return;
}

sub away {
    my ($seconds, $what) = @_;
    my $began = time;
    my $answer = api(POST => 'reference-images/', 'alice', parts => [image => [$jpeg, 'a.jpg']]);
    cmp_ok time - $began, '<=', $seconds, "an upload to a store $what is answered in time";
    is $answer->code, 503, "an upload to a store $what is a 503";
    like $answer->header('Retry-After') // '', qr/^\d+$/, "an upload to a store $what gets Retry-After";
    is json($answer)->{detail}, 'The picture store is not available at the moment. Nothing was changed.',
        "an upload to a store $what gets the sentence about the store";
    is json($answer)->{code}, 'store_down', "an upload to a store $what has its code";
    my $list = api(GET => 'reference-images/', 'alice');
    is $list->code, 200, 'lists are answered meanwhile';
    like json($list)->[0]{image}{medium}, qr/X-Amz-Signature=/, 'the lists have URLs';
    return;
}

sub store_that_fails {
    local @$server{qw(proxy_in proxy_out proxy_pid)};
    my $target = $store->{port};
    $server->{proxy_pid} = IPC::Open2::open2(my $out, my $in, $^X, "$ENV{IIMG_DOUBLES}/tcp_proxy.pl", $target);
    @$server{qw(proxy_out proxy_in)} = ($out, $in);
    my ($port) = readline($out) =~ /^port (\d+)/;
    $server->line('refuse');
    use_store($store, "IdentityImgS3Timeout 4\nIdentityImgS3ConnectTimeout 4\n", $store->env($port));
    ok scalar(grep { /IIMG0203: cannot use the picture store: GET pictures\/media/ } $server->log_lines),
        'a server starts with its store down, with a warning';
    $server->line('pass');
    my $photo = upload('before.jpg');
    pass 'uploads work without a restart when the store is up';
    for my $mode ([refuse => 60, 'that is down'], [swallow => 60, 'that hangs']) {
        $server->line($mode->[0]);
        $server->line('cut') if $mode->[0] eq 'refuse';
        away(@$mode[1, 2]);
        $server->line('pass');
        $server->line('cut');
        my $next = upload('after.jpg');
        is fetch($next->{image}{large} =~ s/:$port/:$target/r)->{status}, 403,
            'a URL is valid for its signed host only';
        remove($next);
    }
    $server->line('cut');
    remove(upload('reset.jpg'));
    pass 'reset kept-alive connections are reopened';
    remove($photo);
    $server->sql("UPDATE stored_objects SET state = 'doomed', held_until = NULL, retry_at = now()");
    $server->reload("IdentityImgSweepInterval 1\n");
    ok eventually(sub { !$server->sql('SELECT 1 FROM stored_objects LIMIT 1') }),
        'objects that could not be deleted are swept later';
    agrees('the failures of the store');
    close $in;
    waitpid $server->{proxy_pid}, 0;
    return;
}

sub directives {
    my $file = "$ENV{IIMG_WORK}/s3.credentials";
    open my $out, '>', $file or die $!;
    chmod 0600, $file;
    print $out "# keys\n[other]\naws_access_key_id = unknown\n[default]\naws_access_key_id=$store->{access}\r\n"
        . "aws_secret_access_key = $store->{secret}\n";
    close $out;
    my %env = (%{ $store->env }, AWS_ACCESS_KEY_ID => 'unknown', AWS_SECRET_ACCESS_KEY => 'nothing');
    local $store->{prefix} = 'team_a/pictures-1/';
    use_store(
        $store,
        "IdentityImgS3CredentialsFile \"$file\"\nIdentityImgS3Prefix team_a/pictures-1\nIdentityImgS3Addressing path\n",
        \%env
    );
    my $photo = upload('prefix.jpg');
    like $photo->{image}{original}, qr{/pictures/team_a/pictures-1/media/},
        'with IdentityImgS3Prefix objects are below the prefix';
    is fetch($photo->{image}{original})->{status}, 200,
        'pictures below the prefix can be fetched; IdentityImgS3CredentialsFile takes precedence over the environment';
    agrees('an upload with a prefix');
    remove($photo);

    my $policy =
          '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",'
        . '"Resource":"arn:aws:s3:::pictures/*"}]}';
    $store->request(PUT => '', query => { policy => '' }, content => $policy);
    my $as_before = "IdentityImgS3CredentialsFile \"$file\"\nIdentityImgS3Prefix team_a/pictures-1\n";
    $server->reload("${as_before}IdentityImgMedia public\n");
    $photo = upload('public.jpg');
    is $photo->{image}{large}, $store->endpoint . '/pictures/team_a/pictures-1/' . key_of($photo->{image}{large}),
        'IdentityImgMedia public: an address is nothing but where the picture is';
    my $got = fetch($photo->{image}{large});
    is "$got->{status} $got->{headers}{'cache-control'}", '200 public, max-age=31536000, immutable',
        'a public picture can be fetched and cached by all caches';
    $server->reload("${as_before}IdentityImgMedia public\nIdentityImgMediaPublicURL https://cdn.example.com/p/\n");
    is json(api(GET => 'reference-images/', 'alice'))->[0]{image}{large},
        'https://cdn.example.com/p/team_a/pictures-1/' . key_of($photo->{image}{large}),
        'IdentityImgMediaPublicURL: behind a CDN';
    remove($photo);

    $server->reload(
        "${as_before}IdentityImgS3Endpoint http://s3.localhost:$store->{port}\nIdentityImgS3Addressing virtual\n");
    $photo = upload('virtual.jpg');
    like $photo->{image}{large}, qr{^http://pictures\.s3\.localhost:$store->{port}/team_a/pictures-1/media/},
        'IdentityImgS3Addressing virtual: the bucket is in the host name';
    is `curl -q -s -o /dev/null -w '%{http_code}' --noproxy '*' '$photo->{image}{large}'`, 200,
        'the picture can be fetched with virtual addressing';
    remove($photo);

    $server->forget_log;
    is $server->reload("${as_before}IdentityImgS3Bucket no-such-bucket\n"), '',
        'a reload with a missing bucket succeeds';
    is api(GET => 'reference-images/', 'alice')->code, 200, 'the running server continues with a missing bucket';
    ok scalar(grep { /IIMG0203: .*there is no such bucket/ } $server->log_lines), 'the missing bucket is logged';
    return;
}

subtest 'S3: configuration errors, failures of the store, directives' => sub {
    $store = $stores{radosgw};
    plan skip_all => $store->missing if $store->missing;
    wrong_at_start();
    store_that_fails();
    directives();
};

%stores = ();
$server->judge(
    qr/IIMG0010|IIMG020[34]/, qr/IIMG0003: .*POST .*reference-images/, qr/IIMG010[1-47]/,
    qr/AH00016|AH00526|Configuration Failed/, qr/AH00170|AH00491/
);
undef $server;
finish();
