//! The help of `sysadm target`.

use super::help;
use insta::assert_snapshot;

#[test]
fn help_of_target() {
    assert_snapshot!(help("target --help"), @r"
    Set, unset and list where zones go when this host is evacuated

    A target is a host URI: ssh://[USER@]HOST[:PORT] or rads://[USER@]HOST[:PORT]. The default ports are
    22 and 12302. If a zone has several targets the policy chooses one; the policy 'pinned' takes the
    first that accepts the zone.

    Usage: sysadm target <COMMAND>

    Commands:
      set    Set the targets of zones, or the default for all zones
      unset  Remove the targets of zones, or the default for all zones
      list   List the targets of every zone, and whether they are its own or the default
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
      0  success
      1  no such zone, or no target to unset; nothing was changed
      2  usage error, or a malformed URI; the message says which part is wrong
    [done]
    ");
}

#[test]
fn help_of_target_set() {
    assert_snapshot!(help("target set --help"), @r"
    Set the targets of zones, or the default for all zones

    Replaces targets that were set before. Example: sysadm target set web1 web2 ssh://root@h2 rads://h3

    Usage: sysadm target set ZONE... URI...
           sysadm target set --default URI...

    Arguments:
      <ZONE... URI>...
              Zones, followed by their targets in order of preference

    Options:
          --default
              Set the default for all zones that have no targets of their own

      -h, --help
              Print help (see a summary with '-h')
    [done]
    ");
}

#[test]
fn help_of_target_unset() {
    assert_snapshot!(help("target unset --help"), @"
    Remove the targets of zones, or the default for all zones

    Usage: sysadm target unset [OPTIONS] [ZONE]...

    Arguments:
      [ZONE]...  Zones; the default applies to them from now on

    Options:
          --default  Remove the default for all zones
      -h, --help     Print help
    [done]
    ");
}

#[test]
fn help_of_target_list() {
    assert_snapshot!(help("target list --help"), @r"
    List the targets of every zone, and whether they are its own or the default

    Usage: sysadm target list [OPTIONS]

    Options:
      -p, --parsable            Print stable output for scripts: no header, fields separated by ':',
                                with '\' before ':' and '\'; requires -o
      -o, --output <FIELD,...>  Fields to list: ZONENAME, SOURCE, TARGET, or all
      -h, --help                Print help
    [done]
    ");
}
