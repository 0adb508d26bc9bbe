//! `sysadm zone standby`: replicas at other hosts in case this one is lost.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::cli::columns::{Column, parsable, pick, table};
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, help, ui};
use crate::failover::{
    ReconciledTakeover, ReplicaStatus, ReplicationReport, StaleReplica, TakeoverOutcome, replicate,
};
use crate::model::{ZoneName, format_minute};
use crate::store::HeldReplica;

/// Copy zone manifests to their targets, so that zones can be recovered if this host fails
///
/// Each target of a zone receives the current manifest of the zone. If this host fails, the zone can be attached there
/// with 'sysadm zone attach --standby ZONE', provided its storage is shared. Manifests of zones that have left this host,
/// or have other targets now, are removed from the hosts that hold them.
///
/// First, each target is asked whether a zone was attached there while this host was down. Such a zone is recorded as
/// evacuated; 'sysadm evacuate -r' brings it back.
///
/// 'sysadm agent --listen' runs this periodically if [standby] every is set in sysadm.toml.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::ZONE_STANDBY)]
pub struct Args {
    /// Only these zones
    #[arg(value_name = "ZONE", value_parser = ZoneName::typed, conflicts_with = "list")]
    zones: Vec<ZoneName>,
    /// List manifests that other hosts have copied here
    #[arg(short, long)]
    list: bool,
    /// Report errors only
    #[arg(short, long, conflicts_with = "list")]
    quiet: bool,
    /// Print stable output for scripts
    #[arg(short, requires = "list")]
    parsable: bool,
    /// Fields to list: ZONENAME, ORIGIN, SINCE, ATTACHED, UUID, OTHERS, or all
    #[arg(short, value_name = "FIELD,...", requires = "list")]
    output: Option<String>,
    /// Print a JSON document
    #[arg(long, conflicts_with = "parsable")]
    json: bool,
}

const COLUMNS: &[Column<HeldReplica>] = &[
    Column { name: "ZONENAME", width: 16, value: |row| Some(row.zone.to_string()) },
    Column { name: "ORIGIN", width: 10, value: |row| Some(row.origin.clone()) },
    Column { name: "SINCE", width: 16, value: |row| Some(format_minute(row.since, &TimeZone::system())) },
    Column {
        name: "ATTACHED",
        width: 8,
        value: |row| {
            let (at, by) = row.taken.as_ref()?;
            Some(format!("{} by {by}", format_minute(*at, &TimeZone::system())))
        },
    },
    Column { name: "UUID", width: 36, value: |row| Some(row.uuid.to_string()) },
    Column {
        name: "OTHERS",
        width: 6,
        value: |row| {
            let others: Vec<_> = row.others.iter().map(ToString::to_string).collect();
            (!others.is_empty()).then(|| others.join(" "))
        },
    },
];

pub async fn run(args: Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    if args.list {
        return list(&context, &args);
    }
    let store = context.store()?;
    let local = context.local(store.clone())?;
    let zones = context.zones(&store, &args.zones).await?;
    let report = replicate(&local, &store, &context.peers(Some(&local)), &zones).await?;
    for claimed in report.takeovers.iter().filter(|claimed| claimed.outcome == TakeoverOutcome::NowAway) {
        let (claim, by) = (&claimed.takeover, &claimed.by);
        context.audit(&format!(
            "{} was attached on {by} by {}; it counts as evacuated there",
            claim.zone, claim.by
        ));
    }
    if args.json {
        ui::note(&format!("{:#}\n", document(&report)));
    } else {
        report.remarks.iter().chain(&problems(&report)).for_each(|line| ui::complain(line));
        if !args.quiet {
            ui::say(&summary(&report));
        }
    }
    Ok(exit_of(&report))
}

fn list(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let columns = pick(COLUMNS, 4, args.output.as_deref())?;
    let rows = match context.store_to_read()? {
        Some(store) => store.held_replicas()?,
        None => Vec::new(),
    };
    if args.json {
        let rows: Vec<_> = rows.iter().map(row_document).collect();
        ui::print(&format!("{:#}\n", json!({ "schema_version": 1, "standby": rows })))?;
    } else {
        ui::print(&if args.parsable { parsable(&columns, &rows) } else { table(&columns, &rows) })?;
    }
    Ok(Exit::Done)
}

fn row_document(row: &HeldReplica) -> Value {
    json!({
        "zone": row.zone, "origin": row.origin, "uuid": row.uuid, "brand": row.brand, "since_ms": row.since,
        "attached_ms": row.taken.as_ref().map(|(at, _)| at), "attached_by": row.taken.as_ref().map(|(_, by)| by),
        "via": row.via, "others": row.others,
    })
}

/// A line for each problem.
pub fn problems(report: &ReplicationReport) -> Vec<String> {
    let not_left = report.replicas.iter().filter_map(|left| {
        let problem = left.problem.as_ref()?;
        Some(match &left.target {
            Some(target) => format!("{}: manifest not copied to {target}: {problem}", left.zone),
            None => format!(
                "{}: left with nobody: {problem}; set one: sysadm target set {} URI",
                left.zone, left.zone
            ),
        })
    });
    let unmanaged =
        report.unmanaged.iter().map(|unmanaged_guest| format!("not left with anybody: {unmanaged_guest}"));
    let claimed = report.takeovers.iter().filter_map(said_of);
    claimed.chain(not_left).chain(unmanaged).chain(stale(&report.stale)).collect()
}

/// Replicas that could not be withdrawn, a line for each host.
pub fn stale(all: &[StaleReplica]) -> Vec<String> {
    let mut hosts: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for StaleReplica { row, problem } in all {
        hosts.entry((&row.uri, problem)).or_default().push(row.zone.as_str());
    }
    let line = |((uri, problem), zones): ((_, _), Vec<&str>)| {
        let zones = zones.join(", ");
        format!(
            "{uri} still has manifests of before, of {zones}: {problem}; the next 'sysadm zone standby' withdraws them"
        )
    };
    hosts.into_iter().map(line).collect()
}

fn said_of(claimed: &ReconciledTakeover) -> Option<String> {
    let (claim, by) = (&claimed.takeover, &claimed.by);
    let was = format!("{}: attached on {by} by {} while this host did not answer", claim.zone, claim.by);
    Some(match &claimed.outcome {
        TakeoverOutcome::AlreadyAway | TakeoverOutcome::BackHome => return None,
        TakeoverOutcome::NowAway => {
            format!("{was}; it is away now, and comes home with 'sysadm evacuate -r'")
        }
        TakeoverOutcome::RunsTwice => format!(
            "{was}, and it runs here: TWICE if it runs there, too, and then both write to its disks; stop one of them now"
        ),
        TakeoverOutcome::NotRecorded(reason) => {
            format!("{was}; that it is away could not be put down: {reason}")
        }
    })
}

fn summary(report: &ReplicationReport) -> String {
    let left = || report.replicas.iter().filter(|left| left.problem.is_none());
    let hosts: BTreeSet<_> = left().filter_map(|left| left.target.as_ref()).collect();
    let zones: BTreeSet<_> = left().map(|left: &ReplicaStatus| &left.zone).collect();
    format!("copied the manifests of {} zone(s) to {} host(s)", zones.len(), hosts.len())
}

fn document(report: &ReplicationReport) -> Value {
    let left = report.replicas.iter();
    let left: Vec<_> =
        left.map(|left| json!({ "zone": left.zone, "target": left.target, "error": left.problem })).collect();
    let claimed: Vec<_> = report
        .takeovers
        .iter()
        .map(|claimed| {
            let (word, error) = match &claimed.outcome {
                TakeoverOutcome::RunsTwice => ("runs_twice", None),
                TakeoverOutcome::NowAway => ("now_away", None),
                TakeoverOutcome::AlreadyAway => ("already_away", None),
                TakeoverOutcome::BackHome => ("back_home", None),
                TakeoverOutcome::NotRecorded(reason) => ("not_recorded", Some(reason)),
            };
            let claim = &claimed.takeover;
            json!({
                "zone": claim.zone, "host": claimed.by, "attached_ms": claim.at, "attached_by": claim.by,
                "outcome": word, "error": error,
            })
        })
        .collect();
    let stale = report.stale.iter();
    let stale: Vec<_> = stale
        .map(|stale| json!({ "zone": stale.row.zone, "target": stale.row.uri, "error": stale.problem }))
        .collect();
    json!({ "schema_version": 1, "replicas": left, "attached_elsewhere": claimed, "stale": stale, "unmanaged": report.unmanaged })
}

/// The exit status: stuck if a zone may be running twice.
fn exit_of(report: &ReplicationReport) -> Exit {
    let is_known = |verdict: &TakeoverOutcome| {
        matches!(verdict, TakeoverOutcome::AlreadyAway | TakeoverOutcome::BackHome)
    };
    let odd = |verdict: &TakeoverOutcome| {
        matches!(verdict, TakeoverOutcome::RunsTwice | TakeoverOutcome::NotRecorded(_))
    };
    let failed = report.replicas.iter().filter(|left| left.problem.is_some()).count();
    if report.takeovers.iter().any(|claimed| odd(&claimed.outcome)) {
        Exit::Stuck
    } else if failed == 0 && report.unmanaged.is_empty() {
        Exit::Done
    } else if failed > 0
        && failed == report.replicas.len()
        && report.takeovers.iter().all(|one| is_known(&one.outcome))
    {
        Exit::Error
    } else {
        Exit::Partly
    }
}
