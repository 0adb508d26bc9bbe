# shellcheck shell=bash
# Guests: virtual machines and containers whose only program is guest-init.c.

# define_guest HOST kvm|lxc NAME [OPTIONS]
define_guest() {
    local host=$1 kind=$2 name=$3
    shift 3
    [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "'$name' cannot be the name of a guest"
    MEMORY=96 TICK=100 DIRTY=0 DIRTYSET=16 DISK=$DIR/shared/$name.img BRIDGE='' BUTTON=heed
    read_options "$@"
    [[ -f $LAB_CACHE/initrd ]] || die "no guest kernel in $LAB_CACHE: run 'lab.sh install'"
    case $kind in
        kvm)
            # Inside the host: the disk may be in a folder that only this host has.
            in_host "$host" test -e "$DISK" || in_host "$host" truncate -s 8M "$DISK"
            define_domain "$host" qemu:///system "$name" < <(kvm_xml "$name")
            ;;
        lxc)
            if [[ ! -d $DIR/shared/$name.root ]]; then cp -a "$LAB_CACHE/root" "$DIR/shared/$name.root"; fi
            define_domain "$host" lxc:///system "$name" < <(lxc_xml "$name")
            ;;
        *) usage ;;
    esac
}

read_options() {
    while (($#)); do
        if [[ $1 == --ignore-shutdown ]]; then
            BUTTON=ignore
            shift
            continue
        fi
        (($# >= 2)) || usage
        case $1 in
            --memory) MEMORY=$2 ;;
            --tick) TICK=$2 ;;
            --dirty) DIRTY=$2 ;;
            --dirtyset) DIRTYSET=$2 ;;
            --disk) DISK=$2 ;;
            --net) BRIDGE=$2 ;;
            *) usage ;;
        esac
        shift 2
    done
}

# define_domain HOST URI NAME, the XML on standard input.
define_domain() {
    in_host "$1" virsh -q -c "$2" define /dev/stdin >/dev/null || die "cannot define '$3' on '$1'"
}

# Title, description and metadata are for tests that look for them wherever the guest is moved to.
about_xml() {
    cat <<END
  <name>$1</name>
  <title>Lab guest $1</title>
  <description>A guest of the lab: &lt;ticks&gt; &amp; nothing else.</description>
  <metadata>
    <lab:guest xmlns:lab="urn:sysadm:lab"><lab:owner room="12">Ada &amp; Grace</lab:owner></lab:guest>
  </metadata>
  <memory unit='MiB'>$MEMORY</memory>
  <vcpu>1</vcpu>
END
}

kvm_xml() {
    local name=$1 network=''
    if [[ -n $BRIDGE ]]; then
        network="<interface type='bridge'><source bridge='$BRIDGE'/><model type='e1000'/></interface>"
    fi
    cat <<END
<domain type='qemu'>
$(about_xml "$name")
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>$LAB_CACHE/vmlinuz</kernel>
    <initrd>$LAB_CACHE/initrd</initrd>
    <cmdline>console=ttyS0,115200 quiet loglevel=1 panic=-1 nokaslr mitigations=off tick=$TICK dirty=$DIRTY dirtyset=$DIRTYSET button=$BUTTON</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='custom' match='exact' check='none'><model>qemu64</model></cpu>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='$DISK'/><target dev='vda' bus='virtio'/>
    </disk>
    <controller type='usb' model='none'/>
    <serial type='file'><source path='$DIR/shared/$name.log' append='on'/></serial>
    <memballoon model='none'/>
    $network
  </devices>
</domain>
END
}

lxc_xml() {
    cat <<END
<domain type='lxc'>
$(about_xml "$1")
  <os>
    <type arch='x86_64'>exe</type>
    <init>/bin/init</init>
    <initenv name='tick'>$TICK</initenv>
  </os>
  <devices>
    <emulator>/usr/lib/libvirt/libvirt_lxc</emulator>
    <filesystem type='mount'><source dir='$DIR/shared/$1.root'/><target dir='/'/></filesystem>
    <console type='pty'/>
  </devices>
</domain>
END
}

# start_guest HOST NAME: returns when the guest has ticked for the first time after its start.
start_guest() {
    local host=$1 name=$2 uri=qemu:///system log=$DIR/shared/$2.log before=0
    if ! in_host "$host" virsh -c "$uri" domstate "$name" >/dev/null 2>&1; then
        uri=lxc:///system log=$DIR/shared/$name.root/tick.log
    fi
    if [[ -f $log ]]; then before=$(stat -c %s "$log"); fi
    in_host "$host" virsh -q -c "$uri" start "$name" >/dev/null
    until_true 90 has_ticked "$log" "$before" || die "'$name' on '$host' does not tick"
}

has_ticked() {
    tail -c "+$(($2 + 1))" "$1" | grep -aq '^tick 0'
}
