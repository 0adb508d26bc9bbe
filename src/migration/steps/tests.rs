//! The table of steps is consistent, also with what others say of it.

use std::collections::BTreeSet;

use super::*;
use crate::failpoints::{Actor, Failpoint};

fn specs() -> impl Iterator<Item = (Procedure, &'static StepSpec)> {
    Procedure::ALL.iter().flat_map(|&procedure| procedure.steps().iter().map(move |spec| (procedure, spec)))
}

#[test]
fn every_step_belongs_to_a_procedure_and_stands_there_once() {
    let used: BTreeSet<_> = specs().map(|(_, spec)| spec.step.as_str()).collect();
    assert_eq!(used, Step::ALL.iter().map(|step| step.as_str()).collect());
    for procedure in Procedure::ALL {
        let steps: BTreeSet<_> = procedure.steps().iter().map(|spec| spec.step.as_str()).collect();
        assert_eq!(steps.len(), procedure.steps().len(), "{procedure}");
    }
}

#[test]
fn from_its_first_step_that_cannot_be_undone_a_procedure_only_goes_forward() {
    for procedure in Procedure::ALL {
        let mut reversible = procedure.steps().iter().map(|spec| spec.is_reversible);
        assert!(reversible.by_ref().any(|reversible| !reversible), "{procedure} ends with one");
        assert!(reversible.all(|reversible| !reversible), "{procedure}");
    }
    for (procedure, spec) in specs() {
        assert!(!spec.is_reversible || spec.undo.is_some(), "{procedure} {}", spec.step);
    }
}

#[test]
fn a_zone_that_is_moved_while_it_runs_begins_to_run_at_its_destination_exactly_once() {
    for procedure in Procedure::ALL {
        let arrivals = procedure.steps().iter().filter(|spec| procedure.arrives_with(spec.step)).count();
        let runs = matches!(procedure, Procedure::Live | Procedure::Restart);
        assert_eq!(arrivals, usize::from(runs), "{procedure}");
    }
}

#[test]
fn an_interrupted_step_means_the_same_in_every_procedure() {
    for (procedure, spec) in specs() {
        assert_eq!(interrupted(spec.step), Some(spec.interrupted), "{procedure} {}", spec.step);
    }
}

#[test]
fn every_step_has_failpoints_in_the_journal_and_at_the_hosts_that_act() {
    let has = |actor, step| Failpoint::all().any(|point| (point.actor, point.step) == (actor, step));
    for &step in Step::ALL {
        assert!(has(Actor::Journal, step));
        for (actor, side) in [(Actor::Source, Side::Source), (Actor::Destination, Side::Destination)] {
            // A zone that stays is booted by the same request as one that arrives.
            let mut specs = specs().filter(|(procedure, _)| *procedure != Procedure::Boot);
            let acts = specs.any(|(_, spec)| spec.step == step && spec.acts_on.contains(&side));
            assert_eq!(has(actor, step), acts, "{step} {actor}");
        }
    }
}

/// The steps of each procedure, as in docs/recovery.md.
fn tables() -> String {
    let mut text = String::new();
    for procedure in Procedure::ALL {
        text.push_str(&format!(
            "### {procedure}\n\n| step | acts on | zone runs | undo | once it is done |\n|---|---|---|---|---|\n"
        ));
        for spec in procedure.steps() {
            let sides: Vec<_> = spec.acts_on.iter().map(|side| side.as_str()).collect();
            let undo = spec.undo.map_or("–", |undo| undo.as_str());
            let then = if spec.is_reversible { "can be undone" } else { "only goes forward" };
            text.push_str(&format!(
                "| {} | {} | {} | {undo} | {then} |\n",
                spec.step,
                sides.join(", "),
                spec.running_during
            ));
        }
        text.push('\n');
    }
    text
}

#[test]
fn the_document_shows_these_steps() {
    let document = include_str!("../../../docs/recovery.md");
    let tables = tables();
    assert!(document.contains(&tables), "put this into docs/recovery.md:\n{tables}");
}
