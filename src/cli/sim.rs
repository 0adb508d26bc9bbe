//! `sysadm sim`: simulated hosts and zones.

mod show;

use std::path::PathBuf;

use clap::builder::{ArgPredicate, PossibleValuesParser, TypedValueParser};

use super::context::Context;
use super::{CliError, Exit, ui};
use crate::model::{BlockerKind, Brand, Identifier, IdentifierError, ZoneName, parse_bytes};
use crate::platform::sim::{Effect, Fault, HostSettings, Operation, Scale, Sim, StorageFolder, ZoneSpec};

/// Create simulated hosts and zones, and make them fail
///
/// On a host with platform = "sim" in sysadm.toml, zones are simulated and everything else works as on a real host. Use
/// a different SYSADM_ROOT for each host.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Configure the host; settings that are not given stay unchanged
    Host {
        /// Memory, for example 64G
        #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
        memory: Option<u64>,
        /// Disk space of its own storage, for example 1T
        #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
        disk: Option<u64>,
        /// Network bandwidth per second, for example 1G
        #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
        bandwidth: Option<u64>,
        /// Storage that the host can access, instead of what it could so far; may be repeated. Hosts that name the same
        /// folder share it
        #[arg(long, value_name = "NAME[=FOLDER]", value_parser = parse_storage)]
        storage: Vec<StorageFolder>,
        /// Run N times as fast as real time, 1 to 100000
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        scale: Option<u32>,
    },
    /// Create a zone
    Create {
        /// Name
        #[arg(value_parser = ZoneName::typed)]
        zone: ZoneName,
        /// Brand: kvm or lxc
        #[arg(long, default_value_t = Brand::KVM, default_value_if("zonepath", ArgPredicate::IsPresent, "lxc"))]
        brand: Brand,
        /// Memory
        #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = parse_bytes)]
        memory: u64,
        /// Memory that the zone writes to per second
        #[arg(long, value_name = "SIZE", default_value = "50M", value_parser = parse_bytes)]
        dirty: u64,
        /// Storage of the zone's disk. Default: local, unless --zonepath is given
        #[arg(long, value_name = "STORAGE")]
        disk: Vec<String>,
        /// Make the zone a container whose root file system is below this folder, on storage of the host
        #[arg(long, value_name = "FOLDER", value_parser = parse_folder)]
        zonepath: Option<PathBuf>,
        /// Directory of the host that the zone sees read-only
        #[arg(long, value_name = "FOLDER", value_parser = parse_folder)]
        inherit: Vec<PathBuf>,
        /// Boot the zone
        #[arg(long)]
        running: bool,
    },
    /// Boot a zone, as an administrator would with virsh
    Start {
        /// Zone
        #[arg(value_parser = ZoneName::typed)]
        zone: ZoneName,
    },
    /// Stop a zone, as an administrator would with virsh
    Stop {
        /// Zone
        #[arg(value_parser = ZoneName::typed)]
        zone: ZoneName,
    },
    /// Remove a zone that is not running, with its disks
    Remove {
        /// Zone
        #[arg(value_parser = ZoneName::typed)]
        zone: ZoneName,
    },
    /// Show the host, its zones and its faults
    Show,
    /// Inject a fault, or clear all faults
    Fault {
        /// Fault
        #[command(subcommand)]
        what: SimCommand,
        /// Only for this zone
        #[arg(long, global = true, value_parser = ZoneName::typed)]
        zone: Option<ZoneName>,
        /// Only the next N times. Default: always
        #[arg(long, global = true, value_name = "N")]
        times: Option<u32>,
    },
}

#[derive(Debug, clap::Subcommand)]
enum SimCommand {
    /// Refuse every zone that is to arrive
    Refuse {
        /// Reason to report
        #[arg(default_value = "it was told to refuse")]
        reason: String,
    },
    /// Make an operation fail without doing anything
    Fail {
        /// Operation
        #[arg(value_name = "OPERATION", value_parser = operation())]
        at: Operation,
        /// Error to report
        #[arg(default_value = "it was told to fail")]
        reason: String,
    },
    /// Perform an operation, but report an error
    FailAfter {
        /// Operation
        #[arg(value_name = "OPERATION", value_parser = operation())]
        at: Operation,
        /// Error to report
        #[arg(default_value = "it was told to fail")]
        reason: String,
    },
    /// Make an operation hang until 'clear'
    Hang {
        /// Operation
        #[arg(value_name = "OPERATION", value_parser = operation())]
        at: Operation,
    },
    /// Make outgoing migrations fail
    FailSend {
        /// Number of rounds after which this happens
        #[arg(long, default_value_t = 1)]
        rounds: u32,
    },
    /// Make outgoing migrations stall until they are aborted
    Stall {
        /// Number of rounds after which this happens
        #[arg(long, default_value_t = 1)]
        rounds: u32,
    },
    /// Cut the connection of outgoing migrations
    Cut {
        /// Number of rounds after which this happens
        #[arg(long, default_value_t = 1)]
        rounds: u32,
    },
    /// Cut the connection of incoming migrations just before the source learns that the zone has arrived
    LoseAnswer,
    /// Make zones ignore requests to shut down
    IgnoreShutdown,
    /// Stop answering any request
    Down,
    /// Remove all faults
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

fn parse_folder(text: &str) -> std::io::Result<PathBuf> {
    std::path::absolute(text)
}

/// Why a text is no storage.
#[derive(Debug, thiserror::Error)]
enum StorageError {
    #[error(transparent)]
    Name(#[from] IdentifierError),
    #[error(transparent)]
    Folder(#[from] std::io::Error),
}

fn parse_storage(text: &str) -> Result<StorageFolder, StorageError> {
    let (name, folder) = match text.split_once('=') {
        Some((name, folder)) => (name, Some(parse_folder(folder)?)),
        None => (text, None::<PathBuf>),
    };
    name.parse::<Identifier>()?;
    Ok(StorageFolder { name: name.to_owned(), folder })
}
