//! `sysadm zone standby`: replicas at other hosts.

use std::process::Stdio;

use insta::assert_snapshot;

use crate::environment::Environment;

/// The replicas of h1's zones at h2, without times.
fn kept(site: &Environment) -> String {
    site.run("h2", "zone standby -l -p -o ZONENAME,ORIGIN,ATTACHED,OTHERS").stdout
}

#[test]
fn every_target_of_a_zone_gets_its_manifest() {
    let site = Environment::story();
    site.done("h1", "target set evac2 rads://h2 rads://h3");
    assert_snapshot!(site.run("h1", "zone standby"), @r"
    sysadm: copied the manifests of 5 zone(s) to 2 host(s)
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
    sysadm: no manifests of other hosts are kept here
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
    sysadm: copied the manifests of 1 zone(s) to 1 host(s)
    ------- stderr -------
    sysadm: evac1: manifest not copied to rads://h2: cannot connect to rads://h2: connection refused
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    [exit status 3]
    ");
    assert_snapshot!(site.run("h1", "zone standby evac1"), @r"
    sysadm: copied the manifests of 0 zone(s) to 0 host(s)
    ------- stderr -------
    sysadm: evac1: manifest not copied to rads://h2: cannot connect to rads://h2: connection refused
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    [exit status 1]
    ");
    site.done("h1", "target unset --default");
    assert_snapshot!(site.run("h1", "zone standby evac1 evac2"), @r"
    sysadm: copied the manifests of 1 zone(s) to 1 host(s)
    ------- stderr -------
    sysadm: evac1: manifest not copied: no target is set
    hint: set one: sysadm target set evac1 URI
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

/// h1 has left its manifests with h2, and is lost.
fn lost() -> Environment {
    let mut site = Environment::story();
    site.done("h1", "zone standby -q");
    site.stop_agent("h1");
    site
}

#[test]
fn a_zone_is_attached_elsewhere_only_if_its_host_is_stated_to_be_down() {
    let mut site = Environment::story();
    site.done("h1", "zone standby -q");
    assert_snapshot!(site.run("h2", "zone attach --standby evac4 --origin-is-down"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': h1 is up, and has or knows the zone
    hint: move it from h1, with 'sysadm evacuate' or 'sysadm zone migrate'
    [exit status 1]
    ");
    site.stop_agent("h1");
    assert_snapshot!(site.run("h2", "zone attach --standby evac4"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': h1 does not answer, but may still be running it: cannot connect to rads://h1: connection refused
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    hint: fence h1 (power it off, and keep it off), then use --origin-is-down
    [exit status 1]
    ");
    assert_eq!(site.location("evac4"), "h1 installed");
    assert_snapshot!(site.run("h2", "zone attach --standby evac4 --origin-is-down"), @r"
    sysadm: zone 'evac4' of h1 is attached here; it is not booted
    [done]
    ");
    assert_eq!(site.location("evac4"), "h1 installed, h2 installed");
    assert_snapshot!(site.run("h2", "zone attach --standby evac4 --origin-is-down"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': a zone of this name is installed on this host
    [exit status 1]
    ");
    assert_snapshot!(kept(&site).replace(char::is_numeric, "N"), @r"
    evacN:hN::
    evacN:hN::
    evacN:hN::
    evacN:hN:NNNN-NN-NN NN\:NN by USER:
    tzoneN:hN::
    ");
    assert_snapshot!(site.run("h2", "zone attach --standby nope --origin-is-down"), @r"
    ------- stderr -------
    sysadm: zone 'nope': no other host has copied its manifest to this host
    hint: 'sysadm zone standby -l' lists the manifests on this host
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone attach --origin-is-down evac4"), @r"
    ------- stderr -------
    sysadm: the following required arguments were not provided:
      --standby
    Usage: sysadm zone attach [OPTIONS] ZONE
           sysadm zone attach -n PATH [-u] [--json]
    [exit status 2]
    ");
}

#[test]
fn another_target_that_cannot_be_asked_may_have_the_zone() {
    let mut site = Environment::story();
    site.done("h1", "target set evac4 rads://h2 rads://h3");
    site.done("h1", "zone standby -q");
    for host in ["h1", "h3"] {
        site.stop_agent(host);
    }
    assert_snapshot!(site.run("h2", "zone attach --standby evac4 --origin-is-down"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': rads://h3 was a target of it and may have it: cannot connect to rads://h3: connection refused
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    hint: if you know that the zone is not there, use --not-on h3
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone attach --standby evac4 --origin-is-down --not-on h3"), @r"
    sysadm: zone 'evac4' of h1 is attached here; it is not booted
    [done]
    ");
}

#[test]
fn a_host_that_is_back_hears_of_its_zones_that_were_attached_elsewhere() {
    let site = lost();
    for zone in ["evac1", "evac4"] {
        site.done("h2", &format!("zone attach --standby {zone} --origin-is-down"));
    }
    // h1 was not fenced: evac1 was running there all the time.
    let told = site.run("h1", "zone standby");
    assert_snapshot!(told, @r"
    sysadm: copied the manifests of 3 zone(s) to 1 host(s)
    ------- stderr -------
    sysadm: evac1: attached on rads://h2 by USER while this host did not answer, and it is running here: if it is running there, too, both write to the same disks
    hint: stop evac1 on one of the two hosts NOW
    sysadm: evac4: attached on rads://h2 by USER while this host did not answer; it is recorded as away now
    hint: 'sysadm evacuate -r' brings it back
    [exit status 5]
    ");
    assert_eq!(site.location("evac4"), "h2 installed");
    assert_snapshot!(site.run("h1", "evacuate -l -p -o ZONENAME,STATE,DEST"), @r"
    evac4:EVACUATED:rads\://h2
    [done]
    ");
    site.done("h1", "evacuate -ra evac4");
    assert_eq!(site.location("evac4"), "h1 installed");
    // What was reported is not reported again, and a replica of evac4 is left again.
    site.done("h2", "zone list -i");
    assert_eq!(site.run("h1", "zone standby -q").status, Some(5));
    assert_snapshot!(kept(&site).replace(char::is_numeric, "N"), @r"
    evacN:hN:NNNN-NN-NN NN\:NN by USER:
    evacN:hN::
    evacN:hN::
    evacN:hN::
    tzoneN:hN::
    ");
}

#[test]
fn what_is_not_true_any_more_is_withdrawn_also_from_one_that_is_no_target_any_more() {
    let mut site = Environment::story();
    site.done("h1", "zone standby -q");
    site.done("h1", "target set evac1 rads://h3");
    site.done("h1", "zone detach evac4");
    assert!(!kept(&site).contains("evac4"), "it may go anywhere now");
    site.done("h1", "zone migrate evac3 rads://h3");
    assert!(!kept(&site).contains("evac3"), "it is not here any more");
    site.stop_agent("h2");
    site.done("h1", "target set --default rads://h3");
    assert_snapshot!(site.run("h1", "zone standby"), @r"
    sysadm: copied the manifests of 3 zone(s) to 1 host(s)
    ------- stderr -------
    sysadm: rads://h2 still has outdated manifests of evac1, evac2, tzone1: cannot connect to rads://h2: connection refused
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    hint: the next 'sysadm zone standby' removes them
    [done]
    ");
    site.start_agents(&["h2"]);
    assert_snapshot!(site.run("h1", "zone standby"), @r"
    sysadm: copied the manifests of 3 zone(s) to 1 host(s)
    [done]
    ");
    assert_snapshot!(kept(&site), @"");
}

#[test]
fn a_host_that_was_set_up_anew_takes_away_nothing_of_what_it_had_left() {
    let mut site = lost();
    let database = site.paths("h1").database();
    std::fs::remove_file(&database).unwrap();
    // Its agent was killed, and has left these behind.
    ["db-wal", "db-shm"].iter().for_each(|end| std::fs::remove_file(database.with_extension(end)).unwrap());
    let disk = site.at("nfs/evac4-vda.img");
    let data = std::fs::read(&disk).unwrap();
    site.sim("h1").remove(&"evac4".parse().unwrap()).unwrap();
    std::fs::write(disk, data).unwrap();
    site.start_agents(&["h1"]);
    site.done("h1", "target set --default rads://h2");
    site.done("h1", "zone standby");
    assert!(kept(&site).contains("evac4:h1"), "{}", kept(&site));
    assert_snapshot!(site.run("h2", "zone attach --standby evac4"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': h1 is up, and does not know the zone
    hint: if h1 was installed anew, use --not-on h1
    [exit status 1]
    ");
    assert_snapshot!(site.run("h2", "zone attach --standby evac4 --not-on h1"), @r"
    sysadm: zone 'evac4' of h1 is attached here; it is not booted
    [done]
    ");
}

#[test]
fn a_host_that_is_back_hears_of_a_zone_that_has_gone_on_from_its_rescuer() {
    for go_on in ["zone migrate evac4 rads://h3", "zone detach evac4", "evacuate -qa evac4"] {
        let mut site = lost();
        site.done("h2", "zone attach --standby evac4 --origin-is-down");
        site.done("h2", "target set --default rads://h3");
        if go_on.starts_with("evacuate") {
            site.done("h2", "maintain -s");
        }
        site.done("h2", go_on);
        site.start_agents(&["h1"]);
        let told = site.run("h1", "zone standby");
        assert!(told.stderr.contains("evac4: attached on rads://h2"), "{go_on}: {told}");
        assert!(!site.location("evac4").contains("h1"), "{go_on}");
        if go_on.contains("migrate") {
            // It is reported once: when the zone is home again no host claims it.
            site.done("h1", "evacuate -ra evac4");
            assert_eq!(site.location("evac4"), "h1 installed");
            site.done("h1", "zone standby");
            assert_eq!(site.location("evac4"), "h1 installed");
        }
    }
}

#[test]
fn a_zone_that_has_gone_on_from_another_target_is_asked_for_there() {
    let mut site = Environment::story();
    site.done("h1", "target set evac4 rads://h2 rads://h3");
    site.done("h1", "zone standby -q");
    site.stop_agent("h1");
    site.done("h3", "zone attach --standby evac4 --origin-is-down");
    site.done("h3", "zone migrate evac4 rads://h2");
    site.done("h2", "zone detach evac4");
    site.done("h2", "zone delete -F evac4");
    site.stop_agent("h3");
    assert_snapshot!(site.run("h2", "zone attach --standby evac4 --origin-is-down"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': rads://h3 was a target of it and may have it: cannot connect to rads://h3: connection refused
    hint: check that 'sysadm agent --listen' is running there, on port PORT
    hint: if you know that the zone is not there, use --not-on h3
    [exit status 1]
    ");
    site.start_agents(&["h3"]);
    // h3 has passed it on to this host.
    site.done("h2", "zone attach --standby evac4 --origin-is-down");
    assert_eq!(site.location("evac4"), "h1 installed, h2 installed");
}

#[test]
fn of_two_targets_that_attach_a_lost_zone_at_once_one_at_most_gets_it() {
    for _ in 0..5 {
        let mut site = Environment::story();
        site.done("h1", "target set evac4 rads://h2 rads://h3");
        site.done("h1", "zone standby -q");
        site.stop_agent("h1");
        let both =
            ["h2", "h3"].map(|host| site.start_command(host, "zone attach --standby evac4 --origin-is-down"));
        let done = both.map(|mut child| usize::from(child.wait().unwrap().success()));
        let there = ["h2", "h3"].iter().filter(|host| site.location("evac4").contains(**host)).count();
        assert!(there < 2 && done.iter().sum::<usize>() == there, "{}", site.location("evac4"));
    }
}

#[test]
fn a_rescue_that_was_killed_is_repeated() {
    let site = lost();
    std::fs::write(site.paths("h2").state_dir().join("failpoint"), "destination.before.attach kill\n")
        .unwrap();
    let take = "zone attach --standby evac4 --origin-is-down";
    assert_eq!(site.run("h2", take).status, None);
    assert_eq!(site.location("evac4"), "h1 installed");
    site.done("h2", take);
    assert_eq!(site.location("evac4"), "h1 installed, h2 installed");
}

#[test]
fn what_is_stated_is_in_the_system_log_before_anything_comes_of_it() {
    let site = lost();
    std::fs::create_dir(site.at("h2/dev")).unwrap();
    let log = std::os::unix::net::UnixDatagram::bind(site.at("h2/dev/log")).unwrap();
    log.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    site.set_host("h2", |host| host.bridges = vec![]);
    assert_snapshot!(site.run("h2", "zone attach --standby evac4 --origin-is-down -F --not-on h9"), @r"
    sysadm: zone 'evac4' of h1 is attached here, validation skipped (-F); it is not booted
    [done]
    ");
    let said = || {
        let mut bytes = [0; 1000];
        let length = log.recv(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        crate::output::redact(text.split_once("]: ").unwrap().1, "/nowhere")
    };
    assert_snapshot!(said(), @"zone 'evac4' of h1 is being attached by USER, who states that h1 is down and that it is not on h9, validation skipped (-F)");
    assert_snapshot!(said(), @"zone 'evac4' of h1 attached by USER");
}

#[test]
fn a_zone_that_was_detached_at_its_location_is_said_to_be_there() {
    let site = Environment::story();
    site.done("h1", "maintain -s");
    site.done("h1", "evacuate -qa evac4");
    site.done("h1", "maintain -e");
    site.done("h2", "zone detach evac4");
    assert_snapshot!(site.run("h1", "evacuate -ra evac4"), @r"
    sysadm: preparing zones for return ... 1/1
    ------- stderr -------
    sysadm: return not complete: 0 of 1 zone(s) moved, 1 failed.
    sysadm: evac4: failed: detached on h2
    hint: attach it on h2: sysadm zone attach evac4
    hint: if it exists nowhere else, 'sysadm evacuate --forget evac4' makes it configured here
    [exit status 1]
    ");
    site.done("h2", "zone attach evac4");
    site.done("h1", "evacuate -ra evac4");
    assert_eq!(site.location("evac4"), "h1 installed");
}

#[test]
fn what_was_left_of_a_zone_that_is_nowhere_any_more_is_kept_until_it_is_deleted() {
    let mut site = lost();
    site.done("h2", "zone attach --standby evac4 --origin-is-down");
    let disk = site.at("nfs/evac4-vda.img");
    let data = std::fs::read(&disk).unwrap();
    for host in ["h1", "h2"] {
        site.sim(host).remove(&"evac4".parse().unwrap()).unwrap();
        std::fs::write(&disk, &data).unwrap();
    }
    site.start_agents(&["h1"]);
    for _ in 0..2 {
        let told = site.run("h1", "zone standby");
        assert_eq!(told.status, Some(5), "{told}");
        let why = "that it is away could not be recorded: the zone is no longer configured here; its copy there stays until it is deleted there";
        assert!(told.stderr.contains(why), "{told}");
        assert!(kept(&site).contains("evac4"));
    }
    site.done("h2", "zone attach --standby evac4 --origin-is-down --not-on h1");
    assert_eq!(site.location("evac4"), "h2 installed");
    site.done("h2", "zone detach evac4");
    site.done("h2", "zone delete -F evac4");
    assert!(!kept(&site).contains("evac4"), "{}", kept(&site));
    site.done("h1", "zone standby -q");
}
