//! How a live migration converges if the zone keeps writing to its memory. Pure.
//!
//! ```text
//!   pass 1, 2   the zone may be stopped for 50 ms to send the rest
//!   pass 3, …   for 100 ms, 200 ms, … up to [migration] downtime
//!   meanwhile   the hypervisor slows the zone down, if [libvirt] auto_converge allows that
//!   after [migration] passes, but not within the first minute: the migration is given up, and the zone runs on here
//! ```
//!
//! **Slowing the zone down** is not one of these steps. libvirt takes `--auto-converge` at the start of a migration and
//! cannot switch it on later (there is no `migrate-…` command for it), and a migration that was started again
//! would send everything again. It need not be a step either: QEMU slows a zone down only after the zone has
//! twice changed more than half of what was sent in the same time, and by 20 % at first. A zone that converges is
//! never slowed down.
//!
//! **Post-copy** (the zone runs at the destination while some of its memory is still here) is not used. The hand-over
//! relies on the destination holding the zone until the source has ended; in post-copy the zone runs there
//! before, and libvirt refuses the combination ("post-copy migration is not supported with non-live or paused
//! migration"). And if the connection breaks during post-copy the zone is lost, because neither host has all of
//! its memory.

use std::time::Duration;

use crate::model::Progress;

/// For how long the hypervisor may stop the zone in that pass to send the rest of its memory, in ms.
///
/// QEMU stops a zone as soon as it estimates that the rest can be sent in this time; its own default of 300 ms is
/// used up entirely even by a zone that changes nothing. So the limit is low at first, and is raised only if the
/// migration does not converge.
pub fn allowed_downtime(pass: u32, limit: u64) -> u64 {
    const FIRST: u64 = 50;
    let doublings = pass.saturating_sub(2).min(32);
    (FIRST << doublings).min(limit).max(1)
}

/// Minimum duration before a migration is given up: passes over little memory are short.
const AT_LEAST: Duration = Duration::from_secs(60);

/// Why the migration will not converge, for the operator; none if it may. With `passes` of 0 it is never given
/// up.
///
/// As long as a zone changes less than half of what is sent in the same time, each pass is half as long as the
/// one before: it converges, perhaps slowed down.
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
        // QEMU takes 0 for a limit that can never be met.
        assert_eq!(steps(0), [1; 9]);
    }

    #[test]
    fn it_is_given_up_only_after_passes_and_time_and_while_it_does_not_shrink() {
        const MIB: u64 = 1 << 20;
        let minute = AT_LEAST.as_secs();
        // Maximum passes, pass, changed and sent in MiB/s, elapsed; whether the migration is given up.
        let cases = [
            (50, 50, 400, 200, minute, true),
            (50, 80, 200, 200, minute, true),
            (50, 50, 100, 200, minute, true),
            (50, 49, 400, 200, 9 * minute, false),
            (50, 900, 400, 200, minute - 1, false),
            (50, 900, 99, 200, 9 * minute, false),
            // The hypervisor does not report rates.
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
