# pages_login.t - the pages in a browser: login, logout, navigation bar, themes, small windows, no network.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use IdentityImg::Browser 'browse';

fresh_data();
browse('login.mjs');
finish();
