//! Zones by hand.

use insta::assert_snapshot;

use super::help;

#[test]
fn help_of_zone() {
    assert_snapshot!(help("zone --help"), @r"
    List, attach, detach, create, delete and migrate zones

    Usage: sysadm zone <COMMAND>

    Commands:
      list     List zones; by default, running ones
      detach   Detach a zone from this host, so that it can be attached to another one
      attach   Attach a configured zone to this host, or check whether a zone would fit
      create   Configure a zone from the manifest of a detached one
      delete   Delete the configuration of a zone
      migrate  Migrate a zone to another host permanently
      standby  Copy the manifest of each zone to the zone's targets, so that zones can be recovered if
               this host fails
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    [done]
    ");
}

#[test]
fn help_of_zone_list() {
    assert_snapshot!(help("zone list --help"), @r"
    List zones; by default, running ones

    Usage: sysadm zone list [OPTIONS]

    Options:
      -i, --installed
              Include installed zones, which are not running

      -c, --configured
              Include all known zones, evacuated and detached ones as well

      -n, --no-global
              Omit the global zone, which is the host itself

      -v, --verbose
              Print a table with ID, NAME, STATUS, PATH, BRAND and IP

      -p, --parsable
              Print stable output for scripts:
              zoneid:zonename:state:zonepath:uuid:brand:ip-type:r/w:file-mac-profile:aux

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm zone list            running zones
      sysadm zone list -iv        installed zones as well, as a table
      sysadm zone list -cp        all zones, for scripts

    EXIT STATUS
      0  success
      1  the zones cannot be listed
      2  usage error
    [done]
    ");
}

#[test]
fn help_of_zone_detach() {
    assert_snapshot!(help("zone detach --help"), @r"
    Detach a zone from this host, so that it can be attached to another one

    The zone must not be running. Its configuration, and a list of the host's software that it depends
    on, are written to a manifest: in its zonepath, if it has one, and always in this host's database.
    Then the zone is removed from libvirt and becomes 'configured'. Its data are not touched.

    Usage: sysadm zone detach [OPTIONS] <ZONE>

    Arguments:
      <ZONE>
              Zone

    Options:
      -n, --print
              Only print the manifest, for 'sysadm zone attach -n' on another host. The zone may be
              running

          --manifest <FILE>
              Also write the manifest to FILE, which must not exist yet (mode 0600: it may contain
              passwords)

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm zone detach web1
      sysadm zone detach web1 --manifest /root/web1.xml
      sysadm zone detach -n web1 | ssh h2 sysadm zone attach -n -    would it fit there?

    FILES
      SUNWdetached.xml    the manifest in the zonepath. While it exists, no other zone
                          can use that directory. The zonepath of a container is the
                          directory that holds its root file system, if the latter is
                          called root or rootfs; virtual machines have no zonepath

    EXIT STATUS
      0  the zone is detached, or its manifest was printed
      1  error; the zone is unchanged
      2  usage error
      3  the zone is detached, but the copy of its manifest could not be written; or
         detaching failed and could not be undone completely
      4  an evacuation, return, migration, or another detach or attach is in progress
    [done]
    ");
}

#[test]
fn help_of_zone_create() {
    assert_snapshot!(help("zone create --help"), @r"
    Configure a zone from the manifest of a detached one

    Nothing is installed or copied. The zone becomes 'configured'; 'sysadm zone attach' then checks and
    attaches it. Known reasons that would prevent this are reported right away, but do not prevent the
    zone from being configured. A configuration that is invalid, or whose name or UUID is taken, is
    refused.

    Usage: sysadm zone create [OPTIONS] --manifest <PATH> <ZONE>

    Arguments:
      <ZONE>
              Name of the zone; may differ from the name in the manifest

    Options:
      -a, --manifest <PATH>
              Manifest: a file, - for standard input, or the directory that contains it, which becomes
              the zonepath

          --net <OLD=NEW>
              Reconnect every interface of network OLD to network NEW. May be repeated; all changes are
              made at once, so two networks can be swapped

          --set <KEY=VALUE>
              Change memory=SIZE, cpus=N, autostart=true|false, machine=TYPE or uuid=new|UUID; a new
              UUID makes a copy. May be repeated

          --edit
              Edit the configuration with $VISUAL, $EDITOR or vi. Name and UUID cannot be changed there

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm zone create web1 -a /zones/web1
      sysadm zone create web1 -a web1.xml --set memory=4G --net br0=br7
      sysadm zone create web2 -a web1.xml --set uuid=new --edit    a copy with other disks
      ssh h1 cat web1.xml | sysadm zone create web1 -a -

    COPIES
      A zone with a new UUID is a different zone. Its interfaces get new MAC addresses,
      derived from the UUID, and a <genid> with a value is set to the UUID. Storage is
      not copied: a copy that would write to a disk, the NVRAM or the root file system
      of the original is configured, but 'sysadm zone attach' refuses it. Name other
      disks in the editor, or mark disks that are meant to be shared as <shareable/>.

    EDITING
      If the edited text is refused, or the zone cannot be created, the text is kept in
      a file in /run/sysadm that only its owner can read; the error names the file.

    EXIT STATUS
      0  the zone is configured
      1  error; nothing was kept except an edited text
      2  usage error
    [done]
    ");
}

#[test]
fn help_of_zone_delete() {
    assert_snapshot!(help("zone delete --help"), @r"
    Delete the configuration of a zone

    The zone's data and the manifest in its zonepath are not touched. Detach an installed zone first.
    Use 'sysadm evacuate --forget' for an evacuated one.

    Usage: sysadm zone delete [OPTIONS] <ZONE>

    Arguments:
      <ZONE>
              Zone; must be configured here

    Options:
      -F, --force
              Do not ask for confirmation. Required if standard input is not a terminal

      -h, --help
              Print help (see a summary with '-h')

    EXIT STATUS
      0  the zone is no longer configured, or you answered no
      1  the zone is not configured here, or another error; nothing was changed
      2  usage error
    [done]
    ");
}
