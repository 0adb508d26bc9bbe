//! The help of `sysadm target`.

use super::help;
use insta::assert_snapshot;

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
