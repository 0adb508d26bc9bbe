//! Guests that ran when their move began, and do not run now: this is reported until they run, return, or their
//! record is discarded.
//!
//! An interrupted move can end like that although its zone is whole: the image held at its destination is lost
//! with the hypervisor there after its source has ended. Such a guest is not booted automatically: its state is
//! lost, and its owner has to know. One that has crashed at its refuge, or whose end is unknown, is down when it
//! is home again. One that was shut down or powered off there was stopped on purpose, and comes home as it is.

use super::engine::Engine;
use super::error::EvacuationError;
use super::operation::Operation;
use super::outcome::Down;
use super::record::MoveContext;
use crate::host::Host;
use crate::migration::recovery::Observed;
use crate::migration::settle::observe;
use crate::model::{Ended, Method};
use crate::store::{Move, MoveState, Place, ZoneRecord};

impl Engine {
    /// The report about a zone whose move has just been settled: none unless it ran, and does not run where it is
    /// now.
    pub(super) async fn down_after(
        &self,
        row: &ZoneRecord,
        place: &dyn Host,
    ) -> Result<Option<Down>, EvacuationError> {
        if !self.ran(row)? || observe(place, row.uuid).await != Observed::Installed {
            return Ok(None);
        }
        let command = self.local.boot_command(&row.zone, row.uuid, row.brand);
        let reason = format!(
            "it ran before its move and does not run on {name}; its memory is lost; boot it there: {command}",
            name = place.name()
        );
        Ok(Some(Down { zone: row.zone.clone(), reason }))
    }

    /// Whether the zone ran when the interrupted move began: one that comes home may have been down at its refuge.
    fn ran(&self, row: &ZoneRecord) -> Result<bool, EvacuationError> {
        let moves = self.store.latest_run(None)?.map(|(_, moves)| moves).unwrap_or_default();
        let kind = moves.iter().find(|one| one.zone == row.zone).and_then(|one| one.kind);
        let was_down = row.place == Place::Returning && kind == Some(Method::Cold);
        Ok(row.was_running && (!was_down || row.down.is_some()))
    }

    /// Records in the latest run that a zone which has stayed does not run.
    pub(super) fn note_down(&self, down: &Down) -> Result<(), EvacuationError> {
        let Some((run, moves)) = self.store.latest_run(None)? else { return Ok(()) };
        if let Some(mut a_move) = moves.into_iter().find(|one| one.zone == down.zone) {
            (a_move.state, a_move.error) = (MoveState::Failed, Some(down.reason.clone()));
            self.store.save_moves(run.id, &[a_move])?;
        }
        Ok(())
    }

    /// The guests that were found down before this run, and those that it has brought home in that state. One
    /// that has moved is down where it is now.
    pub(super) fn still_down(&self, found: Vec<Down>, moves: &[Move]) -> Vec<Down> {
        // Zones that are away may have been booted or have come home meanwhile, by this run or by another host.
        // If the store cannot be read nothing has changed; the end of the run reports the error.
        let away = self.store.away();
        let is_down = |one: &Down| match &away {
            Ok(away) => {
                let row = away.iter().find(|row| row.zone == one.zone);
                row.is_none_or(|row| row.down.as_ref() == Some(&one.reason))
            }
            Err(_) => true,
        };
        let mut down = Vec::new();
        for one in found {
            match moves.iter().find(|a_move| a_move.zone == one.zone) {
                None if is_down(&one) => down.push(one),
                Some(a_move) if a_move.state == MoveState::Evacuated && a_move.kind == Some(Method::Cold) => {
                    let reason =
                        "it ran when an earlier move of it began, did not run any more, and has moved so";
                    down.push(Down { reason: reason.to_owned(), ..one });
                }
                _ => {}
            }
        }
        let home = moves.iter().filter(|a_move| a_move.state == MoveState::Returned);
        down.extend(home.filter_map(|one| Some(Down { zone: one.zone.clone(), reason: one.error.clone()? })));
        down
    }

    /// Looks again at the zones that are away and were found down: one that runs now is no longer down.
    pub(super) async fn look_at_those_down(&self) -> Result<(), EvacuationError> {
        let rows: Vec<_> = self.store.away()?.into_iter().filter(|row| row.down.is_some()).collect();
        let connected = self.peers.connect(rows.iter().filter_map(|row| row.location.clone())).await;
        for row in rows {
            let refuge = row.location.as_ref().and_then(|uri| connected.get(uri));
            let Some(Ok(refuge)) = refuge else { continue };
            if !matches!(observe(refuge.as_ref(), row.uuid).await, Observed::Installed | Observed::Silent) {
                self.store.update_zone(&ZoneRecord { down: None, ..row })?;
            }
        }
        Ok(())
    }

    /// The zones that are away and were down when they were last seen.
    pub(super) fn away_and_down(&self) -> Result<Vec<Down>, EvacuationError> {
        let rows = self.store.away()?.into_iter();
        Ok(rows.filter_map(|row| Some(Down { zone: row.zone, reason: row.down? })).collect())
    }
}

impl MoveContext<'_> {
    /// The report about a guest that has come home and ran when it left, but not any more.
    pub(super) fn came_home_down(&self) -> Option<String> {
        let Operation::Return(away) = &self.job.operation else { return None };
        let zone = &self.task.zone;
        let was_stopped = matches!(zone.ended, Some(Ended::ShutDown | Ended::Destroyed));
        let is_down = away.was_running && self.task.request.kind == Method::Cold;
        if !is_down || (was_stopped && away.down.is_none()) {
            return None;
        }
        let why =
            if zone.ended == Some(Ended::Crashed) { "crashed there" } else { "did not run there any more" };
        let command = self.engine.local.boot_command(&zone.name, zone.uuid, zone.brand);
        Some(format!("it ran when it left, {why}, and is home; boot it here: {command}"))
    }
}
