#!/bin/sh
# Installed by 'sysadm setup'; removed by 'sysadm setup --uninstall'.
# Called by libvirt: ZONE OPERATION SUB-OPERATION EXTRA, the zone's XML on standard input.
# While this host is in maintenance no zone starts or arrives on it: see sysadm(8).
marker='@MARKER@'
holds='@HOLDS@'
case "$2" in
    prepare | migrate | restore) ;;
    *) exit 0 ;;
esac
[ -e "$marker" ] || [ -d "$holds" ] || exit 0
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
# Whether a process that lives has given this zone such a slip.
given() {
    [ -n "$uuid" ] && [ -r "$1/$uuid" ] && read -r pid <"$1/$uuid" && [ -d "/proc/$pid" ]
}
# One that sysadm has shut down in order to boot it elsewhere is not booted here.
if [ "$2" != migrate ] && given "$holds"; then
    echo "zone '$1': boot prevented: it is on its way to another host, see sysadm(8) [pid $pid]" >&2
    exit 1
fi
[ -e "$marker" ] || exit 0
# One that sysadm itself shut down and now boots again has a pass while that sysadm lives.
if [ "$2" = prepare ] && given '@PASSES@'; then
    exit 0
fi
holder=
read -r holder <"$marker"
case "$2" in
    migrate) action='incoming migration' ;;
    *) action='boot' ;;
esac
echo "zone '$1': $action prevented due to system maintenance: see sysadm(8) [$holder]" >&2
exit 1
