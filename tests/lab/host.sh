# shellcheck shell=bash
# Hosts: a network namespace, a mount namespace and a UTS namespace each, joined by the lab's bridge.
#
# The processes of a host are those in its network namespace, and their descendants (a container may have
# a network of its own). Nothing else is ever killed.

. "$LAB_HOME/network.sh"
. "$LAB_HOME/settings.sh"

# ---- up, down, power -------------------------------------------------------------------------------

raise_hosts() {
    local host index jobs=() job
    [[ -x $LAB_CACHE/host-init ]] || die "nothing in $LAB_CACHE: run 'lab.sh install'"
    mkdir -p "$DIR/shared"
    echo "$LAB_PATH" >"$DIR/path"
    touch "$DIR/hosts"
    bridge_is_ours || renumber
    for host in "$@"; do
        [[ $host =~ ^[a-z][a-z0-9-]*$ && $host != shared ]] || die "'$host' cannot be the name of a host"
        if [[ -f $DIR/$host/index ]]; then continue; fi
        index=$(($(list_hosts | wc -l) + 1))
        prepare_host "$host" "$index"
    done
    introduce_hosts
    for host in "$@"; do
        if host_is_up "$host"; then continue; fi
        boot_host "$host" &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do
        wait "$job" || die "not all hosts came up"
    done
    keep_capabilities "$1"
}

# libvirtd needs some seconds to find out what its QEMU can do. It caches the answer, and discards it when it is out
# of date; later hosts get the cache of the first one.
keep_capabilities() {
    local found=$DIR/$1/var/cache/libvirt/qemu/capabilities work=$LAB_CACHE/capabilities.$$
    if [[ -d $LAB_CACHE/capabilities || ! -d $LAB_CACHE ]]; then return; fi
    in_host "$1" virsh -c qemu:///system capabilities >/dev/null || return 0
    in_host "$1" virsh -c qemu:///system domcapabilities --virttype qemu --machine pc >/dev/null || return 0
    cp -a "$found" "$work"
    mv -T "$work" "$LAB_CACHE/capabilities" 2>/dev/null || rm -rf "$work"
}

# When a lab is set up again its number may be taken; then its hosts get new addresses.
renumber() {
    local host
    claim_number
    for host in $(list_hosts); do
        sed -i "s/^listen_addr = .*/listen_addr = \"$(host_address "$host")\"/" "$DIR/$host/etc/libvirt/libvirtd.conf"
        sed -i "s/^ListenAddress .*/ListenAddress $(host_address "$host")/" "$DIR/$host/etc/sshd_config"
    done
}

# Power on. What a real host loses at a reboot, /run and the boot id, is created anew.
boot_host() {
    local host=$1 own=$DIR/$1
    kill_host "$host"
    rm -rf "$own/run"
    mkdir -p "$own"/run/{libvirt,sysadm,sshd}
    cat /proc/sys/kernel/random/uuid >"$own/run/boot_id"
    make_network "$host"
    setsid nsenter --net="/run/netns/$(netns "$host")" unshare --mount --uts --propagation private \
        env -i HOME=/root LANG=C.UTF-8 PATH="$(host_path)" LAB_PATH="$LAB_PATH" LAB_CACHE="$LAB_CACHE" \
        "$LAB_CACHE/host-init" bash "$LAB_HOME/inside.sh" "$DIR" "$host" </dev/null >"$own/log/boot.log" 2>&1 &
    until_true 20 host_is_up "$host" || die "host '$host' did not come up: $(tail -n 3 "$own/log/boot.log")"
    until_true 30 ssh_answers "$host" || die "sshd of '$host': $(tail -n 3 "$own/log/sshd.log")"
    wait_for_libvirtd "$host"
}

ssh_answers() {
    timeout 1 bash -c ": </dev/tcp/$(host_address "$1")/22"
}

boot_again() {
    [[ -f $DIR/$1/index ]] || die "there is no host '$1' in $DIR"
    ! host_is_up "$1" || die "host '$1' is up"
    bridge_is_ours || die "the lab $DIR is down"
    boot_host "$1"
}

# host_processes HOST: the ids of all its processes.
host_processes() {
    local ns
    ns=$(netns "$1")
    if [[ ! -e /run/netns/$ns ]]; then return; fi
    {
        ip netns pids "$ns" | sed 's/^/host /'
        ps -e -o pid=,ppid=
    } | awk '
        $1 == "host" { found[$2] = 1; next }
        { parent[$1] = $2 }
        END {
            do {
                more = 0
                for (p in parent) if (!(p in found) && (parent[p] in found)) { found[p] = 1; more = 1 }
            } while (more)
            for (p in found) if (p > 1) print p
        }'
}

# kill_processes HOST INIT: kills all processes, and returns whether there were none left. host-init is killed last, so
# that it can still reap the others.
kill_processes() {
    local processes others
    processes=$(host_processes "$1")
    [[ -n $processes ]] || return 0
    others=$(grep -vx "$2" <<<"$processes" || true)
    # shellcheck disable=SC2086 # a list of ids
    kill -KILL ${others:-$processes} 2>/dev/null || true
    return 1
}

# Power failure: first the network cable, so that no connection is closed properly.
kill_host() {
    local host=$1 ns init=none
    [[ -f $DIR/$host/index ]] || die "there is no host '$host' in $DIR"
    if [[ -f $DIR/$host/pid ]]; then init=$(<"$DIR/$host/pid"); fi
    ns=$(netns "$host")
    ip link set "lab$NUMBER-$(<"$DIR/$host/index")" down 2>/dev/null || true
    rm -f "$DIR/$host/pid"
    until_true 20 kill_processes "$host" "$init" || die "host '$host' has processes that do not end"
    if [[ -e /run/netns/$ns ]]; then
        ip -netns "$ns" link delete eth0 2>/dev/null || true
        ip netns delete "$ns"
    fi
    remove_dead_cgroups
}

# libvirt calls a container's cgroup lxc-PID-NAME; a libvirtd that was killed could not remove it. A cgroup in use
# cannot be removed.
remove_dead_cgroups() {
    local group pid
    for group in /sys/fs/cgroup/*/machine/lxc-*; do
        pid=${group##*/lxc-}
        if [[ -d $group && ! -e /proc/${pid%%-*} ]]; then
            find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
        fi
    done
}

end_lab() {
    local host
    if ! bridge_is_ours; then return; fi
    for host in $(list_hosts); do
        kill_host "$host"
    done
    ip link delete "lab$NUMBER"
    # All containers' cgroups are in one folder; only the last lab may remove it.
    if ! ip -o link show type bridge | grep -q ': lab[0-9]*:'; then
        rmdir /sys/fs/cgroup/*/machine 2>/dev/null || true
    fi
}

# ---- libvirtd --------------------------------------------------------------------------------------

wait_for_libvirtd() {
    local cpus
    until_true 60 libvirtd_answers "$1" || die "libvirtd of '$1': $(tail -n 3 "$DIR/$1/log/libvirtd.log")"
    cpus=$(taskset -cp $$)
    taskset -acp "${cpus##* }" "$(<"$DIR/$1/run/libvirt/libvirtd.pid")" >/dev/null
}

libvirtd_answers() {
    in_host "$1" virsh -c qemu:///system list && in_host "$1" virsh -c lxc:///system list
}

# control_libvirtd HOST stop|start|restart: running guests survive it.
control_libvirtd() {
    case $2 in
        stop) stop_libvirtd "$1" ;;
        start) start_libvirtd "$1" ;;
        restart)
            stop_libvirtd "$1"
            start_libvirtd "$1"
            ;;
        *) usage ;;
    esac
}

start_libvirtd() {
    host_is_up "$1" || die "host '$1' is not up"
    kill -USR1 "$(<"$DIR/$1/pid")"
    wait_for_libvirtd "$1"
}

stop_libvirtd() {
    local file=$DIR/$1/run/libvirt/libvirtd.pid pid
    if [[ ! -f $file ]]; then return; fi
    pid=$(<"$file")
    if [[ -e /proc/$pid && $(<"/proc/$pid/comm") == libvirtd ]]; then
        kill "$pid"
        until_true 20 test ! -e "/proc/$pid" || die "libvirtd of '$1' does not end"
    fi
    rm -f "$file"
}
