//! A zone is taken from this host, or put on it, as zoneadm(8) and zonecfg(8) do: detach, attach, create, delete.
//!
//! ```text
//!             detach               create
//!   installed ──────► configured ◄──────── (a manifest)
//!       ▲                 │  │    delete
//!       └──── attach ─────┘  └───────────► (nothing)
//! ```
//!
//! What may be done is decided in [`KnownZones`] (pure); a [`ZoneAdmin`] does it.
//!
//! - A detached zone's configuration is durable before its platform forgets it, and its row goes only when the platform
//!   has it again. Where both know a zone, the platform is right: an interruption leaves the zone attached.
//! - Of several hosts that share a zonepath only one attaches its zone (see [`crate::zonepath`]). A zone without one is
//!   attached only if its targets, and the host that it was migrated to, say that they have it not ([`crate::failover::ownership`]).
//! - What is done is said to be done, also when something after it has failed: that is a warning.
//! - "Will it fit?" has one answer: that of [`Local::check`](crate::host::Host::check), which arriving zones get too.

mod attach;
mod create;
mod detach;
mod error;
mod failover;
mod give_up;
mod state;

pub use attach::AttachOptions;
pub use create::{NewZone, Overrides};
pub use error::{AdminRefusal, AttachmentError};
pub use failover::TakeoverRequest;
pub use give_up::GivenUp;
pub use state::KnownZones;

use crate::host::{Host, Local};
use crate::model::document::Written;
use crate::model::{Manifest, Millis};
use crate::peers::Peers;
use crate::store::ZoneRecord;

/// Where zones are detached and attached.
pub struct ZoneAdmin<'a> {
    /// This host.
    pub local: &'a Local,
    /// The others.
    pub peers: Peers,
    /// Who asks.
    pub user: String,
    /// When.
    pub now: Millis,
}

impl ZoneAdmin<'_> {
    /// What is written here now.
    fn written(&self) -> Written {
        Written::by(self.local.name(), self.now)
    }

    /// What this host knows of zones now.
    ///
    /// # Errors
    /// If it cannot be found out.
    pub async fn known(&self) -> Result<KnownZones, AttachmentError> {
        let store = self.local.store();
        let zones = store.zones()?;
        let inventory = self.local.inventory().await?;
        Ok(KnownZones { inventory, zones })
    }

    /// The configuration that is kept of a zone.
    fn configuration(&self, record: &ZoneRecord) -> Result<Manifest, AttachmentError> {
        let found = self.local.store().manifest_of(record.uuid)?;
        found.ok_or_else(|| AdminRefusal::NoSuchZone(record.zone.clone()).into())
    }
}
