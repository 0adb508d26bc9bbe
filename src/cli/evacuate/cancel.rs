//! Cancelling a run: signals, the deadline, and `--cancel` from another terminal.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::cancel::socket;
use crate::cancel::{Cancel, CancelReason, Stage};
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, ui};
use crate::store::Direction;

/// `sysadm evacuate --cancel`.
pub async fn ask(context: &Context) -> Result<Exit, CliError> {
    let answer = socket::ask_to_stop(&context.paths).await;
    let answer = answer.map_err(|error| CliError::new(Exit::Error, error))?;
    let what = match answer.direction {
        Direction::Evacuate => "evacuation",
        Direction::Return => "return",
        Direction::Migrate => "migration",
    };
    ui::say(&format!("cancelling the {what} (pid {}): {}", answer.pid, answer.stage.words()));
    match answer.stage {
        Stage::Running | Stage::Finishing => ui::hint(&["repeat --cancel to abort those".to_owned()]),
        Stage::Aborting => {}
    }
    Ok(Exit::Done)
}

/// Cancels the run after that time.
pub fn listen_for_deadline(cancel: &Cancel, deadline: Option<Duration>) {
    let Some(deadline) = deadline else { return };
    let cancel = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(deadline).await;
        ui::complain(format!("the deadline has passed: {}", Stage::Aborting.words()));
        cancel.raise(Stage::Aborting, CancelReason::Deadline);
    });
}

// SIGINT comes from a person, who can repeat it. SIGTERM comes once, from a program that waits a while and then
// kills. SIGHUP means that the terminal is gone, so nothing important is written to it.
pub fn listen_for_signals(cancel: &Cancel) {
    on(SignalKind::hangup(), || {});
    let pressed = cancel.clone();
    on(SignalKind::interrupt(), move || {
        let stage = pressed.stage().next();
        let more = if stage == Stage::Finishing { "; press ^C again to abort those" } else { "" };
        // Reported first, so that the report precedes the consequences.
        ui::complain(format!("cancelled: {}{more}", stage.words()));
        pressed.raise(stage, CancelReason::Operator);
    });
    let ended = cancel.clone();
    on(SignalKind::terminate(), move || {
        ui::complain(format!("SIGTERM: {}", Stage::Aborting.words()));
        ended.raise(Stage::Aborting, CancelReason::Operator);
    });
}

fn on(kind: SignalKind, act: impl Fn() + Send + 'static) {
    let Ok(mut signals) = signal(kind) else { return };
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            act();
        }
    });
}
