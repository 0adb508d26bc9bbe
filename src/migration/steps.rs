//! The steps of everything that is done with a zone, as data.
//!
//! ```text
//!   live:     reserve ─► prepare ─► transfer ─► switch ─► settle
//!   cold:     reserve ─► attach ─► detach ─► settle
//!   restart:  reserve ─► attach ─► shutdown ─► boot ─► detach ─► settle
//!   stop:     shutdown     suspend:  save     boot:  boot
//! ```
//!
//! A [`Procedure`] is a list of [`StepSpec`]. [`super::runner`] carries it out and undoes it, [`super::recovery`]
//! derives from it what an interrupted move may have left behind, `evacuate -l` prints what was interrupted, and
//! `docs/recovery.md` shows it. The failpoints and zoneadm's messages are tested against it.
//!
//! A cold zone is attached at the destination before it is detached at the source, so its configuration is whole
//! on at least one host at every moment. A zone that is restarted is shut down only when its destination is ready
//! for it.

use crate::model::{Method, Step, words};

words! {
    /// What is done with a zone.
    Procedure, "procedure" {
        /// The zone is moved while it runs.
        Live = "live",
        /// The zone is moved while it does not run.
        Cold = "cold",
        /// The zone is shut down, moved, and booted at its destination.
        Restart = "restart",
        /// The zone is shut down and stays.
        Stop = "stop",
        /// The zone's memory is saved to a file, and the zone stays.
        Suspend = "suspend",
        /// The zone was stopped or suspended in place, and is booted again.
        Boot = "boot",
    }
}

words! {
    /// One of the two hosts of a move. A zone that stays has only a source.
    Side, "side" {
        /// The host where the zone is.
        Source = "source",
        /// The host where the zone goes.
        Destination = "destination",
    }
}

words! {
    /// Where a zone that ran runs during a step, until the act takes effect.
    Running, "place" {
        Source = "at the source",
        /// Nowhere: its complete image is held at the destination, and each millisecond counts.
        Held = "held at the destination",
        /// Nowhere: it is shut down.
        Nowhere = "nowhere",
        Destination = "at the destination",
    }
}

words! {
    /// How a step is undone, whether its act was completed or not.
    Undo, "undo" {
        /// Releases the reservation at the destination; also at the end of the move.
        Release = "release",
        /// Closes the sockets at the destination; also at the end of the move.
        CloseIncoming = "close incoming",
        /// Destroys the image at the destination when the zone is known to run at the source.
        DestroyImage = "destroy image",
        /// Undefines the zone at the destination.
        Undefine = "undefine",
        /// Boots the zone at the source.
        BootAtSource = "boot at source",
    }
}

impl Undo {
    /// Whether it is always done at the end of the procedure. It does not touch the zone.
    pub const fn is_cleanup(self) -> bool {
        matches!(self, Self::Release | Self::CloseIncoming)
    }
}

/// What is known of a move that was interrupted in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// The zone had not left its source.
    BeforeItLeft,
    /// Either host may have the zone; what was going on.
    While(&'static str),
    /// The zone had arrived at its destination.
    AfterItCame,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepSpec {
    pub step: Step,
    /// The hosts that act.
    pub acts_on: &'static [Side],
    /// Whether it can be undone when it is done; if not, the procedure only goes forward from then on.
    pub is_reversible: bool,
    /// How it is undone.
    pub undo: Option<Undo>,
    /// Where the zone runs during the step, if it ran before.
    pub running_during: Running,
    /// What is known if it is interrupted.
    pub interrupted: Interrupted,
}

const BOTH: &[Side] = &[Side::Source, Side::Destination];
const SOURCE: &[Side] = &[Side::Source];
const DESTINATION: &[Side] = &[Side::Destination];

const MEMORY: Interrupted = Interrupted::While("its memory went");
const CONFIGURATION: Interrupted = Interrupted::While("its configuration went");
const RESTART: Interrupted = Interrupted::While("it was restarted on its way");

const fn reversible(step: Step, acts_on: &'static [Side], undo: Undo, running_during: Running) -> StepSpec {
    let interrupted = match step {
        Step::Attach => CONFIGURATION,
        Step::Shutdown => RESTART,
        _ => Interrupted::BeforeItLeft,
    };
    StepSpec { step, acts_on, is_reversible: true, undo: Some(undo), running_during, interrupted }
}

const fn forward(
    step: Step,
    acts_on: &'static [Side],
    undo: Option<Undo>,
    running_during: Running,
    interrupted: Interrupted,
) -> StepSpec {
    StepSpec { step, acts_on, is_reversible: false, undo, running_during, interrupted }
}

const LIVE: &[StepSpec] = &[
    reversible(Step::Reserve, DESTINATION, Undo::Release, Running::Source),
    reversible(Step::Prepare, BOTH, Undo::CloseIncoming, Running::Source),
    forward(Step::Transfer, SOURCE, Some(Undo::DestroyImage), Running::Source, MEMORY),
    forward(Step::Switch, DESTINATION, None, Running::Held, MEMORY),
    forward(Step::Settle, BOTH, None, Running::Destination, Interrupted::AfterItCame),
];

const COLD: &[StepSpec] = &[
    reversible(Step::Reserve, DESTINATION, Undo::Release, Running::Nowhere),
    reversible(Step::Attach, DESTINATION, Undo::Undefine, Running::Nowhere),
    forward(Step::Detach, SOURCE, None, Running::Nowhere, CONFIGURATION),
    forward(Step::Settle, DESTINATION, None, Running::Nowhere, Interrupted::AfterItCame),
];

const RESTARTED: &[StepSpec] = &[
    reversible(Step::Reserve, DESTINATION, Undo::Release, Running::Source),
    reversible(Step::Attach, DESTINATION, Undo::Undefine, Running::Source),
    reversible(Step::Shutdown, SOURCE, Undo::BootAtSource, Running::Source),
    forward(Step::Boot, DESTINATION, None, Running::Nowhere, RESTART),
    forward(Step::Detach, SOURCE, None, Running::Destination, CONFIGURATION),
    forward(Step::Settle, DESTINATION, None, Running::Destination, Interrupted::AfterItCame),
];

const STOP: &[StepSpec] = &[forward(Step::Shutdown, SOURCE, None, Running::Source, RESTART)];
const SUSPEND: &[StepSpec] = &[forward(Step::Save, SOURCE, None, Running::Source, RESTART)];
const BOOT: &[StepSpec] = &[forward(Step::Boot, SOURCE, None, Running::Nowhere, RESTART)];

impl Procedure {
    /// The procedures that move a zone.
    pub const MOVES: [Self; 3] = [Self::Live, Self::Cold, Self::Restart];

    /// Its steps, in order.
    pub const fn steps(self) -> &'static [StepSpec] {
        match self {
            Self::Live => LIVE,
            Self::Cold => COLD,
            Self::Restart => RESTARTED,
            Self::Stop => STOP,
            Self::Suspend => SUSPEND,
            Self::Boot => BOOT,
        }
    }

    /// The steps up to and including that one; none if the procedure does not have it.
    pub fn up_to(self, step: Step) -> &'static [StepSpec] {
        let number = self.steps().iter().position(|spec| spec.step == step);
        number.and_then(|number| self.steps().get(..=number)).unwrap_or_default()
    }

    /// Whether a zone that ran begins to run at its destination with the end of that step.
    pub fn arrives_with(self, step: Step) -> bool {
        let arrives = |pair: &[StepSpec]| match pair {
            [this, next] => {
                this.step == step
                    && this.running_during != Running::Destination
                    && next.running_during == Running::Destination
            }
            _ => false,
        };
        self.steps().windows(2).any(arrives)
    }
}

impl From<Method> for Procedure {
    fn from(method: Method) -> Self {
        match method {
            Method::Live => Self::Live,
            Method::Cold => Self::Cold,
            Method::Restart => Self::Restart,
        }
    }
}

/// What is known of a move that was interrupted in this step, by any method.
pub fn interrupted(step: Step) -> Option<Interrupted> {
    let specs = Procedure::ALL.iter().flat_map(|procedure| procedure.steps());
    specs.into_iter().find(|spec| spec.step == step).map(|spec| spec.interrupted)
}

#[cfg(test)]
mod tests;
