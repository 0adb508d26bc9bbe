//! Whether a zone that wants to come is one that is here already.

use crate::model::Zone;

/// What is wrong with another zone of this name or identity. `{}` stands for the other one's name.
pub(super) fn clash(
    zone: &Zone,
    same_name: bool,
    same_uuid: bool,
    runs: bool,
    overwrite: bool,
) -> Option<String> {
    match (same_name, same_uuid) {
        (false, false) => None,
        (true, true) if runs => Some(format!("{} runs there already", zone.name)),
        (true, true) if overwrite => None,
        (true, true) => Some(format!(
            "{} is there already, installed; -w of evacuate and migrate overwrites that",
            zone.name
        )),
        (true, false) => Some(format!("another zone is called {} there", zone.name)),
        (false, true) => Some(format!("zone {{}} has the same UUID there ({})", zone.uuid)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::sample_zone as sample;

    #[test]
    fn every_clash_is_told_apart() {
        let zone = sample("evac1");
        let reason = |name, uuid, runs, overwrite| clash(&zone, name, uuid, runs, overwrite);
        assert_eq!(reason(false, false, true, false), None);
        assert_eq!(reason(true, true, false, true), None);
        assert!(reason(true, true, true, true).unwrap().contains("runs there already"));
        assert!(
            reason(true, true, false, false).unwrap().contains("there already, installed; -w of evacuate")
        );
        assert!(reason(true, false, false, true).unwrap().contains("another zone is called evac1"));
        assert!(reason(false, true, false, true).unwrap().contains("same UUID"));
    }
}
