//! `sysadm evacuate -n`.

use insta::assert_snapshot;
use sysadm_model::Brand;

use crate::environment::{Environment, HOSTS};

#[test]
fn a_dry_run_prints_the_plan_and_changes_nothing_anywhere() {
    let site = Environment::locked();
    let look = || HOSTS.map(|host| site.run(host, "zone list -cp").stdout).concat();
    let before = look();
    assert_snapshot!(site.run("h1", "evacuate -na"), @r"
    sysadm: preparing zones for evacuation ... 5/5
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    evac1            kvm    live   rads://h2        4G     +TIME   ~4.0s  ~50ms
    evac2            kvm    live   rads://h2        4G     +TIME   ~4.0s  ~50ms
    evac3            kvm    live   rads://h2        4G     +TIME   ~4.0s  ~50ms
    evac4            kvm    cold   rads://h2        NNNB   +TIME   ~1.0s  -
    tzone1           lxc    cold   rads://h2        NNNB   +TIME   ~1.0s  -
    sysadm: dry-run succeeded
    [done]
    ");
    assert_eq!(look(), before);
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    sysadm: no active evacuation
    sysadm: in maintenance; 3 zone(s) still running here: evac1, evac2, evac3
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -nq"), @"[done]");
    assert_snapshot!(site.run("h1", "evacuate -n --json evac4"), @r#"
    {
      "direction": "evacuate",
      "schema_version": 1,
      "unmanaged": [],
      "zones": [
        {
          "brand": "kvm",
          "dest": "rads://h2",
          "downtime_ms": null,
          "estimate_ms": MS,
          "failed": null,
          "findings": [],
          "hint": null,
          "method": "cold",
          "size": MS,
          "skipped": null,
          "start_ms": MS,
          "waits": null,
          "zone": "evac4"
        }
      ]
    }
    [done]
    "#);
}

#[test]
fn every_blocker_of_every_zone_is_named() {
    let site = Environment::story();
    site.run_zone("h1", "ct", |spec| spec.brand = Brand::LXC);
    site.run_zone("h1", "big", |spec| spec.memory = 100 << 30);
    site.run_zone("h1", "here", |spec| spec.storages = vec!["local".to_owned()]);
    site.done("h2", "maintain -s -m 'new disks'");
    site.done("h1", "target set evac1 big here rads://h2 rads://h3");
    assert_snapshot!(site.run("h1", "evacuate -n"), @r"
    sysadm: preparing zones for evacuation ... 6/6
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    big              kvm    -      rads://h3        -      -       -      -
    ct               lxc    -      -                -      -       -      -
    evac1            kvm    live   rads://h3        4G     +TIME   ~4.0s  ~50ms
    evac2            kvm    -      rads://h2        -      -       -      -
    evac3            kvm    -      rads://h2        -      -       -      -
    here             kvm    -      rads://h2        -      -       -      -
    ------- stderr -------
    sysadm: big: rads://h2: h2 is in maintenance (admin since YYYY-MM-DD HH:MM by USER: new disks)
    sysadm: big: rads://h2: 100G of memory needed, h2 has 64G free
    sysadm: big: rads://h3: 100G of memory needed, h3 has 64G free
    sysadm: ct: skipped: a running lxc zone cannot be migrated live
    hint: use --action restart (zone migrate: -t cold) to shut it down and boot it there
    hint: or shut it down, and evacuate it with -a
    sysadm: evac2: rads://h2: h2 is in maintenance (admin since YYYY-MM-DD HH:MM by USER: new disks)
    sysadm: evac3: rads://h2: h2 is in maintenance (admin since YYYY-MM-DD HH:MM by USER: new disks)
    sysadm: here: rads://h3: disk vda (/SITE/h1/srv/local/here-vda.img) is not accessible
    sysadm: here: rads://h2: h2 is in maintenance (admin since YYYY-MM-DD HH:MM by USER: new disks)
    sysadm: here: rads://h2: disk vda (/SITE/h1/srv/local/here-vda.img) is not accessible
    sysadm: dry-run failed: 5 of 6 zone(s) cannot move
    [exit status 3]
    ");
}

#[test]
fn a_return_can_be_planned_too() {
    let site = Environment::ready_to_return();
    assert_snapshot!(site.run_after_moves("h1", "evacuate -nr tzone1"), @r"
    sysadm: preparing zones for return ... 1/1
    ZONENAME BRAND METHOD DEST SIZE START TIME DOWNTIME
    tzone1 lxc cold rads://h2 NNNB +TIME ~TIME -
    sysadm: dry-run succeeded
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l -o zonename,state"), @r"
    ZONENAME         STATE
    evac1            EVACUATED
    evac2            EVACUATED
    evac3            EVACUATED
    evac4            EVACUATED
    tzone1           EVACUATED
    sysadm: not in maintenance; there are no zones on this host
    [done]
    ");
}

#[test]
fn what_is_unreachable_is_found_before_anything_moves() {
    let mut site = Environment::locked();
    site.stop_agent("h2");
    assert_snapshot!(site.run("h1", "evacuate -n evac1"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    evac1            kvm    -      rads://h2        -      -       -      -
    ------- stderr -------
    sysadm: evac1: rads://h2: cannot connect to rads://h2: connection refused
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    sysadm: dry-run failed: 1 of 1 zone(s) cannot move
    [exit status 1]
    ");
}

#[test]
fn a_network_is_looked_for_under_its_name_at_the_target() {
    let site = Environment::locked();
    site.set_host("h2", |host| host.bridges = vec!["br10".to_owned()]);
    assert_snapshot!(site.run("h1", "evacuate -n evac1"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    evac1            kvm    -      rads://h2        -      -       -      -
    ------- stderr -------
    sysadm: evac1: rads://h2: no bridge br0
    sysadm: dry-run failed: 1 of 1 zone(s) cannot move
    [exit status 1]
    ");
    let file = site.paths("h1").config();
    let plain = std::fs::read_to_string(&file).unwrap();
    let map = |there: &str| {
        std::fs::write(&file, format!("{plain}[map.\"h2\".net]\nbr0 = \"{there}\"\n")).unwrap();
    };
    map("br11");
    assert_snapshot!(site.run("h1", "evacuate -n evac1"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    evac1            kvm    -      rads://h2        -      -       -      -
    ------- stderr -------
    sysadm: evac1: rads://h2: no bridge br11 (for br0)
    sysadm: dry-run failed: 1 of 1 zone(s) cannot move
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "plan --drain rads://h1 --to rads://h2"), @r"
    sysadm: 0 move(s) to 0 host(s), policy spread: estimated duration TIME (at most TIME; theoretical minimum TIME); 3 zone(s) could not be placed
    ------- stderr -------
    sysadm: evac1 stays on rads://h1: rads://h2: network br11 (for br0) is not there
    sysadm: evac2 stays on rads://h1: rads://h2: network br11 (for br0) is not there
    sysadm: evac3 stays on rads://h1: rads://h2: network br11 (for br0) is not there
    [exit status 1]
    ");
    map("br/10");
    let printed = site.run("h1", "evacuate -n evac1").stderr;
    assert!(printed.contains("\"br/10\" is not a network name") && printed.contains("line "), "{printed}");
    map("br10");
    assert_snapshot!(site.run("h1", "evacuate -n evac1"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    evac1            kvm    live   rads://h2        4G     +TIME   ~4.0s  ~50ms
    sysadm: dry-run succeeded
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate evac1"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    sysadm: evacuating zones ... 1/1
    sysadm: evacuation completed successfully.
    [done]
    ");
    assert_snapshot!(site.run("h1", "plan --drain rads://h1 --to rads://h2"), @r"
    START   ZONENAME         ACTION   FROM             TO               TIME    DOWNTIME RATE
    +TIME   evac2            live     rads://h1        rads://h2        ~4.0s   ~50ms    1G/s
    +TIME   evac3            live     rads://h1        rads://h2        ~4.0s   ~50ms    1G/s
    sysadm: 2 move(s) to 1 host(s), policy spread: estimated duration TIME (at most TIME; theoretical minimum TIME)
    [done]
    ");
}
