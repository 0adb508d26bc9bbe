//! `sysadm sim`.

use insta::assert_snapshot;

use crate::environment::Environment;

#[test]
fn hosts_and_zones_are_made_and_unmade() {
    let site = Environment::new();
    let nfs = site.at("nfs").display().to_string();
    site.done("h1", &format!("sim host --memory 32G --bandwidth 1.5G --scale 20 --storage nfs={nfs}"));
    site.done("h1", "sim create web --memory 2G --dirty 10M --disk nfs");
    site.done("h1", "sim create ct --brand lxc --disk nfs");
    assert_snapshot!(site.run("h1", "sim show"), @r"
    h1: 32G of memory, 1.5G/s, storage nfs (/SITE/nfs), 20 times as fast as real time
    ZONENAME         BRAND  STATE      MEMORY UPTIME
    ct               lxc    installed  4G     -
    web              kvm    installed  2G     -
    [done]
    ");
    assert_snapshot!(site.run("h1", "sim start web"), @"[done]");
    assert_snapshot!(site.run("h1", "sim remove web"), @r"
    ------- stderr -------
    sysadm: zone 'web': it runs
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "sim start web"), @r"
    ------- stderr -------
    sysadm: zone 'web': it runs already
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "sim stop web"), @"[done]");
    assert_snapshot!(site.run("h1", "sim remove web"), @"[done]");
    assert_snapshot!(site.run("h1", "sim stop web"), @r"
    ------- stderr -------
    sysadm: no such zone: web
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "sim create db --running --disk attic"), @r#"
    ------- stderr -------
    sysadm: the host has no storage "attic"
    [exit status 1]
    "#);
    assert_snapshot!(site.run("h1", "sim host --storage a/b"), @r#"
    ------- stderr -------
    sysadm: invalid value 'a/b' for '--storage <NAME[=FOLDER]>': "a/b" cannot be a name: 1 to 63 letters, digits, '_', '-' and '.' are allowed, the first a letter or digit
    [exit status 2]
    "#);
    assert_snapshot!(site.run("h1", "sim host --memory lots"), @r#"
    ------- stderr -------
    sysadm: invalid value 'lots' for '--memory <SIZE>': "lots" is not a size
    hint: write a number and K, M, G or T: 512M, 1.5G
    [exit status 2]
    "#);
}

#[test]
fn what_goes_wrong_is_told_listed_and_cleared() {
    let site = Environment::new();
    site.make_zone("h1", "web", |_| {});
    site.done("h1", "sim fault fail set_autostart --zone web --times 2");
    site.done("h1", "sim fault lose-answer");
    site.done("h1", "sim fault cut --rounds 3");
    site.done("h1", "sim fault refuse 'no mood for it'");
    assert_snapshot!(site.run("h1", "sim show"), @r"
    h1: 64G of memory, 1G/s, storage nfs (/SITE/nfs), local, without delays
    ZONENAME         BRAND  STATE      MEMORY UPTIME
    web              kvm    installed  4G     -
    FAULT                                   ZONENAME         TIMES
    fail set_autostart: it was told to fail web              2
    lose-answer                             -                -
    cut after 3 round(s)                    -                -
    refuse: no mood for it                  -                -
    [done]
    ");
    site.done("h1", "sim fault clear");
    assert!(!site.run("h1", "sim show").stdout.contains("FAULT"));
    site.done("h1", "sim fault down");
    assert_snapshot!(site.run("h1", "zone list"), @r"
    ------- stderr -------
    sysadm: h1: the simulated hypervisor does not answer
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "sim fault fail dancing"), @r"
    ------- stderr -------
    sysadm: invalid value 'dancing' for '<OPERATION>'
      [possible values: facts, inventory, survey, manifest, check, define, undefine, set_autostart, shutdown, boot, save, open_incoming, close_incoming, send, progress, abort, wait_sent, resume, destroy_incoming]
    [exit status 2]
    ");
}

#[test]
fn real_zones_are_not_played_with() {
    let site = Environment::new();
    std::fs::write(site.paths("h1").config(), "platform = \"libvirt\"\n").unwrap();
    assert_snapshot!(site.run("h1", "sim start web"), @r#"
    ------- stderr -------
    sysadm: the zones of this host are real; to simulate some, set SYSADM_ROOT to a folder in which etc/sysadm/sysadm.toml says: platform = "sim"
    [exit status 1]
    "#);
}
