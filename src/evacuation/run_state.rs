//! What a run does with each of its zones, in memory and in the store: what `evacuate -l` shows meanwhile.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::job::Candidate;
use crate::model::{Millis, ZoneName};
use crate::store::{Expectation, Move, Store, StoreError};

/// The moves of one run.
pub struct RunState {
    store: Arc<Store>,
    run: Option<i64>,
    moves: Mutex<BTreeMap<ZoneName, Move>>,
    cut_short: AtomicBool,
}

impl RunState {
    /// The board of a run that is in the store.
    pub fn new(store: Arc<Store>, run: i64, candidates: &[Candidate]) -> Self {
        Self { run: Some(run), ..Self::unsaved(store, candidates) }
    }

    /// The board of a dry run, which nobody else sees.
    pub fn unsaved(store: Arc<Store>, candidates: &[Candidate]) -> Self {
        let moves = candidates.iter().map(|candidate| {
            let blank = Move { brand: Some(candidate.brand), ..Move::new(candidate.zone.clone()) };
            (candidate.zone.clone(), blank)
        });
        Self { store, run: None, moves: Mutex::new(moves.collect()), cut_short: AtomicBool::new(false) }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<ZoneName, Move>> {
        self.moves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the run; none for a dry one.
    pub const fn run(&self) -> Option<i64> {
        self.run
    }

    /// Something is left undone because the run was given up.
    pub fn cut_short(&self) {
        self.cut_short.store(true, Ordering::Relaxed);
    }

    /// Whether something is.
    pub fn is_cut_short(&self) -> bool {
        self.cut_short.load(Ordering::Relaxed)
    }

    /// Writes all of them down.
    pub fn save_all(&self) -> Result<(), StoreError> {
        let moves = self.moves();
        self.run.map_or(Ok(()), |run| self.store.save_moves(run, &moves))
    }

    /// Changes one and writes it down; gives it as it is then.
    pub fn change(&self, zone: &ZoneName, change: impl FnOnce(&mut Move)) -> Result<Move, StoreError> {
        let changed = {
            let mut moves = self.locked();
            let a_move = moves.entry(zone.clone()).or_insert_with(|| Move::new(zone.clone()));
            change(a_move);
            a_move.clone()
        };
        if let Some(run) = self.run {
            self.store.save_moves(run, std::slice::from_ref(&changed))?;
        }
        Ok(changed)
    }

    /// Writes down when all is expected to have moved and by how many ms it may be later, and what is expected of those
    /// that have not begun.
    pub fn expect(
        &self,
        end: (Millis, u64),
        of: impl Fn(&ZoneName) -> Option<Expectation>,
    ) -> Result<(), StoreError> {
        let mut changed = Vec::new();
        for a_move in self.locked().values_mut().filter(|one| one.started.is_none() && !one.state.is_final())
        {
            if let Some(expectation) = of(&a_move.zone) {
                a_move.expected = Some(expectation);
                changed.push((a_move.zone.clone(), expectation));
            }
        }
        // Not the whole rows: what has become of a zone meanwhile is written by its own move.
        self.run.map_or(Ok(()), |run| self.store.expect(run, end, &changed))
    }

    /// All of them, by zone name.
    pub fn moves(&self) -> Vec<Move> {
        self.locked().values().cloned().collect()
    }
}
