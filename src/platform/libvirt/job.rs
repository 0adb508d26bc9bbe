//! `virsh domjobinfo --rawstats` and `virsh event`: how far a migration is, and when the zone stopped.

use crate::host::Progress;

// Job type: 2
//
// operation: 4
// time_elapsed: 547
// data_total: 101195776
// data_processed: 74771929
// data_remaining: 0
/// Reads `virsh domjobinfo --rawstats`; none while there is no job.
pub fn parse_progress(output: &str) -> Option<Progress> {
    let field = |name: &str| {
        output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse::<u64>().ok())
    };
    if field("Job type")? == 0 {
        return None;
    }
    Some(Progress {
        sent: field("data_processed").unwrap_or(0),
        remaining: field("data_remaining").unwrap_or(0),
        total: field("data_total").unwrap_or(0),
    })
}

/// What the lifecycle events of one domain say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// Its processors were stopped, its last memory is on its way.
    StoppedToMigrate,
    /// It goes on here.
    Resumed,
    /// Anything else.
    Other,
}

// 2026-11-21 07:19:16.361+0000: event 'lifecycle' for domain 'evac1': Suspended Migrated
/// Reads a line of `virsh event --event lifecycle --loop --timestamp`.
pub fn parse_event(line: &str) -> Lifecycle {
    match line.rsplit_once("': ") {
        Some((_, "Suspended Migrated")) => Lifecycle::StoppedToMigrate,
        Some((_, what)) if what.starts_with("Resumed ") => Lifecycle::Resumed,
        _ => Lifecycle::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_progress_of_a_running_job_is_read() {
        let output = "Job type: 2\n\noperation: 4\ntime_elapsed: 547\ndata_total: 101195776\n\
                      data_processed: 74771929\ndata_remaining: 4096\nmemory_bps: 303366016\n\n";
        let expected = Progress { sent: 74_771_929, remaining: 4096, total: 101_195_776 };
        assert_eq!(parse_progress(output), Some(expected));
        assert_eq!(parse_progress("Job type: 0\n\n"), None);
    }

    #[test]
    fn the_moment_of_the_stop_is_recognised() {
        let line = |what: &str| {
            format!("2026-11-21 07:19:16.361+0000: event 'lifecycle' for domain 'evac1': {what}")
        };
        assert_eq!(parse_event(&line("Suspended Migrated")), Lifecycle::StoppedToMigrate);
        assert_eq!(parse_event(&line("Suspended Paused")), Lifecycle::Other);
        assert_eq!(parse_event(&line("Resumed Migrated")), Lifecycle::Resumed);
    }

    proptest! {
        #[test]
        fn no_output_makes_the_readers_panic(text in "(Job type|data_total|: |[0-9]|\n|\\PC){0,40}") {
            let _ = parse_progress(&text);
            let _ = parse_event(&text);
        }
    }
}
