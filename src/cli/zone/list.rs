//! `sysadm zone list`.

use std::path::{Path, PathBuf};

use crate::cli::columns::escape;
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, ui};
use crate::host::{Host, Local};
use crate::model::{Aux, Inventory, Zone, ZoneState, plain};
use crate::store::ZoneRecord;

#[derive(Debug, clap::Args)]
#[command(after_long_help = crate::cli::help::ZONE_LIST)]
pub struct Args {
    /// Include installed zones, which are not running
    #[arg(short, long)]
    installed: bool,
    /// Include all known zones, evacuated and detached ones as well
    #[arg(short, long)]
    configured: bool,
    /// Omit the global zone, which is the host itself
    #[arg(short, long)]
    no_global: bool,
    /// Print a table with ID, NAME, STATUS, PATH, BRAND and IP
    #[arg(short, long, conflicts_with = "parsable")]
    verbose: bool,
    /// Print stable output for scripts: zoneid:zonename:state:zonepath:uuid:brand:ip-type:r/w:file-mac-profile:aux
    #[arg(short, long)]
    parsable: bool,
}

pub async fn run(options: Args) -> Result<Exit, CliError> {
    let context = Context::load()?;
    let store = context.store_to_ask()?;
    let records = store.zones()?;
    let local = context.local(store)?;
    let inventory = local.inventory().await?;
    let mut lines: Vec<ZoneLine> = inventory.zones.iter().map(ZoneLine::of).collect();
    if options.verbose || options.parsable {
        find_paths(&local, &inventory, &mut lines).await;
    }
    // The configuration of a zone that is away or only configured is in the store.
    let is_listed = |record: &&ZoneRecord| record.place.is_elsewhere() || record.is_configured();
    let absent = records.iter().filter(is_listed).filter(|record| !inventory.has(record.uuid));
    lines.extend(absent.map(ZoneLine::of_absent));
    lines.retain(|line| match line.state {
        _ if options.configured => true,
        ZoneState::Installed => options.installed,
        ZoneState::Configured | ZoneState::Incomplete | ZoneState::Unavailable => false,
        ZoneState::Ready | ZoneState::Running | ZoneState::ShuttingDown | ZoneState::Down => true,
    });
    lines.sort_by(|a, b| a.name.cmp(&b.name));
    if !options.no_global {
        lines.insert(0, ZoneLine::global());
    }
    ui::print(&render(&lines, &options))?;
    for unmanaged_guest in inventory.unmanaged {
        ui::complain(unmanaged_guest.message().about("not listed"));
    }
    Ok(Exit::Done)
}

struct ZoneLine {
    id: Option<u32>,
    name: String,
    state: ZoneState,
    path: Option<PathBuf>,
    uuid: String,
    brand: String,
    exclusive_ip: bool,
    aux: Option<Aux>,
}

impl ZoneLine {
    fn of(zone: &Zone) -> Self {
        Self {
            id: zone.id,
            name: zone.name.to_string(),
            state: zone.state,
            path: None,
            uuid: zone.uuid.to_string(),
            brand: zone.brand.to_string(),
            exclusive_ip: true,
            aux: zone.aux,
        }
    }

    /// A zone of which only the configuration is here.
    fn of_absent(record: &ZoneRecord) -> Self {
        Self {
            id: None,
            name: record.zone.to_string(),
            state: ZoneState::Configured,
            path: record.zonepath.clone(),
            uuid: record.uuid.to_string(),
            brand: record.brand.to_string(),
            exclusive_ip: true,
            aux: None,
        }
    }

    /// The host itself.
    fn global() -> Self {
        Self {
            id: Some(0),
            name: "global".to_owned(),
            state: ZoneState::Running,
            path: Some(PathBuf::from("/")),
            uuid: String::new(),
            brand: rustix::system::uname().sysname().to_string_lossy().to_lowercase(),
            exclusive_ip: false,
            aux: None,
        }
    }

    const fn ip(&self) -> &'static str {
        if self.exclusive_ip { "excl" } else { "shared" }
    }
}

/// The root file systems of containers; virtual machines have none. Unknown for a zone that has just left.
async fn find_paths(local: &Local, inventory: &Inventory, lines: &mut [ZoneLine]) {
    let asked =
        inventory.zones.iter().zip(lines).filter(|(zone, _)| local.platform().able(zone.brand).host_software);
    let asked = asked.map(|(zone, line)| async {
        let manifest = local.manifest(zone.name.clone()).await.ok();
        line.path = manifest.and_then(|manifest| manifest.zonepath().map(Path::to_owned));
    });
    futures_util::future::join_all(asked).await;
}

fn render(lines: &[ZoneLine], options: &Args) -> String {
    let mut text = String::new();
    if options.verbose {
        let row = |id: &str, name: &str, state: &str, path: &str, brand: &str, ip: &str| {
            format!("{id:>4} {name:<16} {state:<11} {path:<20} {brand:<10} {ip}\n")
        };
        text.push_str(&row("ID", "NAME", "STATUS", "PATH", "BRAND", "IP"));
        for line in lines {
            let id = line.id.map_or_else(|| "-".to_owned(), |id| id.to_string());
            let path =
                line.path.as_ref().map_or_else(|| "-".to_owned(), |path| plain(&path.to_string_lossy()));
            text.push_str(&row(&id, &line.name, line.state.as_str(), &path, &line.brand, line.ip()));
        }
        return text;
    }
    for line in lines {
        if options.parsable {
            let id = line.id.map_or_else(|| "-".to_owned(), |id| id.to_string());
            let aux = line.aux.map_or("", Aux::as_str);
            let path = line.path.as_deref().unwrap_or(Path::new("")).to_string_lossy();
            let fields = [
                &id,
                &line.name,
                line.state.as_str(),
                &path,
                &line.uuid,
                &line.brand,
                line.ip(),
                "-",
                "",
                aux,
            ];
            text.push_str(&fields.map(escape).join(":"));
        } else {
            text.push_str(&line.name);
        }
        text.push('\n');
    }
    text
}
