//! `sysadm plan --drain` and `sysadm plan --return`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::context::Context;
use super::super::{CliError, Exit, policy, ui};
use super::{show, text_of};
use crate::model::{HostUri, HostUriError, Identifier, Millis};
use crate::peers::survey::{SurveyReply, Surveyed, ask_all};
use crate::plan::ganeti::Cluster;
use crate::plan::{About, Fleet, History, HostKey, PlacementRequest, away_from, build, return_plan};
use crate::policy::{Policy, describe_cycle};

/// What is to be planned.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(group = clap::ArgGroup::new("hosts").required(true).args(["drain", "back"]))]
pub struct Wanted {
    /// Hosts to empty: URIs, or names in the inventory file
    #[arg(long, value_name = "HOST,...", value_delimiter = ',')]
    drain: Vec<HostKey>,
    /// Hosts to which all their evacuated zones return
    #[arg(long = "return", value_name = "HOST,...", value_delimiter = ',', conflicts_with = "to")]
    back: Vec<HostKey>,
    /// Hosts, or groups of the policy or inventory, to which zones may go. Default: what the policy allows
    #[arg(long, value_name = "HOST|GROUP,...", value_delimiter = ',')]
    to: Vec<HostKey>,
    /// Policy. Default: the one that sysadm.toml names, or spread
    #[arg(long, value_name = "NAME")]
    policy: Option<Identifier>,
    /// Include zones that are not running
    #[arg(short, long)]
    all: bool,
    /// Read this inventory file ('sysadm host inventory --json') instead of querying hosts
    #[arg(long, value_name = "FILE", conflicts_with = "ganeti")]
    inventory: Option<PathBuf>,
    /// Read this Ganeti cluster file (text format of 'hbal -t') instead of querying hosts
    #[arg(long, value_name = "FILE")]
    ganeti: Option<PathBuf>,
    /// Also write the plan to FILE, for 'sysadm evacuate --plan'
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the plan as a JSON document
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Wanted) -> Result<Exit, CliError> {
    let context = Context::load()?;
    let mut policy = policy::load(&context, args.policy.as_ref())?;
    let (mut hosts, mut to) = ([args.drain.as_slice(), &args.back].concat(), args.to.clone());
    let mut fleet = match (&args.inventory, &args.ganeti) {
        (Some(path), _) => inventory(path)?,
        (None, Some(path)) => cluster(path)?,
        (None, None) => {
            let surveyed = asked(&context, &policy, &args, &hosts).await?;
            surveyed.remarks().for_each(|text| ui::complain(&text));
            policy = policy.renamed(|uri| name_of(&surveyed, uri));
            [&mut hosts, &mut to].into_iter().for_each(|words| rename(&surveyed, words));
            surveyed.fleet
        }
    };
    fleet.map_networks(|host| context.config.map.networks_of(host));
    for cycle in policy.apply(&mut fleet) {
        ui::complain(format!("circular dependency in the policy: {}", describe_cycle(&cycle)));
    }
    known(&fleet, &hosts)?;
    let history = History::default();
    let built = if args.back.is_empty() {
        restrict(&mut fleet, &to)?;
        let question = PlacementRequest::drain(&fleet, &hosts, args.all);
        build(fleet, policy.rules(), &question, &history)
    } else {
        let away = away_from(&fleet, &hosts, args.all);
        return_plan(fleet, policy.rules(), &away, &history).built
    };
    let policy = args.policy.unwrap_or_else(|| context.config.evacuation.policy.clone()).to_string();
    let left = built.unplaced().into_iter().chain(built.unhandled(&args.drain, args.all)).collect();
    let plan = built.file(About { created: Millis::now(), hosts, policy }, left);
    if let Some(path) = &args.output {
        super::write(path, &plan)?;
    }
    show::run(&plan, args.json)
}

fn inventory(path: &Path) -> Result<Fleet, CliError> {
    Fleet::parse(&text_of(path)?)
        .map_err(|error| CliError::new(Exit::Error, format!("{}: {error}", path.display())))
}

fn cluster(path: &Path) -> Result<Fleet, CliError> {
    let cluster = Cluster::parse(&text_of(path)?);
    let cluster =
        cluster.map_err(|error| CliError::new(Exit::Error, format!("{}:{error}", path.display())))?;
    Ok(cluster.fleet())
}

/// Asks all relevant hosts. Hosts that are to be emptied or filled must answer; another one that does not is
/// reported as unavailable.
async fn asked(
    context: &Context,
    policy: &Policy,
    args: &Wanted,
    hosts: &[HostKey],
) -> Result<Surveyed, CliError> {
    let mut uris = Vec::new();
    for host in hosts {
        let no_uri = || CliError::usage(HostUriError::NoScheme(host.to_string()).to_string());
        uris.push(host.uri().cloned().ok_or_else(no_uri)?);
    }
    // What is not a URI is a group: its hosts are among those of the policy.
    uris.extend(args.to.iter().filter_map(HostKey::uri).cloned());
    uris.extend(policy.hosts().into_iter().cloned());
    // In their order: a host is known by the first of its names.
    let mut seen = BTreeSet::new();
    uris.retain(|uri| seen.insert(uri.clone()));
    let peers = context.peers(None);
    let mut answers = ask_all(&peers, &uris, false).await;
    if !args.back.is_empty() {
        let locations = locations(&answers, &uris);
        answers.extend(ask_all(&peers, &locations, false).await);
    }
    let surveyed = Surveyed::of(answers);
    for (host, reason) in &surveyed.silent {
        let text = format!("{host}: {reason}");
        if hosts.contains(host) {
            return Err(CliError::new(Exit::Error, text));
        }
        ui::complain(&text);
    }
    Ok(surveyed)
}

/// The name by which the host at that URI is known.
fn name_of(surveyed: &Surveyed, uri: &HostUri) -> HostUri {
    surveyed.name_of(&HostKey::Uri(uri.clone())).uri().unwrap_or(uri).clone()
}

/// The names by which these hosts are known, without duplicates.
fn rename(surveyed: &Surveyed, words: &mut Vec<HostKey>) {
    let mut seen = BTreeSet::new();
    words.iter_mut().for_each(|word| *word = surveyed.name_of(word).clone());
    words.retain(|word| seen.insert(word.clone()));
}

/// The hosts on which zones of these are, if they have not been asked yet.
fn locations(answers: &[SurveyReply], asked: &[HostUri]) -> Vec<HostUri> {
    let away = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()).flat_map(|survey| &survey.away);
    let locations: BTreeSet<_> =
        away.map(|absent| &absent.location).filter(|uri| !asked.contains(uri)).collect();
    locations.into_iter().cloned().collect()
}

/// Every name must be that of a host.
fn known(fleet: &Fleet, names: &[HostKey]) -> Result<(), CliError> {
    let unknown = names.iter().find(|name| !fleet.hosts.iter().any(|host| host.name == **name));
    match unknown {
        None => Ok(()),
        Some(name) => Err(CliError::new(Exit::Error, format!("no such host: {name}"))),
    }
}

/// Only these hosts, or the hosts of these groups.
fn restrict(fleet: &mut Fleet, to: &[HostKey]) -> Result<(), CliError> {
    if to.is_empty() {
        return Ok(());
    }
    let mut allowed = Vec::new();
    for word in to {
        let hosts = fleet.hosts.iter().filter(|host| host.name == *word || host.groups.contains(word.host()));
        let before = allowed.len();
        allowed.extend(hosts.map(|host| host.name.clone()));
        if allowed.len() == before {
            return Err(CliError::new(Exit::Error, format!("no host, and no group with hosts: {word}")));
        }
    }
    for zone in &mut fleet.zones {
        zone.targets = Some(match zone.targets.take() {
            Some(targets) => targets.into_iter().filter(|name| allowed.contains(name)).collect(),
            None => allowed.clone(),
        });
    }
    Ok(())
}
