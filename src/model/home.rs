//! The host that a zone belongs to.

use serde::{Deserialize, Serialize};

use super::HostId;

/// The host that a zone belongs to, wherever it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// Its name, as it names itself.
    pub name: String,
    /// Which host that is; none if it has only left a manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<HostId>,
}

impl Home {
    /// Whether it is that host.
    pub fn is(&self, name: &str, id: HostId) -> bool {
        self.id.map_or(self.name == name, |own| own == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_known_by_its_identity_and_by_its_name_only_where_that_is_all_that_is_known() {
        let home = |id| Home { name: "h1".into(), id };
        let (own, other) = (HostId::test(1), HostId::test(2));
        assert!(home(Some(own)).is("h9", own) && home(None).is("h1", other));
        assert!(!home(Some(own)).is("h1", other) && !home(None).is("h9", own));
    }
}
