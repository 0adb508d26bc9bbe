# shellcheck shell=bash
# A host's own files: its folders, its libvirt and sshd settings, its keys and its known hosts.

# prepare_host HOST INDEX: creates the host's folders and settings, once.
prepare_host() {
    local host=$1 own=$DIR/$1 id
    mkdir -p "$own"/{etc/libvirt,etc/sysadm,var/{lib,log,cache}/libvirt,var/lib/sysadm,local,log}
    mkdir "$own/ssh"
    chmod 700 "$own/ssh"
    echo "$2" >"$own/index"
    echo "$host" >"$own/etc/hostname"
    : >"$own/etc/bashrc"
    id=$(sha256sum <<<"$DIR/$host" | cut -c1-32)
    echo "$id" >"$own/etc/machine-id"
    cp /etc/libvirt/*.conf "$own/etc/libvirt/" 2>/dev/null || true
    if [[ -d $LAB_CACHE/capabilities ]]; then
        mkdir -p "$own/var/cache/libvirt/qemu"
        cp -a "$LAB_CACHE/capabilities" "$own/var/cache/libvirt/qemu/"
    fi
    configure_libvirt "$host" "${id:0:8}-${id:8:4}-4${id:13:3}-8${id:17:3}-${id:20:12}"
    configure_sshd "$host"
}

configure_libvirt() {
    local own=$DIR/$1
    cat >"$own/etc/libvirt/libvirtd.conf" <<END
host_uuid = "$2"
auth_unix_rw = "none"
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
listen_addr = "$(host_address "$1")"
keepalive_interval = 1
keepalive_count = 3
END
    cat >"$own/etc/libvirt/qemu.conf" <<'END'
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
keepalive_interval = 1
keepalive_count = 3
# Other labs boot the same kernel file, so its former owner must not be recorded.
remember_owner = 0
END
}

# Without PAM and with StrictModes off, because the folders of a test may belong to any user.
configure_sshd() {
    local own=$DIR/$1
    ssh-keygen -q -t ed25519 -N '' -C "root@$1" -f "$own/ssh/id_ed25519"
    ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$own/etc/ssh_host_ed25519_key"
    cat >"$own/etc/sshd_config" <<END
ListenAddress $(host_address "$1")
HostKey $own/etc/ssh_host_ed25519_key
PidFile none
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
UseDNS no
Subsystem sftp internal-sftp
END
}

# Every host knows every other by name and host key, and accepts its root user.
introduce_hosts() {
    local host keys='' known='' hosts='127.0.0.1 localhost'$'\n'
    for host in $(list_hosts); do
        hosts+="$(host_address "$host") $host"$'\n'
        keys+="$(<"$DIR/$host/ssh/id_ed25519.pub")"$'\n'
        known+="$host,$(host_address "$host") $(cut -d' ' -f1-2 "$DIR/$host/etc/ssh_host_ed25519_key.pub")"$'\n'
    done
    # In place: these files are bind-mounted, so a new file with the same name would not be seen.
    printf '%s' "$hosts" >"$DIR/hosts"
    for host in $(list_hosts); do
        printf '%s' "$keys" >"$DIR/$host/ssh/authorized_keys"
        printf '%s' "$known" >"$DIR/$host/ssh/known_hosts"
    done
}

list_hosts() {
    local index
    for index in "$DIR"/*/index; do
        if [[ -f $index ]]; then basename "$(dirname "$index")"; fi
    done
}
