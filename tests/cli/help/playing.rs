//! What one plays with: demo, sim.

use insta::assert_snapshot;

use super::help;

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
          --disk <SIZE>              Disk space of its own storages
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
          --brand <BRAND>      kvm or lxc [default: kvm]
          --memory <SIZE>      Memory [default: 4G]
          --dirty <SIZE>       How much of its memory it writes to in a second [default: 50M]
          --disk <STORAGE>     The storage on which its disk lies; local, if neither this nor a zonepath
                               is said
          --zonepath <FOLDER>  Its root file system is a folder in this one, which lies on a storage of
                               the host: a container
          --inherit <FOLDER>   A folder of its host that it reads
          --running            Boot it at once
      -h, --help               Print help
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
                   set_autostart, shutdown, boot, save, open_incoming, close_incoming, send, progress,
                   abort, wait_sent, resume, destroy_incoming]
      [REASON]     With this error [default: "it was told to fail"]

    Options:
          --zone <ZONE>  Only with this zone
          --times <N>    Only the next so many times; always, if not said
      -h, --help         Print help
    [done]
    "#);
}
