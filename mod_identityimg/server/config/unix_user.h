/* unix_user.h - the account that httpd's children run as. */
#ifndef IIMG_SERVER_CONFIG_UNIX_USER_H
#define IIMG_SERVER_CONFIG_UNIX_USER_H

#include <sys/types.h>
#include <apr_pools.h>

/** The directives User and Group where httpd is started as root, else the account that starts it.
 */
uid_t iimg_unix_user(void);
gid_t iimg_unix_group(void);

/** The name of an account. @return its number as text where it has none */
const char *iimg_unix_user_name(apr_pool_t *pool, uid_t user);

/**
 * Whether httpd's children may use a path: the kernel decides (ACLs, folders on the way, file
 * systems of other machines), in a process that becomes their user. Only while httpd starts.
 * @param mode as of access(2)
 * @return 0 or errno
 */
int iimg_unix_user_access(const char *path, int mode);

#endif
