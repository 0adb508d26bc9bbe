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
use crate::model::{HostUri, Message, ZoneName, format_minute};
use crate::store::HeldReplica;

/// Copy the manifest of each zone to the zone's targets, so that zones can be recovered if this host fails
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
    /// Print stable output for scripts (requires -l): no header, fields separated by ':', with '\' before ':' and '\'
    #[arg(short, long, requires = "list")]
    parsable: bool,
    /// Fields to list (requires -l): ZONENAME; ORIGIN, the host of the zone; SINCE, when the manifest was copied;
    /// ATTACHED, when and by whom the zone was attached here; UUID; OTHERS, the other targets of the zone; or all
    #[arg(short, long, value_name = "FIELD,...", requires = "list")]
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
    for reconciled in
        report.takeovers.iter().filter(|reconciled| reconciled.outcome == TakeoverOutcome::NowAway)
    {
        let (takeover, by) = (&reconciled.takeover, &reconciled.by);
        context.audit(&format!(
            "{} was attached on {by} by {}; it counts as evacuated there",
            takeover.zone, takeover.by
        ));
    }
    if args.json {
        ui::note(&format!("{:#}\n", document(&report)));
    } else {
        report.remarks.iter().for_each(ui::complain);
        problems(&report).into_iter().for_each(ui::complain);
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
    } else if rows.is_empty() && !args.parsable {
        ui::say("no manifests of other hosts are kept here");
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
pub fn problems(report: &ReplicationReport) -> Vec<Message> {
    let not_copied = report.replicas.iter().filter_map(|status| {
        let problem = status.problem.as_ref()?;
        Some(match &status.target {
            Some(target) => {
                problem.clone().about(format!("{}: manifest not copied to {target}", status.zone))
            }
            None => problem.clone().about(format!("{}: manifest not copied", status.zone)),
        })
    });
    let unmanaged =
        report.unmanaged.iter().map(|unmanaged_guest| unmanaged_guest.message().about("not copied"));
    let reconciled = report.takeovers.iter().filter_map(said_of);
    reconciled.chain(not_copied).chain(unmanaged).chain(stale(&report.stale)).collect()
}

/// Replicas that could not be withdrawn, a line for each host.
pub fn stale(all: &[StaleReplica]) -> Vec<Message> {
    let mut hosts: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for StaleReplica { row, problem } in all {
        hosts.entry((&row.uri, problem)).or_default().push(row.zone.as_str());
    }
    let line = |((uri, problem), zones): ((&HostUri, &Message), Vec<&str>)| {
        let text = format!("{uri} still has outdated manifests of {}", zones.join(", "));
        problem.clone().about(text).with_hint("the next 'sysadm zone standby' removes them")
    };
    hosts.into_iter().map(line).collect()
}

fn said_of(reconciled: &ReconciledTakeover) -> Option<Message> {
    let (takeover, by) = (&reconciled.takeover, &reconciled.by);
    let was =
        format!("{}: attached on {by} by {} while this host did not answer", takeover.zone, takeover.by);
    Some(match &reconciled.outcome {
        TakeoverOutcome::AlreadyAway | TakeoverOutcome::BackHome => return None,
        TakeoverOutcome::NowAway => Message::from(format!("{was}; it is recorded as away now"))
            .with_hint("'sysadm evacuate -r' brings it back"),
        TakeoverOutcome::RunsTwice => Message::from(format!(
            "{was}, and it is running here: if it is running there, too, both write to the same disks"
        ))
        .with_hint(format!("stop {} on one of the two hosts NOW", takeover.zone)),
        TakeoverOutcome::NotRecorded(reason) => {
            reason.clone().about(format!("{was}; that it is away could not be recorded"))
        }
    })
}

fn summary(report: &ReplicationReport) -> String {
    let copied = || report.replicas.iter().filter(|status| status.problem.is_none());
    let hosts: BTreeSet<_> = copied().filter_map(|status| status.target.as_ref()).collect();
    let zones: BTreeSet<_> = copied().map(|status: &ReplicaStatus| &status.zone).collect();
    format!("copied the manifests of {} zone(s) to {} host(s)", zones.len(), hosts.len())
}

fn document(report: &ReplicationReport) -> Value {
    let text = |why: Option<&Message>| why.map(|why| why.text.clone());
    let hint = |why: Option<&Message>| why.and_then(Message::hint);
    let status = report.replicas.iter();
    let status: Vec<_> =
        status.map(|status| json!({ "zone": status.zone, "target": status.target, "error": text(status.problem.as_ref()), "hint": hint(status.problem.as_ref()) })).collect();
    let reconciled: Vec<_> = report
        .takeovers
        .iter()
        .map(|reconciled| {
            let (word, error) = match &reconciled.outcome {
                TakeoverOutcome::RunsTwice => ("runs_twice", None),
                TakeoverOutcome::NowAway => ("now_away", None),
                TakeoverOutcome::AlreadyAway => ("already_away", None),
                TakeoverOutcome::BackHome => ("back_home", None),
                TakeoverOutcome::NotRecorded(reason) => ("not_recorded", Some(reason)),
            };
            let takeover = &reconciled.takeover;
            json!({
                "zone": takeover.zone, "host": reconciled.by, "attached_ms": takeover.at, "attached_by": takeover.by,
                "outcome": word, "error": text(error), "hint": hint(error),
            })
        })
        .collect();
    let stale = report.stale.iter();
    let stale: Vec<_> = stale
        .map(|stale| json!({ "zone": stale.row.zone, "target": stale.row.uri, "error": stale.problem.text, "hint": stale.problem.hint() }))
        .collect();
    json!({ "schema_version": 1, "replicas": status, "attached_elsewhere": reconciled, "stale": stale, "unmanaged": report.unmanaged })
}

/// The exit status: stuck if a zone may be running twice.
fn exit_of(report: &ReplicationReport) -> Exit {
    let is_known = |verdict: &TakeoverOutcome| {
        matches!(verdict, TakeoverOutcome::AlreadyAway | TakeoverOutcome::BackHome)
    };
    let odd = |verdict: &TakeoverOutcome| {
        matches!(verdict, TakeoverOutcome::RunsTwice | TakeoverOutcome::NotRecorded(_))
    };
    let failed = report.replicas.iter().filter(|status| status.problem.is_some()).count();
    if report.takeovers.iter().any(|reconciled| odd(&reconciled.outcome)) {
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
