/* unix_user.c - the account that httpd's children run as. */
#include "server/config/unix_user.h"

#include <errno.h>
#include <grp.h>
#include <unistd.h>
#include <sys/wait.h>
#include <apr_strings.h>
#include <apr_user.h>
#include <httpd.h>
#include <unixd.h>

uid_t iimg_unix_user(void)
{
    return geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
}

gid_t iimg_unix_group(void)
{
    return geteuid() == 0 ? ap_unixd_config.group_id : getegid();
}

const char *iimg_unix_user_name(apr_pool_t *pool, uid_t user)
{
    char *name;

    return apr_uid_name_get(&name, user, pool) == APR_SUCCESS
               ? name
               : apr_psprintf(pool, "#%lu", (unsigned long)user);
}

/* As httpd's children begin. */
static int become_user(void)
{
    if (geteuid() != 0) {
        return 0;
    }
    return setgid(ap_unixd_config.group_id)
                   || initgroups(ap_unixd_config.user_name, ap_unixd_config.group_id)
                   || setuid(ap_unixd_config.user_id)
               ? errno
               : 0;
}

int iimg_unix_user_access(const char *path, int mode)
{
    pid_t pid = fork();
    int status, problem;

    if (pid < 0) {
        return errno;
    }
    if (pid == 0) {
        problem = become_user();
        _exit(problem ? problem : access(path, mode) ? errno : 0);
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}
