#!/bin/bash
# Real hosts on one machine, for tests that need real libvirt, QEMU, LXC and sshd.
#
# A lab is a folder. Its hosts are namespaces of this machine, joined by a bridge of their own; see host.sh.
# Must be run by root, on a machine meant for tests. All messages for people go to standard error.
set -euo pipefail

LAB_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # for common.sh
LAB_REPO=${LAB_HOME%/tests/lab}

usage() {
    cat >&2 <<'END'
usage: lab.sh COMMAND ...
  install                     packages, the guest's kernel and initrd (skips what is there)
  up DIR HOST...              raise hosts (those that are up stay as they are)
  down DIR                    end the lab, keep its files
  exec DIR HOST CMD...        run CMD inside a host
  address DIR HOST            print a host's address
  define DIR HOST kvm NAME [--memory MIB] [--tick MS] [--dirty MIB_PER_S] [--dirtyset MIB]
         [--disk PATH] [--net BRIDGE] [--ignore-shutdown]
  define DIR HOST lxc NAME [--memory MIB] [--tick MS]
  start DIR HOST NAME         start a guest, wait for its first tick
  cut|mend DIR HOST           pull, plug the host's network cable
  kill|boot DIR HOST          power loss; power again
  libvirtd DIR HOST stop|start|restart
environment:
  LAB_PATH   folder that comes first in every host's PATH   (default: REPO/target/debug)
  LAB_CACHE  folder for the guest's kernel, initrd and such (default: REPO/target/lab)
A guest's ticks: DIR/shared/NAME.log (kvm), DIR/shared/NAME.root/tick.log (lxc).
END
    exit 2
}

# shellcheck source-path=SCRIPTDIR
. "$LAB_HOME/common.sh"

command=${1:-}
case $command in
    install) need_arguments 1 $# ;;
    up) need_arguments 3 $# ;;
    down) need_arguments 2 $# ;;
    exec | libvirtd) need_arguments 4 $# ;;
    define) need_arguments 5 $# ;;
    start) need_arguments 4 $# ;;
    address | cut | mend | kill | boot) need_arguments 3 $# ;;
    *) usage ;;
esac
shift
[[ $EUID -eq 0 ]] || die "must be root"
if [[ $command != install ]]; then
    use_lab "$1"
    shift
fi

case $command in
    exec)
        host=$1
        shift
        enter_host "$host" "$@"
        ;;
    address) host_address "$1" ;;
    install)
        . "$LAB_HOME/packages.sh"
        install_all
        ;;
    define | start)
        . "$LAB_HOME/guest.sh"
        "${command}_guest" "$@"
        ;;
    *)
        . "$LAB_HOME/host.sh"
        case $command in
            up) raise_hosts "$@" ;;
            down) end_lab ;;
            cut) link_of_host "$1" down ;;
            mend) link_of_host "$1" up ;;
            kill) kill_host "$1" ;;
            boot) boot_again "$1" ;;
            libvirtd) control_libvirtd "$@" ;;
        esac
        ;;
esac
