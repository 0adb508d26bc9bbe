//! `sysadm evacuate --action`.

use insta::assert_snapshot;
use sysadm::testing::platform::sim::{Effect, Fault, Operation};
use sysadm_model::Brand;

use crate::environment::Environment;

/// A host in maintenance with a running container.
fn with_container() -> Environment {
    let site = Environment::story();
    site.run_zone("h1", "ct", |spec| spec.brand = Brand::LXC);
    site.done("h1", "maintain -s");
    site
}

#[test]
fn a_container_that_runs_is_restarted_there_and_back() {
    let site = with_container();
    assert_snapshot!(site.run("h1", "evacuate -n --action restart ct"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    ZONENAME         BRAND  METHOD  DEST             SIZE   START   TIME   DOWNTIME
    ct               lxc    restart rads://h2        NNNB   +TIME   ~50.0s ~50.0s
    sysadm: dry-run succeeded
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -v --action restart ct"), @r"
    sysadm: preparing 1 zone(s) for evacuation ...
    sysadm: initializing migration of ct to h2 ...
    sysadm: evacuating 1 zone(s) ...
    sysadm: migrating ct to h2 ...
    sysadm: evacuation completed successfully.
    sysadm: ct: evacuated to rads://h2
    sysadm: finished in TIME (estimated TIME)
    [done]
    ");
    assert_eq!(site.location("ct"), "h2 running");
    assert_snapshot!(site.run("h1", "evacuate -l -p -o ZONENAME,STATE,DEST,METHOD"), @r"
    ct:EVACUATED:rads\://h2:restart
    [done]
    ");
    site.done("h1", "maintain -e");
    assert_snapshot!(site.run("h1", "evacuate -rv"), @r"
    sysadm: preparing 1 zone(s) for return...
    sysadm: initializing return of ct
    sysadm: returning 1 zone(s) ...
    sysadm: migrating ct
    sysadm: return completed successfully.
    sysadm: ct: returned
    sysadm: finished in TIME (estimated TIME)
    [done]
    ");
    assert_eq!(site.location("ct"), "h1 running");
}

#[test]
fn a_container_that_cannot_be_booted_there_is_booted_here_again() {
    let site = with_container();
    let effect = Effect::Fail { at: Operation::Boot, reason: "it has no room for it".to_owned() };
    site.set_faults("h2", &[Fault::always(effect)]);
    assert_snapshot!(site.run("h1", "evacuate --action restart ct"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    sysadm: evacuating zones ... 0/1
    ------- stderr -------
    sysadm: evacuation not complete: 0 of 1 zone(s) moved, 1 failed.
    sysadm: ct: failed: h2: it has no room for it; it was booted again on h1
    [exit status 1]
    ");
    assert_eq!(site.location("ct"), "h1 running");
}

#[test]
fn a_host_without_a_location_lets_its_zones_rest_in_order() {
    let site = with_container();
    assert_snapshot!(site.run("h1", "evacuate -v --action suspend evac2 evac1"), @r"
    sysadm: preparing 2 zone(s) for evacuation ...
    sysadm: evacuating 2 zone(s) ...
    sysadm: suspending evac2 ...
    sysadm: suspending evac1 ...
    sysadm: evacuation completed successfully.
    sysadm: evac1: suspended
    sysadm: evac2: suspended
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate --action stop"), @r"
    sysadm: preparing zones for evacuation ... 2/2
    sysadm: evacuating zones ... 2/2
    sysadm: evacuation completed successfully.
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -l"), @r"
    ZONENAME         STATE     DEST                                     ERROR
    ct               STOPPED   -                                        -
    evac1            SUSPENDED -                                        -
    evac2            SUSPENDED -                                        -
    evac3            STOPPED   -                                        -
    sysadm: in maintenance; no zone is running here, safe to reboot; 6 installed zone(s) left: ct, evac1, evac2, evac3, evac4, tzone1
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate evac1"), @r"
    sysadm: preparing zones for evacuation ... 1/1
    ------- stderr -------
    sysadm: evacuation not complete: 0 of 1 zone(s) moved, 1 skipped.
    sysadm: evac1: skipped: already stopped here; it is booted on return
    hint: if it is to stay down: sysadm evacuate --forget evac1
    [exit status 3]
    ");
    assert_eq!(site.location("evac1"), "h1 installed suspended");
    site.done("h1", "maintain -e");
    assert_snapshot!(site.run("h1", "evacuate -rn"), @r"
    sysadm: preparing zones for return ... 4/4
    ZONENAME         BRAND  METHOD DEST             SIZE   START   TIME   DOWNTIME
    evac3            kvm    boot   -                -      -       -      -
    ct               lxc    boot   -                -      -       -      -
    evac1            kvm    boot   -                -      -       -      -
    evac2            kvm    boot   -                -      -       -      -
    sysadm: dry-run succeeded
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -rv"), @r"
    sysadm: preparing 4 zone(s) for return...
    sysadm: returning 4 zone(s) ...
    sysadm: booting evac3 ...
    sysadm: booting ct ...
    sysadm: booting evac1 ...
    sysadm: booting evac2 ...
    sysadm: return completed successfully.
    sysadm: ct: returned
    sysadm: evac1: returned
    sysadm: evac2: returned
    sysadm: evac3: returned
    [done]
    ");
    assert_eq!(site.location("evac1"), "h1 running");
    assert_eq!(site.location("ct"), "h1 running");
}

#[test]
fn without_a_location_the_policy_says_in_which_order_zones_rest() {
    let site = with_container();
    let folder = site.paths("h1").policies();
    std::fs::create_dir_all(&folder).unwrap();
    let depends = "[[zones]]\nmatch = { name = \"evac1\" }\nafter = [\"*\"]\n\
                   [[zones]]\nmatch = { name = \"ct\" }\npriority = -1\n";
    let text = format!("{}{depends}", include_str!("../../policies/single-host.toml"));
    std::fs::write(folder.join("alone.toml"), text).unwrap();
    assert_snapshot!(site.run("h1", "evacuate -na --policy alone"), @r"
    sysadm: preparing zones for evacuation ... 4/4
    ZONENAME         BRAND  METHOD  DEST             SIZE   START   TIME   DOWNTIME
    evac2            kvm    suspend -                -      -       -      -
    evac3            kvm    suspend -                -      -       -      -
    ct               lxc    stop    -                -      -       -      -
    evac1            kvm    suspend -                -      -       -      -
    sysadm: dry-run succeeded
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -va --policy alone"), @r"
    sysadm: preparing 4 zone(s) for evacuation ...
    sysadm: evacuating 4 zone(s) ...
    sysadm: suspending evac2 ...
    sysadm: suspending evac3 ...
    sysadm: stopping ct ...
    sysadm: suspending evac1 ...
    sysadm: evacuation completed successfully.
    sysadm: ct: stopped
    sysadm: evac1: suspended
    sysadm: evac2: suspended
    sysadm: evac3: suspended
    [done]
    ");
    site.done("h1", "maintain -e");
    assert_snapshot!(site.run("h1", "evacuate -rv"), @r"
    sysadm: preparing 4 zone(s) for return...
    sysadm: returning 4 zone(s) ...
    sysadm: booting evac1 ...
    sysadm: booting ct ...
    sysadm: booting evac3 ...
    sysadm: booting evac2 ...
    sysadm: return completed successfully.
    sysadm: ct: returned
    sysadm: evac1: returned
    sysadm: evac2: returned
    sysadm: evac3: returned
    [done]
    ");
}

#[test]
fn what_is_typed_wins_over_the_policy() {
    let site = with_container();
    assert_snapshot!(site.run("h1", "evacuate -v --policy single-host --action live evac1"), @r"
    sysadm: preparing 1 zone(s) for evacuation ...
    sysadm: initializing migration of evac1 to h2 ...
    sysadm: evacuating 1 zone(s) ...
    sysadm: migrating evac1 to h2 ...
    sysadm: evacuation completed successfully.
    sysadm: evac1: evacuated to rads://h2
    sysadm: finished in TIME (estimated TIME)
    [done]
    ");
}

#[test]
fn a_zone_that_does_not_heed_and_one_that_its_owner_has_booted_are_said() {
    let site = with_container();
    let zone = Some("evac3".parse().unwrap());
    site.set_faults("h1", &[Fault { zone, ..Fault::always(Effect::IgnoreShutdown) }]);
    assert_snapshot!(site.run("h1", "evacuate --action stop evac1 evac2 evac3"), @r"
    sysadm: preparing zones for evacuation ... 3/3
    sysadm: evacuating zones ... 2/3
    ------- stderr -------
    sysadm: evacuation not complete: 0 of 3 zone(s) moved, 2 stopped, 1 failed.
    sysadm: evac3: failed: h1: zone 'evac3': did not shut down within 180 s; left running (it may still shut down later)
    [exit status 3]
    ");
    site.done("h1", "maintain -e");
    site.done("h1", "sim start evac1");
    assert_snapshot!(site.run("h1", "evacuate --forget evac2"), @r"
    sysadm: evac2: record discarded; it is stopped here, and will not be booted on return
    [done]
    ");
    assert_snapshot!(site.run("h1", "evacuate -r"), @r"
    sysadm: nothing to return
    ------- stderr -------
    sysadm: evac1: it was stopped here and has been booted by somebody else; it is left as it is
    [done]
    ");
    assert_eq!(site.location("evac2"), "h1 installed");
}

#[test]
fn what_cannot_be_done_with_a_zone_is_said() {
    let site = with_container();
    assert_snapshot!(site.run("h1", "evacuate --action suspend ct evac4"), @r"
    sysadm: preparing zones for evacuation ... 2/2
    ------- stderr -------
    sysadm: evacuation not complete: 0 of 2 zone(s) moved, 2 skipped.
    sysadm: ct: skipped: lxc zones cannot be suspended
    hint: use --action stop to shut it down
    sysadm: evac4: skipped: it is not running
    [exit status 3]
    ");
    assert_snapshot!(site.run("h1", "evacuate -r --action stop"), @r"
    ------- stderr -------
    sysadm: --action stop is for an evacuation, not for a return
    [exit status 2]
    ");
}
