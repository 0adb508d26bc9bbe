//! `sysadm target`.

use insta::assert_snapshot;
use sysadm::testing::platform::sim::{Effect, Fault};

use crate::environment::Environment;

#[test]
fn targets_are_set_listed_and_unset() {
    let site = Environment::new();
    site.make_zone("h1", "web1", |_| {});
    site.make_zone("h1", "web2", |_| {});
    assert_snapshot!(site.run("h1", "target list"), @r"
    ZONENAME         SOURCE    TARGET
    web1             none      -
    web2             none      -
    [done]
    ");
    site.done("h1", "target set --default rads://h2");
    site.done("h1", "target set web2 ssh://root@h2 rads://h3:12400");
    assert_snapshot!(site.run("h1", "target list"), @r"
    ZONENAME         SOURCE    TARGET
    (default)        default   rads://h2
    web1             default   rads://h2
    web2             zone      ssh://root@h2 rads://h3:12400
    [done]
    ");
    assert_snapshot!(site.run("h1", "target list -p -o zonename,target"), @r"
    (default):rads\://h2
    web1:rads\://h2
    web2:ssh\://root@h2 rads\://h3\:12400
    [done]
    ");
    site.done("h1", "target unset web2");
    site.done("h1", "target unset --default");
    assert_snapshot!(site.run("h1", "target list"), @r"
    ZONENAME         SOURCE    TARGET
    web1             none      -
    web2             none      -
    [done]
    ");
    assert_snapshot!(site.run("h1", "target unset web2 --default"), @r"
    ------- stderr -------
    sysadm: no targets are set for: --default, web2
    [exit status 1]
    ");
}

#[test]
fn a_malformed_uri_says_which_part_is_wrong() {
    let site = Environment::new();
    site.make_zone("h1", "web1", |_| {});
    assert_snapshot!(site.run("h1", "target set web1 radg://h2"), @r#"
    ------- stderr -------
    sysadm: "radg://h2": unknown scheme "radg"
    hint: write ssh://HOST or rads://HOST
    [exit status 2]
    "#);
    assert_snapshot!(site.run("h1", "target set web1 h2:22"), @r#"
    ------- stderr -------
    sysadm: "h2:22" has no scheme
    hint: write ssh://HOST or rads://HOST
    [exit status 2]
    "#);
    assert_snapshot!(site.run("h1", "target set web1 ssh://ro:ot@h2"), @r"
    ------- stderr -------
    sysadm: a password in a URI is not accepted: it would be stored in clear text
    hint: use a key or a certificate
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "target set web1 'ssh://a b@h2'"), @r#"
    ------- stderr -------
    sysadm: "ssh://a b@h2": invalid user "a b"
    hint: a user name has letters, digits, '_', '-' and '.'
    [exit status 2]
    "#);
    assert_snapshot!(site.run("h1", "target set web1 rads://"), @r#"
    ------- stderr -------
    sysadm: "rads://": invalid host ""
    hint: write a name, an IPv4 address or an [IPv6] address
    [exit status 2]
    "#);
    assert_snapshot!(site.run("h1", "target set web1 rads://h2:0"), @r#"
    ------- stderr -------
    sysadm: "rads://h2:0": invalid port "0"
    hint: a port is a number from 1 to 65535
    [exit status 2]
    "#);
    assert_snapshot!(site.run("h1", "target set web1 rads://[::1"), @r#"
    ------- stderr -------
    sysadm: "rads://[::1": invalid host "[::1"
    hint: write a name, an IPv4 address or an [IPv6] address
    [exit status 2]
    "#);
    assert_snapshot!(site.run("h1", "target set web1 rads://h2/zones"), @r#"
    ------- stderr -------
    sysadm: "rads://h2/zones": unexpected "/zones" after the host
    hint: a host URI ends with the host or the port
    [exit status 2]
    "#);
}

#[test]
fn while_the_hypervisor_is_silent_a_zone_without_targets_is_said_to_have_none() {
    let site = Environment::new();
    site.set_faults("h1", &[Fault::always(Effect::Down)]);
    assert_snapshot!(site.run("h1", "target unset web1"), @r"
    ------- stderr -------
    sysadm: no targets are set for: web1
    [exit status 1]
    ");
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    let site = Environment::new();
    site.make_zone("h1", "web1", |_| {});
    assert_snapshot!(site.run("h1", "target set web1"), @r"
    ------- stderr -------
    sysadm: no target is named
    hint: write ssh://HOST or rads://HOST after the zones
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "target set rads://h2"), @r"
    ------- stderr -------
    sysadm: no zone is named
    hint: name zones before the target, or say --default
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "target set --default web1 rads://h2"), @r"
    ------- stderr -------
    sysadm: --default is for all zones
    hint: name no zone with it
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "target set web1 nope rads://h2"), @r"
    ------- stderr -------
    sysadm: no such zone: nope
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "target set web1 rads://h1"), @r"
    ------- stderr -------
    sysadm: rads://h1 is this host itself
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "target unset"), @r"
    ------- stderr -------
    sysadm: the following required arguments were not provided:
      <ZONE>...
    Usage: sysadm target unset <ZONE>...
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "target list -o colour"), @r#"
    ------- stderr -------
    sysadm: unknown field "colour"; there are: ZONENAME,SOURCE,TARGET, or all
    [exit status 2]
    "#);
    assert!(site.run("h1", "target list -p -o target").stdout.trim().is_empty(), "something was set");
}
