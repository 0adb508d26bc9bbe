#!/bin/bash
# What a host does when it boots. Runs in the host's own namespaces: inside.sh DIR HOST [libvirtd]
# With `libvirtd` it only starts that again.
set -euo pipefail

DIR=$1
HOST=$2
OWN=$DIR/$HOST

# mount_own SOURCE TARGET: mounts the host's own file or folder over the machine's.
mount_own() {
    if [[ -d $1 ]]; then
        mkdir -p "$2"
    elif [[ ! -e $2 ]]; then
        touch "$2"
    fi
    mount --bind "$1" "$2"
}

mount_folders() {
    local path
    for path in etc/libvirt etc/sysadm var/lib/libvirt var/log/libvirt var/cache/libvirt var/lib/sysadm \
        run/libvirt run/sysadm run/sshd etc/hostname etc/machine-id; do
        mount_own "$OWN/$path" "/$path"
    done
    mount_own "$DIR/hosts" /etc/hosts
    mount_own "$OWN/local" /srv/local
    mount_own "$OWN/ssh" /root/.ssh
    mount --bind "$OWN/run/boot_id" /proc/sys/kernel/random/boot_id
    # The host must not use the machine's message bus and shell settings.
    if [[ -d /run/dbus ]]; then mount -t tmpfs none /run/dbus; fi
    if [[ -f /root/.bashrc ]]; then mount --bind "$OWN/etc/bashrc" /root/.bashrc; fi
}

# A /sys that shows this host's network, and cgroup v1, which LXC needs completely. Controllers that this machine uses
# elsewhere are left out. The machine's own mounts are removed first: libvirt would find them in the list of mounts
# even if they were covered.
mount_sys() {
    local controller
    umount -R /sys
    mount -t sysfs sysfs /sys
    mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
    for controller in cpu cpuacct cpuset devices freezer memory blkio pids; do
        mkdir "/sys/fs/cgroup/$controller"
        mount -t cgroup -o "$controller" "$controller" "/sys/fs/cgroup/$controller" ||
            rmdir "/sys/fs/cgroup/$controller"
    done
}

# sshd's sessions find the tool under test first; `env -i` at boot ensures that nothing else is inherited.
start_sshd() {
    local sshd
    sshd=$(command -v sshd)
    setsid "$sshd" -D -f "$OWN/etc/sshd_config" -o "SetEnv=PATH=$PATH" </dev/null >>"$OWN/log/sshd.log" 2>&1 &
}

# /dev is the machine's own, so /dev/log leads to a folder that each host has for itself. If the machine has a system
# log of its own, that gets the hosts' lines.
start_syslog() {
    mkdir -p "$OWN/run/log"
    mount_own "$OWN/run/log" /run/lab-log
    [[ -e /dev/log && ! -L /dev/log ]] && return
    ln -sfn /run/lab-log/log /dev/log
    setsid busybox syslogd -n -O "$OWN/log/syslog" </dev/null >/dev/null 2>&1 &
}

# libvirt discards what it has cached of QEMU when CPUID tells something else than before, and compares leaf 0x1f with
# the id of the CPU on which it happens to run. So libvirtd starts on one CPU; wait_for_libvirtd gives it all of them.
start_libvirtd() {
    local cpu
    cpu=$(taskset -cp $$)
    cpu=${cpu##* }
    LD_PRELOAD=$LAB_CACHE/shared-fs.so LAB_SHARED=$DIR/shared \
        setsid taskset -c "${cpu%%[-,]*}" libvirtd --listen --pid-file /run/libvirt/libvirtd.pid \
        </dev/null >>"$OWN/log/libvirtd.log" 2>&1 &
}

if [[ ${3:-} == libvirtd ]]; then
    start_libvirtd
    exit
fi

hostname "$HOST"
mount_sys
mount_folders
start_syslog
start_sshd
start_libvirtd
# Only now is the host "up": others may enter it, through the process that stands for it (host-init.c).
echo $PPID >"$OWN/pid.new"
mv "$OWN/pid.new" "$OWN/pid"
