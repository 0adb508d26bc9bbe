//! `sysadm host`, `sysadm agent` and `sysadm setup`.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use sysadm_planner::plan::Fleet;

use crate::environment::Environment;

#[test]
fn a_host_says_what_it_is_and_whether_it_takes_zones() {
    let mut site = Environment::new();
    site.start_agents(&["h2"]);
    assert_snapshot!(site.run("h1", "host check rads://h2"), @r"
    host        h2
    software    sysadm 0.1.0
    hypervisor  simulated 0.1.0
    machine     x86_64, 16 cpus
    memory      64G of 64G free
    state       in service
    [done]
    ");
    site.done("h2", "maintain -s -m 'new disks'");
    assert_snapshot!(site.run("h1", "host check rads://h2"), @r"
    host        h2
    software    sysadm 0.1.0
    hypervisor  simulated 0.1.0
    machine     x86_64, 16 cpus
    memory      64G of 64G free
    state       in maintenance (admin since YYYY-MM-DD HH:MM by USER: new disks)
    [exit status 4]
    ");
    assert_snapshot!(site.run("h1", "host check --json rads://h2"), @r#"
    {
      "host": "h2",
      "software": "0.1.0",
      "platform": "sim",
      "hypervisor": "simulated 0.1.0",
      "arch": "x86_64",
      "memory": 68719476736,
      "memory_free": 68719476736,
      "cpus": 16,
      "maintenance": "admin since YYYY-MM-DD HH:MM by USER: new disks"
    }
    [exit status 4]
    "#);
}

#[test]
fn all_targets_are_asked_at_once() {
    let mut site = Environment::new();
    assert_snapshot!(site.run("h1", "host list"), @r"
    sysadm: no targets are set
    ------- stderr -------
    hint: to set one for all zones: sysadm target set --default URI
    [done]
    ");
    site.start_agents(&["h2", "h3"]);
    site.done("h1", "target set --default rads://h2 rads://h3 rads://localhost:1");
    assert_snapshot!(site.run("h1", "host list"), @r"
    TARGET                   PLATFORM  FREE   CPUS STATE
    rads://h2                sim       64G    16   in service
    rads://h3                sim       64G    16   in service
    rads://localhost:1       -         -      -    cannot connect to rads://localhost:1: connection refused
    ------- stderr -------
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    [exit status 3]
    ");
}

#[test]
fn the_inventory_is_of_this_host_and_of_all_targets() {
    let mut site = Environment::new();
    site.start_agents(&["h2"]);
    site.run_zone("h1", "web", |spec| {
        spec.profile.tags = BTreeSet::from(["gold".to_owned()]);
        spec.profile.load = 150;
    });
    site.make_zone("h1", "old", |_| {});
    site.done("h1", "target set --default rads://h2");
    site.done("h1", "target set old rads://localhost:1");
    site.done("h2", "maintain -s -m 'new disks'");
    assert_snapshot!(site.run("h1", "host inventory"), @r"
    HOST                     FREE   MEMORY CPUS LOAD ZONES HYPERVISOR STATE
    h1                       60G    64G    16   1.5  1/2   0.1.0      in service
    rads://h2                64G    64G    16   0.0  0/0   0.1.0      maintenance: admin since YYYY-MM-DD HH:MM by USER: new disks
    rads://localhost:1       -      -      -    -    -     -          cannot connect to rads://localhost:1: connection refused
    ------- stderr -------
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    [exit status 3]
    ");
    assert_snapshot!(site.run("h1", "host inventory rads://h2"), @r"
    HOST                     FREE   MEMORY CPUS LOAD ZONES HYPERVISOR STATE
    rads://h2                64G    64G    16   0.0  0/0   0.1.0      maintenance: admin since YYYY-MM-DD HH:MM by USER: new disks
    [done]
    ");
}

#[test]
fn an_inventory_as_json_is_what_a_planner_reads() {
    let mut site = Environment::new();
    site.start_agents(&["h2"]);
    site.run_zone("h2", "web", |spec| spec.profile.tags = BTreeSet::from(["gold".to_owned()]));
    let printed = site.command("h1", "host inventory --json rads://h2").output().unwrap();
    let fleet = Fleet::parse(std::str::from_utf8(&printed.stdout).unwrap()).unwrap();
    let (hosts, zones) = (&fleet.hosts, &fleet.zones);
    assert_eq!(
        (hosts.len(), hosts[0].name.to_string(), hosts[0].memory_free),
        (1, "rads://h2".to_owned(), 60 << 30)
    );
    assert_eq!(
        (zones.len(), zones[0].name.as_str(), zones[0].host.is_written("rads://h2")),
        (1, "web", true)
    );
    assert!(zones[0].tags.contains("gold") && zones[0].storage.is_subset(hosts[0].storage.as_ref().unwrap()));
    assert_snapshot!(site.run("h1", "host inventory --json rads://localhost:1"), @r#"
    {
      "hosts": [],
      "zones": []
    }
    ------- stderr -------
    sysadm: rads://localhost:1: cannot connect to rads://localhost:1: connection refused
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    [exit status 3]
    "#);
}

#[test]
fn whoever_cannot_be_trusted_is_not_asked() {
    let mut site = Environment::new();
    site.start_agents(&["h2"]);
    // The wrong host answers at h3's address.
    let config = site.paths("h1").config();
    let text = std::fs::read_to_string(&config).unwrap().replace("h2 =", "h3 =");
    std::fs::write(&config, text).unwrap();
    assert_snapshot!(site.run("h1", "host check rads://h3"), @r"
    ------- stderr -------
    sysadm: rads://h3: its certificate is not for h3
    hint: use a name that it is for: h2
    hint: make a new certificate with 'sysadm cert issue h3', for /etc/sysadm/tls/host.pem and host.key there
    [exit status 1]
    ");
    std::fs::remove_file(site.at("h1/etc/sysadm/tls/host.pem")).unwrap();
    assert_snapshot!(site.run("h1", "host check rads://h3"), @r"
    ------- stderr -------
    sysadm: cannot use rads://h3: there is no /SITE/h1/etc/sysadm/tls/host.pem
    hint: run 'sysadm cert issue HOST' on the host that holds ca.key, and copy HOST.pem and HOST.key here as host.pem and host.key
    [exit status 1]
    ");
}

#[test]
fn a_bad_host_is_wrong_usage() {
    let site = Environment::new();
    assert_snapshot!(site.run("h1", "host check h2"), @r#"
    ------- stderr -------
    sysadm: invalid value 'h2' for '<URI>': "h2" has no scheme
    hint: write ssh://HOST or rads://HOST
    [exit status 2]
    "#);
    assert_snapshot!(site.run("h1", "host check rads://localhost:1"), @r"
    ------- stderr -------
    sysadm: cannot connect to rads://localhost:1: connection refused
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    [exit status 1]
    ");
}

#[test]
fn an_agent_needs_a_way_to_serve_and_a_certificate() {
    let site = Environment::new();
    assert_snapshot!(site.run("h1", "agent"), @r"
    ------- stderr -------
    sysadm: the following required arguments were not provided:
      <--listen [<ADDR>]|--stdio>
    Usage: sysadm agent <--listen [<ADDR>]|--stdio>
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", "agent --listen nowhere"), @r"
    ------- stderr -------
    sysadm: failed to listen on nowhere ('agent.listen' in sysadm.toml): invalid socket address
    [exit status 1]
    ");
    std::fs::remove_file(site.at("h1/etc/sysadm/tls/host.key")).unwrap();
    assert_snapshot!(site.run("h1", "agent --listen 127.0.0.1:0"), @r"
    ------- stderr -------
    sysadm: cannot serve this host over TLS: there is no /SITE/h1/etc/sysadm/tls/host.key
    hint: run 'sysadm cert issue HOST' on the host that holds ca.key, and copy HOST.pem and HOST.key here as host.pem and host.key
    [exit status 1]
    ");
}

#[test]
fn an_agent_on_standard_input_wants_to_be_greeted() {
    let site = Environment::new();
    assert_snapshot!(site.run("h1", "agent --stdio"), @r"
    ------- stderr -------
    sysadm: the client at standard input said something else than hello: the connection was closed
    [exit status 1]
    ");
}

#[test]
fn setup_of_a_simulated_host_installs_the_policies_and_nothing_else() {
    let site = Environment::new();
    assert_snapshot!(site.run("h1", "setup"), @r"
    sysadm: /SITE/h1/etc/sysadm/policies/balance.toml: installed
    sysadm: /SITE/h1/etc/sysadm/policies/fastest.toml: installed
    sysadm: /SITE/h1/etc/sysadm/policies/pack.toml: installed
    sysadm: /SITE/h1/etc/sysadm/policies/pinned.toml: installed
    sysadm: /SITE/h1/etc/sysadm/policies/single-host.toml: installed
    sysadm: /SITE/h1/etc/sysadm/policies/spread.toml: installed
    sysadm: no hooks to set up: simulated zones respect maintenance as they are
    [done]
    ");
    std::fs::write(site.paths("h1").policies().join("balance.toml"), "about = \"mine\"\n").unwrap();
    std::fs::remove_file(site.paths("h1").policies().join("spread.toml")).unwrap();
    assert_snapshot!(site.run("h1", "setup"), @r"
    sysadm: /SITE/h1/etc/sysadm/policies/balance.toml: edited, left unchanged
    sysadm: /SITE/h1/etc/sysadm/policies/fastest.toml: unchanged
    sysadm: /SITE/h1/etc/sysadm/policies/pack.toml: unchanged
    sysadm: /SITE/h1/etc/sysadm/policies/pinned.toml: unchanged
    sysadm: /SITE/h1/etc/sysadm/policies/single-host.toml: unchanged
    sysadm: /SITE/h1/etc/sysadm/policies/spread.toml: installed
    sysadm: no hooks to set up: simulated zones respect maintenance as they are
    [done]
    ");
    assert_snapshot!(site.run("h1", "setup --uninstall"), @r"
    sysadm: /SITE/h1/etc/sysadm/policies/balance.toml: edited, left unchanged
    sysadm: /SITE/h1/etc/sysadm/policies/fastest.toml: removed
    sysadm: /SITE/h1/etc/sysadm/policies/pack.toml: removed
    sysadm: /SITE/h1/etc/sysadm/policies/pinned.toml: removed
    sysadm: /SITE/h1/etc/sysadm/policies/single-host.toml: removed
    sysadm: /SITE/h1/etc/sysadm/policies/spread.toml: removed
    sysadm: no hooks to set up: simulated zones respect maintenance as they are
    [done]
    ");
    assert_eq!(std::fs::read_dir(site.paths("h1").policies()).unwrap().count(), 1);
}
