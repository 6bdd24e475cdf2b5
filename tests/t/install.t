# install.t - `make install`: all files below DESTDIR, readable under any umask. An upgrade keeps the operator's
# changes and puts the shipped file beside them. The installed files work.
# Runs beside others.
use strict;
use warnings;
use utf8;
use IdentityImg::Server;
use IdentityImg::Test;
use File::Find ();
use File::Path ();
use Test::More;

my $source = $ENV{IIMG_SOURCE};
my $sanitize = $ENV{IIMG_SANITIZE} || 0;
my $root = "$ENV{IIMG_WORK}/install root";
my $mods = "$root/etc/apache2/mods-available";
my @confs = qw(identityimg.load identityimg.conf identityimg-pages.conf);

# The output of `make install`, run with a strict umask.
sub install {
    my ($folder) = @_;
    local $ENV{DESTDIR};
    my $out = `umask 077; make -C '$source' install SANITIZE=$sanitize CLIENT=0 DESTDIR='$folder' 2>&1`;
    is $?, 0, 'make install succeeds' or diag $out;
    return $out;
}

sub put {
    my ($path, $text) = @_;
    open my $out, '>:raw', $path or die "$path: $!";
    print $out $text;
    close $out;
    return;
}
sub append { my ($path, $text) = @_; put($path, slurp($path) . $text); return }

sub found {
    my ($folder) = @_;
    opendir my $dir, $folder or return '';
    return join ' ', sort grep { !/^\./ } readdir $dir;
}

# First install --------------------------------------------------------------------------------------

my $said = install($root);
unlike $said, qr/^Kept /m, 'a first install keeps no files back';
is found($mods), join(' ', sort @confs), 'with DESTDIR the configuration is always installed';
like slurp("$mods/identityimg.load"), qr{^LoadModule identityimg_module /\S+/mod_identityimg\.so$}m,
    'the .load names the module without DESTDIR';
is slurp("$mods/identityimg.conf"), slurp("$source/conf/identityimg.conf"), 'identityimg.conf is installed as shipped';
my @closed;
File::Find::find(
    {
        no_chdir => 1,
        wanted => sub {
            my $mode = (lstat)[2] & 07777;
            push @closed, sprintf '%s %04o', $_, $mode
                if !-l && $_ ne $root && (-d ? $mode != 0755 : ($mode & 0444) != 0444 || $mode & 0022);
        }
    },
    $root
);
is join("\n", @closed), '', 'all users may read the installed files, under any umask';
ok -x "$root/usr/lib/identityimg/identityimg-worker", 'the worker is installed';
my @links;
File::Find::find({ no_chdir => 1, wanted => sub { push @links, readlink if -l } }, "$root/usr/lib/identityimg");
like "@links", qr{^/usr/lib/.*vips-heif\.so$}, 'the libvips module is beside the worker';

# Upgrades -------------------------------------------------------------------------------------------

unlike install($root), qr/^Kept /m, 'a second install keeps no files back';
is found($mods), join(' ', sort @confs), 'a second install leaves no .new files';

my %changed;
for my $name (@confs) {
    append("$mods/$name", "# ours\n");
    $changed{$name} = slurp("$mods/$name");
}
for my $round (1, 2) {
    $said = install($root);
    is join(' ', grep { slurp("$mods/$_") ne $changed{$_} } @confs), '',
        "upgrade $round keeps the operator's changes";
    is join(
        ' ',
        sort $said =~
            m{^Kept .+ root/etc/apache2/mods-available/(\S+), which differs from this version's: compare it with .+ root/\S+\.new$}mg
        ),
        join(' ', sort @confs), "upgrade $round lists the kept files";
    is found($mods), join(' ', sort map { ($_, "$_.new") } @confs), "upgrade $round puts the shipped files beside them";
    is slurp("$mods/identityimg.conf.new"), slurp("$source/conf/identityimg.conf"), 'the .new file is the shipped one';
    is sprintf('%04o', (stat "$mods/identityimg.conf.new")[2] & 07777), '0644', 'the .new file is readable by all';
}
put("$mods/identityimg.conf", slurp("$mods/identityimg.conf.new"));
install($root);
is found($mods), join(' ', sort @confs, qw(identityimg.load.new identityimg-pages.conf.new)),
    'a .new file is removed after the operator adopts it';
unlink "$mods/identityimg.load";
install($root);
unlike slurp("$mods/identityimg.load"), qr/^# ours/m, 'a removed file is installed again';
ok !-e "$mods/identityimg.load.new", 'the reinstalled file has no .new';
unlink "$mods/identityimg.conf";
symlink "$root/elsewhere.conf", "$mods/identityimg.conf" or die $!;
put("$root/elsewhere.conf", "# kept elsewhere\n");
install($root);
is readlink("$mods/identityimg.conf"), "$root/elsewhere.conf", 'a symbolic link stays a link';
is slurp("$root/elsewhere.conf"), "# kept elsewhere\n", 'the target of the link is unchanged';

# The installed files work with the operator's changes after an upgrade -----------------------------------

my $place = "$ENV{IIMG_WORK}/install-place";
install($place);
my ($modules) = `apxs -q LIBEXECDIR` =~ /(\S+)/;
append("$place/etc/apache2/mods-available/identityimg.conf", "IdentityImgMediaExpiry 60\n");
put(
    "$place/etc/apache2/mods-available/identityimg.load",
    "LoadModule identityimg_module \"$place$modules/mod_identityimg.so\"\n"
);
like install($place), qr/^Kept .*identityimg\.conf,/m, 'an upgrade of another tree keeps identityimg.conf';
chmod 0755, $place;
my $server = IdentityImg::Server->new(
    'install',
    env => {
        IIMG_CONF_DIR => "$place/etc/apache2/mods-available", IIMG_MODULE => "$place$modules/mod_identityimg.so",
        IIMG_WORKER => "$place/usr/lib/identityimg/identityimg-worker", IIMG_CLIENT => ''
    }
)->start;
my $made = call(POST => 'reference-images/', as => 'alice', base => $server->base, parts => [image => [portrait()]]);
is $made->code, 201, 'httpd with the installed module, worker and configuration accepts photos';
cmp_ok((json($made)->{image}{original} =~ /e=(\d+)/)[0] - time, '<=', 60, "the operator's directive applies");

$server->judge;
undef $server;
File::Path::remove_tree($root, $place);
finish();
