//! A run in progress, watched and disturbed from other terminals.

use crate::harness::{Lab, Observer, wait_until};

#[test]
fn a_second_run_is_refused_and_the_list_shows_the_first() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.configure("[libvirt]\nbandwidth = 10\n");
    h1.run_kvm(&["web", "db"], &[]);
    h1.define_kvm(&["old"], &[]);
    h1.maintain();
    let observer = Observer::start(&lab, &["web", "db"]);
    let first = h1.start_sysadm(&["evacuate", "-a", "--jobs", "1"]);
    h1.wait_until_sent("db", 5);
    let watch = h1.start_sysadm(&["evacuate", "-l", "--watch"]);
    let list = h1.sysadm(&["evacuate", "-l", "-o", "all"]).ends(0);
    let list = list.says(&["sysadm: evacuation in progress\n", "MIGRATING", "READY", "transfer"]);
    assert!(!list.stdout.contains("safe to reboot"), "{}", list.stdout);
    let row = list.stdout.lines().find(|line| line.starts_with("db")).unwrap();
    assert!(row.contains('%'), "{row}");
    for second in [&["evacuate"][..], &["evacuate", "--resume"], &["evacuate", "--forget", "db"]] {
        h1.sysadm(second).ends(4).complains_in_one_line(&["in progress", "pid"]);
    }
    h1.sysadm(&["evacuate", "-r"]).ends(4);
    first.wait(120).ends(0);
    observer.finds_nothing_wrong_or_unreported();
    lab.guests_are(&["h1:", "h2: db running, old shut off, web running"]);

    let watched = watch.wait(10).ends(0);
    let lines: Vec<serde_json::Value> =
        watched.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |zone: &str| lines.iter().filter(|line| line["zone"] == zone).collect::<Vec<_>>();
    let percents: Vec<_> = of("db").iter().filter_map(|line| line["percent"].as_u64()).collect();
    assert!(percents.len() > 3 && percents.is_sorted() && percents.last() == Some(&100), "{percents:?}");
    for zone in ["web", "db", "old"] {
        assert_eq!(of(zone).last().unwrap()["state"], "EVACUATED", "{zone}");
    }
}

#[test]
fn two_hosts_that_evacuate_to_each_other_refuse_each_other() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h2.sysadm(&["target", "set", "--default", "ssh://root@h1"]).ends(0);
    h1.run_kvm(&["web"], &[]);
    h2.run_kvm(&["db"], &[]);
    h1.maintain();
    h2.maintain();
    let there = h2.start_sysadm(&["evacuate"]);
    h1.sysadm(&["evacuate"]).ends(1).complains(&["web: failed: h2: h2 is in maintenance"]);
    there.wait(60).ends(1).complains(&["db: failed: h1: h1 is in maintenance"]);
    lab.guests_are(&["h1: web running", "h2: db running"]);
}

#[test]
fn a_destination_that_enters_maintenance_meanwhile_takes_no_further_zone() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.configure("[libvirt]\nbandwidth = 10\n");
    h2.set_up();
    h1.run_kvm(&["large"], &["--memory", "128"]);
    h1.run_kvm(&["small"], &[]);
    h1.define_kvm(&["old"], &[]);
    h1.maintain();
    let observer = Observer::start(&lab, &["large", "small"]);
    let run = h1.start_sysadm(&["evacuate", "-a", "--jobs", "1"]);
    h1.wait_until_sent("large", 3);
    h2.sysadm(&["maintain", "-s", "-m", "suddenly"]).ends(0);
    let partly = run.wait(120).ends(3);
    partly.complains(&[
        "1 of 3 zone(s) moved",
        "small: failed: ",
        "old: failed: ",
        "maintenance",
        "suddenly",
    ]);
    observer.finds_nothing_wrong_or_unreported();
    lab.guests_are(&["h1: old shut off, small running", "h2: large running"]);
    let list = h1.sysadm(&["evacuate", "-l", "-p", "-o", "ZONENAME,STATE"]).ends(0).stdout;
    assert_eq!(list, "large:EVACUATED\nold:FAILED\nsmall:FAILED\n");
}

#[test]
fn jobs_is_a_rolling_window() {
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let h1 = lab.host("h1");
    h1.configure("[libvirt]\nbandwidth = 20\n");
    h1.run_kvm(&["a", "b", "c"], &[]);
    h1.maintain();
    let run = h1.start_sysadm(&["evacuate", "--jobs", "2"]);
    // Which two go first depends on how much they write.
    wait_until(60, "two migrate and one waits", || {
        let mut states = ["a", "b", "c"].map(|zone| h1.state_of(zone));
        states.sort_unstable();
        assert_ne!(states, ["MIGRATING", "MIGRATING", "MIGRATING"]);
        states == ["MIGRATING", "MIGRATING", "READY"]
    });
    run.wait(120).ends(0);
    lab.guests_are(&["h1:", "h2: a running, b running, c running"]);
}
