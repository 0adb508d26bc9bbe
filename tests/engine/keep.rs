//! The definition of a zone is removed at its destination while it arrives: it runs there without one, and is
//! defined again, whatever goes wrong meanwhile.

use sysadm::evacuation::recover;
use sysadm::platform::Platform;
use sysadm::platform::sim::{Effect, Fault, Operation};
use sysadm::store::{Direction, MoveState};

use super::lines::{Break, Loss};
use super::script::{Moment, Plan};
use sysadm::model::Method;

use super::world::{BOTH_WAYS, MIGRATIONS, World, ends, error_of, name, state_of, until};

/// The directions and methods for a running zone.
fn ways() -> impl Iterator<Item = (Direction, Method)> {
    BOTH_WAYS.into_iter().chain(MIGRATIONS).filter(|(_, method)| *method != Method::Cold)
}

/// A world in which the definition of web vanishes when it begins to run at its destination.
async fn vanishing(direction: Direction, method: Method) -> World {
    let world = World::with(method);
    world.make_ready_for(direction).await;
    world.set_faults(ends(direction).1, &[Fault::always(Effect::Undefine)]);
    world.script.begin(None);
    world
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_is_removed_while_its_zone_arrives_is_there_again() {
    for (direction, method) in ways() {
        let world = vanishing(direction, method).await;
        let outcome = world.run(direction).await.unwrap();
        assert!(outcome.is_complete(), "{direction} {method:?}: {outcome:?}");
        assert_eq!(world.all_is_told_truly("web", method).await, ends(direction).1);
    }
}

#[tokio::test(start_paused = true)]
async fn where_it_cannot_be_defined_again_its_move_is_open_and_the_next_run_does_it() {
    for (direction, method) in ways() {
        let (world, to) = (vanishing(direction, method).await, ends(direction).1);
        // A restart defines it before it is booted there.
        let number = usize::from(method == Method::Restart);
        world.script.begin(Some(Plan::Fail(Moment { host: to, operation: Operation::Define, number })));
        let outcome = world.run(direction).await.unwrap();
        assert_eq!(state_of(&outcome, "web"), MoveState::Unknown, "{direction} {method:?}: {outcome:?}");
        let said = error_of(&outcome, "web");
        assert!(said.contains("moved, but whether its configuration is kept there is unknown"), "{said}");
        let there = world.seen(to, "web").await.unwrap();
        assert!(there.is_running() && !there.persistent, "{direction} {method:?}");
        world.script.begin(None);
        world.settle().await;
        assert_eq!(world.all_is_told_truly("web", method).await, to);
    }
}

#[tokio::test(start_paused = true)]
async fn whichever_question_or_answer_is_lost_the_zone_has_its_definition_where_it_is() {
    for (direction, method) in ways().filter(|(direction, _)| *direction != Direction::Migrate) {
        let world = vanishing(direction, method).await;
        world.lines.break_at(Break { at: usize::MAX, loss: Loss::Question, for_ever: false });
        assert!(world.run(direction).await.unwrap().is_complete());
        for at in 0..world.lines.asked() {
            for (loss, for_ever) in
                [(Loss::Question, false), (Loss::Answer, false), (Loss::Question, true), (Loss::Answer, true)]
            {
                let world = vanishing(direction, method).await;
                world.lines.break_at(Break { at, loss, for_ever });
                let outcome = world.run(direction).await.unwrap();
                println!("{direction} {method:?} {at} {loss:?} {for_ever} {outcome:?}");
                world.lines.repair();
                world.settle().await;
                world.all_is_told_truly("web", method).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_run_and_is_removed_before_the_end_of_its_move_is_not_lost() {
    let world = World::with(Method::Cold);
    world.make_ready_for(Direction::Evacuate).await;
    world.set_faults("h1", &[Fault::always(Effect::Hang { at: Operation::Undefine })]);
    let uuid = world.seen("h1", "web").await.unwrap().uuid;
    // This test is about the zone being nowhere for a while.
    world.script.watch_nothing();
    let (outcome, ()) = tokio::join!(world.run(Direction::Evacuate), async {
        let sim = world.sim("h2");
        until(|| sim.zone_counter(&name("web")).is_ok()).await;
        sim.undefine(&name("web"), uuid).await.unwrap();
        world.clear_faults();
    });
    let outcome = outcome.unwrap();
    assert_eq!(state_of(&outcome, "web"), MoveState::Unknown, "{outcome:?}");
    assert!(error_of(&outcome, "web").contains("it is not there any more"), "{outcome:?}");
    // Its configuration is in the record that stays open.
    let [open] = &recover::settle_interrupted(&world.engine()).await.unwrap()[..] else { panic!("settled") };
    assert!(open.why.as_ref().is_some_and(|why| why.text.contains("it is not on h2")), "{open:?}");
    assert!(world.configuration_of("web").is_some());
}
