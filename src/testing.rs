//! What benchmarks, and tests in programs of their own, reach besides the command line.

/// Being reached.
pub mod agent {
    pub use crate::agent::{Limits, WEIGHT, listen};
}

/// Settings.
pub mod config {
    pub use crate::config::{Config, Libvirt};
}

/// Whole runs.
pub mod evacuation {
    pub use crate::evacuation::{Cancel, Connector, Engine, Event, EventSink, Peers, Request, recover};
}

/// Crashes on request.
pub mod failpoints {
    pub use crate::failpoints::*;
}

/// Hosts.
pub mod host {
    pub use crate::host::{DiskView, Exported, Host, HostError, Local, Pending, ProbeTicket, Remote};
}

/// The lock.
pub mod maintenance {
    pub use crate::maintenance::*;
}

/// Where everything lies.
pub mod paths {
    pub use crate::paths::Paths;
}

/// Platforms.
pub mod platform {
    pub use crate::platform::*;
}

/// One run at a time.
pub mod run_lock {
    pub use crate::run_lock::RunLock;
}

/// What is installed on a host.
pub mod software {
    pub use crate::software::*;
}

/// What is kept.
pub mod store {
    pub use crate::store::*;
}
