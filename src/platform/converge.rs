//! What is done about a zone that changes its memory while it is sent. Pure.
//!
//! ```text
//!   pass 1, 2   the zone may be stopped for 50 ms to send the rest
//!   pass 3, …   for 100 ms, 200 ms, … up to [migration] downtime
//!   meanwhile   the hypervisor slows it down, if [libvirt] auto_converge lets it
//!   after [migration] passes, and not before a minute: given up; it goes on where it is
//! ```
//!
//! **Slowing down** is not a step of this ladder. libvirt takes `--auto-converge` when a migration begins and has no
//! way to switch it on later (there is no `migrate-…` command for it), and a migration that was begun anew would
//! send all again. It need not be one either: QEMU slows a zone down only after it has twice changed more than half
//! of what was sent in the same time, and by 20 % at first. A zone that converges is never touched.
//!
//! **Post-copy** (the zone runs over there while its memory is still here) is left out. The hand-over rests on the
//! image being held until the source has ended; a zone in post-copy runs over there before, and libvirt refuses the
//! two together ("post-copy migration is not supported with non-live or paused migration"). And if the line breaks in
//! it, the zone is lost: neither side has the whole of it.

use std::time::Duration;

use crate::model::Progress;

/// For how long the hypervisor may stop the zone to send the last of its memory, in ms, in that pass.
///
/// QEMU stops a zone as soon as it believes that the rest can be sent in this time, and its own default of 300 ms is
/// used up whole even by a zone that changes nothing. So it is allowed little at first, and more only where that
/// does not come to an end.
pub fn allowed_downtime(pass: u32, limit: u64) -> u64 {
    const FIRST: u64 = 50;
    let doublings = pass.saturating_sub(2).min(32);
    (FIRST << doublings).min(limit).max(1)
}

/// A migration has at least this time: passes over little memory are short.
const AT_LEAST: Duration = Duration::from_secs(60);

/// Whether it will not come to an end; what to tell the operator, then. `passes` of 0 never gives up.
///
/// While a zone changes less than half of what is sent in the same time, each pass is half of the one before: it
/// is still on its way, slowed down perhaps.
pub fn hopeless(passes: u32, seen: &Progress, elapsed: Duration) -> Option<String> {
    let shrinks = seen.rate > 0 && seen.dirty_rate.saturating_mul(2) < seen.rate;
    if passes == 0 || seen.pass < passes || elapsed < AT_LEAST || shrinks {
        return None;
    }
    Some(format!(
        "its memory changes faster than it can be sent: {} MiB/s dirty, {} MiB/s sent; raise [migration] downtime, \
         allow [libvirt] auto_converge, or stop it and move it cold",
        seen.dirty_rate >> 20,
        seen.rate >> 20
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_allowed_downtime_is_raised_step_by_step_up_to_the_limit() {
        let steps = |limit| [0, 1, 2, 3, 4, 5, 6, 7, 90].map(|pass| allowed_downtime(pass, limit));
        assert_eq!(steps(300), [50, 50, 50, 100, 200, 300, 300, 300, 300]);
        assert_eq!(steps(1000), [50, 50, 50, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(steps(20), [20; 9]);
        // QEMU takes 0 for no limit that could ever be met.
        assert_eq!(steps(0), [1; 9]);
    }

    #[test]
    fn it_is_given_up_only_after_passes_and_time_and_while_it_does_not_shrink() {
        const MIB: u64 = 1 << 20;
        let minute = AT_LEAST.as_secs();
        // passes allowed, pass, dirty and sent in MiB/s, seconds; given up?
        let cases = [
            (50, 50, 400, 200, minute, true),
            (50, 80, 200, 200, minute, true),
            (50, 50, 100, 200, minute, true),
            (50, 49, 400, 200, 9 * minute, false),
            (50, 900, 400, 200, minute - 1, false),
            (50, 900, 99, 200, 9 * minute, false),
            // Rates that the hypervisor does not tell.
            (50, 50, 0, 0, minute, true),
            (0, 900, 400, 200, 9 * minute, false),
        ];
        for (passes, pass, dirty, rate, seconds, expected) in cases {
            let seen = Progress { pass, dirty_rate: dirty * MIB, rate: rate * MIB, ..Progress::default() };
            let verdict = hopeless(passes, &seen, Duration::from_secs(seconds));
            assert_eq!(verdict.is_some(), expected, "{passes} {seen:?} {seconds}");
        }
    }

    #[test]
    fn the_operator_is_told_what_helps() {
        let seen = Progress { pass: 50, dirty_rate: 410 << 20, rate: 112 << 20, ..Progress::default() };
        assert_eq!(
            hopeless(50, &seen, AT_LEAST).unwrap(),
            "its memory changes faster than it can be sent: 410 MiB/s dirty, 112 MiB/s sent; raise [migration] \
             downtime, allow [libvirt] auto_converge, or stop it and move it cold"
        );
    }

    proptest! {
        #[test]
        fn the_downtime_never_shrinks_and_never_passes_its_limit(pass: u32, limit in 1_u64..1_000_000) {
            prop_assert!(allowed_downtime(pass, limit) <= allowed_downtime(pass.saturating_add(1), limit));
            prop_assert!((1..=limit).contains(&allowed_downtime(pass, limit)));
        }
    }
}
