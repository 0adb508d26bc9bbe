//! Stores what moves took, as a basis for the forecasts of the next ones. Pure, except for the storing.

use std::collections::BTreeMap;

use super::engine::{Engine, Event};
use super::run_state::RunState;
use crate::model::{Message, Millis, ZoneName};
use crate::plan::{
    BuiltPlan, Calibration, Costs, FleetHost, FleetZone, Forecast, History, HostKey, Observation,
    PlannedMove, Trip,
};
use crate::store::{Expectation, Move, MoveState, PastMove};

/// What is known from these moves, oldest first.
pub(super) fn learnt(trips: &[PastMove]) -> History {
    let costs = Costs::default();
    let calibration = trips.iter().fold(Calibration::default(), |known, past| {
        let host = |name: &str| FleetHost::new(HostKey::Name(name.to_owned()));
        let (from, to) = (host(&past.source), host(&past.dest));
        let zone = FleetZone {
            running: true,
            memory: past.memory,
            memory_used: past.memory,
            ..FleetZone::new(past.zone.clone(), from.name.clone())
        };
        let trip = Trip { zone: &zone, method: past.method, from: &from, to: &to, rate: past.rate };
        let model =
            Forecast { total_ms: past.model_ms, late_ms: past.model_ms, downtime_ms: past.model_downtime_ms };
        known.learn(&trip, &Observation { model, total_ms: past.took_ms, downtime_ms: past.downtime_ms })
    });
    History { costs, calibration, stream: None }
}

/// The successful moves of a plan.
fn past(built: &BuiltPlan, moves: &[Move]) -> Vec<PastMove> {
    let by_name: BTreeMap<_, _> = moves.iter().map(|one| (&one.zone, one)).collect();
    let of_move = |planned: &PlannedMove| {
        let zone = built.zone(planned.zone)?;
        let ended = by_name
            .get(&zone.name)
            .filter(|one| matches!(one.state, MoveState::Evacuated | MoveState::Returned))?;
        let (from, to) = (built.host_of(planned.from)?, built.host_of(planned.to)?);
        let trip = Trip { zone, method: planned.method, from, to, rate: planned.rate };
        let model = Costs::default().forecast(&trip).ok()?;
        Some(PastMove {
            zone: ended.zone.clone(),
            source: from.name.to_string(),
            dest: to.name.to_string(),
            method: planned.method,
            memory: zone.memory_used,
            rate: planned.rate,
            model_ms: model.total_ms,
            model_downtime_ms: model.downtime_ms,
            took_ms: ended.figures.ended?.since(ended.figures.started?),
            downtime_ms: ended.figures.downtime,
            ended: ended.figures.ended?,
        })
    };
    built.plan.moves.iter().filter_map(of_move).collect()
}

impl Engine {
    /// Stores what the moves of that plan took. It only improves forecasts, so errors are ignored.
    pub(super) fn learn(&self, built: &BuiltPlan, run_state: &RunState) {
        if let Some(run) = run_state.run()
            && let Err(error) = self.store.record_past_moves(run, &past(built, &run_state.moves()))
        {
            self.events.emit(&Event::Warning(
                Message::from(error).about("the times of these moves are not recorded"),
            ));
        }
    }

    /// Estimates, after some moves have ended, when the last one will, and when and for how long each waiting
    /// zone moves.
    pub(super) fn expect(&self, built: &BuiltPlan, ended: &[ZoneName], begun: Millis, run_state: &RunState) {
        // The planner knows nothing of these moves.
        if built.plan.moves.is_empty() {
            return;
        }
        let now = Self::now();
        let (names, elapsed) = (ended.iter().collect::<Vec<_>>(), now.since(begun));
        let (left, margin) = built.remaining(&names, elapsed);
        let (end, etas) = (now.after(left), built.etas(&names, elapsed));
        let of_zone = |zone: &ZoneName| {
            let eta = etas.get(zone)?;
            let (start, duration) = (now.after(eta.start_ms), eta.duration_ms);
            Some(Expectation { start, duration, downtime: eta.downtime_ms })
        };
        // Only for people: the next step notices that the store cannot be written.
        let _ = run_state.expect((end, margin), of_zone);
        self.events.emit(&Event::Estimate { end, margin });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::sample;

    #[test]
    fn moves_that_took_twice_as_long_as_the_model_says_are_expected_to_do_so_again() {
        let slow = |took_ms| PastMove { model_ms: 10_000, took_ms, ..sample::past_move("web") };
        let known = learnt(&vec![slow(20_000); 30]);
        let host = |name: &str| FleetHost::new(name.parse().unwrap());
        let past = sample::past_move("web");
        let zone = FleetZone {
            running: true,
            memory_used: past.memory,
            ..FleetZone::new("zone".parse().unwrap(), "host".parse().unwrap())
        };
        let (from, to) = (host(&past.source), host(&past.dest));
        let trip = Trip { zone: &zone, method: past.method, from: &from, to: &to, rate: past.rate };
        let model = known.costs.forecast(&trip).unwrap();
        let ratio = known.calibration.correct(&trip, model).total_ms as f64 / model.total_ms as f64;
        assert!((1.8..=2.0).contains(&ratio), "{ratio}");
        assert_eq!(learnt(&[]).calibration, Calibration::default());
    }
}
