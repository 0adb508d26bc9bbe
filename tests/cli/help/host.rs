//! Other hosts.

use insta::assert_snapshot;

use super::help;

#[test]
fn help_of_host() {
    assert_snapshot!(help("host --help"), @r"
    Check hosts, list targets, and take an inventory of hosts

    Usage: sysadm host <COMMAND>

    Commands:
      check      Connect to a host, and show what it is and whether it accepts zones
      list       List all targets, with their free memory and whether they accept zones
      inventory  List hosts with their capacity, load and zones
      help       Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

    EXAMPLES
      sysadm host check rads://h3
      sysadm host list
      sysadm host inventory                     this host and all targets
      sysadm host inventory --json > site.json  with their zones, for 'sysadm plan'

    TAGS
      An inventory includes the tags of zones, which policies can match. Tags are kept
      in libvirt's metadata and move with the zone. To set them (omit --live if the
      zone is not running):
      virsh metadata ZONE --live --config --uri urn:sysadm:tags --key sysadm \
        --set '<tags>gold db</tags>'

    EXIT STATUS
      0  success; check: the host answers and accepts zones
      1  the host cannot be reached or denies access
      2  usage error
      3  list, inventory: some hosts do not answer
      4  check: the host is in maintenance, or maintenance is announced
    [done]
    ");
}

#[test]
fn help_of_host_check() {
    assert_snapshot!(help("host check --help"), @"
    Connect to a host, and show what it is and whether it accepts zones

    Usage: sysadm host check [OPTIONS] <URI>

    Arguments:
      <URI>  Host: ssh://[USER@]HOST[:PORT] or rads://[USER@]HOST[:PORT]

    Options:
          --json  Print a JSON document
      -h, --help  Print help
    [done]
    ");
}

#[test]
fn help_of_host_list() {
    assert_snapshot!(help("host list --help"), @"
    List all targets, with their free memory and whether they accept zones

    Usage: sysadm host list

    Options:
      -h, --help  Print help
    [done]
    ");
}

#[test]
fn help_of_host_inventory() {
    assert_snapshot!(help("host inventory --help"), @r"
    List hosts with their capacity, load and zones

    All hosts are queried at the same time, so one that does not answer does not delay the others. With
    --json, the output is an inventory file for 'sysadm plan --inventory'.

    Usage: sysadm host inventory [OPTIONS] [URI]...

    Arguments:
      [URI]...
              Hosts. Default: this host and all targets

    Options:
          --json
              Print a JSON document that includes all zones

          --measure
              Measure for a second how fast each zone writes to its memory, for better estimates; this
              slows zones slightly

      -h, --help
              Print help (see a summary with '-h')
    [done]
    ");
}
