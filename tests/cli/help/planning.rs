//! What is planned, and what it is planned with: policy, plan, zone, host.

use insta::assert_snapshot;

use super::help;

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
      after = ["web*"]                  they go when these have gone, or could not
      apart = "web"                     no two of this group on one host
      together = "shop"                 all of this group on one host
      one_by_one = "web"                no two of this group on their way at the same time

    All rules that match a zone hold for it: of two that differ in targets, action or priority
    the later one wins, and the others add up. So general rules stand above, exceptions below.

    ORDER
      'after' is about going: a zone moves, or is stopped or suspended, when those that it
      comes after have moved, been stopped or suspended, or failed to. So what others depend
      on comes after them: match = { name = "db*" }, after = ["web*", "app*"] stops web
      and app first and db last. Zones that are stopped or suspended go one at a time, after
      all that move; by 'after', then as named on the command line, then by priority, then by
      name. On return they are booted in exactly the reverse order: db first.
      Patterns match names as they are listed, with %XX: Windows%20*. For '?' each character of
      the real name is one: m?ller matches m%C3%BCller.
      Of zones that a rule both matches and names none waits for another one. Rules that form
      a circular dependency are refused; where only the zones at hand form one, it is broken
      at the zone with the highest priority, and reported.

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
      list     List zones: those that run, unless options say more
      detach   Take a zone from this host, so that it can be attached to another one
      attach   Put a configured zone on this host, or tell whether a zone would fit
      create   Configure a zone from the manifest of a detached one
      delete   Forget a configured zone
      migrate  Move a zone to another host, for good
      standby  Leave the manifests of zones with their targets, for the case that this host is lost
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help  Print help
    [done]
    ");
}

#[test]
fn help_of_zone_list() {
    assert_snapshot!(help("zone list --help"), @r"
    List zones: those that run, unless options say more

    Usage: sysadm zone list [OPTIONS]

    Options:
      -i
              Zones that are installed, too

      -c
              All that are known here, evacuated and detached ones too

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
    ");
}

#[test]
fn help_of_zone_detach() {
    assert_snapshot!(help("zone detach --help"), @r"
    Take a zone from this host, so that it can be attached to another one

    Its configuration, and what this host has of the software that it depends on, become a manifest: in
    its zonepath if it has one, and always in this host's database. Then libvirt forgets the zone, which
    is configured from then on; its data stay where they are. The zone must not run.

    Usage: sysadm zone detach [OPTIONS] <ZONE>

    Arguments:
      <ZONE>
              The zone

    Options:
      -n
              Only print the manifest, for 'sysadm zone attach -n' on another host; the zone may run

          --manifest <FILE>
              Write the manifest into this new file, too (mode 0600: it may hold passwords)

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm zone detach web1
      sysadm zone detach web1 --manifest /root/web1.xml
      sysadm zone detach -n web1 | ssh h2 sysadm zone attach -n -    would it fit there?

    FILES
      SUNWdetached.xml    the manifest in the zonepath; while it is there no other zone
                          uses that folder. The zonepath of a container is the folder
                          that holds its root file system, if that is called root or
                          rootfs; virtual machines have none

    EXIT STATUS
      0  it is detached, or its manifest was printed
      1  an error; the zone is as it was
      2  wrong usage
      4  an evacuation, return or migration, or another detach or attach, is in progress
    [done]
    ");
}

#[test]
fn help_of_zone_standby() {
    assert_snapshot!(help("zone standby --help"), @r"
    Leave the manifests of zones with their targets, for the case that this host is lost

    Each target of a zone gets the zone's manifest as it is now, in place of what it had before. From
    that the zone can be attached there after a crash of this host, if its storage is shared: 'sysadm
    zone attach --standby ZONE'. Manifests of zones that are not here any more, or have other targets
    now, are withdrawn. First each target is asked whether it has attached a zone while this host was
    away; such a zone counts as evacuated from then on, and comes home with 'sysadm evacuate -r'.

    'sysadm agent --listen' does that by itself, as often as standby.every in sysadm.toml says.

    Usage: sysadm zone standby [OPTIONS] [ZONE]...

    Arguments:
      [ZONE]...
              Only these zones

    Options:
      -l, --list
              List what other hosts have left here

      -q, --quiet
              Say only what went wrong

      -p
              Stable output for programs

      -o <FIELD,...>
              These fields: ZONENAME,ORIGIN,SINCE,ATTACHED,UUID,OTHERS, or all

          --json
              One JSON document

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm zone standby                    leave the manifests of all zones
      sysadm zone standby -l                 what other hosts have left here
      sysadm zone attach --standby web --origin-is-down
                                             on a target of it, when its host is lost and
                                             fenced

    EXIT STATUS
      0  every manifest is left with every target
      1  none is
      2  wrong usage
      3  some are not; or none is, and zones were found that were attached elsewhere
      5  a zone runs here that was attached elsewhere, too: it may run twice
    [done]
    ");
}

#[test]
fn help_of_zone_attach() {
    assert_snapshot!(help("zone attach --help"), @r"
    Put a configured zone on this host, or tell whether a zone would fit

    The zone is checked first, as one is that arrives: networks, machine type and processor, software,
    room, name and UUID, maintenance, and whether its disks and all else that it names of its host are
    there. All that stands against it is said, and it stays configured. Otherwise libvirt gets it, and
    its manifest goes; it is not booted.

    Usage: sysadm zone attach [OPTIONS] [ZONE]

    Arguments:
      [ZONE]
              The zone, which must be configured

    Options:
      -n <PATH>
              Only check the zone of this manifest, which need not be configured: a file, the folder
              that holds it, or - for standard input

      -F
              Attach it whatever the validation finds; name, UUID, disks, maintenance and room still
              count

      -u
              Change it so that it fits: a machine type that QEMU has no more becomes the newest of its
              family, so the zone sees other hardware; what is changed is said

          --standby
              Attach a zone of another host that is lost, from the manifest that it has left here
              ('sysadm zone standby'). Refused while that host answers, or may still run it, or another
              target of the zone may

          --origin <HOST>
              With --standby: the host that it belongs to, if several have left a zone of that name

          --origin-is-down
              With --standby: its host is fenced; it does not run and will not by itself. That is
              recorded

          --not-on <HOST>
              The zone is not on this host, which cannot be asked: a target of it, or where it was
              migrated to

          --json
              One JSON document

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm zone attach web1
      sysadm zone attach -u web1
      sysadm zone attach -n /zones/web1
      ssh h1 sysadm zone detach -n web1 | sysadm zone attach -n -

    ON SHARED STORAGE
      A zone belongs on one host. If it has a zonepath, whoever attaches it takes the
      manifest out of that; where it is gone the zone is refused, also with -F. A virtual
      machine has none: its targets, and the host that it was migrated to, are asked whether
      they have it. One that cannot be asked may have it: say --not-on if you know better.
      A zone whose manifest was written while it was attached (detach -n) is attached
      with -F only.

    EXIT STATUS
      0  it is attached, or would fit
      1  it does not fit, or an error; nothing was changed
      2  wrong usage
      4  this host is in maintenance, or an evacuation, return or migration, or another
         detach or attach, is in progress
    [done]
    ");
}

#[test]
fn help_of_zone_create() {
    assert_snapshot!(help("zone create --help"), @r"
    Configure a zone from the manifest of a detached one

    Nothing is installed or copied: the zone is configured, and 'sysadm zone attach' checks it and puts
    it on this host. What is known to stand against that is said at once, and the zone is kept all the
    same; a configuration that makes no sense, or whose name or UUID is taken, is not kept.

    Usage: sysadm zone create [OPTIONS] -a <PATH> <ZONE>

    Arguments:
      <ZONE>
              Its name, which may be another than in the manifest

    Options:
      -a <PATH>
              The manifest: a file, - for standard input, or the zone's folder that holds it, which
              becomes its zonepath

          --net <OLD=NEW>
              Plug all interfaces in one network into another one; for all networks at once, so two may
              change places

          --set <KEY=VALUE>
              Change memory=SIZE, cpus=N, autostart=true|false, machine=TYPE, or uuid=new|UUID, which
              makes a copy

          --edit
              Change its configuration with $VISUAL or $EDITOR, all but name and UUID

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm zone create web1 -a /zones/web1
      sysadm zone create web1 -a web1.xml --set memory=4G --net br0=br7
      sysadm zone create web2 -a web1.xml --set uuid=new --edit    a copy, with its own disks
      ssh h1 cat web1.xml | sysadm zone create web1 -a -

    COPIES
      With another UUID it is another zone: its interfaces get other hardware addresses,
      always the same ones for the same UUID, and a <genid> that is given becomes the UUID.
      StorageFolder is not copied. A copy that would write to a disk of its original, NVRAM and
      the root of a container among them, is configured, and 'zone attach' refuses it: name
      disks of its own in the editor, or mark them as <shareable/> if they are.

    EDITING
      A text that is refused, or whose zone cannot be created, is kept in /run/sysadm for
      its owner only; the error names the file.

    EXIT STATUS
      0  it is configured
      1  an error; nothing was kept but what was edited
      2  wrong usage
    [done]
    ");
}

#[test]
fn help_of_zone_delete() {
    assert_snapshot!(help("zone delete --help"), @r"
    Forget a configured zone

    Its data stay where they are, and so does the manifest in its zonepath. A zone that is installed is
    detached first; one that is away is given up with 'sysadm evacuate --forget'.

    Usage: sysadm zone delete [OPTIONS] <ZONE>

    Arguments:
      <ZONE>
              The zone

    Options:
      -F
              Without a question

      -h, --help
              Print help (see a summary with '-h')

    EXIT STATUS
      0  it is configured no more, or the question was answered with no
      1  it is not configured here, or an error; nothing was changed
      2  wrong usage
    [done]
    ");
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
fn help_of_plan() {
    assert_snapshot!(help("plan --help"), @r"
    Plan how hosts are emptied or filled again, without moving anything

    Asks the hosts that are to be emptied and those that zones may go to, or reads their inventory from
    a file, and finds a place and a time for every zone. No zone goes to a host that is itself to be
    emptied, so each zone moves once. With --return it finds the way home of all zones that belong to
    the named hosts: in which order they fit, which zones of other hosts must leave first, and which
    step aside to a third host where zones wait for each other.

    The plan can be kept in a file: 'sysadm evacuate --plan', or 'sysadm evacuate -r --plan', on each of
    the hosts carries out its part.

    Usage: sysadm plan [OPTIONS] <--drain <HOST,...>|--return <HOST,...>>
           sysadm plan <COMMAND>

    Commands:
      show      Show a plan file, or how two of them differ
      simulate  Play a plan in virtual time: when each move ends, how long zones are down, how full the
                lines are
      help      Print this message or the help of the given subcommand(s)

    Options:
          --drain <HOST,...>
              The hosts that are to be emptied: URIs, or their names in the inventory file

          --return <HOST,...>
              The hosts that are to be filled again: their zones return to them from wherever they are

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

      It is filled again:
      sysadm plan --return rads://h1,rads://h2,rads://h3 --output home.json
      sysadm evacuate -r --plan home.json          on h1, h2 and h3

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
