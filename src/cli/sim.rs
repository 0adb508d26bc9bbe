//! `sysadm sim`: what one can do with simulated hosts and zones, and to them.

mod show;

use std::path::PathBuf;

use clap::builder::{ArgPredicate, PossibleValuesParser, TypedValueParser};

use super::context::Context;
use super::{CliError, Exit, ui};
use crate::model::{BlockerKind, Brand, Identifier, ZoneName, parse_bytes};
use crate::platform::sim::{Effect, Fault, HostSettings, Operation, Scale, Sim, Storage, ZoneSpec};

/// Play with simulated hosts and zones
///
/// On a host whose platform is "sim" (sysadm.toml) the zones are simulated: nothing runs, and everything else
/// is as on a real host. Another SYSADM_ROOT is another host.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Say how the host is; what is not said stays as it is
    Host {
        /// Memory
        #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
        memory: Option<u64>,
        /// Disk space of its own storages
        #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
        disk: Option<u64>,
        /// What its line carries in a second
        #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
        bandwidth: Option<u64>,
        /// Storage that it sees; with a folder, the same one for all hosts that name the same
        #[arg(long, value_name = "NAME[=FOLDER]", value_parser = parse_storage)]
        storage: Vec<Storage>,
        /// So many times as fast as reality
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        scale: Option<u32>,
    },
    /// Make a zone
    Create {
        /// Its name
        #[arg(value_parser = ZoneName::typed)]
        zone: ZoneName,
        /// kvm or lxc
        #[arg(long, default_value_t = Brand::KVM, default_value_if("zonepath", ArgPredicate::IsPresent, "lxc"))]
        brand: Brand,
        /// Memory
        #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = parse_bytes)]
        memory: u64,
        /// How much of its memory it writes to in a second
        #[arg(long, value_name = "SIZE", default_value = "50M", value_parser = parse_bytes)]
        dirty: u64,
        /// The storage on which its disk lies; local, if neither this nor a zonepath is said
        #[arg(long, value_name = "STORAGE")]
        disk: Vec<String>,
        /// Its root file system is a folder in this one, which lies on a storage of the host: a container
        #[arg(long, value_name = "FOLDER", value_parser = parse_folder)]
        zonepath: Option<PathBuf>,
        /// A folder of its host that it reads
        #[arg(long, value_name = "FOLDER", value_parser = parse_folder)]
        inherit: Vec<PathBuf>,
        /// Boot it at once
        #[arg(long)]
        running: bool,
    },
    /// Boot a zone, as its owner would
    Start {
        /// The zone
        #[arg(value_parser = ZoneName::typed)]
        zone: ZoneName,
    },
    /// End a zone, as its owner would
    Stop {
        /// The zone
        #[arg(value_parser = ZoneName::typed)]
        zone: ZoneName,
    },
    /// Remove a zone that does not run, with its disks
    Remove {
        /// The zone
        #[arg(value_parser = ZoneName::typed)]
        zone: ZoneName,
    },
    /// Show the host, its zones and what was told to go wrong
    Show,
    /// Tell the host what goes wrong
    Fault {
        /// What
        #[command(subcommand)]
        what: SimCommand,
        /// Only with this zone
        #[arg(long, global = true, value_parser = ZoneName::typed)]
        zone: Option<ZoneName>,
        /// Only the next so many times; always, if not said
        #[arg(long, global = true, value_name = "N")]
        times: Option<u32>,
    },
}

#[derive(Debug, clap::Subcommand)]
enum SimCommand {
    /// A check finds this reason against every zone that wants to come
    Refuse {
        /// The reason
        #[arg(default_value = "it was told to refuse")]
        reason: String,
    },
    /// An operation fails and does nothing
    Fail {
        /// Which
        #[arg(value_name = "OPERATION", value_parser = operation())]
        at: Operation,
        /// With this error
        #[arg(default_value = "it was told to fail")]
        reason: String,
    },
    /// An operation is done, and answered with an error all the same
    FailAfter {
        /// Which
        #[arg(value_name = "OPERATION", value_parser = operation())]
        at: Operation,
        /// With this error
        #[arg(default_value = "it was told to fail")]
        reason: String,
    },
    /// An operation does not begin before 'clear'
    Hang {
        /// Which
        #[arg(value_name = "OPERATION", value_parser = operation())]
        at: Operation,
    },
    /// A migration from here fails
    FailSend {
        /// After so many rounds
        #[arg(long, default_value_t = 1)]
        rounds: u32,
    },
    /// A migration from here stands still until it is aborted
    Stall {
        /// After so many rounds
        #[arg(long, default_value_t = 1)]
        rounds: u32,
    },
    /// The line of a migration from here breaks
    Cut {
        /// After so many rounds
        #[arg(long, default_value_t = 1)]
        rounds: u32,
    },
    /// The line of a migration to here breaks just before the other host hears that the zone is here
    LoseAnswer,
    /// A zone that is asked to shut down does not
    IgnoreShutdown,
    /// Nothing here answers any more
    Down,
    /// Nothing goes wrong any more
    Clear,
}

pub async fn run(args: Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    let sim = context.simulation()?;
    match args.action {
        Action::Host { memory, disk, bandwidth, storage, scale } => {
            let now = sim.host()?;
            sim.set_host(&HostSettings {
                name: context.host_name(),
                memory: memory.unwrap_or(now.memory),
                disk: disk.unwrap_or(now.disk),
                bandwidth: bandwidth.unwrap_or(now.bandwidth),
                scale: scale.map_or(now.scale, Scale::Times),
                storages: if storage.is_empty() { now.storages.clone() } else { storage },
                ..now
            })?;
        }
        Action::Create { zone, brand, memory, dirty, disk, zonepath, inherit, running } => {
            let fresh = ZoneSpec::new(zone.clone());
            let storages = if disk.is_empty() && zonepath.is_none() { fresh.storages.clone() } else { disk };
            let spec = ZoneSpec { brand, memory, dirty_rate: dirty, storages, zonepath, inherit, ..fresh };
            sim.create(spec)?;
            if running {
                sim.start(&zone)?;
            }
        }
        Action::Start { zone } => sim.start(&named(&context, &zone).await?)?,
        Action::Stop { zone } => sim.stop(&named(&context, &zone).await?)?,
        Action::Remove { zone } => sim.remove(&named(&context, &zone).await?)?,
        Action::Show => ui::print(&show::text(&sim).await?)?,
        Action::Fault { what, zone: None, times } => set_fault(&sim, what, None, times)?,
        Action::Fault { what, zone: Some(zone), times } => {
            set_fault(&sim, what, Some(named(&context, &zone).await?), times)?;
        }
    }
    Ok(Exit::Done)
}

async fn named(context: &Context, zone: &ZoneName) -> Result<ZoneName, CliError> {
    context.zone(&*context.store_to_ask()?, zone).await
}

fn set_fault(
    sim: &Sim,
    what: SimCommand,
    zone: Option<ZoneName>,
    times: Option<u32>,
) -> Result<(), CliError> {
    let effect = match what {
        SimCommand::Clear => return Ok(sim.set_faults(&[])?),
        SimCommand::Refuse { reason } => Effect::Refuse { kind: BlockerKind::Host, reason },
        SimCommand::Fail { at, reason } => Effect::Fail { at, reason },
        SimCommand::FailAfter { at, reason } => Effect::FailAfter { at, reason },
        SimCommand::Hang { at } => Effect::Hang { at },
        SimCommand::FailSend { rounds } => {
            Effect::FailSend { rounds, reason: "it was told to fail".to_owned() }
        }
        SimCommand::Stall { rounds } => Effect::Stall { rounds },
        SimCommand::Cut { rounds } => Effect::Cut { rounds },
        SimCommand::LoseAnswer => Effect::LoseAnswer,
        SimCommand::IgnoreShutdown => Effect::IgnoreShutdown,
        SimCommand::Down => Effect::Down,
    };
    Ok(sim.add_fault(&Fault { effect, zone, times })?)
}

fn operation() -> impl TypedValueParser<Value = Operation> {
    let words = Operation::ALL.iter().map(|operation| operation.as_str());
    PossibleValuesParser::new(words).try_map(|word| word.parse())
}

fn parse_folder(text: &str) -> Result<PathBuf, String> {
    std::path::absolute(text).map_err(|error| error.to_string())
}

fn parse_storage(text: &str) -> Result<Storage, String> {
    let (name, folder) = match text.split_once('=') {
        Some((name, folder)) => (name, Some(parse_folder(folder)?)),
        None => (text, None::<PathBuf>),
    };
    name.parse::<Identifier>()?;
    Ok(Storage { name: name.to_owned(), folder })
}
