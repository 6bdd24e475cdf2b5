# spool_dir.t - the folder for spooled responses: `apachectl configtest` refuses the same folders as a start, with a
# message, and changes nothing. A folder of another owner is never taken over.
# Runs beside others.
use strict;
use warnings;
use utf8;
use IdentityImg::Server qw(eventually);
use IdentityImg::Test;
use Fcntl ':mode';
use File::Path 'make_path';
use Test::More;

my $server = IdentityImg::Server->new('spool-dir')->start;
my $state = $server->state;
my $own = $> == 0 ? getpwnam('www-data') : $>;
my $dir = "$state/spools";
mkdir $dir or die $!;
chmod 0755, $dir;

sub folder {
    my ($name, $owner, $mode) = @_;
    make_path("$dir/$name");
    chown $owner, -1, "$dir/$name";
    chmod $mode, "$dir/$name";
    return;
}
sub file { my ($name) = @_; open my $out, '>', "$dir/$name" or die $!; return }

sub look {
    my ($name) = @_;
    my @info = lstat "$dir/$name";
    return @info ? join ' ', $info[4], sprintf '%04o', S_IMODE($info[2]) : 'missing';
}

# [name, path, message, CODE that prepares it]
my @wrong = (
    [
        'a path below a missing folder', 'none/spool',
        qr/cannot be created: .+none: No such file or directory; create that folder first/
    ],
    ['a path below a file', 'file/spool', qr/cannot be (?:made|used): .*/, sub { file('file') }],
    ['a file', 'plain', qr/is not a folder; remove the file or choose another path/, sub { file('plain') }],
    [
        'a symbolic link to a folder', 'link', qr/is a symbolic link; name the folder that it leads to/,
        sub { folder('target', $own, 0700); symlink "$dir/target", "$dir/link" }
    ],
    ['a symbolic link with a trailing slash', 'link/', qr/is a symbolic link/],
    ['a dangling symbolic link', 'dangling', qr/is a symbolic link/, sub { symlink "$dir/nothing", "$dir/dangling" }],
    [
        'a folder writable by all', 'open/spool',
        qr/is not safe: every user may rename what is in .+open; run chmod o-w on that folder/,
        sub { folder('open', $own, 0777) }
    ],
);
my @root_only = (
    [
        'a folder of another user', 'foreign',
        qr/belongs to the user root and not to httpd's user www-data; choose a folder that does not exist yet, or chown this one/,
        sub { folder('foreign', 0, 0755) }
    ],
    [
        'a folder of another user, accessible to all', 'shared', qr/belongs to the user root and not/,
        sub { folder('shared', 0, 01777) }
    ],
    [
        "a folder that httpd's user cannot enter", 'closed/spool',
        qr/cannot be used: httpd's user www-data may not use the folder .+closed: Permission denied/,
        sub { folder('closed', 0, 0700) }
    ],
    [
        "a folder below one that httpd's user cannot enter", 'closed/deep/spool',
        qr/cannot be used: httpd's user www-data may not use the folder .+deep: Permission denied/,
        sub { folder('closed/deep', 0, 0755) }
    ],
    [
        "httpd's folder below one that it cannot enter", 'closed/own',
        qr/cannot be used: httpd's user www-data may not use the folder .+closed: Permission denied/,
        sub { folder('closed/own', $own, 0700) }
    ],
    [
        "httpd's folder without write permission", 'readonly',
        qr/cannot be used: httpd's user www-data may not use the folder .+readonly: Permission denied/,
        sub { folder('readonly', $own, 0500) }
    ],
);
my @user_only = ([
    'a folder that this user cannot write to', 'readonly/spool',
    qr/cannot be created in .+readonly: Permission denied/, sub { folder('readonly', $own, 0500) }
]);

for my $case (@wrong, $> == 0 ? @root_only : @user_only) {
    my ($what, $path, $sentence, $prepare) = @$case;
    $prepare->() if $prepare;
    my $before = look($path);
    like $server->configtest("IdentityImgSpoolDir \"$dir/$path\"\n"),
        qr/IIMG0010: IdentityImgSpoolDir: "\Q$dir\E\/[\w\/]+" $sentence/, "configtest refuses $what";
    is look($path), $before, "configtest changes nothing for $what";
}
like $server->configtest("IdentityImgSpoolDir \"$state/pictures/spool\"\n"),
    qr/IdentityImgSpoolDir: "[^"]+" lies in the folder of IdentityImgStorageRoot; choose a folder outside of it/,
    'a folder within the store is refused';
like $server->configtest("IdentityImgSpoolDir \"$dir/../pictures\"\n"),
    qr/lies in the folder of IdentityImgStorageRoot/, 'a folder within the store is refused in another spelling';
is $server->configtest("IdentityImgSpoolDir \"$state/pictures-spool\"\n"), '',
    "a folder whose name only begins like the store's is accepted";
like $server->configtest("<VirtualHost 127.0.0.1:1>\nIdentityImgSpoolDir \"$dir/plain\"\n</VirtualHost>\n"),
    qr/IdentityImgSpoolDir: "\Q$dir\E\/plain" is not a folder/, 'errors in virtual hosts are reported';

# A reload runs configtest, and the running server stays.
like $server->reload("IdentityImgSpoolDir \"$dir/plain\"\n"),
    qr/IdentityImgSpoolDir: "[^"]+\/spools\/plain" is not a folder/, 'a reload with such a folder is refused';
is call(GET => 'users/me/', as => 'alice', base => $server->base)->code, 200,
    'the server keeps running after a refused reload';

is $server->configtest("IdentityImgSpoolDir \"$dir/fresh\"\n"), '', 'a folder that can be created is accepted';
is look('fresh'), 'missing', 'configtest does not create the folder';
is $server->reload("IdentityImgSpoolDir \"$dir/fresh/\"\n"), '', 'a start creates the folder';
is look('fresh'), "$own 0700", "the folder is accessible to httpd's user only";
folder('mine', $own, 0755);
is $server->reload("IdentityImgSpoolDir \"$dir/mine\"\n"), '', "an existing folder of httpd's user is accepted";
is look('mine'), "$own 0700", "the existing folder becomes accessible to httpd's user only";

# A folder that changes its owner after configtest: a start refuses it and does not change it.
SKIP: {
    skip 'this needs another user', 3 if $> != 0;
    $server->stop;
    my $refused = !eval { $server->start("IdentityImgSpoolDir \"$dir/foreign\"\n"); 1 };
    ok $refused, 'a server with a folder of another user does not start';
    like $@, qr/IIMG0010: IdentityImgSpoolDir: "[^"]+\/spools\/foreign" belongs to the user root/,
        'the start names the owner of the folder';
    is look('foreign'), '0 0755', 'the folder of another user is unchanged';
    $server->start('');
}
$server->forget_log;
$server->judge(qr/IIMG0010: IdentityImgSpoolDir/, qr/AH00020: Configuration Failed/);
undef $server;
finish();
