# state.sh - where a private server keeps its state and as which users it runs; sourced, not run.
#
# in:   $source  the folder of the sources, absolute
#       $STATE   the state folder; var/ beside the sources when it is not given
# out:  $STATE, $sockets, $pg_user, $httpd_user, $httpd_group, $drop and the functions below
#
# Nothing is made before make_state is called. A Unix socket's path may have 107 bytes, so the
# database's socket lies in a short folder under /tmp, which $STATE/sockets names.
# shellcheck shell=sh disable=SC2034,SC2154

umask 022
unset CDPATH
PATH=$PATH:/usr/sbin:/sbin
for name in $(env | sed -n 's/^\(PG[A-Z]*\)=.*/\1/p'); do unset "$name"; done   # libpq's, the caller's

# A closed output (make start | head -1) must not end a script.
trap '' PIPE
say()           # say SENTENCE: print it; errors of the output are ignored
{
    echo "$*" 2>/dev/null || :
}

die()           # die SENTENCE
{
    say "${0##*/}: $*" >&2
    exit 1
}

plain()         # plain WHAT VALUE: stop unless the value can stand between quotes in httpd's files
{
    case $2 in
    *[\"\'\\\$]* | *"
"*) die "$1 must not contain quotes, backslashes, dollar signs or line ends: $2" ;;
    esac
}

digest()        # digest TEXT: ten letters that stand for it
{
    printf %s "$1" | sha256sum | cut -c1-10
}

reachable()     # reachable FOLDER: can the server's users get into what exists of it?
{
    place=$1
    until [ -e "$place" ]; do place=$(dirname -- "$place"); done
    for user in "$pg_user" "$httpd_user"; do
        setpriv --reuid="$user" --regid="$user" --init-groups test -x "$place" || return 1
    done
}

choose_state()
{
    given=${STATE:-}
    STATE=$(realpath -m -- "${given:-$source/var}")
    plain "The path of the state folder" "$STATE"
    if [ "$(id -u)" = 0 ] && ! reachable "$STATE"; then
        [ -z "$given" ] || die "users $pg_user and $httpd_user cannot reach STATE=$given:" \
            "give them execute permission on every folder above it, or choose another, as STATE=/var/lib/identityimg/mine"
        STATE=/var/lib/identityimg/$(digest "$source")
        say "The state is kept in $STATE, since $pg_user and $httpd_user cannot reach $source." >&2
    fi
    if [ -e "$STATE" ] && [ "$(stat -c %u -- "$STATE")" != "$(id -u)" ]; then
        die "the state folder $STATE belongs to user $(stat -c %U -- "$STATE"):" \
            "run this as that user, or choose another folder with STATE="
    fi
}

if [ "$(id -u)" = 0 ]; then
    pg_user=postgres httpd_user=www-data httpd_group=www-data
    drop="setpriv --reuid=postgres --regid=postgres --init-groups --"
else
    pg_user=$(id -un) httpd_user=$pg_user httpd_group=$(id -gn) drop=
fi
choose_state
sockets=/tmp/iimg-$(id -u)-$(digest "$STATE")
cd /            # the server's users may be unable to enter the caller's folder

make_state()
{
    mode=0700
    [ "$(id -u)" != 0 ] || mode=0755
    [ -d "$STATE" ] || { mkdir -p -- "$STATE" && chmod "$mode" "$STATE"; } ||
        die "cannot make the state folder $STATE"
}

make_sockets()  # a folder that the database and httpd can enter, and no other user
{
    mkdir -m 0700 "$sockets" 2>/dev/null || :
    if [ ! -d "$sockets" ] || [ -L "$sockets" ]; then die "$sockets is not a folder: remove it"; fi
    owner=$(stat -c %U "$sockets")
    [ "$owner" = "$pg_user" ] || [ "$owner" = "$(id -un)" ] ||
        die "$sockets belongs to user $owner: remove it, or choose another state folder with STATE="
    if [ "$(id -u)" = 0 ]; then
        chown "$pg_user:$httpd_group" "$sockets"
        chmod 0710 "$sockets"
    fi
    echo "$sockets" >"$STATE/sockets"
}

lock()          # lock NAME: one of us at a time, until this process ends or descriptor 9 is closed
{
    exec 9>"$STATE/$1.lock"
    flock -w 120 9 || die "another one has been at work in $STATE for two minutes"
}

runs()          # runs PID PROGRAM ARGUMENT: is that process this program with this argument?
{
    [ -n "$1" ] && [ -r "/proc/$1/cmdline" ] || return 1
    tr '\0' '\n' 2>/dev/null <"/proc/$1/cmdline" | {
        IFS= read -r program && [ "$program" = "$2" ] && grep -Fxq -e "$3"
    }
}

size()          # size FILE: its bytes, 0 when there is none
{
    stat -c %s -- "$1" 2>/dev/null || echo 0
}

since()         # since BYTES FILE: the last lines of what was written after that size
{
    [ ! -f "$2" ] || tail -c "+$(($1 + 1))" -- "$2" | tail -n 15 | sed 's/^/    /' >&2
}

# detached NAMES COMMAND...: become COMMAND, in a session of its own and with no descriptor of ours;
# of the environment only the variables NAMES remain. Call it in a subshell or in the background.
detached()
{
    # shellcheck disable=SC2016
    exec perl -MPOSIX -e '
        my @keep = grep { defined $ENV{$_} } split " ", shift;
        %ENV = (PATH => "/usr/sbin:/usr/bin:/sbin:/bin", LANG => "C.UTF-8", map { $_ => $ENV{$_} } @keep);
        POSIX::setsid();
        $SIG{PIPE} = "DEFAULT";
        POSIX::close($_) for 3 .. 1023;
        exec { $ARGV[0] } @ARGV;
        die "$ARGV[0]: $!\n"' "$@" </dev/null
}
