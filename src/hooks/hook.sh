#!/bin/sh
# Installed by 'sysadm setup'; removed by 'sysadm setup --uninstall'.
# Called by libvirt: ZONE OPERATION SUB-OPERATION EXTRA, the zone's XML on standard input.
# While this host is in maintenance no zone starts or arrives on it: see sysadm(8).
marker='@MARKER@'
case "$2" in
    prepare | migrate | restore) ;;
    *) exit 0 ;;
esac
[ -e "$marker" ] || exit 0
# Nor does one that sysadm itself shut down and now boots again: it has a pass while that sysadm lives.
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
    '' | *[!0-9a-f-]*) ;;
    *)
        pass='@PASSES@'/$uuid
        if [ "$2" = prepare ] && [ -r "$pass" ] && read -r pid <"$pass" && [ -d "/proc/$pid" ]; then
            exit 0
        fi
        ;;
esac
holder=
read -r holder <"$marker"
case "$2" in
    migrate) action='incoming migration' ;;
    *) action='boot' ;;
esac
echo "zone '$1': $action prevented due to system maintenance: see sysadm(8) [$holder]" >&2
exit 1
