//! `sysadm host`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::columns::{Column, table};
use super::context::Context;
use super::{CliError, Exit, ui};
use crate::host::{Host, Remote};
use crate::model::{Facts, HostId, HostUri, Message, format_bytes, plain};
use crate::peers::survey::{Surveyed, survey};
use crate::plan::{FleetHost, HostKey, Version};
use crate::store::Store;

/// Check hosts, list targets, and take an inventory of hosts
#[derive(Debug, clap::Args)]
#[command(after_long_help = super::help::HOST)]
pub struct Args {
    #[command(subcommand)]
    action: HostCommand,
}

#[derive(Debug, clap::Subcommand)]
enum HostCommand {
    /// Connect to a host, and show what it is and whether it accepts zones
    Check {
        /// Host: ssh://[USER@]HOST[:PORT] or rads://[USER@]HOST[:PORT]
        uri: HostUri,
        /// Print a JSON document
        #[arg(long)]
        json: bool,
    },
    /// List all targets, with their free memory and whether they accept zones
    List,
    /// List hosts with their capacity, load and zones
    ///
    /// All hosts are queried at the same time, so one that does not answer does not delay the others. With --json, the
    /// output is an inventory file for 'sysadm plan --inventory'.
    Inventory {
        /// Hosts. Default: this host and all targets
        #[arg(value_name = "URI")]
        uris: Vec<HostUri>,
        /// Print a JSON document that includes all zones
        #[arg(long)]
        json: bool,
        /// Measure for a second how fast each zone writes to its memory, for better estimates; this slows zones slightly
        #[arg(long)]
        measure: bool,
    },
}

struct HostLine {
    uri: HostUri,
    answer: HostAnswer,
}

enum HostAnswer {
    Facts(Box<Facts>),
    /// It is the host at that other URI.
    Also(HostUri),
    /// Why nothing is known.
    Silent(Message),
}

impl HostLine {
    /// Why it does not answer.
    const fn silence(&self) -> Option<&Message> {
        match &self.answer {
            HostAnswer::Silent(reason) => Some(reason),
            HostAnswer::Facts(_) | HostAnswer::Also(_) => None,
        }
    }

    fn facts<T>(&self, value: impl FnOnce(&Facts) -> T) -> Option<T> {
        match &self.answer {
            HostAnswer::Facts(facts) => Some(value(facts)),
            HostAnswer::Also(_) | HostAnswer::Silent(_) => None,
        }
    }
}

const COLUMNS: &[Column<HostLine>] = &[
    Column { name: "TARGET", width: 24, value: |line| Some(line.uri.to_string()) },
    Column { name: "PLATFORM", width: 9, value: |line| line.facts(|facts| facts.platform.clone()) },
    Column { name: "FREE", width: 6, value: |line| line.facts(|facts| format_bytes(facts.memory_free)) },
    Column { name: "CPUS", width: 4, value: |line| line.facts(|facts| facts.cpus.to_string()) },
    Column {
        name: "STATE",
        width: 5,
        value: |line| {
            Some(match &line.answer {
                HostAnswer::Facts(facts) => state(facts.maintenance.as_deref(), facts.announced.as_deref()),
                HostAnswer::Also(uri) => format!("the same host as {uri}"),
                HostAnswer::Silent(reason) => reason.text.clone(),
            })
        },
    },
];

/// Whether a host accepts zones.
fn state(maintenance: Option<&str>, announced: Option<&str>) -> String {
    match (maintenance, announced) {
        (Some(who), _) => format!("maintenance: {who}"),
        (None, Some(when)) => format!("in service; maintenance begins at {when}"),
        (None, None) => "in service".to_owned(),
    }
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    match args.action {
        HostCommand::Check { uri, json } => check(&context, uri, json).await,
        HostCommand::List => list(&context).await,
        HostCommand::Inventory { uris, json, measure } => inventory(&context, uris, json, measure).await,
    }
}

async fn check(context: &Context, uri: HostUri, json: bool) -> Result<Exit, CliError> {
    let host = Remote::connect(uri.clone(), context.dialer()).await?;
    // Only now: the connection may have been the first request to this host for its identity.
    if context.local(context.store_to_ask()?)?.id() == host.id() {
        return Err(CliError::new(Exit::Error, format!("{uri} is this host itself")));
    }
    let facts = host.facts().await?;
    if json {
        let text = serde_json::to_string_pretty(&facts).map_err(|error| CliError::new(Exit::Error, error))?;
        ui::print(&format!("{text}\n"))?;
    } else {
        let memory = format!("{} of {} free", format_bytes(facts.memory_free), format_bytes(facts.memory));
        let state = facts
            .maintenance
            .as_ref()
            .map_or_else(|| state(None, facts.announced.as_deref()), |who| format!("in maintenance ({who})"));
        let lines = [
            ("host", &facts.host),
            ("software", &format!("sysadm {}", facts.software)),
            ("hypervisor", &facts.hypervisor),
            ("machine", &format!("{}, {} cpus", facts.arch, facts.cpus)),
            ("memory", &memory),
            ("state", &state),
        ];
        ui::print(&lines.map(|(name, value)| format!("{name:<11} {}\n", plain(value))).concat())?;
    }
    let takes_zones = facts.maintenance.is_none() && facts.announced.is_none();
    Ok(if takes_zones { Exit::Done } else { Exit::Refused })
}

/// All targets of all zones.
fn targets(store: &Store) -> Result<Vec<HostUri>, CliError> {
    let mut uris: Vec<_> = store.targets()?.into_values().flatten().collect();
    uris.sort();
    uris.dedup();
    Ok(uris)
}

async fn list(context: &Context) -> Result<Exit, CliError> {
    let store = context.store_to_ask()?;
    let (uris, local) = (targets(&store)?, context.local(store)?);
    let peers = context.peers(Some(&local));
    let asking = uris.into_iter().map(|uri| async {
        let answer = async {
            let host = peers.reach(&uri).await?;
            Ok((host.id(), host.facts().await?))
        };
        let answer = answer.await;
        (uri, answer)
    });
    let lines = lines(futures_util::future::join_all(asking).await);
    if lines.is_empty() {
        ui::say("no targets are set");
        ui::hint(&["to set one for all zones: sysadm target set --default URI".to_owned()]);
    } else {
        ui::print(&table(COLUMNS, &lines))?;
        lines.iter().filter_map(HostLine::silence).for_each(|why| ui::hint(&why.hints));
    }
    let is_silent = |line: &HostLine| matches!(line.answer, HostAnswer::Silent(_));
    Ok(if lines.iter().any(is_silent) { Exit::Partly } else { Exit::Done })
}

/// A host's identity and description, or why they are not known.
type HostReply = Result<(HostId, Facts), Message>;

/// A line for each name; if a host has several, the first line has its description.
fn lines(answers: Vec<(HostUri, HostReply)>) -> Vec<HostLine> {
    let mut first = BTreeMap::new();
    let line = |(uri, answer): (HostUri, _)| {
        let answer = match answer {
            Ok((id, facts)) => match first.entry(id).or_insert_with(|| uri.clone()) {
                known if *known != uri => HostAnswer::Also(known.clone()),
                _ => HostAnswer::Facts(Box::new(facts)),
            },
            Err(reason) => HostAnswer::Silent(reason),
        };
        HostLine { uri, answer }
    };
    answers.into_iter().map(line).collect()
}

/// A host's line in the inventory.
struct Stock {
    name: HostKey,
    /// The host with its numbers of running zones and of all zones; or why they are not known.
    answer: Result<(FleetHost, usize, usize), Message>,
}

impl Stock {
    fn host<T>(&self, value: impl FnOnce(&FleetHost) -> T) -> Option<T> {
        self.answer.as_ref().ok().map(|(host, ..)| value(host))
    }
}

const STOCK: &[Column<Stock>] = &[
    Column { name: "HOST", width: 24, value: |line| Some(line.name.to_string()) },
    Column { name: "FREE", width: 6, value: |line| line.host(|host| format_bytes(host.memory_free)) },
    Column { name: "MEMORY", width: 6, value: |line| line.host(|host| format_bytes(host.memory)) },
    Column { name: "CPUS", width: 4, value: |line| line.host(|host| host.cpus.to_string()) },
    Column { name: "LOAD", width: 4, value: |line| line.host(|host| format!("{:.1}", host.cpu_load)) },
    Column {
        name: "ZONES",
        width: 5,
        value: |line| line.answer.as_ref().ok().map(|(_, running, all)| format!("{running}/{all}")),
    },
    Column {
        name: "HYPERVISOR",
        width: 10,
        value: |line| line.host(|host| host.hypervisor.map(version)).flatten(),
    },
    Column {
        name: "STATE",
        width: 5,
        value: |line| {
            Some(match &line.answer {
                Ok((host, ..)) => state(host.maintenance.as_deref(), host.announced.as_deref()),
                Err(reason) => reason.text.clone(),
            })
        },
    },
];

fn version(Version(major, minor, micro): Version) -> String {
    format!("{major}.{minor}.{micro}")
}

async fn inventory(
    context: &Context,
    uris: Vec<HostUri>,
    json: bool,
    measure: bool,
) -> Result<Exit, CliError> {
    let store = context.store_to_ask()?;
    let local = context.local(Arc::clone(&store))?;
    let (local, peers, uris) = if uris.is_empty() {
        let peers = context.peers(Some(&local));
        (Some(local as Arc<dyn Host>), peers, targets(&store)?)
    } else {
        (None, context.peers(None), uris)
    };
    let surveyed = survey(local, &peers, &uris, measure).await;
    if json {
        let text = serde_json::to_string_pretty(&surveyed.fleet);
        ui::print(&format!("{}\n", text.map_err(|error| CliError::new(Exit::Error, error))?))?;
        surveyed.remarks().for_each(|text| ui::complain(&text));
        for (name, reason) in &surveyed.silent {
            ui::complain(reason.clone().about(name));
        }
    } else {
        ui::print(&table(STOCK, &stock(&surveyed)))?;
        surveyed.silent.iter().for_each(|(_, why)| ui::hint(&why.hints));
    }
    for host in &surveyed.fleet.hosts {
        host.unmanaged
            .iter()
            .for_each(|unmanaged_guest| ui::complain(unmanaged_guest.message().about(&host.name)));
    }
    Ok(if surveyed.silent.is_empty() { Exit::Done } else { Exit::Partly })
}

/// A line for each host; those that did not answer come last.
fn stock(surveyed: &Surveyed) -> Vec<Stock> {
    let answered = surveyed.fleet.hosts.iter().map(|host| {
        let zones = || surveyed.fleet.zones.iter().filter(|zone| zone.host == host.name);
        let unmanaged = |all| host.unhandled(all).count();
        let running = zones().filter(|zone| zone.running).count() + unmanaged(false);
        let all = zones().count() + unmanaged(true);
        Stock { name: host.name.clone(), answer: Ok((host.clone(), running, all)) }
    });
    let also =
        surveyed.also.iter().map(|(name, first)| (name.clone(), format!("the same host as {first}").into()));
    let others = also.chain(surveyed.silent.iter().cloned());
    answered.chain(others.map(|(name, reason)| Stock { name, answer: Err(reason) })).collect()
}
