# pages_photos.t - the page Images in a browser: selecting a user, and the five slots of photos.
use strict;
use warnings;
use utf8;
use IdentityImg::Test;
use IdentityImg::Browser 'browse';

fresh_data();
browse('photos.mjs');
fresh_data();
finish();
