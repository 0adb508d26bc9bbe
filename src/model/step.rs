//! The steps of one zone's move.
//!
//! ```text
//!   live:  reserve ─► prepare ─► transfer ─► switch ─► settle
//!   cold:  reserve ─► attach  ─► detach             ─► settle
//! ```
//!
//! Up to and with `transfer` (live) and `attach` (cold) a move can be undone, and the zone is what it was; from
//! `switch` and `detach` on it only goes forward. A cold zone is attached there before it is detached here, so
//! its configuration is whole on one host at least at every moment; it runs on neither, and this host's lock
//! keeps it from being booted here meanwhile.

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
        /// Cold: the configuration is given to the destination.
        Attach = "attach",
        /// Cold: the configuration is taken from the source.
        Detach = "detach",
        /// What is left is put in order: autostart there, reservation, record here.
        Settle = "settle",
    }
}
