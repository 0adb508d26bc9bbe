//! Attaching zones, including those of lost hosts.

use insta::assert_snapshot;

use super::help;

#[test]
fn help_of_zone_attach() {
    assert_snapshot!(help("zone attach --help"), @r"
    Attach a configured zone to this host, or check whether a zone would fit

    sysadm checks the zone as it checks an arriving one: networks, machine type, processor, software,
    capacity, name, UUID, maintenance, and whether its disks and everything else that it uses of the
    host exist. If anything is wrong all reasons are listed and the zone stays configured. Otherwise the
    zone is defined in libvirt and its manifest is removed. The zone is not booted.

    Usage: sysadm zone attach [OPTIONS] ZONE
           sysadm zone attach -n PATH [-u] [--json]

    Arguments:
      [ZONE]
              Zone; must be configured here

    Options:
      -n, --check <PATH>
              Only check whether the zone of this manifest would fit; it need not be configured. PATH is
              a file, the directory that contains the manifest, or - for standard input

      -F, --force
              Ignore software, platform and network mismatches. Name, UUID, disk, maintenance and
              capacity checks still apply. The zone may fail to boot

      -u, --update
              Update the zone so that it fits: a machine type that QEMU no longer supports is replaced
              by the newest of its family, so the zone sees different hardware. Changes are reported

          --standby
              Attach a zone whose host is lost, from the manifest that the lost host copied here
              ('sysadm zone standby'). Refused if the lost host answers, or if it or another target of
              the zone may be running the zone

          --origin <HOST>
              With --standby: the host that the zone belongs to, if several hosts have copied a zone of
              this name

          --origin-is-down
              With --standby: confirm that the zone's host is fenced: it is powered off, or cut off from
              its disks, and cannot come back by itself. If that is wrong, disks are corrupted. Logged
              with your name

          --not-on <HOST>
              Confirm that the zone is not on HOST, a target of the zone or a host it was migrated to,
              which does not answer. Logged with your name

          --json
              Print a JSON document

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm zone attach web1
      sysadm zone attach -u web1
      sysadm zone attach -n /zones/web1
      ssh h1 sysadm zone detach -n web1 | sysadm zone attach -n -

    SHARED STORAGE
      A zone may be attached to one host only. If the zone has a zonepath, the host that
      attaches it removes the manifest from there; without that manifest the zone is
      refused, even with -F. A virtual machine has no zonepath, so the zone's targets and
      the host it was migrated to are asked whether they have it. If one of them cannot
      be asked, the zone is refused unless you confirm with --not-on that it is not there.
      A zone whose manifest was written while it was attached (detach -n) requires -F.

    EXIT STATUS
      0  the zone is attached, or would fit
      1  the zone does not fit, or another error; nothing was changed
      2  usage error
      4  this host is in maintenance; or an evacuation, return, migration, or another
         detach or attach is in progress
    [done]
    ");
}

#[test]
fn help_of_zone_standby() {
    assert_snapshot!(help("zone standby --help"), @r"
    Copy the manifest of each zone to the zone's targets, so that zones can be recovered if this host
    fails

    Each target of a zone receives the current manifest of the zone. If this host fails, the zone can be
    attached there with 'sysadm zone attach --standby ZONE', provided its storage is shared. Manifests
    of zones that have left this host, or have other targets now, are removed from the hosts that hold
    them.

    First, each target is asked whether a zone was attached there while this host was down. Such a zone
    is recorded as evacuated; 'sysadm evacuate -r' brings it back.

    'sysadm agent --listen' runs this periodically if [standby] every is set in sysadm.toml.

    Usage: sysadm zone standby [OPTIONS] [ZONE]...

    Arguments:
      [ZONE]...
              Only these zones

    Options:
      -l, --list
              List manifests that other hosts have copied here

      -q, --quiet
              Report errors only

      -p, --parsable
              Print stable output for scripts (requires -l): no header, fields separated by ':', with
              '\' before ':' and '\'

      -o, --output <FIELD,...>
              Fields to list (requires -l): ZONENAME; ORIGIN, the host of the zone; SINCE, when the
              manifest was copied; ATTACHED, when and by whom the zone was attached here; UUID; OTHERS,
              the other targets of the zone; or all

          --json
              Print a JSON document

      -h, --help
              Print help (see a summary with '-h')

    FIELDS
      SINCE     when the manifest was copied
      ATTACHED  when and by whom the zone was attached here
      OTHERS    other hosts that may have the zone

    EXAMPLES
      sysadm zone standby                    copy the manifests of all zones
      sysadm zone standby -l                 list what other hosts have copied here
      sysadm zone attach --standby web1 --origin-is-down
                                             on a target of web1, once its host is lost
                                             and fenced

    EXIT STATUS
      0  every target has every manifest
      1  no manifest could be copied
      2  usage error
      3  some manifests could not be copied; or none could, and zones were attached
         elsewhere
      5  a zone that runs here was attached elsewhere and may be running twice
    [done]
    ");
}
