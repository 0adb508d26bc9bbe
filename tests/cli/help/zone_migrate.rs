//! Of what moves one zone.

use insta::assert_snapshot;

use super::help;

#[test]
fn help_of_zone_migrate() {
    assert_snapshot!(help("zone migrate --help"), @r"
    Move a zone to another host, for good

    A zone that runs migrates live, one that does not run moves cold: its configuration goes over. Its
    storage must be one that both hosts see. The destination is asked first, books room and looks for
    the storage; if it has anything against the zone, nothing is changed.

    The zone does not belong here any more afterwards: it is 'configured' here, and no 'sysadm evacuate
    -r' brings it back. One that is here as a guest, because its own host was evacuated, may be moved
    on; the return of its own host follows it.

    No maintenance is needed here, nor is it in the way; that of the destination is. Only one
    evacuation, return or migration is in progress on a host. ^C: what was begun is finished. Once more:
    it is given up, the zone stays here. If it is interrupted, 'sysadm evacuate --resume' asks both
    hosts and settles it, and so does the next run.

    Usage: sysadm zone migrate [OPTIONS] <ZONE> <URI>

    Arguments:
      <ZONE>
              The zone

      <URI>
              The other host: ssh://USER@HOST:PORT or rads://USER@HOST:PORT; user and port may be left
              out

    Options:
      -n, --dry-run
              Ask the destination, check everything; change nothing anywhere

      -q, --quiet
              Say only what went wrong

      -w, --overwrite
              Overwrite the configuration that the destination has of the same zone

      -t, --type <TYPE>
              How it moves

              Possible values:
              - auto: Live if it runs, cold if it does not
              - live: Only live: a zone that does not run is not moved
              - cold: A zone that runs is shut down when all is ready for it there, and booted there
              
              [default: auto]

          --json
              The result as one JSON document

      -h, --help
              Print help (see a summary with '-h')

    TYPES (-t)
      auto  a zone that runs migrates live, one that does not run moves cold; one that runs
            and cannot migrate live is refused, with the reason
      live  only live: a zone that does not run is refused
      cold  one that runs is shut down when all is ready for it there, and booted there; if
            it does not heed, or cannot be booted there, it goes on here

    OUTPUT
      zoneadm(8)'s sentences, on standard error, each when it is so; a moving bar beside
      them on a terminal. A configuration that is there already is used if it is the same
      one; -w replaces another one, and without -w that is an error. What was there is
      'configured' there if the zone does not stay; 'sysadm zone attach' puts it back.

    EXAMPLES
      sysadm zone migrate -n web1 ssh://root@h2    could it?
      sysadm zone migrate web1 ssh://root@h2
      sysadm zone migrate -t cold ct1 rads://h3

    EXIT STATUS
      0    it has moved; -n: it could
      1    nothing was changed: every reason is said
      2    wrong usage
      4    the destination is in maintenance, or another evacuation, return or migration,
           or a detach or attach, is in progress here
      5    stuck: where the zone is cannot be told before both hosts answer; then
           'sysadm evacuate --resume'
      130  cancelled; the zone is here, as it was
    [done]
    ");
}
