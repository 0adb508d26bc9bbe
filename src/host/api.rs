//! The list of all requests to a host, from which everything else is generated.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{DiskView, Exported, HostError, Named, Pending, ProbeTicket, Remote, Standing};
use crate::model::{
    Blocker, CheckRequest, Facts, HostId, InterfaceMapping, Inventory, Location, Manifest, Millis, Progress,
    Replica, Role, Sent, StreamId, Takeover, Token, Zone, ZoneName,
};
use crate::plan::Survey;
use crate::transport::ByteStream;

macro_rules! calls {
    ($($(#[$doc:meta])* $role:ident fn $name:ident($($(#[$wire:meta])* $arg:ident: $type:ty),*) -> $reply:ty, within $seconds:literal s;)+) => {
        /// All requests to a host, and its byte streams.
        #[async_trait::async_trait]
        pub trait Host: Send + Sync {
            /// The name by which people know it.
            fn name(&self) -> &str;

            /// Its identity, whatever its name.
            fn id(&self) -> HostId;

            /// Whether its connection works, as far as is known.
            fn is_connected(&self) -> bool {
                true
            }

            $($(#[$doc])* async fn $name(&self, $($arg: $type),*) -> Result<$reply, HostError> {
                $(let _ = $arg;)*
                let reason = concat!("it does not answer '", stringify!($name), "'");
                Err(HostError::unsupported(self.name(), reason))
            })+

            /// The relation of a request's zone to a peer. Only a host's own agent asks this.
            async fn standing(&self, _peer: &str, _named: &Named) -> Result<Standing, HostError> {
                Err(HostError::unsupported(self.name(), "it does not tell whose its zones are"))
            }

            /// Opens a stream to the hypervisor's socket there, at which a live migration arrives.
            async fn connect(&self, token: &Token, stream: StreamId) -> Result<ByteStream, HostError>;

            /// Creates a socket there to which its hypervisor will connect, where a live migration begins.
            async fn listen(&self, token: &Token, stream: StreamId) -> Result<Box<dyn Pending>, HostError>;
        }

        /// A request on the wire.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(non_camel_case_types)]
        pub enum Call { $($name { $($(#[$wire])* $arg: $type),* },)+ }

        impl Call {
            /// All requests, with the role that each needs.
            pub const ALL: &[(&str, Role)] = &[$((stringify!($name), Role::$role)),+];

            /// The role that a peer needs for it.
            pub const fn role(&self) -> Role {
                match self { $(Self::$name { .. } => Role::$role,)+ }
            }

            pub const fn name(&self) -> &'static str {
                match self { $(Self::$name { .. } => stringify!($name),)+ }
            }

            /// The time limit for the reply, in seconds.
            pub const fn seconds(&self) -> u64 {
                match self { $(Self::$name { .. } => $seconds,)+ }
            }

            /// Passes the request to `host`, and serializes the reply.
            pub async fn ask(self, host: &dyn Host) -> Result<serde_json::Value, HostError> {
                match self {
                    $(Self::$name { $($arg),* } => {
                        let reply = host.$name($($arg),*).await?;
                        serde_json::to_value(reply).map_err(|error| {
                            let reason = format!("failed to encode the answer of {}: {error}", stringify!($name));
                            HostError::permanent(host.name(), reason)
                        })
                    })+
                }
            }
        }

        #[async_trait::async_trait]
        impl Host for Remote {
            fn name(&self) -> &str {
                self.host_name()
            }

            fn id(&self) -> HostId {
                self.host_id()
            }

            fn is_connected(&self) -> bool {
                self.is_linked()
            }

            $(async fn $name(&self, $($arg: $type),*) -> Result<$reply, HostError> {
                self.ask(Call::$name { $($arg),* }).await
            })+

            async fn connect(&self, token: &Token, stream: StreamId) -> Result<ByteStream, HostError> {
                self.open_stream(token, stream).await
            }

            async fn listen(&self, token: &Token, stream: StreamId) -> Result<Box<dyn Pending>, HostError> {
                self.open_pending(token, stream).await
            }
        }
    };
}

calls! {
    /// The host's description of itself.
    Observe fn facts() -> Facts, within 30 s;
    /// All its guests.
    Observe fn inventory() -> Inventory, within 30 s;
    /// The host and its zones for the planner. With `measure` it also measures for a second how fast its running
    /// zones write to their memory, which costs them a little.
    Observe fn survey(measure: bool) -> Survey, within 60 s;
    /// Where a zone is, as far as the host knows.
    Observe fn location(uuid: Uuid) -> Location, within 30 s;
    /// All blockers of an arrival. Changes nothing.
    Observe fn check(request: CheckRequest) -> Vec<Blocker>, within 60 s;

    /// The zone's manifest.
    Migrate fn manifest(zone: ZoneName) -> Manifest, within 30 s;
    /// The zone's manifest, and a marker at each piece of its storage for which another host can look. The
    /// markers remain until `clear_markers`.
    Migrate fn export(zone: ZoneName) -> Exported, within 60 s;
    /// Looks for the markers: what this host sees of each piece of storage.
    Migrate fn verify_storage(ticket: ProbeTicket) -> Vec<DiskView>, within 60 s;
    /// Removes the markers.
    Migrate fn clear_markers(ticket: ProbeTicket) -> (), within 60 s;

    /// Keeps a manifest in case the zone's host is lost. Changes nothing else.
    Migrate fn store_replica(standby: Replica) -> (), within 30 s;
    /// Drops the replicas of these zones of `origin`, and returns which of its zones were taken over here.
    /// `recorded` lists the takeovers that `origin` knows already, with their times: these are acknowledged, and not
    /// returned again.
    Migrate fn drop_replicas(origin: String, zones: Vec<Uuid>, #[serde(default)] recorded: Vec<(Uuid, Millis)>)
        -> Vec<Takeover>, within 30 s;

    /// Checks again and reserves room under the zone's name, for `lease` milliseconds. Repeating it extends the
    /// lease. If the platform has a configuration of the zone that is to be replaced, it is kept from then on.
    /// Returns whether there is one.
    Migrate fn reserve(request: CheckRequest, lease: u64) -> bool, within 60 s;
    /// Extends a reservation to `lease` milliseconds from now, and never shortens it; does nothing if there is
    /// none. With 0 its room is given back, but the replaced configuration is still kept.
    Migrate fn renew(zone: ZoneName, uuid: Uuid, lease: u64) -> (), within 30 s;
    /// Gives the reserved room back: the zone is here, or will not come. The replaced configuration is dropped if
    /// the zone is here.
    Migrate fn release(zone: ZoneName, uuid: Uuid) -> (), within 30 s;

    /// Cold: defines the zone, which is then `installed` here. Needs a reservation.
    Migrate fn attach(manifest: Manifest) -> (), within 60 s;
    /// Cold: undefines a zone that does not run. With `gone` it is on another host now, and nothing of it is left
    /// here; otherwise its arrival is undone, and the configuration that it replaced is `configured` again.
    Migrate fn detach(zone: ZoneName, uuid: Uuid, #[serde(default)] gone: bool) -> (), within 60 s;
    /// Shuts a zone down in order and waits for its end, at most `limit` milliseconds: then it is an error, and
    /// the zone runs on. Never ends the zone in any other way. Does nothing if it does not run.
    Migrate fn shutdown(zone: ZoneName, uuid: Uuid, limit: u64) -> (), within 3700 s;
    /// Boots a zone, or restores it from its saved memory. Does nothing and returns false if it runs.
    Migrate fn boot(zone: ZoneName, uuid: Uuid) -> bool, within 600 s;
    /// Defines a zone that runs here without a definition, and so would vanish at its end, although its source
    /// had one.
    Migrate fn keep(manifest: Manifest) -> (), within 60 s;
    /// Sets whether the zone boots with this host.
    Migrate fn set_autostart(zone: ZoneName, autostart: bool) -> (), within 30 s;

    /// Live, destination: prepares the streams of this migration. Needs a reservation.
    Migrate fn open_incoming(manifest: Manifest, token: Token) -> (), within 60 s;
    /// Live, destination: removes the folder of the streams.
    Migrate fn close_incoming(token: Token) -> (), within 30 s;
    /// Live, source: sends the zone's memory; returns when the zone is stopped for good here, and complete and
    /// held at the destination, with its interfaces mapped to other networks.
    Migrate fn send(zone: Zone, token: Token, #[serde(default)] mappings: Vec<InterfaceMapping>) -> Sent, within 86400 s;
    /// Live, source: the progress of the migration, if it is under way.
    Observe fn progress(zone: ZoneName) -> Option<Progress>, within 30 s;
    /// Live, source: cancels the migration; the zone runs on here.
    Migrate fn abort(zone: ZoneName) -> (), within 30 s;
    /// Live, source: waits until the hypervisor has cleaned up after `send`.
    Migrate fn wait_sent(zone: ZoneName) -> (), within 120 s;
    /// Live, destination: resumes the zone that has arrived.
    Migrate fn resume(zone: ZoneName, uuid: Uuid) -> (), within 60 s;
    /// Live, destination: destroys an image that has arrived and never ran. Never touches a running zone.
    Migrate fn destroy_incoming(zone: ZoneName, uuid: Uuid) -> (), within 60 s;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_answers_every_question() {
        let local = include_str!("local.rs");
        for (name, _) in Call::ALL {
            assert!(local.contains(&format!("    async fn {name}(")), "{name}");
        }
    }

    #[test]
    fn roles_grow() {
        assert!(Role::Observe < Role::Migrate && Role::Migrate < Role::Admin);
        assert_eq!(Call::facts {}.role(), Role::Observe);
        assert_eq!(Call::abort { zone: "a".parse().unwrap() }.role(), Role::Migrate);
    }

    #[test]
    fn the_document_on_security_says_who_may_ask_what() {
        let document = include_str!("../../docs/security.md");
        let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        let mut said: Vec<_> =
            rows.map(|(name, rest)| (name, rest.split(' ').next().unwrap_or_default())).collect();
        // That is `detach`, too.
        said.retain(|(name, _)| *name != "detach gone");
        let streams = [("connect", Role::Migrate), ("listen", Role::Migrate)];
        let mut known: Vec<_> =
            Call::ALL.iter().chain(&streams).map(|(name, role)| (*name, role.as_str())).collect();
        said.sort_unstable();
        known.sort_unstable();
        assert_eq!(said, known);
    }
}
