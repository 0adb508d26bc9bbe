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
holder=
read -r holder <"$marker"
case "$2" in
    migrate) action='incoming migration' ;;
    *) action='boot' ;;
esac
echo "zone '$1': $action prevented due to system maintenance: see sysadm(8) [$holder]" >&2
exit 1
