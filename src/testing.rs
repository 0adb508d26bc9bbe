//! The parts of the crate that benchmarks and test programs use besides the command line.

pub mod agent {
    pub use crate::agent::{PeerQuota, WEIGHT, listen};
}

pub mod config {
    pub use crate::config::{Config, LibvirtConfig};
}

pub mod cancel {
    pub use crate::cancel::Cancel;
}

pub mod evacuation {
    pub use crate::evacuation::{Engine, Event, EventSink, Request, recover};
}

pub mod failpoints {
    pub use crate::failpoints::*;
}

pub mod host {
    pub use crate::host::{DiskView, Exported, Host, HostError, Local, Pending, ProbeTicket, Remote};
}

pub mod maintenance {
    pub use crate::maintenance::*;
}

pub mod paths {
    pub use crate::paths::Paths;
}

pub mod peers {
    pub use crate::peers::{Connector, Peers};
}

pub mod platform {
    pub use crate::platform::*;
}

pub mod run_lock {
    pub use crate::run_lock::RunLock;
}

pub mod software {
    pub use crate::software::*;
}

pub mod store {
    pub use crate::store::*;
}

pub mod transport {
    #[cfg(feature = "ssh")]
    pub use crate::transport::ssh;
    pub use crate::transport::{ByteStream, DialError, Dialer, Duplex, cert, frame};
}
