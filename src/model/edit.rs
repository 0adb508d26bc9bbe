//! Changes to a zone's configuration, as an administrator asks for them.

use uuid::Uuid;

use super::{NetworkName, ZoneName};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Another name.
    Name(ZoneName),
    /// Another identity: the zone becomes a copy.
    Uuid(Uuid),
    /// Memory in bytes.
    Memory(u64),
    /// Virtual processors.
    Cpus(u32),
    /// Another machine type of a virtual machine.
    Machine(String),
    /// Every interface in the network of the one name goes into the one of the other name.
    Network {
        /// Where it is.
        from: NetworkName,
        /// Where it goes.
        to: NetworkName,
    },
}
