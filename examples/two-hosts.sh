#!/bin/bash
# Evacuates zones from one host to another, and brings them back, step by step.
#
#   two-hosts.sh HOST1 HOST2 ZONE...   two libvirt hosts; each ZONE is on HOST1, on shared storage
#   two-hosts.sh --lab                 creates two hosts with zones on this machine (as root, on Debian)
#
# Real hosts need sysadm, and `sysadm setup` must have been run there. You must be able to log in to root@HOST1 and
# root@HOST2, and root on HOST1 to root@HOST2, without a password. Only the given zones move, but HOST1 is in maintenance
# meanwhile: no zone can be started there. The script stops at the first problem, and prints how to continue.
set -euo pipefail

usage() {
    sed -n 's/^#   //p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

die() {
    echo "two-hosts: $*" >&2
    exit 1
}

# on HOST CMD...: shows the command as one would type it there, and runs it there.
on() {
    local host=$1
    shift
    printf '\n%s#' "$host"
    printf ' %s' "${@/#* */\"&\"}"
    echo
    quietly "$host" "$@"
}

# runs_on HOST ZONE, is_on HOST ZONE: whether it runs there; whether it is there at all.
runs_on() {
    quietly "$1" sysadm zone list -np | cut -d: -f2 | grep -qxF -- "$2"
}

is_on() {
    quietly "$1" sysadm zone list -inp | cut -d: -f2 | grep -qxF -- "$2"
}

explain() {
    (($? == 0)) || cat >&2 <<END

two-hosts: stopped. Nothing is lost: 'sysadm evacuate -l' on $first shows where each zone is. To undo:
  sysadm maintain -e
  sysadm evacuate -r ${zones[*]}
  sysadm target unset ${zones[*]}
END
}

# ---- the hosts -------------------------------------------------------------------------------------

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
lab=$repo/tests/lab/lab.sh

raise_lab() {
    folder=$(mktemp -d)
    trap 'explain; "$lab" down "$folder" && rm -rf "$folder"' EXIT
    (cd "$repo" && cargo build --locked --quiet)
    LAB_PATH=${LAB_PATH:-${CARGO_TARGET_DIR:-$repo/target}/debug}
    export LAB_PATH
    "$lab" install
    "$lab" up "$folder" h1 h2
    "$lab" define "$folder" h1 kvm web1
    "$lab" define "$folder" h1 kvm web2
    "$lab" start "$folder" h1 web1
    for host in h1 h2; do
        quietly "$host" sysadm setup >/dev/null
        "$lab" libvirtd "$folder" "$host" restart
    done
}

if [[ $# -eq 1 && $1 == --lab ]]; then
    quietly() {
        local host=$1
        shift
        "$lab" exec "$folder" "$host" "$@"
    }
    first=h1 second=h2 zones=(web1 web2)
    raise_lab
elif (($# >= 3)) && [[ $1 != -* ]]; then
    quietly() {
        local host=$1
        shift
        ssh -o BatchMode=yes "root@$host" "$(printf '%q ' "$@")"
    }
    first=$1 second=$2 zones=("${@:3}")
    trap explain EXIT
else
    usage
fi
target=ssh://root@$second

# ---- before ----------------------------------------------------------------------------------------

declare -A ran
for zone in "${zones[@]}"; do
    is_on "$first" "$zone" || die "$zone is not on $first"
    ran[$zone]=no
    if runs_on "$first" "$zone"; then ran[$zone]=yes; fi
done

on "$first" sysadm host check "$target"
on "$first" sysadm target set "${zones[@]}" "$target"
on "$first" sysadm target list

# ---- away ------------------------------------------------------------------------------------------

on "$first" sysadm maintain -s -m "two-hosts example"
on "$first" sysadm maintain -l
on "$first" sysadm evacuate -n "${zones[@]}"
on "$first" sysadm evacuate -v "${zones[@]}"
on "$first" sysadm evacuate -l
on "$first" sysadm zone list -cv
on "$second" sysadm zone list -iv

for zone in "${zones[@]}"; do
    ! is_on "$first" "$zone" || die "$zone is still on $first"
    is_on "$second" "$zone" || die "$zone is not on $second"
    if [[ ${ran[$zone]} == yes ]]; then
        runs_on "$second" "$zone" || die "$zone is not running on $second"
    fi
done

# Now work on the host and reboot it.

# ---- back ------------------------------------------------------------------------------------------

on "$first" sysadm maintain -e
on "$first" sysadm evacuate -rv "${zones[@]}"
on "$first" sysadm evacuate -l

for zone in "${zones[@]}"; do
    ! is_on "$second" "$zone" || die "$zone is still on $second"
    is_on "$first" "$zone" || die "$zone is not on $first"
    if [[ ${ran[$zone]} == yes ]]; then
        runs_on "$first" "$zone" || die "$zone is not running on $first"
    fi
done
on "$first" sysadm target unset "${zones[@]}"
echo
echo "two-hosts: all zones are back, as they were"
