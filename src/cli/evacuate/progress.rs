//! The output of a run, in sysadm(8)'s words: nothing, a counter, or a line for each zone.
//!
//! On a terminal the counter is updated and each zone has a progress bar (on standard error); a pipe gets only
//! finished lines.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;

use super::eta::{beside_bar, compared, end_of_run};
use crate::cli::ui;
use crate::evacuation::{Event, EventSink, Outcome};
use crate::model::{HostUri, Message, Millis, ZoneName};
use crate::store::{Direction, Move, MoveState, Run, StopMethod};

/// How much is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// Only errors.
    Quiet,
    /// A counter for each phase.
    Normal,
    /// A line for each zone.
    Verbose,
}

/// Prints the events of a run.
pub struct Reporter {
    direction: Direction,
    verbosity: Verbosity,
    state: Mutex<Screen>,
}

#[derive(Default)]
struct Screen {
    phase: Option<PhaseCounter>,
    bars: Option<MultiProgress>,
    zones: BTreeMap<ZoneName, ProgressBar>,
}

/// A phase with its counter.
struct PhaseCounter {
    text: &'static str,
    done: usize,
    total: usize,
    bar: Option<ProgressBar>,
}

impl Reporter {
    /// For a run in that direction.
    pub fn new(direction: Direction, verbosity: Verbosity) -> Self {
        let bars = (verbosity == Verbosity::Normal && ui::errors_on_terminal()).then(MultiProgress::new);
        Self { direction, verbosity, state: Mutex::new(Screen { bars, ..Screen::default() }) }
    }

    fn locked(&self) -> MutexGuard<'_, Screen> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is(&self, direction: Direction) -> bool {
        self.direction == direction
    }

    /// Removes counter and progress bars from the screen.
    pub fn finish(&self) {
        let mut state = self.locked();
        state.end_phase();
        for bar in std::mem::take(&mut state.zones).into_values() {
            bar.finish_and_clear();
        }
    }

    /// Prints something above the counter and the progress bars.
    pub fn above(&self, say: impl FnOnce()) {
        let bars = self.locked().bars.clone();
        match bars {
            Some(bars) => bars.suspend(say),
            None => say(),
        }
    }

    fn begin_phase(&self, text: &'static str, total: usize) {
        let mut state = self.locked();
        state.end_phase();
        let bar = state.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(total as u64));
            if let Ok(style) = ProgressStyle::with_template("sysadm: {msg} ... {pos}/{len}{prefix}") {
                bar.set_style(style);
            }
            bar.set_message(text);
            bar.tick();
            bar
        });
        state.phase = Some(PhaseCounter { text, done: 0, total, bar });
    }

    /// Prints the outcome at the end.
    pub fn conclude(&self, outcome: &Outcome) {
        let what = if self.is(Direction::Evacuate) { "evacuation" } else { "return" };
        if outcome.moves.is_empty() && outcome.is_complete() {
            self.tell_left_alone(outcome);
            if self.verbosity != Verbosity::Quiet {
                ui::say(if self.is(Direction::Evacuate) {
                    "nothing to evacuate"
                } else {
                    "nothing to return"
                });
            }
            return;
        }
        if outcome.is_complete() {
            if self.verbosity != Verbosity::Quiet {
                ui::say(&format!("{what} completed successfully."));
            }
        } else {
            ui::complain(format!("{what} {}.", shortfall(outcome)));
        }
        for a_move in &outcome.moves {
            self.conclude_zone(a_move);
        }
        for down in &outcome.down {
            ui::complain(down.message());
        }
        self.tell_left_alone(outcome);
        outcome.unmanaged.iter().for_each(|unmanaged_guest| ui::complain(unmanaged_guest.message()));
    }

    /// Prints how long a run took, and its first estimate.
    pub fn compare(&self, run: &Run) {
        if let (Verbosity::Verbose, Some(text)) = (self.verbosity, compared(run)) {
            ui::say(&text);
        }
    }

    fn tell_left_alone(&self, outcome: &Outcome) {
        if self.verbosity != Verbosity::Quiet && !outcome.left_alone.is_empty() {
            let names: Vec<_> = outcome.left_alone.iter().map(ZoneName::as_str).collect();
            ui::say(&format!("left running (policy: leave): {}", names.join(", ")));
        }
    }

    fn conclude_zone(&self, a_move: &Move) {
        let zone = &a_move.zone;
        let because = |what: &str| {
            let reason = a_move.error.clone().unwrap_or_else(|| "unknown reason".into());
            ui::complain(reason.about(format!("{zone}: {what}")));
        };
        match a_move.state {
            // It is stopped, but not as it should be.
            MoveState::Stopped if a_move.error.is_some() => because("stopped"),
            MoveState::Evacuated | MoveState::Returned | MoveState::Stopped | MoveState::Suspended
                if self.verbosity != Verbosity::Verbose => {}
            MoveState::Stopped => ui::say(&format!("{zone}: stopped")),
            MoveState::Suspended => ui::say(&format!("{zone}: suspended")),
            MoveState::Evacuated => {
                let dest = a_move.dest.as_ref().map(ToString::to_string).unwrap_or_default();
                ui::say(&format!("{zone}: evacuated to {dest}"));
            }
            MoveState::Returned => ui::say(&format!("{zone}: returned")),
            MoveState::Skipped => because("skipped"),
            MoveState::Failed => because("failed"),
            MoveState::Unknown => because("unknown"),
            MoveState::Preparing | MoveState::Ready | MoveState::Migrating => {}
        }
    }
}

/// What a zone waits for, and what would help.
fn say_of(zone: &ZoneName, why: &Message) {
    ui::say(&format!("{zone}: {why}"));
    ui::hint(&why.hints);
}

fn aside(zone: &ZoneName, host: &str) -> String {
    format!("{zone}: moving to {host} until there is room for it here")
}

fn gone_already(zone: &ZoneName, host: &HostUri) -> String {
    format!("{zone}: already evacuated to {host}")
}

/// How an incomplete evacuation ended, in a few words.
fn shortfall(outcome: &Outcome) -> String {
    let all = outcome.moves.len() + outcome.unmanaged.len();
    let mut parts = vec![format!("{} of {all} zone(s) moved", outcome.moved())];
    for (state, word) in [
        (MoveState::Stopped, "stopped"),
        (MoveState::Suspended, "suspended"),
        (MoveState::Skipped, "skipped"),
        (MoveState::Failed, "failed"),
        (MoveState::Unknown, "unknown"),
    ] {
        match outcome.count(state) {
            0 => {}
            count => parts.push(format!("{count} {word}")),
        }
    }
    if !outcome.unmanaged.is_empty() {
        parts.push(format!("{} cannot be handled", outcome.unmanaged.len()));
    }
    if !outcome.down.is_empty() {
        parts.push(format!("{} down", outcome.down.len()));
    }
    let running = outcome.left_running.iter().flatten().count()
        + outcome.unmanaged.iter().filter(|unmanaged_guest| unmanaged_guest.running).count();
    if running > 0 {
        parts.push(format!("{running} still running here"));
    }
    let word = if outcome.stopped.is_some() { "cancelled" } else { "not complete" };
    format!("{word}: {}", parts.join(", "))
}

impl Screen {
    fn end_phase(&mut self) {
        let Some(phase) = self.phase.take() else { return };
        if let Some(bar) = phase.bar {
            bar.finish_and_clear();
        }
        if phase.total > 0 {
            ui::say(&format!("{} ... {}/{}", phase.text, phase.done, phase.total));
        }
    }

    fn count(&mut self) {
        if let Some(phase) = &mut self.phase {
            phase.done += 1;
            if let Some(bar) = &phase.bar {
                bar.inc(1);
            }
        }
    }

    fn show(&mut self, a_move: &Move) {
        let Some(bars) = &self.bars else { return };
        let bar = self.zones.entry(a_move.zone.clone()).or_insert_with(|| {
            let bar = bars.add(ProgressBar::new(a_move.figures.total));
            let template = "  {msg:<16} [{wide_bar}] {prefix:>10} {bytes}/{total_bytes} {bytes_per_sec}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_message(a_move.zone.to_string());
            bar
        });
        bar.set_prefix(
            beside_bar(a_move.figures.started, a_move.figures.expected, Millis::now()).unwrap_or_default(),
        );
        bar.set_length(a_move.figures.total);
        bar.set_position(a_move.figures.bytes);
    }

    /// Shows the estimated end beside the counter.
    fn foretell(&self, end: (Millis, u64)) {
        if let Some(bar) = self.phase.as_ref().and_then(|phase| phase.bar.as_ref()) {
            let text = end_of_run(end, Millis::now(), &TimeZone::system());
            bar.set_prefix(format!(", {text}"));
        }
    }
}

impl EventSink for Reporter {
    fn emit(&self, event: &Event<'_>) {
        match (event, self.verbosity) {
            (Event::Warning(text), _) => ui::complain(text),
            (_, Verbosity::Quiet) => {}
            (event, Verbosity::Verbose) => self.narrate(event),
            (event, Verbosity::Normal) => self.count(event),
        }
    }
}

impl Reporter {
    fn narrate(&self, event: &Event<'_>) {
        let away = self.is(Direction::Evacuate);
        match event {
            Event::Preparing(0) => {}
            Event::Preparing(count) if away => {
                ui::say(&format!("preparing {count} zone(s) for evacuation ..."))
            }
            Event::Preparing(count) => ui::say(&format!("preparing {count} zone(s) for return...")),
            Event::Checking(zone, host) if away => {
                ui::say(&format!("initializing migration of {zone} to {host} ..."))
            }
            Event::Checking(zone, _) => ui::say(&format!("initializing return of {zone}")),
            Event::Moving(count) if away => ui::say(&format!("evacuating {count} zone(s) ...")),
            Event::Moving(count) => ui::say(&format!("returning {count} zone(s) ...")),
            Event::Migrating(zone, host) if away => ui::say(&format!("migrating {zone} to {host} ...")),
            Event::Migrating(zone, _) => ui::say(&format!("migrating {zone}")),
            Event::Relocating(zone, host) => ui::say(&aside(zone, host)),
            Event::Stopping(zone, StopMethod::Stop) => ui::say(&format!("stopping {zone} ...")),
            Event::Stopping(zone, StopMethod::Suspend) => ui::say(&format!("suspending {zone} ...")),
            Event::Booting(zone) => ui::say(&format!("booting {zone} ...")),
            Event::AlreadyAway(zone, host) => ui::say(&gone_already(zone, host)),
            Event::AlreadyHome(zone) => ui::say(&format!("{zone}: already on this host")),
            Event::Retrying(zone, why) | Event::Waiting(zone, why) => say_of(zone, why),
            Event::Checked(_) | Event::Step { .. } | Event::Progress(_) | Event::Ended(_) => {}
            Event::Estimate { .. } | Event::ReusingConfiguration(_) | Event::Warning(_) => {}
        }
    }

    fn count(&self, event: &Event<'_>) {
        let away = self.is(Direction::Evacuate);
        match event {
            Event::Preparing(count) => {
                let text = if away { "preparing zones for evacuation" } else { "preparing zones for return" };
                self.begin_phase(text, *count);
            }
            Event::Moving(count) => {
                self.begin_phase(if away { "evacuating zones" } else { "returning zones" }, *count);
            }
            Event::Checked(_) => self.locked().count(),
            Event::AlreadyAway(zone, host) => ui::say(&gone_already(zone, host)),
            Event::AlreadyHome(zone) => ui::say(&format!("{zone}: already on this host")),
            Event::Waiting(zone, why) => {
                self.locked().end_phase();
                say_of(zone, why);
            }
            Event::Relocating(zone, host) => {
                self.locked().end_phase();
                ui::say(&aside(zone, host));
            }
            Event::Progress(a_move) => self.locked().show(a_move),
            Event::Estimate { end, margin } => self.locked().foretell((*end, *margin)),
            Event::Ended(a_move) => {
                let mut state = self.locked();
                if let Some(bar) = state.zones.remove(&a_move.zone) {
                    bar.finish_and_clear();
                }
                use MoveState::{Evacuated, Returned, Stopped, Suspended};
                if matches!(a_move.state, Evacuated | Returned | Stopped | Suspended) {
                    state.count();
                }
            }
            Event::Checking(..)
            | Event::Step { .. }
            | Event::Migrating(..)
            | Event::Stopping(..)
            | Event::Booting(_)
            | Event::ReusingConfiguration(_)
            | Event::Retrying(..)
            | Event::Warning(_) => {}
        }
    }
}
