# samples.t - the shell examples in docs/api, and the blocks marked "sh run" in other documents, work.
use strict;
use warnings;
use File::Glob ':bsd_glob';
use utf8;
use File::Path ();
use IdentityImg::Server;
use IdentityImg::Test;
use JSON::PP ();
use Test::More;

my $here = "$ENV{IIMG_WORK}/samples";
File::Path::make_path($here);
symlink portrait(), "$here/portrait.png";
my $docs = "$ENV{IIMG_SOURCE}/docs/api";
my ($variables) = slurp("$docs/README.md") =~ /^```sh\n(.*?)^```/ms;
my $base = base_url();
$variables =~ s{http://127\.0\.0\.1:8080}{$base} or die 'docs/api/README.md names no server';
my ($user, $identity) = (person('scenario_one'), identity_of('full'));

# The rows of the examples. Create only the rows that an example uses, and reset the data only after an example that
# changed it.
my ($changed, %ids) = (1);

sub prepare {
    my ($page, $block) = @_;
    if ($changed) {
        fresh_data();
        sql('DELETE FROM auth_tokens; DELETE FROM idempotency_keys');
    }
    $changed = $block =~ /-[XdF] |auth/;
    %ids = (SCENARIO => '00000000-0000-4000-8000-0000000000e1');
    # The caller's own slot; conventions.md changes another user's photo.
    if ($block =~ /\$PHOTO/) {
        $changed = 1;
        $ids{PHOTO} = json(call(
            POST => 'admin/reference-images/', as => 'admin',
            json => { user_id => $page =~ /conventions/ ? $user : person('admin') }
        ))->{id};
    }
    if ($block =~ /\$TOKEN/ && $block !~ /TOKEN=/) {
        $ids{TOKEN} = json(
            call(POST => 'auth/login/', json => { email => 'alice@example.com', password => 'pw-alice', token => \1 }))
            ->{token};
        ($ids{ID}) = sql('SELECT id FROM auth_tokens') if $block =~ /\$ID\b/;
    }
    ($ids{PROMPT}) = sql('SELECT id FROM prompts WHERE version = 1') if $block =~ /\$PROMPT/;
    if ($block =~ /\$JOB|generate/) {
        $changed = 1;
        call(POST => 'reference-images/', as => 'scenario_one', parts => [image => [portrait()]]);
        ($ids{JOB}) = $block =~ /cancel/ ? queued() : json(call(
            POST => 'image-generation/generate/', as => 'admin',
            json => { identity_id => $identity, user_id => $user, resolution => '1K', aspect_ratio => '1:1' }
        ))->{job}{id}
            if $block =~ /\$JOB/;
    }
    if ($block =~ /restore-image/) {
        call(POST => "identities/$identity/upload-image/", as => 'admin', parts => [image => [portrait()]]) for 1, 2;
    }
    return;
}

sub queued {
    return sql("INSERT INTO generation_jobs (state, prompt_used, generator, model, aspect_ratio, resolution, "
            . "reference_image_ids, lease_expires_at)"
            . " VALUES ('queued', '', 'preview', 'm', '1:1', '1K', '{}', now() + interval '1 hour') RETURNING id");
}

# Run a block of shell. Returns '' if all commands succeed and no response is an error, otherwise the output. A block
# that shows an error is recognized by the name of its page.
sub run {
    my ($page, $block) = @_;
    open my $script, '>', "$here/block.sh" or die $!;
    my $fail = $page eq 'errors.md' ? '' : '--fail-with-body';
    print $script "set -eu -o pipefail\ncurl() { command curl -q -sS --noproxy '*' $fail \"\$@\"; }\n", $variables,
        (map { "$_='$ids{$_}'\n" } sort keys %ids), $block;
    close $script;
    my $out = `cd '$here' && bash block.sh 2>&1 </dev/null`;
    utf8::decode($out);
    return $? ? "ended with " . ($? >> 8) . ": $out" : $page eq 'errors.md'
        && $out !~ /"status":400/ ? "no problem: $out" : '';
}

my $count = 0;
for my $file (sort grep { !m{/README\.md$} } glob "$docs/*.md") {
    my ($page) = $file =~ m{([^/]+)$};
    my @blocks = slurp($file) =~ /^```sh\n(.*?)^```/msg;
    for my $block (@blocks) {
        # Alternative commands are separate examples.
        for my $one ($page =~ /^(?:conventions|authentication)\.md$/ || $block =~ /\\\n/ ? $block : split /^/, $block) {
            prepare($page, $one);
            is run($page, $one), '', "$page: " . $one =~ s/\s+/ /gr;
            $count++;
        }
    }
}
cmp_ok $count, '>', 50, 'more than 50 examples were run';

# The marked blocks of a page share one shell, in a folder that has tests/ and scripts/.
my $server = IdentityImg::Server->main;
my $runnable = 0;
symlink "$ENV{IIMG_SOURCE}/$_", "$here/$_" for qw(tests scripts);
for my $file (glob("$ENV{IIMG_SOURCE}/docs/*.md"), glob("$ENV{IIMG_SOURCE}/docs/{operate,reference,develop}/*.md")) {
    my ($page) = $file =~ m{/(docs/.*)};
    my @blocks = slurp($file) =~ /^```sh run\n(.*?)^```/msg;
    next if !@blocks;
    fresh_data();
    my %environment = $server->cluster_environment;
    local @ENV{ keys %environment } = values %environment;
    is run($page, join('', @blocks) =~ s{http://127\.0\.0\.1:8080}{$base}gr), '', "$page: its marked blocks work";
    $runnable += @blocks;
}
cmp_ok $runnable, '>=', 15, 'at least 15 marked blocks were run';

fresh_data();
finish();
