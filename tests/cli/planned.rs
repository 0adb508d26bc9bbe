//! Policies applied, and plans stored in files: `evacuate --policy`, `evacuate --plan`, `sysadm plan`.

use insta::assert_snapshot;

use crate::environment::Environment;

/// Writes a policy with that name on h1.
fn policy(site: &Environment, name: &str, text: &str) {
    let folder = site.paths("h1").policies();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
}

#[test]
fn a_policy_says_where_zones_may_go_and_what_is_done_with_them() {
    let site = Environment::locked();
    policy(
        &site,
        "mine",
        "destinations = [\"rads://h2\", \"rads://h3\"]\n\
         [[zones]]\nmatch = { name = \"evac*\" }\napart = \"evac\"\n\
         [[zones]]\nmatch = { name = \"evac2\" }\naction = \"suspend\"\n",
    );
    assert_snapshot!(site.run("h1", "evacuate -n --policy mine"), @r"
    sysadm: preparing zones for evacuation ... 3/3
    ZONENAME         BRAND  METHOD  DEST             SIZE   START   TIME   DOWNTIME
    evac1            kvm    live    rads://h2        4G     +TIME   ~4.0s  ~50ms
    evac3            kvm    live    rads://h3        4G     +TIME   ~4.0s  ~50ms
    evac2            kvm    suspend -                -      -       -      -
    sysadm: dry-run succeeded
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate --policy mine"), @r"
    sysadm: preparing zones for evacuation ... 3/3
    sysadm: evacuating zones ... 3/3
    sysadm: evacuation completed successfully.
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ZONENAME         STATE     DEST                                     ERROR
    evac1            EVACUATED rads://h2                                -
    evac2            SUSPENDED -                                        -
    evac3            EVACUATED rads://h3                                -
    sysadm: in maintenance; no zone is running here, safe to reboot; 3 installed zone(s) left: evac2, evac4, tzone1
    [done]
    ");
}

#[test]
fn a_zone_that_the_policy_does_not_allow_anywhere_is_told_why() {
    let site = Environment::locked();
    policy(&site, "tight", "[[zones]]\napart = \"all\"\n");
    assert_snapshot!(site.run("h1", "evacuate -n --policy tight"), @r"
    sysadm: preparing zones for evacuation ... 3/3
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    evac1            kvm    live   rads://h2        4G     +TIME   ~4.0s  ~50ms
    evac2            kvm    -      rads://h2        -      -       -      -
    evac3            kvm    -      rads://h2        -      -       -      -
    ------- stderr -------
    sysadm: evac2: rads://h2: evac1 of group all is there, too, or goes there
    sysadm: evac3: rads://h2: evac1 of group all is there, too, or goes there
    sysadm: dry-run failed: 2 of 3 zone(s) cannot move
    [exit status 3]
    ");
}

#[test]
fn a_plan_is_kept_shown_and_carried_out_exactly() {
    let site = Environment::locked();
    assert_snapshot!(site.run("h1", "target set --default rads://h2 rads://h3"), @"[done]");
    let file = site.at("night.json");
    let file = file.display();
    assert_snapshot!(site.run("h1", &format!("evacuate -n --plan {file}")), @r"
    sysadm: preparing zones for evacuation ... 3/3
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    evac1            kvm    live   rads://h2        4G     +TIME   ~4.0s  ~50ms
    evac2            kvm    live   rads://h3        4G     +TIME   ~4.0s  ~50ms
    evac3            kvm    live   rads://h2        4G     +TIME   ~4.0s  ~50ms
    sysadm: dry-run succeeded
    [done]
    ");
    assert_snapshot!(site.run("h1", &format!("plan show {file}")), @r"
    START   ZONENAME         ACTION   FROM             TO               TIME    DOWNTIME RATE
    +TIME   evac1            live     h1               rads://h2        ~4.0s   ~50ms    1G/s
    +TIME   evac2            live     h1               rads://h3        ~4.0s   ~50ms    1G/s
    +TIME   evac3            live     h1               rads://h2        ~4.0s   ~50ms    1G/s
    sysadm: 3 move(s) to 2 host(s), policy spread: estimated duration TIME (at most TIME; theoretical minimum TIME)
    [done]
    ");
    assert_snapshot!(site.run("h1", &format!("plan show {file} --diff {file}")), @r"
    sysadm: 0 zone(s) differ; estimated duration TIME, then TIME
    [done]
    ");
    assert_snapshot!(site.run("h1", &format!("plan simulate {file}")), @r"
    ZONENAME         TO               PLANNED  SIMULATED
    evac1            rads://h2        TIME     TIME
    evac2            rads://h3        TIME     TIME
    evac3            rads://h2        TIME     TIME

    HOST             OUT   IN
    h1               100%  0%
    rads://h2        0%    67%
    rads://h3        0%    33%
    sysadm: simulated duration TIME (planned TIME); downtime TIME at most for one zone, TIME in total
    [done]
    ");
    assert_snapshot!(site.run("h1", &format!("evacuate --plan {file} evac1")), @r"
    ------- stderr -------
    sysadm: --plan: what is done with which zone was decided when the plan was made
    [exit status 2]
    ");
    assert_snapshot!(site.run("h1", &format!("evacuate -v --plan {file}")), @r"
    sysadm: preparing 3 zone(s) for evacuation ...
    sysadm: initializing migration of evac1 to h2 ...
    sysadm: initializing migration of evac2 to h3 ...
    sysadm: initializing migration of evac3 to h2 ...
    sysadm: evacuating 3 zone(s) ...
    sysadm: migrating evac1 to h2 ...
    sysadm: migrating evac2 to h3 ...
    sysadm: migrating evac3 to h2 ...
    sysadm: evacuation completed successfully.
    sysadm: evac1: evacuated to rads://h2
    sysadm: evac2: evacuated to rads://h3
    sysadm: evac3: evacuated to rads://h2
    sysadm: finished in TIME (estimated TIME)
    [done]
    ");
}

#[test]
fn a_plan_that_no_longer_holds_is_refused_and_nothing_is_done() {
    let site = Environment::locked();
    let file = site.at("night.json");
    let shown = file.display();
    site.done("h1", &format!("evacuate -n --plan {shown}"));
    site.done("h1", "sim stop evac2");
    site.done("h2", "maintain -s -m disks");
    assert_snapshot!(site.run("h1", &format!("evacuate --plan {shown}")), @r"
    ------- stderr -------
    sysadm: the plan is out of date: evac2: it no longer runs; rads://h2: it is in maintenance now (admin since YYYY-MM-DD HH:MM by USER: disks)
    hint: make a new plan
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    sysadm: no active evacuation
    sysadm: in maintenance; 2 zone(s) still running here: evac1, evac3
    [done]
    ");
    let text = std::fs::read_to_string(&file).unwrap().replace("rads://h2", "rads://h3");
    std::fs::write(&file, text).unwrap();
    let printed = site.run("h1", &format!("evacuate --plan {shown}")).to_string();
    assert!(
        printed.contains("/SITE/night.json: it was changed after it was made: its hash is "),
        "{printed}"
    );
}

#[test]
fn several_hosts_are_emptied_by_one_plan_without_asking_any() {
    let site = Environment::new();
    let host = |name: &str| serde_json::json!({"name": name, "memory": 64 << 30, "memory_free": 8_u64 << 30, "bandwidth": 117_000_000});
    let zone = |name: &str, host: &str| {
        serde_json::json!({
            "name": name, "host": host, "running": true, "memory": 4_u64 << 30, "memory_used": 4_u64 << 30, "cpus": 1,
        })
    };
    let fleet = serde_json::json!({
        "hosts": [host("h1"), host("h2"), host("h3"), host("h4")],
        "zones": [zone("a", "h1"), zone("b", "h1"), zone("c", "h2"), zone("d", "h2"), zone("e", "h2")],
    });
    let file = site.at("site.json");
    std::fs::write(&file, fleet.to_string()).unwrap();
    let ask = |rest: &str| site.run("h1", &format!("plan --inventory {} {rest}", file.display()));
    assert_snapshot!(ask("--drain h1,h2"), @r"
    START   ZONENAME         ACTION   FROM             TO               TIME    DOWNTIME RATE
    +TIME   a                live     h1               h3               ~36.7s  ~50ms    111M/s
    +TIME   c                live     h2               h4               ~36.7s  ~50ms    111M/s
    +TIME   b                live     h1               h3               ~36.7s  ~50ms    111M/s
    +TIME   d                live     h2               h4               ~36.7s  ~50ms    111M/s
    sysadm: 4 move(s) to 2 host(s), policy spread: estimated duration 1m13s (at most 1m34s; theoretical minimum 1m13s); 1 zone(s) could not be placed
    ------- stderr -------
    sysadm: e stays on h2: h1: it is to be emptied itself
    sysadm: e stays on h2: h3: 4G of memory missing
    sysadm: e stays on h2: h4: 4G of memory missing
    [exit status 3]
    ");
    assert_snapshot!(ask("--drain h1 --to h4 --policy pack"), @r"
    START   ZONENAME         ACTION   FROM             TO               TIME    DOWNTIME RATE
    +TIME   a                live     h1               h4               ~36.7s  ~50ms    111M/s
    +TIME   b                live     h1               h4               ~36.7s  ~50ms    111M/s
    sysadm: 2 move(s) to 1 host(s), policy pack: estimated duration 1m13s (at most 1m34s; theoretical minimum 1m13s)
    [done]
    ");
    assert_snapshot!(ask("--drain h9"), @r"
    ------- stderr -------
    sysadm: no such host: h9
    [exit status 1]
    ");
    assert_snapshot!(ask("--drain h1 --to rack7"), @r"
    ------- stderr -------
    sysadm: no host, and no group with hosts: rack7
    [exit status 1]
    ");
    assert_snapshot!(site.run("h1", "plan"), @r"
    ------- stderr -------
    sysadm: the following required arguments were not provided:
      <--drain <HOST,...>|--return <HOST,...>>
    Usage: sysadm plan <--drain <HOST,...>|--return <HOST,...>>
    [exit status 2]
    ");
}

#[test]
fn a_target_that_cannot_be_reached_is_named_though_another_one_takes_the_zone() {
    let mut site = Environment::locked();
    site.done("h1", "target set evac1 rads://h3 rads://h2");
    site.stop_agent("h3");
    let printed = site.run("h1", "evacuate -n evac1").to_string();
    assert!(printed.contains("live   rads://h2"), "{printed}");
    assert!(printed.contains("sysadm: evac1: rads://h3: cannot connect to rads://h3: "), "{printed}");
    assert!(printed.contains("dry-run succeeded"), "{printed}");
}

#[test]
fn a_return_is_planned_kept_and_carried_out_too() {
    let site = Environment::locked();
    assert_snapshot!(site.run("h1", "evacuate -q"), @"[done]");
    assert_snapshot!(site.run("h1", "maintain -e"), @"[done]");
    let file = site.at("home.json");
    let file = file.display();
    assert_snapshot!(site.run_after_moves("h1", &format!("evacuate -rn --plan {file} evac1 evac3")), @r"
    sysadm: preparing zones for return ... 2/2
    ZONENAME BRAND METHOD DEST SIZE START TIME DOWNTIME
    evac1 kvm live rads://h2 4G +TIME ~TIME ~TIME
    evac3 kvm live rads://h2 4G +TIME ~TIME ~TIME
    sysadm: dry-run succeeded
    [done]
    ");
    assert_snapshot!(site.run_after_moves("h1", &format!("plan show {file}")), @r"
    START ZONENAME ACTION FROM TO TIME DOWNTIME RATE
    +TIME evac1 live rads://h2 h1 ~TIME ~TIME 1G/s
    +TIME evac3 live rads://h2 h1 ~TIME ~TIME 1G/s
    sysadm: 2 move(s) to 1 host(s), policy spread: estimated duration TIME (at most TIME; theoretical minimum TIME)
    [done]
    ");
    assert_snapshot!(site.run("h1", &format!("evacuate --plan {file}")), @r"
    ------- stderr -------
    sysadm: this host is not in maintenance
    hint: run 'sysadm maintain -s' first, so that no zone starts or arrives while others leave
    [exit status 4]
    ");
    assert_snapshot!(site.run("h1", &format!("evacuate -rv --plan {file}")), @r"
    sysadm: preparing 2 zone(s) for return...
    sysadm: initializing return of evac1
    sysadm: initializing return of evac3
    sysadm: returning 2 zone(s) ...
    sysadm: migrating evac1
    sysadm: migrating evac3
    sysadm: return completed successfully.
    sysadm: evac1: returned
    sysadm: evac3: returned
    sysadm: finished in TIME (estimated TIME)
    [done]
    ");
    // They are at home now.
    assert_snapshot!(site.run("h1", &format!("evacuate -r --plan {file}")), @r"
    ------- stderr -------
    sysadm: the plan is out of date: evac1: it is no longer on rads://h2 but on h1; evac3: it is no longer on rads://h2 but on h1
    hint: make a new plan
    [exit status 1]
    ");
}

/// Two full hosts, each with a zone of the other, and a third host.
const RING: &str = r#"{
  "hosts": [
    {"name": "h1", "memory": 8589934592, "memory_free": 1073741824, "bandwidth": 125000000},
    {"name": "h2", "memory": 8589934592, "memory_free": 1073741824, "bandwidth": 125000000},
    {"name": "h3", "memory": 8589934592, "memory_free": 8589934592, "bandwidth": 125000000}
  ],
  "zones": [
    {"name": "db", "host": "h1", "home": "h2", "running": true, "memory": 4294967296, "memory_used": 4294967296},
    {"name": "web", "host": "h2", "home": "h1", "running": true, "memory": 4294967296, "memory_used": 4294967296}
  ]
}"#;

#[test]
fn where_zones_wait_for_each_other_one_of_them_goes_home_through_a_third_host() {
    let site = Environment::new();
    let file = site.at("site.json");
    std::fs::write(&file, RING).unwrap();
    let plan = |more: &str| site.run("h1", &format!("plan --inventory {} --return {more}", file.display()));
    assert_snapshot!(plan("h1"), @r"
    START   ZONENAME         ACTION           FROM             TO               TIME    DOWNTIME RATE
    +TIME   web              live, first leg  h2               h3               ~34.3s  ~50ms    119M/s
    +TIME   db               live             h1               h2               ~34.3s  ~50ms    119M/s
    +1m08s  web              live, second leg h3               h1               ~34.3s  ~50ms    119M/s
    sysadm: 3 move(s) to 3 host(s), policy spread: estimated duration 1m43s (at most 2m06s; theoretical minimum 1m08s)
    [done]
    ");
    assert_snapshot!(plan("h1,h2"), @r"
    START   ZONENAME         ACTION           FROM             TO               TIME    DOWNTIME RATE
    +TIME   db               live, first leg  h1               h3               ~34.3s  ~50ms    119M/s
    +TIME   web              live             h2               h1               ~34.3s  ~50ms    119M/s
    +1m08s  db               live, second leg h3               h2               ~34.3s  ~50ms    119M/s
    sysadm: 3 move(s) to 3 host(s), policy spread: estimated duration 1m43s (at most 2m06s; theoretical minimum 1m08s)
    [done]
    ");
    std::fs::write(&file, RING.replace(r#""memory_free": 8589934592"#, r#""memory_free": 0"#)).unwrap();
    assert_snapshot!(plan("h1"), @r"
    sysadm: 0 move(s) to 0 host(s), policy spread: estimated duration TIME (at most TIME; theoretical minimum TIME); 2 zone(s) could not be placed
    ------- stderr -------
    sysadm: db stays on h1: h2: 3G of memory missing; it waits for web
    sysadm: web stays on h2: h1: 3G of memory missing; it waits for db
    [exit status 1]
    ");
    assert_snapshot!(plan("h4"), @r"
    ------- stderr -------
    sysadm: no such host: h4
    [exit status 1]
    ");
    assert_snapshot!(plan("h1 --drain h2"), @r"
    ------- stderr -------
    sysadm: the argument '--return <HOST,...>' cannot be used with '--drain <HOST,...>'
    Usage: sysadm plan --inventory <FILE> <--drain <HOST,...>|--return <HOST,...>>
    [exit status 2]
    ");
}
