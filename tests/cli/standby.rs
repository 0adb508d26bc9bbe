//! `sysadm zone standby`: what is left with other hosts.

use std::process::Stdio;

use insta::assert_snapshot;

use crate::environment::Environment;

/// What h2 has of h1, without the times.
fn kept(site: &Environment) -> String {
    site.run("h2", "zone standby -l -p -o ZONENAME,ORIGIN,ATTACHED,OTHERS").stdout
}

#[test]
fn every_target_of_a_zone_gets_its_manifest() {
    let site = Environment::story();
    site.done("h1", "target set evac2 rads://h2 rads://h3");
    assert_snapshot!(site.run("h1", "zone standby"), @r"
    sysadm: the manifests of 5 zone(s) are left with 2 host(s)
    [done]
    ");
    assert_snapshot!(kept(&site), @r"
    evac1:h1::
    evac2:h1::rads\://h3
    evac3:h1::
    evac4:h1::
    tzone1:h1::
    ");
    assert_snapshot!(site.run("h3", "zone standby -l -o ZONENAME,ORIGIN,ATTACHED,OTHERS"), @r"
    ZONENAME         ORIGIN     ATTACHED OTHERS
    evac2            h1         -        rads://h2
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone standby -l"), @r"
    ZONENAME         ORIGIN     SINCE            ATTACHED
    [done]
    ");
    assert_snapshot!(site.run("h1", "zone standby nope"), @r"
    ------- stderr -------
    sysadm: no such zone: nope
    [exit status 1]
    ");
}

#[test]
fn what_is_not_there_any_more_is_withdrawn() {
    let site = Environment::story();
    site.done("h1", "zone standby -q");
    site.done("h1", "sim remove evac4");
    site.done("h1", "maintain -s");
    site.done("h1", "evacuate -q evac1");
    site.done("h1", "zone standby -q evac3");
    assert_snapshot!(kept(&site), @r"
    evac2:h1::
    evac3:h1::
    tzone1:h1::
    ");
}

#[test]
fn who_gets_none_is_named() {
    let mut site = Environment::story();
    site.stop_agent("h2");
    site.done("h1", "target set evac2 rads://h3");
    assert_snapshot!(site.run("h1", "zone standby evac1 evac2"), @r"
    sysadm: the manifests of 1 zone(s) are left with 1 host(s)
    ------- stderr -------
    sysadm: evac1: not left with rads://h2: cannot connect to rads://h2: connection refused; does 'sysadm agent --listen' run there on port PORT?
    [exit status 3]
    ");
    assert_snapshot!(site.run("h1", "zone standby evac1"), @r"
    sysadm: the manifests of 0 zone(s) are left with 0 host(s)
    ------- stderr -------
    sysadm: evac1: not left with rads://h2: cannot connect to rads://h2: connection refused; does 'sysadm agent --listen' run there on port PORT?
    [exit status 1]
    ");
    site.done("h1", "target unset --default");
    assert_snapshot!(site.run("h1", "zone standby evac1 evac2"), @r"
    sysadm: the manifests of 1 zone(s) are left with 1 host(s)
    ------- stderr -------
    sysadm: evac1: left with nobody: no target; set one: sysadm target set evac1 URI
    [exit status 3]
    ");
}

#[test]
fn the_agent_does_it_by_itself_where_that_is_wanted() {
    let mut site = Environment::story();
    site.stop_agent("h1");
    let config = site.paths("h1").config();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text + "[standby]\nevery = 1\n").unwrap();
    let mut agent = site.command("h1", "agent --listen 127.0.0.1:0").stderr(Stdio::null()).spawn().unwrap();
    site.wait_until(|| kept(&site).lines().count() == 5);
    site.run_zone("h1", "new", |_| {});
    site.wait_until(|| kept(&site).lines().count() == 6);
    agent.kill().unwrap();
    agent.wait().unwrap();
}
