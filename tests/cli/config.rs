//! `sysadm.toml`.

use insta::assert_snapshot;

use crate::environment::Environment;

fn with(text: &str) -> Environment {
    let site = Environment::new();
    std::fs::write(site.paths("h1").config(), text).unwrap();
    site
}

#[test]
fn a_typo_is_named_with_its_line_and_nothing_is_done() {
    let site = with("host = \"h1\"\n[connect]\ntimeuot = 3\n");
    assert_snapshot!(site.run("h1", "maintain -s"), @r"
    ------- stderr -------
    sysadm: /SITE/h1/etc/sysadm/sysadm.toml is not a valid configuration: line 3, column 1: unknown field `timeuot`, expected one of `timeout`, `keepalive`, `addresses`
    [exit status 1]
    ");
    assert!(!site.paths("h1").lock_marker().exists());
}

#[test]
fn wrong_values_are_named() {
    assert_snapshot!(with("platform = \"xen\"\n").run("h1", "zone list"), @r"
    ------- stderr -------
    sysadm: /SITE/h1/etc/sysadm/sysadm.toml is not a valid configuration: line 1, column 12: unknown variant `xen`, expected `libvirt` or `sim`
    [exit status 1]
    ");
    assert_snapshot!(with("[connect.addresses]\nh2 = \"10.0.0.2:\"\n").run("h1", "zone list"), @r#"
    ------- stderr -------
    sysadm: /SITE/h1/etc/sysadm/sysadm.toml is not a valid configuration: line 2, column 6: "10.0.0.2:" is not an address: expected HOST, HOST:PORT, or [ADDRESS]:PORT for IPv6
    [exit status 1]
    "#);
    assert_snapshot!(with("[roles]\nh2 = \"king\"\n").run("h1", "zone list"), @r"
    ------- stderr -------
    sysadm: /SITE/h1/etc/sysadm/sysadm.toml is not a valid configuration: line 2, column 6: unknown variant `king`, expected one of `observe`, `migrate`, `admin`
    [exit status 1]
    ");
    assert_snapshot!(with("host = \n").run("h1", "zone list"), @r"
    ------- stderr -------
    sysadm: /SITE/h1/etc/sysadm/sysadm.toml is not a valid configuration: line 1, column 8: string values must be quoted, expected literal string
    [exit status 1]
    ");
}
