//! The steps of one zone's move.
//!
//! ```text
//!   live:  reserve ─► prepare ─► transfer ─► switch ─► settle
//!   cold:  reserve ─► detach  ─► attach             ─► settle
//! ```
//!
//! Up to and with `transfer` (live) and `detach` (cold) a move can be undone; from `switch` and `attach` on it
//! only goes forward.

use super::zone::words;

words! {
    /// One step.
    Step, "step" {
        /// The destination checks and books room.
        Reserve = "reserve",
        /// Live: the destination is made ready, the streams are laid.
        Prepare = "prepare",
        /// Live: the memory crosses; the zone runs here until the end of it, and is held there.
        Transfer = "transfer",
        /// Live: the zone is let go there. It was stopped for good here before.
        Switch = "switch",
        /// Cold: the configuration is taken from the source; the store keeps it.
        Detach = "detach",
        /// Cold: the configuration is given to the destination.
        Attach = "attach",
        /// What is left is put in order: autostart there, reservation, record here.
        Settle = "settle",
    }
}
