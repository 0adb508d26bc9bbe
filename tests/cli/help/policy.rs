//! Policies and plans.

use insta::assert_snapshot;

use super::help;

#[test]
fn help_of_policy() {
    assert_snapshot!(help("policy --help"), @r#"
    List, check and explain policies

    A policy is a TOML file that says where zones may go, how to choose between possible placements,
    which limits apply, and what is done with each zone. Select one with 'sysadm evacuate --policy
    NAME', or in sysadm.toml. Six policies are built in.

    Usage: sysadm policy <COMMAND>

    Commands:
      list   List all policies
      check  Check policy files, and report all errors with line and column
      show   Explain a policy in plain English
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

    FILE FORMAT (all keys are optional)
      about = "..."                     one-line description
      destinations = ["rads://h2", "rack"]
                                        hosts and groups to which zones may go;
                                        default: the targets of each zone
      retries = 2                       retries after a transient failure; default: 1
      return_order = "reverse"          the last zone to leave returns first;
                                        default: "planned"
      [groups]
      rack = ["rads://h3", "ssh://h4"]  a name for several hosts
      [goal]
      place = "spread"                  spread, pack, balance, pinned, fastest or
                                        ganeti (as Ganeti's hail would);
                                        default: "spread"
      weights = { cpu = 1, memory = 1, network = 1 }
                                        for balance only
      [limits]
      headroom = "10%"                  share of each host's memory that stays free;
                                        default: none
      max_zones = 40                    zones on one host; default: no limit
      vcpus_per_cpu = 4                 virtual CPUs of running zones for each CPU
                                        thread; default: the limit of each host
      outbound = 3                      simultaneous moves from one host; default: 3
      inbound = 4                       simultaneous moves to one host; default: 4, or
                                        --jobs if that is more
      bandwidth = "1GiB/s"              limit for each move; default: none
      [convergence]
      stall, downtime, passes           override [migration] in sysadm.toml
      [[zones]]                         a rule; repeat as needed
      match = { name = "web*", brand = "kvm", tag = "prod" }
                                        zones that meet all of these conditions;
                                        default: all zones
      targets = ["rack", "rads://h2"]   the only hosts for them, in order of
                                        preference
      action = "live"                   live, restart, stop, suspend or leave
      priority = 10                     higher priorities go first
      after = ["web*"]                  move only after these zones have left or failed
                                        to
      apart = "web"                     no two zones of this group on one host
      together = "shop"                 all zones of this group on one host
      one_by_one = "web"                no two zones of this group move at once

      All rules that match a zone apply to it. If they set different targets, actions
      or priorities, the last one wins; everything else accumulates. So put general
      rules first and exceptions last.

      Patterns match names as they are listed, %XX included: Windows%20*. '*' stands
      for any characters, '?' for one character of the real name: m?ller matches
      m%C3%BCller.

    ORDER
      Write 'after' on the zone that must leave last (a database), and name in it the
      zones that use it. The zone is moved, stopped or suspended once these have been,
      or have failed to. This rule stops web and app servers first, databases last:
        match = { name = "db*" }, after = ["web*", "app*"]
      Zones that are stopped or suspended go one at a time, once all other zones have
      left: in the order of 'after', then as named on the command line, then by
      priority, then by name. On return they boot in the reverse order, databases
      first. Rules that form a circular dependency are refused. If only the zones at
      hand form one, sysadm breaks it at the zone with the highest priority and says
      so. Zones that a rule both matches and names in 'after' do not wait for each
      other.

    FILES
      /etc/sysadm/policies/NAME.toml    replaces the built-in policy of that name;
                                        'sysadm setup' copies the built-in ones here

    EXIT STATUS
      0  success; check: the files are valid
      1  no such policy, or it cannot be read or is not valid; the message says where
         and why
      2  usage error
    [done]
    "#);
}

#[test]
fn help_of_policy_list() {
    assert_snapshot!(help("policy list --help"), @r"
    List all policies

    Usage: sysadm policy list [OPTIONS]

    Options:
      -p, --parsable            Print stable output for scripts: no header, fields separated by ':',
                                with '\' before ':' and '\'; requires -o
      -o, --output <FIELD,...>  Fields to list: NAME, SOURCE, ABOUT, or all
      -h, --help                Print help
    [done]
    ");
}

#[test]
fn help_of_policy_check() {
    assert_snapshot!(help("policy check --help"), @"
    Check policy files, and report all errors with line and column

    Usage: sysadm policy check <FILE>...

    Arguments:
      <FILE>...  Policy files

    Options:
      -h, --help  Print help
    [done]
    ");
}

#[test]
fn help_of_policy_show() {
    assert_snapshot!(help("policy show --help"), @"
    Explain a policy in plain English

    Usage: sysadm policy show [OPTIONS] <NAME>

    Arguments:
      <NAME>  Name of the policy

    Options:
          --toml  Print the policy file
          --json  Print a JSON document
      -h, --help  Print help
    [done]
    ");
}

#[test]
fn help_of_plan() {
    assert_snapshot!(help("plan --help"), @r"
    Plan the evacuation or return of several hosts, without moving anything

    With --drain, sysadm queries the hosts to be emptied and the hosts that zones may go to, or reads an
    inventory file, and finds a destination and a start time for every zone. No zone goes to a host that
    is to be emptied as well, so each zone moves once.

    With --return, sysadm plans how all zones that belong to the given hosts return: the order in which
    there is room for them, which zones of other hosts must leave first, and which zones must move to a
    third host because they wait for each other's room.

    Write the plan to a file with --output. 'sysadm evacuate --plan FILE', or 'sysadm evacuate -r --plan
    FILE', then carries out each host's part of it.

    Usage: sysadm plan [OPTIONS] <--drain <HOST,...>|--return <HOST,...>>
           sysadm plan <COMMAND>

    Commands:
      show      Show a plan file, or the differences between two
      simulate  Simulate a plan: when each move ends, the downtimes, and the use of each host's network
      help      Print this message or the help of the given subcommand(s)

    Options:
          --drain <HOST,...>
              Hosts to empty: URIs, or names in the inventory file

          --return <HOST,...>
              Hosts to which all their evacuated zones return

          --to <HOST|GROUP,...>
              Hosts, or groups of the policy or inventory, to which zones may go. Default: what the
              policy allows

          --policy <NAME>
              Policy. Default: the one that sysadm.toml names, or spread

      -a, --all
              Include zones that are not running

          --inventory <FILE>
              Read this inventory file ('sysadm host inventory --json') instead of querying hosts

          --ganeti <FILE>
              Read this Ganeti cluster file (text format of 'hbal -t') instead of querying hosts

          --output <FILE>
              Also write the plan to FILE, for 'sysadm evacuate --plan'

          --json
              Print the plan as a JSON document

      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      Empty a rack; no zone goes from one of its hosts to another:
      sysadm plan --drain rads://h1,rads://h2,rads://h3 --to rack2 --output night.json
      sysadm plan show night.json
      sysadm plan show night.json --diff other.json
      sysadm plan simulate night.json
      sysadm evacuate --plan night.json            on each of h1, h2 and h3

      Bring the zones back:
      sysadm plan --return rads://h1,rads://h2,rads://h3 --output home.json
      sysadm evacuate -r --plan home.json          on each of h1, h2 and h3

      Try something out without contacting any host:
      sysadm host inventory --json > site.json
      sysadm plan --inventory site.json --drain rads://h2 --policy pack

    OUTPUT
      START     when the move begins, counted from the start of the plan
      TIME      how long the move takes
      DOWNTIME  part of TIME during which the zone is unavailable
      RATE      bandwidth of the move

    EXIT STATUS
      0  every zone is placed; show --diff: the plans are the same; simulate: no rule
         is violated
      1  a file or host could not be read, or no zone could be placed
      2  usage error
      3  some zones could not be placed; show --diff: the plans differ; simulate: a rule
         is violated
    [done]
    ");
}
