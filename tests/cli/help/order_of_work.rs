//! The commands of an evacuation, in their order: sysadm itself, maintain, evacuate.

use insta::assert_snapshot;

use super::help;

#[test]
fn help_of_sysadm() {
    assert_snapshot!(help("--help"), @r"
    Evacuate a host's zones before maintenance, and bring them back afterwards

    Zones are the KVM and LXC guests of libvirt. sysadm checks that other hosts
    can take them, and moves them there: several at a time, and live if possible.
    After the maintenance it brings each zone back.

    A typical session, on a host where 'sysadm setup' has been run:

      sysadm target set --default ssh://root@h2    choose where zones go
      sysadm evacuate -na                          can they move? (changes nothing)
      sysadm maintain -s -m 'new kernel'           no zone starts or arrives here
      sysadm evacuate -a                           move all zones away
      sysadm evacuate -l                           is the host empty? then work on it
      sysadm maintain -e                           put the host back in service
      sysadm evacuate -ra                          bring all zones back

    Usage: sysadm <COMMAND>

    Commands:
      maintain    Start, end, list or announce maintenance of this host
      evacuate    Move zones away from this host, or bring them back
      target      Set, unset and list where zones go when this host is evacuated
      plan        Plan the evacuation or return of several hosts, without moving anything
      policy      List, check and explain policies
      zone        List, attach, detach, create, delete and migrate zones
      host        Check hosts, list targets, and take an inventory of hosts
      store       Check, back up and recover the database of this host
      setup       Make libvirt enforce maintenance, and install the policies
      cert        Create and show certificates for rads://
      agent       Serve requests from other hosts
      demo        Demonstrate sysadm on three simulated hosts
      sim         Create simulated hosts and zones, and make them fail
      completion  Print a completion script for a shell
      help        Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    EXIT STATUS
      0    everything that was asked for is done
      1    error; nothing was changed
      2    usage error
      3    not everything was done: some zones did not move, or still run here
      4    refused: the host is in maintenance, or is not and must be, or another
           evacuation, return or migration is in progress
      5    manual intervention required: sysadm cannot determine where a zone is
      130  cancelled by ^C, SIGTERM or --cancel; every zone is intact, on one host

    JSON
      --json prints a document on standard output. Errors that prevent it are text on
      standard error.

    ZONE NAMES
      The name of a zone contains letters, digits, '_', '-' and '.', and begins with
      a letter or digit. Any other byte (of UTF-8) of a libvirt name is written as %
      and two hexadecimal digits: Windows%2010, m%C3%BCller. Where a command takes
      ZONE, you can also type libvirt's name ('Windows 10') or the zone's UUID. If
      that matches several zones, the listed name takes precedence, then libvirt's
      name, then the UUID.
      Put '--' before a name that begins with '-'. A guest whose name contains a line
      break or '/' cannot be managed; sysadm reports such guests and counts them.

    FILES
      /etc/sysadm/sysadm.toml        configuration; every setting has a default
      /etc/sysadm/policies/          policies; a file here replaces the built-in
                                     policy of the same name
      /etc/sysadm/tls/               certificates for rads://
      /etc/libvirt/hooks/*.d/        00-sysadm, the hook that keeps libvirt from
                                     starting zones during maintenance
      /var/lib/sysadm/sysadm.db      state: maintenance, targets, evacuated zones
      /var/lib/sysadm/maintenance    exists while the host is in maintenance
      /run/sysadm/                   sockets of migrations in progress

    ENVIRONMENT
      SYSADM_ROOT    directory prefix of all of these paths
      SUDO_USER, DOAS_USER
                     recorded as the user who acted, instead of root
      VISUAL, EDITOR
                     editor for 'zone create --edit'
      SSH_AUTH_SOCK  ssh-agent that holds keys for ssh://
      NO_COLOR       disables colours

    Run 'sysadm help COMMAND' for the options of a command.
    [done]
    ");
}

#[test]
fn help_of_maintain() {
    assert_snapshot!(help("maintain --help"), @r#"
    Start, end, list or announce maintenance of this host

    During maintenance no zone can boot, attach or arrive on this host. Once 'sysadm setup' has been
    run, libvirt enforces this itself. Running zones are not affected: move them with 'sysadm evacuate'.
    Maintenance survives reboots and lasts until it is ended. Several parties can hold the host in
    maintenance (--type); it is back in service when the last one has ended its maintenance.

    Announcing maintenance does not block anything on this host, but other hosts no longer send zones
    here, except zones that belong here. Starting maintenance clears the announcement. If nobody starts
    it at the announced time, the announcement stays in effect.

    Usage: sysadm maintain [OPTIONS] <--start|--end|--list|--announce <WHEN>>

    Options:
      -s, --start
              Start maintenance

      -e, --end
              End the maintenance of --type; if the host is not in maintenance, withdraw the
              announcement

      -l, --list
              List the holders of maintenance, and the announcement

          --announce <WHEN>
              Announce when maintenance will begin: "YYYY-MM-DD HH:MM" (local time), +90min, +2h, or
              none to withdraw

      -m, --message <MESSAGE>
              Reason; shown by -l and in every refusal

          --type <TYPE>
              Holder: admin, or a word of your choice (power, network, ...)
              
              [default: admin]

      -p, --parsable
              Print stable output for scripts: no header, fields separated by ':', with '\' before ':'
              and '\'; requires -o

      -o, --output <FIELD,...>
              Fields to list: TYPE, USER, DATE, MESSAGE, or all

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm maintain -s -m 'new kernel'
      sysadm maintain -l
      sysadm maintain -l -p -o type,user        output for scripts
      sysadm maintain -s --type power           a second holder besides admin
      sysadm maintain --announce 'YYYY-MM-DD HH:MM' -m 'new disks'
      sysadm maintain -e

    EXIT STATUS
      0  success
      1  -e: the host is not in maintenance; or another error; nothing was changed
      2  usage error
      4  -s: the host is in maintenance already; the message says by whom and since
         when; -e: an evacuation is in progress
    [done]
    "#);
}

#[test]
fn help_of_evacuate() {
    assert_snapshot!(help("evacuate --help"), @r"
    Move zones away from this host, or bring them back

    Without options, all running zones migrate live to their targets. This host must be in maintenance,
    so that no zone starts or arrives in the meantime. Before any zone moves, all zones are prepared:
    the policy chooses a target for each, the target is checked, room is reserved there, and access to
    the storage is verified. A zone that cannot be moved keeps running where it is and does not hold up
    the others. Repeat the command to retry zones that failed.

    With -r, evacuated zones move back to this host, and zones that were stopped or suspended here are
    booted. This host must not be in maintenance then.

    Usage: sysadm evacuate [OPTIONS] [ZONE]...
           sysadm evacuate -l [--watch] [--json] [-p] [-o FIELD,...]

    Arguments:
      [ZONE]...
              Only these zones, whether or not they are running

    Options:
      -a, --all
              Include zones that are not running; their configurations move, their disks stay on the
              shared storage. Zones that are named are included anyway

      -r, --return
              Return evacuated zones to this host, and boot those that were stopped here

      -n, --dry-run
              Dry run: query all hosts, run all checks and print the plan, but change nothing. The host
              need not be in maintenance

      -v, --verbose
              Report each step of each zone

      -q, --quiet
              Report errors only

      -w, --overwrite
              Overwrite a different configuration of the zone that its destination has. Default: refuse
              the zone

          --force-attach
              Ignore software, platform and network mismatches at the destination. Capacity, storage,
              name and maintenance checks still apply. The zone may fail to boot there

          --action <ACTION>
              What to do with the zones, in place of what the policy says: see ACTIONS
              
              [possible values: live, restart, stop, suspend]

      -j, --jobs <N>
              Number of zones that move at the same time, 1 to 64, within the limits of the policy.
              Default: the outbound limit of the policy, or 3

          --plan <FILE>
              With -n: write the plan to FILE. Otherwise: carry out the plan in FILE exactly, or refuse
              if hosts or zones have changed in a way that affects it

          --retries <N>
              Number of retries after a transient failure (lost connection, busy hypervisor), 0 to 10.
              sysadm waits 5 s, then 10 s, 20 s, ..., and repeats all checks. Default: what the policy
              says, or 1

          --policy <NAME>
              Policy: decides where zones go, in which order, and what is done with each; see 'sysadm
              policy'. Default: the one that sysadm.toml names, or spread

          --deadline <DURATION>
              Time limit (30s, 10m, 1h30m). When it expires no new moves start and moves in progress are
              aborted; those zones stay where they are. Default: none

          --json
              Print the plan (-n), the result or the list (-l) as a JSON document

          --resume
              Ask both hosts about each interrupted move, complete it or roll it back, and do nothing
              else. Every run begins with this

          --forget <ZONE>
              Discard the record of a zone that was evacuated or stopped, or that belongs to another
              host: see FORGETTING A ZONE

          --cancel
              Cancel the run in progress, as ^C does: no new moves start, moves in progress are
              completed. A second --cancel aborts them. Use -l --watch to see when the run has ended

      -l, --list
              List evacuated zones, zones that could not leave, and what is left on this host

      -p, --parsable
              Print stable output for scripts: no header, fields separated by ':', with '\' before ':'
              and '\'; requires -l and -o

      -o, --output <FIELD,...>
              Fields to list (requires -l): ZONENAME, STATE, DEST, ERROR, ORIGIN, METHOD, STEP,
              PROGRESS, BYTES, STARTED, DURATION, DOWNTIME; EXPSTART, EXPDURATION and EXPDOWNTIME, the
              estimates made before the move; WHEN, the estimated start of a waiting zone or the
              remaining time of a moving one; or all

          --watch
              Keep the list on the screen and update it until the run ends (requires -l). To a pipe,
              print each change as a line of JSON

      -h, --help
              Print help (see a summary with '-h')

    STATES (-l)
      PREPARING  targets are being queried
      READY      room is reserved and the zone waits for its turn; or it waits for
                 room, see ERROR
      MIGRATING  the zone is being moved, stopped, suspended or booted
      EVACUATED  the zone has moved to DEST
      STOPPED    the zone was shut down and stays here; -r boots it
      SUSPENDED  the memory was saved and the zone stays here; -r resumes it
      SKIPPED    no attempt was made, see ERROR; the zone may be running here
      FAILED     the attempt failed, see ERROR; the zone has not moved
      UNKNOWN    a move was interrupted, and which host has the zone is not known;
                 use --resume

    ESTIMATES (-l during a run, column WHEN)
      HH:MM      the move is estimated to start at this time; 'due': any moment now
      1m05s      the move is estimated to take this much longer; 'overdue': it
                 should have finished by now

    ACTIONS (--action, and in policies)
      live       migrate the zone live, or cold if it is not running
      restart    shut the zone down once its destination is ready, and boot it there
      stop       shut the zone down and leave it on this host; -r boots it
      suspend    save the memory of the zone and leave it on this host; -r resumes it
      With -r, only live and restart can be requested. -r boots stopped zones in the
      reverse order.

    EXAMPLES
      sysadm evacuate -na                       show what would happen, and what blocks it
      sysadm evacuate -va                       move everything, report each step
      sysadm evacuate -a -j 6 --deadline 30m    six zones at a time, 30 minutes at most
      sysadm evacuate -a --policy pack          use as few hosts as possible
      sysadm evacuate web1 db1                  only these zones, running or not
      sysadm evacuate --action restart ct1      shut down here, boot at the target
      sysadm evacuate --action stop web1 db1    stop web1, then db1; -r boots db1 first
      sysadm evacuate -l                        list evacuated zones, and what is left
      sysadm evacuate -l -p -o zonename,dest    output for scripts
      sysadm evacuate -l --watch                follow a run
      sysadm evacuate --cancel                  stop a run from another terminal
      sysadm evacuate -ra                       bring everything back

    CANCELLING A RUN
      ^C, or --cancel from another terminal: zones that have not started are skipped,
      and moves in progress are completed. A second ^C or --cancel, SIGTERM and the
      end of --deadline also abort the moves in progress; the run then ends within
      65 s, even if a host hangs. A zone whose move is aborted keeps running where it
      was. If that cannot be verified the zone is listed as UNKNOWN, and --resume
      resolves it. SIGHUP (a closed terminal, a lost login) does not end a run; use
      -l --watch to follow it from another terminal.

    FORGETTING A ZONE
      --forget discards a record; no zone is started, stopped or changed.
      An evacuated zone is no longer listed and will not be returned. It becomes
      'configured' here; attach it with 'sysadm zone attach' if no other host has it.
      A zone that was stopped here is no longer booted by -r.
      A zone of another host that is here belongs to this host from then on.

    EXIT STATUS
      0    all selected zones have moved or were stopped, and none still runs here
      1    every attempt failed and no zone moved; or another error, and nothing was
           changed
      2    usage error
      3    not everything was done: zones did not move, were skipped, were still
           moving at the end of --deadline, or still run here
      4    this host is not in maintenance (evacuation) or is in maintenance (return);
           or another run is in progress
      5    manual intervention required: sysadm cannot determine where a zone is; see
           ERROR and --resume
      130  cancelled by ^C, --cancel or SIGTERM; every zone is intact, on one host (if
           that could not be verified: 5)
      --cancel exits with 0 if a run was asked to stop, with 1 if none is in progress.
      -n exits with 0 if all zones can move, 3 if some cannot, 1 if none can.
      -l exits with 0 whatever it lists, with 1 if the zones here cannot be listed.
    [done]
    ");
}
