//! Migrating one zone.

use insta::assert_snapshot;

use super::help;

#[test]
fn help_of_zone_migrate() {
    assert_snapshot!(help("zone migrate --help"), @r"
    Migrate a zone to another host permanently

    A running zone migrates live. For a zone that is not running, only the configuration moves. The
    zone's storage must be accessible to both hosts. The destination checks the zone and its storage and
    reserves room before anything is changed; if it refuses, the zone stays as it is.

    Afterwards the zone belongs to the other host. It is 'configured' here, and 'sysadm evacuate -r'
    does not bring it back. A zone that was evacuated to this host can be migrated further; the return
    to its own host will find it.

    This host may be in maintenance or not, but the destination must not be. Only one evacuation, return
    or migration can be in progress on a host. ^C before the move has started cancels it; otherwise the
    move is completed. A second ^C aborts the move, and the zone stays here. If the command is
    interrupted, 'sysadm evacuate --resume' or the next run asks both hosts and completes the move or
    rolls it back.

    Usage: sysadm zone migrate [OPTIONS] <ZONE> <URI>

    Arguments:
      <ZONE>
              Zone

      <URI>
              Destination: ssh://[USER@]HOST[:PORT] or rads://[USER@]HOST[:PORT]

    Options:
      -n, --dry-run
              Dry run: query the destination and run all checks, but change nothing

      -q, --quiet
              Report errors only

      -w, --overwrite
              Overwrite a different configuration of the zone that the destination has. Default: refuse
              the zone

      -t, --type <TYPE>
              Migration type

              Possible values:
              - auto: Live if the zone is running, cold if it is not
              - live: Live only; refuse a zone that is not running
              - cold: Shut a running zone down once the destination is ready, and boot it there
              
              [default: auto]

          --json
              Print the result as a JSON document

      -h, --help
              Print help (see a summary with '-h')

    TYPES (-t)
      auto  a running zone that cannot migrate live is refused, with the reason
      cold  a zone that does not shut down, or cannot be booted at the destination,
            keeps running here

    OUTPUT
      Progress is reported in the words of zoneadm(8), on standard error, with a
      progress bar on a terminal. If the destination already has the same configuration
      of this zone, it is used; if it has a different one, -w replaces it, and without
      -w the migration is refused. If the zone does not stay there, its former
      configuration is 'configured' there, and 'sysadm zone attach' restores it.

    EXAMPLES
      sysadm zone migrate -n web1 ssh://root@h2    check only
      sysadm zone migrate web1 ssh://root@h2
      sysadm zone migrate -t cold ct1 rads://h3

    EXIT STATUS
      0    the zone has moved; -n: it can move
      1    the zone has not moved and is here, as it was; every reason is listed
      2    usage error
      3    the zone has moved but is not running there
      4    the destination is in maintenance; or another evacuation, return, migration,
           detach or attach is in progress here
      5    sysadm cannot determine where the zone is until both hosts answer; then run
           'sysadm evacuate --resume'
      130  cancelled; the zone is here, as it was
    [done]
    ");
}
