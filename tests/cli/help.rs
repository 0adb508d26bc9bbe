//! The help of every command. Whoever changes a word of it sees it here.

use insta::assert_snapshot;

use crate::environment::Environment;

fn help(line: &str) -> crate::output::Printed {
    let site = Environment::new();
    site.run("h1", line)
}

#[test]
fn help_of_sysadm() {
    assert_snapshot!(help("--help"), @r#"
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
      maintain    Start, end or list maintenance of this host
      evacuate    Move all zones away from this host, or back
      target      Say where zones go when this host is evacuated
      plan        Plan how hosts are emptied, without moving anything
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
           evacuation or return is in progress
      5    stuck: where a zone is cannot be settled without you
      130  cancelled by the operator; every zone is whole, and on one host

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
    "#);
}

#[test]
fn help_of_maintain() {
    assert_snapshot!(help("maintain --help"), @r#"
    Start, end or list maintenance of this host

    While maintenance is held, no zone on this host boots, attaches or arrives; libvirt itself refuses
    it, once 'sysadm setup' was run. Zones that run go on running until they are evacuated. Maintenance
    is held across reboots, until it is ended. Each type is a holder of its own: the host is back in
    service when the last one has ended.

    Usage: sysadm maintain [OPTIONS] <--start|--end|--list>

    Options:
      -s, --start
              Start maintenance

      -e, --end
              End maintenance

      -l, --list
              List who holds it

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

          --action <ACTION>
              What is done with the zones: migrate moves them, live if they run; restart shuts each down
              when all is ready for it there, and boots it there; stop and suspend let them rest here,
              until they are booted again by -r, in reverse order. With -r: migrate or restart
              
              [possible values: migrate, restart, stop, suspend]

      -j, --jobs <N>
              How many zones move at once, 1 to 64
              
              [default: 3]

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
              never returned

          --cancel
              Ask the run that is in progress to stop, as ^C would: nothing new starts, what moves is
              finished. Once more gives that up, too. -l --watch shows when it has ended

      -l, --list
              List the zones that are away, and those that could not leave

      -p, --parsable
              Stable output for programs; needs -o

      -o, --output <FIELD,...>
              Fields to list: ZONENAME, STATE, DEST, ERROR, ORIGIN, KIND, STEP, PROGRESS, BYTES,
              STARTED, DURATION, DOWNTIME, or all

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

#[test]
fn help_of_target() {
    assert_snapshot!(help("target --help"), @r"
    Say where zones go when this host is evacuated

    A target is a host URI: ssh://USER@HOST:PORT or rads://HOST:PORT. User and port may be left out;
    ports are 22 and 12302 then. With several, the policy chooses among them; 'pinned' takes the first
    that takes the zone.

    Usage: sysadm target <COMMAND>

    Commands:
      set    Set the targets of zones, or the default of all zones
      unset  Remove the targets of zones, or the default
      list   List the targets of every zone, and where each comes from
      help   Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm target set --default ssh://root@h2
      sysadm target set web1 web2 rads://h3 ssh://root@h2:2222
      sysadm target unset web1
      sysadm target list

    EXIT STATUS
      0  done
      1  no such zone, nothing set that could be unset; nothing was changed
      2  wrong usage; for a malformed URI, which part of it is wrong
    [done]
    ");
}

#[test]
fn help_of_target_set() {
    assert_snapshot!(help("target set --help"), @r"
    Set the targets of zones, or the default of all zones

    What was set before is replaced. For example: sysadm target set web1 web2 ssh://root@h2 rads://h3

    Usage: sysadm target set [OPTIONS] <ZONE... URI>...

    Arguments:
      <ZONE... URI>...
              Zones, then URIs: the policy chooses among several, 'pinned' takes them in order

    Options:
          --default
              For all zones that have no targets of their own

      -h, --help
              Print help (see a summary with '-h')
    [done]
    ");
}

#[test]
fn help_of_target_unset() {
    assert_snapshot!(help("target unset --help"), @r#"
    Remove the targets of zones, or the default

    Usage: sysadm target unset [OPTIONS] [ZONE]...

    Arguments:
      [ZONE]...  Zones; from then on the default holds for them

    Options:
          --default  The default of all zones
      -h, --help     Print help
    [done]
    "#);
}

#[test]
fn help_of_target_list() {
    assert_snapshot!(help("target list --help"), @r"
    List the targets of every zone, and where each comes from

    Usage: sysadm target list [OPTIONS]

    Options:
      -p, --parsable            Stable output for programs; needs -o
      -o, --output <FIELD,...>  Fields to list: ZONENAME, SOURCE, TARGET, or all
      -h, --help                Print help
    [done]
    ");
}

#[test]
fn help_of_policy() {
    assert_snapshot!(help("policy --help"), @r#"
    List, check and explain policies: where zones may go, and how

    A policy is a TOML file. It says to which hosts zones may go, which placement is good, what limits
    hold, and what is done with which zone. 'sysadm evacuate --policy NAME' uses one. Some are part of
    the program.

    Usage: sysadm policy <COMMAND>

    Commands:
      list   List all policies
      check  Tell all that is wrong with policy files, with line and column
      show   Explain a policy in sentences
      help   Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm policy list
      sysadm policy show spread
      sysadm policy show spread --toml > /etc/sysadm/policies/mine.toml
      sysadm policy check /etc/sysadm/policies/mine.toml
      sysadm evacuate -na --policy mine

    THE FILE (every key may be left out)
      about = "..."                     what it does, in a few words
      destinations = ["rads://h2", "rack"]
                                        the only hosts, or groups, to which zones may go
      retries = 2                       tries of a move that failed for a passing reason
      return_order = "reverse"          zones come back so; else "planned"
      [groups]
      rack = ["rads://h3", "ssh://h4"]
      [goal]
      place = "spread"                  or pack, balance, pinned, fastest,
                                        ganeti
      weights = { cpu = 1, memory = 1, network = 1 }
                                        of balance only
      [limits]
      headroom = "10%"                  of each host's memory, stays free
      max_zones = 40                    on one host
      vcpus_per_cpu = 4                 virtual processors for each real one
      outbound = 4, inbound = 4         moves from and to one host at once
      bandwidth = "1GiB/s"              of one move
      [convergence]
      stall, downtime, passes           in place of those in [migration] of sysadm.toml
      [[zones]]                         a rule, as often as you like
      match = { name = "web*", brand = "kvm", tag = "prod" }
                                        zones of which all that is true; without it all zones
      targets = ["rack", "rads://h2"]   the only hosts for them, in order of preference
      action = "live"                   or restart, stop, suspend, leave
      priority = 10                     higher goes first
      after = ["db*"]                   these go before them
      apart = "web"                     no two of this group on one host
      together = "shop"                 all of this group on one host
      one_by_one = "web"                no two of this group on their way at the same time

    All rules that match a zone hold for it: of two that differ in targets, action or priority
    the later one wins, and groups add up. So general rules stand above, exceptions below.

    FILES
      /etc/sysadm/policies/NAME.toml    wins over the policy of that name that is part of the
                                        program; 'sysadm setup' puts those here

    EXIT STATUS
      0  done; check: nothing is wrong
      1  there is none, it cannot be read, or it is wrong; where and why is said
      2  wrong usage
    [done]
    "#);
}

#[test]
fn help_of_policy_list() {
    assert_snapshot!(help("policy list --help"), @r#"
    List all policies

    Usage: sysadm policy list [OPTIONS]

    Options:
      -p, --parsable            Stable output for programs; needs -o
      -o, --output <FIELD,...>  Fields to list: NAME, SOURCE, ABOUT, or all
      -h, --help                Print help
    [done]
    "#);
}

#[test]
fn help_of_policy_check() {
    assert_snapshot!(help("policy check --help"), @r#"
    Tell all that is wrong with policy files, with line and column

    Usage: sysadm policy check <FILE>...

    Arguments:
      <FILE>...  Files

    Options:
      -h, --help  Print help
    [done]
    "#);
}

#[test]
fn help_of_policy_show() {
    assert_snapshot!(help("policy show --help"), @r#"
    Explain a policy in sentences

    Usage: sysadm policy show [OPTIONS] <NAME>

    Arguments:
      <NAME>  Its name

    Options:
          --toml  Its file, as it is
          --json  One JSON document
      -h, --help  Print help
    [done]
    "#);
}

#[test]
fn help_of_zone() {
    assert_snapshot!(help("zone --help"), @r"
    Work with the zones of this host

    Usage: sysadm zone <COMMAND>

    Commands:
      list  List zones: those that run, unless options say more
      help  Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    [done]
    ");
}

#[test]
fn help_of_zone_list() {
    assert_snapshot!(help("zone list --help"), @r#"
    List zones: those that run, unless options say more

    Usage: sysadm zone list [OPTIONS]

    Options:
      -i
              Zones that are installed, too

      -c
              All that are known here, evacuated ones too

      -n
              Without the global zone, the host itself

      -v
              A table with ID, STATUS, PATH, BRAND, IP

      -p
              Stable output for programs:
              zoneid:zonename:state:zonepath:uuid:brand:ip-type:r/w:file-mac-profile:aux

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm zone list            zones that run
      sysadm zone list -iv        installed ones too, as a table
      sysadm zone list -cp        all, for programs
    [done]
    "#);
}

#[test]
fn help_of_host() {
    assert_snapshot!(help("host --help"), @r#"
    Ask other hosts how they are

    Usage: sysadm host <COMMAND>

    Commands:
      check      Connect to a host, and say what it is and whether it takes zones
      list       Ask every host that is a target
      inventory  Ask hosts for all that a planner wants to know of them and their zones
      help       Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm host check rads://h3
      sysadm host list
      sysadm host inventory                     this host and all targets
      sysadm host inventory --json >site.json   with their zones, for a planner

    TAGS
      An inventory has the tags of zones. They are in libvirt's metadata and go where the
      zone goes; --live only if it runs:
      virsh metadata ZONE --live --config --uri urn:sysadm:tags --key sysadm \
        --set '<tags>gold db</tags>'

    EXIT STATUS
      0  it answers, and takes zones
      1  it cannot be reached, or does not let this host in
      2  wrong usage
      3  list, inventory: some do not answer
      4  check: it is in maintenance
    [done]
    "#);
}

#[test]
fn help_of_host_check() {
    assert_snapshot!(help("host check --help"), @r#"
    Connect to a host, and say what it is and whether it takes zones

    Usage: sysadm host check [OPTIONS] <URI>

    Arguments:
      <URI>  ssh://USER@HOST:PORT or rads://HOST:PORT; user and port may be left out

    Options:
          --json  One JSON document
      -h, --help  Print help
    [done]
    "#);
}

#[test]
fn help_of_host_list() {
    assert_snapshot!(help("host list --help"), @r"
    Ask every host that is a target

    Usage: sysadm host list

    Options:
      -h, --help  Print help
    [done]
    ");
}

#[test]
fn help_of_host_inventory() {
    assert_snapshot!(help("host inventory --help"), @r"
    Ask hosts for all that a planner wants to know of them and their zones

    All at once: a host that does not answer holds up no other. With --json it is an inventory file.

    Usage: sysadm host inventory [OPTIONS] [URIS]...

    Arguments:
      [URIS]...
              These hosts; if none is named, this one and every target

    Options:
          --json
              One JSON document, with every zone

          --measure
              Let hosts watch for a second how their zones write to their memory, which costs these a
              little

      -h, --help
              Print help (see a summary with '-h')
    [done]
    ");
}

#[test]
fn help_of_store() {
    assert_snapshot!(help("store --help"), @r"
    Look after the database of this host

    In it is what must survive a crash or a reboot: who holds this host in maintenance, where zones go,
    which zones are away and how they were configured, and what was about to be done with each.

    Usage: sysadm store <COMMAND>

    Commands:
      check   Tell whether the database is whole, and what in it waits for somebody
      backup  Copy the database into a file, also while an evacuation writes to it
      help    Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm store check
      sysadm store backup /root/sysadm-2026-11-21.db

    FILES
      /var/lib/sysadm/sysadm.db    the database; sysadm.db-wal and sysadm.db-shm beside
                                   it belong to it, so copy it with 'backup' only
    [done]
    ");
}

#[test]
fn help_of_store_check() {
    assert_snapshot!(help("store check --help"), @r#"
    Tell whether the database is whole, and what in it waits for somebody

    Looks for damage first. If there is none: for moves that were interrupted and not settled, for steps
    whose end is not recorded, for a lock marker that is there without maintenance or missing during it,
    and for what will settle itself. Each finding is a line that says what to do. Changes nothing, and
    may be used while an evacuation runs; what that works on is not judged.

    Usage: sysadm store check [OPTIONS]

    Options:
          --json
              One JSON document

      -h, --help
              Print help (see a summary with '-h')

    FINDINGS (--json: kind, and who is needed)
      damaged      backup    SQLite finds the file damaged, or it says what no sysadm
                             writes; then nothing else is looked at
      interrupted  operator  a zone was leaving, returning or being stopped when its run
                             died
      dangling     operator  how a step ended is not recorded, nor where its zone is
      marker       operator  /var/lib/sysadm/maintenance is there without maintenance, or
                             is missing during it
      unfinished   nobody    a run left a zone unfinished, which was settled since
      expired      nobody    a booking has expired; the next booking clears it away

    EXAMPLES
      sysadm store check
      sysadm store check --json | jq -r '.findings[] | select(.needs != "nobody").text'

    EXIT STATUS
      0  the database is whole, and nothing in it waits for you
      1  it cannot be looked at: locked, written by a newer sysadm, or no database
      2  wrong usage
      3  something waits for you
      5  it is damaged: where zones are cannot be told from it
    [done]
    "#);
}

#[test]
fn help_of_store_backup() {
    assert_snapshot!(help("store backup --help"), @r"
    Copy the database into a file, also while an evacuation writes to it

    The copy is the database as it is at one moment: one file, which only its owner can read, and which
    needs no other beside it. It is looked over before it gets its name, so FILE is a whole backup or
    not there. It holds the configurations of zones that are away.

    Usage: sysadm store backup <FILE>

    Arguments:
      <FILE>
              The copy; must not exist yet

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm store backup /root/sysadm-$(date +%F).db

    To put a backup back, let nothing run that uses the database:
      systemctl stop sysadm-agent
      rm -f /var/lib/sysadm/sysadm.db-wal /var/lib/sysadm/sysadm.db-shm
      install -m 600 FILE /var/lib/sysadm/sysadm.db
      sysadm store check
    What happened after the backup is not in it: compare 'sysadm evacuate -l' with the
    zones that other hosts run before you return or start any.

    EXIT STATUS
      0  FILE is a whole copy, and on the disk
      1  FILE exists already, or cannot be written, or the database is damaged; nothing
         was changed, and there is no new FILE
      2  wrong usage
    [done]
    ");
}

#[test]
fn help_of_setup() {
    assert_snapshot!(help("setup --help"), @r#"
    Make the hypervisor itself respect maintenance

    Installs a hook for each of libvirt's drivers. From then on libvirt refuses 'virsh start' and
    incoming migrations while maintenance is held. Hooks that are there already keep working. Installs
    the policies, too, to be read and edited; one that was edited stays as it is. Doing it again changes
    nothing.

    Usage: sysadm setup [OPTIONS]

    Options:
          --uninstall
              Take the hooks, and the policies that were not edited, away again

      -h, --help
              Print help (see a summary with '-h')

    FILES
      /etc/libvirt/hooks/qemu.d/00-sysadm
      /etc/libvirt/hooks/lxc.d/00-sysadm
      /etc/sysadm/policies/*.toml

    libvirt looks for new hooks only when it starts. After the first time:
      systemctl restart libvirtd        (virtqemud and virtlxcd, where there are those)
    [done]
    "#);
}

#[test]
fn help_of_cert() {
    assert_snapshot!(help("cert --help"), @r#"
    Make and show the certificates that rads:// needs

    Make an authority once for a site, issue a certificate for each host, and copy to each host its own
    HOST.pem and HOST.key as /etc/sysadm/tls/host.pem and host.key (0600), with ca.pem beside them.

    Usage: sysadm cert <COMMAND>

    Commands:
      init-ca  Make the authority of a site: ca.pem, and ca.key, which stays where it is
      issue    Issue a certificate for a host: HOST.pem and HOST.key
      show     Show what a certificate says; this host's own, if no file is named
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm cert init-ca --site example            once, on one host
      sysadm cert issue h2 h2.example.org 10.0.0.2  there too, for each host
      sysadm cert show                              this host's own
      sysadm cert show h2.pem

    FILES
      /etc/sysadm/tls/ca.pem      0644  the site's authority; on every host
      /etc/sysadm/tls/ca.key      0600  its key; on one host only
      /etc/sysadm/tls/host.pem    0644  this host's certificate
      /etc/sysadm/tls/host.key    0600  its key; refused if others can read it

    Nothing that exists is ever overwritten. A renewed certificate needs no restart.
    [done]
    "#);
}

#[test]
fn help_of_cert_init_ca() {
    assert_snapshot!(help("cert init-ca --help"), @r"
    Make the authority of a site: ca.pem, and ca.key, which stays where it is

    Usage: sysadm cert init-ca [OPTIONS]

    Options:
          --site <SITE>  The site's name [default: sysadm]
          --dir <DIR>    The folder; /etc/sysadm/tls if none is given
      -h, --help         Print help
    [done]
    ");
}

#[test]
fn help_of_cert_issue() {
    assert_snapshot!(help("cert issue --help"), @r#"
    Issue a certificate for a host: HOST.pem and HOST.key

    Usage: sysadm cert issue [OPTIONS] <HOST> [NAMES]...

    Arguments:
      <HOST>      The host, as it stands in rads://HOST; roles are given to it by this name
      [NAMES]...  More names and addresses of it

    Options:
          --days <DAYS>  For how many days it is valid [default: 730]
          --dir <DIR>    The folder of the authority; /etc/sysadm/tls if none is given
      -h, --help         Print help
    [done]
    "#);
}

#[test]
fn help_of_cert_show() {
    assert_snapshot!(help("cert show --help"), @r"
    Show what a certificate says; this host's own, if no file is named

    Usage: sysadm cert show [OPTIONS] [FILE]

    Arguments:
      [FILE]  A certificate

    Options:
          --json  One JSON document
      -h, --help  Print help
    [done]
    ");
}

#[test]
fn help_of_agent() {
    assert_snapshot!(help("agent --help"), @r#"
    Serve this host to other hosts

    Every host that zones may go to, or come back from, needs one. With --listen it waits for rads://
    connections, as a service of the system; with --stdio it serves the one who has started it over ssh.

    Usage: sysadm agent <--listen [<ADDR>]|--stdio>

    Options:
          --listen [<ADDR>]
              Wait for TLS connections on this address; every address, port 12302, if none is given here
              or in sysadm.toml

          --stdio
              Serve on standard input and output

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm agent --listen                  rads:// on every address, port 12302
      sysadm agent --listen 10.0.0.2:12302
      ssh root@h2 sysadm agent --stdio       what an ssh:// target comes to

    SIGTERM and SIGINT end it: nothing new is accepted, and what is open has ten seconds.
    [done]
    "#);
}

#[test]
fn help_of_demo() {
    assert_snapshot!(help("demo --help"), @r"
    Show what this tool does, on three simulated hosts

    It makes three hosts in a folder of its own, with simulated zones, real agents and real certificates
    on the loopback interface, runs every command as an administrator would type it, and shows what it
    really prints. It takes about a quarter of a minute, needs no rights, and leaves nothing behind.

    Usage: sysadm demo [OPTIONS]

    Options:
          --keep
              Keep the hosts, and say where they are and how to go on with them

      -h, --help
              Print help (see a summary with '-h')
    [done]
    ");
}

#[test]
fn help_of_sim() {
    assert_snapshot!(help("sim --help"), @r#"
    Play with simulated hosts and zones

    On a host whose platform is "sim" (sysadm.toml) the zones are simulated: nothing runs, and
    everything else is as on a real host. Another SYSADM_ROOT is another host.

    Usage: sysadm sim <COMMAND>

    Commands:
      host    Say how the host is; what is not said stays as it is
      create  Make a zone
      start   Boot a zone, as its owner would
      stop    End a zone, as its owner would
      remove  Remove a zone that does not run, with its disks
      show    Show the host, its zones and what was told to go wrong
      fault   Tell the host what goes wrong
      help    Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')
    [done]
    "#);
}

#[test]
fn help_of_sim_host() {
    assert_snapshot!(help("sim host --help"), @r"
    Say how the host is; what is not said stays as it is

    Usage: sysadm sim host [OPTIONS]

    Options:
          --memory <SIZE>            Memory
          --bandwidth <SIZE>         What its line carries in a second
          --storage <NAME[=FOLDER]>  Storage that it sees; with a folder, the same one for all hosts
                                     that name the same
          --scale <N>                So many times as fast as reality
      -h, --help                     Print help
    [done]
    ");
}

#[test]
fn help_of_sim_create() {
    assert_snapshot!(help("sim create --help"), @r"
    Make a zone

    Usage: sysadm sim create [OPTIONS] <ZONE>

    Arguments:
      <ZONE>  Its name

    Options:
          --brand <BRAND>   kvm or lxc [default: kvm]
          --memory <SIZE>   Memory [default: 4G]
          --dirty <SIZE>    How much of its memory it writes to in a second [default: 50M]
          --disk <STORAGE>  The storage on which its disk lies [default: local]
          --running         Boot it at once
      -h, --help            Print help
    [done]
    ");
}

#[test]
fn help_of_sim_fault() {
    assert_snapshot!(help("sim fault --help"), @r"
    Tell the host what goes wrong

    Usage: sysadm sim fault [OPTIONS] <COMMAND>

    Commands:
      refuse           A check finds this reason against every zone that wants to come
      fail             An operation fails and does nothing
      fail-after       An operation is done, and answered with an error all the same
      hang             An operation does not begin before 'clear'
      fail-send        A migration from here fails
      stall            A migration from here stands still until it is aborted
      cut              The line of a migration from here breaks
      lose-answer      The line of a migration to here breaks just before the other host hears that the
                       zone is here
      ignore-shutdown  A zone that is asked to shut down does not
      down             Nothing here answers any more
      clear            Nothing goes wrong any more
      help             Print this message or the help of the given subcommand(s)

    Options:
          --zone <ZONE>  Only with this zone
          --times <N>    Only the next so many times; always, if not said
      -h, --help         Print help
    [done]
    ");
}

#[test]
fn help_of_sim_fault_fail() {
    assert_snapshot!(help("sim fault fail --help"), @r#"
    An operation fails and does nothing

    Usage: sysadm sim fault fail [OPTIONS] <OPERATION> [REASON]

    Arguments:
      <OPERATION>  Which [possible values: facts, inventory, survey, manifest, check, define, undefine,
                   set_autostart, shutdown, boot, save, open_arrival, close_arrival, send, progress,
                   abort, finish, resume, discard]
      [REASON]     With this error [default: "it was told to fail"]

    Options:
          --zone <ZONE>  Only with this zone
          --times <N>    Only the next so many times; always, if not said
      -h, --help         Print help
    [done]
    "#);
}

#[test]
fn help_of_completion() {
    assert_snapshot!(help("completion --help"), @r"
    Print a completion script for a shell

    For bash: sysadm completion bash > /etc/bash_completion.d/sysadm

    Usage: sysadm completion <SHELL>

    Arguments:
      <SHELL>
              The shell
              
              [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      -h, --help
              Print help (see a summary with '-h')
    [done]
    ");
}

#[test]
fn help_of_plan() {
    assert_snapshot!(help("plan --help"), @r"
    Plan how hosts are emptied, without moving anything

    Asks the hosts that are to be emptied and those that zones may go to, or reads their inventory from
    a file, and finds a place and a time for every zone. No zone goes to a host that is itself to be
    emptied, so each zone moves once. The plan can be kept in a file: 'sysadm evacuate --plan' on each
    of the hosts carries it out.

    Usage: sysadm plan [OPTIONS] --drain <HOST,...>
           sysadm plan <COMMAND>

    Commands:
      show      Show a plan file, or how two of them differ
      simulate  Play a plan in virtual time: when each move ends, how long zones are down, how full the
                lines are
      help      Print this message or the help of the given subcommand(s)

    Options:
          --drain <HOST,...>
              The hosts that are to be emptied: URIs, or their names in the inventory file

          --to <HOST|GROUP,...>
              Where zones may go: hosts, or groups of the policy or the inventory; without it, wherever
              the policy says

          --policy <NAME>
              The policy

      -a, --all
              Zones that do not run, too

          --inventory <FILE>
              Ask no host: read this inventory file ('sysadm host inventory --json')

          --ganeti <FILE>
              Ask no host: read this cluster of Ganeti (the text form of hbal -t)

          --output <FILE>
              Write the plan to this file

          --json
              The plan as one JSON document

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      A rack is emptied; nothing goes from one of its hosts to another:
      sysadm plan --drain rads://h1,rads://h2,rads://h3 --to rack2 --output night.json
      sysadm plan show night.json
      sysadm plan show night.json --diff other.json
      sysadm plan simulate night.json
      sysadm evacuate --plan night.json            on h1, h2 and h3: exactly that

      What if? No host is asked:
      sysadm host inventory --json > site.json
      sysadm plan --inventory site.json --drain rads://h2 --policy pack

    OUTPUT
      START     when the move begins, counted from the beginning of all
      TIME, DOWNTIME, RATE
                how long it takes, for how long of that the zone does not answer, and the bytes per
                second it gets

    EXIT STATUS
      0  every zone has a place; plans do not differ; the plan was played without breaking a rule
      1  a file or host could not be read, or no zone has a place
      2  wrong usage
      3  some zones have no place; plans differ; a rule was broken
    [done]
    ");
}
