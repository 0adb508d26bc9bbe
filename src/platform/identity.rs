//! Whether an incoming zone conflicts with a zone that the host already has.

use crate::model::Zone;

/// A zone of the host, compared with the incoming one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Other<'a> {
    /// Its name in messages.
    pub label: &'a str,
    pub same_name: bool,
    pub same_uuid: bool,
    pub runs: bool,
}

/// Why the other zone rules out that `zone` arrives. If it is the same zone and may be overwritten, it does not.
pub(super) fn clash(zone: &Zone, other: &Other<'_>, overwrite: bool) -> Option<String> {
    let name = &zone.name;
    match (other.same_name, other.same_uuid) {
        (false, false) => None,
        (true, true) if other.runs => Some(format!("{name} runs there already")),
        (true, true) if overwrite => None,
        (true, true) => {
            Some(format!("{name} is there already, installed; -w of evacuate and migrate overwrites that"))
        }
        (true, false) => Some(format!("another zone is called {name} there")),
        (false, true) => Some(format!("zone {} has the same UUID there ({})", other.label, zone.uuid)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::sample::zone as sample;

    #[test]
    fn every_clash_is_told_apart() {
        let zone = sample("evac1");
        let reason = |same_name, same_uuid, runs, overwrite| {
            clash(&zone, &Other { label: "{}", same_name, same_uuid, runs }, overwrite)
        };
        assert_eq!(reason(false, false, true, false), None);
        assert_eq!(reason(true, true, false, true), None);
        assert!(reason(true, true, true, true).unwrap().contains("runs there already"));
        assert!(
            reason(true, true, false, false).unwrap().contains("there already, installed; -w of evacuate")
        );
        assert!(reason(true, false, false, true).unwrap().contains("another zone is called evac1"));
        // The name of the other zone may be any text.
        assert!(reason(false, true, false, true).unwrap().starts_with("zone {} has the same UUID there"));
    }
}
