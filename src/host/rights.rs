//! What a peer with role `migrate` may do with which zone: it may move its own zones, and must leave all others
//! alone.
//!
//! [`Access::is_allowed`] is the whole table, `docs/security.md` has the same for people. A zone on this host is a
//! peer's own if the peer is bringing it, has brought it, or is one of those for whom it was brought: the hosts
//! from which it had come to the place where it was before. Over ssh, and with role `admin`, every zone is the
//! peer's own.

use uuid::Uuid;

use super::Call;
use crate::model::{Message, ZoneName, words};

words! {
    /// The relation of a zone to a peer.
    Relation, "relation" {
        /// The host knows no such zone.
        Absent = "absent",
        /// The zone is the peer's own.
        Own = "own",
        /// The peer brings it, or has brought it, to the host to which it belongs.
        Home = "home",
        /// Another peer has reserved room for it.
        Expected = "expected",
        /// Another peer has brought it.
        Foreign = "foreign",
        /// It is the host's own: no peer has brought it.
        Resident = "resident",
    }
}

words! {
    /// What a request does with a zone.
    Access, "access" {
        /// It only reads, is protected by a token or by the asker's name, or is about no zone.
        Read = "read",
        /// It asks whether a zone may come.
        Reserve = "reserve",
        /// It brings a zone, or ends the arrival.
        Bring = "bring",
        /// It takes a zone away.
        Fetch = "fetch",
    }
}

impl Access {
    /// What a request does.
    pub const fn of(call: &Call) -> Self {
        match call {
            Call::facts {}
            | Call::inventory {}
            | Call::survey { .. }
            | Call::location { .. }
            | Call::check { .. }
            | Call::progress { .. }
            | Call::manifest { .. }
            | Call::verify_storage { .. }
            | Call::clear_markers { .. }
            | Call::store_replica { .. }
            | Call::drop_replicas { .. }
            | Call::close_incoming { .. } => Self::Read,
            Call::reserve { .. } => Self::Reserve,
            Call::renew { .. }
            | Call::release { .. }
            | Call::attach { .. }
            | Call::open_incoming { .. }
            | Call::resume { .. }
            | Call::destroy_incoming { .. }
            | Call::boot { .. }
            | Call::keep { .. }
            | Call::set_autostart { .. }
            | Call::detach { gone: false, .. } => Self::Bring,
            Call::export { .. }
            | Call::send { .. }
            | Call::abort { .. }
            | Call::wait_sent { .. }
            | Call::shutdown { .. }
            | Call::detach { gone: true, .. } => Self::Fetch,
        }
    }

    /// Whether a peer may do that with a zone of that relation. Nothing may be done with a zone that is absent.
    pub const fn is_allowed(self, relation: Relation) -> bool {
        match (self, relation) {
            (Self::Read, _) | (_, Relation::Absent | Relation::Own) => true,
            (Self::Reserve | Self::Bring, Relation::Home) | (Self::Reserve, Relation::Resident) => true,
            (Self::Fetch, Relation::Home) | (Self::Bring | Self::Fetch, Relation::Resident) => false,
            (_, Relation::Expected | Relation::Foreign) => false,
        }
    }
}

/// How a request identifies its zone. By name only if it has no UUID, or if the UUID is ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    pub zone: Option<ZoneName>,
    pub uuid: Option<Uuid>,
}

impl Named {
    /// The zone that a request is about.
    pub fn by(call: &Call) -> Self {
        let identity = |uuid: &Uuid| Self { zone: None, uuid: Some(*uuid) };
        match call {
            Call::reserve { request, .. } => identity(&request.manifest.zone.uuid),
            Call::attach { manifest } | Call::keep { manifest } | Call::open_incoming { manifest, .. } => {
                identity(&manifest.zone.uuid)
            }
            Call::renew { uuid, .. }
            | Call::release { uuid, .. }
            | Call::detach { uuid, .. }
            | Call::shutdown { uuid, .. }
            | Call::boot { uuid, .. }
            | Call::resume { uuid, .. }
            | Call::destroy_incoming { uuid, .. } => identity(uuid),
            Call::export { zone }
            | Call::set_autostart { zone, .. }
            | Call::abort { zone }
            | Call::wait_sent { zone } => Self { zone: Some(zone.clone()), uuid: None },
            Call::send { zone, .. } => Self { zone: Some(zone.name.clone()), uuid: Some(zone.uuid) },
            Call::facts {}
            | Call::inventory {}
            | Call::survey { .. }
            | Call::location { .. }
            | Call::check { .. }
            | Call::progress { .. }
            | Call::manifest { .. }
            | Call::verify_storage { .. }
            | Call::clear_markers { .. }
            | Call::store_replica { .. }
            | Call::drop_replicas { .. }
            | Call::close_incoming { .. } => Self::default(),
        }
    }
}

/// The relation of a zone to a peer, and why it is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub relation: Relation,
    /// A fact that names the zone and the host.
    pub reason: Message,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is allowed, for every access and relation.
    const ALLOWED: &[(Access, &[Relation])] = &[
        (Access::Read, Relation::ALL),
        (Access::Reserve, &[Relation::Absent, Relation::Own, Relation::Home, Relation::Resident]),
        (Access::Bring, &[Relation::Absent, Relation::Own, Relation::Home]),
        (Access::Fetch, &[Relation::Absent, Relation::Own]),
    ];

    #[test]
    fn each_access_is_allowed_with_these_zones_and_no_others() {
        assert_eq!(ALLOWED.iter().map(|(access, _)| *access).collect::<Vec<_>>(), Access::ALL);
        for (access, allowed) in ALLOWED {
            for relation in Relation::ALL {
                assert_eq!(access.is_allowed(*relation), allowed.contains(relation), "{access} {relation}");
            }
        }
    }

    /// The document's words for an access.
    const WORDS: &[(&str, Access)] = &[
        ("any", Access::Read),
        ("one that may come", Access::Reserve),
        ("one it brings", Access::Bring),
        ("its own", Access::Fetch),
    ];

    #[test]
    fn the_document_on_security_says_with_which_zones_each_question_is_allowed() {
        let document = include_str!("../../docs/security.md");
        let rows: Vec<Vec<_>> = document
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"))
            .map(|line| line.split(" | ").collect())
            .collect();
        let access_of =
            |row: &[&str]| WORDS.iter().find(|(word, _)| row.get(2) == Some(word)).map(|(_, access)| *access);
        for call in every_call() {
            let name = match &call {
                Call::detach { gone: true, .. } => "detach gone",
                call => call.name(),
            };
            let row = rows.iter().find(|row| row[0] == format!("{name}`"));
            let row = row.unwrap_or_else(|| panic!("{name} is in no row"));
            assert_eq!(access_of(row), Some(Access::of(&call)), "{name}: {row:?}");
        }
    }

    #[test]
    fn a_question_that_does_something_names_its_zone() {
        for call in every_call() {
            let is_named = Named::by(&call) != Named::default();
            assert_eq!(is_named, Access::of(&call) != Access::Read, "{}", call.name());
        }
    }

    /// One request of each kind; both forms of `detach`.
    fn every_call() -> Vec<Call> {
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let manifest = serde_json::to_value(crate::store::tests::sample::manifest("web")).unwrap();
        let uuid = Uuid::nil().to_string();
        let token = "0".repeat(32);
        let request = serde_json::json!({
            "manifest": manifest, "method": "live", "from": "h1", "overwrite": false,
        });
        let standby = serde_json::json!({
            "manifest": manifest, "origin": "h1", "via": "rads://h2", "others": [],
        });
        // Every argument of any request; each uses its own.
        let all = serde_json::json!({
            "zone": "web", "uuid": uuid, "token": token, "manifest": manifest, "request": request, "lease": 1,
            "standby": standby, "origin": "h1", "zones": [], "ticket": value(r#"{"marks": []}"#), "measure": false,
            "limit": 1, "autostart": true,
        });
        let make = |name: &str, gone: bool| {
            let mut arguments = all.clone();
            arguments["gone"] = gone.into();
            if name == "send" {
                arguments["zone"] = manifest["zone"].clone();
            }
            serde_json::from_value::<Call>(serde_json::json!({ name: arguments })).unwrap()
        };
        let names = Call::ALL.iter().map(|(name, _)| *name);
        names.map(|name| make(name, false)).chain([make("detach", true)]).collect()
    }
}
