//! `sysadm zone migrate` of a zone that is not here or must not leave, or that fails.

use insta::assert_snapshot;
use sysadm::testing::platform::Platform;
use sysadm::testing::platform::sim::{Effect, Fault, Operation};
use sysadm_model::BlockerKind;

use crate::environment::Environment;

#[test]
fn a_zone_that_is_not_here_is_said_to_be_where_it_is() {
    let mut site = Environment::story();
    site.run_zone("h1", "gone", |_| {});
    site.done("h1", "maintain -s");
    site.done("h1", "evacuate -q gone");
    site.done("h1", "zone detach evac4");
    for command in ["zone migrate", "zone migrate -n"] {
        let told =
            ["gone", "evac4", "nobody"].map(|zone| site.run("h1", &format!("{command} {zone} rads://h3")));
        assert!(told.iter().all(|printed| printed.status == Some(1)));
        let told = told.map(|printed| printed.stderr);
        assert_eq!(
            told.each_ref().map(|text| text.trim_end()),
            [
                "sysadm: zone 'gone' is away at rads://h2\nhint: bring it back: sysadm evacuate -r gone\nhint: if it exists nowhere else, 'sysadm evacuate --forget gone' makes it configured here",
                "sysadm: zone 'evac4' is configured, and not attached\nhint: attach it first: sysadm zone attach evac4",
                "sysadm: no such zone: nobody",
            ]
        );
    }
    // A zone whose move was interrupted: the hosts are asked first.
    site.set_faults("h2", &[Fault::always(Effect::Fail { at: Operation::Resume, reason: "no".into() })]);
    assert_eq!(site.run("h1", "zone migrate -q evac1 rads://h2").status, Some(5));
    site.stop_agent("h2");
    assert_eq!(site.run("h1", "zone migrate -q evac1 rads://h3").status, Some(5));
}

#[test]
fn a_zone_does_not_migrate_whose_namesake_is_configured() {
    let site = Environment::story();
    site.done("h1", "zone detach evac4");
    site.make_zone("h1", "evac4", |_| {});
    for line in ["zone migrate -n evac4 rads://h2", "zone migrate evac4 rads://h2"] {
        let printed = site.run("h1", line);
        assert_eq!(printed.status, Some(1), "{printed}");
        let said = &printed.stderr;
        assert!(said.contains("zone 'evac4': another zone of this name is configured here ("), "{said}");
        assert!(said.contains(")\nhint: delete that one first: sysadm zone delete evac4\n"), "{said}");
        assert_eq!(site.location("evac4"), "h1 installed");
    }
    site.done("h1", "zone delete -F evac4");
    site.done("h1", "zone migrate -q evac4 rads://h2");
    assert_eq!(site.location("evac4"), "h2 installed");
}

#[test]
fn a_configuration_that_was_replaced_in_vain_can_be_put_back() {
    let site = Environment::story();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let manifest = site.sim("h1").manifest(&"evac4".parse().unwrap()).await.unwrap();
        site.sim("h3").define(&manifest).await.unwrap();
    });
    let no = Effect::Fail { at: Operation::Undefine, reason: "no".into() };
    site.set_faults("h1", &[Fault::always(no)]);
    assert_snapshot!(site.run("h1", "zone migrate -qw evac4 rads://h3"), @r"
    ------- stderr -------
    sysadm: zone 'evac4': h1: no; the configuration that h3 had of it is kept there as configured
    hint: to put that back, on h3: sysadm zone attach evac4
    [exit status 1]
    ");
    assert_eq!(site.location("evac4"), "h1 installed");
    site.done("h3", "zone attach evac4");
    assert_eq!(site.location("evac4"), "h1 installed, h3 installed");
}

#[test]
fn a_migration_that_was_killed_does_not_hide_what_an_evacuation_has_left() {
    let site = Environment::locked();
    let refusal = Effect::Refuse { kind: BlockerKind::Software, reason: "libfoo 1.2 is missing".to_owned() };
    site.set_faults("h2", &[Fault::always(refusal)]);
    assert_eq!(site.run("h1", "evacuate evac1 evac2").status, Some(1));
    site.set_faults("h1", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let mut run = site.start("h1", "zone migrate evac1 rads://h3");
    site.wait_until(|| site.run("h1", "evacuate -l -o step").stdout.contains("transfer"));
    run.kill().unwrap();
    run.wait().unwrap();
    assert_snapshot!(site.run("h1", "evacuate -l -o zonename,state,dest"), @r"
    ZONENAME         STATE     DEST
    evac1            UNKNOWN   rads://h3
    evac2            FAILED    rads://h2
    sysadm: in maintenance; 3 zone(s) still running here: evac1, evac2, evac3
    ------- stderr -------
    hint: run 'sysadm evacuate --resume', which asks both hosts, and completes the move or rolls it back
    [done]
    ");
    site.done("h1", "evacuate --resume");
    assert_snapshot!(site.run("h1", "evacuate -l -o zonename,state,dest"), @r"
    ZONENAME         STATE     DEST
    evac1            FAILED    rads://h2
    evac2            FAILED    rads://h2
    sysadm: in maintenance; 3 zone(s) still running here: evac1, evac2, evac3
    [done]
    ");
}
