//! For the case that a host is lost: what it has left with others, so that its zones can be attached there.
//!
//! ```text
//!   origin                                                target
//!   replicate ── the manifest of each zone, again and again ──► kept (store: standby)
//!     ╳  is lost
//!                                                         take: nobody else runs it? ──► attached
//!   is back: leave ◄── "it was attached here" ────────────┘
//!     └── does not run here: it is away now, and comes home with `evacuate -r`
//!         runs here, too:    nothing can mend that but the administrator, who is told
//! ```
//!
//! A host that cannot be asked counts as running a zone. Only the administrator can say otherwise, and that is recorded.

pub mod ownership;
mod reconcile;
mod replicate;
mod takeover;

pub use reconcile::{ReconciledTakeover, TakeoverOutcome};
pub use replicate::{ReplicaStatus, ReplicationReport, StaleReplica, drop_replicas, replicate};
pub use takeover::{OperatorAssertions, TakeoverRefusal, hosts_to_ask, may_take_over};
