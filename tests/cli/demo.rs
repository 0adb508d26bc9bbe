//! `sysadm demo`.

use std::time::Instant;

use crate::environment::Environment;

#[test]
fn the_demo_tells_the_whole_story_and_leaves_nothing_behind() {
    let site = Environment::new();
    let folder = site.at("tmp");
    std::fs::create_dir(&folder).unwrap();
    let start = Instant::now();
    let mut command = site.command("h1", "demo");
    command.env("TMPDIR", &folder);
    let printed = site.finish(command);
    assert_eq!(printed.status, Some(0), "{printed}");
    let told = [
        "h1# sysadm maintain -s -m \"updating to new build\"\n",
        "this host is in maintenance: no zone boots or arrives here",
        "evac3            kvm    live   rads://h3        12G",
        "sysadm: evacuation in progress\n",
        "sysadm: evac3: evacuated to rads://h3\n",
        "empty, safe to reboot\n",
        "sysadm: returning zones ... 5/5\nsysadm: return completed successfully.\n",
        "sysadm: no active evacuation\n",
    ];
    let mut rest = printed.stdout.as_str();
    for words in told {
        let at = rest.find(words).unwrap_or_else(|| panic!("{words:?} is not told in its place: {printed}"));
        rest = &rest[at..];
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "its folder is left");
    println!("the demo took {} ms", start.elapsed().as_millis());
}
