//! The steps of one zone's move.
//!
//! ```text
//!   live:     reserve ─► prepare ─► transfer ─► switch ─► settle
//!   cold:     reserve ─► attach  ─► detach             ─► settle
//!   restart:  reserve ─► attach  ─► shutdown ─► boot ─► detach ─► settle
//!   stop:     shutdown     suspend:  save     and on return, both:  boot
//! ```
//!
//! A move can be undone, leaving the zone as it was, up to and including `transfer` (live), `attach` (cold) and
//! `boot` (restart); from `switch` and `detach` on it only goes forward. A zone that is restarted is shut down
//! when everything is ready at the destination, and is booted here again if it cannot be booted there. A cold
//! zone is attached at the destination before it is detached here, so its configuration is whole on at least one
//! host at every moment; it runs on neither, and the boot block of this host keeps it from being booted
//! meanwhile.

use crate::words;

words! {
    Step, "step" {
        /// The destination checks the zone and reserves room.
        Reserve = "reserve",
        /// Live: the destination starts to listen, and the streams are opened.
        Prepare = "prepare",
        /// Live: the memory is sent. The zone runs here until the end of this step, and is held at the destination.
        Transfer = "transfer",
        /// Live: the zone is resumed at the destination, after it has ended here.
        Switch = "switch",
        /// Cold and restart: the destination defines the zone.
        Attach = "attach",
        /// Restart and stop: the zone shuts down in order.
        Shutdown = "shutdown",
        /// Suspend: the memory is saved to a file here, and the zone ends.
        Save = "save",
        /// The zone is started: at the destination (restart), or here again on return (stop, suspend).
        Boot = "boot",
        /// Cold and restart: the source undefines the zone.
        Detach = "detach",
        /// The rest: autostart at the destination, the reservation, the record here.
        Settle = "settle",
    }
}
