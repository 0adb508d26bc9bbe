//! Guests that ran when their move began, and run nowhere now: that is said until they run, return, or are given up.
//!
//! An interrupted move can end so although its zone is whole: the image that was held at its destination is lost with the
//! hypervisor there, its source having ended. Nobody boots such a guest unasked: what it was doing is lost, and its owner
//! has to know.

use super::recover::{View, view};
use super::{Engine, EvacuationError};
use crate::host::Host;
use crate::model::{Kind, ZoneName};
use crate::store::{Away, AwayPhase, MoveState};

/// A guest that is down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    /// The zone.
    pub zone: ZoneName,
    /// Where it is, and what boots it.
    pub reason: String,
}

impl Engine {
    /// What is so with a zone whose move has just been settled: none unless it ran, and does not where it is now.
    pub(super) async fn down_after(&self, row: &Away, place: &dyn Host) -> Option<Down> {
        if !self.ran(row) || view(place, row).await != View::Installed {
            return None;
        }
        let command = self.local.platform().boot_command(&row.zone, row.brand);
        let reason = format!(
            "it ran before its move and does not run on {name}; its memory is lost; boot it there: {command}",
            name = place.name()
        );
        Some(Down { zone: row.zone.clone(), reason })
    }

    /// Whether it ran when the move began that was interrupted: one that comes home may have been down at its refuge.
    fn ran(&self, row: &Away) -> bool {
        let latest = self.store.latest_run(None).ok().flatten();
        let moves = latest.map(|(_, moves)| moves).unwrap_or_default();
        let kind = moves.iter().find(|one| one.zone == row.zone).and_then(|one| one.kind);
        row.was_running && !(row.phase == AwayPhase::Returning && kind == Some(Kind::Cold))
    }

    /// Writes down in the latest run that a zone which has stayed does not run where it is.
    pub(super) fn note_down(&self, down: &Down) -> Result<(), EvacuationError> {
        let Some((run, moves)) = self.store.latest_run(None)? else { return Ok(()) };
        if let Some(mut a_move) = moves.into_iter().find(|one| one.zone == down.zone) {
            (a_move.state, a_move.error) = (MoveState::Failed, Some(down.reason.clone()));
            self.store.save_moves(run.id, &[a_move])?;
        }
        Ok(())
    }

    /// Looks again at the zones that are away and were found down: one that runs meanwhile is forgotten as such.
    pub(super) async fn look_at_those_down(&self) -> Result<(), EvacuationError> {
        let rows: Vec<_> = self.store.away()?.into_iter().filter(|row| row.down.is_some()).collect();
        let connected = self.peers.connect(rows.iter().map(|row| row.refuge.clone())).await;
        for row in rows {
            let Some(Ok(refuge)) = connected.get(&row.refuge) else { continue };
            if !matches!(view(refuge.as_ref(), &row).await, View::Installed | View::Silent) {
                self.store.update_away(&Away { down: None, ..row })?;
            }
        }
        Ok(())
    }

    /// Those that are away and down, as far as was seen last.
    pub(super) fn away_and_down(&self) -> Result<Vec<Down>, EvacuationError> {
        let rows = self.store.away()?.into_iter();
        Ok(rows.filter_map(|row| Some(Down { zone: row.zone, reason: row.down? })).collect())
    }
}
