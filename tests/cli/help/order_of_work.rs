//! The commands of an evacuation, in their order: sysadm itself, maintain, evacuate.

use insta::assert_snapshot;

use super::help;

#[test]
fn help_of_sysadm() {
    assert_snapshot!(help("--help"), @r"
    Empty a host of its zones before maintenance, and fill it again afterwards

    Zones are the KVM and LXC guests of libvirt. They go to other hosts, live
    where possible, several at once, each to a place that was checked before.
    Afterwards each comes back to where it came from.

    The order of work:

      sysadm target set --default ssh://root@h2    where zones go
      sysadm evacuate -na                          could they? (changes nothing)
      sysadm maintain -s -m 'new kernel'           no zone starts or arrives here
      sysadm evacuate -a                           all zones leave
      sysadm evacuate -l                           empty? then work, reboot
      sysadm maintain -e                           back in service
      sysadm evacuate -ra                          all zones return

    Usage: sysadm <COMMAND>

    Commands:
      maintain    Start, end, list or announce maintenance of this host
      evacuate    Move all zones away from this host, or back
      target      Say where zones go when this host is evacuated
      plan        Plan how hosts are emptied or filled again, without moving anything
      policy      List, check and explain policies: where zones may go, and how
      zone        Work with the zones of this host
      host        Ask other hosts how they are
      store       Look after the database of this host
      setup       Make the hypervisor itself respect maintenance
      cert        Make and show the certificates that rads:// needs
      agent       Serve this host to other hosts
      demo        Show what this tool does, on three simulated hosts
      sim         Play with simulated hosts and zones
      completion  Print a completion script for a shell
      help        Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    EXIT STATUS
      0    what was asked is wholly done
      1    an error; nothing was changed
      2    wrong usage
      3    partly done: some zones moved, some did not or still run here
      4    refused: maintenance is held, or is not held where it must be, or another
           evacuation, return or migration is in progress
      5    stuck: where a zone is cannot be settled without you
      130  cancelled by the operator; every zone is whole, and on one host

    NAMES OF ZONES
      letters, digits, '_', '-' and '.', beginning with a letter or digit. Each byte of anything
      else that libvirt has in a name is written as % and two hexadecimal digits: Windows%2010,
      m%C3%BCller. Wherever a ZONE is typed, libvirt's own name ('Windows 10') or the zone's
      UUID does, too; a name as sysadm lists it comes first, then libvirt's, then a UUID. After
      '--' a name may begin with '-'. A guest whose name has a line break or '/' cannot be
      handled; it is reported and counted.

    FILES
      /etc/sysadm/sysadm.toml        configuration; the defaults hold where it is silent
      /etc/sysadm/policies/          policies; they win over those of the same name that
                                     are part of the program
      /etc/sysadm/tls/               certificates for rads://
      /etc/libvirt/hooks/*.d/        00-sysadm: how libvirt is kept from starting zones
      /var/lib/sysadm/sysadm.db      state: maintenance, targets, zones that are away
      /var/lib/sysadm/maintenance    there while maintenance is held
      /run/sysadm/                   sockets of the migrations in progress

    ENVIRONMENT
      SYSADM_ROOT    a folder below which all these paths lie instead
      SUDO_USER, DOAS_USER
                     who is recorded as the user behind root
      SSH_AUTH_SOCK  the ssh-agent whose keys are tried for ssh://
      NO_COLOR       no colours

    'sysadm help COMMAND' tells all about a command.
    [done]
    ");
}

#[test]
fn help_of_maintain() {
    assert_snapshot!(help("maintain --help"), @r#"
    Start, end, list or announce maintenance of this host

    While maintenance is held, no zone on this host boots, attaches or arrives; libvirt itself refuses
    it, once 'sysadm setup' was run. Zones that run go on running until they are evacuated. Maintenance
    is held across reboots, until it is ended. Each type is a holder of its own: the host is back in
    service when the last one has ended. Announced maintenance locks nothing, but no other host brings
    zones here any more, except home; '-s' uses the announcement up, and one whose time has passed holds
    on.

    Usage: sysadm maintain [OPTIONS] <--start|--end|--list|--announce <WHEN>>

    Options:
      -s, --start
              Start maintenance

      -e, --end
              End maintenance, or call off what was announced

      -l, --list
              List who holds it, and say when it will begin

          --announce <WHEN>
              Say when it will begin: "YYYY-MM-DD HH:MM" (local time), +90min, +2h, or none

      -m, --message <MESSAGE>
              Why; shown by -l and to everybody who is refused

          --type <TYPE>
              The holder: admin, or a word of your own (power, network, ...)
              
              [default: admin]

      -p, --parsable
              Stable output for programs; needs -o

      -o, --output <FIELD,...>
              Fields to list: TYPE, USER, DATE, MESSAGE, or all

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm maintain -s -m 'new kernel'
      sysadm maintain -l
      sysadm maintain -l -p -o type,user        for programs
      sysadm maintain -s --type power           a second holder, beside admin
      sysadm maintain --announce 'YYYY-MM-DD HH:MM' -m 'new disks'
      sysadm maintain -e

    EXIT STATUS
      0  done
      1  -e: it is not held; or an error, and nothing was changed
      2  wrong usage
      4  -s: it is held already; by whom and since when is said
    [done]
    "#);
}

#[test]
fn help_of_evacuate() {
    assert_snapshot!(help("evacuate --help"), @r"
    Move all zones away from this host, or back

    Without options, the zones that run migrate live to their targets. This host must be in maintenance,
    so that none starts or arrives meanwhile. Every zone is prepared before the first one moves: the
    policy chooses one of its targets, which is asked, room is booked, storage is probed. A zone that
    cannot move stays as it is, where it is, and stops no other. It can be repeated: zones that failed
    are tried again.

    With -r, zones that are away come back from where they are, in the same way, and zones that rest
    here are booted again; then this host must not be in maintenance.

    ^C, or --cancel from another terminal: nothing new starts, what moves is finished. Once more: what
    moves is given up, too; those zones stay here. SIGTERM does that at once. A terminal that is closed
    does not end it.

    Usage: sysadm evacuate [OPTIONS] [ZONE]...

    Arguments:
      [ZONE]...
              Only these zones, in whatever state they are

    Options:
      -a, --all
              Zones that do not run, too: their configurations move

      -r, --return
              Bring evacuated zones back to this host

      -n, --dry-run
              Ask every host, check everything, print the plan; change nothing anywhere

      -v, --verbose
              Say what happens with each zone

      -q, --quiet
              Say only what went wrong

      -w, --overwrite
              Overwrite the configuration that a destination has of the same zone

          --force-attach
              Let zones go where their software, platform or networks are not as they need them: the
              destination still finds that, and does not refuse it. Room, storage, names and maintenance
              count as ever. Such a zone may not boot there

          --action <ACTION>
              What is done with the zones, whatever the policy says: live moves them, live if they run,
              and their configurations if they do not; restart shuts each down when all is ready for it
              there, and boots it there; stop and suspend let them rest here, until they are booted
              again by -r, in reverse order. With -r: live or restart
              
              [possible values: live, restart, stop, suspend]

      -j, --jobs <N>
              How many zones move at once, 1 to 64. Default: what the policy lets leave one host, or 3

          --plan <FILE>
              With -n: write the plan to this file. Without: do exactly what the plan in this file says,
              and nothing if hosts or zones have changed in a way that matters to it

          --retries <N>
              How often a move is tried again that failed for a reason that may pass: a line that broke,
              a hypervisor that was busy. After 5 s, then 10 s, 20 s, ...; checked and booked anew each
              time. Default: what the policy says, or 1

          --policy <NAME>
              The policy: where zones may go, which placement is good, what is done with which zone.
              Default: what sysadm.toml says, or spread

          --deadline <DURATION>
              After this time (30s, 10m, 1h30m) nothing new starts, and moves in flight are given up:
              those zones stay

          --json
              The plan of -n, the result, or the list of -l as one JSON document

          --resume
              Ask both hosts what became of each interrupted move, and finish or undo it; every run does
              that first

          --forget <ZONE>
              Give up a zone that is away or rests here: it stays as it is, is no longer listed, and
              never returned. One that is away is configured here then: 'sysadm zone attach' takes it if
              it is nowhere else. Of one that is here and belongs to another host, give that host up: it
              belongs here then

          --cancel
              Ask the run that is in progress to stop, as ^C would: nothing new starts, what moves is
              finished. Once more gives that up, too. -l --watch shows when it has ended

      -l, --list
              List the zones that are away, and those that could not leave

      -p, --parsable
              Stable output for programs; needs -o

      -o, --output <FIELD,...>
              Fields to list: ZONENAME, STATE, DEST, ERROR, ORIGIN, KIND, STEP, PROGRESS, BYTES,
              STARTED, DURATION, DOWNTIME; what was expected of a move before it began: EXPSTART,
              EXPDURATION, EXPDOWNTIME; WHEN a zone that waits is expected to move, and how long one
              that moves still takes; or all

          --watch
              Keep the list on the screen while it changes; on a pipe, a JSON document in a line for
              each change

      -h, --help
              Print help (see a summary with '-h')

    STATES (-l)
      PREPARING  its targets are being asked
      READY      its room is booked, it waits for its turn; or it waits for room: see ERROR
      MIGRATING  it is on its way, or being stopped, saved or booted
      EVACUATED  it is at DEST
      STOPPED    it was shut down and rests here; -r boots it again
      SUSPENDED  its memory was saved and it rests here; -r restores it
      SKIPPED    no attempt was made, ERROR says why; it may run here
      FAILED     the attempt failed, ERROR says why; it is where it was
      UNKNOWN    interrupted, or a host did not answer; --resume finds out

    WHEN (-l, while a run goes on)
      HH:MM      it is expected to move then; soon: it should be on its way by now
      1m05s      it is expected to arrive after that long; late: it should have arrived by now

    EXAMPLES
      sysadm evacuate -na                       what would happen, and what stands in the way
      sysadm evacuate -va                       everything, with a line for each step
      sysadm evacuate -j 6 --deadline 30m       six zones at once, half an hour at most
      sysadm evacuate -a --policy pack          to as few hosts as possible
      sysadm evacuate web1 db1                  only these, running or not
      sysadm evacuate --action restart ct1      shut down here, booted at its target
      sysadm evacuate --action stop web1 db1    first web1, then db1; -r boots db1 first
      sysadm evacuate -l                        what is away; what is left here
      sysadm evacuate -l -p -o zonename,dest    for programs
      sysadm evacuate -l --watch                as it changes
      sysadm evacuate --cancel                  from another terminal: nothing new starts
      sysadm evacuate -ra                       everything back

    GIVING IT UP
      ^C, or --cancel from another terminal: zones that wait for their turn are skipped, what
      moves is finished. Once more, SIGTERM or the end of --deadline: what moves is given up,
      too, and the run ends within 65 s whatever hangs. A zone that was given up goes on here;
      one of which that cannot be told is listed as UNKNOWN, and --resume settles it. SIGHUP
      (a closed terminal, a broken login) does not end the run; -l --watch shows it elsewhere.

    EXIT STATUS
      0    every zone that was asked for has moved or rests, and none is left running here
      1    every attempt failed, no zone moved; or an error, and nothing was changed
      2    wrong usage
      3    some zones moved, some did not or still run here; some were skipped
      4    not in maintenance (evacuation); in maintenance (return); or another run is in
           progress
      5    where a zone is cannot be settled without you; ERROR and --resume say more
      130  cancelled by ^C, --cancel or SIGTERM; every zone is whole, and on one host
      --cancel ends with 0 if the run was asked, with 1 if there is none.
      -n ends with 0 if all zones could move, with 3 or 1 if some or all could not.
      -l ends with 0 whatever it lists.
    [done]
    ");
}
