//! Every procedure, generated from its table of steps: each step fails, each step is repeated, the journal is cut
//! after each of its entries, and everything that can happen to a host or a connection does; this host is the
//! source or the destination. Whatever happens, the zone is complete in one place, the records say where, and
//! nothing else is left.

use std::collections::BTreeSet;

use sysadm::evacuation::recover;
use sysadm::failpoints::{Actor, Failpoint, Timing};
use sysadm::migration::runner::{self, Acts};
use sysadm::migration::steps::{Procedure, Running, Side, StepSpec, Undo};
use sysadm::migration::{Attempt, InPlace, LEASE, Log, MoveError, Task};
use sysadm::model::{Aux, CheckRequest, Message, Method, Millis, PendingLoad, Progress, Step};
use sysadm::plan::Action;
use sysadm::platform::sim::{Effect, Fault};
use sysadm::store::{Direction, Place};

use super::crashes::{paused, run_until_crash};
use super::script::{Blow, HOSTS, Plan};
use super::world::{World, ends, name};

/// One way in which a procedure is carried out by a run of h1.
#[derive(Clone, Copy, Debug)]
struct Case {
    procedure: Procedure,
    direction: Direction,
    /// How a zone that stays was stopped, or is to be.
    action: Option<Action>,
}

const fn a_move(procedure: Procedure, direction: Direction) -> Case {
    Case { procedure, direction, action: None }
}

const fn in_place(procedure: Procedure, direction: Direction, action: Action) -> Case {
    Case { procedure, direction, action: Some(action) }
}

/// All of them. On return h1 is the destination.
const CASES: [Case; 13] = [
    a_move(Procedure::Live, Direction::Evacuate),
    a_move(Procedure::Live, Direction::Return),
    a_move(Procedure::Live, Direction::Migrate),
    a_move(Procedure::Cold, Direction::Evacuate),
    a_move(Procedure::Cold, Direction::Return),
    a_move(Procedure::Cold, Direction::Migrate),
    a_move(Procedure::Restart, Direction::Evacuate),
    a_move(Procedure::Restart, Direction::Return),
    a_move(Procedure::Restart, Direction::Migrate),
    in_place(Procedure::Stop, Direction::Evacuate, Action::Stop),
    in_place(Procedure::Suspend, Direction::Evacuate, Action::Suspend),
    in_place(Procedure::Boot, Direction::Return, Action::Stop),
    in_place(Procedure::Boot, Direction::Return, Action::Suspend),
];

impl Case {
    /// A zone of the method that this is for, on h1.
    fn world(self) -> World {
        let mut world = World::with(self.method());
        if self.action.is_some() {
            world.actions.default = self.action;
        }
        world
    }

    const fn method(self) -> Method {
        match self.procedure {
            Procedure::Cold => Method::Cold,
            Procedure::Restart => Method::Restart,
            _ => Method::Live,
        }
    }

    /// The source and the destination. A zone that stays is on h1.
    fn ends(self) -> (&'static str, &'static str) {
        if self.action.is_some() { ("h1", "h1") } else { ends(self.direction) }
    }

    /// The failpoints of a step.
    fn failpoints(self, spec: &StepSpec) -> Vec<Failpoint> {
        let side = |side: &Side| match side {
            // A zone that stays is booted by the same call as one that arrives.
            Side::Source if self.procedure != Procedure::Boot => Actor::Source,
            _ => Actor::Destination,
        };
        let actors = std::iter::once(Actor::Journal).chain(spec.acts_on.iter().map(side));
        let step = spec.step;
        let of = |actor| Timing::ALL.iter().map(move |&timing| Failpoint { actor, timing, step });
        actors.flat_map(of).collect()
    }

    /// Everything that may happen to it.
    fn blows(self) -> Vec<Blow> {
        match self.action {
            Some(_) => {
                vec![Blow::StepFails, Blow::RunKilled, Blow::SourceKilled, Blow::DaemonRestartedAtSource]
            }
            None => Blow::ALL.to_vec(),
        }
    }
}

/// The table is true: an undisturbed run hits exactly the failpoints of its steps, in their order, and the zone
/// runs where the table says.
#[test]
fn every_procedure_does_the_steps_of_its_table_and_its_zone_runs_where_the_table_says() {
    for case in CASES {
        let world = case.world();
        paused().block_on(async {
            world.make_ready_for(case.direction).await;
            world.script.begin(None);
            assert!(world.run(case.direction).await.unwrap().is_complete(), "{case:?}");
        });
        let hit = world.script.failpoints_hit();
        let wanted: BTreeSet<_> = case
            .procedure
            .steps()
            .iter()
            .flat_map(|spec| case.failpoints(spec))
            .map(|point| point.to_string())
            .collect();
        assert_eq!(hit.iter().map(Failpoint::to_string).collect::<BTreeSet<_>>(), wanted, "{case:?}");
        let intents: Vec<_> = hit
            .iter()
            .filter(|point| (point.actor, point.timing) == (Actor::Journal, Timing::Before))
            .map(|point| point.step)
            .collect();
        let steps: Vec<_> = case.procedure.steps().iter().map(|spec| spec.step).collect();
        assert_eq!(intents, steps, "{case:?}");
        let (source, destination) = case.ends();
        for (point, hosts) in world.script.running_at() {
            let is_before = (point.actor, point.timing) == (Actor::Journal, Timing::Before);
            let spec = case.procedure.steps().iter().find(|spec| spec.step == point.step).unwrap();
            let expected = match spec.running_during {
                Running::Source => vec![source],
                Running::Destination => vec![destination],
                Running::Held | Running::Nowhere => vec![],
            };
            assert!(!is_before || hosts == expected, "{case:?} {point}: it runs at {hosts:?}");
        }
    }
}

/// The host that has the zone, and whether it runs there. No other host may have it.
pub async fn only_home(world: &World, context: &str) -> (&'static str, bool) {
    let mut homes = Vec::new();
    for host in HOSTS {
        if let Some(zone) = world.seen(host, "web").await {
            homes.push((host, zone.is_running() && zone.aux.is_none()));
        }
    }
    assert_eq!(homes.len(), 1, "{context}: it is at {homes:?}; events {:?}", world.events.all());
    homes[0]
}

/// After a zone was stopped or booted in place: record and zone agree, and the zone can be made to run again.
pub async fn comes_back(world: &World, context: &str) {
    assert_eq!(recover::settle_interrupted(&world.engine()).await.unwrap(), [], "{context}");
    let rests = world.store("h1").stopped().unwrap();
    let zone = world.seen("h1", "web").await.unwrap();
    assert!(rests.iter().all(|rest| !rest.place.is_interim()), "{context}: {rests:?}");
    assert_eq!(rests.is_empty(), zone.is_running(), "{context}: {rests:?} {zone:?}");
    let saved = zone.aux == Some(Aux::Suspended);
    assert!(!saved || rests.iter().any(|rest| rest.place == Place::Suspended), "{context}: {rests:?}");
    world.unlock("h1");
    let outcome = world.run(Direction::Return).await.unwrap();
    let zone = world.seen("h1", "web").await.unwrap();
    assert!(outcome.is_complete() && zone.is_running(), "{context}: {outcome:?}");
    assert_eq!(world.script.wrong(), [] as [String; 0], "{context}");
}

/// No mark of a probe is left anywhere, and no room is kept for a zone that does not come. A host that could not be told
/// that all is over is told by its clock and by the end of its agent: a reservation of a zone that has arrived ends with its
/// lease, and a mark that a location has left goes with the agent.
fn nothing_is_left(world: World, case: Case, point: Failpoint, blow: Blow, context: &str) {
    let is_cut = matches!(
        blow,
        Blow::LineCutFor5s | Blow::LineCutForGood | Blow::SourceKilled | Blow::DestinationKilled
    );
    let was_probing =
        case.ends().0 != "h1" && (point.actor, point.step) == (Actor::Destination, Step::Reserve);
    assert!(world.marks().is_empty() || (is_cut && was_probing), "{context}: {:?}", world.marks());
    for host in HOSTS {
        let kept = world.store(host).reservations(Millis::now()).unwrap();
        let was_told_last = host == case.ends().1 && point.step == Step::Settle;
        assert!(kept.is_empty() || was_told_last, "{context}: {host} keeps {kept:?}");
        let end = Millis::now().after(LEASE);
        assert_eq!(world.store(host).reservations(end).unwrap(), [], "{context}: {host} keeps room for ever");
    }
    let world = world.after_power_loss();
    assert_eq!(world.marks(), [] as [String; 0], "{context}");
}

/// After a move: what is open is settled, the zone is complete in one place, and the next run brings it where it
/// was to go.
async fn is_whole(world: &World, case: Case, victim: Option<&str>, context: &str) {
    let (source, destination) = case.ends();
    let direction = case.direction;
    let open = recover::settle_interrupted(&world.engine()).await.unwrap();
    assert!(open.is_empty(), "{context}: still open: {open:?} {:?}", world.events.all());
    let (home, runs) = only_home(world, context).await;
    match world.away("web") {
        None if direction == Direction::Migrate => {
            let gone = (home == destination).then(|| "rads://h2".to_owned());
            assert_eq!(world.moved_to("h1", "web"), gone, "{context}");
        }
        None => assert_eq!(home, "h1", "{context}: it is away and h1 does not know"),
        Some(row) => {
            assert_eq!((row.place, row.location.unwrap().host.as_str()), (Place::Away, home), "{context}");
        }
    }
    // A zone that no power failure has stopped runs on.
    if case.procedure != Procedure::Cold && victim.is_none() {
        assert!(runs, "{context}: it does not run at {home}");
    }
    if direction != Direction::Migrate || home == source {
        let outcome = world.run(direction).await.unwrap();
        // A zone that lost its power with its host comes home so, and that is reported.
        let is_down = victim.is_some() && outcome.moved() == 1 && outcome.down.len() == 1;
        assert!(outcome.is_complete() || is_down || home == destination, "{context}: {outcome:?}");
    }
    assert_eq!(only_home(world, context).await.0, destination, "{context}");
    let seen = world.seen(destination, "web").await.unwrap();
    assert!(seen.autostart, "{context}: it has lost its autostart");
    assert_eq!(world.script.wrong(), [] as [String; 0], "{context}");
}

fn strike(case: Case, point: Failpoint, blow: Blow) {
    let context = format!("{case:?} {point} {blow:?}");
    let world = case.world();
    paused().block_on(world.make_ready_for(case.direction));
    let (source, destination) = case.ends();
    world.script.begin(Some(Plan::At(point, blow, (source, destination))));
    run_until_crash(&world, case.direction);
    let wrong = world.script.wrong();
    assert!(wrong.is_empty(), "{context}: {wrong:?}");
    let context = format!("{context}; events {:?}", world.events.all());
    let victim = match blow {
        Blow::SourceKilled => Some(source),
        Blow::DestinationKilled => Some(destination),
        _ => None,
    };
    // Hosts that lost power boot again, and their connections work.
    let world =
        if victim == Some("h1") || blow == Blow::RunKilled { world.after_power_loss() } else { world };
    world.lines.repair();
    if let Some(victim) = victim.filter(|_| case.action.is_none()) {
        world.sim(victim).boot_host().unwrap();
    }
    paused().block_on(async {
        if case.action.is_none() {
            is_whole(&world, case, victim, &context).await;
        } else {
            if case.direction == Direction::Return {
                // As it was before.
                world.lock("h1");
            }
            comes_back(&world, &context).await;
        }
    });
    nothing_is_left(world, case, point, blow, &context);
}

/// Every failpoint of every step with everything that can happen. A failure fails the step; killing the process
/// after an entry of the journal cuts the journal there.
fn strike_everywhere(procedure: Procedure, direction: Direction) {
    let cases = CASES.iter().filter(|case| (case.procedure, case.direction) == (procedure, direction));
    for case in cases {
        for point in case.procedure.steps().iter().flat_map(|spec| case.failpoints(spec)) {
            for blow in case.blows() {
                strike(*case, point, blow);
            }
        }
    }
}

macro_rules! struck {
    ($($test:ident: $procedure:ident, $direction:ident;)+) => {
        $(#[test]
        fn $test() {
            strike_everywhere(Procedure::$procedure, Direction::$direction);
        })+
    };
}

struck! {
    wherever_a_live_evacuation_is_struck_the_zone_is_whole_in_one_place: Live, Evacuate;
    wherever_a_live_return_is_struck_the_zone_is_whole_in_one_place: Live, Return;
    wherever_a_live_migration_is_struck_the_zone_has_gone_for_good_or_not_at_all: Live, Migrate;
    wherever_a_cold_evacuation_is_struck_the_zone_is_whole_in_one_place: Cold, Evacuate;
    wherever_a_cold_return_is_struck_the_zone_is_whole_in_one_place: Cold, Return;
    wherever_a_cold_migration_is_struck_the_zone_has_gone_for_good_or_not_at_all: Cold, Migrate;
    wherever_a_restart_is_struck_the_zone_is_whole_and_goes_on_in_one_place: Restart, Evacuate;
    wherever_a_restart_back_is_struck_the_zone_is_whole_and_goes_on_in_one_place: Restart, Return;
    wherever_a_restart_for_good_is_struck_the_zone_has_gone_for_good_or_not_at_all: Restart, Migrate;
    wherever_a_stop_is_struck_the_zone_can_be_brought_back: Stop, Evacuate;
    wherever_a_suspension_is_struck_the_zone_can_be_brought_back: Suspend, Evacuate;
    wherever_a_boot_is_struck_the_zone_can_be_brought_back: Boot, Return;
}

/// The acts of a procedure, each done twice, and one of them reported as failed.
struct Twice<'a> {
    acts: &'a mut dyn Acts,
    fails: Option<Step>,
}

#[async_trait::async_trait]
impl Acts for Twice<'_> {
    async fn act(&mut self, step: Step) -> Result<(), MoveError> {
        let result = self.acts.act(step).await;
        // It is done already, or refused.
        let again = self.acts.act(step).await;
        let is_clean = matches!(again, Ok(()) | Err(MoveError::Undone { .. }));
        assert!(is_clean || step == Step::Settle || step == Step::Switch, "{step}: {again:?}");
        if self.fails == Some(step) {
            return Err(MoveError::Undone { step, reason: "told so".into(), is_transient: false });
        }
        result
    }

    async fn undo(&mut self, undo: Undo, result: Result<(), MoveError>) -> Result<(), MoveError> {
        let once = self.acts.undo(undo, result.clone()).await;
        let again = self.acts.undo(undo, result).await;
        assert_eq!(once.is_ok(), again.is_ok(), "{undo}: {again:?}");
        once
    }
}

struct NoLog;

impl Log for NoLog {
    fn intent(&self, _: Step) -> Result<(), Message> {
        Ok(())
    }
    fn done(&self, _: Step) -> Result<(), Message> {
        Ok(())
    }
    fn failed(&self, _: Step, _: &str) {}
    fn undone(&self, _: Step) {}
    fn progress(&self, _: Progress) {}
    fn finds_the_same(&self) {}
}

/// Moves web from h1 to h2, or as if h2 controlled the move, each act twice.
async fn move_twice(world: &World, method: Method, fails: Option<Step>) -> Result<(), MoveError> {
    let from = world.engine().local;
    let to = world.engine_of("h2").local;
    let manifest = from.manifest(name("web")).await.unwrap();
    let request = CheckRequest {
        manifest: manifest.clone(),
        method,
        from: "h1".to_owned(),
        home: None,
        overwrite: false,
        force: false,
        pending: PendingLoad::default(),
        disk: 0,
        mappings: Vec::new(),
        owners: Vec::new(),
    };
    let task = Task { zone: manifest.zone.clone(), record: manifest, request, storage: vec![], from, to };
    let (_abort, aborting) = tokio::sync::watch::channel(false);
    let acts = &mut Attempt::new(&task, &NoLog, world.engine().policy, aborting.clone());
    runner::run(Procedure::from(method), &mut Twice { acts, fails }, &NoLog, &aborting).await
}

#[tokio::test(start_paused = true)]
async fn every_act_and_its_undoing_may_be_repeated() {
    for (procedure, method) in [
        (Procedure::Live, Method::Live),
        (Procedure::Cold, Method::Cold),
        (Procedure::Restart, Method::Restart),
    ] {
        let case = a_move(procedure, Direction::Migrate);
        let world = case.world();
        assert_eq!(move_twice(&world, method, None).await, Ok(()), "{procedure}");
        assert_eq!(world.home_of("web", case.method()).await, "h2", "{procedure}");
        world.all_room_is_given_back();
        // Each step that can be undone is undone twice, too.
        for spec in procedure.steps().iter().filter(|spec| spec.is_reversible) {
            let world = case.world();
            let result = move_twice(&world, method, Some(spec.step)).await;
            assert!(matches!(result, Err(MoveError::Undone { .. })), "{procedure} {}: {result:?}", spec.step);
            assert_eq!(world.home_of("web", case.method()).await, "h1", "{procedure} {}", spec.step);
            world.all_room_is_given_back();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn stopping_suspending_and_booting_twice_is_harmless() {
    for case in CASES.iter().filter(|case| case.action.is_some()) {
        let world = case.world();
        world.make_ready_for(case.direction).await;
        let (engine, zone) = (world.engine(), name("web"));
        let uuid = world.seen("h1", "web").await.unwrap().uuid;
        let mut in_place = InPlace::new(&*engine.local, &engine.cancel, engine.policy, &zone, uuid);
        let (_abort, aborting) = tokio::sync::watch::channel(false);
        let mut twice = Twice { acts: &mut in_place, fails: None };
        assert_eq!(runner::run(case.procedure, &mut twice, &NoLog, &aborting).await, Ok(()), "{case:?}");
        let seen = world.seen("h1", "web").await.unwrap();
        assert_eq!(seen.is_running(), case.procedure == Procedure::Boot, "{case:?}");
        // A suspended zone keeps its saved memory, and it is known that it had some.
        let is_suspended = seen.aux == Some(Aux::Suspended);
        assert_eq!(is_suspended, case.procedure == Procedure::Suspend, "{case:?}");
        let was_saved = case.procedure == Procedure::Boot && case.action == Some(Action::Suspend);
        assert_eq!(in_place.was_saved, was_saved, "{case:?}");
        assert_eq!(world.script.wrong(), [] as [String; 0], "{case:?}");
    }
}

/// The observers must notice it: without the guard, one lost answer makes a zone run twice.
#[test]
fn without_the_guard_a_zone_runs_twice_and_that_is_seen() {
    let struck = |effects: &[Effect]| {
        let world = World::with(Method::Live);
        paused().block_on(async {
            world.make_ready_for(Direction::Evacuate).await;
            world.script.begin(None);
            for host in ["h1", "h2"] {
                let faults: Vec<_> = effects.iter().cloned().map(Fault::always).collect();
                world.set_faults(host, &faults);
            }
            let _ = world.run(Direction::Evacuate).await;
            world.clear_faults();
            // One more look, when all is over.
            let _ = world.run(Direction::Evacuate).await;
        });
        world.script.wrong()
    };
    assert_eq!(struck(&[Effect::LoseAnswer]), [] as [String; 0]);
    let seen = struck(&[Effect::LoseAnswer, Effect::Unguarded]);
    assert!(seen.iter().any(|wrong| wrong.contains("web goes on twice")), "{seen:?}");
}
