//! Zones that count as away and are here: somebody has brought them back with other means, or the record is older than
//! that, from a backup. Pure.

use super::status::Status;
use crate::model::Inventory;
use crate::store::{Away, AwayPhase};

impl Status {
    /// Tells so of each of them. What is already told of one stays.
    pub fn tell_what_is_here(&mut self, away: &[Away], here: &Inventory) {
        let settled = away.iter().filter(|away| away.phase == AwayPhase::Away && !away.one_way);
        for away in settled {
            let Some(zone) = here.zones.iter().find(|zone| zone.uuid == away.uuid) else { continue };
            let Some(row) = self.rows.iter_mut().find(|row| row.zone == away.zone) else { continue };
            let is = if zone.is_running() { "runs" } else { "is" };
            row.error.get_or_insert_with(|| {
                format!("it {is} here; 'sysadm evacuate --resume' asks both hosts and settles it")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ZoneState;
    use crate::store::tests::{sample, sample_zone};

    fn told(phase: AwayPhase, change: impl FnOnce(&mut Away), state: ZoneState) -> Option<String> {
        let mut away = sample::away("a", phase).0;
        let mut zone = sample_zone("a");
        (zone.uuid, zone.state) = (away.uuid, state);
        away.down = None;
        change(&mut away);
        let away = [away];
        let mut status = super::super::rows("h1", &away, &[], None, false);
        status.tell_what_is_here(&away, &Inventory { zones: vec![zone], unmanaged: Vec::new() });
        status.rows[0].error.clone()
    }

    #[test]
    fn a_zone_that_counts_as_away_and_is_here_is_told() {
        let settles = "'sysadm evacuate --resume' asks both hosts and settles it";
        let of = |state| told(AwayPhase::Away, |_| {}, state);
        assert_eq!(of(ZoneState::Running), Some(format!("it runs here; {settles}")));
        assert_eq!(of(ZoneState::Installed), Some(format!("it is here; {settles}")));
    }

    #[test]
    fn what_is_told_already_stays_and_another_zone_of_the_name_is_none() {
        let down = told(AwayPhase::Away, |away| away.down = Some("it is down".into()), ZoneState::Running);
        assert_eq!(down.as_deref(), Some("it is down"));
        let other = told(AwayPhase::Away, |away| away.uuid = uuid::Uuid::from_u128(99), ZoneState::Running);
        assert_eq!(other, None);
        let half = told(AwayPhase::Leaving, |_| {}, ZoneState::Running).unwrap();
        assert!(half.starts_with("interrupted"), "{half}");
    }
}
