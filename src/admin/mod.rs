//! One zone is removed from this host, or added to it, as by zoneadm(8) and zonecfg(8): detach, attach, create,
//! delete.
//!
//! ```text
//!             detach               create
//!   installed ──────► configured ◄──────── (a manifest)
//!       ▲                 │  │    delete
//!       └──── attach ─────┘  └───────────► (nothing)
//! ```
//!
//! [`KnownZones`] decides what is allowed (pure); a [`ZoneAdmin`] does it.
//!
//! - A zone's configuration is durable before its platform undefines it, and its record is removed only when the
//!   platform has it again. If both know a zone, the platform is right: an interruption leaves the zone attached.
//! - Of several hosts that share a zonepath only one can attach its zone (see [`crate::zonepath`]). A zone
//!   without one is attached only if its targets, and the host that it was migrated to, say that they do not have
//!   it ([`crate::failover::ownership`]).
//! - What was done is reported as done, even if something failed afterwards: that is a warning.
//! - "Will it fit?" is always answered by [`Local::check`](crate::host::Host::check), as for arriving zones.

mod attach;
mod create;
mod detach;
mod error;
mod give_up;
mod state;
mod takeover;

pub use attach::AttachOptions;
pub use create::{NewZone, Overrides};
pub use error::{AdminError, AdminRefusal};
pub use give_up::GivenUp;
pub use state::KnownZones;
pub use takeover::TakeoverRequest;

use crate::host::{Host, Local};
use crate::model::document::Written;
use crate::model::{Manifest, Millis};
use crate::peers::Peers;
use crate::store::ZoneRecord;

/// Detaches and attaches zones of this host.
pub struct ZoneAdmin<'a> {
    /// This host.
    pub local: &'a Local,
    /// Other hosts.
    pub peers: Peers,
    /// The user.
    pub user: String,
    pub now: Millis,
}

impl ZoneAdmin<'_> {
    /// Says that this host writes a manifest now.
    fn written(&self) -> Written {
        Written::by(self.local.name(), self.now)
    }

    /// What this host knows of zones now.
    pub async fn known(&self) -> Result<KnownZones, AdminError> {
        let store = self.local.store();
        let zones = store.zones()?;
        let inventory = self.local.inventory().await?;
        Ok(KnownZones { inventory, zones })
    }

    /// The configuration that is kept of a zone.
    fn configuration(&self, record: &ZoneRecord) -> Result<Manifest, AdminError> {
        let found = self.local.store().manifest_of(record.uuid)?;
        found.ok_or_else(|| AdminRefusal::NoSuchZone(record.zone.clone()).into())
    }
}
