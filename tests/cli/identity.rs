//! A host is one host, whatever names it has.

use insta::assert_snapshot;

use crate::environment::Environment;

/// a and b of 20G run on h1; h2 has two names, and room for one of them.
fn two_names() -> Environment {
    let mut site = Environment::new();
    site.start_agents(&["h1", "h2", "h3"]);
    site.call_also("h2", "h2.example.org");
    site.set_host("h2", |host| host.memory = 32 << 30);
    for zone in ["a", "b"] {
        site.run_zone("h1", zone, |spec| spec.memory = 20 << 30);
    }
    site
}

#[test]
fn a_host_with_two_names_takes_what_one_host_takes() {
    let site = two_names();
    assert_snapshot!(site.run("h1", "target set --default rads://h2 rads://h2.example.org"), @r"
    ------- stderr -------
    sysadm: rads://h2.example.org is the same host as rads://h2
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -n"), @r"
    sysadm: preparing zones for evacuation ... 2/2
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    a                kvm    live   rads://h2        20G    +TIME   ~20.3s ~50ms
    b                kvm    -      rads://h2        -      -       -      -
    ------- stderr -------
    sysadm: rads://h2.example.org is the same host as rads://h2
    sysadm: b: rads://h2: 20G of memory needed, h2 has 12G free
    sysadm: b: waits for room: 8G more memory on h2
    sysadm: dry-run failed: 1 of 2 zone(s) cannot move now, 1 would wait for room
    [exit status 3]
    ");
    assert_snapshot!(site.run("h1", "host list"), @r"
    TARGET                   PLATFORM  FREE   CPUS STATE
    rads://h2                sim       32G    16   in service
    rads://h2.example.org    -         -      -    the same host as rads://h2
    [done]
    ");
    let inventory = site.run("h1", "host inventory");
    assert!(
        inventory.stdout.contains("the same host as rads://h2") && inventory.status == Some(0),
        "{inventory}"
    );
    let fleet = site.run("h1", "host inventory --json");
    assert_eq!(fleet.stdout.matches("\"max_vcpus\"").count(), 2, "{fleet}");
}

#[test]
fn whichever_name_comes_first_is_the_one_that_is_used() {
    let site = two_names();
    site.set_host("h2", |_| {});
    site.done("h1", "target set --default rads://h2.example.org rads://h2");
    site.done("h1", "maintain -s");
    let moved = site.run("h1", "evacuate");
    assert_eq!(moved.status, Some(0), "{moved}");
    let listed = site.run("h1", "evacuate -lp -o ZONENAME,DEST").stdout;
    assert_eq!(listed, "a:rads\\://h2.example.org\nb:rads\\://h2.example.org\n");
    // It comes home, whatever the host is called now.
    site.done("h1", "maintain -e");
    site.done("h1", "target set --default rads://h2");
    let planned = site.run("h1", "plan --return rads://h1");
    assert!(planned.stdout.contains("2 move(s) to 1 host(s)"), "{planned}");
    site.done("h1", "evacuate -ra");
    assert_eq!(site.location("a"), "h1 running");
}

#[test]
fn zones_that_are_kept_apart_do_not_meet_on_a_host_with_two_names() {
    let site = two_names();
    site.set_host("h2", |_| {});
    let policies = site.paths("h1").policies();
    std::fs::create_dir_all(&policies).unwrap();
    // The policy uses one name, the targets the other.
    let policy = "destinations = [\"rads://h2.example.org\"]\n[[zones]]\napart = \"both\"\n";
    std::fs::write(policies.join("apart.toml"), policy).unwrap();
    site.done("h1", "target set a rads://h2");
    site.done("h1", "maintain -s");
    let moved = site.run("h1", "evacuate --policy apart --retries 0");
    assert_eq!(moved.status, Some(3), "{moved}");
    assert!(moved.stderr.contains("of group both is there, too, or goes there"), "{moved}");
    let at_h2 = ["a", "b"].into_iter().filter(|zone| site.location(zone).starts_with("h2"));
    assert_eq!(at_h2.count(), 1, "{moved}");
}

#[test]
fn hosts_of_a_plan_are_counted_once() {
    let site = two_names();
    let plan = "plan --drain rads://h1 --to rads://h2,rads://h2.example.org";
    let planned = site.run("h3", plan);
    assert!(planned.stdout.contains("1 move(s) to 1 host(s)"), "{planned}");
    assert!(planned.stderr.contains("rads://h2.example.org is the same host as rads://h2"), "{planned}");
    let both = site.run("h3", "plan --drain rads://h2,rads://h2.example.org --to rads://h3");
    assert_eq!(both.status, Some(0), "{both}");
}

#[test]
fn this_host_is_no_target_under_any_name() {
    let mut site = Environment::new();
    site.start_agents(&["h1", "h2"]);
    site.call_also("h1", "alias1");
    site.run_zone("h1", "z1", |_| {});
    site.make_zone("h1", "c1", |_| {});
    assert_snapshot!(site.run("h1", "target set --default rads://alias1"), @r"
    ------- stderr -------
    sysadm: rads://alias1 is this host itself
    [exit status 1]
    ");
    // While it does not answer this is not known.
    site.stop_agent("h1");
    site.done("h1", "target set --default rads://alias1");
    site.start_agents(&["h1"]);
    assert_snapshot!(site.run("h1", "evacuate -na"), @r"
    sysadm: preparing zones for evacuation ... 2/2
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    c1               kvm    -      rads://alias1    -      -       -      -
    z1               kvm    -      rads://alias1    -      -       -      -
    ------- stderr -------
    sysadm: rads://alias1 is this host itself
    sysadm: c1: rads://alias1: this host itself
    sysadm: z1: rads://alias1: this host itself
    sysadm: dry-run failed: 2 of 2 zone(s) cannot move
    [exit status 1]
    ");
    site.done("h1", "maintain -s");
    for (line, status) in [
        ("evacuate -a", 1),
        ("evacuate -aw", 1),
        ("zone standby", 1),
        ("zone migrate z1 rads://alias1", 1),
        ("zone migrate -w c1 rads://alias1", 1),
        ("zone migrate -n c1 rads://alias1", 1),
        ("host check rads://alias1", 1),
        ("host list", 3),
        ("host inventory", 3),
    ] {
        let said = site.run("h1", line);
        let text = said.to_string();
        assert!(text.contains("this host itself") && !text.contains("-w of evacuate"), "{line}: {said}");
        assert_eq!(said.status, Some(status), "{line}: {said}");
    }
    assert_eq!((site.location("z1"), site.location("c1")), ("h1 running".into(), "h1 installed".into()));
    let left = site.run("h1", "zone standby -lp -o ZONENAME").stdout;
    assert!(left.trim().is_empty(), "{left}");
    // Another host asks it under either name.
    site.done("h1", "maintain -e");
    site.done("h2", "host check rads://alias1");
    site.done("h2", "target set --default rads://alias1");
}

#[test]
fn a_manifest_stays_where_it_is_when_its_host_goes_by_another_name() {
    let site = two_names();
    site.done("h1", "target set --default rads://h2");
    site.done("h1", "zone standby");
    site.done("h1", "target set --default rads://h2.example.org rads://h2 rads://h3");
    assert_snapshot!(site.run("h1", "zone standby"), @r"
    sysadm: copied the manifests of 2 zone(s) to 2 host(s)
    ------- stderr -------
    sysadm: rads://h2 is the same host as rads://h2.example.org
    [done]
    ");
    let kept = || site.run("h2", "zone standby -lp -o ZONENAME").stdout;
    assert_eq!(kept(), "a\nb\n");
    site.done("h1", "target set --default rads://h3");
    site.done("h1", "zone standby");
    assert_eq!(kept(), "", "it was left there by another name");
}

#[test]
fn a_copied_database_is_that_of_another_host() {
    let mut site = Environment::new();
    site.start_agents(&["h1"]);
    site.run_zone("h1", "z1", |_| {});
    site.stop_agent("h1");
    let database = |host: &str| site.paths(host).database();
    std::fs::copy(database("h1"), database("h2")).unwrap();
    site.start_agents(&["h1", "h2"]);
    site.done("h1", "target set --default rads://h2");
    site.done("h1", "zone migrate z1 rads://h2");
    assert_eq!(site.location("z1"), "h2 running");
}
