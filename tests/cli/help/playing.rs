//! Commands for simulated hosts: demo, sim.

use insta::assert_snapshot;

use super::help;

#[test]
fn help_of_demo() {
    assert_snapshot!(help("demo --help"), @"
    Demonstrate sysadm on three simulated hosts

    Creates three hosts in a temporary directory, with simulated zones but real agents, certificates and
    TLS connections over the loopback interface. Runs a whole evacuation and return on them, and shows
    each command with its actual output. The demo takes about 20 seconds, needs no privileges and leaves
    nothing behind.

    Usage: sysadm demo [OPTIONS]

    Options:
          --keep
              Keep the hosts, and print how to continue to use them

      -h, --help
              Print help (see a summary with '-h')
    [done]
    ");
}

#[test]
fn help_of_sim() {
    assert_snapshot!(help("sim --help"), @r#"
    Create simulated hosts and zones, and make them fail

    On a host with platform = "sim" in sysadm.toml, zones are simulated and everything else works as on
    a real host. Use a different SYSADM_ROOT for each host.

    Usage: sysadm sim <COMMAND>

    Commands:
      host    Configure the host; settings that are not given stay unchanged
      create  Create a zone
      start   Boot a zone, as an administrator would with virsh
      stop    Stop a zone, as an administrator would with virsh
      remove  Remove a zone that is not running, with its disks
      show    Show the host, its zones and its faults
      fault   Inject a fault, or clear all faults
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
    Configure the host; settings that are not given stay unchanged

    Usage: sysadm sim host [OPTIONS]

    Options:
          --memory <SIZE>            Memory, for example 64G
          --disk <SIZE>              Disk space of its own storage, for example 1T
          --bandwidth <SIZE>         Network bandwidth per second, for example 1G
          --storage <NAME[=FOLDER]>  Storage that the host can access, instead of what it could so far;
                                     may be repeated. Hosts that name the same folder share it
          --scale <N>                Run N times as fast as real time, 1 to 100000
      -h, --help                     Print help
    [done]
    ");
}

#[test]
fn help_of_sim_create() {
    assert_snapshot!(help("sim create --help"), @r"
    Create a zone

    Usage: sysadm sim create [OPTIONS] <ZONE>

    Arguments:
      <ZONE>  Name

    Options:
          --brand <BRAND>      Brand: kvm or lxc [default: kvm]
          --memory <SIZE>      Memory [default: 4G]
          --dirty <SIZE>       Memory that the zone writes to per second [default: 50M]
          --disk <STORAGE>     Storage of the zone's disk. Default: local, unless --zonepath is given
          --zonepath <FOLDER>  Make the zone a container whose root file system is below this folder, on
                               storage of the host
          --inherit <FOLDER>   Directory of the host that the zone sees read-only
          --running            Boot the zone
      -h, --help               Print help
    [done]
    ");
}

#[test]
fn help_of_sim_fault() {
    assert_snapshot!(help("sim fault --help"), @r"
    Inject a fault, or clear all faults

    Usage: sysadm sim fault [OPTIONS] <COMMAND>

    Commands:
      refuse           Refuse every zone that is to arrive
      fail             Make an operation fail without doing anything
      fail-after       Perform an operation, but report an error
      hang             Make an operation hang until 'clear'
      fail-send        Make outgoing migrations fail
      stall            Make outgoing migrations stall until they are aborted
      cut              Cut the connection of outgoing migrations
      lose-answer      Cut the connection of incoming migrations just before the source learns that the
                       zone has arrived
      ignore-shutdown  Make zones ignore requests to shut down
      down             Stop answering any request
      clear            Remove all faults
      help             Print this message or the help of the given subcommand(s)

    Options:
          --zone <ZONE>  Only for this zone
          --times <N>    Only the next N times. Default: always
      -h, --help         Print help
    [done]
    ");
}

#[test]
fn help_of_sim_fault_fail() {
    assert_snapshot!(help("sim fault fail --help"), @r#"
    Make an operation fail without doing anything

    Usage: sysadm sim fault fail [OPTIONS] <OPERATION> [REASON]

    Arguments:
      <OPERATION>  Operation [possible values: facts, inventory, survey, manifest, check, define,
                   undefine, set_autostart, shutdown, boot, save, open_incoming, close_incoming, send,
                   progress, abort, wait_sent, resume, destroy_incoming]
      [REASON]     Error to report [default: "it was told to fail"]

    Options:
          --zone <ZONE>  Only for this zone
          --times <N>    Only the next N times. Default: always
      -h, --help         Print help
    [done]
    "#);
}
