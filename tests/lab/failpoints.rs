//! A live zone on real hosts, disturbed at certain points of its move (`sysadm::testing::failpoints`): a host
//! loses its power, the connection breaks, libvirtd is restarted. An observer that is independent of the tool
//! watches the hypervisors and the guest's own ticks.

use sysadm::testing::failpoints::{Actor, Failpoint};

use crate::harness::{Host, Lab, Observer, Running, wait_until};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    SourceKilled,
    DestinationKilled,
    LineCutFor5s,
    LineCutForGood,
    LibvirtdRestartedAtSource,
    LibvirtdRestartedAtDestination,
}

impl Blow {
    const ALL: [Self; 6] = [
        Self::SourceKilled,
        Self::DestinationKilled,
        Self::LineCutFor5s,
        Self::LineCutForGood,
        Self::LibvirtdRestartedAtSource,
        Self::LibvirtdRestartedAtDestination,
    ];
}

/// Makes the move wait at that failpoint, until the returned function is called.
pub fn order_to_wait(host: Host<'_>, point: Failpoint) -> impl Fn() {
    let folder = host.path("var/lib/sysadm");
    host.order(&format!("{point} wait"));
    move || {
        let _ = std::fs::remove_file(folder.join("failpoint.hit"));
    }
}

/// Waits until it waits there.
pub fn wait_until_reached(host: Host<'_>, point: Failpoint) {
    let reached = host.path("var/lib/sysadm/failpoint.hit");
    wait_until(60, &format!("{point} is reached"), || reached.exists());
}

fn strike(point: &str, blow: Blow) {
    let point: Failpoint = point.parse().unwrap();
    let lab = Lab::with_default_target(&["h1", "h2"], "ssh://root@h2");
    let [h1, h2] = ["h1", "h2"].map(|name| lab.host(name));
    h1.configure("[connect]\ntimeout = 3\nkeepalive = 1\n");
    h1.run_kvm(&["web"], &[]);
    h1.maintain();
    let acts = if point.actor == Actor::Destination { h2 } else { h1 };
    let go_on = order_to_wait(acts, point);
    let observer = Observer::start(&lab, &["web"]);
    let run = h1.start_sysadm(&["evacuate"]);
    wait_until_reached(acts, point);
    fall(blow, h1, h2, &go_on, run);

    // Whatever the outcome: the next command settles it, once both hosts answer and are done.
    let what = format!("{point} {blow:?}");
    let resume = || h1.sysadm(&["evacuate", "--resume"]).code;
    wait_until(90, &format!("{what} is settled"), || matches!(resume(), 0 | 3));
    let places = || [h1.guests(), h2.guests()];
    wait_until(90, &format!("{what}: one host has it"), || places().iter().any(String::is_empty));
    let found = places().concat();
    match blow {
        Blow::SourceKilled | Blow::DestinationKilled => {
            assert!(found.starts_with("web "), "{what}: {found:?}")
        }
        _ => assert_eq!(found, "web running", "{what}"),
    }
    // A zone that lost its memory with its host is reported as down until it runs again.
    let ended = h1.sysadm(&["evacuate", "-a"]);
    match found.as_str() {
        "web running" => drop(ended.ends(0)),
        _ if ended.code == 3 => drop(ended.complains(&["web: down: "])),
        _ => drop(ended.ends(0)),
    }
    assert!(h1.guests().is_empty() && h2.guests().starts_with("web "), "{what}: {}", lab.location());
    // A move that succeeded all the same reports the zone's downtime. (While it waits at a failpoint where the
    // zone has just ended, the downtime is not measured.)
    if blow == Blow::LineCutFor5s && point.to_string() != "source.after.transfer" {
        observer.finds_nothing_wrong_or_unreported();
    } else {
        observer.finds_nothing_wrong();
    }
}

/// Disturbs the move, lets it continue, and waits for the end of the run; then everything works again.
fn fall(blow: Blow, h1: Host<'_>, h2: Host<'_>, go_on: &dyn Fn(), run: Running) {
    match blow {
        Blow::SourceKilled => {
            h1.kill();
            go_on();
            run.wait(10).ends(-1);
            h1.boot();
            return;
        }
        Blow::DestinationKilled => h2.kill(),
        Blow::LineCutFor5s => {
            h2.cut();
            std::thread::sleep(std::time::Duration::from_secs(5));
            h2.mend();
        }
        Blow::LineCutForGood => h2.cut(),
        Blow::LibvirtdRestartedAtSource => h1.libvirtd("restart"),
        Blow::LibvirtdRestartedAtDestination => h2.libvirtd("restart"),
    }
    go_on();
    let ended = run.wait(200);
    assert!(matches!(ended.code, 0 | 1 | 3 | 5), "{ended:?}");
    match blow {
        Blow::DestinationKilled => h2.boot(),
        Blow::LineCutForGood => h2.mend(),
        _ => {}
    }
}

/// Blows that end quickly. While a zone is stopped, an answer is awaited for two minutes: one failpoint with that
/// is enough.
const SHORT: [Blow; 4] = [
    Blow::SourceKilled,
    Blow::LineCutFor5s,
    Blow::LibvirtdRestartedAtSource,
    Blow::LibvirtdRestartedAtDestination,
];

macro_rules! struck_at {
    ($($test:ident: $point:literal, $blows:expr;)+) => {
        $(#[test]
        fn $test() {
            for blow in $blows {
                strike($point, blow);
            }
        })+
    };
}

struck_at! {
    struck_when_its_arrival_is_prepared_a_zone_is_whole_in_one_place: "destination.after.prepare", Blow::ALL;
    struck_before_its_memory_goes_a_zone_is_whole_in_one_place: "source.before.transfer", Blow::ALL;
    struck_when_it_has_ended_at_its_source_a_zone_is_whole_in_one_place: "source.after.transfer", Blow::ALL;
    struck_before_it_is_let_run_a_zone_is_whole_in_one_place: "destination.before.switch", SHORT;
    struck_when_it_has_just_been_let_run_a_zone_is_whole_in_one_place: "destination.after.switch", SHORT;
    struck_while_things_are_put_in_order_a_zone_is_whole_in_one_place: "source.after.settle", SHORT;
}
