# enums.t - the values that clients can choose from or receive.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use Test::More;

fresh_data();
expect_log(qr/AH01617/);    # a wrong password

sub enums { my ($who) = @_; return call(GET => 'core/enums/', as => $who // 'alice') }

sub values_of {
    my ($name) = @_;
    return join '|', map { $_->{value} } @{ json(enums())->{$name} };
}
sub line { my ($answer) = @_; return join ' ', $answer->code, (json($answer) // {})->{detail} // '' }

is line(call(GET => 'core/enums/')), '401 Authentication credentials were not provided.',
    'a request without credentials is 401';
is line(call(GET => 'core/enums/', headers => [Authorization => login('alice@example.com', 'wrong')])),
    '401 Invalid username/password.', 'a request with wrong credentials is 401';
for my $method (qw(POST PUT PATCH DELETE)) {
    my $answer = call($method => 'core/enums/', as => 'admin');
    is line($answer) . ' | ' . $answer->header('Allow'), "405 Method \"$method\" not allowed. | GET, HEAD, OPTIONS",
        "$method is 405";
}
is line(call(GET => "core/$_", as => 'admin')), '404 Not found.', "core/$_ is 404" for '', 'enums/x/', 'Enums/';
is call(GET => 'core/enums', as => 'alice')->code, 301, 'a path without its slash is redirected';

my $answer = enums();
is $answer->code, 200, 'a user can read the values';
is enums('admin')->content, $answer->content, 'staff get the same values';

sub pairs {
    return '[' . join(',', map { qq({"value":"$_","label":") . tr/_/ /r . '"}' } @_) . ']';
}
is $answer->content,
    '{"prompt_types":'
    . pairs(qw(image_generation sentinel coach))
    . ',"context_keys":'
    . pairs(qw(identity_for_image additional_prompt))
    . ',"identity_categories":'
    . pairs(qw(keeper_of_the_home maker_of_money passions_and_talents physical_expression))
    . ',"aspect_ratios":'
    . pairs(qw(1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9 1:4 4:1 1:8 8:1))
    . ',"resolutions":'
    . pairs(qw(1K 2K 4K))
    . ',"job_states":'
    . pairs(qw(queued running succeeded failed canceled))
    . '}', 'each value has its label, in this order';
is call(HEAD => 'core/enums/', as => 'alice')->header('Content-Length'), length $answer->content,
    'HEAD has the Content-Length of GET';

# The tables in the code match the database.
for my $case (['prompt_types', 'prompts', 'prompt_type'], ['job_states', 'generation_jobs', 'state']) {
    my ($name, $table, $column) = @$case;
    my ($check) = sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '${table}_${column}_check'");
    is join('|', sort split /\|/, values_of($name)), join('|', sort $check =~ /'(\w+)'::text/g),
        "$name are the values that the table $table accepts";
}

# Categories are the values in use.
my $alice = person('alice');
sql(
    "INSERT INTO identities (user_id, name, category) VALUES ('$alice', 'a', 'Zebra_\"x\"_{y}, \\z'), ('$alice', 'b', "
        . "'maker_of_money'), ('$alice', 'c', 'ärger_模範 🎨'), ('$alice', 'd', 'NULL'), ('$alice', 'e', '_')");
is values_of('identity_categories'),
    'NULL|Zebra_"x"_{y}, \z|_|keeper_of_the_home|maker_of_money|passions_and_talents|physical_expression|ärger_模範 🎨',
    'categories are listed once each, sorted by bytes, with any characters';
my %labels = map { $_->{value} => $_->{label} } @{ json(enums())->{identity_categories} };
is_deeply [@labels{ 'Zebra_"x"_{y}, \z', '_', 'ärger_模範 🎨' }], ['Zebra "x" {y}, \z', ' ', 'ärger 模範 🎨'],
    'labels have spaces for underscores';
sql('DELETE FROM identities');
is enums()->content =~ /"identity_categories":\[\],/, 1, 'without identities there are no categories';

sql("UPDATE users SET is_active = false WHERE id = '$alice'");
is line(enums()), '401 User inactive or deleted.', 'a user who was just deactivated is refused';

fresh_data();
finish();
