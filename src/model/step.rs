//! The steps of one zone's move.
//!
//! ```text
//!   live:     reserve ─► prepare ─► transfer ─► switch ─► settle
//!   cold:     reserve ─► attach  ─► detach             ─► settle
//!   restart:  reserve ─► attach  ─► shutdown ─► boot ─► detach ─► settle
//!   stop:     shutdown     suspend:  save     and on return, both:  boot
//! ```
//!
//! Up to and with `transfer` (live), `attach` (cold) and `boot` (restart) a move can be undone, and the zone is what
//! it was; from `switch` and `detach` on it only goes forward. A zone that is restarted is shut down when all is
//! ready for it over there, and booted here again if it cannot be booted there. A cold zone is attached there before it is detached here, so
//! its configuration is whole on one host at least at every moment; it runs on neither, and this host's lock
//! keeps it from being booted here meanwhile.

use crate::words;

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
        /// Cold and restart: the configuration is given to the destination.
        Attach = "attach",
        /// Restart and stop: the zone is shut down in order.
        Shutdown = "shutdown",
        /// Suspend: its memory is written to a file here, and it ends.
        Save = "save",
        /// It is started: there (restart), or here again on return (stop, suspend).
        Boot = "boot",
        /// Cold and restart: the configuration is taken from the source.
        Detach = "detach",
        /// What is left is put in order: autostart there, reservation, record here.
        Settle = "settle",
    }
}
