//! The table of recovery, cell by cell.

use super::*;

fn steps() -> impl Iterator<Item = Option<Step>> {
    std::iter::once(None).chain(Step::ALL.iter().copied().map(Some))
}

fn each(mut check: impl FnMut(Option<Step>, Observed, Observed, Resolution)) {
    for step in steps() {
        for &source in Observed::ALL {
            for &destination in Observed::ALL {
                check(step, source, destination, decide(step, source, destination));
            }
        }
    }
}

#[test]
fn nothing_is_done_while_a_host_is_silent_or_moves_the_zone() {
    each(|step, source, destination, resolution| {
        if [source, destination].iter().any(|view| matches!(view, Observed::Silent | Observed::Moves)) {
            assert_eq!(resolution, Resolution::Wait, "{step:?} {source} {destination}");
        }
    });
}

#[test]
fn a_zone_is_let_run_only_from_an_image_of_ours_while_its_source_has_ended() {
    each(|step, source, destination, resolution| {
        if resolution == Resolution::ResumeAtDestination {
            assert_eq!(destination, Observed::Held);
            assert!(matches!(source, Observed::Installed | Observed::Absent));
            assert!(matches!(step, Some(Step::Transfer | Step::Switch | Step::Settle)));
        }
    });
}

#[test]
fn nothing_is_taken_away_that_is_not_whole_elsewhere_or_not_ours() {
    each(|step, source, destination, resolution| match resolution {
        Resolution::BootAtSource => {
            assert_eq!(source, Observed::Installed);
            assert!(matches!(destination, Observed::Installed | Observed::Absent));
            assert!(matches!(step, Some(Step::Shutdown | Step::Boot)));
        }
        Resolution::DiscardImage | Resolution::UndefineAtDestination => {
            assert!(matches!(source, Observed::Runs | Observed::Installed));
            assert!(matches!(destination, Observed::Held | Observed::Installed));
            assert!(!matches!(step, None | Some(Step::Reserve | Step::Prepare)));
        }
        Resolution::UndefineAtSource => {
            assert_eq!(source, Observed::Installed);
            assert!(matches!(destination, Observed::Runs | Observed::Installed));
            assert!(!matches!(step, None | Some(Step::Reserve | Step::Prepare)));
        }
        _ => {}
    });
}

#[test]
fn a_zone_that_was_shut_down_to_leave_ends_up_running_wherever_that_can_be_told() {
    for step in [Step::Shutdown, Step::Boot] {
        for destination in [Observed::Absent, Observed::Installed] {
            assert_eq!(decide(Some(step), Observed::Installed, destination), Resolution::BootAtSource);
        }
        assert_eq!(decide(Some(step), Observed::Installed, Observed::Runs), Resolution::UndefineAtSource);
        assert_eq!(
            decide(Some(step), Observed::Runs, Observed::Installed),
            Resolution::UndefineAtDestination
        );
    }
}

#[test]
fn a_zone_that_its_owner_has_paused_is_never_let_run() {
    each(|step, source, destination, _| {
        let (source, destination) = as_it_was(true, source, destination);
        assert_ne!(
            decide(step, source, destination),
            Resolution::ResumeAtDestination,
            "{step:?} {source} {destination}"
        );
    });
    assert_eq!(as_it_was(false, Observed::Held, Observed::Absent), (Observed::Held, Observed::Absent));
}

#[test]
fn two_that_run_and_none_at_all_need_the_operator() {
    for step in steps() {
        assert_eq!(decide(step, Observed::Runs, Observed::Runs), Resolution::NeedsOperator);
        assert_eq!(decide(step, Observed::Absent, Observed::Absent), Resolution::NeedsOperator);
    }
}

/// The tables of the document, as generated from the code: steps that lead to the same actions share one.
fn tables() -> String {
    let mut tables: Vec<(Vec<String>, String)> = Vec::new();
    for step in steps() {
        let mut text = format!(
            "| source \\ destination | {} |\n|---{}|\n",
            Observed::ALL.iter().map(|view| view.as_str()).collect::<Vec<_>>().join(" | "),
            "|---".repeat(Observed::ALL.len())
        );
        for &source in Observed::ALL {
            let cells = Observed::ALL.iter().map(|&destination| decide(step, source, destination).as_str());
            text.push_str(&format!("| **{source}** | {} |\n", cells.collect::<Vec<_>>().join(" | ")));
        }
        let name = step.map_or_else(|| "none".to_owned(), |step| step.to_string());
        match tables.iter_mut().find(|(_, other)| *other == text) {
            Some((names, _)) => names.push(name),
            None => tables.push((vec![name], text)),
        }
    }
    let section = |(names, text): &(Vec<String>, String)| format!("### {}\n\n{text}\n", names.join(", "));
    tables.iter().map(section).collect()
}

#[test]
fn the_document_shows_this_table() {
    let document = include_str!("../../../docs/recovery.md");
    let tables = tables();
    assert!(document.contains(&tables), "put this into docs/recovery.md:\n{tables}");
}

const PLACES: [Place; 4] = [Place::Stopping, Place::Stopped, Place::Suspending, Place::Suspended];

fn each_in_place(mut check: impl FnMut(Place, Observed, RecordFate)) {
    for place in PLACES {
        for &seen in Observed::ALL {
            for ours in [true, false] {
                check(place, seen, decide_in_place(place, seen, ours));
            }
        }
    }
}

#[test]
fn a_zone_that_is_down_is_never_dropped_and_one_that_runs_is_never_kept() {
    each_in_place(|place, seen, verdict| {
        let keeps = matches!(verdict, RecordFate::Keep | RecordFate::Rests(_));
        assert_eq!(keeps, seen == Observed::Installed, "{place} {seen:?}: {verdict:?}");
    });
}

#[test]
fn only_the_end_of_a_save_and_a_host_that_is_silent_are_waited_for() {
    each_in_place(|place, seen, verdict| {
        let saving = (place, seen) == (Place::Suspending, Observed::Held);
        let silent = seen == Observed::Silent;
        assert_eq!(matches!(verdict, RecordFate::Wait(..)), saving || silent);
    });
}

#[test]
fn a_zone_that_rests_is_told_from_one_that_was_booted_by_others() {
    let stopped = |ours| decide_in_place(Place::Stopped, Observed::Runs, ours);
    assert!(matches!(stopped(false), RecordFate::Drop(text) if text.contains("somebody else")));
    assert!(matches!(stopped(true), RecordFate::Drop(text) if text.contains("is running here again")));
}
