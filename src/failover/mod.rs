//! In case a host is lost: it leaves replicas of its zones' manifests with other hosts, on which the zones can be
//! taken over.
//!
//! ```text
//!   origin                                                target
//!   replicate ── the manifest of each zone, again and again ──► kept (store: standby)
//!     ╳  is lost
//!                                                         takeover: does no other host run it? ──► attached
//!   is back: replicate ◄── "it was taken over here" ──────┘
//!     └── does not run here: reconcile: it is away now, and comes home with `evacuate -r`
//!         runs here, too:    only the administrator can solve that, and is told
//! ```
//!
//! A host that cannot be asked counts as running a zone. Only the administrator can assert otherwise, which is
//! recorded.

pub mod ownership;
mod reconcile;
mod replicate;
mod takeover;

pub use reconcile::{ReconciledTakeover, TakeoverOutcome};
pub use replicate::{ReplicaStatus, ReplicationReport, StaleReplica, drop_replicas, replicate};
pub use takeover::{OperatorAssertions, TakeoverRefusal, hosts_to_ask, may_take_over};
