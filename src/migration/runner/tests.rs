//! Every procedure, with every kind of failure at every step.

use std::sync::Mutex;

use tokio::sync::watch;

use super::*;
use crate::model::Progress;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    IntentFails,
    ActFails,
    ActIsUnknown,
    DoneFails,
    AbortsDuringAct,
}

const BLOWS: [Blow; 5] =
    [Blow::IntentFails, Blow::ActFails, Blow::ActIsUnknown, Blow::DoneFails, Blow::AbortsDuringAct];

/// The expected events, in order, and where the failure occurs.
struct Script {
    at: Option<(Step, Blow)>,
    seen: Mutex<Vec<String>>,
    abort: watch::Sender<bool>,
}

impl Script {
    fn note(&self, what: impl std::fmt::Display) {
        self.seen.lock().unwrap().push(what.to_string());
    }

    fn strikes(&self, step: Step, blow: Blow) -> Result<(), String> {
        if self.at == Some((step, blow)) { Err("struck".to_owned()) } else { Ok(()) }
    }
}

impl Log for Script {
    fn intent(&self, step: Step) -> Result<(), String> {
        self.strikes(step, Blow::IntentFails)?;
        self.note(format_args!("intent {step}"));
        Ok(())
    }

    fn done(&self, step: Step) -> Result<(), String> {
        self.strikes(step, Blow::DoneFails)?;
        self.note(format_args!("done {step}"));
        Ok(())
    }

    fn failed(&self, step: Step, _: &str) {
        self.note(format_args!("failed {step}"));
    }

    fn undone(&self, step: Step) {
        self.note(format_args!("undone {step}"));
    }

    fn progress(&self, _: Progress) {}

    fn finds_the_same(&self) {}
}

struct Scripted<'a>(&'a Script);

#[async_trait::async_trait]
impl Acts for Scripted<'_> {
    async fn act(&mut self, step: Step) -> Result<(), MoveError> {
        self.0.note(format_args!("act {step}"));
        if self.0.at == Some((step, Blow::AbortsDuringAct)) {
            self.0.abort.send_replace(true);
        }
        self.0.strikes(step, Blow::ActFails).map_err(|reason| MoveError::undone(step, reason))?;
        self.0.strikes(step, Blow::ActIsUnknown).map_err(|reason| MoveError::unknown(step, reason))
    }

    async fn undo(&mut self, undo: Undo, result: Result<(), MoveError>) -> Result<(), MoveError> {
        self.0.note(format_args!("undo {undo}"));
        result
    }
}

async fn run_struck(procedure: Procedure, at: Option<(Step, Blow)>) -> (Result<(), MoveError>, Vec<String>) {
    let (abort, aborting) = watch::channel(false);
    let script = Script { at, seen: Mutex::default(), abort };
    let result = run(procedure, &mut Scripted(&script), &script, &aborting).await;
    (result, script.seen.into_inner().unwrap())
}

fn words<'a>(seen: &'a [String], word: &str) -> Vec<&'a str> {
    seen.iter().filter_map(|text| text.strip_prefix(word)?.strip_prefix(' ')).collect()
}

#[tokio::test]
async fn each_act_stands_between_its_intent_and_its_outcome() {
    for &procedure in Procedure::ALL {
        let (result, seen) = run_struck(procedure, None).await;
        assert_eq!(result, Ok(()));
        let at = |text: String| seen.iter().position(|one| *one == text);
        for spec in procedure.steps() {
            let [intent, act, done] =
                ["intent", "act", "done"].map(|word| at(format!("{word} {}", spec.step)));
            assert!(intent.is_some() && intent < act && act < done, "{procedure} {seen:?}");
        }
        // What was reserved and opened is given back.
        let cleanups = procedure.steps().iter().filter_map(|spec| spec.undo).filter(|undo| undo.is_cleanup());
        assert_eq!(words(&seen, "undo").len(), cleanups.count(), "{procedure} {seen:?}");
    }
}

#[tokio::test]
async fn nothing_is_written_while_the_zone_is_held() {
    let (_, seen) = run_struck(Procedure::Live, None).await;
    let held = seen.iter().position(|one| one == "act transfer").unwrap();
    assert_eq!(
        seen[held..held + 5],
        ["act transfer", "intent switch", "act switch", "done transfer", "done switch"]
    );
}

/// Steps are undone backwards as far as they were begun, or left to recovery after the point of no return.
#[tokio::test]
async fn wherever_it_is_struck_a_procedure_is_undone_or_left_and_never_undone_after_the_point_of_no_return() {
    for &procedure in Procedure::ALL {
        for (number, spec) in procedure.steps().iter().enumerate() {
            for blow in BLOWS {
                let context = format!("{procedure} {} {blow:?}", spec.step);
                let (result, seen) = run_struck(procedure, Some((spec.step, blow))).await;
                let before = &procedure.steps()[..number];
                let was_committed = before.iter().any(|spec| !spec.is_reversible);
                let is_committed = was_committed || !spec.is_reversible;
                let is_last = number + 1 == procedure.steps().len();
                match blow {
                    // A zone that is stopped does not wait for the journal.
                    Blow::IntentFails if spec.running_during == Running::Held => assert_eq!(result, Ok(())),
                    Blow::DoneFails
                        if words(&seen, "act").contains(&"switch") && spec.step == Step::Transfer =>
                    {
                        assert_eq!(result, Ok(()), "{context}");
                    }
                    Blow::AbortsDuringAct if is_committed || is_last => {
                        assert_eq!(result, Ok(()), "{context}")
                    }
                    Blow::AbortsDuringAct => assert_eq!(result, Err(MoveError::Cancelled), "{context}"),
                    Blow::ActIsUnknown => assert!(!result.unwrap_err().is_undoable(), "{context}"),
                    Blow::IntentFails | Blow::ActFails => {
                        assert_eq!(result.unwrap_err().is_undoable(), !was_committed, "{context}");
                    }
                    Blow::DoneFails => {
                        assert_eq!(result.unwrap_err().is_undoable(), !is_committed, "{context}");
                    }
                }
                let undone = words(&seen, "undone");
                assert!(undone.is_empty() || !was_committed, "{context}: {seen:?}");
                let mut expected: Vec<_> = words(&seen, "act");
                expected.reverse();
                expected.retain(|step| undone.contains(step));
                let begun: Vec<_> = undone.iter().copied().filter(|step| expected.contains(step)).collect();
                assert_eq!(begun, expected, "{context}: {seen:?}");
            }
        }
    }
}

#[tokio::test]
async fn all_that_was_begun_is_undone_when_a_step_fails() {
    let undone = async |procedure, step| {
        let (_, seen) = run_struck(procedure, Some((step, Blow::ActFails))).await;
        words(&seen, "undo").join(", ")
    };
    assert_eq!(undone(Procedure::Live, Step::Prepare).await, "close incoming, release");
    assert_eq!(undone(Procedure::Live, Step::Transfer).await, "destroy image, close incoming, release");
    assert_eq!(undone(Procedure::Live, Step::Switch).await, "close incoming, release");
    assert_eq!(undone(Procedure::Cold, Step::Detach).await, "undefine, release");
    assert_eq!(undone(Procedure::Restart, Step::Boot).await, "boot at source, undefine, release");
    assert_eq!(undone(Procedure::Restart, Step::Detach).await, "release");
}
