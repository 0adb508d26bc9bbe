//! `virsh domjobinfo --rawstats` and `virsh event`: the progress of a migration, and when the zone was stopped.

use crate::model::Progress;

// Job type: 2
//
// operation: 4
// time_elapsed: 547
// data_total: 101195776
// data_processed: 74771929
// data_remaining: 0
// memory_bps: 303366016
// memory_dirty_rate: 1830
// memory_page_size: 4096
// memory_iteration: 4
/// Parses `virsh domjobinfo --rawstats`; none if there is no job.
pub fn parse_progress(output: &str) -> Option<Progress> {
    let field = |name: &str| {
        output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse::<u64>().ok())
    };
    if field("Job type")? == 0 {
        return None;
    }
    let pages = field("memory_dirty_rate").unwrap_or(0);
    Some(Progress {
        sent: field("data_processed").unwrap_or(0),
        remaining: field("data_remaining").unwrap_or(0),
        total: field("data_total").unwrap_or(0),
        pass: field("memory_iteration").and_then(|pass| u32::try_from(pass).ok()).unwrap_or(0),
        dirty_rate: pages.saturating_mul(field("memory_page_size").unwrap_or(4096)),
        rate: field("memory_bps").unwrap_or(0),
    })
}

/// An event of a domain, as far as migration is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainEvent {
    /// A pass over its memory has begun. The first one sends everything, each later one what was changed meanwhile.
    Pass(u32),
    /// Its virtual CPUs were stopped, and the rest of its memory is being sent.
    StoppedToMigrate,
    /// It runs on here.
    Resumed,
    Other,
}

// 2026-11-21 07:19:15.904+0000: event 'migration-iteration' for domain 'evac1': iteration: '2'
// 2026-11-21 07:19:16.361+0000: event 'lifecycle' for domain 'evac1': Suspended Migrated
/// Parses a line of `virsh event --all --loop --timestamp`.
pub fn parse_event(line: &str) -> DomainEvent {
    // Between them is the name of the zone, which may be any text.
    let Some((about, what)) = line.rsplit_once("': ") else { return DomainEvent::Other };
    let kind = about.split_once(": event '").and_then(|(_, rest)| Some(rest.split_once("' for ")?.0));
    if kind == Some("lifecycle") {
        return match what {
            "Suspended Migrated" => DomainEvent::StoppedToMigrate,
            what if what.starts_with("Resumed ") => DomainEvent::Resumed,
            _ => DomainEvent::Other,
        };
    }
    let pass = || {
        (kind == Some("migration-iteration")).then_some(())?;
        what.strip_prefix("iteration: '")?.strip_suffix('\'')?.parse().ok()
    };
    pass().map_or(DomainEvent::Other, DomainEvent::Pass)
}

/// QEMU's default (`downtime-limit`), in ms.
pub const DEFAULT_DOWNTIME: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_progress_of_a_running_job_is_read() {
        let output = "Job type: 2\n\noperation: 4\ntime_elapsed: 547\ndata_total: 101195776\n\
                      data_processed: 74771929\ndata_remaining: 4096\nmemory_bps: 303366016\n\
                      memory_dirty_rate: 1830\nmemory_page_size: 4096\nmemory_iteration: 4\n\n";
        let expected = Progress {
            sent: 74_771_929,
            remaining: 4096,
            total: 101_195_776,
            pass: 4,
            dirty_rate: 1830 << 12,
            rate: 303_366_016,
        };
        assert_eq!(parse_progress(output), Some(expected));
        assert_eq!(parse_progress("Job type: 0\n\n"), None);
    }

    fn event(kind: &str, what: &str) -> DomainEvent {
        parse_event(&format!("2026-11-21 07:19:16.361+0000: event '{kind}' for domain 'evac1': {what}"))
    }

    #[test]
    fn the_moment_of_the_stop_is_recognised() {
        assert_eq!(event("lifecycle", "Suspended Migrated"), DomainEvent::StoppedToMigrate);
        assert_eq!(event("lifecycle", "Suspended Paused"), DomainEvent::Other);
        assert_eq!(event("lifecycle", "Resumed Migrated"), DomainEvent::Resumed);
        assert_eq!(event("agent-lifecycle", "Suspended Migrated"), DomainEvent::Other);
        assert_eq!(event("job-completed", ""), DomainEvent::Other);
    }

    #[test]
    fn an_event_is_told_whatever_the_zone_is_called() {
        let event = |kind: &str, zone: &str, what: &str| {
            let time = "2026-11-21 07:19:16.361+0000";
            parse_event(&format!("{time}: event '{kind}' for domain '{zone}': {what}"))
        };
        for zone in ["Windows 10", "it's", "x': Suspended Migrated", "': event 'lifecycle' for domain 'x': "]
        {
            assert_eq!(
                event("lifecycle", zone, "Suspended Migrated"),
                DomainEvent::StoppedToMigrate,
                "{zone}"
            );
            assert_eq!(event("lifecycle", zone, "Resumed Migrated"), DomainEvent::Resumed, "{zone}");
            assert_eq!(event("agent-lifecycle", zone, "Suspended Migrated"), DomainEvent::Other, "{zone}");
            assert_eq!(event("migration-iteration", zone, "iteration: '3'"), DomainEvent::Pass(3), "{zone}");
        }
    }

    #[test]
    fn passes_are_counted() {
        assert_eq!(event("migration-iteration", "iteration: '12'"), DomainEvent::Pass(12));
        assert_eq!(event("migration-iteration", "iteration: 'x'"), DomainEvent::Other);
    }

    proptest! {
        #[test]
        fn no_output_makes_the_readers_panic(text in "(Job type|data_total|: |[0-9]|\n|\\PC){0,40}") {
            let _ = parse_progress(&text);
            let _ = parse_event(&text);
        }
    }
}
