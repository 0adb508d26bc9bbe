//! Invalid words: one line that names them, the right exit status, nothing changed.

use crate::harness::{Lab, assert_same, dump};

#[test]
fn unknown_zones_are_named() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.run_kvm(&["web"], &[]);
    h1.maintain();
    let before = dump(&lab);
    h1.sysadm(&["evacuate", "web", "wbe"]).ends(1).complains_in_one_line(&["no such zone: wbe"]);
    h1.sysadm(&["evacuate", "-n", "wbe"]).ends(1).complains_in_one_line(&["no such zone: wbe"]);
    h1.sysadm(&["target", "set", "wbe", "ssh://h2"]).ends(1).complains_in_one_line(&["no such zone: wbe"]);
    h1.sysadm(&["target", "unset", "web"]).ends(1).complains_in_one_line(&["web"]);
    assert_same(&before, &dump(&lab));
}

#[test]
fn unknown_columns_are_named_with_those_that_there_are() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    for command in [
        &["evacuate", "-l", "-o", "ZONENAME,COLOUR"][..],
        &["maintain", "-l", "-o", "TYPE,COLOUR"],
        &["target", "list", "-o", "COLOUR"],
    ] {
        h1.sysadm(command).ends(2).complains_in_one_line(&["COLOUR", "there are: "]);
    }
}

#[test]
fn a_malformed_uri_is_told_which_part_is_wrong() {
    let lab = Lab::new(&["h1", "h2"]);
    let h1 = lab.host("h1");
    h1.define_kvm(&["web"], &[]);
    for (uri, part) in [
        ("http://h2", "http"),
        ("ssh:/h2", "ssh:/h2"),
        ("ssh://", "host"),
        ("ssh://root@", "host"),
        ("ssh://h2:port", "port"),
        ("ssh://h2:99999", "port"),
        ("rads://@h2", "user"),
        ("ssh://h2/path", "path"),
    ] {
        let refused = h1.sysadm(&["target", "set", "web", uri]);
        assert!(matches!(refused.code, 1 | 2), "{uri}: {refused:?}");
        refused.complains_in_one_line(&[uri, part]);
    }
    h1.sysadm(&["target", "set", "web", "ssh://root@h1"])
        .ends(1)
        .complains_in_one_line(&["this host itself"]);
    let targets = h1.sysadm(&["target", "list", "-p", "-o", "ZONENAME,TARGET"]).ends(0).stdout;
    assert_eq!(targets, "web:\n");
}

#[test]
fn a_typo_in_the_configuration_is_named_with_its_line() {
    let lab = Lab::new(&["h1", "h2"]);
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.configure("[ssh]\nagnet = \"x\"\n");
    h1.sysadm(&["evacuate", "-l"]).ends(1).complains_in_one_line(&[
        "/etc/sysadm/sysadm.toml",
        "line 2",
        "agnet",
    ]);
    // On the other host, too.
    h1.configure("");
    h2.configure("[ssh]\nagnet = \"x\"\n");
    h1.sysadm(&["host", "check", "ssh://root@h2"]).ends(1).complains_in_one_line(&["ssh://root@h2", "agnet"]);
}

#[test]
fn guests_cannot_steer_the_terminal() {
    let lab = Lab::new(&["h1"]);
    let h1 = lab.host("h1");
    h1.sysadm(&["maintain", "-s", "-m", "red \u{1b}[31m\nadmin root now"]).ends(0);
    let list = h1.sysadm(&["maintain", "-l"]).ends(0).stdout;
    assert!(!list.contains('\u{1b}') && list.lines().count() == 2, "{list:?}");
    let list = h1.sysadm(&["maintain", "-l", "-p", "-o", "all"]).ends(0).stdout;
    assert!(!list.contains('\u{1b}') && list.lines().count() == 1, "{list:?}");
}
