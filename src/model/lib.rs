//! Plain data that all other modules share, without I/O: zones, host URIs, manifests, blockers, time.
//!
//! Everything that comes from outside (an operator, a peer, a hypervisor) is converted to one of these types at the
//! edge, and is valid from then on.

// Tests start the programs they need: see clippy.toml.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod address;
mod brand;
mod check;
pub mod document;
mod edit;
mod error;
mod facts;
mod home;
mod host_id;
mod identifier;
mod location;
mod mac;
mod manifest;
mod migration;
mod name;
mod network;
mod obstacle;
mod percent;
mod plain;
mod replica;
mod role;
mod software;
mod step;
mod storage_uri;
mod time;
mod uri;
mod words;
pub mod xml;
mod zone;
pub mod zonecfg;

pub use address::{Address, AddressError, HostName};
pub use brand::{Abilities, Brand, BrandError};
pub use check::{Blocker, BlockerKind, CheckRequest, PendingLoad, Shortage};
pub use edit::Edit;
pub use error::{Hinted, Message, RESUME, RESUME_LATER, chain};
pub use facts::Facts;
pub use home::Home;
pub use host_id::HostId;
pub use identifier::{Identifier, IdentifierError};
pub use location::Location;
pub use mac::{Mac, MacError};
pub use manifest::{Disk, Inherited, Manifest, Presence, is_static};
pub use migration::{MoveLimits, Progress, Sent, StreamId, Token, TokenError};
pub use name::{ZoneName, ZoneNameError};
pub use network::{
    Interface, InterfaceMapping, MappingError, NetMap, Network, NetworkName, NetworkNameError,
};
pub use obstacle::{Against, Obstacle};
pub use plain::plain;
pub use replica::{Replica, Takeover};
pub use role::Role;
pub use software::{Package, Patch, Software, System, is_unknown_version, unknown_version};
pub use step::Step;
pub use storage_uri::{LocalPath, StorageUri, StorageUriError};
pub use time::{Millis, SizeError, format_bytes, format_minute, format_span, parse_bytes};
pub use uri::{HostUri, HostUriError, Scheme};
pub use words::WordError;
pub use zone::{Aux, Ended, Inventory, Method, UnmanagedGuest, Zone, ZoneState};
