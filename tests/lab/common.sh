# shellcheck shell=bash
# What all commands of the lab need: where things are, how to wait, how to enter a host.
#
# DIR/number      the lab's number: part of its addresses and of the names of its bridge and namespaces
# DIR/path        LAB_PATH of the last `up`
# DIR/hosts       the lab's /etc/hosts
# DIR/shared      storage that all hosts share
# DIR/HOST/       one host's own files: its own /etc/libvirt, /var/lib/libvirt, /var/lib/sysadm, log/, ...

: "${LAB_REPO:?}"
LAB_CACHE=${LAB_CACHE:-$LAB_REPO/target/lab}

die() {
    echo "lab: $*" >&2
    exit 1
}

note() {
    echo "lab: $*" >&2
}

# need_arguments WANTED GIVEN
need_arguments() {
    (($2 >= $1)) || usage
}

# until_true SECONDS CMD...: repeats CMD, quietly, until it succeeds.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

use_lab() {
    DIR=$(realpath -m -- "$1")
    NUMBER=
    if [[ -f $DIR/number ]]; then NUMBER=$(<"$DIR/number"); fi
    if [[ -z ${LAB_PATH:-} ]]; then
        LAB_PATH=$LAB_REPO/target/debug
        if [[ -f $DIR/path ]]; then LAB_PATH=$(<"$DIR/path"); fi
    fi
}

host_path() {
    echo "$LAB_PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

# The name of a host's network namespace.
netns() {
    echo "lab$NUMBER-$1"
}

host_address() {
    [[ -f $DIR/$1/index ]] || die "there is no host '$1' in $DIR"
    echo "10.77.$NUMBER.$(<"$DIR/$1/index")"
}

# A process id alone may be stale; together with its namespace it is not.
host_is_up() {
    [[ -f $DIR/$1/pid && /proc/$(<"$DIR/$1/pid")/ns/net -ef /run/netns/$(netns "$1") ]]
}

# enter_host HOST CMD...: replaces the shell by CMD inside the host, so that no process is between the caller and CMD.
enter_host() {
    local host=$1 pid
    shift
    host_is_up "$host" || die "host '$host' of $DIR is not up"
    pid=$(<"$DIR/$host/pid")
    export PATH
    PATH=$(host_path)
    export HOME=/root
    exec nsenter --target "$pid" --net --mount --uts -- "$@"
}

# in_host HOST CMD...: runs CMD inside the host and returns.
in_host() {
    (enter_host "$@")
}
