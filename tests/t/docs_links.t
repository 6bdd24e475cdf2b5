# docs_links.t - whatever the documents name exists: links, paths, directives, tags, functions, targets, programs.
# Runs beside others.
use strict;
use warnings;
use File::Find ();
use Test::More;

my $source = $ENV{IIMG_SOURCE} // '.';
my $module = "$source/mod_identityimg";

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!";
    local $/;
    return scalar <$file>;
}

sub files_below {
    my ($folder, $pattern) = @_;
    my @found;
    File::Find::find({ no_chdir => 1, wanted => sub { push @found, $_ if -f && /$pattern/ } }, $folder);
    my @sorted = sort @found;
    return @sorted;
}

my %page = map { substr($_, 1 + length $source) => slurp($_) } files_below("$source/docs", qr/\.md$/),
    map { "$source/$_" } qw(README.md CONTRIBUTING.md SECURITY.md client/README.md mod_identityimg/README.md);
cmp_ok scalar(keys %page), '>', 40, 'the documents are found';

# Every page is in the index, or in that of its folder.
my $linked = join ' ', map { $page{$_} =~ /\]\(([^)#]+\.md)/g } grep { m{README\.md$} } sort keys %page;
is join(
    ' ',
    grep { my ($name) = m{([^/]+)$}; $linked !~ m{(?:^|[ /])\Q$name\E\b} }
        grep { m{^docs/} && !m{README\.md$} } sort keys %page
    ),
    '', 'an index links each page';

# Every page begins with its use for the reader, and a decision has three sections.
my @own = grep { m{^docs/} && !m{^docs/api/} } sort keys %page;
is join(' ', grep { !m{/decisions/\d} && $page{$_} !~ /\A# .+\n\n(?:Read|Follow|Look up|Start|Find) / } @own), '',
    'the first words of each page tell the reader when to use it';
is join(' ', grep { m{/decisions/\d} && "@{[$page{$_} =~ /^## (.+)/mg]}" ne 'Context Decision Consequences' } @own), '',
    'each decision has the sections Context, Decision and Consequences';

# Links ----------------------------------------------------------------------------------------------

sub anchors {
    my ($text) = @_;
    return map { lc($_) =~ s/[^\w -]//gr =~ s/ /-/gr } $text =~ /^#+ (.*)$/mg;
}

sub resolve {
    my ($from, $to) = @_;
    my $path = ($from =~ m{^(.*/)})[0] // '';
    $path .= $to;
    1 while $path =~ s{[^/]+/\.\./}{};
    return $path;
}

my @astray;
for my $name (sort keys %page) {
    while ($page{$name} =~ /\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)]*))?\)/g) {
        my ($file, $anchor) = (length $1 ? resolve($name, $1) : $name, $2);
        push @astray, "$name: $file" . (defined $anchor ? "#$anchor" : '')
            if !-e "$source/$file" || defined $anchor && !grep { $_ eq $anchor } anchors($page{$file} // '');
    }
}
is join("\n", @astray), '', 'each link leads to a file and a heading';

# Paths ----------------------------------------------------------------------------------------------

# Paths within a page are below the top, below mod_identityimg/, or below the folder of client/README.md. A path of
# an installed file is that of the file that is installed.
my %installed = (
    '/usr/share/identityimg/examples/' => 'conf/examples/',
    '/usr/share/identityimg/scripts/' => 'scripts/',
    'mods-available/identityimg' => 'conf/identityimg',
);

sub exists_path {
    my ($page, $path) = @_;
    for my $prefix (keys %installed) {
        return -e "$source/$installed{$prefix}" . substr $path, length $prefix if index($path, $prefix) == 0;
    }
    return grep { -e "$_/$path" } $source, $module, $page =~ m{^client/} ? "$source/client" : ();
}

my $top = join '|', qw(docs tests scripts conf client sql mod_identityimg .ci), map { m{([^/]+)/$} } glob "$module/*/";
my @missing;
for my $name (sort keys %page) {
    my $prose = $page{$name} =~ s/^```.*?^```//msgr;
    for my $path (map { (split)[0] // '' } $prose =~ /`([^`\n]+)`/g) {
        next if $path =~ /[{}<>*\$]|[A-Z]{4}|https?:|\.\.\./ && $path !~ /README|CHANGES|SECURITY|CONTRIBUTING|LICENSE/;
        next
            if $path !~ m{^[\w.-]+(?:/[\w.-]+)*/[\w.-]+\.(?:c|h|S|t|md|conf|load|sql|mjs|pl|pm|sh|json|tsx?|css)$}
            && $path !~ m{^(?:$top)/[\w./-]*$}
            && $path !~ m{^/usr/share/identityimg/(?:examples|scripts)/};
        push @missing, "$name: $path" if !exists_path($name, $path =~ s/\.new$//r);
    }
}
is join("\n", @missing), '', 'each path exists';

# Titles of tests that a page quotes.
my @titles;
for my $name (sort keys %page) {
    while ($page{$name} =~ /`(tests\/t\/\w+\.t)`: "([^"]+)"/g) {
        push @titles, "$name: $2" if index(slurp("$source/$1"), $2) < 0;
    }
}
is join("\n", @titles), '', 'each quoted title is in the test';

# Comments that name a page.
my @strays;
for my $path (map { files_below("$source/$_", qr/\.(?:[chS]|conf|sql|t|pm|mjs|tsx?)$|^[^.]+$/) }
    qw(mod_identityimg conf sql scripts tests/t tests/lib)) {
    push @strays,
        map { substr($path, 1 + length $source) . ": $_" }
        grep { !-e "$source/$_" } slurp($path) =~ m{\b(docs/[\w/-]+\.md)\b}g;
}
is join("\n", @strays), '', 'each page that a comment names exists';

# Names of the code ----------------------------------------------------------------------------------

my $code = join '', map { slurp($_) } files_below($module, qr/\.[chS]$/), files_below("$source/sql", qr/\.sql$/);
my ($table) = slurp("$module/server/config/commands.c") =~ /iimg_config_commands\[\] = \{(.*?)^\};/ms;
my %directive = map { $_ => 1 } $table =~ /"(IdentityImg\w*)"/g;
my %tag = map { $_ => 1 } $code =~ /"(IIMG\d{4})/g;
my (@directives, @tags, @names);
for my $name (sort keys %page) {
    push @directives, map { "$name: $_" } grep { !$directive{$_} } $page{$name} =~ /\b(IdentityImg(?!::|\/)\w*)/g;
    push @tags, map { "$name: $_" } grep { !$tag{$_} } $page{$name} =~ /\b(IIMG\d{4})\b/g;
    my $words = $name =~ m{^docs/develop/} ? qr/[a-zA-Z]\w*_\w+/ : qr/(?:iimg|IIMG)_\w+/;
    push @names, map { "$name: $_" } grep { $code !~ /\b$_\b/ } $page{$name} =~ /`($words)(?:\(\))?`/g;
}
is join("\n", @directives), '', 'each directive exists';
is join("\n", @tags), '', 'each log tag exists';
my $other = join '', map { slurp($_) } "$source/Makefile", files_below("$source/conf", qr/\.conf$/),
    files_below("$source/tests/t", qr/\.t$/);
is join("\n", grep { my ($name) = /(\w+)$/; $other !~ /\b$name\b/ } @names), '',
    'each function, type and definition exists';

# Commands -------------------------------------------------------------------------------------------

my %target = map { $_ => 1 } split ' ', (slurp("$source/Makefile") =~ s/\\\n//gr =~ /^\.PHONY: (.*)$/m)[0];
my $usage = slurp("$module/ctl/options.c");

# Of Debian packages that a test machine may lack: apache2, apache2-utils, sudo.
my %elsewhere = map { $_ => 1 } qw(a2enmod apachectl htpasswd sudo systemctl);
my %builtin = map { $_ => 1 } qw(cd echo umask export);

# @return what is wrong with a command, or ''
sub flaw {
    my ($name, @words) = @_;
    shift @words while @words && $words[0] =~ /^\w+=/;
    if (@words && $words[0] eq 'sudo') {
        shift @words;
        splice @words, 0, 2 if @words && $words[0] eq '-u';
        return flaw($name, @words);
    }
    my $program = shift @words // return '';
    return '' if $builtin{$program} || $elsewhere{$program};
    if ($program eq 'make') {
        my @unknown = grep { /^[a-z]/ && !/=/ && !$target{$_} } @words;
        return @unknown ? "make @unknown" : '';
    }
    if ($program eq 'identityimgctl') {
        my @unknown =
            grep { $usage !~ /(?:^|\W)\Q$_\E\b/ } map { /^(--[\w-]+|reconcile|sweep|adopt-store)/ ? $1 : () } @words;
        return @unknown ? "$program @unknown" : '';
    }
    return exists_path($name, $program) ? '' : $program if $program =~ m{/};
    return (grep { -x "$_/$program" } split(/:/, $ENV{PATH}), '/usr/sbin', '/sbin') ? '' : $program;
}

my ($count, @flaws) = (0);
for my $name (sort grep { !m{^docs/api/} } keys %page) {
    while ($page{$name} =~ /^ *```sh\n(.*?)^ *```/msg) {
        my $block = $1 =~ s/\\\n//gr =~ s/^\s*#.*$//mgr =~ s/\s#\s.*$//mgr;
        $block =~ s/"(?:[^"\\]|\\.)*"|'[^']*'/WORD/g;
        for my $command (split /\n|&&|;|\|/, $block =~ s/\w+=\$\(|[()]|>\S+//gr) {
            my $flaw = flaw($name, split ' ', $command);
            push @flaws, "$name: $flaw" if $flaw ne '';
            $count++ if $command =~ /\S/;
        }
    }
    push @flaws, map { "$name: make $_" } grep { !$target{$_} } $page{$name} =~ /`(?:\w+=\S* )*make ([a-z][\w-]*)/g;
}
cmp_ok $count, '>', 30, 'commands were found';
is join("\n", @flaws), '', 'the programs, options and targets of each command exist';

# Only these info strings have a meaning here.
is join(
    "\n",
    map {
        my $name = $_;
        map { "$name: $_" }
            grep { !/^(?:sh|sh run|apache|json|js|html|c|sql)?$/ }
            grep { $_ ne '' }
            ($page{$name} =~ /^ *```(.+)$/mg)
    } sort keys %page
    ),
    '', 'the language of each block is known';

done_testing();
