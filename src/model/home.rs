//! The host to which a zone belongs.

use serde::{Deserialize, Serialize};

use super::HostId;

/// The host to which a zone belongs, wherever the zone is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// The name that the host gives itself.
    pub name: String,
    /// None if only a replica says which host it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<HostId>,
}

impl Home {
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
