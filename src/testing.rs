//! The parts of the crate that benchmarks and test programs use besides the command line. Each is named, so that
//! the compiler finds unused ones.

pub mod agent {
    pub use crate::agent::{PeerQuota, WEIGHT};

    pub mod listen {
        pub use crate::agent::listen::{Listener, LogSink};
    }
}

pub mod cancel {
    pub use crate::cancel::Cancel;
}

pub mod config {
    pub use crate::config::{Config, LibvirtConfig};
}

pub mod evacuation {
    pub use crate::evacuation::{Engine, Event, EventSink, Request};

    pub mod recover {
        pub use crate::evacuation::recover::settle_interrupted;
    }
}

pub mod failpoints {
    pub use crate::failpoints::{Actor, Failpoint};
}

pub mod host {
    pub use crate::host::{DiskView, Exported, Host, HostError, Local, Pending, ProbeTicket, Remote};
}

pub mod maintenance {
    pub use crate::maintenance::{end, start};
}

pub mod paths {
    pub use crate::paths::Paths;
}

pub mod peers {
    pub use crate::peers::{Connector, Peers};
}

pub mod platform {
    pub use crate::platform::{ConfigEditor, MaintenanceEnforcer, Platform};

    pub mod libvirt {
        pub use crate::platform::libvirt::Libvirt;
    }

    pub mod sim {
        pub use crate::platform::sim::{
            Effect, Fault, HostSettings, Operation, Scale, Sim, StorageFolder, ZoneSpec,
        };
    }
}

pub mod run_lock {
    pub use crate::run_lock::RunLock;
}

pub mod software {
    pub use crate::software::{compare, count};
}

pub mod store {
    pub use crate::store::{Direction, Holder, Move, MoveState, Place, Store, TargetKey, ZoneRecord};
}
