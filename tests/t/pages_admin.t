# pages_admin.t - the page Admin in a browser.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use IdentityImg::Browser 'browse';

fresh_data();
browse('admin.mjs');
fresh_data();
finish();
