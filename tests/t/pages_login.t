# pages_login.t - the pages in a browser: coming in, going out, navbar, themes, small windows, no network.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use IdentityImg::Browser 'browse';

fresh_data();
browse('login.mjs');
finish();
