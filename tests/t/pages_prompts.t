# pages_prompts.t - the page Prompts in a browser.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use IdentityImg::Browser 'browse';

fresh_data();
browse('prompts.mjs');
fresh_data();
finish();
