#!/bin/sh
# Installed by 'sysadm setup'; removed by 'sysadm setup --uninstall'.
# Called by libvirt: ZONE OPERATION SUB-OPERATION EXTRA, the zone's XML on standard input.
# While this host is in maintenance no zone starts or arrives on it: see sysadm(8).
marker='@MARKER@'
blocks='@BLOCKS@'
case "$2" in
    prepare | migrate | restore) ;;
    *) exit 0 ;;
esac
[ -e "$marker" ] || [ -d "$blocks" ] || exit 0
zone=$1
# A name may be any text, and echo would interpret some of them.
refuse() {
    printf "zone '%s': %s\n" "$zone" "$*" >&2
    exit 1
}
uuid=
while read -r line; do
    case "$line" in
        '<uuid>'*)
            uuid=${line#<uuid>}
            uuid=${uuid%%<*}
            break
            ;;
    esac
done
case "$uuid" in
    *[!0-9a-f-]*) uuid= ;;
esac
# Whether a running process has written such a file for this zone: its process id and, since ids are reused, its start
# time.
written_for_it() {
    [ -n "$uuid" ] && [ -r "$1/$uuid" ] || return 1
    pid='' start=''
    { read -r pid && read -r start; } <"$1/$uuid"
    [ -n "$pid" ] && [ -r "/proc/$pid/stat" ] && read -r stat <"/proc/$pid/stat" || return 1
    # The program's name is in parentheses, and may contain some itself; the start time is the 20th word after it.
    # shellcheck disable=SC2086 # These must be split into words.
    set -f -- ${stat##*) }
    [ -z "$start" ] || [ "$start" = "${20}" ]
}
# A zone that sysadm has shut down in order to boot it elsewhere is not booted here.
if [ "$2" != migrate ] && written_for_it "$blocks"; then
    refuse "boot prevented: it is on its way to another host; if that was interrupted: 'sysadm evacuate --resume'" \
        "on the host whose run moves it, or end process $pid"
fi
[ -e "$marker" ] || exit 0
# A zone that sysadm has shut down and now boots again has a permit while that process runs.
if [ "$2" = prepare ] && written_for_it '@PERMITS@'; then
    exit 0
fi
holder=
read -r holder <"$marker"
case "$2" in
    migrate) action='incoming migration' ;;
    *) action='boot' ;;
esac
refuse "$action prevented due to system maintenance: see sysadm(8) [$holder]"
